//! A lock of one word that sleeps in a futex: the third mutex of Drepper, "Futexes Are Tricky" (2004, revised 2011),
//! where the word also tells whether anybody may sleep.
//!
//! ## State
//!
//! | word | meaning |
//! |---|---|
//! | 0 | free |
//! | 1 | held, nobody sleeps |
//! | 2 | held, somebody may sleep: the holder must wake one |
//!
//! ## Invariants
//! 1. A thread sleeps only while the word is 2, having seen or set it to 2 itself.
//! 2. Who got the lock after sleeping sets it to 2, since others may sleep still.
//!
//! ## Orderings
//! Every successful exchange that takes the lock is Acquire and pairs with the Release swap in [`FutexLock::unlock`].

use crate::machine::{Atomic, Machine, Ordering, Waited};
use crate::probe::Event;

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// The lock, without data.
#[repr(transparent)]
pub struct FutexLock<M: Machine> {
    word: M::AtomicU32,
}

impl<M: Machine> Default for FutexLock<M> {
    fn default() -> Self {
        FutexLock { word: M::AtomicU32::new(FREE) }
    }
}

impl<M: Machine> FutexLock<M> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Takes the lock if it is free.
    #[inline(always)]
    pub fn try_lock(&self) -> bool {
        self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the lock, asleep while another thread holds it.
    #[inline(always)]
    pub fn lock(&self) {
        if !self.try_lock() {
            self.lock_contended(None);
        }
    }

    /// As [`FutexLock::lock`], but gives up at `deadline_ns`; whether the lock was taken.
    #[inline(always)]
    pub fn lock_until(&self, deadline_ns: u64) -> bool {
        self.try_lock() || self.lock_contended(Some(deadline_ns))
    }

    #[cold]
    fn lock_contended(&self, deadline_ns: Option<u64>) -> bool {
        // Announce a sleeper; if the lock was free at that moment it is ours (Invariant 2).
        while self.word.swap(CONTENDED, Ordering::Acquire) != FREE {
            M::event(Event::ParkBegin, self.object());
            let waited = M::futex_wait(&self.word, CONTENDED, deadline_ns);
            M::event(Event::ParkEnd { woken_ns: 0 }, self.object());
            if waited == Waited::TimedOut || deadline_ns.is_some_and(|deadline| M::now_ns() >= deadline) {
                // A wake may have been meant for us; the word stays at 2, so the next unlock wakes another.
                return self.word.swap(CONTENDED, Ordering::Acquire) == FREE;
            }
            if self.word.load(Ordering::Relaxed) != FREE {
                M::event(Event::LostRace, self.object());
            }
        }
        true
    }

    /// Gives the lock back and wakes one sleeper, if there may be one. Whether the lock was held.
    #[inline(always)]
    pub fn unlock(&self) -> bool {
        match self.word.swap(FREE, Ordering::Release) {
            FREE => false,
            HELD => true,
            _ => {
                self.wake_one();
                true
            }
        }
    }

    #[cold]
    fn wake_one(&self) {
        M::futex_wake(&self.word, 1);
        M::event(Event::Wake, self.object());
    }

    /// Whether a thread holds the lock.
    pub fn is_locked(&self) -> bool {
        self.word.load(Ordering::Relaxed) != FREE
    }
}
