//! From the command line to what the exact layer judges.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, ensure};
use impls::machine::os::cores_allowed;
use record::PlannedCell;
use workloads::{Count, Overrides, Suite};

use super::{Arm, Subjects, simulated, subjects};
use crate::Observatory;
use crate::args::GuardArgs;
use crate::guard::plan::{Party, implementations};
use crate::machines::Machines;

/// The suite of a call that names none.
const DEFAULT_SUITE: &str = "guard-exact";
/// The machines of a call that names none: one with more threads than cores, one with a core for each.
const DEFAULT_MACHINES: [&str; 2] = ["sim:vm-2", "sim:laptop-8"];

/// Plans the layer.
pub(crate) fn plan(
    observatory: &Observatory,
    args: &GuardArgs,
    baseline: &Party,
    candidate: &Party,
) -> Result<Subjects> {
    let suite = match &args.file {
        Some(file) => Suite::load(file)?,
        None => Suite::embedded(args.suite.as_deref().unwrap_or(DEFAULT_SUITE))?,
    };
    let machines = match args.machines.as_slice() {
        [] => Machines::read(&DEFAULT_MACHINES.map(str::to_owned))?,
        named => Machines::read(named)?,
    };
    ensure!(
        !machines.names.iter().any(|name| name == "os"),
        "--machine os: this computer is measured by --layer measured; expected `sim:NAME` or `sim:PATH.toml`"
    );
    let overrides = Overrides {
        filter: args.filter.clone(),
        implementations: implementations(observatory, args, candidate)?,
        threads: args.threads.as_deref().map(|text| Count::list("--threads", text)).transpose()?,
        machines: machines.names.clone(),
        simulated: machines.cores(),
        seeds: Some(args.seeds),
        params_of: Some(observatory.params()),
        ..Overrides::default()
    };
    let ids: Vec<&str> = candidate.ids.iter().map(String::as_str).collect();
    let mut cells = suite.cells(&ids, cores_allowed(), &overrides)?;
    add_floors(&suite, &ids, &overrides, &mut cells)?;
    let arms = |cell: &PlannedCell| {
        let arm = |party: &Party| match &party.implementation {
            // The floor stays what it is: it controls.
            Some(named) if !is_floor(cell) => Arm {
                program: party.program.clone(),
                implementation: named.id.clone(),
                params: named.params.clone(),
            },
            _ => Arm {
                program: party.program.clone(),
                implementation: cell.implementation.clone(),
                params: cell.params.clone(),
            },
        };
        let (before, after) = (arm(baseline), arm(candidate));
        if !baseline.ids.contains(&before.implementation) {
            return Err(format!("only in the candidate, so not judged: {}", before.implementation));
        }
        Ok([before, after])
    };
    let subjects = subjects(observatory, &cells, &machines.texts(), &arms);
    ensure!(
        !subjects.pairs.iter().all(|pair| pair.is_floor) || !subjects.counted.is_empty(),
        "suite {}: nothing is left to judge{}",
        suite.name,
        subjects.notes.iter().map(|note| format!("; {note}")).collect::<String>()
    );
    Ok(subjects)
}

fn is_floor(cell: &PlannedCell) -> bool {
    cell.implementation.ends_with("/empty")
}

/// A filter that leaves out the floor would leave out the control with it.
fn add_floors(
    suite: &Suite,
    ids: &[&str],
    overrides: &Overrides,
    cells: &mut Vec<PlannedCell>,
) -> Result<()> {
    if overrides.filter.is_none() {
        return Ok(());
    }
    let place = |cell: &PlannedCell| (cell.point.label.clone(), cell.machine.clone());
    let wanted: BTreeSet<_> = cells.iter().map(place).collect();
    let known: BTreeSet<String> = cells.iter().map(|cell| cell.cell.clone()).collect();
    let all = suite.cells(ids, cores_allowed(), &Overrides { filter: None, ..overrides.clone() })?;
    let floor =
        |cell: &PlannedCell| is_floor(cell) && wanted.contains(&place(cell)) && !known.contains(&cell.cell);
    cells.extend(all.into_iter().filter(floor));
    Ok(())
}

impl Subjects {
    /// The plan in words.
    pub(crate) fn described(&self, seeds: u32) -> String {
        let simulated_s = simulated::expected(&self.pairs, seeds).as_secs_f64();
        let mut text = String::new();
        let _ = writeln!(text, "{:<72} {:>6} {:>9}", "exact: simulated cycles", "seeds", "slice");
        for pair in &self.pairs {
            let slice = workloads::axes::show_ns(pair.cell.slice_ns * u64::from(pair.cell.slices));
            let role = if pair.is_floor { " (control)" } else { "" };
            let name = format!(
                "{} {} {}{role}",
                pair.candidate.implementation, pair.cell.point.label, pair.cell.machine
            );
            let _ = writeln!(text, "{name:<72} {seeds:>6} {slice:>9}");
        }
        let counted: Vec<&str> = self.counted.iter().map(|c| c.candidate.implementation.as_str()).collect();
        let _ = writeln!(text, "exact: instructions of one operation\n{}", counted.join(", "));
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        // Two lengths of two arms, a second each, side by side.
        let counted_s = 4.0 * self.counted.len() as f64 / cores_allowed() as f64;
        let _ = writeln!(
            text,
            "{} rows, about {:.0} s",
            self.pairs.iter().filter(|pair| !pair.is_floor).count() + self.counted.len(),
            simulated_s + counted_s
        );
        text
    }
}
