//! Three states over a futex: the third mutex of "Futexes Are Tricky".
//!
//! - **Source**: U. Drepper, "Futexes Are Tricky", 2004 (revised 2011), section 6, Mutex, Take 3.
//! - **Idea**: the word tells free, held, and held with possible sleepers apart, so that an unlock without sleepers
//!   needs no system call. A thread that sleeps has set the third state, and sets it again when it gets the lock.
//! - **Differs from upstream**: `unlock` is a swap and not a subtraction that is repaired; time-outs are ours.
//! - **Fairness**: barging, without bound: a newcomer takes the freed word before the woken sleeper runs.
//! - **Cost**: a CAS and a swap uncontended. A thread that has slept costs its unlock a wake-up call, even if it was the
//!   last.
//! - **Pathology**: no spinning at all: a contended acquire nearly always costs a sleep.
//!
//! ## State, invariants, orderings
//! Those of [`crate::wait::futex_lock`], of which this is the plain use: 0 free, 1 held, 2 held with possible sleepers.

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::wait::futex_lock::FutexLock;

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine>(FutexLock<M>);

/// The registration.
pub struct FutexDrepper;

impl MutexImpl for FutexDrepper {
    const CARD: Card = Card {
        id: "mutex/futex-drepper",
        summary: "free, held, held with sleepers: three states over a futex",
        year: 2004,
        source: "U. Drepper, Futexes Are Tricky, Mutex, Take 3",
        role: Role::Design,
        fairness: Fairness::Barging,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::Timeout,
            Capability::IsLocked,
            Capability::ForeignUnlock,
            Capability::DetectsUnlocked,
            Capability::Observable,
        ],
        params: &[],
        follows: None,
        pathologies: &["no spinning: a contended acquire nearly always sleeps"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex(FutexLock::default())
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        self.0.lock();
    }
    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        self.0.try_lock()
    }
    #[inline]
    fn lock_until(&self, (): &mut (), deadline_ns: u64) -> bool {
        self.0.lock_until(deadline_ns)
    }
    #[inline]
    fn unlock(&self, (): &mut ()) {
        // A swap on a free word writes what it held, so the refusal leaves no trace.
        if !self.0.unlock() {
            misuse::unlock_of_unlocked(FutexDrepper::CARD.id);
        }
    }
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}
