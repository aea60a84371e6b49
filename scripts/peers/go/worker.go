// One worker: the measured loops.
package main

import (
	"math/rand/v2"
	"sync"
	"unsafe"
)

// lock is a mutex on a line of its own.
type lock struct {
	mutex sync.Mutex
	_     [lineBytes - unsafe.Sizeof(sync.Mutex{})]byte
}

// guarded is what a mutex guards, on a line of its own.
type guarded struct {
	// counter is raised by a plain load and store: a lock that fails to exclude loses counts.
	counter uint64
	// owner is the last worker, plus one; 0 for none. It and run are kept only while someone watches.
	owner uint32
	// run is the number of acquires that the owner has made in a row.
	run uint64
	_   [lineBytes - 24]byte
}

// stage is the objects of one slice.
type stage struct {
	control *control
	// What locks[i] guards is guarded[i]. Not side by side: processors fetch the lines of a pair together, and no lock here
	// is to be paid for lying beside its data.
	locks   []lock
	guarded []guarded
	// whether the slice is measured, so that watching begins.
	measured bool
	reports  []report
	done     sync.WaitGroup
}

// newStage allocates its mutexes and what they guard anew, at random offsets.
func newStage(plan []phasePlan, workers, locks int, measured bool, random *rand.Rand) *stage {
	s := &stage{
		control:  newControl(plan, workers),
		locks:    placed[lock](locks, random),
		guarded:  placed[guarded](locks, random),
		measured: measured,
		reports:  make([]report, workers),
	}
	s.done.Add(workers)
	return s
}

// placed allocates n lines at a random offset.
func placed[T any](n int, random *rand.Rand) []T {
	// At least 64 KiB: the runtime gives such an allocation pages of its own, so that every element begins a line.
	const spread = 1024
	return make([]T, n+spread)[random.IntN(spread):][:n]
}

// report is what one worker brings back from one slice.
type report struct {
	startNS, endNS int64
	// phaseOps are the operations of each phase: those that acquired in it.
	phaseOps []uint64
	// total are all operations, the unmeasured ones included.
	total uint64
	used  usage
	// bins are the acquires of each binNS from the begin of the first phase; full timing only.
	bins []uint64
}

// worker is one goroutine.
type worker struct {
	index, role    int
	lockedToThread bool
	// crowded: there are more workers than cores.
	crowded bool
	account account
	// closed: an operation begins when the one before is done and thought over, not at a time of its own.
	closed            bool
	think, hold, gaps *lengthTable
	pick              *pickTable
	// at is the number of operations so far: the place in all tables.
	at              uint
	pacer           pacer
	chain           chain
	watch           *watch
	nextStage       chan *stage
	intendedStartNS int64
	// Keeps the next worker off this one's last line.
	_ [lineBytes]byte
}

// perform takes part in one slice.
func (w *worker) perform(s *stage) {
	defer s.done.Done()
	c := s.control
	out := report{phaseOps: make([]uint64, len(c.plan))}
	c.arrive(w.crowded)
	var before usage
	if w.lockedToThread {
		before = w.account.read()
	}
	c.runOnce()
	signal := uint32(signalOpen)
	for signal != signalStop {
		done := w.follow(s, signal, &out)
		// The last operation waited, as a rule, until after the signal had changed: it belongs to what comes next.
		late := min(done, 1)
		if signal == signalOpen {
			out.startNS = clockNS()
		} else {
			out.phaseOps[signal-signalFirst] += done - late
		}
		signal = c.signal.Load()
		if signal != signalStop {
			out.phaseOps[signal-signalFirst] += late
		}
	}
	out.endNS = clockNS()
	if w.lockedToThread {
		out.used = w.account.read().since(before)
	}
	if w.watch != nil {
		out.bins, w.watch.bins = w.watch.bins, nil
	}
	publish(w.chain.x)
	s.reports[w.index] = out
}

// follow does what a signal says until there is another, and returns the number of operations.
func (w *worker) follow(s *stage, signal uint32, out *report) uint64 {
	phase := s.control.phase(signal)
	var watch *watch
	if s.measured && w.watch != nil {
		// Counts cover the same operations as the scheduler's account does: those before the first phase too.
		watch = w.watch
		watch.beginNS = s.control.bordersNS[0].Load()
	}
	if phase != nil && w.index >= phase.active {
		<-s.control.changed[signal]
		return 0
	}
	if phase != nil && phase.stalled && w.index == 0 {
		w.stall(s, signal, watch)
		out.total++
	}
	var done uint64
	if w.closed && watch == nil {
		done = w.operateClosed(s, signal)
	} else {
		done = w.operateWatched(s, signal, watch)
	}
	out.total += done
	return done
}

// operateClosed is the closed loop that nobody watches, whose rate is ranked: it holds nothing but the operation.
func (w *worker) operateClosed(s *stage, signal uint32) uint64 {
	c, locks, data := s.control, s.locks, s.guarded
	think, hold, pick := w.think, w.hold, w.pick
	first, left := w.at, w.pacer.left
	l, at, op := &locks[0], &data[0], first
	for ; c.signal.Load() == signal; op++ {
		if steps := think[op%strata]; steps > 0 {
			w.chain.work(steps)
		}
		if pick != nil {
			i := pick[op%choices]
			l, at = &locks[i], &data[i]
		}
		l.mutex.Lock()
		at.counter++
		if steps := hold[op%strata]; steps > 0 {
			w.chain.work(steps)
		}
		l.mutex.Unlock()
		if left--; left <= 0 {
			w.pacer.look(c)
			left = w.pacer.left
		}
	}
	w.pacer.left, w.at = left, op
	return uint64(op - first)
}

// operateWatched is every other loop: open, or with a watch, which may be nil.
func (w *worker) operateWatched(s *stage, signal uint32, watch *watch) uint64 {
	c := s.control
	first := w.at
	w.intendedStartNS = 0
	l, at := &s.locks[0], &s.guarded[0]
	for ; c.signal.Load() == signal; w.at++ {
		if w.closed {
			w.chain.work(w.think[w.at%strata])
		} else if !w.awaitArrival(c, signal) {
			break
		}
		if w.pick != nil {
			i := w.pick[w.at%choices]
			l, at = &s.locks[i], &s.guarded[i]
		}
		var askedNS, acquiredNS, releasingNS int64
		timed := watch.due()
		if timed {
			askedNS = w.intendedStartNS
			if w.closed {
				askedNS = clockNS()
			}
		}
		l.mutex.Lock()
		if timed {
			acquiredNS = clockNS()
		}
		at.counter++
		watch.own(at, w.index)
		w.chain.work(w.hold[w.at%strata])
		if timed {
			releasingNS = clockNS()
		}
		l.mutex.Unlock()
		if timed {
			watch.record(askedNS, acquiredNS, releasingNS)
		}
		if w.pacer.left--; w.pacer.left <= 0 {
			w.pacer.look(c)
		}
	}
	return uint64(w.at - first)
}

// awaitArrival waits for the next intended start. It returns false if the phase ends first.
func (w *worker) awaitArrival(c *control, signal uint32) bool {
	if w.intendedStartNS == 0 {
		// The first arrival of a phase counts from the moment at which the worker entered it.
		w.intendedStartNS = clockNS()
	}
	w.intendedStartNS += int64(w.gaps[w.at%strata])
	for {
		nowNS := clockNS()
		if nowNS >= w.intendedStartNS {
			return true
		}
		c.advance(nowNS)
		if c.signal.Load() != signal {
			return false
		}
		nap(w.intendedStartNS, w.lockedToThread)
	}
}

// stall takes the first lock and sleeps with it, as the phase of the signal asks for.
func (w *worker) stall(s *stage, signal uint32, watch *watch) {
	c, l, at := s.control, &s.locks[0], &s.guarded[0]
	askedNS := clockNS()
	l.mutex.Lock()
	acquiredNS := clockNS()
	at.counter++
	watch.own(at, w.index)
	if c.stall(signal, acquiredNS) {
		for endNS := c.endNS(signal); clockNS() < endNS; {
			nap(endNS, w.lockedToThread)
		}
	}
	releasingNS := clockNS()
	// The next phase begins before the lock is free, so that what recovers belongs to it.
	c.advance(releasingNS)
	l.mutex.Unlock()
	if watch.timesAll() {
		watch.record(askedNS, acquiredNS, releasingNS)
	}
}
