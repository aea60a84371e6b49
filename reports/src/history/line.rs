//! Lines of a history's files: one JSON object each, a point or an epoch.

use std::collections::BTreeMap;

use record::Tier;
use serde::{Deserialize, Serialize};

use crate::guard::Metric;

/// Version of the lines.
pub const SCHEMA: u32 = 1;

/// A line.
#[allow(clippy::large_enum_variant, reason = "nearly all lines are points")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// A measurement.
    Point(Point),
    /// A change that was accepted.
    Epoch(Epoch),
}

/// Which program measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// This one: launches in shuffled rounds.
    Synchroscope,
    /// This one's `guard`: launches in paired blocks, simulated machines, counted instructions.
    Guard,
    /// criterion: one process for each side, one after the other.
    Criterion,
}

/// How one implementation stood to the reference in one run, by one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When it was measured, ms since 1970; the order of a series.
    pub time_unix_ms: u64,
    /// The revision that was measured.
    pub revision: String,
    /// [`record::Fingerprint::id`] of the computer, or `simulated`.
    pub fingerprint: String,
    /// What tells the run from all others: one run is kept once.
    pub run: String,
    /// Which program measured.
    pub source: Source,
    /// `os` or `sim:<preset>`.
    pub machine: String,
    /// Id of the implementation.
    pub implementation: String,
    /// Parameters that differ from the defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, u64>,
    /// Name of the point of the workload.
    pub label: String,
    /// Hash of the whole point: what was redefined under an old name begins a series of its own.
    pub point: String,
    /// Of what.
    pub metric: Metric,
    /// Id of the pinned reference.
    pub reference: String,
    /// Logarithm of how many times the reference it is.
    pub ln_ratio: f64,
    /// Lower end of the interval; absent where nothing was replicated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ln_high: Option<f64>,
    /// Confidence of the interval.
    pub confidence: f64,
    /// Whether an exact test stands behind that confidence.
    pub reached: bool,
    /// Pairs of launches, one on each side in each; 0 of samples inside one process.
    pub blocks: u32,
    /// The largest A/A ratio of the run, above 1; absent without a pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_floor_ratio: Option<f64>,
    /// Where the numbers come from.
    pub tier: Tier,
    /// Version of the program that measured.
    pub tool: String,
    /// Hash of driver and probes.
    pub harness: String,
}

/// A change that was accepted: from a revision on, levels are judged anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// [`SCHEMA`].
    pub schema: u32,
    /// When it was accepted, ms since 1970.
    pub time_unix_ms: u64,
    /// The first revision of the new level.
    pub from_revision: String,
    /// When that revision was first measured: for series that do not hold it.
    pub since_unix_ms: u64,
    /// Only series of this implementation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// Only series of this point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only series of this metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// Why.
    pub reason: String,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// All that a store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Points, in the order of their files and lines.
    pub points: Vec<Point>,
    /// Accepted changes.
    pub epochs: Vec<Epoch>,
    /// Lines that could not be read.
    pub damaged: Vec<Damaged>,
}

/// Reads the texts of a store's files, each with its name.
pub fn read(files: &[(String, Vec<u8>)]) -> History {
    let mut history = History::default();
    for (file, content) in files {
        for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match parse(line) {
                Ok(Line::Point(point)) => history.points.push(point),
                Ok(Line::Epoch(epoch)) => history.epochs.push(epoch),
                Err(reason) => {
                    history.damaged.push(Damaged { file: file.clone(), line: index + 1, reason });
                }
            }
        }
    }
    history
}

fn parse(line: &[u8]) -> Result<Line, String> {
    // The version first: what a later one writes is not damaged, but unknown.
    let value: serde_json::Value =
        serde_json::from_slice(line).map_err(|error| format!("not JSON: {error}"))?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema == u64::from(SCHEMA) => {}
        Some(schema) => {
            return Err(format!("schema {schema} is not known; this version reads 1 to {SCHEMA}"));
        }
        None => return Err("it has no schema number".into()),
    }
    let line: Line = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if let Line::Point(point) = &line {
        let numbers = [Some(point.ln_ratio), point.ln_low, point.ln_high];
        // No two measurements differ by a factor of more than e^50.
        if numbers.into_iter().flatten().any(|number| !number.is_finite() || number.abs() > 50.0) {
            return Err("a logarithm is beyond ±50, which no measured ratio is".into());
        }
        if let (Some(low), Some(high)) = (point.ln_low, point.ln_high)
            && !(low <= point.ln_ratio && point.ln_ratio <= high)
        {
            return Err(format!("ln_ratio {} is not between ln_low and ln_high", point.ln_ratio));
        }
    }
    Ok(line)
}

impl Line {
    /// The line as a store keeps it, with its end.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which no finite number can cause.
    pub fn to_text(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

impl Point {
    /// Name in tables: id and parameters.
    pub fn name(&self) -> String {
        let params: String = self.params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}{params}", self.implementation)
    }

    /// The ratio to the reference.
    pub fn ratio(&self) -> f64 {
        self.ln_ratio.exp()
    }
}
