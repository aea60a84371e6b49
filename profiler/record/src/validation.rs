//! Simulated against published curves, as `validate --json` prints it.
//!
//! An error is a factor: the geometric mean of how far simulated and published lie apart, 1 where they agree. It is
//! `exp(mean of |ln(simulated / published)|)`.

use serde::{Deserialize, Serialize};

/// What the JSON says that it is.
pub const KIND: &str = "synchroscope-validation";
/// Version of the JSON.
pub const VERSION: u32 = 1;

/// Everything that a validation found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// [`KIND`].
    pub kind: String,
    /// [`VERSION`].
    pub version: u32,
    /// Simulations of each point, each with a seed of its own, from 1 on.
    pub seeds: u32,
    /// Geometric mean of the errors of all series; none if no point is scored.
    pub overall_error: Option<f64>,
    /// The series that were simulated.
    pub series: Vec<SeriesAgreement>,
    /// Every point of them, in the same order.
    pub points: Vec<PointAgreement>,
    /// The series that were not, with the reason.
    pub skipped: Vec<SkippedSeries>,
    /// Each pair of series of one experiment that are both there.
    pub crossovers: Vec<Crossover>,
    /// The ticket lock without back-off, on each machine whose lock curves were asked for.
    pub naive_ticket: Vec<NaiveTicket>,
    /// What may not be concluded.
    pub limits: Vec<String>,
}

/// Which curve of which file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Experiment {
    /// The file of the published curve.
    pub file: String,
    /// The machine, by its name in the file.
    pub platform: String,
    /// The preset that it was simulated with.
    pub preset: String,
    /// `atomics` or `one-lock`.
    pub bench: String,
}

/// A series, simulated against published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesAgreement {
    /// Where it belongs.
    #[serde(flatten)]
    pub experiment: Experiment,
    /// Its name.
    pub series: String,
    /// Over its scored points; none without one.
    pub error: Option<f64>,
    /// Points that count.
    pub scored: usize,
    /// Threads of the scored point that is farthest off.
    pub worst_threads: Option<usize>,
    /// Simulated by published at that point.
    pub worst_ratio: Option<f64>,
}

/// A point of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointAgreement {
    /// Where it belongs.
    #[serde(flatten)]
    pub experiment: Experiment,
    /// The series.
    pub series: String,
    /// Number of threads.
    pub threads: usize,
    /// Millions of operations per second, published.
    pub published_mops: f64,
    /// The same, simulated: the median over the seeds.
    pub simulated_mops: f64,
    /// Of the seeds, the least.
    pub simulated_min_mops: f64,
    /// Of the seeds, the most.
    pub simulated_max_mops: f64,
    /// Simulated by published; none if published is 0.
    pub ratio: Option<f64>,
    /// Why it does not count; none if it does.
    pub unscored: Option<String>,
}

/// A series that was not simulated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedSeries {
    /// The file.
    pub file: String,
    /// The machine, by its name in the file.
    pub platform: String,
    /// Its name.
    pub series: String,
    /// Why.
    pub reason: String,
}

/// How the order of two series goes with the number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Order {
    /// It changes for good.
    Crosses {
        /// From so many threads on, interpolated.
        threads: f64,
        /// The series that is ahead from there on.
        ahead: String,
    },
    /// One is ahead wherever they differ.
    Never {
        /// Which one.
        ahead: String,
    },
    /// They do not differ anywhere.
    Equal,
}

/// Two series, published and simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crossover {
    /// Where they belong.
    #[serde(flatten)]
    pub experiment: Experiment,
    /// One series.
    pub a: String,
    /// The other.
    pub b: String,
    /// As the paper has it.
    pub published: Order,
    /// As the model has it.
    pub simulated: Order,
    /// Threads of the simulated crossover by those of the published one; none unless both are there and end the same
    /// way.
    pub ratio: Option<f64>,
}

/// The ticket lock whose waiters all poll one word: each more waiter makes a hand-over longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NaiveTicket {
    /// The machine, by its name in the file.
    pub platform: String,
    /// The preset.
    pub preset: String,
    /// Cycles by which a hand-over grows with each more thread: the slope of a straight line through the medians.
    pub cycles_per_waiter: f64,
    /// The published value; none for machines that the paper gives none for.
    pub published_cycles_per_waiter: Option<f64>,
    /// What the line goes through: threads, and cycles of a hand-over.
    pub hand_over_cycles: Vec<(usize, f64)>,
}
