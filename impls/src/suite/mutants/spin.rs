//! Mutants of a test-and-set word.

use core::marker::PhantomData;

use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::RawMutex;
use crate::wait::spin;

const FREE: u32 = 0;
const HELD: u32 = 1;

/// The word.
#[repr(C, align(64))]
pub struct Word<M: Machine>(M::AtomicU32);

impl<M: Machine> Word<M> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
    fn take(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
    fn swap_in(&self, order: Ordering) {
        spin::swap_while::<M, _>(&self.0, HELD, order, self.object(), |was| was != FREE);
    }
}

/// The steps of the lock. Each mutant breaks one.
pub trait Steps: Send + Sync + 'static {
    /// Waits and takes.
    fn lock<M: Machine>(word: &Word<M>) {
        word.swap_in(Ordering::Acquire);
    }
    /// Gives back.
    fn unlock<M: Machine>(word: &Word<M>) {
        word.0.store(FREE, Ordering::Release);
    }
}

/// Without a fault: by it a test knows that a mutant's fault is its own.
impl Steps for () {}

/// The lock with the steps of `K`.
#[repr(C)]
pub struct Mutex<M: Machine, K> {
    word: Word<M>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Mutex<M, K> {
    fn default() -> Self {
        Mutex { word: Word(M::AtomicU32::new(FREE)), steps: PhantomData }
    }
}

impl<M: Machine, K: Steps> RawMutex<M> for Mutex<M, K> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        K::lock(&self.word);
    }
    fn unlock(&self, (): &mut ()) {
        K::unlock(&self.word);
    }
    fn try_lock(&self, (): &mut ()) -> bool {
        self.word.take()
    }
    fn is_locked(&self) -> bool {
        self.word.0.load(Ordering::Relaxed) != FREE
    }
}

mutant! {
    /// Tests, then sets: the entry of a reader, who need not be alone.
    ///
    /// Seen by: two threads that enter at once.
    TestThenSet of Mutex, "test-then-set": "a spin lock whose entry is two steps", Unordered,
    [TryLock, IsLocked, Observable],
    "two threads may enter together"
}
impl Steps for TestThenSet {
    fn lock<M: Machine>(word: &Word<M>) {
        spin::spin_while::<M, _>(&word.0, Ordering::Acquire, word.object(), |now| now != FREE);
        word.0.store(HELD, Ordering::Relaxed);
    }
}

mutant! {
    /// Backs off twice and then enters.
    ///
    /// Seen by: two threads, if the section is longer than the back-off.
    GivesUp of Mutex, "gives-up": "a spin lock that loses its patience and enters", Unordered,
    [TryLock, IsLocked, Observable],
    "breaks exclusion under contention"
}
impl Steps for GivesUp {
    fn lock<M: Machine>(word: &Word<M>) {
        for pauses in [8, 16] {
            if word.take() {
                return;
            }
            spin::reported::<M, _>(word.object(), |rounds| {
                *rounds += 1;
                M::pause(pauses);
            });
        }
        word.0.swap(HELD, Ordering::Acquire);
    }
}

mutant! {
    /// The section may begin before the lock is taken.
    ///
    /// Seen by: a checker of memory orders; on a processor whose atomics are all ordered, by nobody.
    RelaxedAcquire of Mutex, "relaxed-acquire": "a spin lock that is taken without Acquire", Unordered,
    [TryLock, IsLocked, Observable],
    "a section may not see what the one before wrote"
}
impl Steps for RelaxedAcquire {
    fn lock<M: Machine>(word: &Word<M>) {
        word.swap_in(Ordering::Relaxed);
    }
}

mutant! {
    /// The lock may be given back before the section's last store.
    ///
    /// Seen by: a checker of memory orders; on a processor whose stores are all ordered, by nobody.
    RelaxedRelease of Mutex, "relaxed-release": "a spin lock that is given back without Release", Unordered,
    [TryLock, IsLocked, Observable],
    "a section's last stores may be seen late"
}
impl Steps for RelaxedRelease {
    fn unlock<M: Machine>(word: &Word<M>) {
        word.0.store(FREE, Ordering::Relaxed);
    }
}
