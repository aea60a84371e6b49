//! A file becomes a checked preset.

use std::path::Path;

use super::cost::{self, Costs, MOST_CYCLES, MOST_NS};
use super::distance::{self, Distances, ReadFile};
use super::nodes::Near;
use super::{
    Error, HOLD_WINDOW_CYCLES, Local, MOST_CORES, OPS, Op, Os, Preset, Prior, Wake, read_occupancy_percents,
};
use crate::text::reader::{Item, Source, Table};

const KEYS: [&str; 22] = [
    "name",
    "summary",
    "clock_mhz",
    "cores",
    "threads_per_core",
    "siblings",
    "physical_of_core",
    "sibling_work_percent",
    "cores_per_node",
    "node_of_core",
    "order",
    "owned_state",
    "by_home",
    "shared_cache",
    "any_order",
    "read_occupancy_percent",
    "hold_window_cycles",
    "distance",
    "miss",
    "derive",
    "local",
    "os",
];

impl Preset {
    /// Whether a preset may be called so: at most 64 small letters, digits and hyphens.
    pub fn is_name(name: &str) -> bool {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=64).contains(&name.len()) && name.chars().all(is_plain)
    }

    /// Reads a preset from a file. A matrix that it names is looked for relative to that file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let source = Source::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
        preset(&source, &read)
    }

    /// Reads a preset from a text. `file` stands in errors for the file; `read` reads a matrix that the text names.
    pub fn parse(
        file: &str,
        text: &str,
        read: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Error> {
        preset(&Source::new(file, text), read)
    }
}

fn preset(source: &Source, files: ReadFile<'_>) -> Result<Preset, Error> {
    let root = source.parse()?;
    let top = Table::top(source, root.get_ref(), &KEYS)?;
    let name = name(&top)?;
    let summary = top.text("summary")?;
    let clock_mhz = need(&top, "clock_mhz", "the clock in MHz", 1..100_001)? as u32;
    let cores = need(&top, "cores", "a number of hardware threads", 1..u64::from(MOST_CORES) + 1)? as usize;
    let physical_of_core = physical_of_core(&top, cores)?;
    let node_of_core = node_of_core(&top, cores)?;
    let order = order(&top, &physical_of_core)?;
    let flag = |key: &str| match top.get(key) {
        None => Ok(false),
        Some(item) => item.as_bool().ok_or_else(|| item.expected("true or false")),
    };
    let (owned_state, by_home) = (flag("owned_state")?, flag("by_home")?);
    let (shared_cache, any_order) = (flag("shared_cache")?, flag("any_order")?);
    if shared_cache {
        lines_without_owner(&top)?;
    }
    let (least, most) = read_occupancy_percents(shared_cache, any_order);
    let percentage = if any_order { "a percentage, with `any_order`" } else { "a percentage" };

    let item = top.need("distance", "a table that says which cores are how far apart")?;
    let distances = distance::read(source, &item, &node_of_core, files)?;
    let near = Near { node_of_core: &node_of_core, distance: &distances.distance };
    let costs = costs(&top, &distances, &near, clock_mhz, owned_state)?;
    let metric = |class: u8| u64::from(costs.cycles(Op::Load, Prior::Modified, usize::from(class)));
    let ruled = near.to_nodes(distances.classes.len(), &metric);
    let node_distance = distances.to_nodes.clone().unwrap_or(ruled);
    let mut preset = Preset {
        name,
        summary,
        clock_mhz,
        cores: cores as u32,
        physical_of_core,
        sibling_work_percent: top.integer("sibling_work_percent", 100..1001, 100)? as u32,
        node_of_core,
        order,
        owned_state,
        by_home,
        shared_cache,
        any_order,
        read_occupancy_percent: need(&top, "read_occupancy_percent", percentage, least..most + 1)? as u32,
        hold_window_cycles: top.integer(
            "hold_window_cycles",
            0..MOST_CYCLES + 1,
            if shared_cache { 0 } else { u64::from(HOLD_WINDOW_CYCLES) },
        )? as u32,
        node_distance,
        miss: costs.miss,
        sharing_extra_cycles: costs.sharing_extra_cycles,
        classes: distances.classes,
        distance: distances.distance,
        local: local(&top, shared_cache)?,
        os: os(&top)?,
    };
    preset.settle();
    Ok(preset)
}

fn need(table: &Table<'_>, key: &str, expected: &str, bounds: std::ops::Range<u64>) -> Result<u64, Error> {
    table.need(key, expected)?.integer(expected, bounds)
}

fn name(top: &Table<'_>) -> Result<String, Error> {
    let name = top.text("name")?;
    if !Preset::is_name(&name) {
        let item = top.need("name", "a name")?;
        return Err(item.expected("at most 64 small letters, digits and hyphens, such as `genoa-192`"));
    }
    Ok(name)
}

/// A list with a number below `bound` for each core.
fn list_of_cores(item: &Item<'_>, cores: usize, expected: &str, bound: usize) -> Result<Vec<u16>, Error> {
    let read = |item: &Item<'_>| item.integer(expected, 0..bound as u64).map(|number| number as u16);
    let list: Vec<u16> = item.items().iter().map(read).collect::<Result<_, _>>()?;
    if list.len() != cores || !item.is_list() {
        let message = format!("expected a list of {cores} numbers, one for each core, found {}", list.len());
        return Err(item.wrong(message));
    }
    Ok(list)
}

/// The first number below the greatest of `list` that it lacks.
fn gap(list: &[u16]) -> Option<u16> {
    let last = list.iter().max().copied().unwrap_or(0);
    (0..last).find(|number| !list.contains(number))
}

fn physical_of_core(top: &Table<'_>, cores: usize) -> Result<Vec<u16>, Error> {
    if let Some(list) = top.get("physical_of_core") {
        for key in ["threads_per_core", "siblings"] {
            if let Some(other) = top.get(key) {
                return Err(other.wrong("does not go with `physical_of_core`: remove one"));
            }
        }
        let physical = list_of_cores(&list, cores, "a physical core", cores)?;
        return match gap(&physical) {
            Some(missing) => {
                Err(list.wrong(format_args!("expected no gaps: no core is of physical core {missing}")))
            }
            None => Ok(physical),
        };
    }
    let threads = top.integer("threads_per_core", 1..cores as u64 + 1, 1)? as usize;
    if let Some(item) = top.get("threads_per_core").filter(|_| !cores.is_multiple_of(threads)) {
        return Err(item.wrong(format_args!("expected a divisor of {cores}, the number of hardware threads")));
    }
    let physical = cores / threads;
    let of: &dyn Fn(usize) -> usize = match top.get("siblings") {
        None => &|core| core / threads,
        Some(item) => match item.as_str() {
            Some("adjacent") => &|core| core / threads,
            Some("apart") => &|core| core % physical,
            _ => return Err(item.expected("`adjacent` or `apart`")),
        },
    };
    Ok((0..cores).map(|core| of(core) as u16).collect())
}

fn node_of_core(top: &Table<'_>, cores: usize) -> Result<Vec<u16>, Error> {
    match top.either("cores_per_node", "node_of_core")? {
        None => Ok(vec![0; cores]),
        Some(item) if item.is_list() => {
            let nodes = list_of_cores(&item, cores, "a node", cores)?;
            match gap(&nodes) {
                Some(missing) => {
                    Err(item.wrong(format_args!("expected no gaps: no core is on node {missing}")))
                }
                None => Ok(nodes),
            }
        }
        Some(item) => {
            let each = distance::divisor(&item, cores)?;
            Ok((0..cores).map(|core| (core / each) as u16).collect())
        }
    }
}

fn order(top: &Table<'_>, physical: &[u16]) -> Result<Vec<u16>, Error> {
    let cores = physical.len();
    let numbered = || (0..cores as u16).collect::<Vec<u16>>();
    let Some(item) = top.get("order") else { return Ok(numbered()) };
    match item.as_str() {
        Some("numbered") => Ok(numbered()),
        Some("spread") => {
            // One hardware thread of each physical core, then the second of each.
            let mut taken = vec![0u16; cores];
            let round: Vec<u16> = physical
                .iter()
                .map(|core| {
                    let round = &mut taken[usize::from(*core)];
                    *round += 1;
                    *round
                })
                .collect();
            let mut order = numbered();
            order.sort_by_key(|&core| (round[usize::from(core)], physical[usize::from(core)]));
            Ok(order)
        }
        _ if item.is_list() => {
            let order = list_of_cores(&item, cores, "a core", cores)?;
            let mut seen = vec![false; cores];
            for core in &order {
                if std::mem::replace(&mut seen[usize::from(*core)], true) {
                    return Err(item.wrong(format_args!("core {core} is listed twice: expected each once")));
                }
            }
            Ok(order)
        }
        _ => Err(item.expected("`numbered`, `spread`, or a list of all cores")),
    }
}

fn costs(
    top: &Table<'_>,
    distances: &Distances,
    near: &Near<'_>,
    clock_mhz: u32,
    has_owned: bool,
) -> Result<Costs, Error> {
    match (top.get("miss"), top.get("derive"), &distances.transfer) {
        (Some(_), Some(derive), _) => Err(derive.wrong("expected `miss` or `derive`, found both")),
        (Some(miss), None, None) => cost::published(&miss, distances.classes.len(), has_owned),
        (Some(miss), None, Some(_)) => {
            Err(miss.wrong("does not go with transfer times in `distance`: expected `derive`"))
        }
        (None, Some(derive), Some(transfer)) => {
            let own = near.own_mean(&|class| transfer[usize::from(class)]);
            cost::derived(&derive, transfer, clock_mhz, has_owned, own)
        }
        (None, Some(derive), None) => {
            Err(derive.wrong("needs transfer times: `distance.transfer_ns` or `distance.matrix`"))
        }
        (None, None, Some(_)) => {
            Err(top.wrong("derive", "missing: expected a table that makes costs from transfer times"))
        }
        (None, None, None) => Err(top.wrong("miss", "missing: expected a table of costs by operation")),
    }
}

/// Refuses what makes no sense where stores and atomics act at a shared cache.
fn lines_without_owner(top: &Table<'_>) -> Result<(), Error> {
    let wrong = |item: &Item<'_>| {
        Err(item.wrong("does not go with `shared_cache = true`: there no core owns a line"))
    };
    for key in ["owned_state", "by_home", "any_order"] {
        if let Some(item) = top.get(key).filter(|item| item.as_bool() == Some(true)) {
            return wrong(&item);
        }
    }
    match top.get("hold_window_cycles") {
        Some(item) if item.integer("cycles", 0..MOST_CYCLES + 1)? > 0 => wrong(&item),
        _ => Ok(()),
    }
}

/// Costs within a core. With a shared cache, those of stores and atomics are left open.
fn local(top: &Table<'_>, shared_cache: bool) -> Result<Local, Error> {
    let keys = ["load", "fence", "pause", "clock_read", "store", "atomic", "cas", "fai", "tas", "swap"];
    let item = top.need("local", "a table of costs within a core")?;
    let table = item.table(&keys)?;
    let cycles = |item: &Item<'_>| item.integer("cycles", 1..MOST_CYCLES + 1).map(|cycles| cycles as u32);
    if let Some(item) = keys[4..].iter().find_map(|key| table.get(key)).filter(|_| shared_cache) {
        return Err(
            item.wrong("does not go with `shared_cache = true`: all stores and atomics go to that cache")
        );
    }
    let mut hit = [0; OPS];
    let within = if shared_cache { &Op::ALL[..1] } else { &Op::ALL[..] };
    for &op in within {
        let is_atomic = !matches!(op, Op::Load | Op::Store);
        let item = match (table.get(op.name()), table.get("atomic")) {
            (Some(item), _) => item,
            (None, Some(atomic)) if is_atomic => atomic,
            (None, _) if is_atomic => table.need("atomic", "cycles")?,
            (None, _) => table.need(op.name(), "cycles")?,
        };
        hit[op as usize] = cycles(&item)?;
    }
    let need = |key: &str| cycles(&table.need(key, "cycles")?);
    Ok(Local { hit, fence: need("fence")?, pause: need("pause")?, clock_read: need("clock_read")? })
}

fn os(top: &Table<'_>) -> Result<Os, Error> {
    let item = top.need("os", "a table of costs of the operating system")?;
    let table = item.table(&[
        "slice_ns",
        "switch_ns",
        "syscall_ns",
        "futex_wait_ns",
        "futex_wake_ns",
        "wake",
        "wake_preempts_after_ns",
    ])?;
    let ns = |key: &str, least: u64| need(&table, key, "a time in ns", least..MOST_NS + 1);
    let wake = table.need("wake", "a list of { idle_ns = ..., latency_ns = ... }")?;
    let mut steps: Vec<Wake> = Vec::new();
    for item in wake.items() {
        let step = item.table(&["idle_ns", "latency_ns"])?;
        let idle_ns = need(&step, "idle_ns", "a time in ns", 0..MOST_NS + 1)?;
        let latency_ns = need(&step, "latency_ns", "a time in ns", 0..MOST_NS + 1)?;
        match steps.last() {
            None if idle_ns != 0 => return Err(item.wrong("expected the first step at `idle_ns = 0`")),
            Some(last) if idle_ns <= last.idle_ns => {
                return Err(item.wrong("expected steps with growing `idle_ns`"));
            }
            _ => steps.push(Wake { idle_ns, latency_ns }),
        }
    }
    if steps.is_empty() {
        return Err(wake.expected("a list of at least one { idle_ns = 0, latency_ns = ... }"));
    }
    Ok(Os {
        slice_ns: ns("slice_ns", 1)?,
        switch_ns: ns("switch_ns", 0)?,
        syscall_ns: ns("syscall_ns", 0)?,
        futex_wait_ns: ns("futex_wait_ns", 0)?,
        futex_wake_ns: ns("futex_wake_ns", 0)?,
        wake: steps,
        wake_preempts_after_ns: ns("wake_preempts_after_ns", 0)?,
    })
}
