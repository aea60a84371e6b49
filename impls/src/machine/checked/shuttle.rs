//! shuttle: drawn schedules of programs too large to enumerate, sequentially consistent.
//!
//! It sees interleavings only: a fence does nothing, and no ordering is weaker than `SeqCst`. So it is a second opinion
//! on protocols, and none on orderings.

super::checked_machine! {
    /// The machine whose schedules shuttle draws.
    Shuttle over shuttle; ShuttleCell
}

use core::cell::UnsafeCell;

use super::Setting;
use crate::machine::DataCell;

/// Plain data, with a count of who is inside: overlapping accesses are reported.
#[derive(Debug)]
pub struct ShuttleCell<T> {
    data: UnsafeCell<T>,
    /// Readers inside; -1 for a writer.
    inside: Cell<isize>,
}

impl<T> ShuttleCell<T> {
    fn enter(&self, change: isize) {
        let inside = self.inside.get();
        let alone = if change < 0 { inside == 0 } else { inside >= 0 };
        assert!(alone, "two accesses to plain data overlap");
        self.inside.set(inside + change);
    }
}

impl<T: 'static> DataCell<T> for ShuttleCell<T> {
    fn new(value: T) -> Self {
        ShuttleCell { data: UnsafeCell::new(value), inside: Cell::new(0) }
    }
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        breathe();
        self.enter(1);
        let result = f(self.data.get());
        self.inside.set(self.inside.get() - 1);
        result
    }
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        breathe();
        self.enter(-1);
        let result = f(self.data.get());
        self.inside.set(self.inside.get() + 1);
        result
    }
}

fn crew(_: usize) {}

fn joined(_: &Arc<()>) {}

fn left((): &()) {}

fn await_crew(_: &Arc<()>, handles: Vec<::shuttle::thread::JoinHandle<()>>) {
    for handle in handles {
        handle.join().expect("a panic in a checked thread ends the process");
    }
}

fn choose() -> bool {
    use ::shuttle::rand::RngCore;
    ::shuttle::rand::thread_rng().next_u32() & 1 == 1
}

/// Every store is the last one so far.
fn store_last(_: impl FnOnce(), store: impl FnOnce()) {
    store();
}

/// A drawn schedule is one of many; it does no harm.
fn skip() {}

fn yield_now() {
    ::shuttle::thread::yield_now();
}

/// Where a thread only takes time, another may go on: every atomic operation is such a point.
fn breathe() {
    ::shuttle::sync::atomic::AtomicU32::new(0).load(Ordering::Relaxed);
}

/// How schedules are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Any thread that can go, with equal probability.
    Random,
    /// By random priorities that change at `depth - 1` points (Burckhardt et al., ASPLOS 2010).
    Pct {
        /// How many orderings a fault may need.
        depth: usize,
    },
}

/// Runs `program` under `schedules` schedules drawn from `seed`. A failure panics as in
/// [`loom::explore`](super::loom::explore), and its text holds the schedule.
pub fn explore(
    setting: Setting,
    scheduler: Scheduler,
    seed: u64,
    schedules: usize,
    steps: usize,
    program: impl Fn() + Send + Sync + 'static,
) {
    use ::shuttle::scheduler::{PctScheduler, RandomScheduler};

    let mut config = ::shuttle::Config::new();
    config.max_steps = ::shuttle::MaxSteps::FailAfter(steps);
    config.silence_warnings = true;
    let body = move || {
        scene::begin(setting);
        program();
    };
    match scheduler {
        Scheduler::Random => {
            let scheduler = RandomScheduler::new_from_seed(seed, schedules);
            ::shuttle::Runner::new(scheduler, config).run(body);
        }
        Scheduler::Pct { depth } => {
            let scheduler = PctScheduler::new_from_seed(seed, depth, schedules);
            ::shuttle::Runner::new(scheduler, config).run(body);
        }
    }
}
