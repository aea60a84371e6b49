//! A recursive lock: the thread that owns it may lock again.
//!
//! - **Source**: POSIX.1c, `PTHREAD_MUTEX_RECURSIVE`, 1995; in Go rebuilt by programs that ask for the goroutine's id.
//! - **Idea**: the lock notes the number of the thread that owns it, and how often it has locked.
//! - **Fairness**: barging, without bound (a futex of three states underneath).
//! - **Cost**: over `futex_drepper`, the thread's number and three plain words.
//! - **Pathology**: the second lock hides that the invariants which the lock guards may be broken at that moment.
//!
//! ## State, invariants, orderings
//! Those of [`crate::wait::reentrant`]; an owner is a thread, by its number.

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::wait::reentrant::{Reentrant, Refused};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine>(Reentrant<M>);

/// The registration.
pub struct RecursiveThread;

impl MutexImpl for RecursiveThread {
    const CARD: Card = Card {
        id: "mutex/recursive-thread",
        summary: "the owning thread may lock again",
        year: 1995,
        source: "POSIX.1c, PTHREAD_MUTEX_RECURSIVE",
        role: Role::Design,
        fairness: Fairness::Barging,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::Timeout,
            Capability::IsLocked,
            Capability::Recursive,
            Capability::DetectsUnlocked,
            Capability::DetectsForeign,
            Capability::Observable,
        ],
        params: &[],
        follows: Some("mutex/futex-drepper"),
        pathologies: &["a second lock may meet the guarded data half changed"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex(Reentrant::default())
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        self.0.lock(M::thread_id());
    }
    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        self.0.try_lock(M::thread_id())
    }
    #[inline]
    fn lock_until(&self, (): &mut (), deadline_ns: u64) -> bool {
        self.0.lock_until(M::thread_id(), deadline_ns)
    }
    #[inline]
    fn unlock(&self, (): &mut ()) {
        let me = M::thread_id();
        if let Err(refused) = self.0.unlock(me) {
            refuse(me, refused);
        }
    }
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

#[cold]
fn refuse(me: u64, refused: Refused) -> ! {
    let id = RecursiveThread::CARD.id;
    match refused {
        Refused::Unlocked => misuse::unlock_of_unlocked(id),
        Refused::OwnedBy(owner) => {
            misuse::foreign_unlock(id, format_args!("thread {me}"), format_args!("thread {owner}"))
        }
    }
}
