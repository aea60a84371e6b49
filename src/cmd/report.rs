//! `report`: pages from run directories.

use anyhow::Result;
use record::store::{Loaded, RunDir};
use std::path::{Path, PathBuf};

use super::{command_line, print};
use crate::args::ReportArgs;
use crate::exit::Exit;

pub(super) fn command(args: &ReportArgs) -> Result<Exit> {
    let runs = load(&args.runs)?;
    let out = args.out.clone().unwrap_or_else(|| args.runs[0].join("report"));
    let page = write(&runs, &out, args.force)?;
    print(&format!("{}\n", page.display()))
}

/// Reads run directories; says on stderr which records are damaged.
pub(super) fn load(paths: &[PathBuf]) -> Result<Vec<Loaded>> {
    let runs = paths.iter().map(|path| RunDir::load(path)).collect::<Result<Vec<_>>>()?;
    for (path, reason) in runs.iter().flat_map(|run| &run.damaged) {
        eprintln!("warning: left out {}: {reason}", path.display());
    }
    Ok(runs)
}

/// Writes the pages of `runs` and returns the path of the first.
pub(super) fn write(runs: &[Loaded], out: &Path, force: bool) -> Result<PathBuf> {
    let options = reports::html::Options { command: command_line(), force, single_file: false };
    reports::html::write_report(out, runs, &options)
}
