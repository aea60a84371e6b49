//! Mutants of a futex word of three states, the lock of Drepper's "Futexes Are Tricky".
//!
//! The word is free, held, or held with somebody asleep; who gets it after sleeping marks it contended, since others may
//! sleep still.

use core::marker::PhantomData;

use crate::machine::{Atomic, AtomicInt, Machine, Ordering, Waited};
use crate::mutex::RawMutex;
use crate::probe::Event;

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// The word, and what a thread does to it.
#[repr(C, align(64))]
pub struct Word<M: Machine> {
    word: M::AtomicU32,
    /// Tries that failed, for the mutant that loses its patience.
    failed_tries: M::AtomicU32,
}

impl<M: Machine> Word<M> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
    fn take(&self) -> bool {
        self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
    /// Marks the word for the next unlock; whether that took the lock.
    fn announce(&self) -> bool {
        self.word.swap(CONTENDED, Ordering::Acquire) == FREE
    }
    fn sleep(&self, expected: u32, deadline_ns: Option<u64>) -> Waited {
        M::event(Event::ParkBegin, self.object());
        let waited = M::futex_wait(&self.word, expected, deadline_ns);
        M::event(Event::ParkEnd { woken_ns: 0 }, self.object());
        waited
    }
    fn free(&self) -> u32 {
        self.word.swap(FREE, Ordering::Release)
    }
    fn wake(&self) {
        M::futex_wake(&self.word, 1);
        M::event(Event::Wake, self.object());
    }
}

/// The steps of the lock. Each mutant breaks one.
pub trait Steps: Send + Sync + 'static {
    /// Waits until the lock is taken, or for the deadline; whether it was taken.
    fn wait<M: Machine>(word: &Word<M>, deadline_ns: Option<u64>) -> bool {
        while !word.announce() {
            let waited = word.sleep(CONTENDED, deadline_ns);
            if waited == Waited::TimedOut || deadline_ns.is_some_and(|deadline| M::now_ns() >= deadline) {
                return Self::give_up(word);
            }
        }
        true
    }
    /// The deadline has passed; whether the lock was taken after all.
    fn give_up<M: Machine>(word: &Word<M>) -> bool {
        // A wake may have been meant for us: the mark stays, so the next unlock wakes another.
        word.announce()
    }
    /// A try.
    fn try_lock<M: Machine>(word: &Word<M>) -> bool {
        word.take()
    }
    /// Gives back.
    fn unlock<M: Machine>(word: &Word<M>) {
        if word.free() == CONTENDED {
            word.wake();
        }
    }
    /// Whether it is held.
    fn is_locked<M: Machine>(word: &Word<M>) -> bool {
        word.word.load(Ordering::Relaxed) != FREE
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
        let word = Word { word: M::AtomicU32::new(FREE), failed_tries: M::AtomicU32::new(0) };
        Mutex { word, steps: PhantomData }
    }
}

impl<M: Machine, K: Steps> RawMutex<M> for Mutex<M, K> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        if !self.word.take() {
            K::wait(&self.word, None);
        }
    }
    fn unlock(&self, (): &mut ()) {
        K::unlock(&self.word);
    }
    fn try_lock(&self, (): &mut ()) -> bool {
        K::try_lock(&self.word)
    }
    fn lock_until(&self, (): &mut (), deadline_ns: u64) -> bool {
        self.word.take() || K::wait(&self.word, Some(deadline_ns))
    }
    fn is_locked(&self) -> bool {
        K::is_locked(&self.word)
    }
}

mutant! {
    /// Knows two states only: who waits does not mark the word, so unlock wakes nobody.
    ///
    /// Seen by: any two threads of which one sleeps.
    TwoStates of Mutex, "two-states": "a futex lock that forgets that somebody sleeps", Barging,
    [TryLock, Timeout, IsLocked, Observable],
    "waiters sleep for ever"
}
impl Steps for TwoStates {
    fn wait<M: Machine>(word: &Word<M>, deadline_ns: Option<u64>) -> bool {
        while word.word.swap(HELD, Ordering::Acquire) != FREE {
            if word.sleep(HELD, deadline_ns) == Waited::TimedOut {
                return false;
            }
        }
        true
    }
}

mutant! {
    /// A woken thread takes the word as if it were the only one that slept.
    ///
    /// Seen by: three threads, of which two sleep at once.
    ForgetsOthers of Mutex, "forgets-others": "a futex lock whose woken waiter forgets the other sleepers", Barging,
    [TryLock, IsLocked, Observable],
    "the second of two sleepers sleeps for ever"
}
impl Steps for ForgetsOthers {
    fn wait<M: Machine>(word: &Word<M>, _: Option<u64>) -> bool {
        while !word.take() {
            let marked = word.word.compare_exchange(HELD, CONTENDED, Ordering::Relaxed, Ordering::Relaxed);
            if marked != Err(FREE) {
                word.sleep(CONTENDED, None);
            }
        }
        true
    }
}

mutant! {
    /// Wakes before it releases, and lets the woken thread go first: that finds the lock held and sleeps again.
    ///
    /// Seen by: two threads, if the woken one looks between the two steps.
    WakesEarly of Mutex, "wakes-early": "a futex lock that wakes before it releases", Barging,
    [TryLock, IsLocked, Observable],
    "a waiter sleeps for ever when it is faster than the holder"
}
impl Steps for WakesEarly {
    fn unlock<M: Machine>(word: &Word<M>) {
        if word.word.load(Ordering::Relaxed) == CONTENDED {
            word.wake();
            M::yield_now();
        }
        word.free();
    }
}

mutant! {
    /// No check between the mark and the sleep: sleeps while the word holds what it happens to hold.
    ///
    /// Seen by: two threads, if the unlock falls between the mark and the sleep.
    SleepsBlind of Mutex, "sleeps-blind": "a futex lock that does not look again before it sleeps", Barging,
    [TryLock, IsLocked, Observable],
    "a waiter sleeps for ever beside a free lock"
}
impl Steps for SleepsBlind {
    fn wait<M: Machine>(word: &Word<M>, _: Option<u64>) -> bool {
        while !word.announce() {
            let now = word.word.load(Ordering::Relaxed);
            word.sleep(now, None);
        }
        true
    }
}

mutant! {
    /// Who gives up takes the mark along, as if nobody else slept.
    ///
    /// Seen by: three threads: one holds, one gives up, one sleeps.
    TakesMarkAlong of Mutex, "takes-mark-along": "a futex lock whose timed waiter leaves no sign of the others",
    Barging, [TryLock, Timeout, IsLocked, Observable],
    "a waiter sleeps for ever once another one has timed out"
}
impl Steps for TakesMarkAlong {
    fn give_up<M: Machine>(word: &Word<M>) -> bool {
        let _ = word.word.compare_exchange(CONTENDED, HELD, Ordering::Relaxed, Ordering::Relaxed);
        false
    }
}

mutant! {
    /// Who gives up undoes what it never did.
    ///
    /// Seen by: three threads: one holds, one gives up, one enters.
    FreesOnTimeout of Mutex, "frees-on-timeout": "a futex lock that a timed waiter frees when it gives up", Barging,
    [TryLock, Timeout, IsLocked, Observable],
    "breaks exclusion after a time-out"
}
impl Steps for FreesOnTimeout {
    fn give_up<M: Machine>(word: &Word<M>) -> bool {
        Self::unlock(word);
        false
    }
}

mutant! {
    /// A time-out returns true.
    ///
    /// Seen by: two threads: one holds, one gives up.
    SaysYesLate of Mutex, "says-yes-late": "a futex lock whose time-out looks like success", Barging,
    [TryLock, Timeout, IsLocked, Observable],
    "breaks exclusion at a deadline"
}
impl Steps for SaysYesLate {
    fn give_up<M: Machine>(_: &Word<M>) -> bool {
        true
    }
}

mutant! {
    /// Adds 20 ms to every deadline.
    ///
    /// Seen by: a timed waiter that looks at the clock; exact where the clock is simulated.
    Oversleeps of Mutex, "oversleeps": "a futex lock that sleeps past its deadlines", Barging,
    [TryLock, Timeout, IsLocked, Observable],
    "gives up 20 ms after the deadline"
}
impl Steps for Oversleeps {
    fn wait<M: Machine>(word: &Word<M>, deadline_ns: Option<u64>) -> bool {
        let late_ns = deadline_ns.map(|deadline| deadline + 20_000_000);
        while !word.announce() {
            if word.sleep(CONTENDED, late_ns) == Waited::TimedOut {
                return Self::give_up(word);
            }
        }
        true
    }
}

mutant! {
    /// A try that looks, and then stores.
    ///
    /// Seen by: two threads that try at once.
    TryStores of Mutex, "try-stores": "a futex lock whose try is no atomic step", Barging,
    [TryLock, IsLocked, Observable],
    "two tries may both succeed"
}
impl Steps for TryStores {
    fn try_lock<M: Machine>(word: &Word<M>) -> bool {
        let free = word.word.load(Ordering::Acquire) == FREE;
        if free {
            word.word.store(HELD, Ordering::Relaxed);
        }
        free
    }
}

mutant! {
    /// Every second try that ought to fail says yes.
    ///
    /// Seen by: two tries on a lock that another thread holds.
    TryTires of Mutex, "try-tires": "a futex lock whose try cannot say no twice", Barging,
    [TryLock, IsLocked, Observable],
    "a try on a held lock may succeed"
}
impl Steps for TryTires {
    fn try_lock<M: Machine>(word: &Word<M>) -> bool {
        word.take() || word.failed_tries.fetch_add(1, Ordering::Relaxed) % 2 == 1
    }
}

mutant! {
    /// Compares the word with one of the two values that mean held.
    ///
    /// Seen by: a look at a lock that somebody holds and somebody waits for.
    HidesContended of Mutex, "hides-contended": "a futex lock that looks free when it is contended", Barging,
    [TryLock, IsLocked, Observable],
    "is_locked is false while somebody waits"
}
impl Steps for HidesContended {
    fn is_locked<M: Machine>(word: &Word<M>) -> bool {
        word.word.load(Ordering::Relaxed) == HELD
    }
}
