// The launch's clock, and waiting by it.
package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

const clockName = "CLOCK_MONOTONIC, through Go's time.Since"

var origin = time.Now()

// clockNS is the time since the engine started, the same for all threads; it never goes back.
func clockNS() int64 {
	return int64(time.Since(origin))
}

// sink is where results go that nobody needs, so that the compiler has to compute them.
var sink atomic.Uint64

func publish(x uint64) {
	sink.Add(x)
}

const (
	// spinNS before a deadline a waiting thread stops sleeping and watches the clock: about what a sleep oversleeps.
	spinNS = 100_000
	// timerNS is what time.Sleep may oversleep: the runtime waits for its timers in whole milliseconds.
	timerNS = 1_200_000
	// napNS is the longest sleep after which a waiting worker looks whether it is still to wait.
	napNS = 1_000_000
)

// nap sleeps towards `deadlineNS` but neither past it nor for long: callers loop until they see that it has come.
//
// A goroutine locked to a thread sleeps in the kernel, as a thread does. Others sleep by the runtime's timers, whose
// grain is so coarse that they give way in a loop for the last millisecond.
func nap(deadlineNS int64, lockedToThread bool) {
	remainingNS := deadlineNS - clockNS()
	graceNS := int64(timerNS)
	if lockedToThread {
		graceNS = spinNS
	}
	switch sleepNS := min(remainingNS-graceNS, napNS); {
	case sleepNS > 0 && lockedToThread:
		sleepThread(sleepNS)
	case sleepNS > 0:
		time.Sleep(time.Duration(sleepNS))
	case remainingNS > spinNS:
		runtime.Gosched()
	}
}
