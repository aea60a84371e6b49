//! Counts of lengths in the clock's own unit, for the path that every operation takes.
//!
//! The buckets are those of HdrHistogram: one for each length up to 2047 counts, then 1024 for each power of two, so
//! that a bucket is never wider than a thousandth of its values. But a record is an index and an increment: total,
//! smallest and largest follow from the counts, and the conversion to ns waits until the slices are over.

use std::cell::Cell;

use hdrhistogram::Histogram;
use impls::probe::Scale;

/// Lengths up to 2 to this power have buckets of their own.
const EXACT_BITS: u32 = 11;
/// Buckets of one power of two.
const OCTAVE: usize = 1 << (EXACT_BITS - 1);
/// Longer lengths, an hour at 9 GHz, share the last bucket.
const MAX_BITS: u32 = 45;
const BUCKETS: usize = (MAX_BITS - EXACT_BITS + 2) as usize * OCTAVE;

/// How often each length occurred.
#[derive(Debug)]
pub(super) struct Buckets {
    counts: Box<[Cell<u64>]>,
    /// A bit for each octave in which there are some: most of the memory is never looked at, and need not exist.
    used: Cell<u64>,
}

impl Buckets {
    /// Empty buckets, every page of which has been written once.
    pub(super) fn touched() -> Self {
        let counts: Box<[_]> = (0..BUCKETS).map(|_| Cell::new(1)).collect();
        std::hint::black_box(&counts).iter().for_each(|count| count.set(0));
        Buckets { counts, used: Cell::new(0) }
    }

    /// Empty buckets, of which only the pages in use take memory.
    pub(super) fn untouched() -> Self {
        // SAFETY: a cell of an integer is valid with all bytes zero.
        let counts = unsafe { Box::new_zeroed_slice(BUCKETS).assume_init() };
        Buckets { counts, used: Cell::new(0) }
    }

    #[inline(always)]
    pub(super) fn record(&self, length: u64) {
        let octave = octave(length);
        if let Some(count) = self.counts.get(index(length, octave)) {
            count.set(count.get() + 1);
            self.used.set(self.used.get() | 1 << octave);
        } else {
            self.record_longest();
        }
    }

    #[cold]
    #[inline(never)]
    fn record_longest(&self) {
        self.record((1 << MAX_BITS) - 1);
    }

    /// Buckets that count something, with their counts, from the shortest on.
    fn occupied(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> {
        let octaves = (0..=MAX_BITS - EXACT_BITS).filter(|octave| self.used.get() >> octave & 1 == 1);
        let buckets = octaves.flat_map(|octave| match octave as usize {
            0 => 0..2 * OCTAVE,
            octave => (octave + 1) * OCTAVE..(octave + 2) * OCTAVE,
        });
        buckets.map(|index| (index, self.counts[index].get())).filter(|(_, count)| *count > 0)
    }

    /// Adds everything to `histogram`, in ns: each length as the middle of its bucket.
    pub(super) fn add_to(&self, histogram: &mut Histogram<u64>, scale: Scale) {
        for (index, count) in self.occupied() {
            histogram.saturating_record_n(scale.ns(middle(index)), count);
        }
    }

    /// The longest length, as the middle of its bucket; 0 without any.
    pub(super) fn longest(&self) -> u64 {
        self.occupied().next_back().map_or(0, |(index, _)| middle(index))
    }
}

/// The power of two of a length, from the first that has no buckets of its own; 0 below that.
#[inline(always)]
fn octave(length: u64) -> u32 {
    u64::BITS - (length | ((1 << EXACT_BITS) - 1)).leading_zeros() - EXACT_BITS
}

#[inline(always)]
fn index(length: u64, octave: u32) -> usize {
    octave as usize * OCTAVE + (length >> octave) as usize
}

fn middle(index: usize) -> u64 {
    let octave = (index / OCTAVE).saturating_sub(1);
    let first = ((index - octave * OCTAVE) as u64) << octave;
    first + ((1 << octave) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lengths_are_exact_and_long_ones_within_a_thousandth() {
        for length in (0..5_000).chain((12..MAX_BITS).flat_map(|bits| [(1 << bits) - 1, 1 << bits])) {
            let found = middle(index(length, octave(length)));
            let allowed = if length < 1 << EXACT_BITS { 0 } else { length / 1_000 };
            assert!(found.abs_diff(length) <= allowed, "{length} became {found}");
        }
    }

    #[test]
    fn every_length_has_its_bucket_in_order() {
        let longest = (1 << MAX_BITS) - 1;
        assert_eq!(index(longest, octave(longest)), BUCKETS - 1);
        assert!((1..BUCKETS).all(|i| middle(i) > middle(i - 1)));
        let buckets = Buckets::touched();
        assert_eq!(buckets.longest(), 0);
        buckets.record(u64::MAX);
        buckets.record(700);
        assert_eq!(buckets.occupied().collect::<Vec<_>>(), [(700, 1), (BUCKETS - 1, 1)]);
        assert_eq!(buckets.longest(), middle(BUCKETS - 1));
        let mut histogram = crate::probe::touched_histogram();
        // Half a ns in a count.
        buckets.add_to(&mut histogram, Scale(1 << 31));
        assert_eq!((histogram.len(), histogram.min()), (2, 350));
    }
}
