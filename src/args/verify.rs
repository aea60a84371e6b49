//! The flags of `verify`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

pub(super) const EXAMPLES: &str = "Examples:
  synchroscope verify mutex/go-2019-fastpath
  synchroscope verify 'mutex/go-*' mutex/mine --json > checked.json
  synchroscope verify mutex/mine --trace traces    a schedule that fails, for https://ui.perfetto.dev
  synchroscope verify 'mutex/*' --into runs/monday && synchroscope report runs/monday
  synchroscope verify 'mutex/*' --deep             hours
What is checked and within which bounds: docs/PROOF.md";

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// Ids of implementations, or globs
    #[arg(value_name = "IMPL", required = true)]
    pub(crate) implementations: Vec<String>,
    /// One more preemption, and many more executions and schedules: minutes to hours
    #[arg(long)]
    pub(crate) deep: bool,
    /// Explore so many schedules of each program [default: 200, with --deep 20000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) schedules: Option<u32>,
    /// Seed of the first explored schedule, as a failure prints it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the shortest schedule of each failure into this folder, as a timeline
    #[arg(long, value_name = "DIR")]
    pub(crate) trace: Option<PathBuf>,
    /// Write what was found into this run directory, too: its report then shows it
    #[arg(long, value_name = "RUN")]
    pub(crate) into: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}
