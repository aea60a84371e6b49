//! What a miss costs: a published table in `[miss]`, or `[derive]`, which makes one from transfer times.
//!
//! Both have a table for each operation with an entry for each state. `atomic` stands for all four operations that
//! read, modify and write; `cas`, `fai`, `tas` and `swap` replace it for one of them. What tables leave out:
//! * `exclusive` of an operation is its `modified`; `owned` is its `shared`;
//! * an operation on a line in memory (`memory` of the operation) costs a load from there, and what the operation
//!   costs beyond a load when the line is modified elsewhere.
//!
//! Derived costs are percentages of the one-way transfer time of the class, which is what half of a compare-and-swap
//! ping-pong measures. Memory farther than a core's own is dearer by what the transfer is longer.

use super::matrix::Picoseconds;
use super::{Error, OPS, Op, Prior, STATES};
use crate::text::reader::{Item, Table};

/// The most cycles that a single operation may cost.
pub(super) const MOST_CYCLES: u64 = 10_000_000;
/// The longest time of the operating system, in ns: a quarter of an hour.
pub(super) const MOST_NS: u64 = 1_000_000_000_000;

const STATES_READ: [&str; 5] = ["modified", "owned", "exclusive", "shared", "memory"];
/// Times from memory do not derive from transfer times.
const STATES_DERIVED: [&str; 4] = ["modified", "owned", "exclusive", "shared"];
const ATOMICS: [Op; 4] = [Op::Cas, Op::Fai, Op::Tas, Op::Swap];

/// Cycles of a miss, laid out as [`super::Preset::miss`] is.
pub(super) struct Costs {
    pub(super) miss: Vec<u32>,
    pub(super) sharing_extra_cycles: u32,
    classes: usize,
}

impl Costs {
    fn index(&self, op: Op, prior: Prior, class: usize) -> usize {
        (op as usize * STATES + prior as usize) * self.classes + class
    }

    /// Cycles of one miss.
    pub(super) fn cycles(&self, op: Op, prior: Prior, class: usize) -> u32 {
        self.miss[self.index(op, prior, class)]
    }

    fn set(&mut self, op: Op, prior: Prior, values: &[u32]) {
        let start = self.index(op, prior, 0);
        self.miss[start..start + values.len()].copy_from_slice(values);
    }

    fn row(&self, op: Op, prior: Prior) -> &[u32] {
        &self.miss[self.index(op, prior, 0)..][..self.classes]
    }

    /// Lets every operation on a line in memory cost `load`, and what it costs beyond a load elsewhere, unless the
    /// table had its own costs.
    fn fill_memory(&mut self, load: &[u32]) {
        for op in Op::ALL {
            if self.row(op, Prior::Invalid).iter().all(|&cost| cost != 0) {
                continue;
            }
            let beyond = self.row(op, Prior::Modified).iter().zip(self.row(Op::Load, Prior::Modified));
            let beyond = beyond.map(|(this, load)| this.saturating_sub(*load));
            let mut values: Vec<u32> = load.iter().zip(beyond).map(|(load, more)| load + more).collect();
            // Rounding must not make farther memory cheaper.
            for class in 1..values.len() {
                values[class] = values[class].max(values[class - 1]);
            }
            self.set(op, Prior::Invalid, &values);
        }
    }

    /// Every operation's costs from `table`, each entry read by `read`, with memory left open.
    fn read(
        table: &Table<'_>,
        classes: usize,
        has_owned: bool,
        keys: &[&str],
        read: &dyn Fn(&Item<'_>) -> Result<Vec<u32>, Error>,
    ) -> Result<Self, Error> {
        let mut costs = Self { miss: vec![0; OPS * STATES * classes], sharing_extra_cycles: 0, classes };
        let atomic = table.get("atomic");
        for op in Op::ALL {
            let own = table.get(op.name());
            let item = match (own, &atomic) {
                (Some(own), _) => own,
                (None, Some(atomic)) if ATOMICS.contains(&op) => atomic.clone(),
                _ if ATOMICS.contains(&op) => {
                    let message =
                        format_args!("missing: expected a table `atomic`, or one for each operation");
                    return Err(table.wrong(op.name(), message));
                }
                _ => table.need(op.name(), "a table with an entry for each state")?,
            };
            let states = item.table(keys)?;
            if let Some(owned) = states.get("owned").filter(|_| !has_owned) {
                return Err(owned.wrong("goes with `owned_state = true` only"));
            }
            let need = |key: &str| states.need(key, "costs by class").and_then(|item| read(&item));
            let modified = need("modified")?;
            let shared = need("shared")?;
            let or = |key: &str, other: &[u32]| {
                states.get(key).map_or_else(|| Ok(other.to_vec()), |item| read(&item))
            };
            costs.set(op, Prior::Exclusive, &or("exclusive", &modified)?);
            costs.set(op, Prior::Owned, &or("owned", &shared)?);
            costs.set(op, Prior::Modified, &modified);
            costs.set(op, Prior::Shared, &shared);
            if let Some(memory) = states.get("memory") {
                costs.set(op, Prior::Invalid, &read(&memory)?);
            }
        }
        Ok(costs)
    }

    /// Sets what all sharers cost beyond the farthest one, from what a store to a line of all costs.
    fn share(&mut self, store_shared_by_all: u64) -> bool {
        let farthest = u64::from(*self.row(Op::Store, Prior::Shared).iter().max().unwrap_or(&0));
        match store_shared_by_all.checked_sub(farthest) {
            Some(extra) => {
                self.sharing_extra_cycles = extra as u32;
                true
            }
            None => false,
        }
    }
}

/// Reads `[miss]`: cycles, as published.
pub(super) fn published(item: &Item<'_>, classes: usize, has_owned: bool) -> Result<Costs, Error> {
    let keys = ["load", "store", "atomic", "cas", "fai", "tas", "swap", "memory", "store_shared_by_all"];
    let table = item.table(&keys)?;
    let read = |item: &Item<'_>| by_class(item, classes);
    let mut costs = Costs::read(&table, classes, has_owned, &STATES_READ, &read)?;
    let memory = read(&table.need("memory", "costs of a load from memory by class")?)?;
    costs.fill_memory(&memory);
    let all = table.need("store_shared_by_all", "cycles of a store to a line that all cores share")?;
    if !costs.share(all.integer("cycles", 1..MOST_CYCLES + 1)?) {
        return Err(all.wrong("expected at least the cost of a store to a shared line of the farthest class"));
    }
    let loads = costs.row(Op::Load, Prior::Modified);
    if loads.windows(2).any(|pair| pair[0] > pair[1]) {
        let message = "expected near classes first: a farther one is cheaper to load a modified line from";
        return Err(table.wrong("load.modified", message));
    }
    Ok(costs)
}

/// A list with a value for each class, or `{ first = 45, last = 65 }`, between which costs grow evenly.
fn by_class(item: &Item<'_>, classes: usize) -> Result<Vec<u32>, Error> {
    let cycles =
        |item: &Item<'_>| item.integer("a number of cycles", 1..MOST_CYCLES + 1).map(|cycles| cycles as u32);
    if item.is_table() {
        let table = item.table(&["first", "last"])?;
        let expected = "cycles of the nearest and of the farthest class";
        let first = i64::from(cycles(&table.need("first", expected)?)?);
        let last = i64::from(cycles(&table.need("last", expected)?)?);
        let most = (classes as i64 - 1).max(1);
        // Rounded to the nearest, halves up; both ends are positive, so the result is.
        let value = |class: i64| first + ((last - first) * 2 * class + most).div_euclid(2 * most);
        return Ok((0..classes as i64).map(|class| value(class) as u32).collect());
    }
    let values: Vec<u32> = item.items().iter().map(cycles).collect::<Result<_, _>>()?;
    if values.len() != classes || !item.is_list() {
        let found = values.len();
        let message = format!("expected a list of {classes} numbers, one for each class, found {found}");
        return Err(item.wrong(message));
    }
    Ok(values)
}

/// `percent` of a time, in cycles, rounded to the nearest, at least 1.
fn share_cycles(time: Picoseconds, percent: u64, clock_mhz: u32) -> u32 {
    let cycles = (u128::from(time) * u128::from(percent) * u128::from(clock_mhz) + 50_000_000) / 100_000_000;
    cycles.clamp(1, u128::from(MOST_CYCLES)) as u32
}

/// Reads `[derive]` and makes costs from the `transfer` time of each class; `own_node` is the mean transfer time
/// within the node that a core belongs to.
pub(super) fn derived(
    item: &Item<'_>,
    transfer: &[Picoseconds],
    clock_mhz: u32,
    has_owned: bool,
    own_node: Picoseconds,
) -> Result<Costs, Error> {
    let keys = ["load", "store", "atomic", "cas", "fai", "tas", "swap", "memory_ns", "store_shared_by_all"];
    let table = item.table(&keys)?;
    let read = |item: &Item<'_>| {
        let percent = item.integer("a percentage of the transfer time", 1..1001)?;
        Ok(transfer.iter().map(|time| share_cycles(*time, percent, clock_mhz)).collect())
    };
    let mut costs = Costs::read(&table, transfer.len(), has_owned, &STATES_DERIVED, &read)?;
    let memory = table.need("memory_ns", "the time of a load from the core's own node")?;
    let memory = memory.integer("a time in ns", 1..1_000_001)? * 1000;
    let beyond = transfer.iter().map(|time| time.saturating_sub(own_node));
    let memory: Vec<u32> = beyond.map(|more| share_cycles(memory + more, 100, clock_mhz)).collect();
    costs.fill_memory(&memory);
    let expected = "percent of a store to a shared line of the farthest class";
    let all = table.need("store_shared_by_all", expected)?;
    let percent = all.integer("a percentage", 100..1001)?;
    let farthest = u64::from(*costs.row(Op::Store, Prior::Shared).iter().max().unwrap_or(&1));
    costs.share((farthest * percent + 50) / 100);
    Ok(costs)
}
