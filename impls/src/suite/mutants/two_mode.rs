//! Mutants of a lock with two modes, as Go's: barging until a waiter has lost a race, then hand-over until nobody waits.
//!
//! Shorter than the real one, so that a model checker meets the mode with three threads: no spinning, no clock; the first
//! lost race begins the mode, and it ends with the last waiter.

use core::marker::PhantomData;

use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::RawMutex;
use crate::probe::Event;
use crate::wait::sema::{Grant, Place, Semaphore};

const LOCKED: i32 = 1;
/// A waiter is awake and competes.
const WOKEN: i32 = 2;
/// Unlock hands over; newcomers queue.
const STARVING: i32 = 4;
const WAITER: i32 = 8;

fn waiters(state: i32) -> i32 {
    state / WAITER
}

/// The word and the queue.
#[repr(C, align(64))]
pub struct Words<M: Machine> {
    state: M::AtomicI32,
    sema: Semaphore<M>,
}

impl<M: Machine> Words<M> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
    fn change(&self, old: i32, new: i32) -> Result<i32, i32> {
        self.state.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed)
    }
}

/// The steps of the lock. Each mutant breaks one.
pub trait Steps: Send + Sync + 'static {
    /// Bits that keep a newcomer from entering.
    const BARS: i32 = LOCKED | STARVING;
    /// What the thread that was handed the lock adds to the state.
    fn hand_over_delta(old: i32) -> i32 {
        let leave = if waiters(old) == 1 { STARVING } else { 0 };
        LOCKED - WAITER - leave
    }
    /// Unlock in starvation mode.
    fn hand_over<M: Machine>(words: &Words<M>) {
        words.sema.release(Grant::HandOff);
    }
}

/// Without a fault: by it a test knows that a mutant's fault is its own.
impl Steps for () {}

/// The lock with the steps of `K`.
#[repr(C)]
pub struct Mutex<M: Machine, K> {
    words: Words<M>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Mutex<M, K> {
    fn default() -> Self {
        Mutex { words: Words { state: M::AtomicI32::new(0), sema: Semaphore::new(0) }, steps: PhantomData }
    }
}

impl<M: Machine, K: Steps> RawMutex<M> for Mutex<M, K> {
    type Context = ();
    fn context(&self) {}

    fn lock(&self, (): &mut ()) {
        let words = &self.words;
        let (mut awoke, mut lost) = (false, false);
        let mut old = words.state.load(Ordering::Relaxed);
        loop {
            let barred = old & K::BARS != 0;
            let mut new = if barred { old + WAITER } else { old | LOCKED };
            if lost && old & LOCKED != 0 {
                new |= STARVING;
            }
            if awoke {
                new &= !WOKEN;
            }
            if let Err(now) = words.change(old, new) {
                old = now;
                continue;
            }
            if !barred {
                return;
            }
            if new & STARVING > old & STARVING {
                M::event(Event::StarvingBegin, words.object());
            }
            words.sema.acquire(if lost { Place::Front } else { Place::Back });
            old = words.state.load(Ordering::Relaxed);
            if old & STARVING != 0 {
                let delta = K::hand_over_delta(old);
                words.state.fetch_add(delta, Ordering::Relaxed);
                return;
            }
            (awoke, lost) = (true, true);
        }
    }

    fn unlock(&self, (): &mut ()) {
        let words = &self.words;
        let mut old = words.state.fetch_sub(LOCKED, Ordering::Release) - LOCKED;
        if old & STARVING != 0 {
            return K::hand_over(words);
        }
        while waiters(old) != 0 && old & (LOCKED | WOKEN | STARVING) == 0 {
            match words.change(old, (old - WAITER) | WOKEN) {
                Ok(_) => {
                    words.sema.release(Grant::Compete);
                    return;
                }
                Err(now) => old = now,
            }
        }
    }

    fn try_lock(&self, (): &mut ()) -> bool {
        let old = self.words.state.load(Ordering::Relaxed);
        old & K::BARS == 0 && self.words.change(old, old | LOCKED).is_ok()
    }
    fn count(&self) -> u32 {
        let state = self.words.state.load(Ordering::Relaxed);
        u32::try_from(waiters(state)).unwrap_or(0) + u32::from(state & LOCKED != 0)
    }
    fn is_locked(&self) -> bool {
        self.words.state.load(Ordering::Relaxed) & LOCKED != 0
    }
    fn is_starving(&self) -> bool {
        self.words.state.load(Ordering::Relaxed) & STARVING != 0
    }
}

mutant! {
    /// The last waiter does not leave the mode: from then on everybody queues, also alone.
    ///
    /// Seen by: three threads, of which one loses a race, and a look at the mode when all have left.
    NeverLeaves of Mutex, "never-leaves": "a two-mode lock that stays in starvation mode", BoundedBarging,
    [TryLock, WaiterCount, IsLocked, IsStarving, Observable],
    "once needed, starvation mode never ends"
}
impl Steps for NeverLeaves {
    fn hand_over_delta(_: i32) -> i32 {
        LOCKED - WAITER
    }
}

mutant! {
    /// The unlock that hands over ends the mode: the new owner takes itself for one that was only woken, and stays in
    /// the count.
    ///
    /// Seen by: three threads, of which one loses a race, and a look at the count when all have left.
    LeavesEarly of Mutex, "leaves-early": "a two-mode lock whose unlock ends starvation mode", BoundedBarging,
    [TryLock, WaiterCount, IsLocked, IsStarving, Observable],
    "count tells of waiters that are not there"
}
impl Steps for LeavesEarly {
    fn hand_over<M: Machine>(words: &Words<M>) {
        words.state.fetch_and(!STARVING, Ordering::Relaxed);
        words.sema.release(Grant::HandOff);
    }
}

mutant! {
    /// Who is handed the lock stays in the count, so that the last waiter is never alone and the mode never ends.
    ///
    /// Seen by: three threads, of which one loses a race, and a look at count or mode when all have left.
    KeepsCount of Mutex, "keeps-count": "a two-mode lock that counts its new owner as a waiter", BoundedBarging,
    [TryLock, WaiterCount, IsLocked, IsStarving, Observable],
    "once needed, starvation mode never ends, and count tells of waiters that are not there"
}
impl Steps for KeepsCount {
    fn hand_over_delta(old: i32) -> i32 {
        <() as Steps>::hand_over_delta(old + WAITER) + WAITER
    }
}

mutant! {
    /// Newcomers enter while the lock is on its way to a waiter.
    ///
    /// Seen by: three threads: one hands over, one is handed the lock, one comes new.
    IgnoresMode of Mutex, "ignores-mode": "a two-mode lock whose newcomers barge in starvation mode", BoundedBarging,
    [TryLock, WaiterCount, IsLocked, IsStarving, Observable],
    "a newcomer enters beside the one that was handed the lock"
}
impl Steps for IgnoresMode {
    const BARS: i32 = LOCKED;
}
