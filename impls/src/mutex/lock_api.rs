//! Any `lock_api::RawMutex` as a row: implement [`LockApiMutex`] with a card, and register [`LockApi`] of it.
//!
//! The card is [`card`] of an id and a summary, or one written out. A `lock_api` lock knows no owner and leaves an
//! unlock of unlocked undefined, so the context keeps the guard state of the lock that its thread holds, and `unlock`
//! checks that it is this lock's: it stays safe, at the price of a comparison.
//!
//! ## State
//! That of the raw lock. The context holds the guard of the acquire under way, and the serial number of its lock.
//!
//! ```
//! use impls::card::Card;
//! use impls::mutex::lock_api::{LockApi, LockApiMutex, card};
//! use impls::suite::mutex::exclusion;
//!
//! struct Mine;
//! impl LockApiMutex for Mine {
//!     const CARD: Card = card("mutex/mine", "parking_lot's, under a name of mine");
//!     type Raw = parking_lot::RawMutex;
//! }
//!
//! exclusion::<LockApi<Mine>>();
//! ```

use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use lock_api::RawMutex as Raw;

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex, Serial, misuse};

/// A lock of somebody's, and its card.
pub trait LockApiMutex: Send + Sync + 'static {
    /// What it is.
    const CARD: Card;
    /// The lock.
    type Raw: Raw + Send + Sync + 'static;
}

/// What every lock can do through this adapter.
pub const CAPABILITIES: &[Capability] =
    &[Capability::TryLock, Capability::IsLocked, Capability::DetectsUnlocked];

/// Why such locks run on the threads of this computer only.
pub const RUNS: Runs = Runs::OsOnly("a lock_api mutex is not written on Machine");

/// A card for a lock that needs no more words. Fill in other fields with the syntax of struct update.
pub const fn card(id: &'static str, summary: &'static str) -> Card {
    Card {
        id,
        summary,
        year: 2026,
        source: "a lock_api::RawMutex",
        role: Role::Design,
        fairness: Fairness::Unordered,
        runs: RUNS,
        can: CAPABILITIES,
        params: &[],
        follows: None,
        pathologies: &[],
    }
}

/// The registration of `T`.
pub struct LockApi<T>(PhantomData<fn() -> T>);

/// The lock of `T`. Not aligned to a line: it is measured as it ships.
#[repr(C)]
pub struct Mutex<M: Machine, T: LockApiMutex> {
    raw: T::Raw,
    serial: Serial,
    machine: PhantomData<M>,
}

/// The guard state of a held lock, never dropped but by `unlock`, and the lock that it belongs to.
pub struct Context<G> {
    held: Option<(Serial, ManuallyDrop<G>)>,
    /// Keeps the context on its thread, as some guards must be.
    thread: PhantomData<*const ()>,
}

impl<T: LockApiMutex> MutexImpl for LockApi<T> {
    const CARD: Card = T::CARD;
    type Lock<M: Machine, S: ParamSource> = Mutex<M, T>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M, T> {
        Mutex { raw: Raw::INIT, serial: Serial::next(), machine: PhantomData }
    }
}

impl<M: Machine, T: LockApiMutex> RawMutex<M> for Mutex<M, T> {
    type Context = Context<<T::Raw as Raw>::Guard>;
    fn context(&self) -> Self::Context {
        Context { held: None, thread: PhantomData }
    }

    #[inline(always)]
    fn lock(&self, context: &mut Self::Context) {
        let guard = self.raw.lock();
        context.held = Some((self.serial, ManuallyDrop::new(guard)));
    }

    #[inline(always)]
    fn try_lock(&self, context: &mut Self::Context) -> bool {
        let Some(guard) = self.raw.try_lock() else { return false };
        context.held = Some((self.serial, ManuallyDrop::new(guard)));
        true
    }

    #[inline(always)]
    fn unlock(&self, context: &mut Self::Context) {
        match context.held.take() {
            Some((serial, guard)) if serial == self.serial => {
                // SAFETY: the guard state came from this very lock, by its serial number; it is used once, and on the
                // thread that received it, which contexts do not leave.
                unsafe { self.raw.unlock(ManuallyDrop::into_inner(guard)) };
            }
            held => {
                context.held = held; // Of another lock: it stays held.
                misuse::unlock_of_unlocked(T::CARD.id)
            }
        }
    }

    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }
}
