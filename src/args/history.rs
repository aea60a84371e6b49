//! The flags of `history`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use reports::guard::Metric;

pub(super) const EXAMPLES: &str = "Examples:
  synchroscope history add runs/nightly --reference mutex/peer-std --revision \"$(git rev-parse HEAD)\"
  synchroscope history check --store git:bench-history --format github
  synchroscope history accept 1a2b3c4 --reason 'fair hand-off costs throughput, decided in #42'
  synchroscope history report --out history-pages
How changes are found, and how a history lives on a branch: docs/HISTORY.md";

/// `history`.
#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// Add runs: each cell as a ratio to the reference in the same run
    Add(AddArgs),
    /// Add what other tools have measured
    #[command(subcommand)]
    Import(ImportCommand),
    /// Look for changes of level in every series; exit code 1 if one is worse
    Check(CheckArgs),
    /// Accept a change: from a revision on, levels are judged anew
    Accept(AcceptArgs),
    /// Make a page of all series
    Report(HistoryReportArgs),
}

/// Where the history is.
#[derive(Debug, ClapArgs)]
pub(crate) struct StoreArgs {
    /// A folder, or git:BRANCH, a branch of the repository here that nobody has checked out
    #[arg(long, value_name = "DIR|git:BRANCH", default_value = "history")]
    pub(crate) store: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AddArgs {
    /// Run directories
    #[arg(required = true, value_name = "RUN-DIR")]
    pub(crate) runs: Vec<PathBuf>,
    /// The implementation that all others are held against, in the same run and at the same point
    #[arg(long, value_name = "ID")]
    pub(crate) reference: String,
    /// What was measured [default: the revision that the run's program was built from]
    #[arg(long, value_name = "R", value_parser = revision)]
    pub(crate) revision: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// What can be imported.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// The directory tree that criterion leaves, usually target/criterion
    CriterionTree(CriterionArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CriterionArgs {
    /// The tree
    #[arg(value_name = "DIR")]
    pub(crate) tree: PathBuf,
    /// Full id of the benchmark that all others are held against, or a function's name: then its benchmark in each group
    #[arg(long, value_name = "ID")]
    pub(crate) reference: String,
    /// What was measured
    #[arg(long, value_name = "R", value_parser = revision)]
    pub(crate) revision: String,
    /// Which of criterion's baselines
    #[arg(long, value_name = "NAME", default_value = "new")]
    pub(crate) baseline: String,
    /// Fingerprint of the computer that measured [default: this computer's]
    #[arg(long, value_name = "ID", value_parser = fingerprint)]
    pub(crate) fingerprint: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Only series of the computer with this fingerprint; `this` is the one here
    #[arg(long, value_name = "ID")]
    pub(crate) fingerprint: Option<String>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = HistoryFormat::Text)]
    pub(crate) format: HistoryFormat,
    /// Inconclusive series fail too, with exit code 3
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryFormat {
    /// A table
    Text,
    /// The JSON of `guard`
    Json,
    /// JUnit XML
    Junit,
    /// Annotations of a GitHub workflow
    Github,
    /// For a comment or a summary
    Markdown,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AcceptArgs {
    /// The first revision of the new level
    #[arg(value_name = "REVISION", value_parser = revision)]
    pub(crate) revision: String,
    /// Why it is fine
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Only series of this implementation
    #[arg(long, value_name = "ID")]
    pub(crate) implementation: Option<String>,
    /// Only series at this point, such as contended/t8/h0
    #[arg(long, value_name = "LABEL")]
    pub(crate) point: Option<String>,
    /// Only series of this metric: throughput, wait-p99, cpu-per-op, jain, cycles-per-op, instructions-per-op
    #[arg(long, value_name = "M", value_parser = metric)]
    pub(crate) metric: Option<Metric>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct HistoryReportArgs {
    /// Folder of the pages
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write into a folder that holds something else
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Metrics of a history, as its lines name them.
const METRICS: [(&str, Metric); 6] = [
    ("throughput", Metric::Throughput),
    ("wait-p99", Metric::WaitP99),
    ("cpu-per-op", Metric::CpuPerOp),
    ("jain", Metric::Jain),
    ("cycles-per-op", Metric::CyclesPerOp),
    ("instructions-per-op", Metric::InstructionsPerOp),
];

fn metric(text: &str) -> Result<Metric, String> {
    let known = METRICS.into_iter().find(|(name, _)| *name == text).map(|(_, metric)| metric);
    known.ok_or_else(|| workloads::diagnose::unknown("metric", text, METRICS.map(|(name, _)| name)))
}

/// A revision is one word on a line and in a table.
pub(super) fn revision(text: &str) -> Result<String, String> {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if text.is_empty() || text.len() > 200 || text.contains(odd) {
        return Err("expected a word of at most 200 letters, such as a commit".into());
    }
    Ok(text.to_owned())
}

/// A fingerprint names a file.
fn fingerprint(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > 64 || !text.chars().all(plain) || text == "epochs" {
        return Err(
            "expected at most 64 letters, digits, `-` and `_`, as `synchroscope doctor --json` has it".into(),
        );
    }
    Ok(text.to_owned())
}
