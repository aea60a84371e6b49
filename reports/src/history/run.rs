//! The points of a run: each cell against the reference at the same point, launch by launch.

use anyhow::{Result, bail};
use record::cell::ImplementationRole;
use record::host::short_hash;
use record::store::Loaded;
use record::{ProbeMode, Record, Status};

use super::line::{Point, SCHEMA, Source};
use crate::compare::TAIL_EVENTS_MIN;
use crate::export::{self, Metric as Exported};
use crate::guard::Metric;
use crate::noise;
use crate::stats;
use crate::summary::{CONFIDENCE, Source as Machine, Summary, summarise};

/// What stands for the computer in points of simulated machines: their numbers are the same on all.
pub(super) const SIMULATED: &str = "simulated";

/// Metrics that a history keeps, as exports and as verdicts call them.
const METRICS: [(Exported, Metric); 4] = [
    (Exported::Throughput, Metric::Throughput),
    (Exported::WaitP99, Metric::WaitP99),
    (Exported::CpuPerOperation, Metric::CpuPerOp),
    (Exported::Jain, Metric::Jain),
];

/// A cell, or one of its metrics, that gives no point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Name and point of the cell.
    pub cell: String,
    /// Why.
    pub reason: String,
}

/// What a run gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Points, cell by cell.
    pub points: Vec<Point>,
    /// What gives none.
    pub left_out: Vec<LeftOut>,
}

/// What tells a run from all others.
pub fn run_id(run: &Loaded) -> String {
    let m = &run.manifest;
    let text = format!(
        "{}|{}|{}|{}|{:?}|{}",
        m.started_unix_ms,
        m.seed,
        m.suite,
        m.host.fingerprint.id(),
        m.shard,
        m.cells.len()
    );
    short_hash(text.as_bytes())
}

/// The points of `run` against `reference`, the id of an implementation in it.
///
/// Launch k of every cell was made in the same round, of the same work: ratios are of launches with the same number, and
/// the interval is over them.
///
/// # Errors
/// If the run does not hold the reference, or a histogram is damaged.
pub fn points_of_run(run: &Loaded, reference: &str, revision: &str) -> Result<Taken> {
    let is_reference = |record: &&Record| {
        record.implementation == reference && record.params.is_empty() && record.arm != "b"
    };
    if !run.records.iter().any(|record| is_reference(&record)) {
        let mut known: Vec<String> = run.records.iter().map(|record| record.implementation.clone()).collect();
        known.sort();
        known.dedup();
        let known = if known.is_empty() { "no records at all".to_owned() } else { known.join(", ") };
        bail!("--reference {reference}: {} has no such implementation; it has {known}", run.path.display());
    }
    let all = export::series(run)?;
    let summaries = summarise(&run.records);
    let floor = noise::floor(&noise::aa_pairs(&summaries));
    let (id, mut taken) = (run_id(run), Taken::default());
    for record in run.records.iter().filter(|record| wanted(run, record, reference)) {
        let cell = format!("{} at {}", record.implementation, record.point.label);
        let mut leave = |reason: String| taken.left_out.push(LeftOut { cell: cell.clone(), reason });
        let pinned = run.records.iter().filter(is_reference);
        let mut pinned = pinned.filter(|r| r.point == record.point && r.machine == record.machine);
        let Some(pinned) = pinned.next() else {
            leave(format!("the run has no {reference} at this point"));
            continue;
        };
        if let Some(bad) = [record, pinned].into_iter().find(|record| record.status != Status::Ok) {
            let reasons = bad.reasons.join("; ");
            let colon = if reasons.is_empty() { "" } else { ": " };
            leave(format!("{} is {}{colon}{reasons}", bad.implementation, bad.status.name()));
            continue;
        }
        for (exported, metric) in METRICS {
            let of = |record: &Record| {
                all.iter().find(|series| std::ptr::eq(series.record, record) && series.metric == exported)
            };
            let (Some(own), Some(theirs)) = (of(record), of(pinned)) else { continue };
            if !own.ranked() || !theirs.ranked() {
                continue;
            }
            if metric == Metric::WaitP99 && tail(record).min(tail(pinned)) < TAIL_EVENTS_MIN {
                let text = format!("fewer than {TAIL_EVENTS_MIN} waits beyond p99 in a launch");
                leave(format!("{}: {text}", metric.name()));
                continue;
            }
            match differences(&own.numbers, &theirs.numbers) {
                Err(reason) => leave(format!("{}: {reason}", metric.name())),
                Ok(differences) => {
                    let simulated = Machine::of(&record.machine) != Machine::Measured;
                    let base = Point {
                        schema: SCHEMA,
                        time_unix_ms: run.manifest.started_unix_ms,
                        revision: revision.to_owned(),
                        fingerprint: if simulated { SIMULATED.into() } else { record.fingerprint.id() },
                        run: id.clone(),
                        source: Source::Synchroscope,
                        machine: record.machine.clone(),
                        implementation: record.implementation.clone(),
                        params: record.params.clone(),
                        label: record.point.label.clone(),
                        point: short_hash(serde_json::to_string(&record.point)?.as_bytes()),
                        metric,
                        reference: reference.to_owned(),
                        ln_ratio: 0.0,
                        ln_low: None,
                        ln_high: None,
                        confidence: CONFIDENCE,
                        reached: false,
                        blocks: differences.len() as u32,
                        null_floor_ratio: floor.filter(|_| metric == Metric::Throughput && !simulated),
                        tier: own.tier,
                        tool: record.tool.version.clone(),
                        harness: record.tool.harness_hash.clone(),
                    };
                    taken.points.extend(estimated(base, &differences));
                }
            }
        }
    }
    Ok(taken)
}

/// The point with its numbers.
fn estimated(base: Point, differences: &[f64]) -> Option<Point> {
    Some(match stats::centre(differences, CONFIDENCE) {
        Some(centre) => Point {
            ln_ratio: centre.estimate,
            ln_low: Some(centre.low),
            ln_high: Some(centre.high),
            reached: centre.reached,
            ..base
        },
        None => Point { ln_ratio: stats::hodges_lehmann(differences)?, ..base },
    })
}

/// Whether a cell is to give points: not the reference itself, and of an A/A pair only the arm that stands alone.
fn wanted(run: &Loaded, record: &Record, reference: &str) -> bool {
    let same = |other: &Record| {
        other.arm.is_empty()
            && other.implementation == record.implementation
            && other.params == record.params
            && other.point == record.point
            && other.machine == record.machine
    };
    let pinned = record.implementation == reference && record.params.is_empty();
    let arm = record.arm == "b" || (record.arm == "a" && run.records.iter().any(same));
    !pinned && !arm && record.role != ImplementationRole::Floor
}

/// The fewest waits beyond the 99th percentile of any launch.
fn tail(record: &Record) -> u64 {
    Summary::of(record).waits.p99_by_launch.iter().map(|p| p.1).min().unwrap_or(0)
}

/// Logarithms of the ratios of launches with the same number and probe.
fn differences(own: &[export::Number], theirs: &[export::Number]) -> std::result::Result<Vec<f64>, String> {
    let key = |number: &export::Number| (number.launch, number.probe);
    let pairs = own.iter().filter_map(|a| Some((a, theirs.iter().find(|b| key(a) == key(b))?)));
    let mut found = Vec::new();
    for (a, b) in pairs {
        if !(a.value > 0.0 && b.value > 0.0) {
            let observed = if a.probe == ProbeMode::Off { "" } else { "probed " };
            return Err(format!("{observed}launch {} has a zero: no ratio", a.launch));
        }
        found.push((a.value / b.value).ln());
    }
    if found.is_empty() { Err("no launch of both with the same number".into()) } else { Ok(found) }
}
