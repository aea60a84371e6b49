// Private work: a chain of dependent integer operations, calibrated to ns.
package main

// The constants of the chain are Knuth's MMIX generator: any odd pair would do, the chain only has to depend on itself.
const (
	chainFactor    = 6364136223846793005
	chainIncrement = 1442695040888963407
)

// chain computes for `steps` steps, each of which needs the result of the one before. The caller keeps what it returns
// and hands it in again, so that neither a call nor its loop can be dropped as dead code.
//
//go:noinline
func chain(x, steps uint64) uint64 {
	for ; steps > 0; steps-- {
		x = x*chainFactor + chainIncrement
	}
	return x
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
	x := uint64(1)
	fastestNS := int64(1 << 62)
	for range loops {
		start := clockNS()
		x = chain(x, steps)
		fastestNS = min(fastestNS, clockNS()-start)
	}
	publish(x)
	return calibration{stepsPerMS: steps * 1_000_000 / uint64(max(fastestNS, 1))}
}

// steps is how many steps of the chain take `ns` when nothing disturbs.
func (c calibration) steps(ns float64) uint64 {
	return uint64(ns * float64(c.stepsPerMS) / 1e6)
}
