package main

import (
	"math"
	"slices"
	"testing"
)

func TestHistogramErrsByLessThanAThousandth(t *testing.T) {
	for value := uint64(1); value < durationMaxNS; value += 1 + value/97 {
		block, bucket := bucketOf(value)
		got := middleOf(block, bucket)
		if math.Abs(float64(got)/float64(value)-1) > 0.001 {
			t.Fatalf("%d ns is kept as %d", value, got)
		}
		if value < exactBelow && got != value {
			t.Fatalf("%d ns is below %d but is kept as %d", value, exactBelow, got)
		}
		if b, i := bucketOf(got); b != block || i != bucket {
			t.Fatalf("%d stands for bucket %d of block %d, but falls into %d of %d", got, bucket, block, i, b)
		}
	}
}

func TestHistogramTakesTheExtremes(t *testing.T) {
	var h histogram
	for _, ns := range []int64{-5, 0, 1023, 1024, 2047, 2048, math.MaxInt64} {
		h.record(ns)
	}
	values := []uint64{}
	for _, pair := range h.counts() {
		values = append(values, pair[0])
	}
	if !slices.Equal(values[:5], []uint64{0, 1023, 1024, 2047, 2049}) || len(values) != 6 || h.max != math.MaxInt64 {
		t.Errorf("values %v, max %d", values, h.max)
	}
	if first := h.counts()[0]; first != [2]uint64{0, 2} {
		t.Errorf("a time before 0 and a time of 0 give %v", first)
	}
}

func TestHistogramsAddUp(t *testing.T) {
	var one, two histogram
	for ns := int64(1); ns < 1_000_000; ns += 13 {
		one.record(ns)
		two.record(3 * ns)
	}
	sum := func(h *histogram) (sum uint64) {
		for _, pair := range h.counts() {
			sum += pair[1]
		}
		return sum
	}
	want := sum(&one) + sum(&two)
	one.add(&two)
	if got := sum(&one); got != want || one.max != two.max {
		t.Errorf("%d values up to %d, expected %d up to %d", got, one.max, want, two.max)
	}
	if !slices.IsSortedFunc(one.counts(), func(a, b [2]uint64) int { return int(int64(a[0]) - int64(b[0])) }) {
		t.Error("the values do not rise")
	}
}
