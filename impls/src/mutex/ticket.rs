//! The ticket lock: draw a number, wait until it is called.
//!
//! - **Source**: J. M. Mellor-Crummey and M. L. Scott, "Algorithms for Scalable Synchronization on Shared-Memory
//!   Multiprocessors", ACM TOCS 9(1), 1991; the idea is Reed and Kanodia's, CACM 1979.
//! - **Idea**: two counters. A fetch-and-add on `next` gives every thread its turn; unlock raises `serving`.
//! - **Differs from upstream**: no proportional back-off: this is the plain shape that the others are held against.
//! - **Fairness**: FIFO, from the moment of the fetch-and-add.
//! - **Cost**: an add and a store uncontended. Contended, each unlock invalidates the line of every waiter: linear.
//! - **Pathology**: with more threads than cores the next in turn is often not running, and nobody else may go: every
//!   hand-over waits for the scheduler.
//!
//! ## State
//!
//! | word | meaning |
//! |---|---|
//! | `next` | the number that the next thread draws |
//! | `serving` | the number that holds the lock; the lock is free when it equals `next` |
//!
//! Both wrap; only their difference counts, so up to 2^32 - 1 threads may hold and wait.
//!
//! ## Invariants
//! 1. `serving` is written by the holder alone.
//! 2. `next` - `serving` = waiters + holder.
//!
//! ## Orderings
//! The load that finds its own number is Acquire and pairs with the Release store of `unlock`. Drawing is Relaxed: a
//! number protects nothing. A try draws only a number that is being served, which it knows from an Acquire load. The
//! holder's loads in `unlock` are Relaxed: it alone writes `serving`, and `next` is at least its own number + 1.

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::wait::spin;

/// The lock. Both counters lie on one line, as in the paper.
#[repr(C, align(64))]
pub struct Mutex<M: Machine> {
    next: M::AtomicU32,
    serving: M::AtomicU32,
}

/// The registration.
pub struct Ticket;

impl MutexImpl for Ticket {
    const CARD: Card = Card {
        id: "mutex/ticket",
        summary: "draw a number, wait until it is called",
        year: 1991,
        source: "J. M. Mellor-Crummey and M. L. Scott, ACM TOCS 9(1), 1991",
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
        pathologies: &["with more threads than cores every hand-over waits for the scheduler"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex { next: M::AtomicU32::new(0), serving: M::AtomicU32::new(0) }
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        let mine = self.next.fetch_add(1, Ordering::Relaxed);
        if self.serving.load(Ordering::Acquire) != mine {
            self.wait_for(mine);
        }
    }

    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        let mine = self.serving.load(Ordering::Acquire);
        self.next.compare_exchange(mine, mine.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        let served = self.serving.load(Ordering::Relaxed);
        if self.next.load(Ordering::Relaxed) == served {
            misuse::unlock_of_unlocked(Ticket::CARD.id);
        }
        self.serving.store(served.wrapping_add(1), Ordering::Release);
    }

    fn count(&self) -> u32 {
        // `serving` first, and Acquire: whoever stored it had drawn its number, so `next` is not older and the
        // difference never negative.
        let serving = self.serving.load(Ordering::Acquire);
        self.next.load(Ordering::Relaxed).wrapping_sub(serving)
    }
    fn is_locked(&self) -> bool {
        RawMutex::<M>::count(self) > 0
    }
}

impl<M: Machine> Mutex<M> {
    #[cold]
    fn wait_for(&self, mine: u32) {
        let object = core::ptr::from_ref(self).addr();
        spin::spin_while::<M, _>(&self.serving, Ordering::Acquire, object, |serving| serving != mine);
    }
}
