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

// table is walked through for ever. Its size is a power of two, so that the index wraps by a mask.
type table struct {
	entries []uint64
	at      int
}

func (t *table) next() uint64 {
	entry := t.entries[t.at&(len(t.entries)-1)]
	t.at++
	return entry
}

// newTable draws a table of `size` entries from the quantiles of a distribution.
func newTable(size int, quantile func(p float64) uint64, random *rand.Rand) table {
	t := table{entries: make([]uint64, size)}
	for k := range t.entries {
		t.entries[k] = quantile((float64(k) + 0.5) / float64(size))
	}
	random.Shuffle(size, func(i, j int) { t.entries[i], t.entries[j] = t.entries[j], t.entries[i] })
	return t
}

// workTable holds lengths in steps of the chain.
func workTable(l lengths, c calibration, random *rand.Rand) table {
	return newTable(strata, func(p float64) uint64 { return c.steps(l.quantileNS(p)) }, random)
}

// gapTable holds the time in ns from one intended start to the next.
func gapTable(a arrivals, random *rand.Rand) table {
	meanNS := 1e9 / a.PerThreadPerS
	gapNS := func(p float64) uint64 {
		if a.Kind == "poisson" {
			return uint64(exponentialQuantile(meanNS, p))
		}
		return uint64(meanNS)
	}
	return newTable(strata, gapNS, random)
}

// pickTable holds indices of locks.
func pickTable(c choice, locks int, random *rand.Rand) table {
	if locks == 1 {
		return table{entries: []uint64{0}}
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
	pick := func(p float64) uint64 {
		for reached[lock] < p*total && lock+1 < locks {
			lock++
		}
		return uint64(lock)
	}
	return newTable(choices, pick, random)
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
