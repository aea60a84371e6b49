// What the watches of all workers say together.
package main

// distributions are the times of each role that were recorded.
func distributions(spec *launchSpec, workers []*worker) []distribution {
	out := []distribution{}
	for role := range spec.Point.Roles {
		var wait, hold histogram
		for _, w := range workers {
			if w.role == role {
				wait.add(&w.watch.wait)
				hold.add(&w.watch.hold)
			}
		}
		add := func(metric string, h *histogram) {
			if pairs := h.counts(); len(pairs) > 0 {
				out = append(out, distribution{Metric: metric, Role: role, Values: values{Counts: pairs}})
			}
		}
		add("wait", &wait)
		add("hold", &hold)
	}
	return out
}

func profileOf(spec *launchSpec, workers []*worker, measured []*stage, slices []sliceResult) *profile {
	out := &profile{Probe: spec.Probe, Streaks: []uint64{}, Windows: []window{}, WaitNSMax: []uint64{}}
	var streaks [64]uint64
	for _, w := range workers {
		out.Counts.Acquires += w.watch.acquires
		out.Counts.OwnerChanges += w.watch.ownerChanges
		if len(w.watch.cpus) > 0 {
			if out.Counts.CoreChanges == nil {
				out.Counts.CoreChanges = new(uint64)
			}
			*out.Counts.CoreChanges += w.watch.coreChanges
		}
		for k, runs := range w.watch.streaks {
			streaks[k] += runs
		}
	}
	for _, s := range measured {
		for i := range s.guarded {
			// The last run of each lock was ended by nobody.
			if run := s.guarded[i].run; run > 0 {
				streaks[streakClass(run)]++
			}
		}
	}
	longest := len(streaks)
	for longest > 0 && streaks[longest-1] == 0 {
		longest--
	}
	out.Streaks = append(out.Streaks, streaks[:longest]...)
	if len(workers) <= matrixWorkersMax {
		out.HandOffsBetween = make([][]uint64, len(workers))
		for i := range workers {
			for _, next := range workers {
				out.HandOffsBetween[i] = append(out.HandOffsBetween[i], next.watch.after[i])
			}
		}
	}
	if spec.Probe != probeCount {
		out.WaitNSMax = make([]uint64, len(spec.Point.Roles))
		for _, w := range workers {
			out.WaitNSMax[w.role] = max(out.WaitNSMax[w.role], w.watch.wait.max)
		}
	}
	if spec.Probe == probeFull {
		out.Windows = windows(measured, slices)
	}
	return out
}

// windows is the mean of Jain's index over windows of 1, 2, 5, 10, ... ms, as long as one fits into a slice, and over
// the whole run. Windows lie side by side and whole within a slice.
func windows(measured []*stage, results []sliceResult) []window {
	out := []window{}
	for size := 1; ; size = nextSize(size) {
		sum, count := 0.0, 0
		for _, s := range measured {
			c := s.control
			spanNS := c.bordersNS[len(c.plan)].Load() - c.bordersNS[0].Load()
			for begin := 0; int64(begin+size)*binNS <= spanNS; begin += size {
				if index, busy := jain(opsBetween(s.reports, begin, begin+size)); busy {
					sum += index
					count++
				}
			}
		}
		if count == 0 {
			break
		}
		out = append(out, window{WindowNS: uint64(size) * binNS, JainMean: sum / float64(count)})
	}
	var spanNS uint64
	var total []uint64
	for _, slice := range results {
		startNS, endNS := slice.Workers[0].StartNS, slice.Workers[0].EndNS
		total = append(total, make([]uint64, len(slice.Workers)-len(total))...)
		for i, w := range slice.Workers {
			startNS, endNS = min(startNS, w.StartNS), max(endNS, w.EndNS)
			total[i] += w.Ops
		}
		spanNS += endNS - startNS
	}
	if index, busy := jain(total); busy {
		out = append(out, window{WindowNS: spanNS, JainMean: index})
	}
	return out
}

// nextSize goes through 1, 2, 5, 10, 20, 50, ...
func nextSize(size int) int {
	for power := 1; ; power *= 10 {
		for _, digit := range []int{1, 2, 5} {
			if digit*power > size {
				return digit * power
			}
		}
	}
}

func opsBetween(reports []report, begin, end int) []uint64 {
	ops := make([]uint64, len(reports))
	for i := range reports {
		bins := reports[i].bins
		for _, acquires := range bins[min(begin, len(bins)):min(end, len(bins))] {
			ops[i] += acquires
		}
	}
	return ops
}

// jain is Jain's fairness index: 1 when all get the same, 1/n when one gets everything; false when nobody gets anything.
func jain(shares []uint64) (float64, bool) {
	var sum, squares float64
	for _, x := range shares {
		sum += float64(x)
		squares += float64(x) * float64(x)
	}
	if squares == 0 {
		return 0, false
	}
	return sum * sum / (float64(len(shares)) * squares), true
}
