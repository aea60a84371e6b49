//! What one launch of a search measured: a line of `trials.jsonl`, appended when it is known and never changed.

use serde::{Deserialize, Serialize};

/// One setting in one scenario, once. On this computer it is two launches after each other, a plain one and one that is
/// timed in full; on a simulated machine it is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What it is for.
    pub phase: Phase,
    /// Index of the scenario in the plan.
    pub scenario: usize,
    /// Index of the setting in the plan.
    pub setting: usize,
    /// How the implementation was built.
    pub shape: Shape,
    /// Number of the block, or of the seed.
    pub round: u32,
    /// Its place in the order of the search.
    pub order: u32,
    /// Seed of its draws.
    pub seed: u64,
    /// When it ended, ms since 1970.
    pub ended_unix_ms: u64,
    /// Share of processor time that the hypervisor gave to others meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_share: Option<f64>,
    /// What it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// Why it measured nothing, or nothing that is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What a rule of truth doubts, without saying that it is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// What a trial is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// On a simulated machine.
    Screen,
    /// On this computer.
    Race,
    /// On a simulated machine with fresh seeds, after the pick.
    Confirm,
}

/// How an implementation is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Parameters are read at run time: every setting, the default included.
    Tuned,
    /// Parameters are constants and take no space: history's shape.
    Constant,
}

/// The numbers of a trial. Rates and processor time come from launches that nobody observed, waits from timed ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// Operations per second.
    pub throughput_per_s: f64,
    /// 99th percentile of the wait, ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ns_p99: Option<f64>,
    /// Processor time per operation, ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ns_per_op: Option<f64>,
    /// Jain's index over workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jain: Option<f64>,
    /// The longest wait, ns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ns_max: Option<u64>,
    /// Hash of the simulated trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_hash: Option<String>,
}

impl Trial {
    /// What tells it from every other of a search.
    pub fn key(&self) -> Key {
        Key {
            phase: self.phase,
            scenario: self.scenario,
            setting: self.setting,
            shape: self.shape,
            round: self.round,
        }
    }
}

/// Which trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is for.
    pub phase: Phase,
    /// Index of the scenario.
    pub scenario: usize,
    /// Index of the setting.
    pub setting: usize,
    /// How the implementation is built.
    pub shape: Shape,
    /// Number of the block or seed.
    pub round: u32,
}
