//! Mutual exclusion: the family with the longest history, and the one whose shape all others follow.
//!
//! Lineage of Go's mutex, oldest first; each file states what it changes:
//!
//! ```text
//! go_2008_key -> go_2012_woken -> go_2015_spinning -> go_2016_starving -> go_2019_fastpath
//! ```

use crate::card::{Card, ParamSource};
use crate::machine::Machine;

/// A lock without data.
///
/// `lock` and `unlock` are required; the rest exists where the card says so, and panics elsewhere. Misuse that the card
/// claims to detect ends in a panic that names the implementation. Misuse never breaks memory safety: what the lock
/// protects is the caller's to reach safely.
pub trait RawMutex<M: Machine>: Send + Sync + 'static {
    /// What a thread brings along to each call on one lock: a queue node, a token, an open file; `()` for most.
    /// It stays on the thread that made it.
    type Context;

    /// A context for the calling thread and this lock.
    fn context(&self) -> Self::Context;
    /// Waits until the lock is free and takes it.
    fn lock(&self, context: &mut Self::Context);
    /// Gives the lock back.
    fn unlock(&self, context: &mut Self::Context);

    /// Takes the lock if that needs no waiting.
    fn try_lock(&self, context: &mut Self::Context) -> bool {
        let _ = context;
        unimplemented_capability("try_lock")
    }
    /// Waits for the lock until `deadline_ns` of the machine's clock; whether it was taken.
    fn lock_until(&self, context: &mut Self::Context, deadline_ns: u64) -> bool {
        let _ = (context, deadline_ns);
        unimplemented_capability("lock_until")
    }
    /// Threads that hold or wait, from the lock's own words. Racy by nature: true at some moment of the call, but that a
    /// lock which reads two words may count a thread twice that leaves and comes back in between.
    fn count(&self) -> u32 {
        unimplemented_capability("count")
    }
    /// Whether the lock is held.
    fn is_locked(&self) -> bool {
        unimplemented_capability("is_locked")
    }
    /// Whether a waiter has been woken and competes for the lock.
    fn is_woken(&self) -> bool {
        unimplemented_capability("is_woken")
    }
    /// Whether the lock is in starvation mode.
    fn is_starving(&self) -> bool {
        unimplemented_capability("is_starving")
    }
    /// The state in words, for a person.
    fn state_text(&self) -> String {
        unimplemented_capability("state_text")
    }
}

#[cold]
fn unimplemented_capability(operation: &str) -> ! {
    panic!("{operation}: this implementation's card does not offer it")
}

/// The panics of misuse, worded alike by every implementation: the id, then the misuse.
pub mod misuse {
    use core::fmt::Display;

    /// The trap of an unlock without a lock.
    #[cold]
    #[inline(never)]
    pub fn unlock_of_unlocked(id: &str) -> ! {
        panic!("{id}: unlock of unlocked mutex")
    }

    /// The trap of a second lock by the same context, which would wait for itself.
    #[cold]
    #[inline(never)]
    pub fn reentry(id: &str) -> ! {
        panic!("{id}: lock of a mutex by the context that already holds one: unlock first")
    }

    /// The trap of an unlock by another than the owner.
    #[cold]
    #[inline(never)]
    pub fn foreign_unlock(id: &str, caller: impl Display, owner: impl Display) -> ! {
        panic!("{id}: unlock by {caller}, but the owner is {owner}")
    }
}

/// The context of a lock that knows its owner by nothing but the owner's own word: which lock it holds, by address.
///
/// So misuse shows without a look at the lock itself: for a lock whose waiters write or poll its line, a look in `unlock`
/// would cost a second journey of the line, the longest part of a hand-over.
#[derive(Debug, Default)]
pub struct Held(usize);

impl Held {
    /// Before taking: a context that holds already would wait for itself.
    #[inline(always)]
    pub(crate) fn check_free(&self, id: &str) {
        if !self.is_free() {
            misuse::reentry(id);
        }
    }

    /// The context now holds `lock`.
    #[inline(always)]
    pub(crate) fn taken<L>(&mut self, lock: &L) {
        self.0 = core::ptr::from_ref(lock).addr();
    }

    /// Whether the context holds nothing.
    #[inline(always)]
    pub(crate) fn is_free(&self) -> bool {
        self.0 == 0
    }

    /// Before giving back.
    #[inline(always)]
    pub(crate) fn give_back<L>(&mut self, lock: &L, id: &str) {
        self.check_taken(lock, id);
        self.given_back();
    }

    /// The first half of [`Held::give_back`], for a lock that reaches the context's memory until it is given back.
    #[inline(always)]
    pub(crate) fn check_taken<L>(&self, lock: &L, id: &str) {
        if self.0 != core::ptr::from_ref(lock).addr() {
            misuse::unlock_of_unlocked(id);
        }
    }

    /// The second half.
    #[inline(always)]
    pub(crate) fn given_back(&mut self) {
        self.0 = 0;
    }
}

/// Tells locks apart by more than their address, which a later lock may have again: for contexts that keep a guard of
/// somebody else's lock, where a mix-up would be undefined behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Serial(u64);

impl Serial {
    pub(crate) fn next() -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static LAST: AtomicU64 = AtomicU64::new(0);
        // Relaxed: the number must be unique, nothing is published with it.
        Serial(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// An implementation of the family: its card, and its lock on every machine with every source of parameters.
pub trait MutexImpl: Send + Sync + 'static {
    /// What it is.
    const CARD: Card;
    /// The lock.
    type Lock<M: Machine, S: ParamSource>: RawMutex<M>;
    /// An unlocked lock.
    fn build<M: Machine, S: ParamSource>(source: S) -> Self::Lock<M, S>;
}

/// Does something for every implementation, each as a type of its own.
pub trait MutexVisitor {
    /// Visits one implementation.
    fn visit<I: MutexImpl>(&mut self);
}

/// One line an implementation: `file::Registration`. It brings the module, the row in every list, and the tests.
macro_rules! family {
    ($($module:ident :: $registration:ident,)*) => {
        $(pub mod $module;)*

        /// Visits every implementation, in the order of the list.
        pub fn visit_all(visitor: &mut impl MutexVisitor) {
            $(visitor.visit::<$module::$registration>();)*
        }

        #[cfg(test)]
        mod conformance {
            $(mod $module {
                crate::mutex_battery!(crate::mutex::$module::$registration);
            })*
        }
    };
}

pub mod lock_api;

family! {
    go_2008_key::Go2008Key,
    go_2012_woken::Go2012Woken,
    go_2015_spinning::Go2015Spinning,
    go_2016_starving::Go2016Starving,
    go_2019_fastpath::Go2019Fastpath,
    spin_tas::SpinTas,
    spin_ttas_backoff::SpinTtasBackoff,
    spin_yield::SpinYield,
    ticket::Ticket,
    array::Array,
    mcs::Mcs,
    clh::Clh,
    hticket::Hticket,
    futex_drepper::FutexDrepper,
    semaphore_binary::SemaphoreBinary,
    recursive_thread::RecursiveThread,
    recursive_token::RecursiveToken,
    file::File,
    peer_std::PeerStd,
    peer_parking_lot::PeerParkingLot,
    peer_spin::PeerSpin,
    empty::Empty,
}
