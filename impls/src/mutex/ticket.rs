//! The ticket lock: draw a number, wait until it is called.
//!
//! - **Source**: J. M. Mellor-Crummey and M. L. Scott, "Algorithms for Scalable Synchronization on Shared-Memory
//!   Multiprocessors", ACM TOCS 9(1), 1991; the idea is Reed and Kanodia's, CACM 1979.
//! - **Idea**: two counters. A fetch-and-add on `next` gives every thread its turn; unlock raises `serving`.
//! - **Differs from upstream**: the back-off in proportion to the distance, which the paper proposes, is a parameter that is
//!   off: this is the plain shape that the others are held against.
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
//! number protects nothing. A try draws only a number that is being served, which it knows from an Acquire load.
use crate::card::{Capability, Card, Defaults, Fairness, Param, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{Held, MutexImpl, RawMutex};
use crate::wait::spin;

/// Pauses between two looks for each thread that stands before; 0: awaits each change.
pub static BACKOFF_PAUSES: Param = Param {
    name: "backoff_pauses",
    default: 0,
    min: 0,
    max: 1 << 16,
    origin: "the plain lock of the paper; with its proportional back-off the constant depends on the section's length",
};

/// The lock. Both counters lie on one line, as in the paper.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults> {
    next: M::AtomicU32,
    serving: M::AtomicU32,
    params: S,
}

/// What a thread that holds remembers.
#[derive(Debug, Default)]
pub struct Context {
    number: u32,
    held: Held,
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
            Capability::DetectsUnlocked,
            Capability::DetectsReentry,
            Capability::Observable,
        ],
        params: &[BACKOFF_PAUSES],
        follows: None,
        pathologies: &["with more threads than cores every hand-over waits for the scheduler"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex { next: M::AtomicU32::new(0), serving: M::AtomicU32::new(0), params }
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = Context;
    fn context(&self) -> Context {
        Context::default()
    }

    #[inline]
    fn lock(&self, context: &mut Context) {
        context.held.check_free(Ticket::CARD.id);
        let mine = self.next.fetch_add(1, Ordering::Relaxed);
        if self.serving.load(Ordering::Acquire) != mine {
            self.wait_for(mine);
        }
        context.number = mine;
        context.held.taken(self);
    }

    #[inline]
    fn try_lock(&self, context: &mut Context) -> bool {
        context.held.check_free(Ticket::CARD.id);
        let mine = self.serving.load(Ordering::Acquire);
        let drawn = mine.wrapping_add(1);
        let taken = self.next.compare_exchange(mine, drawn, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if taken {
            context.number = mine;
            context.held.taken(self);
        }
        taken
    }

    #[inline]
    fn unlock(&self, context: &mut Context) {
        context.held.give_back(self, Ticket::CARD.id);
        // The holder knows what is served: its own number. Reading it would fetch the line once more.
        self.serving.store(context.number.wrapping_add(1), Ordering::Release);
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

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    #[cold]
    fn wait_for(&self, mine: u32) {
        let object = core::ptr::from_ref(self).addr();
        let pauses = self.params.get(&BACKOFF_PAUSES) as u32;
        if pauses > 0 {
            return spin::reported::<M, _>(object, |rounds| self.back_off(mine, pauses, rounds));
        }
        spin::spin_while::<M, _>(&self.serving, Ordering::Acquire, object, |serving| serving != mine);
    }
    /// Looks again when the threads before may be through: neither too often nor at each change. The next in turn awaits
    /// its call.
    fn back_off(&self, mine: u32, pauses: u32, rounds: &mut u32) {
        let before = |serving: u32| mine.wrapping_sub(serving);
        // Relaxed: the call that lets us in is awaited below.
        self.serving.poll_while(
            Ordering::Relaxed,
            |serving| before(serving) > 1,
            |serving| {
                *rounds += 1;
                M::pause(pauses.saturating_mul(before(serving)));
            },
        );
        self.serving.spin_while(Ordering::Acquire, |serving| {
            *rounds += 1;
            serving != mine
        });
    }
}
