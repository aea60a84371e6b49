//! The flags of `guard`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

pub(super) const EXAMPLES: &str = "Examples:
  synchroscope guard --baseline main                    this program against a revision, built as this one was
  synchroscope guard --baseline v1.2 --candidate HEAD --format json
  synchroscope guard --baseline old/synchroscope        against another build
  synchroscope guard --baseline mutex/ticket --candidate mutex/mcs --threads 2
  synchroscope guard --baseline main --layer exact --format github --out guard     in continuous integration
  synchroscope guard --baseline v1.0 --history git:bench-history     the same, remembered: slow decay shows too
  synchroscope guard --baseline runs/before --candidate runs/after
  synchroscope guard --baseline main --dry-run          what it would do, and how long that takes
  synchroscope guard --self-test --quick                what it sees of planted faults here, and its false alarms
How a verdict comes about: docs/GUARD.md, docs/EXACT.md; in continuous integration: docs/CI.md";

/// `guard`.
#[derive(Debug, ClapArgs)]
pub(crate) struct GuardArgs {
    /// What the candidate is held against: a git revision, a binary, an implementation, or a run directory
    #[arg(long, value_name = "X", required_unless_present = "self_test")]
    pub(crate) baseline: Option<String>,
    /// What is judged: the same kinds [default: this program]
    #[arg(long, value_name = "Y", requires = "baseline")]
    pub(crate) candidate: Option<String>,
    /// A suite file; without one, --suite names a built-in suite
    #[arg(value_name = "SUITE.toml", conflicts_with = "suite")]
    pub(crate) file: Option<PathBuf>,
    /// A built-in suite [default: guard]
    #[arg(long, value_name = "NAME")]
    pub(crate) suite: Option<String>,
    /// Implementations in place of those that the suite names; may be given several times [default: a crate's own, if it
    /// registers any]
    #[arg(long = "impl", value_name = "GLOB")]
    pub(crate) implementations: Vec<String>,
    /// Only cells whose id, implementation or workload matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) filter: Option<String>,
    /// Numbers of threads: 1,2,8 or relative to the cores: cores,4x
    #[arg(long, value_name = "LIST")]
    pub(crate) threads: Option<String>,
    /// Where judgements come from
    #[arg(long, value_enum, default_value_t = GuardLayer::All)]
    pub(crate) layer: GuardLayer,
    /// Machines of the exact layer: sim:NAME, sim:PATH.toml; may be given several times [default: sim:vm-2,
    /// sim:laptop-8]
    #[arg(long = "machine", value_name = "M")]
    pub(crate) machines: Vec<String>,
    /// Seeds of each simulated cell
    #[arg(long, value_name = "N", default_value_t = reports::guard::exact::SEEDS, value_parser = clap::value_parser!(u32).range(8..=10_000))]
    pub(crate) seeds: u32,
    /// Simulated cost, in percent, that may be lost or won beyond the seeds' spread before it counts
    #[arg(long, value_name = "P", default_value_t = reports::guard::exact::BUDGET_PERCENT)]
    pub(crate) budget: f64,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = GuardFormat::Text)]
    pub(crate) format: GuardFormat,
    /// Fresh blocks that decide on a row [default: 12, or more if there are many rows]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub(crate) blocks: Option<u32>,
    /// Time for all launches, should every row need a confirmation: slices grow or shrink to fill it
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,
    /// Seed of all draws and of the order of launches
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Compare run directories of different computers
    #[arg(long)]
    pub(crate) across_machines: bool,
    /// Print the plan, its time and what it can reach, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Keep the report in every form, every block and timelines of what differs in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Add the ratios to a history, and judge the series that they go on; the baseline must then stay the same from call to
    /// call: a tag, a commit's hash, a binary, an implementation
    #[arg(long, value_name = "DIR|git:BRANCH", conflicts_with = "self_test")]
    pub(crate) history: Option<String>,
    /// With --history: what is measured [default: the commit of --candidate, or the one checked out here]
    #[arg(long, value_name = "R", requires = "history", value_parser = super::history::revision)]
    pub(crate) revision: Option<String>,
    /// Inconclusive and contaminated verdicts fail too, with exit code 3
    #[arg(long)]
    pub(crate) strict: bool,
    /// Give each launch so many seconds beyond what it should take, before it counts as hung
    #[arg(long, value_name = "S", default_value_t = 5.0)]
    pub(crate) patience: f64,
    /// Print results and errors only
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Measure guard itself: planted slow-downs that it must find, and copies that it must not accuse
    #[arg(long, conflicts_with_all = ["baseline", "out"])]
    pub(crate) self_test: bool,
    /// With --self-test: a minute or two, one job of each kind
    #[arg(long, requires = "self_test", conflicts_with = "campaign")]
    pub(crate) quick: bool,
    /// With --self-test: job after job, kept in this folder as they are made; called again, it goes on
    #[arg(long, value_name = "DIR", requires = "self_test")]
    pub(crate) campaign: Option<PathBuf>,
    /// With --campaign: stop after so long [default: 1]
    #[arg(long, value_name = "H", requires = "campaign")]
    pub(crate) hours: Option<f64>,
}

/// Where judgements come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GuardLayer {
    /// Simulated cycles and counted instructions: no noise, any computer will do
    Exact,
    /// Launches on this computer, in paired blocks
    Measured,
    /// Both
    All,
}

impl GuardLayer {
    /// Whether the exact rows are asked for.
    pub(crate) const fn exact(self) -> bool {
        matches!(self, GuardLayer::Exact | GuardLayer::All)
    }

    /// Whether the measured rows are asked for.
    pub(crate) const fn measured(self) -> bool {
        matches!(self, GuardLayer::Measured | GuardLayer::All)
    }
}

/// Form of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GuardFormat {
    /// A table
    Text,
    /// The documented JSON
    Json,
    /// JUnit XML: a test case for each row
    Junit,
    /// Annotations of GitHub, and the step's summary
    Github,
    /// Markdown for a comment on a pull request
    Markdown,
}
