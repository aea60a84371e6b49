//! The points of a tree that criterion left: its benchmarks against one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use record::Tier;
use record::host::short_hash;
use serde::Deserialize;

use super::line::{Point, SCHEMA, Source};
use super::run::{LeftOut, Taken};
use crate::guard::Metric;
use crate::stats;
use crate::summary::CONFIDENCE;

/// Files that criterion writes for a baseline.
const KNOWN: [&str; 5] = ["benchmark.json", "estimates.json", "sample.json", "tukey.json", "raw.csv"];
/// Folders deeper than this are not criterion's: group, function, value, baseline.
const DEPTH_MAX: usize = 6;

/// What an import needs to know besides the tree.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The full id of a benchmark, which then is the reference of all, or a function's, which is that of its group and value.
    pub reference: String,
    /// The revision that was measured.
    pub revision: String,
    /// [`record::Fingerprint::id`] of the computer that measured.
    pub fingerprint: String,
    /// Which baseline: criterion calls its latest one `new`.
    pub baseline: String,
    /// When it was measured, ms since 1970; `None`: when the files were written.
    pub time_unix_ms: Option<u64>,
}

/// What a tree gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Points, and benchmarks that give none.
    pub taken: Taken,
    /// Files that were skipped, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
}

/// `benchmark.json`.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    #[serde(default)]
    function_id: Option<String>,
    #[serde(default)]
    value_str: Option<String>,
    full_id: String,
}

/// `sample.json`.
#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// `estimates.json`, as far as it is needed.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// A benchmark with its times, ns an iteration: samples, or their median alone.
struct Measured {
    benchmark: Benchmark,
    per_iteration_ns: Vec<f64>,
    sampled: bool,
    written_unix_ms: u64,
}

impl Measured {
    /// What stands on the side of the implementation, and what on that of the workload.
    fn names(&self) -> (String, String) {
        let Benchmark { group_id, function_id, value_str, .. } = &self.benchmark;
        match (function_id, value_str) {
            (Some(function), Some(value)) => (function.clone(), format!("{group_id}/{value}")),
            (Some(function), None) => (function.clone(), group_id.clone()),
            (None, Some(value)) => (group_id.clone(), value.clone()),
            (None, None) => (group_id.clone(), "all".into()),
        }
    }
}

/// The points of the tree in `folder`. Files that are damaged or that criterion does not write are named and skipped.
///
/// # Errors
/// If there is no such folder, it holds no benchmark of the baseline, or none is the reference.
pub fn criterion_points(folder: &Path, scope: &Scope) -> Result<Imported> {
    if !folder.is_dir() {
        bail!("{} is no folder: expected criterion's, such as target/criterion", folder.display());
    }
    let (mut skipped, mut measured) = (Vec::new(), Vec::new());
    walk(folder, DEPTH_MAX, &scope.baseline, &mut measured, &mut skipped)?;
    if measured.is_empty() {
        let damaged =
            skipped.first().map_or(String::new(), |(path, why)| format!("; {}: {why}", path.display()));
        bail!(
            "{} holds no benchmark of the baseline `{}` that can be read{damaged}; --baseline names another",
            folder.display(),
            scope.baseline
        );
    }
    let one = measured.iter().position(|m| m.benchmark.full_id == scope.reference);
    let by_function = |m: &Measured| m.benchmark.function_id.as_ref() == Some(&scope.reference);
    if one.is_none() && !measured.iter().any(by_function) {
        let mut known: Vec<&str> = measured.iter().map(|m| m.benchmark.full_id.as_str()).collect();
        known.sort_unstable();
        known.truncate(8);
        bail!(
            "--reference {}: no benchmark and no function is called so; there are {}",
            scope.reference,
            known.join(", ")
        );
    }
    let written = measured.iter().map(|m| m.written_unix_ms).max().unwrap_or(0);
    let run = short_hash(
        measured
            .iter()
            .map(|m| format!("{}{:?}", m.benchmark.full_id, m.per_iteration_ns))
            .collect::<String>()
            .as_bytes(),
    );
    let mut taken = Taken::default();
    for (index, own) in measured.iter().enumerate() {
        let reference = one.or_else(|| {
            let same = |m: &Measured| by_function(m) && m.names().1 == own.names().1;
            measured.iter().position(same)
        });
        let mut leave = |reason: &str| {
            taken.left_out.push(LeftOut { cell: own.benchmark.full_id.clone(), reason: reason.into() });
        };
        let Some(reference) = reference else {
            leave("its group has no benchmark of the reference");
            continue;
        };
        if reference == index {
            continue;
        }
        let theirs = &measured[reference];
        // Operations of the one for each of the other: the inverse of their times.
        let ratio = match stats::ratio(&own.per_iteration_ns, &theirs.per_iteration_ns, CONFIDENCE) {
            Ok(ratio) => ratio,
            Err(error) => {
                leave(error.reason());
                continue;
            }
        };
        let replicated = own.sampled && theirs.sampled;
        let (implementation, label) = own.names();
        taken.points.push(Point {
            schema: SCHEMA,
            time_unix_ms: scope.time_unix_ms.unwrap_or(written),
            revision: scope.revision.clone(),
            fingerprint: scope.fingerprint.clone(),
            run: run.clone(),
            source: Source::Criterion,
            machine: "os".into(),
            implementation,
            params: BTreeMap::new(),
            point: short_hash(own.benchmark.full_id.as_bytes()),
            label,
            metric: Metric::Throughput,
            reference: scope.reference.clone(),
            ln_ratio: ratio.estimate.ln(),
            ln_low: replicated.then(|| ratio.low.ln()),
            ln_high: replicated.then(|| ratio.high.ln()),
            confidence: CONFIDENCE,
            // Samples of one process are no replication of it.
            reached: false,
            blocks: 0,
            null_floor_ratio: None,
            tier: Tier::MeasuredOs,
            tool: "criterion".into(),
            harness: "criterion".into(),
        });
    }
    Ok(Imported { taken, skipped })
}

fn walk(
    folder: &Path,
    deeper: usize,
    baseline: &str,
    measured: &mut Vec<Measured>,
    skipped: &mut Vec<(PathBuf, String)>,
) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|p| p.is_dir()).collect();
    // One order on every file system.
    folders.sort();
    for path in folders {
        if path.file_name().is_some_and(|name| name == baseline) && path.join("benchmark.json").is_file() {
            measured.extend(read_baseline(&path, skipped));
        } else if deeper > 0 {
            walk(&path, deeper - 1, baseline, measured, skipped)?;
        }
    }
    Ok(())
}

fn read_baseline(folder: &Path, skipped: &mut Vec<(PathBuf, String)>) -> Option<Measured> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for name in names.iter().filter(|name| !KNOWN.contains(&name.as_str())) {
        skipped.push((folder.join(name), "not a file that criterion writes".into()));
    }
    let mut read = |name: &str| -> Option<serde_json::Value> {
        let path = folder.join(name);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                skipped.push((path, error.to_string()));
                return None;
            }
        };
        match serde_json::from_slice(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                skipped.push((path, format!("not JSON: {error}")));
                None
            }
        }
    };
    let (benchmark, sample, estimates) =
        (read("benchmark.json"), read("sample.json"), read("estimates.json"));
    let benchmark: Benchmark = typed(benchmark?, &folder.join("benchmark.json"), skipped)?;
    let sample: Option<Sample> = sample
        .and_then(|value| typed(value, &folder.join("sample.json"), skipped))
        .filter(|sample: &Sample| {
            let whole = !sample.iters.is_empty() && sample.iters.len() == sample.times.len();
            let sound = whole && sample.iters.iter().chain(&sample.times).all(|v| v.is_finite() && *v > 0.0);
            if !sound {
                let why = "expected as many iterations as times, all above 0";
                skipped.push((folder.join("sample.json"), why.into()));
            }
            sound
        });
    let estimates: Option<Estimates> =
        estimates.and_then(|value| typed(value, &folder.join("estimates.json"), skipped));
    let (per_iteration_ns, sampled) = match (sample, estimates) {
        (Some(sample), _) => (sample.times.iter().zip(&sample.iters).map(|(t, n)| t / n).collect(), true),
        (None, Some(estimates)) => (vec![estimates.median.point_estimate], false),
        (None, None) => {
            skipped.push((folder.to_owned(), "neither sample.json nor estimates.json can be read".into()));
            return None;
        }
    };
    Some(Measured { benchmark, per_iteration_ns, sampled, written_unix_ms: written(folder) })
}

fn typed<T: for<'d> Deserialize<'d>>(
    value: serde_json::Value,
    path: &Path,
    skipped: &mut Vec<(PathBuf, String)>,
) -> Option<T> {
    match serde_json::from_value(value) {
        Ok(value) => Some(value),
        Err(error) => {
            skipped.push((path.to_owned(), format!("not as criterion writes it: {error}")));
            None
        }
    }
}

/// When the files of a baseline were written, ms since 1970.
fn written(folder: &Path) -> u64 {
    let times = ["sample.json", "estimates.json"].into_iter().filter_map(|name| {
        let modified = folder.join(name).metadata().ok()?.modified().ok()?;
        Some(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis() as u64)
    });
    times.max().unwrap_or(0)
}
