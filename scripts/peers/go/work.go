// Private work: a chain of dependent integer operations, calibrated to ns.
package main

// The constants of the chain are Knuth's MMIX generator: any odd pair would do, the chain only has to depend on itself.
const (
	chainFactor    = 6364136223846793005
	chainIncrement = 1442695040888963407
)

// chain is where a thread's work has arrived. Each step needs the result of the one before, and the first that of the
// call before: neither a call nor its loop can be dropped as dead code, and no processor can do the work of several
// operations at once.
type chain struct {
	x uint64
}

// work computes for `steps` steps. The result ends in memory, as it does in the driver for Rust: an atomic operation waits
// for the stores before it, so a mutex is not asked for before the thinking is done, nor given back before the holding
// is. With the result in a register processors ran ahead of it, and sections were up to 100 ns shorter than asked for.
//
//go:noinline
func (c *chain) work(steps uint64) {
	x := c.x
	for ; steps > 0; steps-- {
		x = x*chainFactor + chainIncrement
	}
	c.x = x
}

// calibration converts durations to steps of the chain.
type calibration struct {
	stepsPerMS uint64
}

// calibrate times the chain. The fastest of many short loops counts: whatever disturbs can only slow a loop down.
func calibrate() calibration {
	const (
		loops = 200
		// About 12 us: short enough to run undisturbed sometimes, long against a clock read.
		steps = 8192
	)
	var c chain
	fastestNS := int64(1 << 62)
	for range loops {
		start := clockNS()
		c.work(steps)
		fastestNS = min(fastestNS, clockNS()-start)
	}
	publish(c.x)
	return calibration{stepsPerMS: steps * 1_000_000 / uint64(max(fastestNS, 1))}
}

// steps is how many steps of the chain take `ns` when nothing disturbs.
func (c calibration) steps(ns float64) uint64 {
	return uint64(ns * float64(c.stepsPerMS) / 1e6)
}
