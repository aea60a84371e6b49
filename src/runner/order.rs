//! The order of launches: in rounds, each round every cell once, shuffled.
//!
//! What drifts while a run goes on (heat, neighbours, frequency) then falls on all cells alike, and launch k of two
//! implementations was made in the same stretch of time.

use record::PlannedCell;

/// One launch of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Job {
    /// Index of the cell in the plan.
    pub(crate) cell: usize,
    /// Index of the launch in the cell.
    pub(crate) index: u32,
}

/// All launches, round by round.
pub(crate) fn rounds(cells: &[PlannedCell], seed: u64) -> Vec<Job> {
    let rounds = cells.iter().map(|cell| cell.launches.len()).max().unwrap_or(0);
    let mut jobs = Vec::new();
    for index in 0..rounds as u32 {
        let has = |cell: &PlannedCell| (index as usize) < cell.launches.len();
        let mut round: Vec<Job> =
            (0..cells.len()).filter(|&cell| has(&cells[cell])).map(|cell| Job { cell, index }).collect();
        round.sort_by_key(|job| mix(seed ^ u64::from(index) << 32, job.cell as u64));
        jobs.extend(round);
    }
    jobs
}

/// A number that looks random, determined by `seed` and `index` (the finaliser of SplitMix64).
pub(crate) fn mix(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add((index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::spec::Expect;
    use record::{Arrivals, Choice, Point, ProbeMode, Schedule};
    use std::collections::HashSet;

    fn cells(launches: &[usize]) -> Vec<PlannedCell> {
        let cell = |(i, &n): (usize, &usize)| PlannedCell {
            cell: i.to_string(),
            implementation: "mutex/x".into(),
            arm: String::new(),
            params: Default::default(),
            machine: "os".into(),
            point: Point {
                workload: "w".into(),
                label: "w".into(),
                family: "mutex".into(),
                roles: Vec::new(),
                locks: 1,
                choice: Choice::Uniform,
                take: record::Take::One,
                arrivals: Arrivals::Closed,
                schedule: Schedule::Steady,
                expect: Expect::Counter,
            },
            launches: vec![ProbeMode::Off; n],
            slices: 1,
            slice_ns: 1,
            warmup_ns: 1,
            cpus: Vec::new(),
        };
        launches.iter().enumerate().map(cell).collect()
    }

    #[test]
    fn every_launch_once_and_round_by_round() {
        let jobs = rounds(&cells(&[3, 1, 2]), 7);
        assert_eq!(jobs.len(), 6);
        assert_eq!(jobs.iter().collect::<HashSet<_>>().len(), 6);
        assert!(jobs.is_sorted_by_key(|job| job.index));
    }

    #[test]
    fn seeds_shuffle() {
        let order = |seed| rounds(&cells(&[1; 20]), seed).iter().map(|job| job.cell).collect::<Vec<_>>();
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert_ne!(order(1), (0..20).collect::<Vec<_>>());
    }
}
