//! The flags of `tune`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use reports::tune::Prefer;

pub(crate) const EXAMPLES: &str = "Examples:
  synchroscope tune mutex/go-2019-fastpath --workload contended,bursts --hold-out long-hold
  synchroscope tune mutex/go-2019-fastpath --workload 'contended/t2/*' --param spin_rounds=0..64 --dry-run
  synchroscope tune mutex/ticket --workload contended --machine sim:genoa-192 --simulate-only
  synchroscope tune --out tuned --resume           go on after an interruption
What is searched, by which rules: docs/TUNE.md";

/// What shapes a search: one that goes on has its plan already, and would ignore them.
const PLAN: [&str; 15] = [
    "implementation",
    "workloads",
    "params",
    "machines",
    "hold_out",
    "seconds",
    "cells",
    "seeds",
    "seed",
    "prefer",
    "max_wait",
    "min_jain",
    "simulate_only",
    "dry_run",
    "threads",
];

#[derive(Debug, ClapArgs)]
pub(crate) struct TuneArgs {
    /// Id of an implementation that has parameters
    #[arg(value_name = "IMPL", required_unless_present = "resume")]
    pub(crate) implementation: Option<String>,
    /// Workloads to tune for: names, files, or points such as contended/t2/h0; globs; several with commas
    #[arg(long = "workload", value_name = "W", value_delimiter = ',', required_unless_present = "resume")]
    pub(crate) workloads: Vec<String>,
    /// What to try of a parameter: 1..64, a list 0,4,16, or one value [default: a grid around the default, of each]
    #[arg(long = "param", value_name = "NAME=RANGE")]
    pub(crate) params: Vec<String>,
    /// Simulated machines that screen the settings [default: one near this computer, and one of many cores]
    #[arg(long = "machine", value_name = "sim:M")]
    pub(crate) machines: Vec<String>,
    /// Workloads that the search does not see, on which the answer must hold too
    #[arg(long, value_name = "W", value_delimiter = ',')]
    pub(crate) hold_out: Vec<String>,
    /// Numbers of threads, as `run` takes them
    #[arg(long, value_name = "LIST")]
    pub(crate) threads: Option<String>,
    /// Time for the whole search [default: 240]
    #[arg(long, value_name = "S", conflicts_with = "cells")]
    pub(crate) seconds: Option<f64>,
    /// Trials for the race at most, or for the screening with --simulate-only, instead of a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) cells: Option<u64>,
    /// Seeds of each simulated setting
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) seeds: u32,
    /// Seed of all draws, orders and resamples
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// What counts most when one setting must be picked
    #[arg(long, value_name = "WHAT", default_value = "balanced")]
    pub(crate) prefer: PreferArg,
    /// The longest wait that is allowed: 10ms, 500us [default: any]
    #[arg(long, value_name = "TIME")]
    pub(crate) max_wait: Option<String>,
    /// The least index of Jain that is allowed; where the default has less, what the default has
    #[arg(long, value_name = "J", default_value_t = 0.9)]
    pub(crate) min_jain: f64,
    /// Stop after the simulated machines: nothing is measured
    #[arg(long)]
    pub(crate) simulate_only: bool,
    /// The folder of the search [default: a new one in runs/]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the search in --out: make the trials that are missing
    #[arg(long, requires = "out", conflicts_with_all = PLAN)]
    pub(crate) resume: bool,
    /// Print settings, scenarios and the expected time, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Give each launch so many seconds beyond what it should take, before it counts as hung
    #[arg(long, value_name = "S", default_value_t = 5.0)]
    pub(crate) patience: f64,
    /// An answer that the confirmation could not give is an error too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print results and errors only
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// [`Prefer`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PreferArg {
    /// Throughput as much as p99 wait and processor time together
    Balanced,
    /// Nothing but throughput
    Throughput,
    /// Mostly the p99 wait
    Tail,
    /// Mostly processor time
    Cpu,
}

impl From<PreferArg> for Prefer {
    fn from(arg: PreferArg) -> Prefer {
        match arg {
            PreferArg::Balanced => Prefer::Balanced,
            PreferArg::Throughput => Prefer::Throughput,
            PreferArg::Tail => Prefer::Tail,
            PreferArg::Cpu => Prefer::Cpu,
        }
    }
}
