//! Go's fourth mutex: a waiter that has waited over 1 ms gets the lock handed over.
//!
//! - **Source**: Go, commit 0556e26273f7 ("sync: make Mutex more fair", 2016), `src/sync/mutex.go`; spin parameters in
//!   `src/runtime/proc.go`.
//! - **Delta**: against `go_2015_spinning`: the bit `STARVING`, its 1 ms, the hand-over, and a woken loser queues at
//!   the FRONT, no more at the tail.
//! - **Idea**: two modes. In normal mode waiters queue, but a woken waiter competes with newcomers, which spin and
//!   usually win. A waiter that wakes after more than 1 ms of waiting without the lock switches to starvation mode:
//!   unlock hands the lock to the head of the queue, and newcomers neither spin nor try, but queue at the tail. A
//!   waiter leaves the mode when it is the last in the queue or has waited less than 1 ms.
//! - **Differs from upstream**: `count`, `is_locked`, `is_woken`, `is_starving` are ours, `try_lock` is that of Go 1.18;
//!   whether spinning can help is the machine's answer; an unlock of unlocked is taken back before it panics.
//! - **Fairness**: barging, bounded once a waiter starves: after it has set starving, the section running and the
//!   hand-offs ahead pass before it owns the lock. Before it has been woken there is no bound.
//! - **Cost**: a call, and in it a CAS to lock; a call, and in it an add to unlock. Fast and slow path are one function
//!   each way, as in history, so nothing is inlined into the caller: the price that `go_2019_fastpath` removes.
//! - **Pathology**: a spinning newcomer keeps `WOKEN` set, so unlock wakes nobody and the sleeping waiter cannot even
//!   find out that it starves; in starvation mode every acquire costs a switch.
//!
//! ## State, invariants, orderings
//! Those of [`crate::wait::starving`], shared with `go_2019_fastpath`: `LOCKED`, `WOKEN`, `STARVING`, and the count of
//! waiters from bit 3.

use crate::card::{Card, Defaults, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};
use crate::wait::starving::{self, Starving};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults>(Starving<M, S>);

/// The registration.
pub struct Go2016Starving;

impl MutexImpl for Go2016Starving {
    const CARD: Card = Card {
        id: "mutex/go-2016-starving",
        summary: "a waiter that wakes after more than 1 ms gets the lock handed over",
        year: 2016,
        source: "Go, src/sync/mutex.go, commit 0556e262",
        role: Role::Design,
        fairness: Fairness::BoundedBarging,
        runs: Runs::AnyMachine,
        can: starving::CAPABILITIES,
        params: starving::PARAMS,
        follows: Some("mutex/go-2015-spinning"),
        pathologies: &[
            "a spinning newcomer keeps WOKEN set, so a sleeping waiter is not woken and cannot starve the lock",
            "in starvation mode every acquire costs a switch",
        ],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex(Starving::new(params))
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = ();
    fn context(&self) {}

    #[inline(never)]
    fn lock(&self, (): &mut ()) {
        if !self.0.lock_free() {
            self.0.lock_contended(Go2016Starving::CARD.id);
        }
    }

    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        self.0.try_lock()
    }

    #[inline(never)]
    fn unlock(&self, (): &mut ()) {
        let new = self.0.release();
        if new != 0 {
            self.0.wake(new, Go2016Starving::CARD.id);
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
