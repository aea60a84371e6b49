// A launch from its spec to its result.
package main

import (
	"math/rand/v2"
	"runtime"
	"sync"
)

// launch runs a spec that has passed its checks.
func launch(spec *launchSpec) (*launchResult, error) {
	implementation, err := spec.implementation()
	if err != nil {
		return nil, err
	}
	steady, err := planPhases(schedule{Kind: "steady"}, int64(spec.WarmupNS), spec.threads())
	if err != nil {
		return nil, err
	}
	plan, err := planPhases(spec.Point.Schedule, int64(spec.SliceNS), spec.threads())
	if err != nil {
		return nil, err
	}
	processors := processorsFor(runtime.GOMAXPROCS(0), spec.threads(), implementation.lockedToThreads)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	result := &launchResult{
		Protocol:       protocol,
		Implementation: implementation.id,
		Engine:         runtime.Version() + " " + implementation.engine,
		Clock:          clockName,
		Distributions:  []distribution{},
		Counters:       absentCounters(),
		UncontendedNS:  uncontendedNS(),
	}
	workers, err := startWorkers(spec, implementation.lockedToThreads)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(spec.Seed, 0))
	locks := int(spec.Point.Locks)
	var measured []*stage
	for slice := range int(spec.Slices) + 1 {
		s := newStage(steady, len(workers), locks, false, random)
		if slice > 0 {
			s = newStage(plan, len(workers), locks, true, random)
			measured = append(measured, s)
		}
		for _, w := range workers {
			w.nextStage <- s
		}
		s.control.conduct()
		s.done.Wait()
	}
	for _, w := range workers {
		close(w.nextStage)
	}
	for _, s := range measured {
		result.Slices = append(result.Slices, s.summary(workers))
	}
	if spec.Probe != probeOff {
		result.Distributions = distributions(spec, workers)
		result.Profile = profileOf(spec, workers, measured, result.Slices)
	}
	return result, nil
}

// processorsFor is how many goroutines the runtime may run at once. It lets no more run than there are cores, which is
// right for goroutines; but threads are the system's to schedule, all that want to run, and those of any other lock are.
// So each goroutine with a thread of its own gets a processor of the runtime's too.
func processorsFor(present, threads int, lockedToThreads bool) int {
	if lockedToThreads {
		return max(present, threads)
	}
	return present
}

// coresFor is how many workers can run at once.
func coresFor(cpus []int) int {
	cores := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if len(cpus) == 0 {
		return cores
	}
	distinct := map[int]bool{}
	for _, cpu := range cpus {
		distinct[cpu] = true
	}
	return min(cores, len(distinct))
}

// startWorkers starts a goroutine for each worker, which waits for its first stage.
func startWorkers(spec *launchSpec, lockedToThreads bool) ([]*worker, error) {
	calibrated := calibrate()
	crowded := spec.threads() > coresFor(spec.CPUs)
	var workers []*worker
	for roleIndex, role := range spec.Point.Roles {
		for range role.Threads {
			index := len(workers)
			random := rand.New(rand.NewPCG(spec.Seed, uint64(index)+1))
			w := &worker{
				index:          index,
				role:           roleIndex,
				lockedToThread: lockedToThreads,
				crowded:        crowded,
				closed:         spec.Point.Arrivals.closed(),
				think:          workTable(role.Think, calibrated, random),
				hold:           workTable(role.Hold, calibrated, random),
				pick:           newPickTable(spec.Point.Choice, int(spec.Point.Locks), random),
				pacer:          pacer{every: 1},
				watch:          newWatch(spec.Probe, spec.threads(), spec.CPUs, random),
				nextStage:      make(chan *stage),
			}
			if !w.closed {
				w.gaps = gapTable(spec.Point.Arrivals, random)
			}
			workers = append(workers, w)
		}
	}
	started := make(chan error, len(workers))
	for _, w := range workers {
		go w.live(spec.CPUs, started)
	}
	var failed error
	for range workers {
		if err := <-started; err != nil {
			failed = err
		}
	}
	return workers, failed
}

// live is a worker's goroutine, from its first slice to its last.
func (w *worker) live(cpus []int, started chan<- error) {
	if w.lockedToThread {
		// Never unlocked: the thread, and what was set for it, ends with the goroutine.
		runtime.LockOSThread()
		if len(cpus) > 0 {
			if err := pinThread(cpus[w.index%len(cpus)]); err != nil {
				started <- err
				return
			}
		}
		w.account = openAccount()
	}
	started <- nil
	for s := range w.nextStage {
		w.perform(s)
	}
}

// summary is what is reported about a slice.
func (s *stage) summary(workers []*worker) sliceResult {
	c := s.control
	out := sliceResult{}
	for i := range s.guarded {
		out.Observed += s.guarded[i].counter
	}
	// A slice lasts from the first sight of its first signal to the first sight of its end: who sees either later was in
	// an operation, which is counted where it ends.
	beginNS, endNS := s.reports[0].startNS, s.reports[0].endNS
	for i := range s.reports {
		beginNS, endNS = min(beginNS, s.reports[i].startNS), min(endNS, s.reports[i].endNS)
	}
	for i, w := range workers {
		report := &s.reports[i]
		out.Expected += report.total
		result := workerResult{
			Role:                w.role,
			StartNS:             uint64(beginNS),
			EndNS:               uint64(endNS),
			OpsAccounted:        report.total,
			CPUNS:               report.used.cpuNS,
			RunDelayNS:          report.used.runDelayNS,
			VoluntarySwitches:   report.used.voluntary,
			InvoluntarySwitches: report.used.involuntary,
		}
		for _, ops := range report.phaseOps {
			result.Ops += ops
		}
		out.Workers = append(out.Workers, result)
	}
	// One phase says nothing that the slice does not.
	if len(c.plan) == 1 {
		return out
	}
	for k, phase := range c.plan {
		result := phaseResult{
			BeginNS: uint64(c.bordersNS[k].Load()),
			EndNS:   uint64(c.bordersNS[k+1].Load()),
			Active:  uint32(phase.active),
			Stalled: phase.stalled,
		}
		for i := range workers {
			result.Ops = append(result.Ops, s.reports[i].phaseOps[k])
		}
		out.Phases = append(out.Phases, result)
	}
	return out
}

// uncontendedNS is the cost of lock and unlock without anybody else: the fastest of several short loops.
func uncontendedNS() float64 {
	const (
		loops = 12
		// A loop must take so long that a clock read does not matter.
		loopNS = 30_000
	)
	mutex := new(sync.Mutex)
	timed := func(rounds int) int64 {
		startNS := clockNS()
		for range rounds {
			mutex.Lock()
			mutex.Unlock()
		}
		return clockNS() - startNS
	}
	rounds := 16
	for timed(rounds) < loopNS && rounds < 1<<20 {
		rounds *= 2
	}
	fastestNS := timed(rounds)
	for range loops - 1 {
		fastestNS = min(fastestNS, timed(rounds))
	}
	return float64(fastestNS) / float64(rounds)
}
