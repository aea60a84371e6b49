//! Go's mutex of today: the starving mutex with its slow paths outlined, so that the fast paths inline.
//!
//! - **Source**: Go, commit 41cb0aedffdf ("sync: allow inlining the Mutex.Lock fast path", 2019; unlock: 4c3f26076b6a),
//!   `src/sync/mutex.go`, since 1.24 `src/internal/sync/mutex.go`; spin parameters in `src/runtime/proc.go`.
//! - **Delta**: against `go_2016_starving`, only the cut: a CAS, else a call that is not inlined.
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
//! ## State
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | `LOCKED` | held |
//! | 1 | `WOKEN` | a waiter is awake and competes, so unlock need not wake another |
//! | 2 | `STARVING` | unlock hands over; newcomers queue |
//! | 3.. | waiters | threads in the queue or on their way to it |
//!
//! ## Invariants
//! 1. `WOKEN` is set by a spinner or by the unlock that wakes, and cleared by the thread for which it was set.
//! 2. While `STARVING` is set and `LOCKED` is not, the lock belongs to the waiter that was just handed it.
//! 3. The waiter count is raised by the waiter itself and lowered by whoever wakes it (normal mode) or by itself
//!    (hand-over).
//!
//! ## Orderings
//! The CAS that sets `LOCKED` is Acquire and pairs with the Release add of `unlock`. A hand-over carries its edge by
//! the semaphore. Loads of the state are hints: every decision is made by the CAS that follows.

use crate::card::{Capability, Card, Defaults, Fairness, Param, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex};
use crate::probe::Event;
use crate::wait::sema::{Grant, Place, Semaphore};

const LOCKED: i32 = 1;
const WOKEN: i32 = 2;
const STARVING: i32 = 4;
const WAITER_SHIFT: u32 = 3;
const ONE_WAITER: i32 = 1 << WAITER_SHIFT;

/// Rounds of spinning before a thread queues.
pub static SPIN_ROUNDS: Param = Param {
    name: "spin_rounds",
    default: 4,
    min: 0,
    max: 1 << 16,
    origin: "active_spin = 4, Go src/runtime/lock_spinbit.go",
};
/// Pauses in one round.
pub static PAUSES_PER_ROUND: Param = Param {
    name: "pauses_per_round",
    default: 30,
    min: 1,
    max: 1 << 16,
    origin: "active_spin_cnt = 30, Go src/runtime/lock_spinbit.go",
};
/// A waiter that has waited longer switches to starvation mode when it wakes.
pub static STARVATION_NS: Param = Param {
    name: "starvation_ns",
    default: 1_000_000,
    min: 0,
    max: 1 << 40,
    origin: "starvationThresholdNs = 1e6, Go src/internal/sync/mutex.go",
};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults> {
    state: M::AtomicI32,
    sema: Semaphore<M>,
    params: S,
}

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
        can: &[
            Capability::TryLock,
            Capability::WaiterCount,
            Capability::IsLocked,
            Capability::IsWoken,
            Capability::IsStarving,
            Capability::ForeignUnlock,
            Capability::DetectsUnlocked,
            Capability::Observable,
        ],
        params: &[SPIN_ROUNDS, PAUSES_PER_ROUND, STARVATION_NS],
        follows: Some("mutex/go-2016-starving"),
        pathologies: &[
            "a spinning newcomer keeps WOKEN set, so a sleeping waiter is not woken and cannot starve the lock",
            "in starvation mode every acquire costs a switch",
        ],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex { state: M::AtomicI32::new(0), sema: Semaphore::new(0), params }
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = ();
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_slow();
        }
    }

    #[inline]
    fn try_lock(&self, (): &mut ()) -> bool {
        let old = self.state.load(Ordering::Relaxed);
        old & (LOCKED | STARVING) == 0
            && self.state.compare_exchange(old, old | LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        let new = self.state.fetch_sub(LOCKED, Ordering::Release) - LOCKED;
        if new != 0 {
            self.unlock_slow(new);
        }
    }

    fn count(&self) -> u32 {
        let state = self.state.load(Ordering::Relaxed);
        (state >> WAITER_SHIFT).max(0).cast_unsigned() + u32::from(state & LOCKED != 0)
    }
    fn is_locked(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LOCKED != 0
    }
    fn is_woken(&self) -> bool {
        self.state.load(Ordering::Relaxed) & WOKEN != 0
    }
    fn is_starving(&self) -> bool {
        self.state.load(Ordering::Relaxed) & STARVING != 0
    }
}

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    #[cold]
    fn lock_slow(&self) {
        let mut wait_start_ns = None;
        let mut starving = false;
        let mut awoke = false;
        let mut old = self.state.load(Ordering::Relaxed);
        loop {
            // 1. Spin while the lock is held in normal mode: its owner is likely running.
            if old & (LOCKED | STARVING) == LOCKED && self.params.get(&SPIN_ROUNDS) > 0 && M::can_spin() {
                old = self.spin(old, &mut awoke);
            }
            // 2. The state that we want: the lock if it is free in normal mode, else one more waiter.
            let mut new = old;
            if old & STARVING == 0 {
                new |= LOCKED;
            }
            if old & (LOCKED | STARVING) != 0 {
                new += ONE_WAITER;
            }
            if starving && old & LOCKED != 0 {
                new |= STARVING;
            }
            if awoke {
                assert!(new & WOKEN != 0, "{}: inconsistent state {new:#b}", Go2019Fastpath::CARD.id);
                new &= !WOKEN; // Invariant 1: it was set for us.
            }
            if let Err(now) = self.state.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed) {
                M::event(Event::FailedCas, self.object());
                old = now;
                continue;
            }
            if new & STARVING != 0 && old & STARVING == 0 {
                M::event(Event::StarvingBegin, self.object());
            }
            if old & (LOCKED | STARVING) == 0 {
                return;
            }
            // 3. Sleep; who has waited before keeps its turn.
            let place = if wait_start_ns.is_some() { Place::Front } else { Place::Back };
            let start_ns = *wait_start_ns.get_or_insert_with(M::now_ns);
            self.sema.acquire(place);
            starving |= M::now_ns().saturating_sub(start_ns) > self.params.get(&STARVATION_NS);
            old = self.state.load(Ordering::Relaxed);
            if old & STARVING != 0 {
                // 4. Handed over (Invariant 2): set LOCKED, and leave the mode if it has served its purpose.
                return self.take_hand_over(old, starving);
            }
            awoke = true;
            if old & LOCKED != 0 {
                M::event(Event::LostRace, self.object());
            }
        }
    }

    /// Polls a few rounds; tells unlock, if there are waiters, that it need not wake one.
    fn spin(&self, mut old: i32, awoke: &mut bool) -> i32 {
        let (rounds_max, pauses) = (self.params.get(&SPIN_ROUNDS), self.params.get(&PAUSES_PER_ROUND));
        crate::wait::spin::reported::<M, _>(self.object(), |rounds| {
            while old & (LOCKED | STARVING) == LOCKED && u64::from(*rounds) < rounds_max {
                if !*awoke && old & WOKEN == 0 && old >> WAITER_SHIFT != 0 {
                    let set =
                        self.state.compare_exchange(old, old | WOKEN, Ordering::Relaxed, Ordering::Relaxed);
                    *awoke = set.is_ok();
                }
                M::pause(pauses as u32);
                *rounds += 1;
                old = self.state.load(Ordering::Relaxed);
            }
        });
        old
    }

    fn take_hand_over(&self, old: i32, starving: bool) {
        let waiters = old >> WAITER_SHIFT;
        assert!(
            old & (LOCKED | WOKEN) == 0 && waiters != 0,
            "{}: inconsistent state {old:#b} at a hand-over",
            Go2019Fastpath::CARD.id
        );
        let mut delta = LOCKED - ONE_WAITER;
        if !starving || waiters == 1 {
            delta -= STARVING;
            M::event(Event::StarvingEnd, self.object());
        }
        // Acquire: a newcomer may have queued since; the semaphore carried the edge of the hand-over.
        self.state.fetch_add(delta, Ordering::Acquire);
    }

    #[cold]
    fn unlock_slow(&self, new: i32) {
        if (new + LOCKED) & LOCKED == 0 {
            self.state.fetch_add(LOCKED, Ordering::Relaxed);
            panic!("{}: unlock of unlocked mutex", Go2019Fastpath::CARD.id);
        }
        if new & STARVING != 0 {
            // LOCKED stays clear: with STARVING it means that the lock is the woken waiter's (Invariant 2).
            self.sema.release(Grant::HandOff);
            return;
        }
        let mut old = new;
        // Wake one waiter, unless there is none, or someone is awake, or has the lock, or starves.
        while old >> WAITER_SHIFT != 0 && old & (LOCKED | WOKEN | STARVING) == 0 {
            let new = (old - ONE_WAITER) | WOKEN;
            match self.state.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    self.sema.release(Grant::Compete);
                    return;
                }
                Err(now) => old = now,
            }
        }
    }
}
