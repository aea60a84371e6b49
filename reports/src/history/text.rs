//! What a history says, in the terminal.

use std::fmt::Write as _;

use crate::compare::Verdict;
use crate::guard::{GuardReport, Row};
use crate::text::{Align, aligned, change, fit, three_digits};

/// The table of a report that [`super::check`] made.
pub fn text(report: &GuardReport) -> String {
    let mut out =
        format!("{}, latest revision {}\n\n", fit(&report.baseline, 200), fit(&report.candidate, 80));
    if !report.rows.is_empty() {
        let headings = [
            ("point", Align::Left),
            ("implementation", Align::Left),
            ("metric", Align::Left),
            ("points", Align::Right),
            ("change", Align::Right),
            ("interval", Align::Right),
            ("visible from", Align::Right),
            ("verdict", Align::Left),
        ];
        let mut rows: Vec<&Row> = report.rows.iter().collect();
        // What calls for somebody first; otherwise in the order of the series.
        rows.sort_by_key(|row| rank(row.verdict));
        let lines: Vec<Vec<String>> = rows.iter().map(|row| line(row)).collect();
        out.push_str(&aligned(&headings, &lines));
        out.push('\n');
    }
    let count = |verdict| report.rows.iter().filter(|row| row.verdict == verdict).count();
    let counts: Vec<String> =
        [Verdict::Regressed, Verdict::Improved, Verdict::Equivalent, Verdict::Inconclusive]
            .into_iter()
            .filter(|verdict| count(*verdict) > 0)
            .map(|verdict| format!("{} {}", count(verdict), verdict.name()))
            .collect();
    let counts = if counts.is_empty() { "no series".to_owned() } else { counts.join(", ") };
    let _ = writeln!(
        out,
        "{counts}. A change counts if E-divisive means (p <= {:.0e}) and an L1 Potts fit place it within {} points of each \
         other, each level has {} points, and the latest level is beyond the margin. Visible from: the step that shows 9 \
         times in 10 once a level has that many points. Series called changed by chance, of so many: {}.",
        crate::stats::CHANGE_P_MAX,
        crate::stats::AGREE_WITHIN,
        crate::stats::SEGMENT_MIN,
        three_digits(report.expected_false_alarms)
    );
    for note in &report.notes {
        let _ = writeln!(out, "Note: {}", fit(note, 400));
    }
    out
}

/// Places of verdicts in a table.
pub(crate) fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Regressed => 0,
        Verdict::Improved => 1,
        Verdict::Contaminated | Verdict::Inconclusive => 2,
        Verdict::Equivalent => 3,
    }
}

fn line(row: &Row) -> Vec<String> {
    let dash = || "-".to_owned();
    let point = match row.machine.as_str() {
        "os" => fit(&row.label, 34),
        machine => format!("{} {}", fit(&row.label, 30), fit(machine, 20)),
    };
    vec![
        point,
        fit(&row.implementation, 34),
        row.metric.name().to_owned(),
        row.blocks.to_string(),
        row.ratio.map_or_else(dash, |ratio| change(ratio.ratio)),
        row.ratio.map_or_else(dash, |ratio| format!("{} to {}", change(ratio.low), change(ratio.high))),
        row.minimal_detectable_ratio.map_or_else(dash, change),
        format!("{} ({})", row.verdict.name(), fit(&row.reason, 200)),
    ]
}
