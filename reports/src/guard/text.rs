//! A guard report in the terminal.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Estimate, GuardReport, Layer, Metric, Row};
use crate::compare::Verdict;
use crate::text::{Align, aligned, change, fit, si, time};

/// The table with what it rests on.
pub fn table(report: &GuardReport) -> String {
    let mut out =
        format!("baseline:  {}\ncandidate: {}\n\n", fit(&report.baseline, 200), fit(&report.candidate, 200));
    if !report.rows.is_empty() {
        let headings = [
            ("point", Align::Left),
            ("implementation", Align::Left),
            ("metric", Align::Left),
            ("baseline", Align::Right),
            ("candidate", Align::Right),
            ("change", Align::Right),
            ("interval", Align::Right),
            ("margin", Align::Right),
            ("visible from", Align::Right),
            ("blocks", Align::Right),
            ("verdict", Align::Left),
        ];
        let rows: Vec<Vec<String>> = report.rows.iter().map(line).collect();
        out.push_str(&aligned(&headings, &rows));
        out.push('\n');
    }
    let _ = writeln!(out, "Verdict: {}. {}", report.verdict.name(), counts(report));
    let has = |layer: Layer| report.rows.iter().any(|row| row.layer == layer);
    if report.rows.iter().any(|row| row.blocks > 0 && row.layer == Layer::Measured) {
        let _ = writeln!(
            out,
            "Change: candidate over baseline, with its interval. A change counts if the whole interval lies beyond the \
             margin; rows marked * were decided by fresh blocks. Visible from: the smallest change that such blocks show \
             9 times in 10. False alarms to be expected of this job: {}.",
            crate::text::three_digits(report.expected_false_alarms)
        );
    }
    out.push_str(&exact(report));
    if has(Layer::History) {
        out.push_str(
            "History rows: the latest level of a series against the one before; \
             blocks are its points. One that is too short or too noisy to judge leaves the verdict as it is.\n",
        );
    }
    if !report.controls.is_empty() {
        let moved: Vec<_> = report.controls.iter().filter(|control| control.moved).collect();
        let _ = writeln!(out, "Controls: {} of {} moved.", moved.len(), report.controls.len());
        for control in moved {
            let ratio = control.ratio.as_ref().map_or_else(|| "-".into(), with_interval);
            let _ = writeln!(out, "  {}: {ratio} ({})", control.name, control.detail);
        }
    }
    for note in &report.notes {
        let _ = writeln!(out, "Note: {}", fit(note, 2000));
    }
    out
}

/// What the exact rows are, and where the arms part, in full.
fn exact(report: &GuardReport) -> String {
    let rows = || report.rows.iter().filter(|row| row.layer == Layer::Exact);
    let mut out = String::new();
    let tiers: BTreeSet<&str> = rows().map(|row| row.tier.name()).collect();
    if tiers.is_empty() {
        return out;
    }
    let _ = writeln!(
        out,
        "Exact rows ({}): cycles of a simulated machine, the median over seeds with its interval, and instructions counted \
         on a processor that callgrind simulates, or by this one's counter.",
        tiers.into_iter().collect::<Vec<_>>().join(", ")
    );
    for row in rows().filter(|row| row.evidence.is_some()) {
        let _ = writeln!(
            out,
            "  {} {} {}: {}",
            row.implementation,
            row.label,
            row.machine,
            fit(&row.reason, 1000)
        );
        let _ = writeln!(out, "    timelines: {}", row.evidence.as_deref().unwrap_or_default());
    }
    out
}

fn line(row: &Row) -> Vec<String> {
    let dash = || "-".to_owned();
    let number = |value: Option<f64>| value.map_or_else(dash, |value| quantity(row.metric, value));
    let point = match row.machine.as_str() {
        "os" => fit(&row.label, 34),
        machine => format!("{} {}", fit(&row.label, 30), fit(machine, 20)),
    };
    let verdict = match row.reason.as_str() {
        "" => row.verdict.name().to_owned(),
        reason => format!("{} ({})", row.verdict.name(), fit(reason, 160)),
    };
    let blocks = match row.blocks {
        0 => dash(),
        blocks => format!("{blocks}{}", if row.confirmed { "*" } else { "" }),
    };
    vec![
        point,
        fit(&row.implementation, 34),
        super::words::metric(row),
        number(row.baseline),
        number(row.candidate),
        row.ratio.map_or_else(dash, |ratio| change(ratio.ratio)),
        row.ratio.map_or_else(dash, |ratio| format!("{} to {}", change(ratio.low), change(ratio.high))),
        change(row.margin_ratio),
        row.minimal_detectable_ratio.map_or_else(dash, change),
        blocks,
        verdict,
    ]
}

fn with_interval(ratio: &Estimate) -> String {
    format!("{}, {} to {}", change(ratio.ratio), change(ratio.low), change(ratio.high))
}

fn quantity(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Throughput => format!("{}/s", si(value)),
        Metric::WaitP99 | Metric::CpuPerOp => time(value),
        Metric::Jain => format!("{value:.3}"),
        Metric::CyclesPerOp => si(value),
        // Half an instruction is a verdict: three digits would hide it.
        Metric::InstructionsPerOp => format!("{value:.2}"),
    }
}

fn counts(report: &GuardReport) -> String {
    let order = [
        Verdict::Regressed,
        Verdict::Improved,
        Verdict::Equivalent,
        Verdict::Inconclusive,
        Verdict::Contaminated,
    ];
    let count = |verdict: Verdict| report.rows.iter().filter(|row| row.verdict == verdict).count();
    let said: Vec<String> = order
        .into_iter()
        .filter(|verdict| count(*verdict) > 0)
        .map(|verdict| format!("{} {}", count(verdict), verdict.name()))
        .collect();
    if said.is_empty() { "No row was judged.".into() } else { format!("Rows: {}.", said.join(", ")) }
}
