package main

import (
	"testing"
	"unsafe"
)

func TestSchedulesFillTheSlice(t *testing.T) {
	const sliceNS = 100_000_000
	for _, s := range []schedule{
		{Kind: "steady"},
		{Kind: "ramp", Active: []uint32{1, 2, 4, 8, 4, 2, 1, 1}},
		{Kind: "bursts", OnNS: 5_000_000, OffNS: 5_000_000},
		{Kind: "stall", StallNS: 10_000_000, PhaseNS: 1_000_000},
	} {
		plan, err := planPhases(s, sliceNS, 8)
		if err != nil {
			t.Fatal(err)
		}
		total, stalled := int64(0), 0
		for _, phase := range plan {
			total += phase.lengthNS
			if phase.stalled {
				stalled++
			}
			if phase.active > 8 {
				t.Errorf("%s: %d of 8 workers active", s.Kind, phase.active)
			}
		}
		if total != sliceNS || (stalled == 1) != (s.Kind == "stall") {
			t.Errorf("%s: %d ns in all, %d stalled phases", s.Kind, total, stalled)
		}
	}
}

func TestSignalsGoForwardOnceAndInTime(t *testing.T) {
	plan := []phasePlan{{active: 1, lengthNS: 100}, {active: 1, lengthNS: 50}}
	c := newControl(plan, 1)
	c.advance(1_000)
	if signal := c.signal.Load(); signal != signalClosed {
		t.Fatalf("signal %d before anybody has arrived", signal)
	}
	c.end(signalClosed, 1_000)
	c.end(signalClosed, 1_001)
	c.advance(1_000 + openNSMax - 1)
	if signal := c.signal.Load(); signal != signalOpen {
		t.Fatalf("signal %d while workers may still come", signal)
	}
	c.end(signalOpen, 2_000)
	for _, step := range []struct {
		nowNS int64
		want  uint32
	}{{2_099, signalFirst}, {2_105, signalFirst + 1}, {2_154, signalFirst + 1}, {2_155, signalStop}, {9_000, signalStop}} {
		c.advance(step.nowNS)
		if signal := c.signal.Load(); signal != step.want {
			t.Fatalf("signal %d at %d, expected %d", signal, step.nowNS, step.want)
		}
	}
	for k, want := range []int64{2_000, 2_105, 2_155} {
		if got := c.bordersNS[k].Load(); got != want {
			t.Errorf("border %d at %d, expected %d", k, got, want)
		}
	}
}

func TestASliceOpensWithoutThoseWhoDoNotCome(t *testing.T) {
	c := newControl([]phasePlan{{active: 2, lengthNS: 100}}, 2)
	c.end(signalClosed, 1_000)
	c.advance(1_000 + openNSMax)
	if signal := c.signal.Load(); signal != signalFirst {
		t.Errorf("signal %d after the longest wait", signal)
	}
}

func TestAStallCountsFromTheHold(t *testing.T) {
	c := newControl([]phasePlan{{active: 2, lengthNS: 100, stalled: true}}, 2)
	c.end(signalClosed, 1_000)
	c.end(signalOpen, 2_000)
	c.advance(2_500)
	if signal := c.signal.Load(); signal != signalFirst {
		t.Fatalf("signal %d before the holder has stopped", signal)
	}
	if !c.stall(signalFirst, 2_600) {
		t.Fatal("the holder comes too late")
	}
	c.advance(2_699)
	if signal := c.signal.Load(); signal != signalFirst {
		t.Fatalf("signal %d while the holder stands still", signal)
	}
	c.advance(2_700)
	if signal := c.signal.Load(); signal != signalStop || c.stall(signalFirst, 2_800) {
		t.Errorf("signal %d after the stall", signal)
	}
}

func TestEveryMutexBeginsALine(t *testing.T) {
	if locks, data := unsafe.Sizeof(lock{}), unsafe.Sizeof(guarded{}); locks != lineBytes || data != lineBytes {
		t.Fatalf("a lock has %d bytes, what it guards %d", locks, data)
	}
	plan := []phasePlan{{}}
	offsets := map[uintptr]bool{}
	for seed := range uint64(20) {
		s := newStage(plan, 1, 3, true, seeded(seed))
		for i := range s.locks {
			mutex, counter := uintptr(unsafe.Pointer(&s.locks[i].mutex)), uintptr(unsafe.Pointer(&s.guarded[i].counter))
			if mutex%lineBytes != 0 || counter%lineBytes != 0 {
				t.Fatalf("mutex at %#x, counter at %#x", mutex, counter)
			}
			offsets[mutex%4096] = true
		}
	}
	if len(offsets) < 10 {
		t.Errorf("only %d offsets in 20 slices", len(offsets))
	}
}
