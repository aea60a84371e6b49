//! What one launch measured: the JSON that a child process writes on its standard output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::histogram::Distribution;
use crate::profile::Profile;
use crate::reading::Reading;
use crate::simulated::Simulated;

/// The answer of one launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchResult {
    /// [`crate::PROTOCOL`].
    pub protocol: u32,
    /// The implementation that ran, as the engine knows it.
    pub implementation: String,
    /// What ran it: `synchroscope 0.1.0`, `go1.27.3 goroutines`.
    pub engine: String,
    /// Where the times come from.
    pub clock: String,
    /// The measured slices, in order.
    pub slices: Vec<Slice>,
    /// Distributions of times; which exist depends on workload and probe.
    #[serde(default)]
    pub distributions: Vec<Distribution>,
    /// What the probe explains; absent without a probe.
    #[serde(default)]
    pub profile: Option<Profile>,
    /// Counters of the whole launch, over the measured slices, by name.
    #[serde(default)]
    pub counters: BTreeMap<String, Reading>,
    /// Cost of one uncontended operation on a lock of its own, in ns: what a lock that does no work at all in the way
    /// of others costs. The fastest of several short loops, measured in this launch before the slices.
    #[serde(default)]
    pub uncontended_ns: Option<f64>,
    /// How fast work ran after the slices, by how fast it ran when it was calibrated before them: above 1 if the
    /// computer has become faster meanwhile. Absent where nothing was calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_speed_ratio: Option<f64>,
    /// What is known exactly, because the machine was simulated; all other numbers are simulated then too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<Simulated>,
}

/// A timed stretch with an object of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// What each worker did.
    pub workers: Vec<Worker>,
    /// What the guarded counters must show at the end.
    pub expected: u64,
    /// What they showed.
    pub observed: u64,
    /// What the objects held together, where operations move amounts between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Sum>,
    /// The phases of a schedule that has more than one.
    #[serde(default)]
    pub phases: Vec<Phase>,
}

/// What objects hold together. Amounts wrap around: an object may hold less than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Before the first operation.
    pub before: u64,
    /// After the last.
    pub after: u64,
}

/// What one worker did in one slice. Times are on the launch's clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Index of its role.
    pub role: usize,
    /// Operations between start and end.
    pub ops: u64,
    /// When it began.
    pub start_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    /// Operations from the worker's first run to its end: those before the measured stretch and the one that was on
    /// its way when the stretch ended included. What the scheduler accounts for belongs to these.
    #[serde(default)]
    pub ops_accounted: u64,
    /// From the worker's first run to its end: the time that the scheduler's account covers. A little more than the
    /// measured stretch.
    #[serde(default)]
    pub accounted_ns: Option<u64>,
    /// Time on a core from the worker's first run to its end, by the scheduler's account.
    #[serde(default)]
    pub cpu_ns: Option<u64>,
    /// Time ready but not on a core, by the scheduler's account.
    #[serde(default)]
    pub run_delay_ns: Option<u64>,
    /// Context switches that it asked for.
    #[serde(default)]
    pub voluntary_switches: Option<u64>,
    /// Context switches that it suffered.
    #[serde(default)]
    pub involuntary_switches: Option<u64>,
}

/// A stretch of one load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// When it began.
    pub begin_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    /// Threads meant to be active.
    pub active: u32,
    /// Whether a holder stopped in it.
    #[serde(default)]
    pub stalled: bool,
    /// Operations of each worker; an operation belongs to the phase in which it acquired.
    pub ops: Vec<u64>,
}

impl Slice {
    /// Operations of all workers.
    pub fn ops(&self) -> u64 {
        total(self.workers.iter().map(|w| w.ops))
    }

    /// What the guarded data show that they must not; `None` if all is as it must be.
    pub fn fault(&self) -> Option<String> {
        let (expected, observed) = (self.expected, self.observed);
        if observed != expected {
            return Some(format!("the guarded counters show {observed}, expected {expected}"));
        }
        let Sum { before, after } = self.sum.filter(|sum| sum.before != sum.after)?;
        Some(format!("the locks guard {after} together, expected the {before} of the beginning"))
    }

    /// From the first worker's start to the last worker's end.
    pub fn span_ns(&self) -> u64 {
        let start = self.workers.iter().map(|w| w.start_ns).min().unwrap_or(0);
        let end = self.workers.iter().map(|w| w.end_ns).max().unwrap_or(0);
        end.saturating_sub(start)
    }

    /// Share of the span in which all workers ran: from the last start to the first end, less the longest time that a
    /// worker was ready but not on a core.
    ///
    /// A thread that sleeps in the lock is ready for a moment each time it is woken; that is the lock's doing and not a
    /// disturbance, so each voluntary switch excuses [`WAKE_NS`].
    pub fn overlap(&self) -> f64 {
        let last_start = self.workers.iter().map(|w| w.start_ns).max().unwrap_or(0);
        let first_end = self.workers.iter().map(|w| w.end_ns).min().unwrap_or(0);
        let span = self.span_ns();
        if span == 0 {
            return 0.0;
        }
        let absent = |w: &Worker| {
            let excused = w.voluntary_switches.unwrap_or(0).saturating_mul(WAKE_NS);
            w.run_delay_ns.unwrap_or(0).saturating_sub(excused)
        };
        let absent = self.workers.iter().map(absent).max().unwrap_or(0);
        first_end.saturating_sub(last_start).saturating_sub(absent) as f64 / span as f64
    }
}

/// Time on a run queue that a wake-up may cost without anything being wrong; twice what an idle virtual processor takes
/// to start.
pub const WAKE_NS: u64 = 200_000;

/// A sum that no answer can make overflow: numbers of other programs are any numbers.
fn total(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::saturating_add)
}

impl LaunchResult {
    /// Operations of all slices.
    pub fn ops(&self) -> u64 {
        total(self.slices.iter().map(Slice::ops))
    }

    /// Sum of the spans of all slices.
    pub fn span_ns(&self) -> u64 {
        total(self.slices.iter().map(Slice::span_ns))
    }

    /// Operations per second; `None` when nothing was timed.
    pub fn throughput_per_s(&self) -> Option<f64> {
        let span_ns = self.span_ns();
        (span_ns > 0).then(|| self.ops() as f64 * 1e9 / span_ns as f64)
    }

    /// Operations of each worker over all slices.
    pub fn ops_per_worker(&self) -> Vec<u64> {
        let workers = self.slices.iter().map(|s| s.workers.len()).max().unwrap_or(0);
        let of = |i| total(self.slices.iter().filter_map(|s| s.workers.get(i)).map(|w: &Worker| w.ops));
        (0..workers).map(of).collect()
    }

    /// Processor time per operation in ns; `None` without operations or without the scheduler's account.
    pub fn cpu_ns_per_op(&self) -> Option<f64> {
        let workers = || self.slices.iter().flat_map(|s| &s.workers);
        let cpu_ns = workers().map(|w| w.cpu_ns).collect::<Option<Vec<u64>>>().map(total)?;
        let ops = total(workers().map(|w| w.ops_accounted));
        (ops > 0).then(|| cpu_ns as f64 / ops as f64)
    }

    /// Share of the measured time in which all workers ran: the overlap of the slices, weighted by their spans.
    pub fn overlap(&self) -> f64 {
        let overlapped_ns: f64 =
            self.slices.iter().map(|slice| slice.overlap() * slice.span_ns() as f64).sum();
        match self.span_ns() {
            0 => 0.0,
            span_ns => overlapped_ns / span_ns as f64,
        }
    }
}
