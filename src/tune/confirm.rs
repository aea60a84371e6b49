//! The pick against the default, with launches that the search has not seen: on this computer in paired blocks, by
//! `guard`'s rule; on simulated machines with fresh seeds.
//!
//! Whoever is chosen from many for what was measured looks better than it is. So nothing that was measured before counts
//! here, and the held-out workloads are tried for the first time.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use record::{ProbeMode, Tier};
use reports::compare::Verdict;
use reports::guard::blocks::{Block, Differences, differences, short_tail};
use reports::guard::judge::{Case, Rule, control_moved, floor_ratio, judge, margin_ratio};
use reports::guard::{Control, Estimate, Layer, Metric, Row};
use reports::stats::{hodges_lehmann, sign_flip};
use reports::tune::gains::{gain, ratio, value};
use reports::tune::outcome::Confirmation;
use reports::tune::{Phase, Shape};
use serde::{Deserialize, Serialize};

use super::log::Log;
use super::plan::{CONFIRM_ALPHA, CONFIRM_SEEDS, blocks, confirmed};
use super::{Search, screen};
use crate::guard::pairs::{self, Arm, Measured, Pair, Side};
use crate::runner::child::Program;
use crate::runner::{INTERRUPTED, order};

/// What is judged on this computer.
const METRICS: [Metric; 4] = [Metric::Throughput, Metric::WaitP99, Metric::CpuPerOp, Metric::Jain];
/// Blocks that are made and kept together: one ABBA, one BAAB.
const TOGETHER: u32 = 2;
/// The fixed work may take so much more beside one arm than beside the other.
const CALIBRATION_MARGIN: f64 = 1.05;

/// A line of `confirmation.jsonl`: some blocks of all pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Which blocks, counted in twos.
    chunk: u32,
    /// The setting that is confirmed.
    setting: usize,
    /// The blocks of each pair: the scenarios in order, then the default against itself.
    pairs: Vec<Vec<Block>>,
    /// How a launch failed, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// On this computer.
pub(super) fn measured(search: &Search<'_>, path: &Path, setting: usize) -> Result<Confirmation> {
    let plan = search.plan;
    let scenarios = confirmed(plan);
    let pairs = arms(search, &scenarios, setting)?;
    let (mut log, lines) = Log::<Line>::open(path)?;
    let chunks = blocks(plan) / TOGETHER;
    let each: Duration = pairs.iter().map(|pair| pair.expected()).sum::<Duration>();
    let mut progress = search.progress(each * blocks(plan), pairs.len() * blocks(plan) as usize);
    let mut blocks: Vec<Vec<Block>> = vec![Vec::new(); pairs.len()];
    for chunk in 0..chunks {
        let known = lines.iter().find(|line| line.chunk == chunk && line.setting == setting);
        let line = match known.filter(|line| line.pairs.len() == pairs.len()) {
            Some(line) => line.clone(),
            None => {
                let made = pairs::run(
                    &pairs,
                    &pairs::Plan {
                        blocks: TOGETHER,
                        // Nothing that the race drew.
                        seed: order::mix(plan.seed ^ 0xC0FF_EE00, u64::from(chunk)),
                        patience: search.patience,
                        slices: false,
                    },
                    &mut |pair, took| match took {
                        None => progress.announce(&pair.name),
                        Some(took) => progress.advance(took, None),
                    },
                )?;
                if INTERRUPTED.load(Ordering::Relaxed) {
                    bail!("interrupted");
                }
                let line = Line {
                    chunk,
                    setting,
                    failure: failure(&pairs, &made),
                    pairs: made.into_iter().map(|measured| measured.blocks).collect(),
                };
                log.append(&line)?;
                line
            }
        };
        if let Some(failure) = &line.failure {
            progress.finish();
            return Ok(Confirmation {
                rows: Vec::new(),
                controls: Vec::new(),
                failed: Some(failure.clone()),
            });
        }
        for (all, new) in blocks.iter_mut().zip(line.pairs) {
            all.extend(new);
        }
    }
    progress.finish();
    Ok(judged(search, &scenarios, &blocks))
}

fn failure(pairs: &[Pair], made: &[Measured]) -> Option<String> {
    let of = |(pair, measured): (&Pair, &Measured)| {
        let (side, failure) = measured.failed.as_ref()?;
        let side = if *side == Side::Baseline { "the default" } else { "the pick" };
        Some(format!("{}, {side}: {}: {}", pair.name, failure.kind.name(), failure.detail))
    };
    pairs.iter().zip(made).find_map(of)
}

/// The pick against the default in each scenario, and the default against itself in the first.
fn arms(search: &Search<'_>, scenarios: &[usize], setting: usize) -> Result<Vec<Pair>> {
    let plan = search.plan;
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let arm = |scenario: usize, setting: usize| {
        let mut cell = plan.scenarios[scenario].cell.clone();
        cell.params = plan.named(setting).map(|(name, value)| (name.to_owned(), value)).collect();
        Arm { program: Program::own(&own), cell, tuned_shape: true }
    };
    let pair = |scenario: usize, candidate: usize| Pair {
        name: plan.scenarios[scenario].cell.point.label.clone(),
        baseline: arm(scenario, plan.default),
        candidate: arm(scenario, candidate),
        probe: Some(ProbeMode::Full),
    };
    let control = scenarios.first().map(|scenario| pair(*scenario, plan.default));
    Ok(scenarios.iter().map(|scenario| pair(*scenario, setting)).chain(control).collect())
}

fn judged(search: &Search<'_>, scenarios: &[usize], blocks: &[Vec<Block>]) -> Confirmation {
    let plan = search.plan;
    let rule = Rule { alpha: CONFIRM_ALPHA, ..Rule::default() };
    let mut rows: Vec<Row> = Vec::new();
    let mut found: Vec<(usize, Differences, f64)> = Vec::new();
    for (&scenario, blocks) in scenarios.iter().zip(blocks) {
        for metric in METRICS {
            let mut row = row(plan, scenario, metric, blocks.len() as u32);
            match differences(blocks, metric) {
                // One thread is even with itself, whatever its lock.
                Ok(d) if metric == Metric::Jain && d.paired.iter().all(|d| *d == 0.0) => {
                    (row.baseline, row.candidate) = (Some(d.baseline), Some(d.candidate));
                    row.ratio = Some(Estimate { ratio: 1.0, low: 1.0, high: 1.0, confidence: 1.0, p: None });
                    row.verdict = Verdict::Equivalent;
                }
                Ok(d) => {
                    let margin = margin_ratio(floor_ratio(&d.own, d.paired.len()), &rule);
                    (row.baseline, row.candidate) = (Some(d.baseline), Some(d.candidate));
                    row.margin_ratio = margin;
                    found.push((rows.len(), d, margin));
                }
                Err(reason) => row.reason = reason,
            }
            if metric == Metric::WaitP99
                && let Some(events) = short_tail(blocks)
            {
                row.reason = format!("only {events} waits beyond p99 in a launch");
            }
            rows.push(row);
        }
    }
    let metric_of = |at: &usize| rows[*at].metric;
    let cases: Vec<Case<'_>> = found
        .iter()
        .map(|(at, d, margin)| Case { metric: metric_of(at), differences: &d.paired, margin_ratio: *margin })
        .collect();
    let judgements = judge(&cases, &rule);
    for ((at, ..), judgement) in found.iter().zip(judgements) {
        let row = &mut rows[*at];
        row.ratio = judgement.ratio;
        row.minimal_detectable_ratio = judgement.minimal_detectable_ratio;
        row.verdict = judgement.verdict;
        if !judgement.reason.is_empty() {
            row.reason = judgement.reason;
        }
    }
    Confirmation { rows, controls: controls(search, scenarios, blocks, &rule), failed: None }
}

fn row(plan: &reports::tune::TunePlan, scenario: usize, metric: Metric, blocks: u32) -> Row {
    let cell = &plan.scenarios[scenario].cell;
    let tier = match (plan.simulate_only, metric) {
        (true, _) => Tier::Simulated,
        (false, Metric::CpuPerOp) => Tier::MeasuredOs,
        (false, _) => Tier::MeasuredProbe,
    };
    Row {
        implementation: cell.implementation.clone(),
        label: cell.point.label.clone(),
        machine: cell.machine.clone(),
        layer: if plan.simulate_only { Layer::Exact } else { Layer::Measured },
        metric,
        tier,
        baseline: None,
        candidate: None,
        ratio: None,
        margin_ratio: plan.rules.epsilon_ratio,
        minimal_detectable_ratio: None,
        blocks,
        confirmed: true,
        verdict: Verdict::Inconclusive,
        reason: String::new(),
        evidence: None,
    }
}

/// The default against itself, and the fixed work beside both arms.
fn controls(search: &Search<'_>, scenarios: &[usize], blocks: &[Vec<Block>], rule: &Rule) -> Vec<Control> {
    let mut controls = Vec::new();
    let name = |metric: Metric| {
        let label = scenarios.first().map_or("", |s| search.plan.scenarios[*s].cell.point.label.as_str());
        format!("the default against itself, {} at {label}", metric.name())
    };
    if let Some(own) = blocks.get(scenarios.len()) {
        let kept = [Metric::Throughput, Metric::CpuPerOp];
        for metric in kept {
            let Ok(d) = differences(own, metric) else { continue };
            let margin = margin_ratio(floor_ratio(&d.own, d.paired.len()), rule);
            let case = Case { metric, differences: &d.paired, margin_ratio: margin };
            controls.push(control(name(metric), &case, kept.len() + 1, rule));
        }
    }
    let fixed: Vec<f64> = blocks.iter().take(scenarios.len()).flatten().filter_map(fixed_work).collect();
    let case = Case { metric: Metric::CpuPerOp, differences: &fixed, margin_ratio: CALIBRATION_MARGIN };
    controls.push(control("fixed work beside the pick, by that beside the default".into(), &case, 3, rule));
    controls
}

fn control(name: String, case: &Case<'_>, of: usize, rule: &Rule) -> Control {
    let (ratio, moved) = control_moved(case, of, rule);
    let detail = ratio.map_or_else(
        || "too few blocks".to_owned(),
        |r| format!("ratio {:.3}, {:.3} to {:.3}, margin {:.3}", r.ratio, r.low, r.high, case.margin_ratio),
    );
    Control { name, ratio, moved, detail }
}

fn fixed_work(block: &Block) -> Option<f64> {
    let mean = |launches: &[reports::guard::blocks::Taken]| {
        let logs: Option<Vec<f64>> = launches.iter().map(|taken| taken.calibration_ns.map(f64::ln)).collect();
        let logs = logs.filter(|logs| !logs.is_empty())?;
        Some(logs.iter().sum::<f64>() / logs.len() as f64)
    };
    Some(mean(&block.candidate)? - mean(&block.baseline)?)
}

/// On simulated machines: the same scenarios and the held-out ones, with fresh seeds. What varies is the seed alone, so a
/// row is equivalent if the estimate lies within the tolerance, and different if it does not and the signs agree.
pub(super) fn simulated(search: &Search<'_>, setting: usize) -> Result<Confirmation> {
    let plan = search.plan;
    let scenarios = confirmed(plan);
    let mut jobs = Vec::new();
    for round in 0..CONFIRM_SEEDS {
        for &scenario in &scenarios {
            jobs.extend([plan.default, setting].map(|setting| screen::Job { scenario, setting, round }));
        }
    }
    screen::run(search, Phase::Confirm, &jobs)?;
    let state = search.state();
    let mut rows = Vec::new();
    for &scenario in &scenarios {
        let rounds = |setting| state.trials.rounds(Phase::Confirm, scenario, setting, Shape::Tuned);
        let (old, new) = (rounds(plan.default), rounds(setting));
        for metric in METRICS {
            let mut row = row(plan, scenario, metric, CONFIRM_SEEDS);
            let gains: Option<Vec<f64>> = old
                .iter()
                .zip(&new)
                .map(|(old, new)| Some(gain(metric, value(new, metric)?, value(old, metric)?)))
                .collect();
            let complete = old.len() == CONFIRM_SEEDS as usize && new.len() == old.len();
            let Some(gains) = gains.filter(|_| complete) else {
                row.reason = "a simulation failed, or has no such number".into();
                // A number that neither has is no reason against a setting.
                let absent =
                    |numbers: &[&reports::tune::Numbers]| numbers.iter().all(|n| value(n, metric).is_none());
                if complete && absent(&old) && absent(&new) {
                    continue;
                }
                rows.push(row);
                continue;
            };
            let estimate = hodges_lehmann(&gains).unwrap_or(0.0);
            let p = sign_flip(&gains).map_or(1.0, |test| test.p);
            let ends = [
                gains.iter().copied().fold(f64::INFINITY, f64::min),
                gains.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ]
            .map(|gain| ratio(metric, gain));
            row.ratio = Some(Estimate {
                ratio: ratio(metric, estimate),
                low: ends[0].min(ends[1]),
                high: ends[0].max(ends[1]),
                confidence: 1.0,
                p: Some(p),
            });
            let median = |numbers: &[&reports::tune::Numbers]| {
                reports::stats::median(&numbers.iter().filter_map(|n| value(n, metric)).collect::<Vec<_>>())
            };
            (row.baseline, row.candidate) = (median(&old), median(&new));
            let epsilon = plan.rules.epsilon();
            (row.verdict, row.reason) = match estimate {
                e if e.abs() <= epsilon => (Verdict::Equivalent, String::new()),
                e if p > plan.rules.alpha => (Verdict::Inconclusive, format!("seeds disagree about {e:+.3}")),
                e if e > 0.0 => (Verdict::Improved, String::new()),
                _ => (Verdict::Regressed, String::new()),
            };
            rows.push(row);
        }
    }
    Ok(Confirmation { rows, controls: Vec::new(), failed: None })
}
