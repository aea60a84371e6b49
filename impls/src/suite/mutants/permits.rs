//! Mutants that sleep by agreement between two words: a binary semaphore with a count of sleepers, and an epoch.

use core::marker::PhantomData;

use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::RawMutex;
use crate::probe::Event;

fn sleep<M: Machine>(word: &M::AtomicU32, expected: u32) {
    let object = core::ptr::from_ref(word).addr();
    M::event(Event::ParkBegin, object);
    M::futex_wait(word, expected, None);
    M::event(Event::ParkEnd { woken_ns: 0 }, object);
}

/// One permit, and how many sleep for it.
#[repr(C, align(64))]
pub struct Permit<M: Machine> {
    permits: M::AtomicU32,
    sleepers: M::AtomicU32,
}

/// The steps of the semaphore. Each mutant breaks one.
pub trait Steps: Send + Sync + 'static {
    /// Takes the permit if it is there.
    fn take<M: Machine>(permit: &Permit<M>) -> bool {
        permit.permits.compare_exchange(1, 0, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
    /// Orders a store to one word before a load of the other: a sleeper counts itself and looks at the permit, a
    /// releaser adds the permit and looks at the count.
    fn fence<M: Machine>() {
        M::fence(Ordering::SeqCst);
    }
}

/// Without a fault: by it a test knows that a mutant's fault is its own.
impl Steps for () {}

/// The semaphore with the steps of `K`, as a lock.
#[repr(C)]
pub struct Binary<M: Machine, K> {
    permit: Permit<M>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Binary<M, K> {
    fn default() -> Self {
        let permit = Permit { permits: M::AtomicU32::new(1), sleepers: M::AtomicU32::new(0) };
        Binary { permit, steps: PhantomData }
    }
}

impl<M: Machine, K: Steps> RawMutex<M> for Binary<M, K> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        let permit = &self.permit;
        while !K::take(permit) {
            permit.sleepers.fetch_add(1, Ordering::Relaxed);
            K::fence::<M>();
            // Looks as a thread would that parks: in the program, not in the kernel alone.
            if permit.permits.load(Ordering::Relaxed) == 0 {
                sleep::<M>(&permit.permits, 0);
            }
            permit.sleepers.fetch_sub(1, Ordering::Relaxed);
        }
    }
    fn unlock(&self, (): &mut ()) {
        self.permit.permits.fetch_add(1, Ordering::Release);
        K::fence::<M>();
        if self.permit.sleepers.load(Ordering::Relaxed) != 0 {
            M::futex_wake(&self.permit.permits, 1);
        }
    }
    fn try_lock(&self, (): &mut ()) -> bool {
        K::take(&self.permit)
    }
}

mutant! {
    /// Takes by subtracting, and puts back what it found: a permit that is released in between is lost.
    ///
    /// Seen by: two threads, if the unlock falls between the two steps.
    LosesPermit of Binary, "loses-permit": "a semaphore whose failed attempt undoes a release", Barging,
    [TryLock, Observable],
    "nobody enters any more"
}
impl Steps for LosesPermit {
    fn take<M: Machine>(permit: &Permit<M>) -> bool {
        let found = permit.permits.fetch_sub(1, Ordering::Acquire);
        if found != 1 {
            permit.permits.store(found, Ordering::Relaxed);
        }
        found == 1
    }
}

mutant! {
    /// Neither half of Dekker's pair has its fence: each may miss the other's store.
    ///
    /// Seen by: a checker of memory orders.
    NoFence of Binary, "no-fence": "a semaphore whose sleeper and releaser may miss each other", Barging,
    [TryLock, Observable],
    "a waiter may sleep for ever beside a free lock"
}
impl Steps for NoFence {
    fn fence<M: Machine>() {}
}

/// A flag, and an epoch that each unlock changes: who read the epoch before the flag sleeps only if nobody has unlocked
/// since.
#[repr(C, align(64))]
pub struct Epoch<M: Machine, K> {
    held: M::AtomicU32,
    epoch: M::AtomicU32,
    steps: PhantomData<K>,
}

/// Pauses between a failed attempt and the sleep.
const PAUSES: u32 = 100;

/// The step of the epoch.
pub trait EpochStep: Send + Sync + 'static {
    /// What an unlock adds.
    const STEP: u32 = 1;
}

/// Without a fault, as above.
impl EpochStep for () {}

impl<M: Machine, K> Default for Epoch<M, K> {
    fn default() -> Self {
        Epoch { held: M::AtomicU32::new(0), epoch: M::AtomicU32::new(0), steps: PhantomData }
    }
}

impl<M: Machine, K: EpochStep> Epoch<M, K> {
    fn take(&self) -> bool {
        self.held.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

impl<M: Machine, K: EpochStep> RawMutex<M> for Epoch<M, K> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        loop {
            // Acquire pairs with the unlock that wrote the epoch: what it freed is then seen free.
            let epoch = self.epoch.load(Ordering::Acquire);
            if self.take() {
                return;
            }
            // The holder may be through in a moment; what happens meanwhile, the epoch tells.
            M::pause(PAUSES);
            sleep::<M>(&self.epoch, epoch);
        }
    }
    fn unlock(&self, (): &mut ()) {
        self.held.store(0, Ordering::Release);
        self.epoch.fetch_add(K::STEP, Ordering::Release);
        M::futex_wake(&self.epoch, 1);
    }
    fn try_lock(&self, (): &mut ()) -> bool {
        self.take()
    }
    fn is_locked(&self) -> bool {
        self.held.load(Ordering::Relaxed) != 0
    }
}

mutant! {
    /// An epoch of one bit: after two unlocks it is as it was, the ABA of sleepers.
    ///
    /// Seen by: two threads, of which one unlocks twice while the other is about to sleep.
    EpochWraps of Epoch, "epoch-wraps": "a lock that sleeps on an epoch of one bit", Barging,
    [TryLock, IsLocked, Observable],
    "a waiter that misses two unlocks sleeps for ever"
}
impl EpochStep for EpochWraps {
    const STEP: u32 = 1 << 31;
}
