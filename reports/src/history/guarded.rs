//! The points of a job of `guard` whose baseline is pinned: each row that was judged, candidate over baseline.

use std::collections::BTreeMap;

use super::line::{Point, SCHEMA, Source};
use super::run::{LeftOut, SIMULATED, Taken};
use crate::guard::exact::HARNESS_CHANGED;
use crate::guard::{GuardReport, Layer, Metric, Row};

/// Parameters that differ from the defaults, and the hash of the point.
pub type Cell = (BTreeMap<String, u64>, String);

/// What a report of `guard` does not say of itself.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What tells the job from all others.
    pub run: &'a str,
    /// When it began, ms since 1970.
    pub time_unix_ms: u64,
    /// What was measured.
    pub revision: &'a str,
    /// What it was held against, by a name that means the same for ever.
    pub reference: &'a str,
    /// Version of the program.
    pub tool: &'a str,
    /// Hash of driver and probes.
    pub harness: &'a str,
    /// Parameters of a row's candidate, and the hash of its point; `None` if the row is of no cell.
    pub cell: &'a dyn Fn(&Row) -> Option<Cell>,
}

/// The points of a report. A row without a ratio gives none, nor does a measured one where a control moved: then the
/// differences of the job are not those of the code.
pub fn points_of_guard(report: &GuardReport, job: &Job<'_>) -> Taken {
    let moved = report.controls.iter().find(|control| control.moved);
    let mut taken = Taken::default();
    for row in report.rows.iter().filter(|row| row.layer != Layer::History) {
        let doubt = match (&row.ratio, moved) {
            (None, _) => Some(row.reason.clone()),
            (_, Some(control)) if row.layer == Layer::Measured => {
                Some(format!("the control {} moved", control.name))
            }
            _ if row.reason.starts_with(HARNESS_CHANGED) => Some(row.reason.clone()),
            _ => None,
        };
        match (doubt, row.ratio, (job.cell)(row)) {
            (None, Some(ratio), Some((params, point))) => taken.points.push(Point {
                schema: SCHEMA,
                time_unix_ms: job.time_unix_ms,
                revision: job.revision.to_owned(),
                // What a simulated machine says is the same on all computers; what a compiler made is not.
                fingerprint: if row.metric == Metric::CyclesPerOp {
                    SIMULATED.to_owned()
                } else {
                    report.fingerprint.clone()
                },
                run: job.run.to_owned(),
                source: Source::Guard,
                machine: row.machine.clone(),
                implementation: row.implementation.clone(),
                params,
                label: row.label.clone(),
                point,
                metric: row.metric,
                reference: job.reference.to_owned(),
                ln_ratio: ratio.ratio.ln(),
                ln_low: Some(ratio.low.ln()),
                ln_high: Some(ratio.high.ln()),
                confidence: ratio.confidence,
                // The smallest p of so many blocks, 2^(1 - K), is that of the widest interval.
                reached: row.layer == Layer::Exact
                    || 2f64.powi(1 - row.blocks as i32) <= 1.0 - ratio.confidence,
                blocks: row.blocks,
                // The margin is twice the floor, or the least one.
                null_floor_ratio: (row.layer == Layer::Measured).then(|| row.margin_ratio.sqrt()),
                tier: row.tier,
                tool: job.tool.to_owned(),
                harness: job.harness.to_owned(),
            }),
            (doubt, _, _) => taken.left_out.push(LeftOut {
                cell: format!("{} at {} ({})", row.implementation, row.label, row.metric.name()),
                reason: doubt.unwrap_or_else(|| "it is of no cell of the job".to_owned()),
            }),
        }
    }
    taken
}
