//! A workload: what threads do, with axes that may take several values, read from one TOML file.

use record::spec::Expect;
use record::{Arrivals, Choice, Distribution, Schedule, Take};

use crate::axes::{self, Count, LOCKS_MAX, PHASE_NS_MIN, SPAN_NS_MAX, WORK_NS_MAX};
use crate::diagnose::{Error, Result, unknown};
use crate::reader::{Item, Source, Table};

/// The families that have a driver.
pub const FAMILIES: &[&str] = &["mutex"];

/// A checked definition. [`Workload::points`] turns it into what threads do on one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Its name, the first part of every label.
    pub name: String,
    /// Family of the implementations that it exercises.
    pub family: String,
    /// What it is, in a line.
    pub summary: String,
    /// What it should show, and why.
    pub analysis: String,
    /// What must come out.
    pub expect: Expect,
    /// Which cores workers run on.
    pub pin: Pin,
    /// Groups of threads that do the same; one, if the file names none.
    pub(crate) roles: Vec<RoleAxes>,
    /// Whether the file names its roles, so that the axes of threads belong to them.
    pub(crate) named_roles: bool,
    pub(crate) locks: Axis<u32>,
    pub(crate) choice: Axis<Choice>,
    pub(crate) take: Axis<Take>,
    pub(crate) arrivals: Axis<Arrivals>,
    pub(crate) schedule: Load,
    /// Where it and its keys were read, for errors that only a machine brings out.
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) line_of: Vec<(&'static str, usize)>,
}

/// Where workers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// Wherever the scheduler puts them.
    None,
    /// Worker `i` on the `i`-th core, and round again.
    Compact,
    /// All on one core.
    One,
}

/// The values of one axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis<T> {
    pub(crate) values: Vec<T>,
    /// Whether labels show the value: it varies, or a suite chose it.
    pub(crate) shown: bool,
}

impl<T> Axis<T> {
    pub(crate) fn one(value: T) -> Self {
        Self { values: vec![value], shown: false }
    }
    pub(crate) fn of(values: Vec<T>) -> Self {
        Self { shown: values.len() > 1, values }
    }
    pub(crate) fn chosen(values: Vec<T>) -> Self {
        Self { values, shown: true }
    }
}

/// A role before its axes are multiplied out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RoleAxes {
    pub(crate) name: String,
    pub(crate) threads: Axis<Count>,
    pub(crate) hold: Axis<Distribution>,
    pub(crate) think: Axis<Distribution>,
}

/// A schedule whose numbers of threads may be relative to the machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Load {
    Same(Schedule),
    Ramp(Vec<Count>),
}

pub(crate) const KEYS: &[&str] = &[
    "name", "family", "summary", "analysis", "expect", "threads", "hold", "hold_ns", "think", "think_ns",
    "role", "locks", "choice", "take", "arrivals", "schedule", "pin",
];
const ROLE_KEYS: &[&str] = &["name", "threads", "hold", "hold_ns", "think", "think_ns"];
const WORK: &str = "a length in ns, a text such as `10 us`, or a table with a `kind`";
/// Longest name of a workload or role, in bytes.
const NAME_LEN_MAX: usize = 64;

impl Workload {
    /// Reads a definition from a file.
    pub fn load(path: impl AsRef<std::path::Path>) -> Result<Self> {
        Self::of(&Source::read(path.as_ref())?)
    }

    /// Reads a definition from a text; errors call it `file`.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        Self::of(&Source::new(file, text))
    }

    fn of(source: &Source) -> Result<Self> {
        let root = source.parse()?;
        Self::read(&Table::top(source, root.get_ref(), KEYS)?, &source.name, 1)
    }

    /// Reads a definition from a table of `file` that begins in `line`.
    pub(crate) fn read(table: &Table<'_>, file: &str, line: usize) -> Result<Self> {
        let workload = Self {
            name: name(table)?,
            family: word(table, "family", FAMILIES)?.to_owned(),
            summary: table.text("summary")?,
            analysis: table.text("analysis")?,
            expect: match word(table, "expect", &["counter", "sum"])? {
                "sum" => Expect::Sum,
                _ => Expect::Counter,
            },
            pin: match table.get("pin") {
                None => Pin::None,
                Some(_) => match word(table, "pin", &["none", "compact", "one"])? {
                    "compact" => Pin::Compact,
                    "one" => Pin::One,
                    _ => Pin::None,
                },
            },
            roles: roles(table)?,
            named_roles: table.get("role").is_some(),
            locks: axis(table.get("locks"), "a number of locks", 1, |item| {
                Ok(item.integer("a number of locks", 1..LOCKS_MAX + 1)? as u32)
            })?,
            choice: axis(table.get("choice"), "a choice", Choice::Uniform, axes::choice)?,
            take: axis(table.get("take"), "how many locks an operation takes", Take::One, axes::take)?,
            arrivals: axis(table.get("arrivals"), "arrivals", Arrivals::Closed, axes::arrivals)?,
            schedule: match table.get("schedule") {
                None => Load::Same(Schedule::Steady),
                Some(item) => schedule(&item)?,
            },
            file: file.to_owned(),
            line,
            line_of: KEYS.iter().filter_map(|&key| Some((key, table.get(key)?.line()))).collect(),
        };
        workload.check_fixed()?;
        Ok(workload)
    }

    /// What can be known without a machine must be right in the file.
    fn check_fixed(&self) -> Result<()> {
        let counts = self.roles.iter().flat_map(|role| &role.threads.values);
        let active: &[Count] = if let Load::Ramp(active) = &self.schedule { active } else { &[] };
        let is_relative = counts.chain(active).any(|count| matches!(count, Count::PerCore(_)));
        if is_relative { self.check_think() } else { self.points(1).map(drop) }
    }

    /// The cores to pin workers to (see [`record::PlannedCell::cpus`]), out of those that `allowed` lists.
    pub fn cpus(&self, allowed: &[usize]) -> Vec<usize> {
        match self.pin {
            Pin::None => Vec::new(),
            Pin::Compact => allowed.to_vec(),
            Pin::One => allowed.iter().copied().take(1).collect(),
        }
    }

    /// An error about a key of this definition, or of its roles.
    pub(crate) fn wrong(&self, key: &str, message: impl std::fmt::Display) -> Error {
        let top = key.split('.').next().unwrap_or(key);
        let of = |name: &str| self.line_of.iter().find(|(known, _)| *known == name).map(|(_, line)| *line);
        let line = of(top).or_else(|| of(&format!("{top}_ns"))).or_else(|| of("role")).unwrap_or(self.line);
        Error::at(&self.file, line, key, format_args!("workload {}: {message}", self.name))
    }
}

/// A name: short, without what would garble tables.
fn name(table: &Table<'_>) -> Result<String> {
    let name = table.text("name")?;
    if name.len() > NAME_LEN_MAX || name.contains(|c: char| c.is_control() || c == '/') {
        let message =
            format_args!("expected a name of at most {NAME_LEN_MAX} bytes without `/` or line breaks");
        return Err(table.need("name", "a name")?.wrong(message));
    }
    Ok(name)
}

/// A word out of a list.
fn word<'w>(table: &Table<'_>, key: &str, words: &[&'w str]) -> Result<&'w str> {
    let expected = format!("one of {}", words.join(", "));
    let item = table.need(key, &expected)?;
    let given = item.str(&expected)?;
    let found = words.iter().copied().find(|word| *word == given);
    found.ok_or_else(|| item.wrong(unknown(key, given, words.iter().copied())))
}

/// An axis, or its default.
fn axis<'t, T: PartialEq>(
    item: Option<Item<'t>>,
    expected: &str,
    default: T,
    read: impl Fn(&Item<'t>) -> Result<T>,
) -> Result<Axis<T>> {
    item.map_or_else(|| Ok(Axis::one(default)), |item| Ok(Axis::of(item.each(expected, read)?)))
}

/// The values of `hold` or `hold_ns`, of `think` or `think_ns`; none if neither is there.
pub(crate) fn work(table: &Table<'_>, key: &str) -> Result<Option<Vec<Distribution>>> {
    let item = table.either(key, &format!("{key}_ns"))?;
    item.map(|item| item.each(WORK, axes::distribution)).transpose()
}

/// The values of `threads`; none if it is not there.
pub(crate) fn threads(table: &Table<'_>) -> Result<Option<Vec<Count>>> {
    table.get("threads").map(|item| item.each("a number of threads", Count::read)).transpose()
}

fn role(table: &Table<'_>, name: String) -> Result<RoleAxes> {
    let nothing = || Axis::one(Distribution::Constant { ns: 0 });
    Ok(RoleAxes {
        name,
        threads: match threads(table)? {
            Some(values) => Axis::of(values),
            None => return Err(table.wrong("threads", "missing: expected a number of threads, or a list")),
        },
        hold: work(table, "hold")?.map_or_else(nothing, Axis::of),
        think: work(table, "think")?.map_or_else(nothing, Axis::of),
    })
}

fn roles(table: &Table<'_>) -> Result<Vec<RoleAxes>> {
    let Some(list) = table.get("role") else { return Ok(vec![role(table, "worker".into())?]) };
    for key in ["threads", "hold", "hold_ns", "think", "think_ns"] {
        if let Some(item) = table.get(key) {
            return Err(item.wrong("belongs into each [[role]] when there are roles"));
        }
    }
    let mut roles: Vec<RoleAxes> = Vec::new();
    for item in list.items() {
        let table = item.table(ROLE_KEYS)?;
        let name = name(&table)?;
        if roles.iter().any(|role| role.name == name) {
            return Err(table.need("name", "a name")?.wrong(format_args!("a second role `{name}`")));
        }
        roles.push(role(&table, name)?);
    }
    if roles.is_empty() {
        return Err(list.expected("at least one [[role]]"));
    }
    Ok(roles)
}

fn schedule(item: &Item<'_>) -> Result<Load> {
    let (kind, table) = item.kind(&[
        ("steady", &[]),
        ("ramp", &["active"]),
        ("bursts", &["on_ns", "off_ns"]),
        ("stall", &["stall_ns", "phase_ns"]),
    ])?;
    let Some(table) = table else { return Ok(Load::Same(Schedule::Steady)) };
    let length = |key: &str| axes::length_ns(&table, key, PHASE_NS_MIN, SPAN_NS_MAX);
    Ok(match kind {
        "ramp" => {
            let active = table.need("active", "a list of numbers of threads")?;
            let phases: Vec<Count> = active.items().iter().map(Count::read).collect::<Result<_>>()?;
            if phases.is_empty() {
                return Err(active.expected("a list of at least one number of threads"));
            }
            Load::Ramp(phases)
        }
        "bursts" => Load::Same(Schedule::Bursts { on_ns: length("on_ns")?, off_ns: length("off_ns")? }),
        "stall" => {
            // No longer than work can be: a stall is time spent in the section.
            let stall_ns = axes::length_ns(&table, "stall_ns", 1, WORK_NS_MAX)?;
            Load::Same(Schedule::Stall { stall_ns, phase_ns: length("phase_ns")? })
        }
        _ => Load::Same(Schedule::Steady),
    })
}
