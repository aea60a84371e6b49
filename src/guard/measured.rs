//! A job, carried out: screened, what looks different confirmed with fresh blocks, everything held against the controls.

use std::time::Duration;

use anyhow::Result;
use record::Tier;
use reports::compare::Verdict;
use reports::guard::blocks::{self, Block, Differences};
use reports::guard::judge::{self, Case, Judgement, Rule};
use reports::guard::{Control, Estimate, Layer, Metric, Row};
use reports::stats;

use super::pairs::{self, Measured, Pair, Plan, Side};
use super::plan::{Cell, Job};
use crate::runner::order;
use crate::runner::progress::Progress;

/// From which ratio on the calibration loop counts as moved.
const CALIBRATION_RATIO: f64 = 1.05;
/// Share of processor time given to others, from which on a note says so.
const STEAL_SHARE: f64 = 0.05;

/// How a job is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Seed of orders and draws.
    pub(crate) seed: u64,
    /// Gives a launch so long beyond what it should take.
    pub(crate) patience: Duration,
    /// Print errors only.
    pub(crate) quiet: bool,
    /// Keep the throughput of each slice.
    pub(crate) slices: bool,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Every row, in the order of the cells.
    pub(crate) rows: Vec<Row>,
    /// What the controls say.
    pub(crate) controls: Vec<Control>,
    /// What else to know.
    pub(crate) notes: Vec<String>,
    /// To be expected were nothing changed.
    pub(crate) expected_false_alarms: f64,
    /// Whether the baseline failed somewhere.
    pub(crate) baseline_failed: bool,
    /// Cell, stage, blocks: the raw data.
    pub(crate) kept: Vec<(String, &'static str, Vec<Block>)>,
}

/// One metric of one cell on its way.
struct Open {
    cell: usize,
    metric: Metric,
    screened: Result<Differences, String>,
    margin_ratio: f64,
}

/// Carries out a job.
pub(crate) fn carry_out(job: &Job, options: &Options) -> Result<Outcome> {
    let rule = Rule::default();
    let mut outcome = Outcome { notes: job.notes.clone(), ..Outcome::default() };
    let all: Vec<&Cell> = job.cells.iter().chain(&job.controls).collect();
    let whole: Vec<Pair> = all.iter().map(|cell| cell.pair.clone()).collect();
    let screen_blocks = job.screen_blocks();
    let screen = stage(&whole, screen_blocks, options, 1)?;
    let (screen, screen_controls) = screen.split_at(job.cells.len());
    let mut open = Vec::new();
    for (index, cell) in job.cells.iter().enumerate() {
        for &metric in &cell.metrics {
            let screened = differences(&screen[index].blocks, metric);
            let own: &[f64] = screened.as_ref().map_or(&[], |found| &found.own);
            let margin_ratio = judge::margin_ratio(judge::floor_ratio(own, screen_blocks as usize), &rule);
            open.push(Open { cell: index, metric, screened, margin_ratio });
        }
    }
    let goes_on = |row: &Open| {
        screen[row.cell].failed.is_none()
            && row.screened.as_ref().is_ok_and(|found| {
                let differences = &found.paired;
                judge::goes_on(&Case { metric: row.metric, differences, margin_ratio: row.margin_ratio })
            })
    };
    let sent: Vec<&Open> = open.iter().filter(|row| goes_on(row)).collect();
    let blocks = job.blocks.unwrap_or_else(|| judge::confirm_blocks(sent.len(), rule.alpha));
    // The cells that have a row to confirm, then all controls: they run through the same stages.
    let mut places: Vec<usize> = sent.iter().map(|row| row.cell).collect();
    places.dedup();
    let probes = |cell: usize| sent.iter().any(|row| row.cell == cell && row.metric == Metric::WaitP99);
    let mut fresh: Vec<Pair> = places.iter().map(|&place| job.cells[place].pair.clone()).collect();
    for (pair, &place) in fresh.iter_mut().zip(&places) {
        pair.probe = pair.probe.filter(|_| probes(place));
    }
    fresh.extend(job.controls.iter().map(|cell| cell.pair.clone()));
    let confirmed = if sent.is_empty() {
        Vec::new()
    } else {
        if !options.quiet {
            let seconds: f64 = fresh.iter().map(|pair| pair.expected().as_secs_f64()).sum();
            eprintln!(
                "{} of {} rows look different: {blocks} fresh blocks decide, about {:.0} s",
                sent.len(),
                open.len(),
                seconds * f64::from(blocks)
            );
        }
        stage(&fresh, blocks, options, 2)?
    };
    let (confirm, confirm_controls) = confirmed.split_at(places.len().min(confirmed.len()));
    let of_cell = |cell: usize| places.iter().position(|&place| place == cell).map(|at| &confirm[at]);

    // What decides, row by row; then Holm's correction over all of them.
    let decided: Vec<(usize, Differences, f64)> = open
        .iter()
        .enumerate()
        .filter(|(_, row)| goes_on(row))
        .filter_map(|(index, row)| {
            let found = differences(&of_cell(row.cell)?.blocks, row.metric).ok()?;
            let noise: Vec<f64> =
                found.own.iter().chain(row.screened.iter().flat_map(|s| &s.own)).copied().collect();
            let margin = judge::margin_ratio(judge::floor_ratio(&noise, found.paired.len()), &rule);
            Some((index, found, margin))
        })
        .collect();
    let case = |(index, found, margin_ratio): &(usize, Differences, f64)| {
        (open[*index].metric, found.paired.clone(), *margin_ratio)
    };
    let cases: Vec<(Metric, Vec<f64>, f64)> = decided.iter().map(case).collect();
    let cases: Vec<Case<'_>> = cases
        .iter()
        .map(|(metric, differences, margin)| Case { metric: *metric, differences, margin_ratio: *margin })
        .collect();
    let judged = judge::judge(&cases, &rule);
    outcome.expected_false_alarms = judge::expected_false_alarms(decided.len(), &rule);

    let last_controls = if confirm_controls.is_empty() { screen_controls } else { confirm_controls };
    outcome.controls = controls(job, last_controls, &rule);
    let everything = || screen.iter().chain(screen_controls).chain(confirm).chain(confirm_controls);
    outcome.controls.extend(calibration(everything(), &rule));
    let moved = outcome.controls.iter().any(|control| control.moved);

    for (index, row) in open.iter().enumerate() {
        let cell = &job.cells[row.cell];
        let failed = of_cell(row.cell).and_then(|m| m.failed.as_ref()).or(screen[row.cell].failed.as_ref());
        if let Some((side, failure)) = failed {
            outcome.baseline_failed |= *side == Side::Baseline;
            // Once a cell: it is one event.
            if row.metric == cell.metrics[0] {
                outcome.rows.push(failed_row(cell, row.metric, *side, failure));
            }
            continue;
        }
        let at = decided.iter().position(|(place, ..)| *place == index);
        let (judgement, found, margin_ratio) = match (at, &row.screened) {
            (Some(at), _) => (judged[at].clone(), Some(&decided[at].1), decided[at].2),
            (None, Ok(found)) => {
                let case =
                    Case { metric: row.metric, differences: &found.paired, margin_ratio: row.margin_ratio };
                (judge::screened(&case, &rule), Some(found), row.margin_ratio)
            }
            (None, Err(reason)) => (unjudged(reason), None, row.margin_ratio),
        };
        outcome.rows.push(judged_row(cell, row.metric, judgement, found, margin_ratio, at.is_some(), moved));
    }
    outcome.notes.extend(remarks(everything()));
    for (cell, measured) in job.cells.iter().zip(screen) {
        outcome.kept.push((cell.pair.name.clone(), "screen", measured.blocks.clone()));
    }
    for (&place, measured) in places.iter().zip(confirm) {
        outcome.kept.push((job.cells[place].pair.name.clone(), "confirm", measured.blocks.clone()));
    }
    for (stage, measured) in [("screen", screen_controls), ("confirm", confirm_controls)] {
        for (cell, measured) in job.controls.iter().zip(measured) {
            outcome.kept.push((format!("A/A {}", cell.pair.name), stage, measured.blocks.clone()));
        }
    }
    Ok(outcome)
}

/// The blocks of one stage, with progress.
fn stage(pairs: &[Pair], blocks: u32, options: &Options, stage: u64) -> Result<Vec<Measured>> {
    let total: Duration = pairs.iter().map(Pair::expected).sum();
    let mut progress = Progress::new(total * blocks, pairs.len() * blocks as usize, options.quiet);
    let plan = Plan {
        blocks,
        // Fresh blocks have orders and draws of their own.
        seed: order::mix(options.seed, stage),
        patience: options.patience,
        slices: options.slices,
    };
    let measured = pairs::run(pairs, &plan, &mut |pair, made| match made {
        None => progress.announce(&pair.name),
        Some(expected) => progress.advance(expected, None),
    });
    progress.finish();
    measured
}

/// The differences of a metric; a tail that is too short to judge is a reason to have none.
fn differences(blocks: &[Block], metric: Metric) -> Result<Differences, String> {
    let found = blocks::differences(blocks, metric)?;
    match blocks::short_tail(blocks).filter(|_| metric == Metric::WaitP99) {
        Some(events) => Err(format!(
            "{events} waits beyond p99 in a launch, a verdict needs {}: longer slices give more",
            reports::compare::TAIL_EVENTS_MIN
        )),
        None => Ok(found),
    }
}

fn unjudged(reason: &str) -> Judgement {
    Judgement {
        ratio: None,
        p_adjusted: 1.0,
        minimal_detectable_ratio: None,
        verdict: Verdict::Inconclusive,
        reason: reason.to_owned(),
    }
}

fn tier(metric: Metric) -> Tier {
    match metric {
        Metric::CpuPerOp => Tier::MeasuredOs,
        _ => Tier::MeasuredProbe,
    }
}

fn judged_row(
    cell: &Cell,
    metric: Metric,
    judged: Judgement,
    found: Option<&Differences>,
    margin_ratio: f64,
    confirmed: bool,
    moved: bool,
) -> Row {
    let (mut verdict, mut reason) = (judged.verdict, judged.reason);
    if moved && matches!(verdict, Verdict::Regressed | Verdict::Improved) {
        reason = format!("a control moved; it would be {}", verdict.name());
        verdict = Verdict::Contaminated;
    }
    Row {
        implementation: cell.implementation().to_owned(),
        label: cell.label().to_owned(),
        machine: cell.pair.candidate.cell.machine.clone(),
        layer: Layer::Measured,
        metric,
        tier: tier(metric),
        baseline: found.map(|found| found.baseline),
        candidate: found.map(|found| found.candidate),
        ratio: judged.ratio,
        margin_ratio,
        minimal_detectable_ratio: judged.minimal_detectable_ratio,
        blocks: found.map_or(0, |found| found.paired.len() as u32),
        confirmed,
        verdict,
        reason,
        evidence: None,
    }
}

/// A cell whose launch failed: worse than any number if the candidate's did, no verdict if the baseline's did.
fn failed_row(cell: &Cell, metric: Metric, side: Side, failure: &record::Failure) -> Row {
    let said = format!("{}: {}", failure.kind.name(), failure.detail);
    let (verdict, reason) = match side {
        Side::Candidate => {
            (Verdict::Regressed, format!("a launch of the candidate failed, none of the baseline: {said}"))
        }
        Side::Baseline => (Verdict::Inconclusive, format!("a launch of the baseline failed: {said}")),
    };
    let judged = Judgement { verdict, ..unjudged(&reason) };
    judged_row(cell, metric, judged, None, Rule::default().margin_ratio_min, false, false)
}

/// What the A/A pairs say.
fn controls(job: &Job, measured: &[Measured], rule: &Rule) -> Vec<Control> {
    let mut found = Vec::new();
    let count: usize = job.controls.iter().map(|cell| cell.metrics.len()).sum();
    for (cell, measured) in job.controls.iter().zip(measured) {
        for &metric in &cell.metrics {
            let name = format!("A/A {} {}", cell.pair.name, metric.name());
            // A tail that is too short to judge, or a value without a ratio, controls nothing; the row says the same.
            let Ok(seen) = differences(&measured.blocks, metric) else { continue };
            // A control's own noise may not excuse it: it is held against the least margin.
            let case = Case { metric, differences: &seen.paired, margin_ratio: rule.margin_ratio_min };
            let (ratio, moved) = judge::control_moved(&case, count, rule);
            let detail = format!("{} blocks of the baseline against a copy of itself", seen.paired.len());
            found.push(Control { name, ratio, moved, detail });
        }
    }
    found
}

/// What the fixed work says that was done before each launch: the same for both arms, and the same all the time.
fn calibration<'m>(measured: impl Iterator<Item = &'m Measured>, rule: &Rule) -> Vec<Control> {
    let (mut paired, mut early, mut late) = (Vec::new(), Vec::new(), Vec::new());
    for measured in measured {
        let half = measured.blocks.len() / 2;
        for (index, block) in measured.blocks.iter().enumerate() {
            let logarithms = |side: &[reports::guard::blocks::Taken]| -> Vec<f64> {
                side.iter().filter_map(|taken| taken.calibration_ns).map(f64::ln).collect()
            };
            let (a, b) = (logarithms(&block.baseline), logarithms(&block.candidate));
            if a.is_empty() || b.is_empty() {
                continue;
            }
            paired.push(b.iter().sum::<f64>() / b.len() as f64 - a.iter().sum::<f64>() / a.len() as f64);
            if index < half { early.extend(a) } else { late.extend(b) }
        }
    }
    let case = Case { metric: Metric::CpuPerOp, differences: &paired, margin_ratio: CALIBRATION_RATIO };
    let (ratio, moved) = judge::control_moved(&case, 1, rule);
    let between = Control {
        name: "calibration loop, candidate against baseline".into(),
        ratio,
        moved,
        detail: format!("fixed work before each launch, {} blocks", paired.len()),
    };
    let mut found = vec![between];
    if let Ok(ratio) = stats::ratio(
        &early.iter().map(|v: &f64| v.exp()).collect::<Vec<_>>(),
        &late.iter().map(|v: &f64| v.exp()).collect::<Vec<_>>(),
        1.0 - rule.alpha,
    ) {
        found.push(Control {
            name: "calibration loop, second half against first".into(),
            moved: ratio.low > CALIBRATION_RATIO || ratio.high < 1.0 / CALIBRATION_RATIO,
            ratio: Some(Estimate {
                ratio: ratio.estimate,
                low: ratio.low,
                high: ratio.high,
                confidence: ratio.confidence,
                p: None,
            }),
            detail: format!("fixed work, {} and {} launches", ratio.launches_a, ratio.launches_b),
        });
    }
    found
}

/// What to know of the computer meanwhile.
fn remarks<'m>(measured: impl Iterator<Item = &'m Measured> + Clone) -> Vec<String> {
    let mut notes = Vec::new();
    let (repeated, disturbed) =
        measured.clone().fold((0, 0), |(r, d), measured| (r + measured.repeated, d + measured.disturbed));
    if repeated + disturbed > 0 {
        notes.push(format!(
            "other programs took cores: {repeated} blocks were made anew, {disturbed} were kept as they are"
        ));
    }
    let steals: Vec<f64> = measured
        .flat_map(|measured| &measured.blocks)
        .flat_map(Block::launches)
        .filter_map(|taken| taken.steal_share)
        .collect();
    if let Some(most) = stats::quantile(&steals, 0.95).filter(|share| *share > STEAL_SHARE) {
        notes.push(format!(
            "the hypervisor gave {:.0} % of the processors' time to others in one launch of twenty",
            most * 100.0
        ));
    }
    notes
}
