//! Go's third mutex: a few rounds of spinning before a thread queues.
//!
//! - **Source**: Go, commit edcad8639a90 ("sync: add active spinning to Mutex", 2015), `src/sync/mutex.go` and
//!   `src/runtime/proc.go`.
//! - **Delta**: against `go_2012_woken`: newcomers and woken waiters poll up to 4 rounds of 30 pauses between two
//!   sleeps, when more than one core runs.
//! - **Idea**: short sections end while a thread would still be on its way to bed. A spinner sets `WOKEN` if there are
//!   waiters, so that unlock leaves the lock to it and wakes nobody.
//! - **Differs from upstream**: `count`, `is_locked`, `is_woken` and `try_lock` are ours; whether spinning can help is
//!   the machine's answer; an unlock of unlocked is taken back before it panics.
//! - **Fairness**: barging, without bound.
//! - **Cost**: a CAS to lock and an add to unlock, uncontended. Contended, up to 120 pauses before each sleep.
//! - **Pathology**: spinners nearly always beat the woken waiter, which queues again at the TAIL (kept as it was): with
//!   two threads that hold the lock most of the time a third may wait for ever. `go_2016_starving` is the answer.
//!
//! ## State
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | `LOCKED` | held |
//! | 1 | `WOKEN` | a waiter is awake and competes, so unlock need not wake another |
//! | 2.. | waiters | threads in the queue or on their way to it |
//!
//! ## Invariants
//! 1. `WOKEN` is set by a spinner or by the unlock that wakes, and cleared by the thread for which it was set.
//! 2. The waiter count is raised by the waiter itself and lowered by whoever wakes it.
//!
//! ## Orderings
//! The CAS that sets `LOCKED` is Acquire and pairs with the Release add of `unlock`; the CAS that wakes need not be,
//! since its release happened in that add. Loads of the state are hints.

use crate::card::{Capability, Card, Defaults, Fairness, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::probe::Event;
use crate::wait::go_spin::{PAUSES_PER_ROUND, SPIN_ROUNDS, Spinner, WOKEN};
use crate::wait::sema::{Grant, Place, Semaphore};

const LOCKED: i32 = 1;
const WAITER_SHIFT: u32 = 2;
const ONE_WAITER: i32 = 1 << WAITER_SHIFT;

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults> {
    state: M::AtomicI32,
    sema: Semaphore<M>,
    params: S,
}

/// The registration.
pub struct Go2015Spinning;

impl MutexImpl for Go2015Spinning {
    const CARD: Card = Card {
        id: "mutex/go-2015-spinning",
        summary: "2012's mutex, with a few rounds of spinning before a thread queues",
        year: 2015,
        source: "Go, src/sync/mutex.go, commit edcad863",
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
        params: &[SPIN_ROUNDS, PAUSES_PER_ROUND],
        follows: Some("mutex/go-2012-woken"),
        pathologies: &[
            "spinning newcomers beat the woken waiter, which queues again at the tail and may lose for ever",
        ],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex { state: M::AtomicI32::new(0), sema: Semaphore::new(0), params }
    }
}

fn waiters(state: i32) -> i32 {
    state >> WAITER_SHIFT
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
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

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    #[cold]
    fn lock_contended(&self) {
        let mut spinner = Spinner::default();
        let mut old = self.state.load(Ordering::Relaxed);
        loop {
            // 1. Spin while the lock is held: its owner is likely running.
            let held = |state| state & LOCKED != 0;
            old = spinner.spin::<M, S>(&self.state, old, self.params, held, |state| waiters(state) != 0);
            // 2. The state that we want: the lock if it is free, else one more waiter.
            let mut new = if old & LOCKED == 0 { old | LOCKED } else { old + ONE_WAITER };
            if spinner.awoke() {
                let id = Go2015Spinning::CARD.id;
                assert!(new & WOKEN != 0, "{id}: inconsistent state {new:#b}");
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
            // 3. Sleep. At the tail also for those who have waited before: the historic defect.
            self.sema.acquire(Place::Back);
            spinner.woke_up();
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
            misuse::unlock_of_unlocked(Go2015Spinning::CARD.id);
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
