//! `report`: pages from run directories.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use record::Tool;
use record::store::{Loaded, RunDir};
use reports::html::Options;

use super::run::tool;
use super::{command_line, print};
use crate::args::ReportArgs;
use crate::exit::Exit;

pub(super) fn command(args: &ReportArgs) -> Result<Exit> {
    let runs = load(&args.runs)?;
    let out = args.out.clone().unwrap_or_else(|| args.runs[0].join("report"));
    let held = |id: &String| {
        runs.iter().flat_map(|run| &run.records).any(|r| r.implementation == *id || r.display_name() == *id)
    };
    if let Some(unknown) = args.compare.iter().find(|id| !held(id)) {
        let ids = runs.iter().flat_map(|run| &run.records).map(|record| record.implementation.as_str());
        let near =
            workloads::nearest(unknown, ids).map_or(String::new(), |near| format!("; nearest is `{near}`"));
        bail!("--compare {unknown}: the runs hold no such implementation{near}");
    }
    let options = Options {
        force: args.force,
        single_file: args.single_file,
        compare: args.compare.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
        ..stamped()
    };
    let page = reports::html::write_report(&out, &runs, &options)?;
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

/// Writes the pages of a run that was just made and returns the path of the first.
pub(super) fn write(runs: &[Loaded], out: &Path) -> Result<PathBuf> {
    reports::html::write_report(out, runs, &stamped())
}

/// What every page says about how it was made.
pub(super) fn stamped() -> Options {
    let Tool { version, revision, .. } = tool();
    let revision = revision.unwrap_or_else(|| "not known".into());
    Options {
        command: command_line(),
        tool: format!("synchroscope {version}, revision {revision}"),
        ..Options::default()
    }
}
