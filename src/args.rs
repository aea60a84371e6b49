//! The command line, as one reads it in `--help`.

mod guard;
mod history;
mod tune;
mod verify;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use record::ProbeMode;
use reports::export::Format;
use workloads::published::curves::Bench;

pub(crate) use guard::{GuardArgs, GuardFormat};
pub(crate) use history::{
    AcceptArgs, AddArgs, CheckArgs, CriterionArgs, HistoryCommand, HistoryFormat, HistoryReportArgs,
    ImportCommand,
};
pub(crate) use tune::TuneArgs;
pub(crate) use verify::VerifyArgs;

/// A benchmarking and contention-profiling observatory for synchronization primitives.
///
/// Without a command it runs the quick suite on this computer: a table in the terminal, and an HTML report.
#[derive(Debug, Parser)]
#[command(name = "synchroscope", version, after_help = TOP_EXAMPLES, max_term_width = 110)]
pub(crate) struct Args {
    /// Description of a further engine: a program that runs implementations over the launch protocol
    #[arg(long = "engine", global = true, value_name = "ENGINE.toml")]
    pub(crate) engines: Vec<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const TOP_EXAMPLES: &str = "Examples:
  synchroscope                                     quick suite, table, report
  synchroscope list --family mutex                 what can be measured
  synchroscope run --filter 'mutex/go-*'           only Go's mutexes
  synchroscope report runs/latest                  pages from a run
  synchroscope compare mutex/ticket mutex/mcs      two designs, with intervals";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List families, implementations with their cards, workloads, suites, machines
    #[command(after_help = "Example:\n  synchroscope list --family mutex --json")]
    List(ListArgs),
    /// Say what this computer can measure, what not, why, and how to enable it
    Doctor(DoctorArgs),
    /// Run cells into a run directory
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Tell the slowest acquire of a simulated cell, cycle by cycle
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Make HTML pages from run directories
    #[command(after_help = "Example:\n  synchroscope report runs/monday runs/tuesday --out both")]
    Report(ReportArgs),
    /// Compare two runs, or two implementations inside runs: ratios with intervals
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(CompareArgs),
    /// Judge a change: a candidate against its baseline, for people and for continuous integration
    #[command(after_help = guard::EXAMPLES)]
    Guard(GuardArgs),
    /// Search the parameters of an implementation for better values than its defaults
    #[command(after_help = tune::EXAMPLES)]
    Tune(TuneArgs),
    /// Write a run in the format of another tool: critcmp, benchstat, Bencher, Prometheus, ...
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Keep ratios to a pinned reference over time, and find the changes in them
    #[command(subcommand, after_help = history::EXAMPLES)]
    History(HistoryCommand),
    /// Put the shards of one run together
    #[command(after_help = "Example:\n  synchroscope merge shard-1 shard-2 --out whole")]
    Merge(MergeArgs),
    /// Simulate published curves and say how far off the simulated machine is
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Check an implementation: interleavings, schedules, misuse, faults, weakened orderings
    #[command(after_help = verify::EXAMPLES)]
    Verify(VerifyArgs),
    /// Measure this computer and describe it as a preset of the simulated machine
    #[command(after_help = CALIBRATE_EXAMPLES)]
    Calibrate(CalibrateArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  synchroscope completions bash > ~/.local/share/bash-completion/completions/synchroscope"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Run one launch: spec on stdin, result on stdout (the launch protocol, docs/RECORD.md)
    #[command(hide = true)]
    Launch {
        /// Give up after so long and say who holds and who waits
        #[arg(long)]
        watch_ms: Option<u64>,
        /// Write the timeline of a simulated launch into this file
        #[arg(long)]
        trace: Option<PathBuf>,
        /// Begin it with the launch, and not with the first measured slice
        #[arg(long, requires = "trace")]
        trace_begin: bool,
        /// Read no spec: print what this program is and what it can launch
        #[arg(long)]
        identify: bool,
    },
    /// Take and give back one lock so many times, alone, for counting its instructions
    #[command(hide = true)]
    Uncontended {
        /// Which
        #[arg(long, value_name = "ID")]
        implementation: String,
        /// How often
        #[arg(long, value_name = "N")]
        operations: u64,
        /// Set a parameter
        #[arg(long = "param", value_name = "NAME=VALUE", value_parser = crate::uncontended::param)]
        params: Vec<(String, u64)>,
        /// Read parameters at run time even if none is set
        #[arg(long)]
        tuned_shape: bool,
    },
}

const RUN_EXAMPLES: &str = "Examples:
  synchroscope run --suite standard --dry-run      what it would do, and how long that takes
  synchroscope run my-suite.toml --out runs/mine   a suite of one's own
  synchroscope run --filter 'mutex/mcs' --threads 1,2,8
  synchroscope run --filter 'mutex/go-2019-fastpath' --param spin_rounds=0
  synchroscope run --out runs/mine --resume        go on after an interruption";

const EXPLAIN_EXAMPLES: &str = "Examples:
  synchroscope explain mutex.ticket@contended-t8-h0@sim-genoa-192 runs/mine
  synchroscope explain '*go-2016*starved*' --machine sim:milan-128";

const COMPARE_EXAMPLES: &str = "Examples:
  synchroscope compare runs/before runs/after
  synchroscope compare mutex/go-2015-spinning mutex/go-2016-starving --in runs/latest --json";

const VALIDATE_EXAMPLES: &str = "Examples:
  synchroscope validate                            the curves of the Opteron, which the binary carries
  synchroscope validate --curves xeon.csv --json   a file with the columns platform,series,threads,mops
  synchroscope validate --curves tas.csv --bench one-lock --seeds 16
  synchroscope validate --preset my.toml --out pages";

const EXPORT_EXAMPLES: &str = "Examples:
  synchroscope export runs/monday --format criterion --out target/criterion
  synchroscope export runs/tuesday --format criterion --out target/criterion && critcmp monday tuesday
  synchroscope export runs/monday --format csv > monday.csv
What each format holds: docs/EXPORT.md";

const CALIBRATE_EXAMPLES: &str = "Examples:
  synchroscope calibrate --name my-desk --out my-desk.toml
  synchroscope run --machine os --machine sim:my-desk.toml
Nothing else should run meanwhile. It takes some seconds, and with many cores about 10 ms for each pair of them.";

#[derive(Debug, ClapArgs)]
pub(crate) struct ListArgs {
    /// Only this family
    #[arg(long, value_name = "F")]
    pub(crate) family: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What shapes a plan: a run that goes on has its plan already, and would ignore them.
const PLAN: [&str; 13] = [
    "file", "suite", "filter", "machines", "threads", "params", "probe", "launches", "seconds", "cpus",
    "seed", "seeds", "shard",
];

#[derive(Debug, Default, ClapArgs)]
pub(crate) struct RunArgs {
    /// A suite file; without one, --suite names a built-in suite
    #[arg(value_name = "SUITE.toml", conflicts_with = "suite")]
    pub(crate) file: Option<PathBuf>,
    /// A built-in suite [default: quick]
    #[arg(long, value_name = "NAME")]
    pub(crate) suite: Option<String>,
    /// Only cells whose id, implementation or workload matches
    #[arg(long, value_name = "GLOB")]
    pub(crate) filter: Option<String>,
    /// Machines to run on: os, sim:NAME, sim:PATH.toml; may be given several times [default: os]
    #[arg(long = "machine", value_name = "M")]
    pub(crate) machines: Vec<String>,
    /// Numbers of threads: 1,2,8 or relative to the cores: cores,4x
    #[arg(long, value_name = "LIST")]
    pub(crate) threads: Option<String>,
    /// Set a parameter in the implementations that have it
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) params: Vec<String>,
    /// Who listens in probed launches; off leaves them out
    #[arg(long, value_name = "MODE")]
    pub(crate) probe: Option<ProbeArg>,
    /// Launches without a probe, of each cell
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) launches: Option<u32>,
    /// Time for the whole run: slices grow or shrink to fill it
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,
    /// Pin workers to these cores: 0,2-3
    #[arg(long, value_name = "LIST")]
    pub(crate) cpus: Option<String>,
    /// Seed of all draws and of the order of launches
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Launches of each simulated cell, each with a seed of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) seeds: Option<u32>,
    /// Write a timeline of each simulated launch beside its record, for https://ui.perfetto.dev
    #[arg(long)]
    pub(crate) trace: bool,
    /// Print cells, launches and the expected time, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The run directory [default: a new one in runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the run in --out: make the launches that are missing
    #[arg(long, requires = "out", conflicts_with_all = PLAN)]
    pub(crate) resume: bool,
    /// Do the I-th of N parts of the run; `merge` puts them together
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<String>,
    /// Give each launch so many seconds beyond what it should take, before it counts as hung
    #[arg(long, value_name = "S", default_value_t = 5.0)]
    pub(crate) patience: f64,
    /// Suspect cells fail the run too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print results and errors only
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// Id of a simulated cell, or a glob that only one matches
    #[arg(value_name = "CELL")]
    pub(crate) cell: String,
    /// The run that holds it [default: the latest in runs/]
    #[arg(value_name = "RUN-DIR", conflicts_with = "machines")]
    pub(crate) run: Option<PathBuf>,
    /// Without a run: a simulated machine, and the cells of a suite on it
    #[arg(long = "machine", value_name = "M")]
    pub(crate) machines: Vec<String>,
    /// The suite's file
    #[arg(long, value_name = "SUITE.toml", conflicts_with = "suite", requires = "machines")]
    pub(crate) file: Option<PathBuf>,
    /// A built-in suite [default: quick]
    #[arg(long, value_name = "NAME", requires = "machines")]
    pub(crate) suite: Option<String>,
    /// Numbers of threads, as `run` takes them
    #[arg(long, value_name = "LIST", requires = "machines")]
    pub(crate) threads: Option<String>,
    /// Seed of all draws
    #[arg(long, value_name = "N", default_value_t = 1, requires = "machines")]
    pub(crate) seed: u64,
    /// Which launch of the cell
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub(crate) launch: u32,
    /// Steps to print; the JSON holds all
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) steps: usize,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// Run directories
    #[arg(required = true, value_name = "DIR")]
    pub(crate) runs: Vec<PathBuf>,
    /// Folder of the pages [default: `report` in the first run directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write one file that holds all pages, instead of a folder of pages
    #[arg(long)]
    pub(crate) single_file: bool,
    /// Add a page that compares two implementations; may be given several times
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) compare: Vec<String>,
    /// Write into a folder that holds something else
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CompareArgs {
    /// A run directory, or the id of an implementation
    pub(crate) a: String,
    /// The same kind as A
    pub(crate) b: String,
    /// Runs that hold the two implementations [default: the latest in runs/]
    #[arg(long = "in", value_name = "DIR")]
    pub(crate) runs: Vec<PathBuf>,
    /// Confidence of the intervals, between 0.5 and 1
    #[arg(long, default_value_t = reports::compare::Options::default().confidence)]
    pub(crate) confidence: f64,
    /// Compare runs of different computers
    #[arg(long)]
    pub(crate) across_machines: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    /// A run directory
    #[arg(value_name = "DIR")]
    pub(crate) run: PathBuf,
    /// For which tool: criterion, bmf, github-action-benchmark, benchfmt, hdr, openmetrics, csv, parquet
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    pub(crate) format: Format,
    /// The file to write, or the folder for criterion and github-action-benchmark [default: stdout]
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
    /// Name of the run among the baselines of a criterion tree [default: the name of its directory]
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,
    /// Replace files that are there
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

fn format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|format| format.name() == text);
    known.ok_or_else(|| workloads::diagnose::unknown("format", text, Format::ALL.map(Format::name)))
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MergeArgs {
    /// Run directories, the shards of one run
    #[arg(required = true, value_name = "DIR")]
    pub(crate) runs: Vec<PathBuf>,
    /// The run directory to make
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ValidateArgs {
    /// Published curves; may be given several times [default: those of the Opteron]
    #[arg(long, value_name = "CSV")]
    pub(crate) curves: Vec<PathBuf>,
    /// Which experiment the curves are, if their series do not say [possible values: atomics, one-lock]
    #[arg(long, value_name = "BENCH", value_parser = bench, hide_possible_values = true)]
    pub(crate) bench: Option<Bench>,
    /// Simulations of each point, each with a seed of its own
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) seeds: u32,
    /// Simulate every curve on this machine, whatever its platform
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub(crate) preset: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Make a page with all curves, published and simulated, in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write into a folder that holds something else
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

fn bench(text: &str) -> Result<Bench, String> {
    let names = || Bench::ALL.map(Bench::name);
    let known = Bench::ALL.into_iter().find(|bench| bench.name() == text);
    known.ok_or_else(|| workloads::diagnose::unknown("experiment", text, names()))
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CalibrateArgs {
    /// Name of the preset: small letters, digits and hyphens
    #[arg(long, value_name = "NAME", default_value = "this-computer")]
    pub(crate) name: String,
    /// Write the preset into this file instead of stdout
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) out: Option<PathBuf>,
    /// Replace a file that no calibration wrote
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// What is wrong with a command line, in one line: clap's own words without its usage.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let said = |line: &&str| !line.starts_with("Usage:") && !line.starts_with("For more information");
    let lines = text.lines().map(str::trim).take_while(said).filter(|line| !line.is_empty());
    lines.fold(String::new(), |all, line| match line {
        _ if all.is_empty() => line.to_owned(),
        tip if tip.starts_with("tip:") => format!("{all}; {tip}"),
        _ => format!("{all} {line}"),
    })
}

/// [`ProbeMode`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ProbeArg {
    /// Nobody
    Off,
    /// Counters only
    Count,
    /// Counters, and one acquire in 64 timed
    Sample,
    /// Every acquire timed
    Full,
}

impl From<ProbeArg> for ProbeMode {
    fn from(arg: ProbeArg) -> ProbeMode {
        match arg {
            ProbeArg::Off => ProbeMode::Off,
            ProbeArg::Count => ProbeMode::Count,
            ProbeArg::Sample => ProbeMode::Sample,
            ProbeArg::Full => ProbeMode::Full,
        }
    }
}
