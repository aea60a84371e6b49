//! What the page of one cell shows beyond its summary, taken from its record: sums over its probed launches, and what
//! is never summed, launch by launch.

use record::profile::{Ledger, Profile, WorstStretch};
use record::{LaunchResult, Record};

/// Length of a bin of the probes' clock: a timeline's bins are multiples of it, and begin at multiples of it.
const CLOCK_BIN_NS: u64 = 1_000_000;

/// The evidence of one cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence<'a> {
    /// Where all workers' time went, summed over them and over the fully timed launches.
    pub ledger: Option<Ledger>,
    /// `[i][j]`: acquires by worker j right after worker i; absent above 64 workers.
    pub hand_offs: Option<Vec<Vec<u64>>>,
    /// `[k]`: runs of one owner of length 2^k to 2^(k+1) - 1.
    pub streaks: Vec<u64>,
    /// Waiting threads over time, a row for each slice of each launch.
    pub timeline: Vec<TimelineRow>,
    /// The longest of the launches' worst stretches, with the number of its launch.
    pub worst: Option<(u32, &'a WorstStretch)>,
}

/// Waiting threads over the time of one slice.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineRow {
    /// Number of the launch.
    pub launch: u32,
    /// Number of the slice; `None` when the timeline cannot be told apart into slices.
    pub slice: Option<usize>,
    /// Length of an entry.
    pub bin_ns: u64,
    /// Mean number of waiting threads in each.
    pub waiters: Vec<f64>,
}

impl<'a> Evidence<'a> {
    /// From the probed launches of a record.
    pub fn of(record: &'a Record) -> Evidence<'a> {
        let launches: Vec<(u32, &LaunchResult, &Profile)> = record
            .launches
            .iter()
            .filter_map(|launch| {
                let result = launch.result.as_ref()?;
                Some((launch.index, result, result.profile.as_ref()?))
            })
            .collect();
        let mut evidence = Evidence::default();
        for (index, result, profile) in &launches {
            if let Some(ledgers) = &profile.ledger {
                add_ledgers(evidence.ledger.get_or_insert_default(), ledgers);
            }
            if let Some(matrix) = &profile.hand_offs_between {
                add_matrix(evidence.hand_offs.get_or_insert_default(), matrix);
            }
            let longer = evidence.streaks.len().max(profile.streaks.len());
            evidence.streaks.resize(longer, 0);
            evidence.streaks.iter_mut().zip(&profile.streaks).for_each(|(sum, more)| *sum += more);
            evidence.timeline.extend(timeline(*index, result, profile));
            if let Some(stretch) = &profile.worst_stretch
                && evidence.worst.is_none_or(|(_, worst)| stretch.wait_ns > worst.wait_ns)
            {
                evidence.worst = Some((*index, stretch));
            }
        }
        evidence
    }
}

fn add_ledgers(sum: &mut Ledger, ledgers: &[Ledger]) {
    for more in ledgers {
        sum.span_ns += more.span_ns;
        sum.think_ns += more.think_ns;
        sum.hold_ns += more.hold_ns;
        sum.fast_ns += more.fast_ns;
        sum.spin_ns += more.spin_ns;
        sum.park_ns += more.park_ns;
        sum.wake_ns += more.wake_ns;
        sum.lost_ns += more.lost_ns;
        sum.preempted_ns += more.preempted_ns;
    }
}

/// Rows may be ragged in what an engine wrote: what is missing is zero.
fn add_matrix(sum: &mut Vec<Vec<u64>>, more: &[Vec<u64>]) {
    let workers = more.iter().map(Vec::len).chain([sum.len(), more.len()]).max().unwrap_or(0);
    sum.resize(workers, Vec::new());
    for row in sum.iter_mut() {
        row.resize(workers, 0);
    }
    for (row, more) in sum.iter_mut().zip(more) {
        row.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }
}

/// A launch's timeline, cut into its slices where the lengths of the slices tell where the cuts are.
fn timeline(launch: u32, result: &LaunchResult, profile: &Profile) -> Vec<TimelineRow> {
    let Some(waiters) = profile.waiters.as_ref().filter(|w| w.bin_ns > 0 && !w.timeline.is_empty()) else {
        return Vec::new();
    };
    let bins = |slice: &record::Slice| {
        let start_ns = slice.workers.iter().map(|w| w.start_ns).min().unwrap_or(0);
        let end_ns = slice.workers.iter().map(|w| w.end_ns).max().unwrap_or(0);
        end_ns.saturating_sub(start_ns / CLOCK_BIN_NS * CLOCK_BIN_NS).div_ceil(waiters.bin_ns)
    };
    let lengths: Vec<usize> =
        result.slices.iter().map(|s| usize::try_from(bins(s)).unwrap_or(usize::MAX)).collect();
    let total = lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length));
    let row = |slice: Option<usize>, waiters_of: &[f64]| TimelineRow {
        launch,
        slice,
        bin_ns: waiters.bin_ns,
        waiters: waiters_of.to_vec(),
    };
    if total != waiters.timeline.len() {
        return vec![row(None, &waiters.timeline)];
    }
    let mut rest = waiters.timeline.as_slice();
    let mut rows = Vec::new();
    for (slice, length) in lengths.into_iter().enumerate() {
        let (head, tail) = rest.split_at(length);
        rows.push(row(Some(slice), head));
        rest = tail;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::profile::Waiters;
    use record::{Slice, Worker};

    #[test]
    fn matrices_of_launches_add_up() {
        let mut sum = Vec::new();
        add_matrix(&mut sum, &[vec![1, 2], vec![3, 4]]);
        add_matrix(&mut sum, &[vec![10, 20], vec![30]]);
        assert_eq!(sum, [[11, 22], [33, 4]]);
    }

    #[test]
    fn a_timeline_is_cut_into_slices_or_left_whole() {
        let slice = |start_ns, end_ns| Slice {
            workers: vec![Worker { start_ns, end_ns, ..Worker::default() }],
            expected: 0,
            observed: 0,
            sum: None,
            phases: Vec::new(),
        };
        // From the middle of one ms to the middle of another: three bins; exactly one ms: one.
        let result: LaunchResult = serde_json::from_value(serde_json::json!({
            "protocol": 1, "implementation": "", "engine": "", "clock": "",
            "slices": [slice(1_500_000, 3_500_000), slice(8_000_000, 9_000_000)],
        }))
        .unwrap();
        let mut profile: Profile = serde_json::from_value(serde_json::json!({
            "probe": "full", "primitive_reports": true, "counts": record::profile::Counts::default()
        }))
        .unwrap();
        let timeline_of =
            |entries: Vec<f64>| Waiters { bin_ns: CLOCK_BIN_NS, timeline: entries, ..Waiters::default() };
        profile.waiters = Some(timeline_of(vec![1.0, 2.0, 3.0, 4.0]));
        let rows = timeline(5, &result, &profile);
        assert_eq!(
            rows.iter().map(|r| r.waiters.clone()).collect::<Vec<_>>(),
            [vec![1.0, 2.0, 3.0], vec![4.0]]
        );
        assert_eq!(rows[1].slice, Some(1));
        profile.waiters = Some(timeline_of(vec![1.0, 2.0]));
        let rows = timeline(5, &result, &profile);
        assert_eq!((rows.len(), rows[0].slice, rows[0].launch), (1, None, 5));
    }
}
