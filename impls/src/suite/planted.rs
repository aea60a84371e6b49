//! Slower twins of sound mutexes: faults that a guard against regressions must find. Nothing about them is broken, so they
//! belong to no list, and only a program that names one launches it.

use super::mutants;
use crate::card::{Card, Fairness, ParamSource};
use crate::machine::Machine;
use crate::mutex::go_2019_fastpath::{self, Go2019Fastpath};
use crate::mutex::{MutexImpl, RawMutex};
use crate::wait::starving;

/// `go-2019-fastpath` after somebody has lost its fast path: every acquire goes through the outlined slow one.
pub struct NoFastPath;

/// Its lock: the original, but for one door.
#[repr(transparent)]
pub struct Mutex<M: Machine, S: ParamSource>(go_2019_fastpath::Mutex<M, S>);

impl MutexImpl for NoFastPath {
    const CARD: Card = mutants::card(
        "mutex/planted-no-fast-path",
        "go-2019-fastpath without its fast path",
        Fairness::BoundedBarging,
        starving::CAPABILITIES,
        starving::PARAMS,
        &["every acquire is a call of the slow path"],
    );
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex(Go2019Fastpath::build(params))
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        self.0.lock_slow();
    }
    #[inline]
    fn try_lock(&self, context: &mut ()) -> bool {
        self.0.try_lock(context)
    }
    #[inline]
    fn unlock(&self, context: &mut ()) {
        self.0.unlock(context);
    }

    fn count(&self) -> u32 {
        self.0.count()
    }
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
    fn is_woken(&self) -> bool {
        self.0.is_woken()
    }
    fn is_starving(&self) -> bool {
        self.0.is_starving()
    }
}
