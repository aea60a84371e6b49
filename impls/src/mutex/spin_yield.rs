//! A spinning lock for more threads than cores: whoever finds it taken lets another thread run.
//!
//! - **Source**: folklore; in Go the small `SpinLock` type that loops over a compare-and-swap and `runtime.Gosched`.
//! - **Delta**: against `spin_tas`: a waiter gives its core away between two attempts.
//! - **Idea**: a preempted holder needs a core to go on, and a yielding waiter offers its own.
//! - **Fairness**: none.
//! - **Cost**: a swap and a store uncontended. Contended, a system call per attempt.
//! - **Pathology**: waiters never sleep: n of them keep n cores busy with the scheduler; where the scheduler ranks
//!   threads, as Linux does by the time they have had, a yield may return at once.
//!
//! ## State
//!
//! | `held` | meaning | as text |
//! |---|---|---|
//! | 0 | free | `unlocked` |
//! | 1 | held | `locked` |
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
pub struct SpinYield;

impl MutexImpl for SpinYield {
    const CARD: Card = Card {
        id: "mutex/spin-yield",
        summary: "test-and-set with a scheduler yield between attempts",
        year: 2014,
        source: "folklore; Go programs loop over CompareAndSwap and runtime.Gosched",
        role: Role::Design,
        fairness: Fairness::Unordered,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::IsLocked,
            Capability::DetectsUnlocked,
            Capability::DetectsReentry,
            Capability::StateText,
            Capability::Observable,
        ],
        params: &[],
        follows: Some("mutex/spin-tas"),
        pathologies: &["waiters keep their cores busy with the scheduler"],
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
        context.check_free(SpinYield::CARD.id);
        if !self.take() {
            self.lock_contended();
        }
        context.taken(self);
    }

    #[inline]
    fn try_lock(&self, context: &mut Held) -> bool {
        context.check_free(SpinYield::CARD.id);
        let taken = self.take();
        if taken {
            context.taken(self);
        }
        taken
    }

    #[inline]
    fn unlock(&self, context: &mut Held) {
        context.give_back(self, SpinYield::CARD.id);
        self.held.store(0, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed) != 0
    }
    fn state_text(&self) -> String {
        if RawMutex::<M>::is_locked(self) { "locked" } else { "unlocked" }.to_owned()
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
        spin::swap_while::<M, _>(&self.held, 1, Ordering::Acquire, object, |was| {
            let busy = was != 0;
            if busy {
                M::yield_now();
            }
            busy
        });
    }
}
