//! No lock at all: what the harness itself costs.
//!
//! - **Idea**: `lock` and `unlock` do nothing. A workload on it costs the loop, the work and the probe, and is the
//!   floor under which no lock can honestly come.
//! - **Fairness**: none needed. It excludes nobody, so its counter loses updates by design and is not checked.
//!
//! ## State
//! None.

use core::marker::PhantomData;

use crate::card::{Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};

/// The absence of a lock.
pub struct Mutex<M: Machine>(PhantomData<M>);

/// The registration.
pub struct Empty;

impl MutexImpl for Empty {
    const CARD: Card = Card {
        id: "mutex/empty",
        summary: "no lock: the cost of the harness",
        year: 2026,
        source: "after the empty lock of LiTL and lockhammer",
        role: Role::Floor,
        fairness: Fairness::Unordered,
        runs: Runs::AnyMachine,
        can: &[],
        params: &[],
        follows: None,
        pathologies: &["excludes nobody"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex(PhantomData)
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = ();
    fn context(&self) {}
    #[inline(always)]
    fn lock(&self, (): &mut ()) {}
    #[inline(always)]
    fn unlock(&self, (): &mut ()) {}
}
