//! From trials to gains: each number against the default's of the same block, or of the same seed.
//!
//! What all trials of a block have in common (heat, neighbours, the state of the scheduler) stands above and below the
//! line and cancels.

use std::collections::HashMap;

use crate::guard::Metric;
use crate::stats::{hodges_lehmann, median};

use super::plan::{OBJECTIVES, TunePlan};
use super::trial::{Key, Numbers, Phase, Shape, Trial};

/// Trials by what tells them apart. Of two with one key the first stays.
#[derive(Clone, Debug, Default)]
pub struct Trials(HashMap<Key, Trial>);

impl Trials {
    /// From the lines of a file.
    pub fn of(trials: impl IntoIterator<Item = Trial>) -> Trials {
        let mut all = Trials::default();
        trials.into_iter().for_each(|trial| all.add(trial));
        all
    }

    /// Adds one.
    pub fn add(&mut self, trial: Trial) {
        self.0.entry(trial.key()).or_insert(trial);
    }

    /// One of them.
    pub fn get(&self, key: &Key) -> Option<&Trial> {
        self.0.get(key)
    }

    /// All, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Trial> {
        self.0.values()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers of each round of a setting in a scenario, round by round from the first, as far as they reach.
    pub fn rounds(&self, phase: Phase, scenario: usize, setting: usize, shape: Shape) -> Vec<&Numbers> {
        let of = |round| self.get(&Key { phase, scenario, setting, shape, round })?.numbers.as_ref();
        (0..).map_while(of).collect()
    }

    /// The first failure of a setting.
    pub fn failure(&self, phase: Phase, setting: usize) -> Option<&Trial> {
        let failed = self.iter().filter(|t| t.phase == phase && t.setting == setting && t.failure.is_some());
        failed.min_by_key(|t| (t.scenario, t.round))
    }
}

/// An objective: a metric in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objective {
    /// Index of the scenario.
    pub scenario: usize,
    /// Which number.
    pub metric: Metric,
}

/// What a search sees of one phase: the objectives, and the gains of every setting.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What is judged: metrics that the default has in every round.
    pub objectives: Vec<Objective>,
    /// Of each setting its gains; `None` where a trial failed or none was made.
    pub settings: Vec<Option<Gains>>,
}

/// The gains of one setting: for each objective one value a round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gains {
    /// In the order of the objectives; all of one length.
    pub objectives: Vec<Vec<f64>>,
}

impl Gains {
    /// Rounds.
    pub fn rounds(&self) -> usize {
        self.objectives.first().map_or(0, Vec::len)
    }

    /// Hodges and Lehmann's estimate of each objective.
    pub fn estimates(&self) -> Vec<f64> {
        self.objectives.iter().map(|values| hodges_lehmann(values).unwrap_or(0.0)).collect()
    }

    /// What this setting gains over another, in the rounds that both have.
    pub fn over(&self, other: &Gains) -> Gains {
        let pairs = self.objectives.iter().zip(&other.objectives);
        let objectives = pairs.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect()).collect();
        Gains { objectives }
    }
}

/// A metric's number of a trial; a wait below what the clock tells apart counts as 1 ns.
pub fn value(numbers: &Numbers, metric: Metric) -> Option<f64> {
    let value = match metric {
        Metric::Throughput => Some(numbers.throughput_per_s),
        Metric::WaitP99 => numbers.wait_ns_p99.map(|ns| ns.max(1.0)),
        Metric::CpuPerOp => numbers.cpu_ns_per_op,
        Metric::Jain => numbers.jain,
        Metric::CyclesPerOp | Metric::InstructionsPerOp => None,
    };
    value.filter(|v| v.is_finite() && *v > 0.0)
}

/// The gain of `new` over `old` in a metric: positive where it is better.
pub fn gain(metric: Metric, new: f64, old: f64) -> f64 {
    let log = (new / old).ln();
    if metric.more_is_better() { log } else { -log }
}

/// The ratio of numbers that a gain stands for.
pub fn ratio(metric: Metric, gain: f64) -> f64 {
    if metric.more_is_better() { gain.exp() } else { (-gain).exp() }
}

/// The gains of all settings in one phase.
pub fn gains(plan: &TunePlan, trials: &Trials, phase: Phase) -> Seen {
    let scenarios = plan.seen(phase == Phase::Screen);
    let mut objectives = Vec::new();
    let mut reference: Vec<Vec<f64>> = Vec::new();
    for &scenario in &scenarios {
        let rounds = trials.rounds(phase, scenario, plan.default, Shape::Tuned);
        for metric in OBJECTIVES {
            let values: Option<Vec<f64>> = rounds.iter().map(|n| value(n, metric)).collect();
            if let Some(values) = values.filter(|values| !values.is_empty()) {
                objectives.push(Objective { scenario, metric });
                reference.push(values);
            }
        }
    }
    let of_setting = |setting: usize| -> Option<Gains> {
        if trials.failure(phase, setting).is_some() || objectives.is_empty() {
            return None;
        }
        let mut gains = Vec::with_capacity(objectives.len());
        for (objective, reference) in objectives.iter().zip(&reference) {
            let rounds = trials.rounds(phase, objective.scenario, setting, Shape::Tuned);
            let pairs = rounds.iter().zip(reference);
            let values: Vec<f64> = pairs
                .map(|(n, old)| Some(gain(objective.metric, value(n, objective.metric)?, *old)))
                .collect::<Option<_>>()?;
            gains.push(values);
        }
        // An interrupted round is in some scenarios only.
        let rounds = gains.iter().map(Vec::len).min().filter(|rounds| *rounds > 0)?;
        gains.iter_mut().for_each(|values| values.truncate(rounds));
        Some(Gains { objectives: gains })
    };
    let settings = (0..plan.settings.len()).map(of_setting).collect();
    Seen { objectives, settings }
}

/// Why a setting may not be chosen, if a constraint says so.
pub fn violation(plan: &TunePlan, trials: &Trials, phase: Phase, setting: usize) -> Option<String> {
    /// The index of a few slices wobbles by so much.
    const JAIN_NOISE: f64 = 0.02;
    for scenario in plan.seen(phase == Phase::Screen) {
        let rounds = trials.rounds(phase, scenario, setting, Shape::Tuned);
        let place = || plan.scenarios[scenario].name();
        let longest = rounds.iter().filter_map(|n| n.wait_ns_max).max();
        if let (Some(longest), Some(most)) = (longest, plan.wait_ns_max)
            && longest > most
        {
            let (longest, most) = (crate::text::time(longest as f64), crate::text::time(most as f64));
            return Some(format!("longest wait {longest}, allowed {most}: {}", place()));
        }
        let jain = |setting| {
            let rounds = trials.rounds(phase, scenario, setting, Shape::Tuned);
            median(&rounds.iter().filter_map(|n| n.jain).collect::<Vec<_>>())
        };
        if let (Some(own), Some(default)) = (jain(setting), jain(plan.default)) {
            let least = plan.jain_min.min(default);
            let noise = if phase == Phase::Race { JAIN_NOISE } else { 1e-9 };
            if own < least - noise {
                return Some(format!("Jain {own:.3}, needed {least:.3}: {}", place()));
            }
        }
    }
    None
}
