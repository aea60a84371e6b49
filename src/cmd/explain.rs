//! `explain`: the slowest acquire of a simulated cell, cycle by cycle.
//!
//! The launch is simulated again from its record's spec and seed, which gives the same trace: once to find the longest
//! wait, once to keep the steps around it.

mod story;
mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use record::store::RunDir;
use record::{Manifest, PlannedCell, is_simulated};
use workloads::{nearest, pattern::Pattern};

use super::{print, run, to_json};
use crate::Observatory;
use crate::args::{ExplainArgs, RunArgs};
use crate::exit::Exit;
use crate::registry::Entry;
use crate::runner::launch::spec;
use crate::simulated::{Marks, attempt};

/// Steps that a simulation keeps around the slowest acquire; the JSON holds all that concern it.
const MARKS_MAX: usize = 4_000_000;
/// So many cycles before the wait are looked at as well, and as many as the wait has: to know who holds.
const BEFORE_CYCLES: u64 = 200_000;

pub(super) fn command(observatory: &Observatory, args: &ExplainArgs) -> Result<Exit> {
    let (manifest, dir) = manifest(observatory, args)?;
    let cell = find(&manifest, &args.cell)?;
    ensure!(
        (args.launch as usize) < cell.launches.len(),
        "--launch {}: {} has the launches 0 to {}",
        args.launch,
        cell.cell,
        cell.launches.len() - 1
    );
    let entry = observatory
        .entry(&cell.implementation)
        .with_context(|| format!("`{}` is not in this program", cell.implementation))?;
    let story = tell(entry, &manifest, cell, args.launch)?;
    if let Some(dir) = &dir {
        warn_if_different(dir, cell, args.launch, &story.trace_hash);
    }
    print(&if args.json { to_json(&story)? } else { text::text(&story, args.steps) })
}

/// The plan that holds the cell: that of a run, or one made for the occasion.
fn manifest(observatory: &Observatory, args: &ExplainArgs) -> Result<(Manifest, Option<RunDir>)> {
    if args.machines.is_empty() {
        let path = args.run.clone().unwrap_or_else(|| PathBuf::from("runs/latest"));
        let (dir, manifest) = RunDir::open(&path).with_context(|| {
            format!("no run to explain in {}: name one, or a machine with --machine", path.display())
        })?;
        return Ok((manifest, Some(dir)));
    }
    let plan = RunArgs {
        file: args.file.clone(),
        suite: args.suite.clone(),
        machines: args.machines.clone(),
        threads: args.threads.clone(),
        seed: args.seed,
        ..RunArgs::default()
    };
    Ok((run::plan(observatory, &plan)?, None))
}

/// The one simulated cell with this id, or that this glob matches.
fn find<'m>(manifest: &'m Manifest, wanted: &str) -> Result<&'m PlannedCell> {
    let simulated: Vec<&PlannedCell> =
        manifest.cells.iter().filter(|cell| is_simulated(&cell.machine)).collect();
    ensure!(
        !simulated.is_empty(),
        "no cell of this run is simulated: only simulated launches can be explained"
    );
    if let Some(cell) = simulated.iter().find(|cell| cell.cell == wanted) {
        return Ok(cell);
    }
    let pattern = Pattern::new(wanted).map_err(anyhow::Error::msg)?;
    let matches = |cell: &&&PlannedCell| pattern.matches(&cell.cell) || pattern.matches(&cell.implementation);
    let found: Vec<&PlannedCell> = simulated.iter().filter(matches).copied().collect();
    match found.as_slice() {
        [cell] => Ok(cell),
        [] => {
            let near = nearest(wanted, simulated.iter().map(|cell| cell.cell.as_str()));
            let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
            bail!("`{wanted}` is none of the {} simulated cells{near}", simulated.len())
        }
        several => {
            let names: Vec<&str> = several.iter().take(5).map(|cell| cell.cell.as_str()).collect();
            bail!("`{wanted}` names {} cells, say which: {}", several.len(), names.join(", "))
        }
    }
}

fn tell(entry: &dyn Entry, manifest: &Manifest, cell: &PlannedCell, launch: u32) -> Result<story::Story> {
    let spec = spec(manifest, cell, launch);
    let first = match attempt(entry, &spec, Marks::default())? {
        Ok(first) => first,
        Err(failure) => bail!(
            "launch {launch} of {} failed, so its slowest acquire has no end: {}\n`run --trace` draws what led there",
            cell.cell,
            failure.text
        ),
    };
    // A thread's first stretch is the discarded slice.
    let mut seen = vec![0_u32; spec.point.threads()];
    let mut longest: Option<(u64, u64, u32)> = None;
    for (thread, stretch) in &first.report.stretches {
        let Some(seen) = seen.get_mut(*thread as usize) else { continue };
        *seen += 1;
        if let (2.., Some((cycles, begin))) = (*seen, stretch.longest_wait)
            && longest.is_none_or(|(most, ..)| cycles > most)
        {
            longest = Some((cycles, begin, *thread));
        }
    }
    let (cycles, begin, thread) = longest.context("no operation acquired anything: nothing to explain")?;
    let from_cycle = begin.saturating_sub(cycles.max(BEFORE_CYCLES));
    let mut simulation = entry.simulate(&spec, Marks { most: MARKS_MAX, from_cycle })?;
    let tape = simulation.report.tape.take().context("the simulation kept no marks")?;
    let wait = story::Wait { thread, begin, end: begin + cycles };
    Ok(story::Story::new(cell, launch, &spec, &simulation, &tape, wait))
}

fn warn_if_different(dir: &RunDir, cell: &PlannedCell, launch: u32, hash: &str) {
    let record = dir.load_record(&cell.cell).ok();
    let recorded = record.as_ref().and_then(|record| {
        let launch = record.launches.iter().find(|l| l.index == launch)?;
        Some(launch.result.as_ref()?.simulated.as_ref()?.trace_hash.as_str())
    });
    if let Some(recorded) = recorded.filter(|recorded| *recorded != hash) {
        let path: &Path = dir.path();
        eprintln!(
            "warning: {} holds another trace of this launch ({recorded}, now {hash}): it was made by another version",
            path.display()
        );
    }
}
