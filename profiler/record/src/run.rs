//! The manifest of a run directory: what was planned, by what, where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::Catalogue;
use crate::host::Host;
use crate::spec::{Point, ProbeMode};

/// `run.json`: written when the run starts, so that `--resume` knows the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Always `synchroscope-run`: tells the file from any other JSON.
    pub kind: String,
    /// Name of the suite.
    pub suite: String,
    /// The full command line.
    pub command: Vec<String>,
    /// What makes the run.
    pub tool: Tool,
    /// When it began, ms since 1970.
    pub started_unix_ms: u64,
    /// Seed of the run.
    pub seed: u64,
    /// Where.
    pub host: Host,
    /// Every cell, in the order of the suite.
    pub cells: Vec<PlannedCell>,
    /// `I/N` when this run is one shard of N.
    #[serde(default)]
    pub shard: Option<String>,
    /// What its implementations and workloads are; absent in runs of early versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Catalogue>,
    /// The simulated machines of the run: the text of each preset's file, by name, so that every launch can be made again
    /// as it was.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub presets: BTreeMap<String, String>,
}

/// The value of [`Manifest::kind`].
pub const KIND: &str = "synchroscope-run";

/// What the run means to do for one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// Id of the cell, unique in the run; the name of its files.
    pub cell: String,
    /// Permanent id of the implementation.
    pub implementation: String,
    /// Arm of an A/A pair, or empty.
    #[serde(default)]
    pub arm: String,
    /// Parameters that differ from the defaults.
    #[serde(default)]
    pub params: BTreeMap<String, u64>,
    /// `os` or `sim:<preset>`.
    pub machine: String,
    /// The point of the workload.
    pub point: Point,
    /// Probe of each launch, in the order of their index.
    pub launches: Vec<ProbeMode>,
    /// Slices of each launch.
    pub slices: u32,
    /// Length of a slice.
    pub slice_ns: u64,
    /// Length of the discarded slice.
    pub warmup_ns: u64,
    /// Cores that workers are pinned to.
    #[serde(default)]
    pub cpus: Vec<usize>,
}

/// The program that made a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its version.
    pub version: String,
    /// Revision of its source, if it was built from a checkout.
    pub revision: Option<String>,
    /// Hash of the driver's and the probes' source: records with different ones were not measured alike.
    pub harness_hash: String,
}
