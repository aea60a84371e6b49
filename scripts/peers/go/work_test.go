package main

import (
	"testing"
	"time"
)

// fastestNS is the shortest of many calls: whatever disturbs can only slow a call down.
func fastestNS(call func()) float64 {
	fastest := int64(1 << 62)
	for range 300 {
		startNS := clockNS()
		call()
		fastest = min(fastest, clockNS()-startNS)
	}
	return float64(fastest)
}

// A loop whose result nobody needs is dropped or shortened by the compiler, and then takes less than it was asked to.
func TestWorkTakesTheTimeAskedFor(t *testing.T) {
	c := calibrate()
	var done chain
	work := func(ns float64) func() {
		steps := c.steps(ns)
		return func() { done.work(steps) }
	}
	short, long := fastestNS(work(4_000)), fastestNS(work(32_000))
	if ratio := long / short; ratio < 6 || ratio > 10 {
		t.Errorf("8 times the work takes %.2f times as long: %.0f and %.0f ns", ratio, short, long)
	}
	if ratio := long / 32_000; ratio < 0.8 || ratio > 1.3 {
		t.Errorf("32000 ns of work take %.0f ns", long)
	}
	publish(done.x)
}

func TestChainDependsOnEveryStep(t *testing.T) {
	seen := map[uint64]bool{}
	for steps := range uint64(1000) {
		var c chain
		c.work(steps)
		seen[c.x] = true
	}
	var once, twice chain
	once.work(1000)
	twice.work(400)
	twice.work(600)
	if len(seen) != 1000 || twice != once {
		t.Errorf("1000 lengths gave %d results", len(seen))
	}
}

func TestNapsEndAtTheirDeadline(t *testing.T) {
	for _, lockedToThread := range []bool{false, true} {
		startNS := clockNS()
		deadlineNS := startNS + 3_000_000
		for clockNS() < deadlineNS {
			nap(deadlineNS, lockedToThread)
		}
		// Generous: the computer may be busy.
		if took := time.Duration(clockNS() - startNS); took > 500*time.Millisecond {
			t.Errorf("3 ms took %v", took)
		}
	}
}
