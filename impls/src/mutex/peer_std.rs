//! The mutex of Rust's standard library, measured beside ours.
//!
//! - **Source**: Rust, `library/std/src/sys/sync/mutex/futex.rs`.
//! - **Idea**: a futex of three states that polls up to 100 times before it sleeps.
//! - **Fairness**: barging, without bound.
//! - **Differs from upstream**: nothing; the guard waits in the context between lock and unlock, with the serial
//!   number of its lock.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use std::sync::{Mutex as StdMutex, MutexGuard, PoisonError, TryLockError};

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex, Serial, misuse};

/// The lock. Not aligned to a line: it is measured as it ships.
#[repr(C)]
pub struct Mutex<M: Machine> {
    mutex: StdMutex<()>,
    serial: Serial,
    machine: PhantomData<M>,
}

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
        Mutex { mutex: StdMutex::new(()), serial: Serial::next(), machine: PhantomData }
    }
}

/// The guard of a held lock, never dropped but by `unlock`, and the lock that it belongs to.
pub struct Context {
    held: Option<(Serial, ManuallyDrop<MutexGuard<'static, ()>>)>,
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = Context;
    fn context(&self) -> Context {
        Context { held: None }
    }

    #[inline(always)]
    fn lock(&self, context: &mut Context) {
        let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        self.keep(guard, context);
    }

    #[inline(always)]
    fn try_lock(&self, context: &mut Context) -> bool {
        match self.mutex.try_lock() {
            Ok(guard) => self.keep(guard, context),
            Err(TryLockError::Poisoned(error)) => self.keep(error.into_inner(), context),
            Err(TryLockError::WouldBlock) => return false,
        }
        true
    }

    #[inline(always)]
    fn unlock(&self, context: &mut Context) {
        match context.held.take() {
            Some((serial, guard)) if serial == self.serial => drop(ManuallyDrop::into_inner(guard)),
            held => {
                context.held = held; // Of another lock: it stays held.
                misuse::unlock_of_unlocked(PeerStd::CARD.id)
            }
        }
    }
}

impl<M: Machine> Mutex<M> {
    #[inline(always)]
    fn keep(&self, guard: MutexGuard<'_, ()>, context: &mut Context) {
        // SAFETY: only the lifetime changes. The guard is dropped in `unlock` alone, after a check that the lock that
        // it borrows is the one that `unlock` borrows, which is therefore alive; in any other case it is forgotten.
        let guard = unsafe { core::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(guard) };
        context.held = Some((self.serial, ManuallyDrop::new(guard)));
    }
}
