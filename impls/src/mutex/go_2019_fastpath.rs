//! Go's mutex of today: the starving mutex with its slow paths outlined, so that the fast paths inline.
//!
//! - **Source**: Go, commit 41cb0aedffdf ("sync: allow inlining the Mutex.Lock fast path", 2019; unlock: 4c3f26076b6a),
//!   `src/sync/mutex.go`, since 1.24 `src/internal/sync/mutex.go`; spin parameters in `src/runtime/proc.go`.
//! - **Delta**: against `go_2016_starving`, only the cut: a CAS, else a call that is not inlined; unlock likewise.
//! - **Idea**: two modes. In normal mode waiters queue, but a woken waiter competes with newcomers, which spin and
//!   usually win. A waiter that wakes after more than 1 ms of waiting without the lock switches to starvation mode:
//!   now unlock hands the lock to the head of the queue, and newcomers neither spin nor try, but queue at the tail.
//!   A waiter leaves the mode when it is the last in the queue or has waited less than 1 ms.
//! - **Differs from upstream**: `count`, `is_locked`, `is_woken`, `is_starving` are ours; whether spinning can help is
//!   the machine's answer (Go: more than one core, another P running, an empty local run queue).
//! - **Fairness**: barging, bounded once a waiter starves: after it has set starving, the section running and the
//!   hand-offs ahead pass before it owns the lock. Before it has been woken there is no bound.
//! - **Cost**: a CAS to lock and an add to unlock, uncontended.
//! - **Pathology**: a spinning newcomer keeps `WOKEN` set, so unlock wakes nobody and the sleeping waiter cannot even
//!   find out that it starves; in starvation mode every acquire costs a switch.
//!
//! ## State, invariants, orderings
//! Those of [`crate::wait::starving`], shared with `go_2016_starving`: `LOCKED`, `WOKEN`, `STARVING`, and the count of
//! waiters from bit 3. The fast paths are the compare-exchange 0 to `LOCKED` (Acquire) and the subtraction of `LOCKED`
//! (Release).

use crate::card::{Card, Defaults, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};
use crate::wait::starving::{self, Starving};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults>(Starving<M, S>);

/// The registration.
pub struct Go2019Fastpath;

impl MutexImpl for Go2019Fastpath {
    const CARD: Card = Card {
        id: "mutex/go-2019-fastpath",
        summary: "2016's starving mutex, slow paths outlined: Go's mutex of today",
        year: 2019,
        source: "Go, src/sync/mutex.go, commit 41cb0aed",
        role: Role::Design,
        fairness: Fairness::BoundedBarging,
        runs: Runs::AnyMachine,
        can: starving::CAPABILITIES,
        params: starving::PARAMS,
        follows: Some("mutex/go-2016-starving"),
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

    #[inline]
    fn lock(&self, (): &mut ()) {
        if !self.0.lock_free() {
            self.lock_slow();
        }
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
    /// Outlined, so that a caller inlines no more than a compare-exchange.
    #[cold]
    #[inline(never)]
    pub(crate) fn lock_slow(&self) {
        self.0.lock_contended(Go2019Fastpath::CARD.id);
    }

    /// Outlined, so that a caller inlines no more than a subtraction.
    #[cold]
    #[inline(never)]
    fn unlock_slow(&self, new: i32) {
        self.0.wake(new, Go2019Fastpath::CARD.id);
    }
}
