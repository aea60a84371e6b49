//! What a search looks for, where, and by which rules: `tune.json`, written before the first launch.

use record::{Fingerprint, PlannedCell, Tool};
use serde::{Deserialize, Serialize};

use crate::guard::Metric;

/// Version of `tune.json`, of `trials.jsonl` and of the JSON of an outcome.
pub const VERSION: u32 = 1;

/// The value of [`TunePlan::kind`].
pub const KIND: &str = "synchroscope-tune-plan";

/// What a setting is judged by, in every scenario.
pub const OBJECTIVES: [Metric; 3] = [Metric::Throughput, Metric::WaitP99, Metric::CpuPerOp];

/// The search as it was planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunePlan {
    /// [`KIND`].
    pub kind: String,
    /// [`VERSION`].
    pub version: u32,
    /// The implementation.
    pub implementation: String,
    /// The full command line.
    pub command: Vec<String>,
    /// What makes the search.
    pub tool: Tool,
    /// Hash of the simulator beside driver and probes: screened numbers of different ones do not mix.
    pub simulation_hash: String,
    /// The computer of the race.
    pub fingerprint: Fingerprint,
    /// Seed of orders, draws and resamples.
    pub seed: u64,
    /// The parameters that are turned, in the order of the card.
    pub knobs: Vec<Knob>,
    /// Every setting: a value for each knob, in their order.
    pub settings: Vec<Vec<u64>>,
    /// Which of them is history's.
    pub default: usize,
    /// Where settings are tried. Simulated ones first.
    pub scenarios: Vec<Scenario>,
    /// Seeds of each simulated setting.
    pub seeds: u32,
    /// Settings that may race at most, the default included.
    pub racers_max: usize,
    /// Launches that the race may make at most.
    pub race_launches_max: u64,
    /// The rules of the race.
    pub rules: Rules,
    /// What counts how much.
    pub prefer: Prefer,
    /// The longest wait that is allowed, ns.
    pub wait_ns_max: Option<u64>,
    /// Smallest index of Jain over workers that is allowed; where the default has less, what the default has.
    pub jain_min: f64,
    /// The text of each simulated machine's preset, by name.
    pub presets: std::collections::BTreeMap<String, String>,
    /// Whether the search ends with the screening.
    pub simulate_only: bool,
}

/// A parameter that is turned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knob {
    /// Its name.
    pub name: String,
    /// History's value.
    pub default: u64,
    /// Smallest value that the card allows.
    pub min: u64,
    /// Largest value that the card allows.
    pub max: u64,
    /// Where the default comes from.
    pub origin: String,
    /// The values that are tried, ascending.
    pub values: Vec<u64>,
}

/// A point of a workload on one machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What a launch does, with history's parameters.
    pub cell: PlannedCell,
    /// Whether it only confirms: the search does not see it.
    pub held_out: bool,
}

impl Scenario {
    /// Whether its numbers are simulated.
    pub fn is_simulated(&self) -> bool {
        record::is_simulated(&self.cell.machine)
    }

    /// The point and the machine in words: `contended/t2/h0 on sim:vm-2`.
    pub fn name(&self) -> String {
        let machine = if self.is_simulated() { &self.cell.machine } else { "this computer" };
        format!("{} on {machine}", self.cell.point.label)
    }
}

/// The rules of the race.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Blocks after which is judged, ascending.
    pub rungs: Vec<u32>,
    /// Of so many, one goes on where the launches do not suffice for all.
    pub eta: u32,
    /// Nobody leaves before so many blocks.
    pub blocks_min: u32,
    /// Level of the test by which a setting is beaten.
    pub alpha: f64,
    /// Ratio, above 1, up to which a difference counts as none.
    pub epsilon_ratio: f64,
    /// Resamples of the blocks.
    pub resamples: u32,
    /// Probability from which one setting dominates another.
    pub dominance: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            rungs: vec![2, 4, 8, 16],
            eta: 3,
            blocks_min: 4,
            alpha: 0.05,
            epsilon_ratio: 1.02,
            resamples: 1000,
            dominance: 0.95,
        }
    }
}

impl Rules {
    /// [`Rules::epsilon_ratio`] as a gain.
    pub fn epsilon(&self) -> f64 {
        self.epsilon_ratio.ln()
    }
}

/// What counts how much when one setting must be picked: weights of the gains in throughput, p99 wait and processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prefer {
    /// Throughput as much as the other two together.
    #[default]
    Balanced,
    /// Nothing but throughput.
    Throughput,
    /// Mostly the p99 wait.
    Tail,
    /// Mostly processor time: for batteries and shared computers.
    Cpu,
}

impl Prefer {
    /// All, in the order of the help.
    pub const ALL: [Prefer; 4] = [Prefer::Balanced, Prefer::Throughput, Prefer::Tail, Prefer::Cpu];

    /// The name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Prefer::Balanced => "balanced",
            Prefer::Throughput => "throughput",
            Prefer::Tail => "tail",
            Prefer::Cpu => "cpu",
        }
    }

    /// The weights, in the order of [`OBJECTIVES`]; they sum to 1.
    pub const fn weights(self) -> [f64; 3] {
        match self {
            Prefer::Balanced => [0.5, 0.25, 0.25],
            Prefer::Throughput => [1.0, 0.0, 0.0],
            Prefer::Tail => [0.2, 0.7, 0.1],
            Prefer::Cpu => [0.3, 0.1, 0.6],
        }
    }
}

impl TunePlan {
    /// The values of a setting with the names of their knobs.
    pub fn named(&self, setting: usize) -> impl Iterator<Item = (&str, u64)> {
        let names = self.knobs.iter().map(|knob| knob.name.as_str());
        names.zip(self.settings[setting].iter().copied())
    }

    /// A setting in words, without what is fixed: `spin_rounds=8 pauses_per_round=30`.
    pub fn show(&self, setting: usize) -> String {
        let varied = self.knobs.iter().map(|knob| knob.values.len() > 1);
        let shown = self.named(setting).zip(varied).filter(|(_, varied)| *varied);
        shown.map(|((name, value), _)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    /// Indices of the scenarios that the search sees, simulated or measured.
    pub fn seen(&self, simulated: bool) -> Vec<usize> {
        let seen = |s: &Scenario| !s.held_out && s.is_simulated() == simulated;
        (0..self.scenarios.len()).filter(|&index| seen(&self.scenarios[index])).collect()
    }
}
