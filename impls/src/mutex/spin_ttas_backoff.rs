//! Test-and-test-and-set with exponential back-off: read until it looks free, and after a lost race stay away a while.
//!
//! - **Source**: T. E. Anderson, "The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors", IEEE
//!   TPDS 1(1), 1990; the reading loop is L. Rudolph and Z. Segall's, ISCA 1984.
//! - **Delta**: against `spin_tas`: waiters read a shared copy of the line and write it only when it looks free, and
//!   losers of the race that follows spread out in time.
//! - **Idea**: the delay is random, so that losers do not come back together, and its bound doubles with every loss, so
//!   that it finds the number of competitors by itself.
//! - **Fairness**: none, and worse than `spin_tas`: who has lost often waits longest.
//! - **Cost**: a CAS and a store uncontended. Contended, one burst of reads and CAS per release.
//! - **Pathology**: the lock may lie free while all waiters back off; a preempted holder makes everyone burn a slice.
//!
//! ## State
//!
//! | `held` | meaning |
//! |---|---|
//! | 0 | free |
//! | 1 | held |
//!
//! ## Orderings
//! The CAS from 0 is Acquire and pairs with the Release store of `unlock`. Polls are Relaxed: they decide only when to
//! try.

use crate::card::{Capability, Card, Defaults, Fairness, Param, ParamSource, Role, Runs};
use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::{Held, MutexImpl, RawMutex};
use crate::probe::Event;
use crate::wait::spin;

/// Bound of the first back-off.
pub static BACKOFF_FIRST_PAUSES: Param = Param {
    name: "backoff_first_pauses",
    default: 1,
    min: 1,
    max: 1 << 16,
    origin: "the first step of crossbeam-utils' Backoff: 2^0 pauses",
};
/// Bound that the doubling stops at.
pub static BACKOFF_LIMIT_PAUSES: Param = Param {
    name: "backoff_limit_pauses",
    default: 64,
    min: 1,
    max: 1 << 16,
    origin: "SPIN_LIMIT = 6 of crossbeam-utils' Backoff: 2^6 pauses",
};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults> {
    held: M::AtomicU32,
    params: S,
}

/// The registration.
pub struct SpinTtasBackoff;

impl MutexImpl for SpinTtasBackoff {
    const CARD: Card = Card {
        id: "mutex/spin-ttas-backoff",
        summary: "test, then test-and-set; losers back off at random, ever longer",
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
        params: &[BACKOFF_FIRST_PAUSES, BACKOFF_LIMIT_PAUSES],
        follows: Some("mutex/spin-tas"),
        pathologies: &[
            "who has lost often waits longest",
            "a preempted holder makes all waiters burn their slices",
        ],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex { held: M::AtomicU32::new(0), params }
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = Held;
    fn context(&self) -> Held {
        Held::default()
    }

    #[inline]
    fn lock(&self, context: &mut Held) {
        context.check_free(SpinTtasBackoff::CARD.id);
        if !self.take() {
            self.lock_contended();
        }
        context.taken(self);
    }

    #[inline]
    fn try_lock(&self, context: &mut Held) -> bool {
        context.check_free(SpinTtasBackoff::CARD.id);
        let taken = self.take();
        if taken {
            context.taken(self);
        }
        taken
    }

    #[inline]
    fn unlock(&self, context: &mut Held) {
        context.give_back(self, SpinTtasBackoff::CARD.id);
        self.held.store(0, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed) != 0
    }
}

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    #[inline(always)]
    fn take(&self) -> bool {
        self.held.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn lock_contended(&self) {
        let object = core::ptr::from_ref(self).addr();
        let limit = self.pauses(&BACKOFF_LIMIT_PAUSES);
        let mut bound = self.pauses(&BACKOFF_FIRST_PAUSES).min(limit);
        loop {
            // 1. Test, on a shared copy of the line.
            spin::spin_while::<M, _>(&self.held, Ordering::Relaxed, object, |held| held != 0);
            // 2. Test and set.
            if self.take() {
                return;
            }
            M::event(Event::FailedCas, object);
            // 3. Others want it too: stay away for a random part of the bound.
            M::pause(1 + M::random() % bound);
            bound = bound.saturating_mul(2).min(limit);
        }
    }

    /// At least 1: a bound of 0 has no part.
    fn pauses(&self, param: &'static Param) -> u32 {
        u32::try_from(self.params.get(param)).unwrap_or(u32::MAX).max(1)
    }
}
