//! A lock over the family's trait: a waiter polls for a while, and then gives its core away between two polls.
//!
//! - **Idea**: a short section ends while one polls; a long one, or a preempted holder, needs the core.
//! - **Fairness**: none.
//! - **Cost**: a swap and a store uncontended.
//! - **Pathology**: waiters never sleep.

use synchroscope::impls::card::{Capability, Card, Fairness, Param, ParamSource, Role, Runs};
use synchroscope::impls::machine::{Atomic, Machine, Ordering};
use synchroscope::impls::mutex::{MutexImpl, RawMutex};
use synchroscope::impls::wait::spin;

/// Polls before the first yield.
static POLLS: Param =
    Param { name: "polls", default: 100, min: 0, max: 1_000_000, origin: "a guess; try others" };

/// The registration.
pub struct Patient;

impl MutexImpl for Patient {
    const CARD: Card = Card {
        id: "mutex/my-patient",
        summary: "polls for a while, then gives its core away",
        year: 2026,
        source: "this crate",
        role: Role::Design,
        fairness: Fairness::Unordered,
        runs: Runs::AnyMachine,
        can: &[Capability::TryLock, Capability::IsLocked, Capability::ForeignUnlock, Capability::Observable],
        params: &[POLLS],
        follows: Some("mutex/spin-yield"),
        pathologies: &["waiters never sleep"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex { held: M::AtomicU32::new(0), params }
    }
}

/// The lock: 1 while it is held.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource> {
    held: M::AtomicU32,
    params: S,
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, context: &mut ()) {
        if !self.try_lock(context) {
            self.lock_contended();
        }
    }

    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        // Acquire: pairs with the Release of `unlock`.
        self.held.swap(1, Ordering::Acquire) == 0
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        self.held.store(0, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed) != 0
    }
}

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    #[cold]
    fn lock_contended(&self) {
        let mut polls_left = self.params.get(&POLLS);
        let object = core::ptr::from_ref(self).addr();
        spin::swap_while::<M, _>(&self.held, 1, Ordering::Acquire, object, |was| {
            let busy = was != 0;
            match polls_left.checked_sub(1) {
                Some(left) => polls_left = left,
                None if busy => M::yield_now(),
                None => {}
            }
            busy
        });
    }
}
