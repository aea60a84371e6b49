// What can be seen of a sync.Mutex from outside: who had it after whom, how long each waited and held. How it spins and
// sleeps shows only inside.
package main

import (
	"math/bits"
	"math/rand/v2"
)

const (
	// matrixWorkersMax is the largest number of workers for which it is kept who followed whom.
	matrixWorkersMax = 64
	// samplingPeriod is the mean number of acquires from one timed to the next.
	samplingPeriod = 64
	// binNS is the smallest window of fairness.
	binNS = 1_000_000
)

// watch is what one worker sees over all slices. Nil is a watch that sees nothing.
type watch struct {
	mode probeMode
	// left is the number of acquires until the next timed one, when sampling.
	left   uint32
	random *rand.Rand

	acquires, ownerChanges, coreChanges uint64
	// after[i] counts the acquires right after worker i; nil with too many workers.
	after []uint64
	// streaks[k] counts the runs of one owner of length 2^k to 2^(k+1) - 1.
	streaks [64]uint64
	// cpus are the cores that workers are pinned to; empty if they are not.
	cpus       []int
	wait, hold histogram
	// bins are the acquires of each binNS of the slice that began at beginNS; full timing only.
	bins    []uint64
	beginNS int64
	// Keeps the next watch off this one's last line.
	_ [lineBytes]byte
}

func newWatch(mode probeMode, workers int, cpus []int, random *rand.Rand) *watch {
	if mode == probeOff {
		return nil
	}
	w := &watch{mode: mode, random: random, cpus: cpus, left: samplingPeriod}
	if workers <= matrixWorkersMax {
		w.after = make([]uint64, workers)
	}
	return w
}

// timesAll reports whether every acquire is timed.
func (w *watch) timesAll() bool {
	return w != nil && w.mode == probeFull
}

// due reports whether the next acquire is to be timed. The gap between samples is drawn: a fixed one would meet the same
// entries of the tables of lengths again and again.
func (w *watch) due() bool {
	if w == nil || w.mode != probeSample {
		return w.timesAll()
	}
	w.left--
	if w.left > 0 {
		return false
	}
	w.left = 1 + w.random.Uint32N(2*samplingPeriod-1)
	return true
}

// own notes, while `worker` holds the mutex of `at`, that it does.
func (w *watch) own(at *guarded, worker int) {
	if w == nil {
		return
	}
	w.acquires++
	previous := int(at.owner) - 1
	if previous >= 0 && w.after != nil {
		w.after[previous]++
	}
	if previous == worker {
		at.run++
		return
	}
	if previous >= 0 {
		w.ownerChanges++
		w.streaks[streakClass(at.run)]++
		if n := len(w.cpus); n > 0 && w.cpus[previous%n] != w.cpus[worker%n] {
			w.coreChanges++
		}
	}
	at.owner, at.run = uint32(worker+1), 1
}

func streakClass(run uint64) int {
	return bits.Len64(run) - 1
}

// record takes down the times of one operation, after it.
func (w *watch) record(askedNS, acquiredNS, releasingNS int64) {
	w.wait.record(acquiredNS - askedNS)
	w.hold.record(releasingNS - acquiredNS)
	if w.mode != probeFull || w.beginNS == 0 || acquiredNS < w.beginNS {
		return
	}
	bin := int((acquiredNS - w.beginNS) / binNS)
	for len(w.bins) <= bin {
		w.bins = append(w.bins, 0)
	}
	w.bins[bin]++
}
