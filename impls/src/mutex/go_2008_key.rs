//! Go's first mutex: one counter of everyone concerned, and a semaphore to sleep on.
//!
//! - **Source**: Go, commit bf3dd3f0 "clean up mutex" (2008), `src/lib/sync.go`.
//! - **Delta**: the first of its line.
//! - **Idea**: `key` counts holder and waiters. Whoever raises it from 0 owns the lock; everyone else sleeps on a
//!   semaphore. Unlock lowers it and, if anyone is left, releases the semaphore once.
//! - **Differs from upstream**: unlock of unlocked panics (the original had no check and left `key` at -1); `count`,
//!   `is_locked` and `try_lock` are ours.
//! - **Fairness**: sleepers are served in the order of their arrival at the queue. A thread that reaches the semaphore
//!   in the moment between a release and the head's wake-up may take the token first.
//! - **Cost**: one add each way uncontended. Contended, every acquire sleeps and every unlock wakes: a switch each.
//! - **Pathology**: the lock idles from unlock until the next waiter runs, so throughput under contention is bounded by
//!   the wake-up latency.
//!
//! ## State
//!
//! | `key` | meaning |
//! |---|---|
//! | 0 | free |
//! | n > 0 | held, n - 1 threads wait |
//!
//! ## Invariants
//! 1. `key` = holder + waiters. It is never lowered by anyone but a holder.
//! 2. Every unlock that leaves `key` > 0 releases one token, and every acquire that found `key` > 0 takes one.
//!
//! ## Orderings
//! The add that finds 0 is Acquire and pairs with the Release of the unlock that left 0; otherwise the semaphore's
//! token carries the edge.

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::wait::sema::{Grant, Place, Semaphore};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine> {
    key: M::AtomicU32,
    sema: Semaphore<M>,
}

/// The registration.
pub struct Go2008Key;

impl MutexImpl for Go2008Key {
    const CARD: Card = Card {
        id: "mutex/go-2008-key",
        summary: "one counter of holder and waiters, then a semaphore",
        year: 2008,
        source: "Go, src/lib/sync.go, commit bf3dd3f0",
        role: Role::Design,
        fairness: Fairness::Fifo,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::WaiterCount,
            Capability::IsLocked,
            Capability::ForeignUnlock,
            Capability::DetectsUnlocked,
            Capability::Observable,
        ],
        params: &[],
        follows: None,
        pathologies: &["every contended acquire pays a sleep and a wake-up, and the lock idles meanwhile"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex { key: M::AtomicU32::new(0), sema: Semaphore::new(0) }
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if self.key.fetch_add(1, Ordering::Acquire) != 0 {
            self.sema.acquire(Place::Back);
        }
    }

    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        self.key.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        match self.key.fetch_sub(1, Ordering::Release) {
            1 => {}
            0 => self.unlock_of_unlocked(),
            _ => {
                self.sema.release(Grant::Compete);
            }
        }
    }

    fn count(&self) -> u32 {
        self.key.load(Ordering::Relaxed)
    }
    fn is_locked(&self) -> bool {
        self.count() > 0
    }
}

impl<M: Machine> Mutex<M> {
    /// Takes the damage back. Of the threads that came meanwhile, the first took the -1 for a holder and sleeps; if
    /// nobody holds the lock now (the key was 0), it is that thread's.
    #[cold]
    fn unlock_of_unlocked(&self) -> ! {
        if self.key.fetch_add(1, Ordering::Relaxed) == 0 {
            self.sema.release(Grant::Compete);
        }
        misuse::unlock_of_unlocked(Go2008Key::CARD.id)
    }
}
