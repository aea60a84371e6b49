// What the workers of a slice tell each other: arrive, open, phase after phase, stop.
//
// One word says what to do. Workers read it once an operation, from a line that is written a few times a slice. A timer
// alone would change it late: on busy processors the runtime looks at timers only when it switches goroutines, which
// takes up to 10 ms. So workers look at the clock now and then too, and whoever sees first that a phase is over ends it.
package main

import (
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// signalClosed: nobody works yet.
	signalClosed = 0
	// signalOpen: workers work, unmeasured, until all of them have run.
	signalOpen = 1
	// signalFirst is the first measured phase; the k-th is signalFirst + k.
	signalFirst = 2
	// signalStop: the slice is over.
	signalStop = math.MaxUint32

	// openNSMax is how long a slice waits for workers that have not run yet, and a stall for its holder.
	openNSMax = 1_000_000_000
	lineBytes = 64
)

// phasePlan is one stretch of a schedule.
type phasePlan struct {
	// Workers below this index are active.
	active   int
	lengthNS int64
	// Whether worker 0 stops in it while it holds.
	stalled bool
}

// planPhases cuts a slice into phases.
func planPhases(s schedule, sliceNS int64, threads int) ([]phasePlan, error) {
	all := func(lengthNS int64) phasePlan { return phasePlan{active: threads, lengthNS: lengthNS} }
	longest := max(s.OnNS, s.OffNS, s.StallNS, s.PhaseNS)
	if longest > durationMaxNS {
		return nil, fmt.Errorf("schedule %s: %d ns is longer than an hour", s.Kind, longest)
	}
	var plan []phasePlan
	switch s.Kind {
	case "ramp":
		if len(s.Active) == 0 || len(s.Active) > phasesMax {
			return nil, fmt.Errorf("schedule ramp: %d phases; expected 1 to %d", len(s.Active), phasesMax)
		}
		for _, active := range s.Active {
			plan = append(plan, phasePlan{active: min(int(active), threads), lengthNS: sliceNS / int64(len(s.Active))})
		}
	case "bursts":
		if s.OnNS == 0 {
			return nil, fmt.Errorf("schedule bursts: on_ns is 0: nobody would ever work")
		}
		rounds := min(max(sliceNS/int64(s.OnNS+s.OffNS), 1), phasesMax/2)
		for range rounds {
			plan = append(plan, all(int64(s.OnNS)), phasePlan{lengthNS: int64(s.OffNS)})
		}
	case "stall":
		if s.PhaseNS == 0 {
			return nil, fmt.Errorf("schedule stall: phase_ns is 0; expected the length of the phases around the stall")
		}
		around := min(max((sliceNS-int64(s.StallNS))/2/int64(s.PhaseNS), 1), phasesMax/2)
		for k := range 2*around + 1 {
			if k == around {
				plan = append(plan, phasePlan{active: threads, lengthNS: int64(s.StallNS), stalled: true})
			} else {
				plan = append(plan, all(int64(s.PhaseNS)))
			}
		}
	default:
		plan = append(plan, all(sliceNS))
	}
	return plan, nil
}

// control holds the words of one slice.
type control struct {
	_      [lineBytes]byte
	signal atomic.Uint32
	_      [lineBytes]byte

	arrived, ran atomic.Int32
	workers      int32
	plan         []phasePlan
	openedNS     atomic.Int64
	// When the holder that stops will go on; 0 until it holds.
	stallEndNS atomic.Int64
	// When each phase began, and when the last ended; 0 until then.
	bordersNS []atomic.Int64
	// changed[s] is closed when signal s is over.
	changed []chan struct{}
}

func newControl(plan []phasePlan, workers int) *control {
	c := &control{workers: int32(workers), plan: plan, bordersNS: make([]atomic.Int64, len(plan)+1)}
	for range signalFirst + len(plan) {
		c.changed = append(c.changed, make(chan struct{}))
	}
	return c
}

// phase is the phase that a signal stands for; nil while the slice opens and after it.
func (c *control) phase(signal uint32) *phasePlan {
	if signal < signalFirst || signal == signalStop {
		return nil
	}
	return &c.plan[signal-signalFirst]
}

// endNS is when a signal is to be over at the latest.
func (c *control) endNS(signal uint32) int64 {
	if signal == signalOpen {
		return c.openedNS.Load() + openNSMax
	}
	phase := c.phase(signal)
	endNS := c.bordersNS[signal-signalFirst].Load() + phase.lengthNS
	if phase.stalled {
		// Counted from the moment at which worker 0 holds: it may have to wait for a core and for the lock first.
		if stallEndNS := c.stallEndNS.Load(); stallEndNS != 0 {
			return stallEndNS
		}
		return endNS + openNSMax
	}
	return endNS
}

// stall notes that the holder of the phase of `signal` stops now. False if the phase is over.
func (c *control) stall(signal uint32, nowNS int64) bool {
	c.stallEndNS.Store(nowNS + c.phase(signal).lengthNS)
	return c.signal.Load() == signal
}

// end goes from one signal to the next, if nobody else has done so.
func (c *control) end(signal uint32, nowNS int64) {
	next := signal + 1
	// The time is written before the signal, so that whoever sees the signal finds it; the first to write wins.
	if signal == signalClosed {
		c.openedNS.CompareAndSwap(0, nowNS)
	} else {
		c.bordersNS[next-signalFirst].CompareAndSwap(0, nowNS)
	}
	if int(next) == signalFirst+len(c.plan) {
		next = signalStop
	}
	if c.signal.CompareAndSwap(signal, next) {
		close(c.changed[signal])
	}
}

// advance ends the signals that are over by now.
func (c *control) advance(nowNS int64) {
	for {
		signal := c.signal.Load()
		if signal == signalClosed || signal == signalStop || nowNS < c.endNS(signal) {
			return
		}
		c.end(signal, nowNS)
	}
}

// arrive says that a worker is ready, and returns when all are.
func (c *control) arrive(crowded bool) {
	if c.arrived.Add(1) == c.workers {
		c.end(signalClosed, clockNS())
		return
	}
	if crowded {
		<-c.changed[signalClosed]
		return
	}
	// Polling, all begin within a fraction of a us. The processor is given away now and then for those to come.
	for polls := 1; c.signal.Load() == signalClosed; polls++ {
		if polls%2000 == 0 {
			runtime.Gosched()
		}
	}
}

// runOnce says that a worker has begun to work. The last one starts the measurement.
func (c *control) runOnce() {
	if c.ran.Add(1) == c.workers {
		c.end(signalOpen, clockNS())
	}
}

// conduct sees to it that every signal ends in time, and returns when the slice is over.
func (c *control) conduct() {
	<-c.changed[signalClosed]
	for {
		signal := c.signal.Load()
		if signal == signalStop {
			return
		}
		endNS := c.endNS(signal)
		if phase := c.phase(signal); phase != nil && phase.active == 0 {
			// There is nobody to disturb, and nobody else to look at the clock.
			for clockNS() < endNS {
				nap(endNS, false)
			}
		}
		timer := time.NewTimer(time.Duration(endNS - clockNS()))
		select {
		case <-c.changed[signal]:
		case <-timer.C:
		}
		timer.Stop()
		c.advance(clockNS())
	}
}

// pacer tells a worker when to look at the clock: about every pacerNS, at the cost of a countdown.
type pacer struct {
	left, every int
	lastNS      int64
}

const (
	pacerNS       = 20_000
	pacerEveryMax = 1024
)

// look reads the clock for everybody and sets the countdown anew.
func (p *pacer) look(c *control) {
	nowNS := clockNS()
	switch elapsedNS := nowNS - p.lastNS; {
	case elapsedNS > 2*pacerNS:
		p.every = max(p.every/2, 1)
	case elapsedNS < pacerNS:
		p.every = min(p.every*2, pacerEveryMax)
	}
	p.lastNS, p.left = nowNS, p.every
	c.advance(nowNS)
}
