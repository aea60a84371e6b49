//! What the formats for continuous integration have in common: a row in words, the worst first, a headline.

use super::{GuardReport, Layer, Metric, Row};
use crate::compare::Verdict;
use crate::text;

/// A row's own name: what, where, which number.
pub(super) fn name(row: &Row) -> String {
    format!("{} {} on {}: {}", row.implementation, row.label, row.machine, metric(row))
}

/// Which number, and whether it is one of a series: beside a job's own rows it would look like one of them.
pub(super) fn metric(row: &Row) -> String {
    match row.layer {
        Layer::History => format!("{}, history", row.metric.name()),
        Layer::Exact | Layer::Measured => row.metric.name().to_owned(),
    }
}

/// A value in the unit of its metric.
pub(super) fn value(metric: Metric, value: Option<f64>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    match metric {
        Metric::WaitP99 | Metric::CpuPerOp => text::time(value),
        // Half an instruction is a verdict: three digits would hide it.
        Metric::InstructionsPerOp => format!("{value:.2}"),
        Metric::Throughput => format!("{} op/s", text::si(value)),
        Metric::Jain | Metric::CyclesPerOp => text::si(value),
    }
}

/// The change as people say it, with its interval.
pub(super) fn change(row: &Row) -> String {
    match &row.ratio {
        None => "-".to_owned(),
        Some(ratio) if ratio.low == ratio.high => text::change(ratio.ratio),
        Some(ratio) => {
            format!(
                "{} [{}, {}]",
                text::change(ratio.ratio),
                text::change(ratio.low),
                text::change(ratio.high)
            )
        }
    }
}

/// Before, after, change, and why: a row in a line, without its name.
pub(super) fn finding(row: &Row) -> String {
    let mut told = format!(
        "{}: {} -> {} ({}; {})",
        row.verdict.name(),
        value(row.metric, row.baseline),
        value(row.metric, row.candidate),
        change(row),
        row.tier.name()
    );
    if !row.reason.is_empty() {
        told += &format!(": {}", row.reason);
    }
    told
}

/// How bad a verdict is: what must be looked at first is 0.
pub(super) const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Regressed => 0,
        Verdict::Contaminated => 1,
        Verdict::Inconclusive => 2,
        Verdict::Improved => 3,
        Verdict::Equivalent => 4,
    }
}

/// All rows, the worst first: by verdict, then by how far they moved; rows alike keep the order of the suite.
pub(super) fn worst_first(report: &GuardReport) -> Vec<&Row> {
    let moved = |row: &Row| row.ratio.map_or(0.0, |ratio| ratio.ratio.ln().abs());
    let mut rows: Vec<&Row> = report.rows.iter().collect();
    rows.sort_by(|a, b| rank(a.verdict).cmp(&rank(b.verdict)).then_with(|| moved(b).total_cmp(&moved(a))));
    rows
}

/// How many rows have each verdict that any has, worst first: `2 regressed, 14 equivalent`.
pub(super) fn counts(report: &GuardReport) -> String {
    let all = [
        Verdict::Regressed,
        Verdict::Contaminated,
        Verdict::Inconclusive,
        Verdict::Improved,
        Verdict::Equivalent,
    ];
    let count = |verdict: Verdict| report.rows.iter().filter(|row| row.verdict == verdict).count();
    let counted = all.map(|verdict| (count(verdict), verdict));
    let told: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| format!("{count} {}", verdict.name()))
        .collect();
    if told.is_empty() { "no rows".to_owned() } else { told.join(", ") }
}

/// The report in a line.
pub(super) fn headline(report: &GuardReport) -> String {
    format!("{}: {} against {}: {}", report.verdict.name(), report.candidate, report.baseline, counts(report))
}
