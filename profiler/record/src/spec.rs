//! What one launch is told: the JSON that a child process reads on its standard input.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One launch of one cell. `docs/RECORD.md` documents it for authors of engines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchSpec {
    /// [`crate::PROTOCOL`].
    pub protocol: u32,
    /// Permanent id, `family/implementation`.
    pub implementation: String,
    /// Parameters that differ from history's defaults. A launch with `tuned_shape` reads them at run time even if none
    /// is set.
    #[serde(default)]
    pub params: BTreeMap<String, u64>,
    /// Whether the implementation is built to read parameters at run time.
    #[serde(default)]
    pub tuned_shape: bool,
    /// `os` or `sim:<preset>`.
    pub machine: String,
    /// The simulated machine, as the text of a preset's file; absent on `os`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Who listens.
    pub probe: ProbeMode,
    /// Seed of every draw in this launch.
    pub seed: u64,
    /// Cores that the workers are pinned to, worker `i` to `cpus[i % len]`; empty: the scheduler decides.
    #[serde(default)]
    pub cpus: Vec<usize>,
    /// Measured slices; the object under test is allocated anew for each.
    pub slices: u32,
    /// Length of one slice in ns.
    pub slice_ns: u64,
    /// Length of the discarded slice before the first, in ns.
    pub warmup_ns: u64,
    /// What the threads do.
    pub point: Point,
}

/// Who listens during a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeMode {
    /// Nobody: the numbers that are ranked.
    Off,
    /// Counters only.
    Count,
    /// Counters, and one acquire in 64 is timed.
    Sample,
    /// Every acquire is timed.
    Full,
}

impl ProbeMode {
    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            ProbeMode::Off => "off",
            ProbeMode::Count => "count",
            ProbeMode::Sample => "sample",
            ProbeMode::Full => "full",
        }
    }
}

/// A workload at one point of its axes: all that the threads need to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Name of the workload.
    pub workload: String,
    /// Name of this point: the workload and the axes that vary, such as `contended/t8`.
    pub label: String,
    /// Family of the implementations that it exercises.
    pub family: String,
    /// Groups of threads that do the same. Workers are numbered through the roles in order.
    pub roles: Vec<Role>,
    /// Number of objects; each operation picks one.
    pub locks: u32,
    /// How an operation picks.
    pub choice: Choice,
    /// How many it takes at once, and in which order; absent where it takes one.
    #[serde(default, skip_serializing_if = "Take::is_one")]
    pub take: Take,
    /// When a thread begins an operation.
    pub arrivals: Arrivals,
    /// How the load changes during a slice.
    pub schedule: Schedule,
    /// What must come out.
    pub expect: Expect,
}

impl Point {
    /// Number of workers.
    pub fn threads(&self) -> usize {
        self.roles.iter().map(|role| role.threads as usize).sum()
    }

    /// The role of each worker, as an index into `roles`.
    pub fn role_of_worker(&self) -> Vec<usize> {
        let each = |(index, role): (usize, &Role)| std::iter::repeat_n(index, role.threads as usize);
        self.roles.iter().enumerate().flat_map(each).collect()
    }
}

/// What a group of threads does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Name in tables.
    pub name: String,
    /// Number of threads.
    pub threads: u32,
    /// Work while holding.
    pub hold: Distribution,
    /// Work between giving back and asking again.
    pub think: Distribution,
}

/// Lengths of work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Distribution {
    /// Always the same.
    Constant {
        /// Length.
        ns: u64,
    },
    /// Anything between, equally likely.
    Uniform {
        /// Shortest.
        min_ns: u64,
        /// Longest.
        max_ns: u64,
    },
    /// Memoryless.
    Exponential {
        /// Mean.
        mean_ns: u64,
    },
    /// Mostly short, sometimes long.
    Bimodal {
        /// The usual length.
        short_ns: u64,
        /// The rare length.
        long_ns: u64,
        /// Share of the rare length, between 0 and 1.
        long_share: f64,
    },
}

impl Distribution {
    /// The expected length in ns.
    pub fn mean_ns(&self) -> f64 {
        match *self {
            Distribution::Constant { ns } => ns as f64,
            Distribution::Uniform { min_ns, max_ns } => (min_ns as f64 + max_ns as f64) / 2.0,
            Distribution::Exponential { mean_ns } => mean_ns as f64,
            Distribution::Bimodal { short_ns, long_ns, long_share } => {
                short_ns as f64 * (1.0 - long_share) + long_ns as f64 * long_share
            }
        }
    }
}

/// How an operation picks one of several objects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Choice {
    /// Each equally often.
    Uniform,
    /// The k-th with probability proportional to 1 / k^exponent.
    Zipf {
        /// Skew; 0 is uniform, about 1 is typical of caches.
        exponent: f64,
    },
}

/// How many objects an operation takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Take {
    /// The one that it picked.
    #[default]
    One,
    /// Two different ones: it holds the first while it asks for the second.
    Two {
        /// Which of them it takes first.
        order: TakeOrder,
    },
}

impl Take {
    /// Whether an operation takes one object.
    pub fn is_one(&self) -> bool {
        *self == Take::One
    }

    /// Objects that an operation takes.
    pub fn count(self) -> u32 {
        match self {
            Take::One => 1,
            Take::Two { .. } => 2,
        }
    }
}

/// The order in which an operation takes two objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TakeOrder {
    /// By their numbers: threads cannot come to wait for each other in a circle.
    Ascending,
    /// As they were drawn: two threads may each hold what the other asks for, and wait for ever.
    AsDrawn,
}

impl TakeOrder {
    /// The name used in files and labels.
    pub const fn name(self) -> &'static str {
        match self {
            TakeOrder::Ascending => "ascending",
            TakeOrder::AsDrawn => "as-drawn",
        }
    }
}

/// When a thread begins an operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Arrivals {
    /// After thinking: the load adapts to the service.
    Closed,
    /// At fixed intervals, whatever happens; latency counts from the intended start.
    Fixed {
        /// Operations per second of each thread.
        per_thread_per_s: f64,
    },
    /// At exponentially distributed intervals, whatever happens; latency counts from the intended start.
    Poisson {
        /// Mean operations per second of each thread.
        per_thread_per_s: f64,
    },
}

/// How the load changes during a slice. Each part of a slice with one load is a *phase*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// All threads, all the time.
    Steady,
    /// So many threads at a time, each for an equal part of the slice: up and down again shows hysteresis.
    Ramp {
        /// Active threads, phase by phase.
        active: Vec<u32>,
    },
    /// All threads for a while, none for a while.
    Bursts {
        /// Length of a burst.
        on_ns: u64,
        /// Length of a pause.
        off_ns: u64,
    },
    /// Once, in the middle of a slice, a holder stops while it holds; short phases before and after show the recovery.
    Stall {
        /// How long the holder stops.
        stall_ns: u64,
        /// Length of the phases after it.
        phase_ns: u64,
    },
}

/// What must come out of a launch, besides its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// The guarded counters, each raised by a load and a store, add up to the operations.
    Counter,
    /// Those, and what the objects hold together: each operation moves an amount from one to another.
    Sum,
}
