//! The verdict on a change, as plain data: what a candidate is against its baseline, row by row, and what the job's own
//! controls say of the job.
//!
//! A *row* is one metric of one cell. Exact rows come from the simulated machine and from counted instructions; measured
//! rows from launches in paired blocks; history rows from a series of ratios to a pinned reference. The commands that make
//! the rows are in the root; this module judges and prints.
//!
//! | module | holds |
//! |---|---|
//! | [`blocks`] | launches in paired blocks, and their differences |
//! | [`judge`] | from differences to verdicts |
//! | [`power`] | what `guard` sees of planted faults, and whom it accuses falsely |
//! | [`rivals`] | the rules of other tools on the same launches |
//! | [`unpaired`] | two runs that were made one after the other |
//! | [`exact`] | simulated costs and counted instructions to verdicts |
//! | [`parting`] | where two timelines of one seed part |
//! | [`text`] | a report in the terminal |
//! | [`markdown`], `junit`, `github` | a report for continuous integration; `words` is what they share |

pub mod blocks;
pub mod exact;
mod github;
pub mod judge;
mod junit;
pub mod markdown;
pub mod parting;
pub mod power;
pub mod rivals;
pub mod text;
pub mod unpaired;
mod words;

use record::Tier;
use serde::{Deserialize, Serialize};

use crate::compare::Verdict;

/// Version of the JSON of a [`GuardReport`].
pub const VERSION: u32 = 1;

/// The value of [`GuardReport::kind`].
pub const KIND: &str = "synchroscope-guard";

/// Everything that one call of `guard` found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardReport {
    /// [`KIND`].
    pub kind: String,
    /// [`VERSION`].
    pub version: u32,
    /// What the candidate is held against, as the user named it.
    pub baseline: String,
    /// What is judged.
    pub candidate: String,
    /// The full command line.
    pub command: Vec<String>,
    /// [`record::Fingerprint::id`] of the computer that measured.
    pub fingerprint: String,
    /// Seed of orders and draws.
    pub seed: u64,
    /// The verdict on the whole change.
    pub verdict: Verdict,
    /// Every row, in the order of the suite.
    pub rows: Vec<Row>,
    /// What the job's controls say.
    pub controls: Vec<Control>,
    /// False alarms to be expected of this many rows at this level, were nothing changed.
    pub expected_false_alarms: f64,
    /// What else the reader must know, a sentence each.
    pub notes: Vec<String>,
    /// Whether some cell failed on the baseline's side, so that there is nothing to hold the candidate against.
    #[serde(default)]
    pub failed: bool,
}

/// Where a row's judgement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Simulated cycles or counted instructions: no noise.
    Exact,
    /// Launches of both arms in paired blocks.
    Measured,
    /// A series of ratios to a pinned reference.
    History,
}

impl Layer {
    /// The name in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Layer::Exact => "exact",
            Layer::Measured => "measured",
            Layer::History => "history",
        }
    }
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Operations per second; more is better.
    Throughput,
    /// 99th percentile of the wait, ns; less is better.
    WaitP99,
    /// Processor time per operation, ns; less is better.
    CpuPerOp,
    /// Jain's index over workers; more is better.
    Jain,
    /// Simulated cycles of all workers per operation; less is better.
    CyclesPerOp,
    /// Instructions per uncontended operation; less is better.
    InstructionsPerOp,
}

impl Metric {
    /// The name in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Throughput => "throughput",
            Metric::WaitP99 => "wait p99",
            Metric::CpuPerOp => "CPU per op",
            Metric::Jain => "Jain",
            Metric::CyclesPerOp => "cycles per op",
            Metric::InstructionsPerOp => "instructions per op",
        }
    }

    /// The unit of its values.
    pub const fn unit(self) -> &'static str {
        match self {
            Metric::Throughput => "op/s",
            Metric::WaitP99 | Metric::CpuPerOp => "ns",
            Metric::Jain => "",
            Metric::CyclesPerOp => "cycles",
            Metric::InstructionsPerOp => "instructions",
        }
    }

    /// Whether more of it is better.
    pub const fn more_is_better(self) -> bool {
        matches!(self, Metric::Throughput | Metric::Jain)
    }
}

/// One metric of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Id of the implementation on the candidate's side.
    pub implementation: String,
    /// Name of the point, such as `contended/t8/h0`.
    pub label: String,
    /// `os` or `sim:<preset>`.
    pub machine: String,
    /// Where the judgement comes from.
    pub layer: Layer,
    /// What is judged.
    pub metric: Metric,
    /// Where the numbers come from.
    pub tier: Tier,
    /// The median of the baseline, in the metric's unit.
    pub baseline: Option<f64>,
    /// The median of the candidate.
    pub candidate: Option<f64>,
    /// Candidate over baseline.
    pub ratio: Option<Estimate>,
    /// Ratio, above 1, up to which a difference counts as none; exact rows: the budget.
    pub margin_ratio: f64,
    /// The smallest true ratio, above 1, that such blocks show with 90 % probability; exact rows: 1.
    pub minimal_detectable_ratio: Option<f64>,
    /// Blocks that decided; 0 where there are none.
    pub blocks: u32,
    /// Whether fresh blocks decided after a screening.
    pub confirmed: bool,
    /// What came out.
    pub verdict: Verdict,
    /// Why, or what limits it, in a sentence; may be empty.
    pub reason: String,
    /// Where to look: a trace, a folder of launches.
    pub evidence: Option<String>,
}

/// A ratio with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub ratio: f64,
    /// Lower end; equal to the estimate where there is no noise.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Confidence of the interval; 1 where there is no noise.
    pub confidence: f64,
    /// Two-sided p of the test, where one was made.
    pub p: Option<f64>,
}

/// A measurement that must show nothing: if it does, the job's other differences say nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// Such as `A/A mutex/go-2019-fastpath contended/t2/h0`, or `calibration loop`.
    pub name: String,
    /// What came out over what was expected.
    pub ratio: Option<Estimate>,
    /// Whether it moved.
    pub moved: bool,
    /// The numbers in a sentence.
    pub detail: String,
}
