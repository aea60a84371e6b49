//! What a probed launch explains about the object that it exercised.

use serde::{Deserialize, Serialize};

use crate::spec::ProbeMode;

/// Sums over the measured slices of a probed launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// How closely the probe looked.
    pub probe: ProbeMode,
    /// Plain counts. Those of the primitive are zero when it reports nothing: `primitive_reports` tells.
    pub counts: Counts,
    /// Whether the implementation reports spins, parks and wakes at all.
    pub primitive_reports: bool,
    /// `hand_offs_between[i][j]`: acquires by worker j right after worker i. Absent above 64 workers.
    #[serde(default)]
    pub hand_offs_between: Option<Vec<Vec<u64>>>,
    /// `streaks[k]`: uninterrupted runs of one owner of length 2^k to 2^(k+1) - 1.
    #[serde(default)]
    pub streaks: Vec<u64>,
    /// Threads that wait, over time; full timing only.
    #[serde(default)]
    pub waiters: Option<Waiters>,
    /// Where each worker's time went; full timing only.
    #[serde(default)]
    pub ledger: Option<Vec<Ledger>>,
    /// Fairness seen through windows of growing size; full timing only.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// Longest time that an acquire took, by role, ns.
    #[serde(default)]
    pub wait_ns_max: Vec<u64>,
    /// What everybody did around the longest wait; full timing only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_stretch: Option<WorstStretch>,
    /// In which orders threads took objects of which they held two; absent where they hold one at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_order: Option<LockOrder>,
}

/// Orders in which threads took objects, and where these contradict each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockOrder {
    /// Different pairs of an object held and another asked for, over all slices.
    pub pairs: u64,
    /// Circles: threads that may come to wait for each other, whether or not they did. The shortest ones first.
    pub inversions: Vec<Inversion>,
    /// Circles that are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Threads that may come to wait for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inversion {
    /// The slice in which it was seen first.
    pub slice: u32,
    /// Each thread's step. What one asks for is what the next one holds, and the last one asks for what the first holds.
    pub circle: Vec<OrderStep>,
}

/// What one thread did that may make it wait for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderStep {
    /// The thread.
    pub worker: u32,
    /// Number of the object that it held.
    pub holds: u64,
    /// Number of the object for which it asked meanwhile.
    pub asks: u64,
    /// In which of its operations of the slice it did so first, from 1.
    pub operation: u64,
    /// How often it did so in the slice.
    pub times: u64,
}

impl LockOrder {
    /// The first inversion in words, and how many more there are; `None` without any.
    pub fn inverted(&self) -> Option<String> {
        let first = self.inversions.first()?.text();
        Some(match self.inversions.len() as u64 + self.omitted - 1 {
            0 => first,
            more => format!("{first}; and {more} more"),
        })
    }
}

impl Inversion {
    /// In words.
    pub fn text(&self) -> String {
        let step = |step: &OrderStep| {
            let often = match step.times {
                1 => String::new(),
                times => format!(", {times} times"),
            };
            let (worker, holds, asks, operation) = (step.worker, step.holds, step.asks, step.operation);
            format!("worker {worker} takes lock {holds} and then lock {asks} (operation {operation}{often})")
        };
        self.circle.iter().map(step).collect::<Vec<_>>().join(", ")
    }
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Operations that acquired.
    pub acquires: u64,
    /// Acquires that neither spun nor slept.
    pub fast_acquires: u64,
    /// Stretches of polling.
    pub spins: u64,
    /// Polls in all of them.
    pub spin_rounds: u64,
    /// Polls in stretches that ended with the object and without sleeping.
    pub spin_rounds_useful: u64,
    /// Compare-exchanges lost.
    pub failed_cas: u64,
    /// Times that a thread went to sleep.
    pub parks: u64,
    /// Wake-ups given.
    pub wakes: u64,
    /// Wake-ups after which the object was gone again.
    pub lost_races: u64,
    /// Objects passed straight to a waiter.
    pub hand_offs: u64,
    /// Times that the object entered starvation mode.
    pub starvation_periods: u64,
    /// Time in starvation mode, ns.
    pub starvation_ns: u64,
    /// Acquires by another worker than the last.
    pub owner_changes: u64,
    /// Acquires on another core than the last: a stand-in for transfers of the cache line. Absent where an engine does not
    /// know on which core it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_changes: Option<u64>,
}

/// Threads that wait for the object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiters {
    /// Mean over time, from the intervals of all acquires.
    pub mean: f64,
    /// Most at one moment, among the intervals that were logged.
    pub max: u32,
    /// Length of one entry of the timeline.
    pub bin_ns: u64,
    /// Mean number in each bin, slice after slice.
    pub timeline: Vec<f64>,
    /// Mean of the implementation's own count, less the holder, sampled while it ran; absent where it has none.
    #[serde(default)]
    pub sampled_mean: Option<f64>,
    /// Number of those samples.
    #[serde(default)]
    pub samples: u64,
}

/// Where one worker's time went, ns. The parts are measured by the worker's own stamps, but for `preempted_ns`, which
/// is the scheduler's account, and are net of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// From the first start to the last end, summed over the slices.
    pub span_ns: u64,
    /// Between giving back and asking again, the harness included.
    pub think_ns: u64,
    /// Holding.
    pub hold_ns: u64,
    /// Acquiring without spinning or sleeping.
    pub fast_ns: u64,
    /// Polling.
    pub spin_ns: u64,
    /// Asleep, until somebody decided to wake it.
    pub park_ns: u64,
    /// From that decision until it ran.
    pub wake_ns: u64,
    /// After a wake-up that came too late, and in the rest of the slow path.
    pub lost_ns: u64,
    /// Ready to run, but not on a core.
    pub preempted_ns: u64,
}

impl Ledger {
    /// All parts together.
    pub fn sum_ns(&self) -> u64 {
        self.think_ns
            + self.hold_ns
            + self.fast_ns
            + self.spin_ns
            + self.park_ns
            + self.wake_ns
            + self.lost_ns
            + self.preempted_ns
    }
}

/// Jain's fairness index of the workers' operations in windows of one size: 1 when all get the same, 1/n when one gets
/// everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Size of the window.
    pub window_ns: u64,
    /// Mean of the index over all windows that saw an operation.
    pub jain_mean: f64,
}

/// The stretch around the longest of the waits that were logged: that wait, and half its length before and after, as
/// far as the slice reaches. Where a worker has no interval it thinks, or makes operations too quick to be logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorstStretch {
    /// Index of the slice.
    pub slice: u32,
    /// From the begin of the slice to the begin of the stretch.
    pub begin_ns: u64,
    /// Length of the stretch.
    pub span_ns: u64,
    /// The worker that waited the longest.
    pub worker: u32,
    /// From the begin of the stretch to the moment at which it asked.
    pub wait_begin_ns: u64,
    /// Length of its wait.
    pub wait_ns: u64,
    /// What the workers did, by worker and then by begin. The intervals of a worker do not overlap.
    pub intervals: Vec<Interval>,
    /// Logged intervals that were too short or too many to be kept: the shortest ones.
    #[serde(default)]
    pub omitted: u64,
    /// Their time together.
    #[serde(default)]
    pub omitted_ns: u64,
}

/// What a worker did for a while. In files it is an array: `[worker, kind, begin_ns, end_ns]`, the times from the begin
/// of the stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, IntervalKind, u64, u64)", into = "(u32, IntervalKind, u64, u64)")]
pub struct Interval {
    /// Its number.
    pub worker: u32,
    /// What it did.
    pub kind: IntervalKind,
    /// From the begin of the stretch to its begin.
    pub begin_ns: u64,
    /// From the begin of the stretch to its end.
    pub end_ns: u64,
}

impl From<(u32, IntervalKind, u64, u64)> for Interval {
    fn from((worker, kind, begin_ns, end_ns): (u32, IntervalKind, u64, u64)) -> Self {
        Interval { worker, kind, begin_ns, end_ns }
    }
}

impl From<Interval> for (u32, IntervalKind, u64, u64) {
    fn from(interval: Interval) -> Self {
        (interval.worker, interval.kind, interval.begin_ns, interval.end_ns)
    }
}

/// The kinds of intervals in a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalKind {
    /// Waits and is not asleep: polls, or is on its way through the slow path.
    Awake,
    /// Waits asleep. Without a known waker until it runs again.
    Asleep,
    /// Waits, and somebody has decided to wake it.
    Waking,
    /// Holds, after a wait that was logged.
    Hold,
}

impl IntervalKind {
    /// All kinds, in the order in which an operation passes through them.
    pub const ALL: [IntervalKind; 4] =
        [IntervalKind::Awake, IntervalKind::Asleep, IntervalKind::Waking, IntervalKind::Hold];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            IntervalKind::Awake => "awake",
            IntervalKind::Asleep => "asleep",
            IntervalKind::Waking => "waking",
            IntervalKind::Hold => "hold",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_arrays_in_files() {
        let interval = Interval { worker: 3, kind: IntervalKind::Asleep, begin_ns: 5, end_ns: 70 };
        let json = serde_json::to_string(&interval).unwrap();
        assert_eq!(json, r#"[3,"asleep",5,70]"#);
        assert_eq!(serde_json::from_str::<Interval>(&json).unwrap(), interval);
        assert!(serde_json::from_str::<Interval>(r#"[3,"dreaming",5,70]"#).is_err());
    }
}
