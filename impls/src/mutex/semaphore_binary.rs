//! A counting semaphore of 1 as a lock.
//!
//! - **Source**: E. W. Dijkstra, "Cooperating sequential processes" (EWD 123), 1965; the semaphore underneath is the one
//!   of Go's runtime.
//! - **Idea**: the one token is the lock. Nobody owns it, so any thread may give it back.
//! - **Differs from upstream**: a second token is refused: an unlock of unlocked would let two threads in.
//! - **Fairness**: sleepers are woken in the order of their arrival, but a newcomer may take the token before the woken
//!   one runs, and the loser queues at the back.
//! - **Cost**: a CAS and a CAS with a fence uncontended: the releaser must look for sleepers in another word.
//! - **Pathology**: no spinning: a contended acquire nearly always sleeps.
//!
//! ## State
//!
//! | tokens | meaning |
//! |---|---|
//! | 1 | free |
//! | 0 | held |
//!
//! ## Invariants, orderings
//! Those of [`crate::wait::sema`]. There is never more than one token: a release is a compare-exchange from 0 to 1.

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::wait::sema::{Grant, Place, Semaphore};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine>(Semaphore<M>);

/// The registration.
pub struct SemaphoreBinary;

impl MutexImpl for SemaphoreBinary {
    const CARD: Card = Card {
        id: "mutex/semaphore-binary",
        summary: "a counting semaphore of 1",
        year: 1965,
        source: "E. W. Dijkstra, EWD 123, 1965; over the semaphore of Go's runtime",
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
        Mutex(Semaphore::new(1))
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        self.0.acquire(Place::Back);
    }
    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        self.0.try_acquire()
    }
    #[inline]
    fn lock_until(&self, (): &mut (), deadline_ns: u64) -> bool {
        self.0.acquire_until(Place::Back, deadline_ns)
    }
    #[inline]
    fn unlock(&self, (): &mut ()) {
        if !self.0.release_below(1, Grant::Compete) {
            misuse::unlock_of_unlocked(SemaphoreBinary::CARD.id);
        }
    }
    fn is_locked(&self) -> bool {
        self.0.tokens() == 0
    }
}
