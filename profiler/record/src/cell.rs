//! The record of one cell: one implementation, one point of a workload, one machine, all launches.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::{Environment, Fingerprint};
use crate::result::LaunchResult;
use crate::run::Tool;
use crate::simulated::is_simulated;
use crate::spec::{Point, ProbeMode};

/// Everything known about one cell. One JSON file, with one histogram log beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// Id of the cell, unique in its run; also the name of its files.
    pub cell: String,
    /// Permanent id of the implementation.
    pub implementation: String,
    /// Empty, or `a` and `b` for the two arms of an A/A pair: the same implementation twice, to see the noise.
    #[serde(default)]
    pub arm: String,
    /// Parameters that differ from the defaults.
    #[serde(default)]
    pub params: BTreeMap<String, u64>,
    /// `os` or `sim:<preset>`.
    pub machine: String,
    /// The point of the workload.
    pub point: Point,
    /// Whether it is a design, a peer, or the floor.
    pub role: ImplementationRole,
    /// Whether its waits mean the same as those of threads: goroutines wait without their threads.
    #[serde(default = "yes")]
    pub compare_waits: bool,
    /// The launches that were made, in the order of their index.
    pub launches: Vec<Launch>,
    /// The verdict of the checks.
    pub status: Status,
    /// Why it is not `ok`.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Every check, with its outcome.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// Hash of the simulated trace; absent when measured.
    #[serde(default)]
    pub trace_hash: Option<String>,
    /// What made it.
    pub tool: Tool,
    /// The full command line.
    pub command: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
    /// Where it was made.
    pub fingerprint: Fingerprint,
}

fn yes() -> bool {
    true
}

/// What an implementation stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImplementationRole {
    /// A design of the catalogue, or a user's own.
    Design,
    /// Somebody else's code.
    Peer,
    /// No lock at all.
    Floor,
}

/// One launch, whatever became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// Number within the cell, from 0.
    pub index: u32,
    /// Who listened.
    pub probe: ProbeMode,
    /// Its seed.
    pub seed: u64,
    /// Its place in the shuffled order of the run.
    pub order: u32,
    /// When it began, ms since 1970.
    pub started_unix_ms: u64,
    /// From its start to its answer, by the clock of the program that started it; absent without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ns: Option<u64>,
    /// The machine's state meanwhile.
    pub environment: Environment,
    /// Attempts before it that were given up because the cores were not free: judged by the scheduler's account
    /// alone, never by what was measured.
    #[serde(default)]
    pub disturbed: u32,
    /// What it measured.
    #[serde(default)]
    pub result: Option<LaunchResult>,
    /// Why it measured nothing.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// A launch that did not give a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// In which way.
    pub kind: FailureKind,
    /// What is known, in a line.
    pub detail: String,
    /// The end of its standard error.
    #[serde(default)]
    pub stderr: String,
}

/// The ways in which a launch can end without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It could not be started.
    NotStarted,
    /// It did not end in time.
    Hang,
    /// It panicked.
    Panic,
    /// A signal or an exit code ended it.
    Crash,
    /// It answered something that is not a result.
    Protocol,
    /// It answered a result that cannot be right.
    WrongResult,
}

impl FailureKind {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            FailureKind::NotStarted => "not started",
            FailureKind::Hang => "hang",
            FailureKind::Panic => "panic",
            FailureKind::Crash => "crash",
            FailureKind::Protocol => "protocol",
            FailureKind::WrongResult => "wrong result",
        }
    }
}

/// Whether a cell may be ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every check holds.
    Ok,
    /// A number contradicts physics or another number: shown, not ranked.
    Suspect,
    /// A launch failed, or the result is wrong.
    Failed,
    /// It cannot run here: the reason says why and what would help.
    NotApplicable,
}

impl Status {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Suspect => "suspect",
            Status::Failed => "failed",
            Status::NotApplicable => "not applicable",
        }
    }
}

/// One rule of truth, applied to a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Name of the rule.
    pub rule: String,
    /// What came out.
    pub verdict: Verdict,
    /// The numbers, or why it does not apply.
    pub detail: String,
}

/// What came out of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not: the cell is suspect.
    Suspect,
    /// The result is wrong: the cell has failed.
    Wrong,
    /// It cannot be checked here.
    NotApplicable,
}

impl Record {
    /// Results of the launches that give the ranked numbers: those that nobody observed. On a simulated machine looking
    /// costs nothing, so there it is every launch.
    pub fn plain(&self) -> impl Iterator<Item = &LaunchResult> {
        let ranked = |l: &&Launch| l.probe == ProbeMode::Off || is_simulated(&self.machine);
        self.launches.iter().filter(ranked).filter_map(|l| l.result.as_ref())
    }

    /// Results of the launches that a probe observed: the explanations.
    pub fn probed(&self) -> impl Iterator<Item = &LaunchResult> {
        self.launches.iter().filter(|l| l.probe != ProbeMode::Off).filter_map(|l| l.result.as_ref())
    }

    /// The implementation's name in tables: its id, its arm and its parameters.
    pub fn display_name(&self) -> String {
        let arm = if self.arm.is_empty() { String::new() } else { format!(" ({})", self.arm) };
        let params: String = self.params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}{arm}{params}", self.implementation)
    }
}
