//! Test-and-set: swap a flag until it comes out free.
//!
//! - **Source**: the textbook lock; measured as TAS by T. E. Anderson, "The Performance of Spin Lock Alternatives for
//!   Shared-Memory Multiprocessors", IEEE TPDS 1(1), 1990.
//! - **Idea**: one word. Every attempt writes it, so every waiter pulls the cache line to itself over and over.
//! - **Fairness**: none. Whoever's swap reaches the line first wins; the last owner is the likeliest.
//! - **Cost**: a swap and a store uncontended. Contended, the unlocking store queues behind the waiters' swaps.
//! - **Pathology**: throughput collapses as 1/n with n waiters; a preempted holder makes everyone burn a slice.
//!
//! ## State
//!
//! | `held` | meaning |
//! |---|---|
//! | 0 | free |
//! | 1 | held |
//!
//! ## Orderings
//! The swap that returns 0 is Acquire and pairs with the Release store of `unlock`. That a thread which
//! unlocks holds the lock is known from its context, without a look at the word.

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::{Held, MutexImpl, RawMutex};
use crate::wait::spin;

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine> {
    held: M::AtomicU32,
}

/// The registration.
pub struct SpinTas;

impl MutexImpl for SpinTas {
    const CARD: Card = Card {
        id: "mutex/spin-tas",
        summary: "test-and-set: swap a flag until it comes out free",
        year: 1990,
        source: "T. E. Anderson, IEEE TPDS 1(1), 1990",
        role: Role::Design,
        fairness: Fairness::Unordered,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::IsLocked,
            Capability::DetectsUnlocked,
            Capability::DetectsReentry,
            Capability::Observable,
        ],
        params: &[],
        follows: None,
        pathologies: &[
            "every waiter writes the line: throughput falls as 1/n",
            "a preempted holder makes all waiters burn their slices",
        ],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex { held: M::AtomicU32::new(0) }
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = Held;
    fn context(&self) -> Held {
        Held::default()
    }

    #[inline]
    fn lock(&self, context: &mut Held) {
        context.check_free(SpinTas::CARD.id);
        if !self.take() {
            self.lock_contended();
        }
        context.taken(self);
    }

    #[inline]
    fn try_lock(&self, context: &mut Held) -> bool {
        context.check_free(SpinTas::CARD.id);
        let taken = self.take();
        if taken {
            context.taken(self);
        }
        taken
    }

    #[inline]
    fn unlock(&self, context: &mut Held) {
        context.give_back(self, SpinTas::CARD.id);
        self.held.store(0, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed) != 0
    }
}

impl<M: Machine> Mutex<M> {
    #[inline(always)]
    fn take(&self) -> bool {
        self.held.swap(1, Ordering::Acquire) == 0
    }

    #[cold]
    fn lock_contended(&self) {
        let object = core::ptr::from_ref(self).addr();
        spin::swap_while::<M, _>(&self.held, 1, Ordering::Acquire, object, |was| was != 0);
    }
}
