//! A search in the terminal: what was picked, why, what each knob does, and the settings that came far.

use std::fmt::Write as _;

use super::outcome::{Answer, KnobVerdict, SettingOutcome, TuneReport};
use super::race::Fate;
use super::snippet;
use super::trial::Phase;
use crate::text::{Align, aligned, change, percent};

/// Settings that the table shows at most.
const ROWS_MAX: usize = 14;

/// The table, the knobs, the answer.
pub fn text(report: &TuneReport) -> String {
    let mut out = String::new();
    let plan = &report.plan;
    let tier = tier(report.judged);
    let _ = writeln!(
        out,
        "{}: {} settings, {} trials, seed {}\nRatios to the default in the same {}; {tier}.\n",
        plan.implementation,
        plan.settings.len(),
        report.trials,
        plan.seed,
        if report.judged == Phase::Race { "blocks" } else { "seeds" },
    );
    let headings = [
        ("setting", Align::Left),
        ("worst regret", Align::Right),
        ("on the front", Align::Right),
        ("throughput, worst to best", Align::Right),
        ("p99 wait", Align::Right),
        ("CPU per op", Align::Right),
        ("fate", Align::Left),
    ];
    let shown = order(report);
    let row = |&setting: &usize| {
        let outcome = &report.settings[setting];
        let mark = match setting {
            s if s == report.chosen() => "→ ",
            s if s == plan.default => "· ",
            _ => "  ",
        };
        let default = if setting == plan.default { " (default)" } else { "" };
        let metrics = super::plan::OBJECTIVES.map(|metric| range(report, outcome, metric));
        let [throughput, wait, cpu] = metrics;
        vec![
            format!("{mark}{}{default}", plan.show(setting)),
            outcome.regret_worst.map_or_else(|| "-".into(), |r| percent(r.exp() - 1.0)),
            outcome.membership.map_or_else(|| "-".into(), percent),
            throughput,
            wait,
            cpu,
            fate(report, outcome),
        ]
    };
    let rows: Vec<Vec<String>> = shown.iter().take(ROWS_MAX).map(row).collect();
    out.push_str(&aligned(&headings, &rows));
    let left = shown.len().saturating_sub(ROWS_MAX);
    if left > 0 {
        let _ = writeln!(out, "  and {left} more, in the page and in the JSON");
    }
    out.push('\n');
    for (knob, found) in plan.knobs.iter().zip(&report.knobs) {
        let share = found.effects.iter().map(|(_, e)| e.share).fold(0.0, f64::max);
        let mut line = format!("{}: simulated: {}", knob.name, found.simulated.name());
        if found.simulated == KnobVerdict::Effect {
            let _ = write!(line, ", up to {} of the variance of a scenario", percent(share));
        }
        let _ = writeln!(out, "{line}; measured: {}", found.measured.name());
    }
    for shape in &report.shapes {
        let ratio = shape.throughput;
        let _ = writeln!(
            out,
            "reading parameters at run time: throughput {} ({} to {}, {} blocks), {}; measured-probe",
            change(ratio.ratio),
            change(ratio.low),
            change(ratio.high),
            shape.blocks,
            report.scenario(shape.scenario).cell.point.label
        );
    }
    for row in report.confirmation.iter().flat_map(|c| &c.rows) {
        let ratio = row.ratio.map_or_else(
            || "-".into(),
            |r| format!("{} ({} to {})", change(r.ratio), change(r.low), change(r.high)),
        );
        let _ = writeln!(
            out,
            "confirmation: {} at {} on {}: {ratio}: {}; {}",
            row.metric.name(),
            row.label,
            row.machine,
            row.verdict.name(),
            row.tier.name()
        );
    }
    for control in report.confirmation.iter().flat_map(|c| &c.controls) {
        let moved = if control.moved { "MOVED" } else { "still" };
        let _ = writeln!(out, "control: {}: {moved}: {}", control.name, control.detail);
    }
    for note in &report.notes {
        let _ = writeln!(out, "note: {note}");
    }
    let _ = writeln!(out, "\n{}\n", answer(report));
    out.push_str(&snippet::toml(report));
    out
}

/// The answer in a sentence.
pub fn answer(report: &TuneReport) -> String {
    match &report.answer {
        Answer::Keep { reason } => format!("Keep the default: {reason}."),
        Answer::Change { setting, reason } => format!("Take {}: {reason}.", report.plan.show(*setting)),
    }
}

/// Where the numbers of a phase come from.
pub fn tier(phase: Phase) -> &'static str {
    match phase {
        Phase::Screen | Phase::Confirm => "simulated: a model",
        Phase::Race => {
            "measured on this computer: throughput and waits measured-probe, processor time measured-os"
        }
    }
}

/// The settings by what the search thinks of them: those that were judged by their regret, then the others as planned.
pub fn order(report: &TuneReport) -> Vec<usize> {
    let mut order: Vec<usize> = (0..report.settings.len()).collect();
    let key = |&setting: &usize| {
        let outcome = &report.settings[setting];
        let lawful = outcome.violation.is_none();
        (!lawful, outcome.regret_worst.unwrap_or(f64::INFINITY), setting)
    };
    order.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
    });
    order
}

/// The range of a metric's ratios over the scenarios of the phase that is judged.
fn range(report: &TuneReport, outcome: &SettingOutcome, metric: crate::guard::Metric) -> String {
    let simulated = report.judged == Phase::Screen;
    let of = outcome.places.iter().filter(|p| report.scenario(p.scenario).is_simulated() == simulated);
    let ratios: Vec<f64> =
        of.flat_map(|p| &p.ratios).filter(|r| r.metric == metric).map(|r| r.ratio.ratio).collect();
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    match ratios.len() {
        0 => "-".into(),
        1 => change(low),
        _ if metric.more_is_better() => format!("{} to {}", change(low), change(high)),
        _ => format!("{} to {}", change(high), change(low)),
    }
}

/// Where a setting's way ended, in words.
pub fn fate(report: &TuneReport, outcome: &SettingOutcome) -> String {
    match &outcome.fate {
        Fate::Untried => "not tried".into(),
        Fate::Failed { reason } => format!("failed: {reason}"),
        Fate::Excluded { reason } => format!("excluded: {reason}"),
        Fate::Screened { reason } => format!("screened out: {reason}"),
        Fate::Beaten { blocks, by, p } => {
            format!("beaten after {blocks} blocks by {} (p {p:.3})", report.plan.show(*by))
        }
        Fate::SetAside { blocks, place, of } => {
            format!("set aside after {blocks} blocks: place {place} of {of}")
        }
        Fate::Finished => match &outcome.violation {
            Some(violation) => format!("to the end, but {violation}"),
            None => "to the end".into(),
        },
    }
}
