//! A lock with an owner that may lock again: a futex lock, the owner's number, and a depth.
//!
//! What an owner is, a thread or a token, is the policy of the file that uses this.
//!
//! ## State
//!
//! | word | meaning |
//! |---|---|
//! | `lock` | held from the outermost lock to the outermost unlock |
//! | `owner` | number of the owner; 0 while nobody owns |
//! | `depth` | locks not yet unlocked; written by the owner alone |
//!
//! ## Invariants
//! 1. `owner` holds a number only while `lock` is held on that owner's behalf; only that owner writes it and 0.
//! 2. `depth` > 0 exactly while `owner` is not 0, as its owner sees it.
//!
//! ## Orderings
//! The futex lock orders the sections. `owner` is Relaxed: a caller compares it with its own number alone, and that
//! value it wrote itself (or passed on with its token, which orders the two uses). Any other value, however old, tells
//! it the same: not the owner.

use super::futex_lock::FutexLock;
use crate::machine::{Atomic, Machine, Ordering};

const NOBODY: u64 = 0;

/// Why an unlock was refused. The lock is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody owns the lock.
    Unlocked,
    /// Someone else does.
    OwnedBy(u64),
}

/// The lock. Numbers of owners are not 0.
#[repr(C)]
pub struct Reentrant<M: Machine> {
    lock: FutexLock<M>,
    depth: M::AtomicU32,
    owner: M::AtomicU64,
}

impl<M: Machine> Default for Reentrant<M> {
    fn default() -> Self {
        Reentrant {
            lock: FutexLock::default(),
            depth: M::AtomicU32::new(0),
            owner: M::AtomicU64::new(NOBODY),
        }
    }
}

impl<M: Machine> Reentrant<M> {
    /// Takes the lock, or a further level of it.
    #[inline]
    pub fn lock(&self, me: u64) {
        if !self.lock_again(me) {
            self.lock.lock();
            self.own(me);
        }
    }

    /// As [`Reentrant::lock`], if that needs no waiting.
    #[inline]
    pub fn try_lock(&self, me: u64) -> bool {
        self.lock_again(me) || self.lock.try_lock() && self.own(me)
    }

    /// As [`Reentrant::lock`], but gives up at `deadline_ns`; whether the lock was taken.
    #[inline]
    pub fn lock_until(&self, me: u64, deadline_ns: u64) -> bool {
        self.lock_again(me) || self.lock.lock_until(deadline_ns) && self.own(me)
    }

    /// Gives one level back.
    #[inline]
    pub fn unlock(&self, me: u64) -> Result<(), Refused> {
        match self.owner.load(Ordering::Relaxed) {
            owner if owner == me => {}
            NOBODY => return Err(Refused::Unlocked),
            owner => return Err(Refused::OwnedBy(owner)),
        }
        let left = self.depth.load(Ordering::Relaxed) - 1; // Invariant 2: not below 0.
        self.depth.store(left, Ordering::Relaxed);
        if left == 0 {
            self.owner.store(NOBODY, Ordering::Relaxed);
            self.lock.unlock();
        }
        Ok(())
    }

    /// Whether anyone owns the lock.
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    #[inline]
    fn lock_again(&self, me: u64) -> bool {
        let mine = self.owner.load(Ordering::Relaxed) == me;
        if mine {
            let depth = self.depth.load(Ordering::Relaxed).checked_add(1);
            let depth = depth.expect("a recursive lock was locked 2^32 times without an unlock");
            self.depth.store(depth, Ordering::Relaxed);
        }
        mine
    }

    /// The futex lock was just taken for `me`.
    #[inline]
    fn own(&self, me: u64) -> bool {
        debug_assert_ne!(me, NOBODY);
        self.owner.store(me, Ordering::Relaxed);
        self.depth.store(1, Ordering::Relaxed);
        true
    }
}
