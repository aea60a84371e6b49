//! Mutants of a recursive lock: a futex lock, the owner's number, and a depth.

use core::marker::PhantomData;

use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::RawMutex;
use crate::wait::futex_lock::FutexLock;

const NOBODY: u64 = 0;

/// The words.
#[repr(C, align(64))]
pub struct Owned<M: Machine> {
    lock: FutexLock<M>,
    depth: M::AtomicU32,
    owner: M::AtomicU64,
}

impl<M: Machine> Owned<M> {
    fn is_mine(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == M::thread_id()
    }
    fn deepen(&self) {
        self.depth.store(self.depth.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
    fn own(&self) {
        self.owner.store(M::thread_id(), Ordering::Relaxed);
        self.depth.store(1, Ordering::Relaxed);
    }
}

/// The steps of unlock. Each mutant breaks one.
pub trait Steps: Send + Sync + 'static {
    /// Levels left after one is given back.
    fn left(depth: u32) -> u32 {
        depth.saturating_sub(1)
    }
    /// The owner gives the lock away.
    fn disown<M: Machine>(owned: &Owned<M>) {
        owned.owner.store(NOBODY, Ordering::Relaxed);
    }
}

/// Without a fault: by it a test knows that a mutant's fault is its own.
impl Steps for () {}

/// The lock with the steps of `K`.
#[repr(C)]
pub struct Mutex<M: Machine, K> {
    owned: Owned<M>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Mutex<M, K> {
    fn default() -> Self {
        let owned = Owned {
            lock: FutexLock::default(),
            depth: M::AtomicU32::new(0),
            owner: M::AtomicU64::new(NOBODY),
        };
        Mutex { owned, steps: PhantomData }
    }
}

impl<M: Machine, K: Steps> RawMutex<M> for Mutex<M, K> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        if self.owned.is_mine() {
            return self.owned.deepen();
        }
        self.owned.lock.lock();
        self.owned.own();
    }
    fn unlock(&self, (): &mut ()) {
        if !self.owned.is_mine() {
            return;
        }
        let left = K::left(self.owned.depth.load(Ordering::Relaxed));
        self.owned.depth.store(left, Ordering::Relaxed);
        if left == 0 {
            K::disown(&self.owned);
            self.owned.lock.unlock();
        }
    }
    fn try_lock(&self, (): &mut ()) -> bool {
        if self.owned.is_mine() {
            self.owned.deepen();
            return true;
        }
        let taken = self.owned.lock.try_lock();
        if taken {
            self.owned.own();
        }
        taken
    }
    fn is_locked(&self) -> bool {
        self.owned.lock.is_locked()
    }
}

mutant! {
    /// The first unlock releases all levels.
    ///
    /// Seen by: two threads, of which one is two levels deep.
    FirstUnlock of Mutex, "first-unlock": "a recursive lock that the innermost unlock releases", Barging,
    [TryLock, IsLocked, Recursive, Observable],
    "breaks exclusion between the inner unlock and the outer one"
}
impl Steps for FirstUnlock {
    fn left(_: u32) -> u32 {
        0
    }
}

mutant! {
    /// The owner's number stays behind: who unlocked is still taken for the owner.
    ///
    /// Seen by: two threads, of which one comes back.
    StaleOwner of Mutex, "stale-owner": "a recursive lock that lets its last owner in again", Barging,
    [TryLock, IsLocked, Recursive, Observable],
    "the last owner enters without taking the lock"
}
impl Steps for StaleOwner {
    fn disown<M: Machine>(_: &Owned<M>) {}
}
