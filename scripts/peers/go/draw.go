// Draws: lengths of work, gaps between arrivals, and which lock.
//
// A worker walks through a table that was drawn before the measurement: one quantile from each equal slice of the
// distribution, in an order shuffled by the seed. Every launch does the same work, and a draw costs one load.
package main

import (
	"math"
	"math/rand/v2"
)

const (
	// strata is the number of entries of a table for lengths; a power of two.
	strata = 512
	// choices is the number of entries of a table for locks; a power of two.
	choices = 4096
)

// newTable draws a table of `size` entries from the quantiles of a distribution.
func newTable[T uint32 | uint64](size int, quantile func(p float64) T, random *rand.Rand) []T {
	entries := make([]T, size)
	for k := range entries {
		entries[k] = quantile((float64(k) + 0.5) / float64(size))
	}
	random.Shuffle(size, func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	return entries
}

// lengthTable holds one length for each stratum. The size is part of the type, so that a masked index needs no check.
type lengthTable [strata]uint64

// pickTable holds indices of locks.
type pickTable [choices]uint32

// workTable holds lengths in steps of the chain.
func workTable(l lengths, c calibration, random *rand.Rand) *lengthTable {
	steps := func(p float64) uint64 { return c.steps(l.quantileNS(p)) }
	return (*lengthTable)(newTable(strata, steps, random))
}

// gapTable holds the time in ns from one intended start to the next.
func gapTable(a arrivals, random *rand.Rand) *lengthTable {
	meanNS := 1e9 / a.PerThreadPerS
	gapNS := func(p float64) uint64 {
		if a.Kind == "poisson" {
			return uint64(exponentialQuantile(meanNS, p))
		}
		return uint64(meanNS)
	}
	return (*lengthTable)(newTable(strata, gapNS, random))
}

// newPickTable is nil for a single lock, of which there is no choice.
func newPickTable(c choice, locks int, random *rand.Rand) *pickTable {
	if locks == 1 {
		return nil
	}
	// reached[k] is the weight of the locks 0 to k.
	reached := make([]float64, locks)
	total := 0.0
	for k := range reached {
		// With the exponent 0 of the uniform choice every weight is 1.
		total += math.Pow(float64(k+1), -c.Exponent)
		reached[k] = total
	}
	lock := 0
	// The quantiles are asked for by rising p, so that one walk through the weights serves all.
	pick := func(p float64) uint32 {
		for reached[lock] < p*total && lock+1 < locks {
			lock++
		}
		return uint32(lock)
	}
	return (*pickTable)(newTable(choices, pick, random))
}

// quantileNS is the length below which a share `p` of all lengths lies.
func (l lengths) quantileNS(p float64) float64 {
	switch l.Kind {
	case "uniform":
		return float64(l.MinNS) + p*float64(l.MaxNS-l.MinNS)
	case "exponential":
		return exponentialQuantile(float64(l.MeanNS), p)
	case "bimodal":
		if p < 1-l.LongShare {
			return float64(l.ShortNS)
		}
		return float64(l.LongNS)
	default:
		return float64(l.NS)
	}
}

func exponentialQuantile(mean, p float64) float64 {
	return -mean * math.Log1p(-p)
}
