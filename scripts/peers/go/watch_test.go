package main

import (
	"math"
	"slices"
	"testing"
)

func TestWatchTellsWhoFollowedWhom(t *testing.T) {
	watches := []*watch{newWatch(probeCount, 2, []int{4, 5}, seeded(1)), newWatch(probeCount, 2, []int{4, 5}, seeded(2))}
	var at guarded
	for _, worker := range []int{0, 0, 0, 1, 0, 1, 1} {
		watches[worker].own(&at, worker)
	}
	if zero, one := watches[0], watches[1]; zero.acquires != 4 || one.acquires != 3 ||
		!slices.Equal(zero.after, []uint64{2, 1}) || !slices.Equal(one.after, []uint64{2, 1}) ||
		zero.ownerChanges+one.ownerChanges != 3 || zero.coreChanges+one.coreChanges != 3 {
		t.Errorf("%+v\n%+v", zero, one)
	}
	// 0 had it three times in a row, then 1 and 0 once; the last run of two has not ended.
	var streaks [64]uint64
	for _, w := range watches {
		for k, runs := range w.streaks {
			streaks[k] += runs
		}
	}
	if streaks[0] != 2 || streaks[1] != 1 || at.run != 2 {
		t.Errorf("streaks %v, current run %d", streaks[:4], at.run)
	}
}

func TestSamplingTimesOneIn64(t *testing.T) {
	const acquires = 640_000
	w := newWatch(probeSample, 1, nil, seeded(5))
	timed, remainders := 0, map[int]bool{}
	for i := range acquires {
		if w.due() {
			timed++
			remainders[i%strata] = true
		}
	}
	if math.Abs(float64(timed)*samplingPeriod/acquires-1) > 0.05 {
		t.Errorf("%d of %d acquires were timed", timed, acquires)
	}
	if len(remainders) != strata {
		t.Errorf("only %d of %d entries of a table were ever timed", len(remainders), strata)
	}
	var nobody *watch
	if nobody.due() || nobody.timesAll() || newWatch(probeCount, 1, nil, seeded(1)).due() {
		t.Error("timed without need")
	}
}

func TestJain(t *testing.T) {
	for _, test := range []struct {
		shares []uint64
		want   float64
	}{{[]uint64{5, 5, 5, 5}, 1}, {[]uint64{9, 0, 0, 0}, 0.25}, {[]uint64{3, 1}, 0.8}} {
		if got, busy := jain(test.shares); !busy || math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%v: %v, expected %v", test.shares, got, test.want)
		}
	}
	if _, busy := jain([]uint64{0, 0}); busy {
		t.Error("an index without an operation")
	}
	sizes := []int{1}
	for len(sizes) < 7 {
		sizes = append(sizes, nextSize(sizes[len(sizes)-1]))
	}
	if !slices.Equal(sizes, []int{1, 2, 5, 10, 20, 50, 100}) {
		t.Errorf("window sizes %v", sizes)
	}
}
