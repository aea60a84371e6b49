package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func seeded(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 1))
}

func mean(entries *lengthTable) float64 {
	sum := 0.0
	for _, entry := range entries {
		sum += float64(entry)
	}
	return sum / float64(len(entries))
}

func TestTablesHaveTheMeanOfTheirDistribution(t *testing.T) {
	// A step for each ns, so that entries are ns.
	oneStepPerNS := calibration{stepsPerMS: 1_000_000}
	for _, test := range []struct {
		lengths lengths
		want    float64
	}{
		{lengths{Kind: "constant", NS: 500}, 500},
		{lengths{Kind: "uniform", MinNS: 100, MaxNS: 900}, 500},
		{lengths{Kind: "exponential", MeanNS: 500}, 500},
		{lengths{Kind: "bimodal", ShortNS: 100, LongNS: 10_000, LongShare: 0.0625}, 718.75},
	} {
		table := workTable(test.lengths, oneStepPerNS, seeded(7))
		if got := mean(table); math.Abs(got/test.want-1) > 0.01 {
			t.Errorf("%s: mean %v, expected %v", test.lengths.Kind, got, test.want)
		}
	}
	for _, kind := range []string{"fixed", "poisson"} {
		table := gapTable(arrivals{Kind: kind, PerThreadPerS: 20_000}, seeded(7))
		if got := mean(table); math.Abs(got/50_000-1) > 0.01 {
			t.Errorf("%s arrivals: mean gap %v ns, expected 50000", kind, got)
		}
	}
}

func TestExponentialTableHasTheQuantiles(t *testing.T) {
	table := gapTable(arrivals{Kind: "poisson", PerThreadPerS: 1000}, seeded(1))
	slices.Sort(table[:])
	median, last := float64(table[strata/2]), float64(table[strata-1])
	if want := 1e6 * math.Ln2; math.Abs(median/want-1) > 0.01 {
		t.Errorf("median %v, expected %v", median, want)
	}
	if want := 1e6 * math.Log(2*strata); math.Abs(last/want-1) > 0.001 {
		t.Errorf("longest %v, expected %v", last, want)
	}
}

func TestSeedsChangeTheOrderAndNothingElse(t *testing.T) {
	draw := func(seed uint64) []uint64 {
		return workTable(lengths{Kind: "uniform", MaxNS: 10_000}, calibration{stepsPerMS: 1_000_000}, seeded(seed))[:]
	}
	one, two := draw(1), draw(2)
	if !slices.Equal(one, draw(1)) {
		t.Error("one seed gave two orders")
	}
	if slices.Equal(one, two) {
		t.Error("two seeds gave one order")
	}
	slices.Sort(one)
	slices.Sort(two)
	if !slices.Equal(one, two) {
		t.Error("two seeds gave different lengths")
	}
}

func TestZipfPrefersTheFirstAndUniformNobody(t *testing.T) {
	const locks = 64
	picks := func(c choice) [locks]int {
		var picks [locks]int
		for _, lock := range newPickTable(c, locks, seeded(3)) {
			picks[lock]++
		}
		return picks
	}
	for lock, count := range picks(choice{Kind: "uniform"}) {
		if count != choices/locks {
			t.Errorf("uniform: lock %d has %d picks, expected %d", lock, count, choices/locks)
		}
	}
	const exponent = 0.99
	total := 0.0
	for k := range locks {
		total += math.Pow(float64(k+1), -exponent)
	}
	for lock, count := range picks(choice{Kind: "zipf", Exponent: exponent}) {
		want := choices * math.Pow(float64(lock+1), -exponent) / total
		if math.Abs(float64(count)-want) > 1 {
			t.Errorf("zipf: lock %d has %d picks, expected %.1f", lock, count, want)
		}
	}
}
