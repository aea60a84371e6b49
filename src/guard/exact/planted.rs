//! A lock, and the same lock with one instruction more: what counting must catch, and simulation cannot see.

use core::arch::asm;

use impls::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use impls::machine::Machine;
use impls::mutex::spin_tas::SpinTas;
use impls::mutex::{MutexImpl, RawMutex};

/// The registration of one of the two.
pub(crate) struct Planted<const MORE: bool>;

const fn card(id: &'static str, summary: &'static str) -> Card {
    Card {
        id,
        summary,
        year: 2026,
        source: "made to be caught",
        role: Role::Design,
        fairness: Fairness::Unordered,
        runs: Runs::AnyMachine,
        can: &[Capability::Observable],
        params: &[],
        follows: Some("mutex/spin-tas"),
        pathologies: &[],
    }
}

impl<const MORE: bool> MutexImpl for Planted<MORE> {
    const CARD: Card = if MORE {
        card("mutex/mutant-one-more", "mutant-as-is with one instruction more")
    } else {
        card("mutex/mutant-as-is", "spin-tas behind another name")
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<MORE, <SpinTas as MutexImpl>::Lock<M, S>>;
    fn build<M: Machine, S: ParamSource>(source: S) -> Self::Lock<M, S> {
        Mutex(SpinTas::build::<M, S>(source))
    }
}

/// The lock around the lock.
#[repr(transparent)]
pub(crate) struct Mutex<const MORE: bool, L>(L);

impl<const MORE: bool, M: Machine, L: RawMutex<M>> RawMutex<M> for Mutex<MORE, L> {
    type Context = L::Context;
    fn context(&self) -> L::Context {
        self.0.context()
    }

    #[inline(never)]
    fn lock(&self, context: &mut L::Context) {
        self.0.lock(context);
        if MORE {
            // SAFETY: `nop` does nothing, on every processor that has it under this name.
            unsafe { asm!("nop", options(nomem, nostack, preserves_flags)) };
        }
    }

    #[inline(never)]
    fn unlock(&self, context: &mut L::Context) {
        self.0.unlock(context);
    }
}
