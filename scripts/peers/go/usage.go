// What a thread has used of its computer.
package main

// usage is an account of one thread. What cannot be had is nil: absent is not zero.
type usage struct {
	cpuNS, runDelayNS      *uint64
	voluntary, involuntary *uint64
}

func known(x uint64) *uint64 {
	return &x
}

// since is what was used after `before`.
func (u usage) since(before usage) usage {
	return usage{
		cpuNS:       difference(u.cpuNS, before.cpuNS),
		runDelayNS:  difference(u.runDelayNS, before.runDelayNS),
		voluntary:   difference(u.voluntary, before.voluntary),
		involuntary: difference(u.involuntary, before.involuntary),
	}
}

func difference(after, before *uint64) *uint64 {
	if after == nil || before == nil {
		return nil
	}
	return known(*after - *before)
}
