//! Locks whose best parameter is known by construction: the truth that a search for parameters must find.
//!
//! One wastes time in the section for each doubling between its parameter and 16. The other has a parameter that it never
//! reads. Both exclude, and are correct otherwise.

use core::marker::PhantomData;

use crate::card::{Card, Fairness, Param, ParamSource, Role, Runs};
use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex};

/// The value at which the lock wastes nothing.
pub const BEST_ROUNDS: u64 = 16;

/// Pauses that are wasted in the section for each doubling between the parameter and the best value.
const PAUSES_PER_DOUBLING: u32 = 64;

/// The parameter with a best value. Its default is four doublings away.
pub static PLANTED_ROUNDS: Param =
    Param { name: "planted_rounds", default: 1, min: 1, max: 4096, origin: "ours: the best value is 16" };

/// A parameter that nobody reads.
pub static IGNORED_ROUNDS: Param =
    Param { name: "ignored_rounds", default: 4, min: 0, max: 4096, origin: "ours: it does nothing" };

const BEST_PARAMS: &[Param] = &[PLANTED_ROUNDS];
const NOTHING_PARAMS: &[Param] = &[IGNORED_ROUNDS];

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// A futex lock of three states that may waste time while it is held.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource, W: Waste> {
    word: M::AtomicU32,
    params: S,
    waste: PhantomData<W>,
}

/// How much is wasted.
pub trait Waste: Send + Sync + 'static {
    /// Pauses after each acquisition.
    fn pauses<S: ParamSource>(params: S) -> u32;
}

/// For each doubling away from the best value.
pub struct ByDistance;

impl Waste for ByDistance {
    fn pauses<S: ParamSource>(params: S) -> u32 {
        params.get(&PLANTED_ROUNDS).max(1).ilog2().abs_diff(BEST_ROUNDS.ilog2()) * PAUSES_PER_DOUBLING
    }
}

/// Never anything.
pub struct Nothing;

impl Waste for Nothing {
    fn pauses<S: ParamSource>(_: S) -> u32 {
        0
    }
}

/// The registration of the lock with a best value.
pub struct PlantedBest;

/// The registration of the lock whose parameter does nothing.
pub struct PlantedNothing;

const fn card(id: &'static str, summary: &'static str, params: &'static [Param]) -> Card {
    Card {
        id,
        summary,
        year: 2026,
        source: "this repository",
        role: Role::Design,
        fairness: Fairness::Barging,
        runs: Runs::AnyMachine,
        can: &[],
        params,
        follows: None,
        pathologies: &["planted: it is a test of searches, and no design"],
    }
}

impl MutexImpl for PlantedBest {
    const CARD: Card = card("mutex/planted-best", "wastes time unless its parameter is 16", BEST_PARAMS);
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S, ByDistance>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Self::Lock<M, S> {
        Mutex { word: M::AtomicU32::new(FREE), params, waste: PhantomData }
    }
}

impl MutexImpl for PlantedNothing {
    const CARD: Card = card("mutex/planted-nothing", "has a parameter that does nothing", NOTHING_PARAMS);
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S, Nothing>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Self::Lock<M, S> {
        Mutex { word: M::AtomicU32::new(FREE), params, waste: PhantomData }
    }
}

impl<M: Machine, S: ParamSource, W: Waste> RawMutex<M> for Mutex<M, S, W> {
    type Context = ();
    fn context(&self) {}

    fn lock(&self, (): &mut ()) {
        // Acquire: pairs with the Release of `unlock`.
        if self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            while self.word.swap(CONTENDED, Ordering::Acquire) != FREE {
                M::futex_wait(&self.word, CONTENDED, None);
            }
        }
        let pauses = W::pauses(self.params);
        if pauses > 0 {
            M::pause(pauses);
        }
    }

    fn unlock(&self, (): &mut ()) {
        if self.word.swap(FREE, Ordering::Release) == CONTENDED {
            M::futex_wake(&self.word, 1);
        }
    }
}
