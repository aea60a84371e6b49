//! The two-mode mutex of Go, 2016 to today: barging as long as nobody waits too long, then hand-over.
//!
//! Source: Go, commit 0556e26273f7 ("sync: make Mutex more fair", 2016), `src/sync/mutex.go`, since 1.24
//! `src/internal/sync/mutex.go`. The algorithm has not changed since; what changed is where the code is cut for the
//! inliner. So it stands here once, every step inlined into its caller, and the implementations place the cut.
//!
//! In normal mode waiters queue, but a woken waiter competes with newcomers, which spin and usually win. A waiter that
//! wakes after more than 1 ms of waiting, and finds the lock taken, switches to starvation mode: now unlock hands the
//! lock to the head of the queue, and newcomers neither spin nor try, but queue at the tail. A waiter that lost a race
//! queues at the front. A waiter leaves the mode when it is the last in the queue or has waited less than 1 ms.
//!
//! ## State
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | `LOCKED` | held |
//! | 1 | `WOKEN` | a waiter is awake and competes, so unlock need not wake another |
//! | 2 | `STARVING` | unlock hands over; newcomers queue |
//! | 3.. | waiters | threads in the queue or on their way to it |
//!
//! ## Invariants
//! 1. `WOKEN` is set by a spinner or by the unlock that wakes, and cleared by the thread for which it was set.
//! 2. While `STARVING` is set and `LOCKED` is not, the lock belongs to the waiter that was just handed it.
//! 3. The waiter count is raised by the waiter itself, and lowered by whoever wakes it (normal mode) or by itself
//!    (hand-over).
//!
//! ## Orderings
//! The compare-exchange that sets `LOCKED` is Acquire and pairs with the Release add of [`Starving::release`]. A
//! hand-over carries its edge by the semaphore. Loads of the state are hints: every decision is made by the
//! compare-exchange that follows.

use super::go_spin::{Spinner, WOKEN};
use super::sema::{Grant, Place, Semaphore};
use crate::card::{Capability, Param, ParamSource};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::probe::Event;

pub use super::go_spin::{PAUSES_PER_ROUND, SPIN_ROUNDS};

const LOCKED: i32 = 1;
const STARVING: i32 = 4;
const WAITER_SHIFT: u32 = 3;
const ONE_WAITER: i32 = 1 << WAITER_SHIFT;

/// A waiter that has waited longer switches to starvation mode when it wakes.
pub static STARVATION_NS: Param = Param {
    name: "starvation_ns",
    default: 1_000_000,
    min: 0,
    max: 1 << 40,
    origin: "starvationThresholdNs = 1e6, Go src/internal/sync/mutex.go",
};

/// What every mutex over [`Starving`] can do.
pub const CAPABILITIES: &[Capability] = &[
    Capability::TryLock,
    Capability::WaiterCount,
    Capability::IsLocked,
    Capability::IsWoken,
    Capability::IsStarving,
    Capability::ForeignUnlock,
    Capability::DetectsUnlocked,
    Capability::Observable,
];

/// What every mutex over [`Starving`] reads.
pub const PARAMS: &[Param] = &[SPIN_ROUNDS, PAUSES_PER_ROUND, STARVATION_NS];

/// The word, the queue and the parameters.
#[repr(C)]
pub struct Starving<M: Machine, S: ParamSource> {
    state: M::AtomicI32,
    sema: Semaphore<M>,
    params: S,
}

fn waiters(state: i32) -> i32 {
    state >> WAITER_SHIFT
}

/// The trap of a broken invariant. Outlined: formatting inline would cost `go_2016_starving`, where fast and slow path
/// are one function, a stack frame in every fast path.
#[cold]
#[inline(never)]
fn inconsistent(id: &str, state: i32) -> ! {
    panic!("{id}: inconsistent state {state:#b}")
}

impl<M: Machine, S: ParamSource> Starving<M, S> {
    /// An unlocked mutex.
    pub fn new(params: S) -> Self {
        Starving { state: M::AtomicI32::new(0), sema: Semaphore::new(0), params }
    }

    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// The fast path of lock: takes a mutex that nobody holds or waits for.
    #[inline(always)]
    pub fn lock_free(&self) -> bool {
        self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the mutex if it is free in normal mode: a try passes waiters, but not starving ones.
    #[inline(always)]
    pub fn try_lock(&self) -> bool {
        let old = self.state.load(Ordering::Relaxed);
        old & (LOCKED | STARVING) == 0
            && self.state.compare_exchange(old, old | LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The slow path of lock. `id` names the implementation in a panic.
    #[inline(always)]
    pub fn lock_contended(&self, id: &str) {
        let mut wait_start_ns = None;
        let mut starving = false;
        let mut spinner = Spinner::default();
        let mut old = self.state.load(Ordering::Relaxed);
        loop {
            // 1. Spin while the lock is held in normal mode: its owner is likely running.
            let held = |state| state & (LOCKED | STARVING) == LOCKED;
            old = spinner.spin::<M, S>(&self.state, old, self.params, held, |state| waiters(state) != 0);
            // 2. The state that we want: the lock if it is free in normal mode, else one more waiter.
            let mut new = old;
            if old & STARVING == 0 {
                new |= LOCKED;
            }
            if old & (LOCKED | STARVING) != 0 {
                new += ONE_WAITER;
            }
            if starving && old & LOCKED != 0 {
                new |= STARVING;
            }
            if spinner.awoke() {
                if new & WOKEN == 0 {
                    inconsistent(id, new);
                }
                new &= !WOKEN; // Invariant 1: it was set for us.
            }
            if let Err(now) = self.state.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed) {
                M::event(Event::FailedCas, self.object());
                old = now;
                continue;
            }
            if new & STARVING != 0 && old & STARVING == 0 {
                M::event(Event::StarvingBegin, self.object());
            }
            if old & (LOCKED | STARVING) == 0 {
                return;
            }
            // 3. Sleep; who has waited before keeps its turn.
            let place = if wait_start_ns.is_some() { Place::Front } else { Place::Back };
            let start_ns = *wait_start_ns.get_or_insert_with(M::now_ns);
            self.sema.acquire(place);
            starving |= M::now_ns().saturating_sub(start_ns) > self.params.get(&STARVATION_NS);
            old = self.state.load(Ordering::Relaxed);
            if old & STARVING != 0 {
                return self.take_hand_over(old, starving, id);
            }
            spinner.woke_up();
            if old & LOCKED != 0 {
                M::event(Event::LostRace, self.object());
            }
        }
    }

    /// Handed over (Invariant 2): sets `LOCKED`, and leaves the mode if it has served its purpose.
    #[inline(always)]
    fn take_hand_over(&self, old: i32, starving: bool, id: &str) {
        if old & (LOCKED | WOKEN) != 0 || waiters(old) == 0 {
            inconsistent(id, old);
        }
        let mut delta = LOCKED - ONE_WAITER;
        if !starving || waiters(old) == 1 {
            delta -= STARVING;
            M::event(Event::StarvingEnd, self.object());
        }
        // Relaxed: newcomers change the waiter count only, and the semaphore carried the edge of the hand-over.
        self.state.fetch_add(delta, Ordering::Relaxed);
    }

    /// The fast path of unlock: gives the mutex back. If the answer is not 0, it goes to [`Starving::wake`].
    #[inline(always)]
    #[must_use]
    pub fn release(&self) -> i32 {
        self.state.fetch_sub(LOCKED, Ordering::Release) - LOCKED
    }

    /// The slow path of unlock: serves a waiter, or finds that the mutex was not locked.
    #[inline(always)]
    pub fn wake(&self, new: i32, id: &str) {
        if (new + LOCKED) & LOCKED == 0 {
            // Take the damage back, and serve whoever queued behind a holder that did not exist.
            let restored = self.state.fetch_add(LOCKED, Ordering::Relaxed) + LOCKED;
            self.wake_one(restored);
            crate::mutex::misuse::unlock_of_unlocked(id);
        }
        if new & STARVING != 0 {
            // LOCKED stays clear: with STARVING it means that the lock is the woken waiter's (Invariant 2).
            self.sema.release(Grant::HandOff);
        } else {
            self.wake_one(new);
        }
    }

    /// Wakes one waiter, unless there is none, or someone is awake, or has the lock, or starves.
    #[inline(always)]
    fn wake_one(&self, mut old: i32) {
        while waiters(old) != 0 && old & (LOCKED | WOKEN | STARVING) == 0 {
            let new = (old - ONE_WAITER) | WOKEN;
            match self.state.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.sema.release(Grant::Compete);
                    return;
                }
                Err(now) => {
                    M::event(Event::FailedCas, self.object());
                    old = now;
                }
            }
        }
    }

    /// Threads that wait, and the holder. Each field is taken from one load, and the bit is not shifted away.
    pub fn count(&self) -> u32 {
        let state = self.state.load(Ordering::Relaxed);
        waiters(state).max(0).cast_unsigned() + u32::from(state & LOCKED != 0)
    }
    /// Whether the mutex is held.
    pub fn is_locked(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOCKED != 0
    }
    /// Whether a waiter is awake and competes.
    pub fn is_woken(&self) -> bool {
        self.state.load(Ordering::Relaxed) & WOKEN != 0
    }
    /// Whether unlock hands over.
    pub fn is_starving(&self) -> bool {
        self.state.load(Ordering::Relaxed) & STARVING != 0
    }
}
