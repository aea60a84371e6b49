//! A suite: which implementations meet which workloads, how often and for how long, read from one TOML file.

use std::path::Path;

use record::ProbeMode;

use crate::axes::{SPAN_NS_MAX, duration_ns};
use crate::definition::{self, KEYS as WORKLOAD_KEYS, Workload};
use crate::diagnose::{Error, Result, unknown};
use crate::pattern::Pattern;
use crate::points::AxisOverrides;
use crate::reader::{Item, Source, Table};
use crate::simulated;

/// A checked suite. `Suite::cells` turns it into the plan of a run.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// What it is for, in a line.
    pub summary: String,
    /// How often and how long, unless a group of cells says otherwise.
    pub defaults: Effort,
    /// The time that a run may take on two cores, in s; shown beside the estimate, and the tests hold shipped suites to
    /// it.
    pub budget_s: Option<u64>,
    /// Permanent id of the implementation that is measured against itself; the first one selected, if none is named.
    pub aa: Option<String>,
    /// Launches of a cell on a simulated machine, each with a seed of its own, unless the command line says otherwise.
    pub seeds: u32,
    pub(crate) groups: Vec<Group>,
    pub(crate) file: String,
}

/// How often and how long a cell runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Launches without a probe.
    pub launches: u32,
    /// Launches with `probe`, besides.
    pub probed: u32,
    /// Who listens in those.
    pub probe: ProbeMode,
    /// Slices of a launch.
    pub slices: u32,
    /// Length of a slice with at most one thread per core, in ns.
    pub slice_ns: u64,
    /// Whether `slice_ns` holds as it is; otherwise it is multiplied by the threads per core.
    pub slice_is_exact: bool,
    /// Length of the discarded slice, in ns.
    pub warmup_ns: u64,
}

/// One `[[cells]]` of a suite: workloads times implementations.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) implementations: Vec<Pattern>,
    pub(crate) effort: Effort,
    /// Points with more threads than the machine has cores are left out.
    pub(crate) within_cores: bool,
    pub(crate) line: usize,
}

const SUITE_KEYS: &[&str] = &[
    "name",
    "summary",
    "launches",
    "probed",
    "probe",
    "slices",
    "slice_ms",
    "warmup_ms",
    "budget_s",
    "aa",
    "seeds",
    "cells",
    "workload",
];
const GROUP_KEYS: &[&str] = &[
    "workload",
    "implementations",
    "threads",
    "within_cores",
    "hold",
    "hold_ns",
    "think",
    "think_ns",
    "launches",
    "probed",
    "probe",
    "slices",
    "slice_ms",
    "warmup_ms",
];
const PROBES: [ProbeMode; 4] = [ProbeMode::Off, ProbeMode::Count, ProbeMode::Sample, ProbeMode::Full];
/// Most launches of one cell, and most slices of one launch.
pub const REPEATS_MAX: u64 = 10_000;

impl Suite {
    /// Reads a suite from a file. Paths of workloads in it are relative to its folder.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::of(&Source::read(path)?, path.parent().unwrap_or(Path::new(".")))
    }

    /// Reads a suite from a text; errors call it `file`, paths in it are relative to `folder`.
    pub fn parse(file: &str, text: &str, folder: &Path) -> Result<Self> {
        Self::of(&Source::new(file, text), folder)
    }

    fn of(source: &Source, folder: &Path) -> Result<Self> {
        let root = source.parse()?;
        let table = Table::top(source, root.get_ref(), SUITE_KEYS)?;
        let standard = Effort {
            launches: 5,
            probed: 1,
            probe: ProbeMode::Full,
            slices: 3,
            slice_ns: 20_000_000,
            slice_is_exact: false,
            warmup_ns: 5_000_000,
        };
        let defaults = Effort { slice_is_exact: false, ..effort(&table, standard)? };
        let own = own_workloads(&table, &source.name)?;
        let groups = table.need("cells", "at least one [[cells]]")?;
        let read = |item: &Item<'_>| group(&item.table(GROUP_KEYS)?, item.line(), defaults, &own, folder);
        let suite = Self {
            name: table.text("name")?,
            summary: table.text("summary")?,
            defaults,
            budget_s: match table.integer("budget_s", 1..1_000_000, 0)? {
                0 => None,
                budget_s => Some(budget_s),
            },
            aa: table.get("aa").map(|item| item.str("an implementation").map(str::to_owned)).transpose()?,
            seeds: table.integer("seeds", 1..REPEATS_MAX + 1, simulated::SEEDS.into())? as u32,
            groups: groups.items().iter().map(read).collect::<Result<_>>()?,
            file: source.name.clone(),
        };
        if suite.groups.is_empty() {
            return Err(groups.expected("at least one [[cells]]"));
        }
        Ok(suite)
    }

    /// The workloads that it names, as often as it names them.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        self.groups.iter().flat_map(|group| &group.workloads)
    }

    /// An error about this suite.
    pub(crate) fn wrong(&self, line: usize, key: &str, message: impl std::fmt::Display) -> Error {
        Error::at(&self.file, line, key, message)
    }
}

/// The effort that a table states, on top of `inherited`.
fn effort(table: &Table<'_>, inherited: Effort) -> Result<Effort> {
    let slice_ns = milliseconds(table, "slice_ms")?;
    if slice_ns == Some(0) {
        return Err(table.need("slice_ms", "a length")?.expected("a length above 0"));
    }
    let repeats = 1..REPEATS_MAX + 1;
    Ok(Effort {
        launches: table.integer("launches", repeats.clone(), inherited.launches.into())? as u32,
        probed: table.integer("probed", 0..REPEATS_MAX + 1, inherited.probed.into())? as u32,
        probe: table.get("probe").map_or(Ok(inherited.probe), |item| probe(&item))?,
        slices: table.integer("slices", repeats, inherited.slices.into())? as u32,
        slice_ns: slice_ns.unwrap_or(inherited.slice_ns),
        slice_is_exact: slice_ns.is_some(),
        warmup_ns: milliseconds(table, "warmup_ms")?.unwrap_or(inherited.warmup_ns),
    })
}

/// The name of a probe that listens: for launches without one there is `launches`.
fn probe(item: &Item<'_>) -> Result<ProbeMode> {
    let given = item.str("the name of a probe")?;
    let listening = || PROBES.into_iter().filter(|probe| *probe != ProbeMode::Off);
    let found = listening().find(|probe| probe.name() == given);
    found.ok_or_else(|| item.wrong(unknown("probe", given, listening().map(ProbeMode::name))))
}

/// A length under a key that ends in `_ms`: a number of ms, or a text with a unit. In ns.
fn milliseconds(table: &Table<'_>, key: &str) -> Result<Option<u64>> {
    let Some(item) = table.get(key) else { return Ok(None) };
    if item.as_str().is_some() {
        return duration_ns(&item, SPAN_NS_MAX).map(Some);
    }
    let most_ms = SPAN_NS_MAX as f64 / 1e6;
    let ms = item.number("a length in ms, from 0 to an hour", |ms| (0.0..=most_ms).contains(&ms))?;
    Ok(Some((ms * 1e6).round() as u64))
}

/// The `[[workload]]` tables of a suite.
fn own_workloads(table: &Table<'_>, file: &str) -> Result<Vec<Workload>> {
    let mut own: Vec<Workload> = Vec::new();
    for item in table.get("workload").map_or_else(Vec::new, |list| list.items()) {
        let workload = Workload::read(&item.table(WORKLOAD_KEYS)?, file, item.line())?;
        if own.iter().any(|known| known.name == workload.name) {
            return Err(item.wrong(format_args!("a second workload `{}`", workload.name)));
        }
        own.push(workload);
    }
    Ok(own)
}

fn group(table: &Table<'_>, line: usize, defaults: Effort, own: &[Workload], folder: &Path) -> Result<Group> {
    let axes = AxisOverrides {
        threads: definition::threads(table)?,
        hold: definition::work(table, "hold")?,
        think: definition::work(table, "think")?,
    };
    let names = table.need("workload", "the name of a workload, or a list")?;
    let names: Vec<(Item<'_>, Workload)> = names
        .each("the name of a workload", |item| item.str("the name of a workload").map(str::to_owned))?
        .iter()
        .zip(names.items())
        .map(|(name, item)| Ok((item.clone(), find(&item, name, own, folder)?)))
        .collect::<Result<_>>()?;
    let workloads = names
        .into_iter()
        .map(|(item, workload)| workload.with_axes(&axes).map_err(|error| item.wrong(error.message)));
    let globs = table.need("implementations", "a glob such as `mutex/*`, or a list")?;
    let globs = globs.each("a glob such as `mutex/*`", |item| {
        Pattern::new(item.str("a glob such as `mutex/*`")?).map_err(|message| item.wrong(message))
    });
    Ok(Group {
        workloads: workloads.collect::<Result<_>>()?,
        implementations: globs?,
        effort: effort(table, defaults)?,
        within_cores: table
            .get("within_cores")
            .map_or(Ok(false), |item| item.as_bool().ok_or_else(|| item.expected("true or false")))?,
        line,
    })
}

/// A workload by its name: the suite's own, an embedded one, or a file if the name ends in `.toml`.
fn find(item: &Item<'_>, name: &str, own: &[Workload], folder: &Path) -> Result<Workload> {
    if let Some(workload) = own.iter().find(|workload| workload.name == name) {
        return Ok(workload.clone());
    }
    if name.ends_with(".toml") {
        return Workload::load(folder.join(name));
    }
    if Workload::names().any(|known| known == name) {
        return Workload::embedded(name);
    }
    let embedded = Workload::names().map(|known| -> &str { known });
    let known = own.iter().map(|workload| workload.name.as_str()).chain(embedded);
    Err(item.wrong(unknown("workload", name, known)))
}
