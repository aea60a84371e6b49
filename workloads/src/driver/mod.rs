//! The driver: what threads do during a launch, and what they note of themselves.
//!
//! | module | holds |
//! |---|---|
//! | [`mutex`] | the loop of the mutex family, all that is compiled once for each lock |
//! | [`transfers`] | the same for operations that hold two locks at once |
//! | [`stage`] | a launch around any loop: slices, workers, reports |
//! | [`control`] | how a slice opens, changes its load and ends |
//! | [`draw`] | lengths, gaps and choices, drawn before the measurement |
//! | [`arena`] | a fresh place in memory for each object |
//!
//! A launch is a discarded slice and then the measured ones. The threads live through all of them; the objects are new
//! in each. In a slice workers arrive, work unmeasured until each has run (or a second has passed), and then until the
//! controller ends the last phase.
//!
//! **Time.** Workers take the times: a slice begins when the first worker sees its signal and ends when the first sees
//! the end. A controller that loses its core between looking at the clock and giving the signal cannot stretch the span,
//! and neither can a worker that is deep in a wait when the signal changes: its operation is counted where it ends.
//!
//! **Operations** belong to the phase in which they ended their wait; the one that is on its way when the signal changes
//! counts for the new phase.

pub mod arena;
pub mod control;
pub mod draw;
pub mod mutex;
pub mod stage;
pub mod transfers;

use record::{Point, Slice};

/// What the world outside the driver sees of a launch.
pub trait Witness: Sync {
    /// What the calling thread has used so far, by the operating system's account.
    fn account(&self) -> Account;
    /// The measured part of a slice is about to begin: all workers work. Called on the controller.
    fn slice_begins(&self) {}
    /// It has ended. Called on the controller.
    fn slice_ends(&self) {}
}

/// What one thread has used. Absent where the machine keeps no such account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Time on a core.
    pub cpu_ns: Option<u64>,
    /// Time ready to run but not on a core.
    pub run_delay_ns: Option<u64>,
    /// Context switches that it asked for.
    pub voluntary_switches: Option<u64>,
    /// Context switches that it suffered.
    pub involuntary_switches: Option<u64>,
}

impl Account {
    /// What was used since `earlier`.
    pub fn since(self, earlier: Account) -> Account {
        let less = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Account {
            cpu_ns: less(self.cpu_ns, earlier.cpu_ns),
            run_delay_ns: less(self.run_delay_ns, earlier.run_delay_ns),
            voluntary_switches: less(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches: less(self.involuntary_switches, earlier.involuntary_switches),
        }
    }
}

/// How a launch is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// What the threads do.
    pub point: &'a Point,
    /// Measured slices.
    pub slices: u32,
    /// Length of a slice.
    pub slice_ns: u64,
    /// Length of the discarded slice.
    pub warmup_ns: u64,
    /// Cores of the workers; empty: the scheduler decides.
    pub cpus: &'a [usize],
    /// Seed of every draw.
    pub seed: u64,
    /// Whether the implementation can tell how many threads hold and wait.
    pub can_count: bool,
}

/// What a launch brought.
#[derive(Debug)]
pub struct Outcome<Slot> {
    /// The measured slices.
    pub slices: Vec<Slice>,
    /// The probe's slots: of each slice, of each worker.
    pub slots: Vec<Vec<Slot>>,
    /// Where the objects lie, as probes call them: of each slice, in the order of their numbers.
    pub objects: Vec<Vec<usize>>,
    /// Mean of the implementation's own count of waiters (holder excluded), and the number of samples; only when a probe
    /// listens and the implementation can count.
    pub waiters_sampled: Option<(f64, u64)>,
    /// Cost of an uncontended operation, the fastest of several short loops.
    pub uncontended_ns: f64,
}
