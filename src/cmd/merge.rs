//! `merge`: the shards of one run become one run directory.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use record::Manifest;
use record::store::RunDir;

use super::{command_line, print, report};
use crate::args::MergeArgs;
use crate::exit::Exit;

pub(super) fn command(args: &MergeArgs) -> Result<Exit> {
    let runs = report::load(&args.runs)?;
    let first = runs.first().context("no run to merge")?;
    let mut seen = HashSet::new();
    for run in &runs {
        let (ours, theirs) = (&first.manifest, &run.manifest);
        let place = run.path.display();
        ensure!(
            ours.suite == theirs.suite,
            "{place} is of suite `{}`, the first of `{}`",
            theirs.suite,
            ours.suite
        );
        ensure!(ours.seed == theirs.seed, "{place} has seed {}, the first {}", theirs.seed, ours.seed);
        ensure!(ours.tool == theirs.tool, "{place} was made by another version or build of the tool");
        ensure!(
            ours.host.fingerprint == theirs.host.fingerprint,
            "{place} was made on another machine: a merged run would mix their numbers; `report` shows both"
        );
        for cell in &theirs.cells {
            ensure!(
                seen.insert(cell.cell.clone()),
                "{place} holds cell `{}`, which another shard holds too",
                cell.cell
            );
        }
    }
    let manifest = Manifest {
        cells: runs.iter().flat_map(|run| run.manifest.cells.clone()).collect(),
        command: command_line(),
        shard: None,
        ..first.manifest.clone()
    };
    let dir = RunDir::create(&args.out, &manifest)?;
    for record in runs.iter().flat_map(|run| &run.records) {
        dir.save(record)?;
    }
    // Of two shards that hold a proof of the same implementation, the later on the command line is believed.
    for verified in runs.iter().filter_map(|run| run.verified.as_ref()) {
        dir.save_verified(verified)?;
    }
    print(&format!("{}\n", args.out.display()))
}
