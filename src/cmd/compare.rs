//! `compare`: two runs, or two implementations inside runs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use reports::compare::{Options, compare_implementations, compare_runs};

use super::{print, report};
use crate::args::CompareArgs;
use crate::exit::Exit;

pub(super) fn command(args: &CompareArgs) -> Result<Exit> {
    ensure!(
        (0.5..1.0).contains(&args.confidence),
        "--confidence {}: expected a number from 0.5 to below 1, such as 0.95",
        args.confidence
    );
    let options = Options { confidence: args.confidence, across_machines: args.across_machines };
    let is_run = |name: &str| Path::new(name).join("run.json").is_file();
    let comparison = if is_run(&args.a) && is_run(&args.b) {
        ensure!(args.runs.is_empty(), "--in goes with two implementations, not with two runs");
        let runs = report::load(&[args.a.clone().into(), args.b.clone().into()])?;
        compare_runs(&runs[0], &runs[1], &options)?
    } else {
        for (name, other) in [(&args.a, &args.b), (&args.b, &args.a)] {
            if is_run(other) || Path::new(name).is_dir() {
                bail!(
                    "{name} is not a run: compare two run directories, or two implementations with --in DIR"
                );
            }
        }
        let runs = if args.runs.is_empty() { vec![latest()?] } else { args.runs.clone() };
        compare_implementations(&report::load(&runs)?, &args.a, &args.b, &options)?
    };
    print(&if args.json { comparison.to_json()? } else { comparison.to_text() })
}

/// The run directory in `runs/` that was made last.
fn latest() -> Result<PathBuf> {
    let entries =
        std::fs::read_dir("runs").context("there is no folder runs/ here: name the runs with --in DIR")?;
    let made = |path: &PathBuf| path.join("run.json").metadata().and_then(|meta| meta.modified()).ok();
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path.join("run.json").is_file());
    paths.max_by_key(made).context("runs/ holds no run: name the runs with --in DIR")
}
