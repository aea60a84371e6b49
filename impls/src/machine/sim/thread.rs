//! A simulated thread, as the world keeps it.

use corosensei::Yielder;

use super::ledger::Account;
use super::line::LineIndex;

/// What a thread's pending event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    /// It has none.
    Nothing,
    /// It goes on computing then: it can lose its core before.
    Ahead,
    /// An operation of its takes effect then, which nothing stops.
    Operation,
    /// Its sleep ends then at the latest.
    Deadline,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// On a core, or about to be.
    Running,
    /// In a core's queue.
    Ready,
    /// Asleep in `park`.
    Parked,
    /// Asleep on a futex.
    Futex,
    /// Ended.
    Ended,
}

/// A simulated thread.
pub(super) struct Thread {
    pub(super) yielder: *const Yielder<(), ()>,
    pub(super) core: u16,
    pub(super) pinned: bool,
    pub(super) life: Life,
    pub(super) pending: Pending,
    /// It must give its core up as soon as the operation under way has ended.
    pub(super) leave_core: bool,
    /// Cycles of computing that it had begun when it lost its core.
    pub(super) debt: u64,
    /// Since when it is in the state that it is in: asleep, ready, watching.
    pub(super) since: u64,
    /// The line whose change it awaits.
    pub(super) watched: LineIndex,
    /// Its queued request has been served.
    pub(super) granted: bool,
    /// When it has the answer to its last request: later than the effect where the answer comes from a shared cache.
    pub(super) answered: u64,
    pub(super) token: bool,
    pub(super) timed_out: bool,
    pub(super) random: u64,
    /// Slot of its probe.
    pub(super) slot: *const (),
    pub(super) account: Account,
    pub(super) switches: Switches,
    /// Polls that watching saved since the last report of a spin.
    pub(super) polls_skipped: u64,
}

/// Context switches of a thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Switches {
    pub(super) voluntary: u64,
    pub(super) involuntary: u64,
    pub(super) migrations: u64,
}

/// Sums over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Operations on words.
    pub operations: u64,
    /// Operations that a core's own copy did not serve.
    pub misses: u64,
    /// Lines that came from another core.
    pub transfers: u64,
    /// Copies that were taken away from other cores.
    pub invalidations: u64,
    /// Changes of the thread on a core.
    pub switches: u64,
    /// Threads that moved to another core.
    pub migrations: u64,
    /// System calls on futexes, those of parking included.
    pub futex_calls: u64,
}
