// A histogram of times in ns whose buckets are those of HdrHistogram with three digits.
package main

import "math/bits"

const (
	// exactBelow is the first value that shares a bucket with another.
	exactBelow = 2048
	// blockSize buckets cover one power of two: each is at most 1/1024 of its values wide.
	blockSize = exactBelow / 2
	blocksMax = 64 - 10
)

// histogram counts values. Blocks come into being when first needed: most launches see a few powers of two only, and
// there are as many histograms as workers.
type histogram struct {
	blocks [blocksMax]*[blockSize]uint64
	max    uint64
}

func (h *histogram) record(ns int64) {
	value := uint64(max(ns, 0))
	h.max = max(h.max, value)
	block, bucket := bucketOf(value)
	if h.blocks[block] == nil {
		h.blocks[block] = new([blockSize]uint64)
	}
	h.blocks[block][bucket]++
}

// bucketOf finds the place of a value. Block 0 holds 0 to 1023, block b > 0 holds 1024 << (b-1) to (1024 << b) - 1.
func bucketOf(value uint64) (block, bucket int) {
	if value < blockSize {
		return 0, int(value)
	}
	block = bits.Len64(value) - bits.Len64(blockSize) + 1
	return block, int(value>>(block-1)) - blockSize
}

// middleOf is the value that stands for a bucket.
func middleOf(block, bucket int) uint64 {
	if block == 0 {
		return uint64(bucket)
	}
	width := uint64(1) << (block - 1)
	return uint64(blockSize+bucket)*width + width/2
}

// add takes over the counts of another histogram.
func (h *histogram) add(other *histogram) {
	h.max = max(h.max, other.max)
	for b, block := range other.blocks {
		if block == nil {
			continue
		}
		if h.blocks[b] == nil {
			h.blocks[b] = new([blockSize]uint64)
		}
		for i, count := range block {
			h.blocks[b][i] += count
		}
	}
}

// clear forgets the counts but keeps the memory.
func (h *histogram) clear() {
	h.max = 0
	for _, block := range h.blocks {
		if block != nil {
			clear(block[:])
		}
	}
}

// counts are pairs of a value in ns and how often it occurred, by rising value.
func (h *histogram) counts() [][2]uint64 {
	pairs := [][2]uint64{}
	for b, block := range h.blocks {
		if block == nil {
			continue
		}
		for i, count := range block {
			if count > 0 {
				pairs = append(pairs, [2]uint64{middleOf(b, i), count})
			}
		}
	}
	return pairs
}
