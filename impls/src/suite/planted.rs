//! Slower twins of sound mutexes: faults that a guard against regressions must find. Nothing about them is broken, so they
//! belong to no list, and only a program that names one launches it.

use super::mutants;
use crate::card::{Card, Fairness, ParamSource};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};
use crate::wait::starving::{self, Starving};

/// `go-2019-fastpath` after somebody has lost its fast path: every acquire goes through the outlined slow one.
pub struct NoFastPath;

/// Its lock.
#[repr(C)]
pub struct Mutex<M: Machine, S: ParamSource>(Starving<M, S>);

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
        Mutex(Starving::new(params))
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        self.lock_slow();
    }

    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        self.0.try_lock()
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        let new = self.0.release();
        if new != 0 {
            self.unlock_slow(new);
        }
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

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    #[cold]
    #[inline(never)]
    fn lock_slow(&self) {
        self.0.lock_contended(NoFastPath::CARD.id);
    }

    #[cold]
    #[inline(never)]
    fn unlock_slow(&self, new: i32) {
        self.0.wake(new, NoFastPath::CARD.id);
    }
}
