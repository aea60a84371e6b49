//! Two timelines of the first seed under which the arms part, and a sentence that says where.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use impls::machine::sim::preset::Preset;
use record::store::write_atomically;
use reports::guard::exact::{Outcome, Simulated};
use reports::guard::parting::parting;

use super::{Arm, Pair, Plan, simulated};
use crate::runner::child::{Ended, Extra, Program};
use crate::runner::launch;
use crate::simulated::read_preset;

/// What was written.
pub(super) struct Told {
    /// Where they part.
    pub(super) text: String,
    /// The folder of the timelines, if they could be made.
    pub(super) folder: Option<String>,
}

/// Launches both arms again under the seed at `place`, with a timeline each, in a folder of the pair's own below
/// `folder`. `None` if a launch of this seed failed, which its row tells.
///
/// # Errors
/// If this side cannot go on, or was interrupted.
pub(super) fn write(
    pair: &Pair,
    cell: &Simulated,
    place: usize,
    plan: &Plan<'_>,
    folder: &Path,
) -> Result<Option<Told>> {
    let ran = |outcomes: &[Outcome]| matches!(outcomes.get(place), Some(Outcome::Ran { .. }));
    if !ran(&cell.baseline) || !ran(&cell.candidate) {
        return Ok(None);
    }
    let folder = folder.join(&pair.cell.cell);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut timelines = Vec::new();
    for (name, arm) in [("baseline", &pair.baseline), ("candidate", &pair.candidate)] {
        let file = folder.join(format!("{name}.trace.json"));
        if let Some(why) = trace(pair, arm, cell.seeds[place], plan, &file)? {
            return Ok(Some(Told { text: format!("no timeline of the {name}: {why}"), folder: None }));
        }
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        timelines.push(bytes);
    }
    let preset: Preset = read_preset(&pair.cell.machine, &pair.preset)?;
    let text = match parting(&timelines[0], &timelines[1], preset.clock_mhz) {
        Ok(parting) => parting.text().to_owned(),
        Err(error) => format!("{error:#}"),
    };
    let told = format!(
        "{}\n{} on {}, seed {}\nbaseline   {}\ncandidate  {}\n",
        text,
        pair.cell.point.label,
        pair.cell.machine,
        cell.seeds[place],
        pair.baseline.implementation,
        pair.candidate.implementation
    );
    write_atomically(&folder.join("parting.txt"), told.as_bytes())?;
    Ok(Some(Told { text, folder: Some(folder.to_string_lossy().into_owned()) }))
}

/// One timeline; why there is none, if there is none.
fn trace(pair: &Pair, arm: &Arm, seed: u64, plan: &Plan<'_>, file: &Path) -> Result<Option<String>> {
    let limit = launch::limit(&pair.cell, plan.patience);
    let program = Program::tracing(&arm.program, file);
    let extra = Extra { watch: None, trace: None };
    match program.launch(&simulated::spec(pair, arm, seed), limit, &extra)? {
        Ended::Interrupted => bail!("interrupted"),
        Ended::Result(..) if file.is_file() => Ok(None),
        Ended::Result(..) => Ok(Some("its launch wrote none".to_owned())),
        Ended::Failed(failure) => Ok(Some(failure.detail)),
    }
}
