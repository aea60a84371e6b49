//! From a suite to the plan of a run: every implementation at every point.

use std::collections::{BTreeMap, BTreeSet};

use record::run::PlannedCell;
use record::{Point, ProbeMode};

use crate::axes::Count;
use crate::cell_id::cell_id;
use crate::definition::{Load, Workload};
use crate::diagnose::{Error, Result, nearest, unknown};
use crate::expected;
use crate::pattern::Pattern;
use crate::points::AxisOverrides;
use crate::simulated;
use crate::suite::{Effort, Group, Suite};

/// What the command line asks for beyond the suite.
#[derive(Clone, Debug)]
pub struct Overrides {
    /// Only cells whose id, implementation (with or without its family) or workload this glob matches.
    pub filter: Option<String>,
    /// Implementations (globs) in place of those that the suite names; empty: those that it names.
    pub implementations: Vec<Pattern>,
    /// Machines; every cell is planned once for each.
    pub machines: Vec<String>,
    /// The cores of each machine among them that is simulated; the others have those of this computer.
    pub simulated: BTreeMap<String, usize>,
    /// Launches of simulated cells, each with a seed of its own.
    pub seeds: Option<u32>,
    /// Numbers of threads, where a workload has one kind of thread and a steady number of them; the others keep theirs.
    pub threads: Option<Vec<Count>>,
    /// Launches without a probe.
    pub launches: Option<u32>,
    /// Time for the whole run, in s: slices grow or shrink to fill it.
    pub seconds: Option<f64>,
    /// Who listens in probed launches: `Off` leaves them out, another one adds a probed launch where there is none.
    pub probe: Option<ProbeMode>,
    /// Cores to pin workers to; they are then the cores that numbers of threads are relative to.
    pub cpus: Vec<usize>,
    /// Cores that this process may run on; empty: 0 and up.
    pub allowed_cpus: Vec<usize>,
    /// Parameters that differ from the defaults.
    pub params: BTreeMap<String, u64>,
    /// The parameters of each implementation that has any; one without a parameter runs without it. `None`: all take all.
    pub params_of: Option<BTreeMap<String, Vec<String>>>,
}

impl Overrides {
    fn takes_param(&self, implementation: &str, param: &str) -> bool {
        let has = |params: &Vec<String>| params.iter().any(|name| name == param);
        self.params_of.as_ref().is_none_or(|known| known.get(implementation).is_some_and(has))
    }
}

impl Default for Overrides {
    fn default() -> Self {
        Self {
            filter: None,
            implementations: Vec::new(),
            machines: vec!["os".into()],
            simulated: BTreeMap::new(),
            seeds: None,
            threads: None,
            launches: None,
            seconds: None,
            probe: None,
            cpus: Vec::new(),
            allowed_cpus: Vec::new(),
            params: BTreeMap::new(),
            params_of: None,
        }
    }
}

/// Cells in order, by id. One that was added for the suite's own sake gives way to one that the suite names.
#[derive(Default)]
struct Plan {
    cells: Vec<Planned>,
    index_of: BTreeMap<String, usize>,
}

struct Planned {
    cell: PlannedCell,
    line: usize,
    automatic: bool,
}

impl Suite {
    /// Every cell, for the implementations registered (permanent ids, in the order of the catalogue) and the cores that
    /// workers have.
    ///
    /// To each group of cells the family's `empty` and the two arms of an A/A pair are added. An error names what no
    /// implementation, cell or parameter answers to, or two groups that plan the same cell.
    pub fn cells(
        &self,
        implementations: &[&str],
        cores: usize,
        overrides: &Overrides,
    ) -> Result<Vec<PlannedCell>> {
        if let Some(aa) = self.aa.as_deref().filter(|aa| !implementations.contains(aa)) {
            let message = unknown("implementation", aa, implementations.iter().copied());
            return Err(self.wrong(0, "aa", message));
        }
        let mut plan = Plan::default();
        for group in &self.groups {
            // Each once, in the order of their names.
            for machine in overrides.machines.iter().collect::<BTreeSet<_>>() {
                let target = Target::new(machine, cores, overrides);
                self.plan_group(group, implementations, &target, overrides, &mut plan)?;
            }
        }
        let mut cells: Vec<PlannedCell> = plan.cells.into_iter().map(|planned| planned.cell).collect();
        if let Some(filter) = &overrides.filter {
            cells = self.filtered(cells, filter)?;
        }
        for param in overrides.params.keys() {
            if !cells.iter().any(|cell| cell.params.contains_key(param)) {
                let message = format_args!("no implementation of this run has the parameter `{param}`");
                return Err(Error::about("--param", message));
            }
        }
        if let Some(seconds) = overrides.seconds {
            let cores = Target::new("os", cores, overrides).cores;
            expected::scale(&mut cells, cores, seconds)?;
        }
        Ok(cells)
    }

    fn plan_group(
        &self,
        group: &Group,
        implementations: &[&str],
        target: &Target<'_>,
        overrides: &Overrides,
        plan: &mut Plan,
    ) -> Result<()> {
        let Target { machine, cores, is_simulated, .. } = *target;
        let launches = launches(&group.effort, overrides);
        for workload in &group.workloads {
            let named = match overrides.implementations.as_slice() {
                [] => &group.implementations,
                _ => &overrides.implementations,
            };
            let rows = self.rows(group, named, workload, implementations, is_simulated)?;
            let workload = with_threads(workload, overrides)?;
            let cpus = cpus(&workload, target, overrides);
            let points = workload.points(cores).map_err(|error| Error {
                message: format!("{}; asked for by {}:{}", error.message, self.file, group.line),
                ..error
            });
            // Who asks for threads on the command line gets them.
            let bounded = group.within_cores && overrides.threads.is_none();
            for point in points?.into_iter().filter(|point| !bounded || point.threads() <= cores) {
                for row in &rows {
                    let taken = overrides
                        .params
                        .iter()
                        .filter(|(name, _)| overrides.takes_param(row.implementation, name));
                    let params: BTreeMap<String, u64> =
                        taken.map(|(name, value)| (name.clone(), *value)).collect();
                    let mut cell = PlannedCell {
                        cell: cell_id(row.implementation, &point.label, machine, row.arm, &params),
                        implementation: row.implementation.to_owned(),
                        arm: row.arm.to_owned(),
                        params,
                        machine: machine.to_owned(),
                        slice_ns: slice_ns(&group.effort, &point, cores, &cpus),
                        point: point.clone(),
                        launches: launches.clone(),
                        slices: group.effort.slices,
                        warmup_ns: group.effort.warmup_ns,
                        cpus: cpus.clone(),
                    };
                    if is_simulated {
                        let seeds = overrides.seeds.or(overrides.launches).unwrap_or(self.seeds);
                        simulated::adapt(&mut cell, seeds, overrides.probe);
                    }
                    let planned = Planned { cell, line: group.line, automatic: row.automatic };
                    self.add(plan, planned, overrides.threads.is_some())?;
                }
            }
        }
        Ok(())
    }

    /// The implementations of a group for one workload, then the A/A pair, which a machine without noise does not need.
    fn rows<'i>(
        &'i self,
        group: &Group,
        named: &[Pattern],
        workload: &Workload,
        implementations: &[&'i str],
        is_simulated: bool,
    ) -> Result<Vec<Row<'i>>> {
        let of_family = |id: &&&str| id.split_once('/').is_some_and(|(family, _)| family == workload.family);
        let family: Vec<&str> = implementations.iter().filter(of_family).copied().collect();
        for glob in named {
            if !family.iter().any(|id| glob.matches(id)) {
                let message = if glob.is_literal() {
                    unknown("implementation", glob.as_str(), family.iter().copied())
                } else {
                    let nearest = nearest(glob.as_str(), family.iter().copied());
                    let hint = nearest.map_or(String::new(), |id| format!("; the nearest is `{id}`"));
                    format!(
                        "`{}` matches no implementation of family {}{hint}",
                        glob.as_str(),
                        workload.family
                    )
                };
                return Err(self.wrong(group.line, "cells.implementations", message));
            }
        }
        let is_named = |id: &str| named.iter().any(|glob| glob.matches(id));
        let is_empty = |id: &str| id.ends_with("/empty");
        let mut rows: Vec<Row<'i>> = family
            .iter()
            .filter(|id| is_named(id) || is_empty(id))
            .map(|&implementation| Row { implementation, arm: "", automatic: !is_named(implementation) })
            .collect();
        let own = self.aa.as_deref().filter(|aa| family.contains(aa));
        let first = || rows.iter().map(|row| row.implementation).find(|id| !is_empty(id));
        if let Some(implementation) = own.or_else(first).filter(|_| !is_simulated) {
            rows.extend(["a", "b"].map(|arm| Row { implementation, arm, automatic: true }));
        }
        Ok(rows)
    }

    fn add(&self, plan: &mut Plan, planned: Planned, may_coincide: bool) -> Result<()> {
        // Names of files: some systems do not tell capitals apart.
        let key = planned.cell.cell.to_lowercase();
        let Some(&index) = plan.index_of.get(&key) else {
            plan.index_of.insert(key, plan.cells.len());
            plan.cells.push(planned);
            return Ok(());
        };
        let known = &mut plan.cells[index];
        if known.automatic && !planned.automatic {
            *known = planned;
        } else if !planned.automatic && !may_coincide {
            let message = format_args!(
                "plans the cell {} a second time: it is in line {} too",
                planned.cell.cell, known.line
            );
            return Err(self.wrong(planned.line, "cells", message));
        }
        Ok(())
    }

    fn filtered(&self, mut cells: Vec<PlannedCell>, filter: &str) -> Result<Vec<PlannedCell>> {
        let pattern = Pattern::new(filter).map_err(|message| Error::about("--filter", message))?;
        let count = cells.len();
        let names = |cell: &PlannedCell| {
            let bare = cell.implementation.split_once('/').map_or("", |(_, name)| name).to_owned();
            [cell.cell.clone(), cell.implementation.clone(), bare, cell.point.workload.clone()]
        };
        let known: BTreeSet<String> = cells.iter().flat_map(names).collect();
        cells.retain(|cell| names(cell).iter().any(|name| pattern.matches(name)));
        if cells.is_empty() {
            let nearest = nearest(filter, known.iter().map(String::as_str));
            let hint = nearest.map_or(String::new(), |name| format!("; the nearest name is `{name}`"));
            let message =
                format_args!("`{filter}` matches none of the {count} cells of suite {}{hint}", self.name);
            return Err(Error::about("--filter", message));
        }
        Ok(cells)
    }
}

/// A machine that cells are planned for.
struct Target<'m> {
    machine: &'m str,
    /// Those that numbers of threads are relative to.
    cores: usize,
    is_simulated: bool,
}

impl<'m> Target<'m> {
    fn new(machine: &'m str, cores_here: usize, overrides: &Overrides) -> Self {
        let simulated = overrides.simulated.get(machine);
        let cores = match overrides.cpus.as_slice() {
            [] => simulated.copied().unwrap_or(cores_here).max(1),
            cpus => distinct(cpus),
        };
        Target { machine, cores, is_simulated: simulated.is_some() }
    }
}

/// An implementation, as a row of a group.
struct Row<'i> {
    implementation: &'i str,
    arm: &'static str,
    automatic: bool,
}

fn with_threads(workload: &Workload, overrides: &Overrides) -> Result<Workload> {
    let is_steady = workload.has_open_axes() && !matches!(workload.schedule, Load::Ramp(_));
    match &overrides.threads {
        Some(threads) if is_steady => {
            workload.with_axes(&AxisOverrides { threads: Some(threads.clone()), ..AxisOverrides::default() })
        }
        _ => Ok(workload.clone()),
    }
}

fn cpus(workload: &Workload, target: &Target<'_>, overrides: &Overrides) -> Vec<usize> {
    if overrides.cpus.is_empty() {
        let counted: Vec<usize> = (0..target.cores).collect();
        let counts = target.is_simulated || overrides.allowed_cpus.is_empty();
        return workload.cpus(if counts { &counted } else { &overrides.allowed_cpus });
    }
    match workload.cpus(&overrides.cpus) {
        pinned if pinned.is_empty() => overrides.cpus.clone(),
        pinned => pinned,
    }
}

fn launches(effort: &Effort, overrides: &Overrides) -> Vec<ProbeMode> {
    let plain = overrides.launches.unwrap_or(effort.launches);
    let (probe, probed) = match overrides.probe {
        None => (effort.probe, effort.probed),
        Some(ProbeMode::Off) => (ProbeMode::Off, 0),
        Some(probe) => (probe, effort.probed.max(1)),
    };
    let plain = std::iter::repeat_n(ProbeMode::Off, plain as usize);
    plain.chain(std::iter::repeat_n(probe, probed as usize)).collect()
}

/// Slices grow with threads per core: each thread needs its turns within one.
fn slice_ns(effort: &Effort, point: &Point, cores: usize, cpus: &[usize]) -> u64 {
    if effort.slice_is_exact {
        return effort.slice_ns;
    }
    let cores = if cpus.is_empty() { cores } else { distinct(cpus).min(cores) };
    effort.slice_ns.saturating_mul(point.threads().div_ceil(cores.max(1)).max(1) as u64)
}

fn distinct(cpus: &[usize]) -> usize {
    cpus.iter().collect::<BTreeSet<_>>().len()
}
