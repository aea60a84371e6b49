//! Go's second mutex: a newcomer may take a free lock before the waiter that was woken for it.
//!
//! - **Source**: Go, commit dd2074c82acd ("sync: improve Mutex to allow successive acquisitions", 2012),
//!   `src/pkg/sync/mutex.go`.
//! - **Delta**: against `go_2008_key`: held and waiting are told apart. A free lock is free for everyone, so that a
//!   running thread goes on while the woken one is still on its way.
//! - **Idea**: one word of a lock bit, a woken bit and a count of waiters. Unlock clears the lock bit and wakes one
//!   waiter, unless one is awake already. The woken thread competes like a newcomer.
//! - **Differs from upstream**: `count`, `is_locked`, `is_woken` and `try_lock` are ours; an unlock of unlocked is taken
//!   back before it panics.
//! - **Fairness**: barging, without bound.
//! - **Cost**: a CAS to lock and an add to unlock, uncontended. An unlock with waiters adds a CAS and a wake-up, one at
//!   a time.
//! - **Pathology**: a woken waiter that loses queues again at the TAIL, behind threads that came long after it (kept as
//!   it was); under steady contention it loses for ever.
//!
//! ## State
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | `LOCKED` | held |
//! | 1 | `WOKEN` | a waiter was woken and competes, so unlock need not wake another |
//! | 2.. | waiters | threads in the queue or on their way to it |
//!
//! ## Invariants
//! 1. `WOKEN` is set by the unlock that wakes, and cleared by the woken thread's next successful exchange.
//! 2. The waiter count is raised by the waiter itself and lowered by whoever wakes it.
//!
//! ## Orderings
//! The CAS that sets `LOCKED` is Acquire and pairs with the Release add of `unlock`; the CAS that wakes need not be,
//! since its release happened in that add. Loads of the state are hints.

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::probe::Event;
use crate::wait::sema::{Grant, Place, Semaphore};

const LOCKED: i32 = 1;
const WOKEN: i32 = 2;
const WAITER_SHIFT: u32 = 2;
const ONE_WAITER: i32 = 1 << WAITER_SHIFT;

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine> {
    state: M::AtomicI32,
    sema: Semaphore<M>,
}

/// The registration.
pub struct Go2012Woken;

impl MutexImpl for Go2012Woken {
    const CARD: Card = Card {
        id: "mutex/go-2012-woken",
        summary: "lock bit, woken bit and waiter count: newcomers may pass",
        year: 2012,
        source: "Go, src/pkg/sync/mutex.go, commit dd2074c8",
        role: Role::Design,
        fairness: Fairness::Barging,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::WaiterCount,
            Capability::IsLocked,
            Capability::IsWoken,
            Capability::ForeignUnlock,
            Capability::DetectsUnlocked,
            Capability::Observable,
        ],
        params: &[],
        follows: Some("mutex/go-2008-key"),
        pathologies: &["a woken waiter that loses queues again at the tail, and may lose for ever"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex { state: M::AtomicI32::new(0), sema: Semaphore::new(0) }
    }
}

fn waiters(state: i32) -> i32 {
    state >> WAITER_SHIFT
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_contended();
        }
    }

    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        let old = self.state.load(Ordering::Relaxed);
        old & LOCKED == 0
            && self.state.compare_exchange(old, old | LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        let new = self.state.fetch_sub(LOCKED, Ordering::Release) - LOCKED;
        if new != 0 {
            self.unlock_contended(new);
        }
    }

    fn count(&self) -> u32 {
        let state = self.state.load(Ordering::Relaxed);
        waiters(state).max(0).cast_unsigned() + u32::from(state & LOCKED != 0)
    }
    fn is_locked(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOCKED != 0
    }
    fn is_woken(&self) -> bool {
        self.state.load(Ordering::Relaxed) & WOKEN != 0
    }
}

impl<M: Machine> Mutex<M> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    #[cold]
    fn lock_contended(&self) {
        let mut awoke = false;
        let mut old = self.state.load(Ordering::Relaxed);
        loop {
            // 1. The state that we want: the lock if it is free, else one more waiter.
            let mut new = if old & LOCKED == 0 { old | LOCKED } else { old + ONE_WAITER };
            if awoke {
                new &= !WOKEN; // Invariant 1: it was set for us.
            }
            if let Err(now) = self.state.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed) {
                M::event(Event::FailedCas, self.object());
                old = now;
                continue;
            }
            if old & LOCKED == 0 {
                return;
            }
            // 2. Sleep. At the tail also for those who have waited before: the historic defect.
            self.sema.acquire(Place::Back);
            awoke = true;
            old = self.state.load(Ordering::Relaxed);
            if old & LOCKED != 0 {
                M::event(Event::LostRace, self.object());
            }
        }
    }

    #[cold]
    fn unlock_contended(&self, new: i32) {
        if (new + LOCKED) & LOCKED == 0 {
            // Take the damage back, and serve whoever queued behind a holder that did not exist.
            let restored = self.state.fetch_add(LOCKED, Ordering::Relaxed) + LOCKED;
            self.wake_one(restored);
            misuse::unlock_of_unlocked(Go2012Woken::CARD.id);
        }
        self.wake_one(new);
    }

    /// Wakes one waiter, unless there is none, or someone is awake or has the lock.
    fn wake_one(&self, mut old: i32) {
        while waiters(old) != 0 && old & (LOCKED | WOKEN) == 0 {
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
}
