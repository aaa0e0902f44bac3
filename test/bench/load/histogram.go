package main

import "math/bits"

const (
	subBits    = 5 // 32 buckets an octave: 3 % wide at most
	subBuckets = 1 << subBits
)

// histogram of nanoseconds, in buckets of constant relative width.
type histogram struct {
	counts  [64 * subBuckets]uint64
	samples uint64
	max     int64
}

func (h *histogram) add(ns int64) {
	if ns < 0 {
		ns = 0
	}
	h.counts[bucket(uint64(ns))]++
	h.samples++
	h.max = max(h.max, ns)
}

func bucket(ns uint64) int {
	if ns < subBuckets {
		return int(ns)
	}
	octave := bits.Len64(ns) - subBits
	return octave<<subBits + int(ns>>(octave-1))&(subBuckets-1)
}

// upper is the first value beyond a bucket.
func upper(index int) int64 {
	if index < subBuckets {
		return int64(index) + 1
	}
	octave := index >> subBits
	return int64(subBuckets+index&(subBuckets-1)+1) << (octave - 1)
}

// percentile returns a value that the given share of all samples does not exceed.
func (h *histogram) percentile(share float64) int64 {
	wanted := uint64(share * float64(h.samples))
	var below uint64
	for index, count := range h.counts {
		below += count
		if count > 0 && below > wanted {
			return min(upper(index), h.max)
		}
	}
	return h.max
}

func (h *histogram) reset() { *h = histogram{} }
