//! The mutex of Rust's standard library, measured beside ours.
//!
//! - **Source**: Rust, `library/std/src/sys/sync/mutex/futex.rs`.
//! - **Idea**: a futex of three states that polls up to 100 times before it sleeps.
//! - **Fairness**: barging, without bound.
//! - **Differs from upstream**: nothing; the guard waits in the context between lock and unlock, with the address of its lock.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use std::sync::{Mutex as StdMutex, MutexGuard, PoisonError, TryLockError};

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};

/// The lock. Not aligned to a line: it is measured as it ships.
pub struct Mutex<M: Machine>(StdMutex<()>, PhantomData<M>);

/// The registration.
pub struct PeerStd;

impl MutexImpl for PeerStd {
    const CARD: Card = Card {
        id: "mutex/peer-std",
        summary: "Rust's std::sync::Mutex: futex after 100 polls",
        year: 2022,
        source: "Rust, library/std/src/sys/sync/mutex/futex.rs",
        role: Role::Peer,
        fairness: Fairness::Barging,
        runs: Runs::OsOnly("std's mutex is not written on Machine"),
        can: &[Capability::TryLock, Capability::DetectsUnlocked],
        params: &[],
        follows: None,
        pathologies: &["a waiter can be passed without bound"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex(StdMutex::new(()), PhantomData)
    }
}

/// The guard of a held lock, never dropped but by `unlock`, and the lock that it belongs to.
pub struct Context {
    guard: Option<ManuallyDrop<MutexGuard<'static, ()>>>,
    lock: *const StdMutex<()>,
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = Context;
    fn context(&self) -> Context {
        Context { guard: None, lock: &raw const self.0 }
    }

    #[inline(always)]
    fn lock(&self, context: &mut Context) {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        context.keep(guard);
    }

    #[inline(always)]
    fn try_lock(&self, context: &mut Context) -> bool {
        match self.0.try_lock() {
            Ok(guard) => context.keep(guard),
            Err(TryLockError::Poisoned(error)) => context.keep(error.into_inner()),
            Err(TryLockError::WouldBlock) => return false,
        }
        true
    }

    #[inline(always)]
    fn unlock(&self, context: &mut Context) {
        match context.guard.take() {
            Some(guard) if core::ptr::eq(context.lock, &raw const self.0) => {
                drop(ManuallyDrop::into_inner(guard));
            }
            _ => unlock_of_unlocked(),
        }
    }
}

impl Context {
    #[inline(always)]
    fn keep(&mut self, guard: MutexGuard<'_, ()>) {
        // SAFETY: only the lifetime changes. The guard is dropped in `unlock` alone, after a check that the lock that
        // it borrows is the one that `unlock` borrows, which is therefore alive; in any other case it is forgotten.
        let guard = unsafe { core::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) };
        self.guard = Some(ManuallyDrop::new(guard));
    }
}

#[cold]
fn unlock_of_unlocked() -> ! {
    panic!("{}: unlock of unlocked mutex", PeerStd::CARD.id)
}
