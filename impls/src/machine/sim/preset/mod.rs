//! A simulated machine as data: cores, distances, and what each operation costs, in integers only.
//!
//! A preset is one TOML file. Those of the binary are in `impls/presets`; a user's is read by [`Preset::load`].
//! `docs/SIMULATION.md` describes the format and says where the numbers come from.
//!
//! | module | holds |
//! |---|---|
//! | [`builtin`](Preset::builtin) | the presets that the binary carries |
//! | `load` | a file becomes a checked preset |
//! | `distance` | which cores are how far apart: levels, clusters, a mesh, a measured matrix |
//! | `matrix` | measured matrices: reading, symmetry, few classes for many values |
//! | `nodes` | how far cores are from memory nodes |
//! | `cost` | a published table of costs, or costs derived from one transfer time for each class |
//! | `with` | one constant changed, for sweeps |
//! | `write` | a preset as the text of a file |

mod builtin;
mod cost;
mod distance;
mod load;
mod matrix;
mod nodes;
mod with;
mod write;

pub use crate::text::diagnose::Error;

/// The most cores that a preset may have.
pub const MOST_CORES: u32 = 1024;
/// The most classes of distance that a preset may have.
pub const MOST_CLASSES: usize = 255;
/// Number of operations in [`Op`].
pub const OPS: usize = 6;
/// Number of states in [`Prior`].
pub const STATES: usize = 5;
/// After an exclusive grant the owner keeps a line for 0 to so many cycles, drawn evenly, on every machine of the model.
pub const HOLD_WINDOW_CYCLES: u32 = 35;

/// An operation on a word. On most machines the four that read, modify and write cost the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Op {
    /// A read.
    Load,
    /// A plain write.
    Store,
    /// Compare and swap, whether it succeeds or not.
    Cas,
    /// Fetch and increment, and the other fetch-and-modify operations.
    Fai,
    /// Test and set: a swap of one byte or bit.
    Tas,
    /// An exchange of a whole word.
    Swap,
}

impl Op {
    /// All operations, in the order of their tables.
    pub const ALL: [Self; OPS] = [Self::Load, Self::Store, Self::Cas, Self::Fai, Self::Tas, Self::Swap];

    /// The name that files use.
    pub fn name(self) -> &'static str {
        ["load", "store", "cas", "fai", "tas", "swap"][self as usize]
    }
}

/// What the caches of other cores hold of a line when an operation misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Prior {
    /// One core has it, changed.
    Modified,
    /// One core has it, changed, and others read copies: only where [`Preset::owned_state`] says so.
    Owned,
    /// One core has it, unchanged.
    Exclusive,
    /// Some cores read copies.
    Shared,
    /// No cache has it: it comes from memory, and the distance is that to the line's node.
    Invalid,
}

impl Prior {
    /// All states, in the order of their tables.
    pub const ALL: [Self; STATES] =
        [Self::Modified, Self::Owned, Self::Exclusive, Self::Shared, Self::Invalid];

    /// The name that files use.
    pub fn name(self) -> &'static str {
        ["modified", "owned", "exclusive", "shared", "memory"][self as usize]
    }
}

/// A class of distance between two cores. A class with a larger number is never cheaper to load a modified line from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// As people say it: `same die`, `2 hops`, `98.4 ns`.
    pub name: String,
}

/// Costs of what stays within a core, in cycles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// An operation on a line that the core may use as it is, by [`Op`]. At a shared cache that is true of loads alone, and
    /// the others are what [`Preset::miss_cycles`] says of the nearest class.
    pub hit: [u32; OPS],
    /// A full fence with nothing outstanding.
    pub fence: u32,
    /// One polling hint.
    pub pause: u32,
    /// Reading the clock.
    pub clock_read: u32,
}

/// How long an idle core takes to run a thread that was woken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Applies to a core that has been idle for at least this long.
    pub idle_ns: u64,
    /// From the end of the waking call until the core begins the switch to the thread.
    pub latency_ns: u64,
}

/// Costs and rules of the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Os {
    /// How long a thread may run while others wait for its core.
    pub slice_ns: u64,
    /// Changing from one thread to another on a core.
    pub switch_ns: u64,
    /// Entering and leaving the kernel for next to nothing, such as a yield with nobody else to run.
    pub syscall_ns: u64,
    /// A futex wait up to the point where it sleeps, or finds the value changed; the system call included.
    pub futex_wait_ns: u64,
    /// A futex wake that wakes nobody, system call included; also the share of each woken thread.
    pub futex_wake_ns: u64,
    /// Wake latency by the time for which the core was idle: the first for 0 ns, then ascending.
    pub wake: Vec<Wake>,
    /// A woken thread takes a busy core from a thread that has run for at least this long; otherwise it queues.
    pub wake_preempts_after_ns: u64,
}

impl Os {
    /// Latency of waking a core that has been idle for `idle_ns`.
    pub fn wake_latency_ns(&self, idle_ns: u64) -> u64 {
        let reached = self.wake.partition_point(|wake| wake.idle_ns <= idle_ns);
        self.wake[reached.saturating_sub(1)].latency_ns
    }
}

/// A simulated machine. What the loader returns is consistent: each table has the size that its doc states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its id, as in `sim:genoa-192`.
    pub name: String,
    /// What it is, in one line.
    pub summary: String,
    /// Cycles per microsecond; all cores share the clock.
    pub clock_mhz: u32,
    /// Hardware threads, each of which runs one thread at a time: 1 to [`MOST_CORES`].
    pub cores: u32,
    /// The physical core that each hardware thread belongs to, `cores` entries.
    pub physical_of_core: Vec<u16>,
    /// Length of private work, in percent, while another hardware thread of the same physical core works too.
    pub sibling_work_percent: u32,
    /// The memory node of each core, `cores` entries; nodes count from 0 without gaps.
    pub node_of_core: Vec<u16>,
    /// The order in which the threads of a benchmark fill the cores: a permutation of all.
    pub order: Vec<u16>,
    /// Whether a load of a modified line leaves it owned instead of writing it back.
    pub owned_state: bool,
    /// Whether what one cache fetches from another goes by way of the line's home: the directory at the node of the core
    /// that touched it first.
    pub by_home: bool,
    /// Whether stores and atomics act at a cache that all cores share, so that no core owns a line.
    pub shared_cache: bool,
    /// Whether a line serves those who wait for it in any order, and not in that of their arrival. Each transaction ends
    /// before the next is chosen then, so reads occupy the line for at least their latency.
    pub any_order: bool,
    /// Exclusive requests occupy a line for their whole latency, reads for this share of it: more than 100 where the
    /// next request must wait for the end of the read to be known at the line's home. At a shared cache all requests
    /// occupy it for this share of what a read takes, and stores and atomics for what they take beyond a read besides, both at
    /// the farthest class; there it is at most 100.
    pub read_occupancy_percent: u32,
    /// After an exclusive grant the owner keeps the line for 0 to so many cycles, drawn evenly.
    pub hold_window_cycles: u32,
    /// Classes of distance, 1 to [`MOST_CLASSES`], near ones first.
    pub classes: Vec<Class>,
    /// Class of each pair, row after row, `cores * cores` entries, symmetric. The diagonal holds 0 and means nothing.
    pub distance: Vec<u8>,
    /// Class of each core to each node's memory, row after row, `cores * nodes` entries.
    pub node_distance: Vec<u8>,
    /// Cycles of a miss, all classes of one state after another, all states of one operation after another.
    /// See [`Preset::miss_cycles`].
    pub miss: Vec<u32>,
    /// What taking a line that all cores share costs more than taking it from the farthest of them alone.
    /// See [`Preset::sharing_cycles`].
    pub sharing_extra_cycles: u32,
    /// Costs within a core.
    pub local: Local,
    /// The operating system.
    pub os: Os,
}

/// The least and the most that [`Preset::read_occupancy_percent`] may be. At a shared cache a request acts within its way
/// there and back; where lines keep no order, the next is chosen when a read has ended, and no earlier.
fn read_occupancy_percents(shared_cache: bool, any_order: bool) -> (u64, u64) {
    (if any_order { 100 } else { 0 }, if shared_cache { 100 } else { 400 })
}

impl Preset {
    /// Number of memory nodes.
    pub fn nodes(&self) -> usize {
        self.node_of_core.iter().max().map_or(1, |&last| usize::from(last) + 1)
    }

    /// Sets what follows from the rest: at a shared cache a store or atomic on a line that the core itself changed last costs
    /// what it does at the nearest class.
    fn settle(&mut self) {
        for op in Op::ALL.into_iter().filter(|op| self.shared_cache && *op != Op::Load) {
            self.local.hit[op as usize] = self.miss_cycles(op, Prior::Modified, 0);
        }
    }

    /// Class of distance between two different cores.
    #[inline]
    pub fn class(&self, a: usize, b: usize) -> u8 {
        self.distance[a * self.cores as usize + b]
    }

    /// Class of distance between a core and the memory of a node.
    #[inline]
    pub fn class_to_node(&self, core: usize, node: usize) -> u8 {
        self.node_distance[core * (self.node_distance.len() / self.cores as usize) + node]
    }

    /// Cycles of `op` on a line that is `prior` elsewhere, at a distance of `class`.
    ///
    /// The distance is that to the owner; of a shared line for a load that to the nearest copy, for all other
    /// operations that to the farthest; of a line in memory that to its node.
    #[inline]
    pub fn miss_cycles(&self, op: Op, prior: Prior, class: u8) -> u32 {
        self.miss[(op as usize * STATES + prior as usize) * self.classes.len() + usize::from(class)]
    }

    /// What an operation that takes a line from `sharers` other cores costs more than from the farthest alone.
    #[inline]
    pub fn sharing_cycles(&self, sharers: u32) -> u32 {
        let most = u64::from(self.cores).saturating_sub(2).max(1);
        let beyond = u64::from(sharers.saturating_sub(1)).min(most);
        (u64::from(self.sharing_extra_cycles) * beyond / most) as u32
    }

    /// Cycles in `ns`, rounded to the nearest; saturates.
    #[inline]
    pub fn cycles(&self, ns: u64) -> u64 {
        let cycles = (u128::from(ns) * u128::from(self.clock_mhz) + 500) / 1000;
        u64::try_from(cycles).unwrap_or(u64::MAX)
    }

    /// Nanoseconds in `cycles`, rounded down; saturates.
    #[inline]
    pub fn ns(&self, cycles: u64) -> u64 {
        u64::try_from(u128::from(cycles) * 1000 / u128::from(self.clock_mhz)).unwrap_or(u64::MAX)
    }
}
