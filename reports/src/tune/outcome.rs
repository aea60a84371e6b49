//! Everything that a search found: what each setting gains and where, who is on the front, which one was picked, whether
//! fresh launches confirm it, and the answer.

use serde::{Deserialize, Serialize};

use super::effects::{Effect, main_effects};
use super::gains::{Gains, Objective, Seen, Trials, gains, ratio};
use super::judge::{Judged, judge, loss};
use super::knobs::verdict;
use super::pareto;
use super::plan::{Scenario, TunePlan, VERSION};
use super::race::Fate;
use super::regret;
use super::trial::{Numbers, Phase, Shape};
use crate::compare::Verdict;
use crate::guard::{Control, Estimate, Metric, Row};
use crate::stats::median;

/// The value of [`TuneReport::kind`].
pub const KIND: &str = "synchroscope-tune";
/// Confidence of the intervals in tables and pictures.
const CONFIDENCE: f64 = 0.95;

/// The outcome of one search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuneReport {
    /// [`KIND`].
    pub kind: String,
    /// [`VERSION`].
    pub version: u32,
    /// The search as it was planned.
    pub plan: TunePlan,
    /// First 12 hexadecimal digits of SHA-256 over the trials.
    pub evidence: String,
    /// How many trials there are.
    pub trials: usize,
    /// Trials of the race that a rule of truth doubts.
    pub doubted: usize,
    /// In which phase front, regrets and pick were judged.
    pub judged: Phase,
    /// Every setting, in the order of the plan.
    pub settings: Vec<SettingOutcome>,
    /// History's shape against the shape that reads parameters at run time, both with history's values.
    pub shapes: Vec<ShapeRatio>,
    /// What each knob does, in the order of the plan.
    pub knobs: Vec<KnobOutcome>,
    /// The setting of minimax regret.
    pub picked: usize,
    /// What fresh launches say of it; absent if the default was picked.
    pub confirmation: Option<Confirmation>,
    /// The answer.
    pub answer: Answer,
    /// What else the reader must know, a sentence each.
    pub notes: Vec<String>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettingOutcome {
    /// Where its way ended.
    pub fate: Fate,
    /// The constraint that it breaks in the phase that is judged.
    pub violation: Option<String>,
    /// What it does in each scenario in which it was tried.
    pub places: Vec<Place>,
    /// Share of the resamples in which nobody dominates it; absent for those that are not judged.
    pub membership: Option<f64>,
    /// Who dominates it most surely, and how surely.
    pub dominator: Option<(usize, f64)>,
    /// Its largest regret over the scenarios, as a gain.
    pub regret_worst: Option<f64>,
}

impl SettingOutcome {
    /// Whether it is on the front: nobody dominates it with the probability that the rules ask for.
    pub fn on_front(&self, plan: &TunePlan) -> bool {
        self.membership.is_some()
            && self.violation.is_none()
            && self.dominator.is_none_or(|(_, p)| p < plan.rules.dominance)
    }
}

/// One setting in one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Index of the scenario.
    pub scenario: usize,
    /// Rounds: blocks, or seeds.
    pub rounds: usize,
    /// Medians over the rounds; the longest wait is that of all rounds.
    pub numbers: Numbers,
    /// Ratios to the default of the same rounds.
    pub ratios: Vec<MetricRatio>,
    /// Its score: the weighted gain.
    pub score: f64,
    /// What the best setting of the scenario scores more; absent for those that are not judged.
    pub regret: Option<f64>,
}

/// A metric of a setting against the default's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRatio {
    /// Which number.
    pub metric: Metric,
    /// Setting by default: Hodges and Lehmann's estimate, and a bootstrap interval over blocks or seeds.
    pub ratio: Estimate,
}

/// The default in two shapes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShapeRatio {
    /// Index of the scenario.
    pub scenario: usize,
    /// Blocks.
    pub blocks: usize,
    /// Throughput of the shape that reads parameters, by that of history's shape.
    pub throughput: Estimate,
}

/// What a knob does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnobOutcome {
    /// What the simulated machines say.
    pub simulated: KnobVerdict,
    /// What the race says.
    pub measured: KnobVerdict,
    /// Its main effect on the score of each scenario in which all settings were simulated.
    pub effects: Vec<(usize, Effect)>,
}

/// Whether a knob does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnobVerdict {
    /// It was not tried there.
    Untried,
    /// No effect: settings that differ in nothing else give the same trace, cycle by cycle.
    Identical,
    /// No effect beyond the tolerance.
    NoEffect,
    /// No effect was shown, and of some pairs of settings there are too few blocks to show any.
    NotShown,
    /// It has one.
    Effect,
}

impl KnobVerdict {
    /// The words in tables.
    pub const fn name(self) -> &'static str {
        match self {
            KnobVerdict::Untried => "not tried",
            KnobVerdict::Identical => "no effect: identical traces",
            KnobVerdict::NoEffect => "no effect",
            KnobVerdict::NotShown => "cannot tell: too few blocks",
            KnobVerdict::Effect => "effect",
        }
    }
}

/// Fresh launches of the picked setting against the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// A row for each metric and scenario.
    pub rows: Vec<Row>,
    /// What must not move.
    pub controls: Vec<Control>,
    /// Why there are no rows: a launch failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Answer {
    /// Keep history's values.
    Keep {
        /// Why.
        reason: String,
    },
    /// Take others.
    Change {
        /// Index of the setting.
        setting: usize,
        /// Why.
        reason: String,
    },
}

impl TuneReport {
    /// The setting that the answer says.
    pub fn chosen(&self) -> usize {
        match self.answer {
            Answer::Keep { .. } => self.plan.default,
            Answer::Change { setting, .. } => setting,
        }
    }

    /// The scenario of an index.
    pub fn scenario(&self, index: usize) -> &Scenario {
        &self.plan.scenarios[index]
    }
}

/// Puts everything together. `fates` has one entry a setting; `confirmation` is missing where the default was picked.
pub fn conclude(
    plan: &TunePlan,
    trials: &Trials,
    evidence: &str,
    fates: Vec<Fate>,
    confirmation: Option<Confirmation>,
    mut notes: Vec<String>,
) -> TuneReport {
    let judged = judge(plan, trials);
    let screened = gains(plan, trials, Phase::Screen);
    let raced = gains(plan, trials, Phase::Race);
    let answer = answer(plan, &judged, confirmation.as_ref());
    let outcome = |(setting, fate): (usize, Fate)| {
        let mut places = places(plan, trials, &screened, Phase::Screen, setting);
        places.extend(self::places(plan, trials, &raced, Phase::Race, setting));
        let at = judged.settings.iter().position(|s| *s == setting);
        let regrets = at.map(|at| &judged.regrets[at]);
        if let Some(regrets) = regrets {
            for (scenario, regret) in judged.scenarios.iter().zip(regrets) {
                places.iter_mut().filter(|p| p.scenario == *scenario).for_each(|p| p.regret = Some(*regret));
            }
        }
        SettingOutcome {
            fate,
            violation: judged.violations[setting].clone(),
            places,
            membership: at.map(|at| judged.front.membership[at]),
            dominator: at.and_then(|at| judged.front.dominator[at]),
            regret_worst: regrets.map(|r| r.iter().copied().fold(0.0, f64::max)),
        }
    };
    let settings: Vec<SettingOutcome> = fates.into_iter().enumerate().map(outcome).collect();
    if judged.trade != judged.picked
        && let Some((objective, gain)) = judged.seen.settings[judged.trade]
            .as_ref()
            .and_then(|g| loss(plan, &judged.seen, judged.phase, g))
    {
        notes.push(format!(
            "{} has the smallest worst regret of the whole front, and pays for it: {} {} at {}",
            plan.show(judged.trade),
            objective.metric.name(),
            crate::text::change(ratio(objective.metric, gain)),
            plan.scenarios[objective.scenario].name()
        ));
    }
    let doubted = trials.iter().filter(|trial| !trial.doubts.is_empty()).count();
    if doubted > 0 {
        notes.push(format!(
            "{doubted} of {} measured trials are doubted by a rule of truth, mostly for cores that were not free; all count, \
             and blocks pair them",
            trials.iter().filter(|trial| trial.phase == Phase::Race).count()
        ));
    }
    TuneReport {
        kind: KIND.into(),
        version: VERSION,
        plan: plan.clone(),
        evidence: evidence.to_owned(),
        trials: trials.len(),
        doubted,
        judged: judged.phase,
        shapes: shapes(plan, trials),
        knobs: knobs(plan, trials, &screened, &raced),
        settings,
        picked: judged.picked,
        confirmation,
        answer,
        notes,
    }
}

fn answer(plan: &TunePlan, judged: &Judged, confirmation: Option<&Confirmation>) -> Answer {
    let keep = |reason: String| Answer::Keep { reason };
    if !judged.allowed.iter().any(|allowed| *allowed) {
        return keep("no setting keeps the constraints in every scenario".into());
    }
    if judged.picked == plan.default {
        return keep(format!(
            "among the settings that are nowhere worse than the default none has a worst regret smaller by more than {}",
            crate::text::percent(plan.rules.epsilon_ratio - 1.0)
        ));
    }
    let shown = plan.show(judged.picked);
    let fresh = if plan.simulate_only { "fresh seeds" } else { "fresh launches" };
    let Some(confirmation) = confirmation else {
        return keep(format!("{shown} was picked, but not confirmed by fresh launches"));
    };
    if let Some(failed) = &confirmation.failed {
        return keep(format!("{shown} was picked, but a launch of the confirmation failed: {failed}"));
    }
    let name = |row: &Row| format!("{} at {} on {}", row.metric.name(), row.label, row.machine);
    let with = |verdict: Verdict| confirmation.rows.iter().find(|row| row.verdict == verdict);
    if let Some(control) = confirmation.controls.iter().find(|control| control.moved) {
        return keep(format!(
            "{shown} was picked, but the confirmation is contaminated: {} moved ({})",
            control.name, control.detail
        ));
    }
    for (verdict, words) in [
        (Verdict::Regressed, "is worse in"),
        (Verdict::Contaminated, "cannot be judged in"),
        (Verdict::Inconclusive, "is not shown to be equivalent in"),
    ] {
        if let Some(row) = with(verdict) {
            return keep(format!("{shown} was picked, but on {fresh} it {words} {}", name(row)));
        }
    }
    let improved: Vec<&Row> =
        confirmation.rows.iter().filter(|row| row.verdict == Verdict::Improved).collect();
    let Some(first) = improved.first() else {
        return keep(format!("{shown} was picked, but on {fresh} it is better nowhere"));
    };
    let change = first.ratio.map_or_else(String::new, |r| format!(" ({})", crate::text::change(r.ratio)));
    let held_out = plan.scenarios.iter().filter(|s| s.held_out).count();
    let scope = match held_out {
        0 => format!("{fresh} of the same workloads"),
        1 => format!("{fresh}, one held-out scenario among them"),
        n => format!("{fresh}, {n} held-out scenarios among them"),
    };
    Answer::Change {
        setting: judged.picked,
        reason: format!(
            "nowhere worse and better in {} of {} rows on {scope}: first {}{change}",
            improved.len(),
            confirmation.rows.len(),
            name(first)
        ),
    }
}

fn places(plan: &TunePlan, trials: &Trials, seen: &Seen, phase: Phase, setting: usize) -> Vec<Place> {
    let Some(gains) = seen.settings[setting].as_ref() else { return Vec::new() };
    let estimates = gains.estimates();
    let intervals = pareto::intervals(gains, CONFIDENCE, plan.rules.resamples.min(400), plan.seed);
    let (scenarios, scores) = regret::scores(&seen.objectives, &estimates, plan.prefer);
    let place = |(scenario, score): (usize, f64)| {
        let rounds = trials.rounds(phase, scenario, setting, Shape::Tuned);
        let of = |(at, objective): (usize, &Objective)| {
            let metric = objective.metric;
            let (a, b) = (ratio(metric, intervals[at].0), ratio(metric, intervals[at].1));
            let ratio = Estimate {
                ratio: ratio(metric, estimates[at]),
                low: a.min(b),
                high: a.max(b),
                confidence: CONFIDENCE,
                p: None,
            };
            MetricRatio { metric, ratio }
        };
        let own = seen.objectives.iter().enumerate().filter(|(_, o)| o.scenario == scenario);
        Place {
            scenario,
            rounds: gains.rounds(),
            numbers: medians(&rounds),
            ratios: own.map(of).collect(),
            score,
            regret: None,
        }
    };
    scenarios.into_iter().zip(scores).map(place).collect()
}

fn medians(rounds: &[&Numbers]) -> Numbers {
    let of = |number: &dyn Fn(&Numbers) -> Option<f64>| {
        median(&rounds.iter().filter_map(|n| number(n)).collect::<Vec<_>>())
    };
    Numbers {
        throughput_per_s: of(&|n| Some(n.throughput_per_s)).unwrap_or(0.0),
        wait_ns_p99: of(&|n| n.wait_ns_p99),
        cpu_ns_per_op: of(&|n| n.cpu_ns_per_op),
        jain: of(&|n| n.jain),
        wait_ns_max: rounds.iter().filter_map(|n| n.wait_ns_max).max(),
        trace_hash: None,
    }
}

/// History's shape is measured in the same blocks as the others.
fn shapes(plan: &TunePlan, trials: &Trials) -> Vec<ShapeRatio> {
    let of = |scenario: usize| {
        let tuned = trials.rounds(Phase::Race, scenario, plan.default, Shape::Tuned);
        let constant = trials.rounds(Phase::Race, scenario, plan.default, Shape::Constant);
        let logs: Vec<f64> = tuned
            .iter()
            .zip(&constant)
            .map(|(new, old)| (new.throughput_per_s / old.throughput_per_s).ln())
            .filter(|log| log.is_finite())
            .collect();
        let gains = Gains { objectives: vec![logs] };
        let estimate = *gains.estimates().first().filter(|_| gains.rounds() > 0)?;
        let (low, high) = *pareto::intervals(&gains, CONFIDENCE, plan.rules.resamples, plan.seed).first()?;
        let throughput = Estimate {
            ratio: estimate.exp(),
            low: low.exp(),
            high: high.exp(),
            confidence: CONFIDENCE,
            p: crate::stats::sign_flip(&gains.objectives[0]).map(|test| test.p),
        };
        Some(ShapeRatio { scenario, blocks: gains.rounds(), throughput })
    };
    plan.seen(false).into_iter().filter_map(of).collect()
}

fn knobs(plan: &TunePlan, trials: &Trials, screened: &Seen, raced: &Seen) -> Vec<KnobOutcome> {
    let level = |setting: &Vec<u64>| -> Vec<usize> {
        let of = |(value, knob): (&u64, &super::plan::Knob)| knob.values.iter().position(|v| v == value);
        setting.iter().zip(&plan.knobs).map(|pair| of(pair).unwrap_or(0)).collect()
    };
    let levels: Vec<Vec<usize>> = plan.settings.iter().map(level).collect();
    let counts: Vec<usize> = plan.knobs.iter().map(|knob| knob.values.len()).collect();
    let scores = |seen: &Seen| -> Vec<Option<(Vec<usize>, Vec<f64>)>> {
        let of =
            |g: &Option<Gains>| Some(regret::scores(&seen.objectives, &g.as_ref()?.estimates(), plan.prefer));
        seen.settings.iter().map(of).collect()
    };
    let simulated = scores(screened);
    let mut effects: Vec<Vec<(usize, Effect)>> = vec![Vec::new(); plan.knobs.len()];
    let scenarios =
        simulated.iter().flatten().next().map_or_else(Vec::new, |(scenarios, _)| scenarios.clone());
    for (at, scenario) in scenarios.iter().enumerate() {
        let of: Vec<Option<f64>> =
            simulated.iter().map(|s| s.as_ref().map(|(_, scores)| scores[at])).collect();
        for (knob, effect) in main_effects(&levels, &counts, &of).into_iter().enumerate() {
            effects[knob].push((*scenario, effect));
        }
    }
    let verdicts = |knob: usize| KnobOutcome {
        simulated: verdict(plan, trials, screened, Phase::Screen, knob),
        measured: verdict(plan, trials, raced, Phase::Race, knob),
        effects: Vec::new(),
    };
    let with = |(knob, effects)| KnobOutcome { effects, ..verdicts(knob) };
    effects.into_iter().enumerate().map(with).collect()
}
