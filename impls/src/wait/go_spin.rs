//! Go's active spinning: a few rounds of pauses before a thread queues, and the word's `WOKEN` bit while it does so.
//!
//! Source: Go, commit edcad8639a90 ("sync: add active spinning to Mutex", 2015). A spinner that sees waiters sets
//! `WOKEN`, so that unlock need not wake one of them: the spinner competes already. The rounds are a budget between
//! two sleeps, not per attempt: a compare-exchange that fails does not renew it.
//!
//! Differs from upstream: whether spinning can help is the machine's answer (Go: more than one core, another P running,
//! an empty local run queue).

use crate::card::{Param, ParamSource};
use crate::machine::{Atomic, Machine, Ordering};

/// Rounds of spinning between two sleeps.
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

/// A waiter is awake and competes, so unlock need not wake another.
pub const WOKEN: i32 = 2;

/// What a thread in the slow path remembers of its spinning.
#[derive(Debug, Default)]
pub struct Spinner {
    rounds: u64,
    awoke: bool,
}

impl Spinner {
    /// Polls `state` while `held` says that it pays and the budget lasts; returns the state read last.
    ///
    /// `has_waiters` tells whether threads queue, on whose behalf `WOKEN` is then set.
    #[inline]
    pub fn spin<M: Machine, S: ParamSource>(
        &mut self,
        state: &M::AtomicI32,
        mut old: i32,
        params: S,
        held: impl Fn(i32) -> bool,
        has_waiters: impl Fn(i32) -> bool,
    ) -> i32 {
        let rounds_max = params.get(&SPIN_ROUNDS);
        if !held(old) || self.rounds >= rounds_max || !M::can_spin() {
            return old;
        }
        let pauses = u32::try_from(params.get(&PAUSES_PER_ROUND)).unwrap_or(u32::MAX);
        super::spin::reported::<M, _>(core::ptr::from_ref(state).addr(), |rounds| {
            while held(old) && self.rounds < rounds_max && M::can_spin() {
                if !self.awoke && old & WOKEN == 0 && has_waiters(old) {
                    // Relaxed: the bit is a message to unlock, nothing is published with it.
                    let set = state.compare_exchange(old, old | WOKEN, Ordering::Relaxed, Ordering::Relaxed);
                    self.awoke = set.is_ok();
                }
                M::pause(pauses);
                self.rounds += 1;
                *rounds += 1;
                old = state.load(Ordering::Relaxed);
            }
        });
        old
    }

    /// Notes that the thread has slept and was woken: it competes now, and may spin again.
    #[inline]
    pub fn woke_up(&mut self) {
        *self = Spinner { rounds: 0, awoke: true };
    }

    /// Whether `WOKEN` is set for this thread, which therefore must clear it.
    #[inline]
    pub fn awoke(&self) -> bool {
        self.awoke
    }
}
