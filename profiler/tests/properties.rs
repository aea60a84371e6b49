//! Properties that hold for every input: fairness, merging, sweeping, binning.

use hdrhistogram::Histogram;
use profiler::fairness::jain;
use profiler::timeline::{BIN_NS, Bins, most_at_once, waiters_over_time};
use proptest::prelude::*;

/// The same question, answered by looking at every moment at which an interval begins.
fn most_by_hand(intervals: &[(u64, u64)]) -> u32 {
    let covers = |&(begin, end): &(u64, u64), at: u64| begin <= at && at < end;
    let at = |moment: u64| intervals.iter().filter(|interval| covers(interval, moment)).count() as u32;
    intervals.iter().map(|&(begin, _)| at(begin)).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn jain_lies_between_one_nth_and_one(shares in prop::collection::vec(0_u64..1_000_000, 1..20)) {
        match jain(&shares) {
            None => prop_assert!(shares.iter().all(|&share| share == 0)),
            Some(index) => {
                let n = shares.len() as f64;
                prop_assert!(index >= 1.0 / n - 1e-9 && index <= 1.0 + 1e-9, "{index}");
            }
        }
    }

    #[test]
    fn jain_does_not_care_about_order_or_scale(
        shares in prop::collection::vec(1_u64..1_000_000, 1..20),
        by in 0_usize..20,
        scale in 1_u64..1000,
    ) {
        let mut turned = shares.clone();
        turned.rotate_left(by % shares.len());
        turned.reverse();
        turned.iter_mut().for_each(|share| *share *= scale);
        let (one, two) = (jain(&shares).unwrap(), jain(&turned).unwrap());
        prop_assert!((one - two).abs() < 1e-9, "{one} {two}");
    }

    #[test]
    fn merged_histograms_hold_every_value(values in prop::collection::vec(1_u64..10_000_000_000, 0..200), cut in 0_usize..200) {
        let record = |values: &[u64]| -> Histogram<u64> {
            let mut histogram = record::histogram::empty();
            values.iter().for_each(|&value| histogram.saturating_record(value));
            histogram
        };
        let (left, right) = values.split_at(cut.min(values.len()));
        let mut merged = record(left);
        merged.add(record(right)).unwrap();
        prop_assert_eq!(merged, record(&values));
    }

    #[test]
    fn the_sweep_finds_the_maximum(intervals in prop::collection::vec((0_u64..60, 0_u64..30), 0..40)) {
        let intervals: Vec<(u64, u64)> = intervals.into_iter().map(|(begin, length)| (begin, begin + length)).collect();
        prop_assert_eq!(most_at_once(&intervals), most_by_hand(&intervals));
    }

    #[test]
    fn bins_lose_neither_time_nor_operations(
        origin in 0_u64..3 * BIN_NS,
        steps in prop::collection::vec((0_u64..BIN_NS, 0_u64..4 * BIN_NS), 1..60),
    ) {
        let mut bins = Bins::new(origin);
        let (mut now, mut waited) = (origin, 0);
        for &(gap, wait) in &steps {
            bins.operation(now + gap, now + gap + wait);
            now += gap + wait;
            waited += wait;
        }
        let last = now / BIN_NS;
        let (ops, wait) = (origin / BIN_NS..=last).map(|n| bins.get(n)).fold((0, 0), |(ops, wait), bin| {
            prop_assert_bin(bin.wait_ns);
            (ops + bin.ops, wait + bin.wait_ns)
        });
        prop_assert_eq!((ops, wait), (steps.len() as u64, waited));
        let means = waiters_over_time(&[&bins], origin, now + 1, BIN_NS);
        prop_assert!(means.iter().all(|&mean| (0.0..=1.0 + 1e-9).contains(&mean)), "{means:?}");
    }
}

/// One thread cannot wait longer in a bin than the bin is.
fn prop_assert_bin(wait_ns: u64) {
    assert!(wait_ns <= BIN_NS, "{wait_ns}");
}
