//! What the threads of a slice tell each other: arrive, open, phase after phase, stop.
//!
//! One word, `signal`, says what to do. Workers read it once an operation, from a line that nobody else writes; it
//! changes a few times a slice. One extra thread, the controller, sleeps between the changes.

use impls::machine::{Atomic, AtomicInt, Line, Machine, Ordering};
use impls::probe::Event;
use record::Schedule;

/// Nobody works yet.
pub const CLOSED: u32 = 0;
/// Workers work, unmeasured, until all of them have run.
pub const OPEN: u32 = 1;
/// The first measured phase; the k-th is `FIRST + k`.
pub const FIRST: u32 = 2;
/// The slice is over.
pub const STOP: u32 = u32::MAX;

/// A slice opens at the latest after so long, whoever has not run yet.
const OPEN_NS_MAX: u64 = 1_000_000_000;

/// A sleep of the driver's own: reported with the object 0, so that a probe does not take it for the primitive's.
pub fn nap<M: Machine, R>(sleep: impl FnOnce() -> R) {
    M::event(Event::ParkBegin, 0);
    sleep();
    M::event(Event::ParkEnd { woken_ns: 0 }, 0);
}

/// Sleeps for `length_ns`, as a holder that stalls does.
pub fn nap_for<M: Machine>(length_ns: u64) {
    let until_ns = M::now_ns() + length_ns;
    while M::now_ns() < until_ns {
        nap::<M, _>(|| M::park_until(until_ns));
    }
}

/// One stretch of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhasePlan {
    /// Workers below this index are active.
    pub active: u32,
    /// Its length.
    pub length_ns: u64,
    /// Whether worker 0 stops in it while it holds.
    pub stalled: bool,
}

/// Cuts a slice of `slice_ns` for `threads` workers into phases.
pub fn phases(schedule: &Schedule, threads: u32, slice_ns: u64) -> Vec<PhasePlan> {
    /// More phases than this would cost more than they show.
    const PHASES_MAX: u64 = 4096;
    let phase = |active, length_ns| PhasePlan { active, length_ns, stalled: false };
    match *schedule {
        Schedule::Steady => vec![phase(threads, slice_ns)],
        Schedule::Ramp { ref active } => {
            let length_ns = slice_ns / active.len().max(1) as u64;
            active.iter().map(|&n| phase(n.min(threads), length_ns)).collect()
        }
        Schedule::Bursts { on_ns, off_ns } => {
            let rounds = (slice_ns / (on_ns + off_ns).max(1)).clamp(1, PHASES_MAX / 2);
            (0..rounds).flat_map(|_| [phase(threads, on_ns), phase(0, off_ns)]).collect()
        }
        Schedule::Stall { stall_ns, phase_ns } => {
            let around = slice_ns.saturating_sub(stall_ns) / 2 / phase_ns.max(1);
            let around = around.clamp(1, PHASES_MAX / 2);
            let calm = || (0..around).map(|_| phase(threads, phase_ns));
            let stall = PhasePlan { active: threads, length_ns: stall_ns, stalled: true };
            calm().chain([stall]).chain(calm()).collect()
        }
    }
}

/// The words of one slice.
#[repr(C)]
pub struct Control<M: Machine> {
    signal: Line<M::AtomicU32>,
    arrived: Line<M::AtomicU32>,
    ran: Line<M::AtomicU32>,
    done: Line<M::AtomicU32>,
    plan: Vec<PhasePlan>,
}

impl<M: Machine> Control<M> {
    /// The words of a slice with these phases.
    pub fn new(plan: Vec<PhasePlan>) -> Self {
        let word = || Line(M::AtomicU32::new(0));
        Control { signal: word(), arrived: word(), ran: word(), done: word(), plan }
    }

    /// The plan of the phase that `signal` names; none while the slice opens.
    pub fn phase(&self, signal: u32) -> Option<&PhasePlan> {
        self.plan.get(signal.checked_sub(FIRST)? as usize)
    }

    /// The phases.
    pub fn plan(&self) -> &[PhasePlan] {
        &self.plan
    }

    /// What to do now.
    #[inline(always)]
    pub fn signal(&self) -> u32 {
        // Relaxed: the word is all that is said; slices are handed over by `arrive` and `finish`.
        self.signal.load(Ordering::Relaxed)
    }

    /// A worker is ready; returns when the slice opens.
    pub fn arrive(&self) {
        /// Polls before the poller lets others run: all cores may be needed for those who have not arrived.
        const POLLS: u32 = 2000;
        Self::raise(&self.arrived);
        let mut polls = 0;
        self.signal.spin_while(Ordering::Acquire, |signal| {
            polls += 1;
            if polls > POLLS {
                M::yield_now();
            }
            signal == CLOSED
        });
    }

    /// A worker has begun to work.
    pub fn run_once(&self) {
        Self::raise(&self.ran);
    }

    /// A worker has left the slice.
    pub fn finish(&self) {
        Self::raise(&self.done);
    }

    /// A worker that is not needed in the phase of `signal` sleeps until the next.
    pub fn sit_out(&self, signal: u32) {
        while self.signal() == signal {
            nap::<M, _>(|| M::futex_wait(&self.signal, signal, None));
        }
    }

    fn raise(count: &M::AtomicU32) {
        // Release: what the worker did before is visible to the controller that waits for the count.
        count.fetch_add(1, Ordering::Release);
        M::futex_wake(count, 1);
    }

    fn await_count(count: &M::AtomicU32, wanted: u32, deadline_ns: Option<u64>) {
        loop {
            let now = count.load(Ordering::Acquire);
            if now >= wanted || deadline_ns.is_some_and(|deadline| M::now_ns() >= deadline) {
                return;
            }
            M::futex_wait(count, now, deadline_ns);
        }
    }

    fn give(&self, signal: u32) -> u64 {
        let now_ns = M::now_ns();
        self.signal.store(signal, Ordering::Release);
        M::futex_wake(&self.signal, u32::MAX);
        now_ns
    }

    /// The controller lets the workers work, unmeasured, until all have run.
    pub fn open(&self, workers: u32) {
        Self::await_count(&self.arrived, workers, None);
        let opened_ns = self.give(OPEN);
        Self::await_count(&self.ran, workers, Some(opened_ns + OPEN_NS_MAX));
    }

    /// It leads them through the phases and stops them. `tick` is called about every `tick_ns` meanwhile, if that is not
    /// 0. Returns when each phase began, and when the last one ended.
    pub fn lead(&self, tick_ns: u64, mut tick: impl FnMut()) -> Vec<u64> {
        let mut borders_ns = Vec::with_capacity(self.plan.len() + 1);
        for (index, phase) in self.plan.iter().enumerate() {
            let begin_ns = self.give(FIRST + index as u32);
            borders_ns.push(begin_ns);
            let end_ns = begin_ns + phase.length_ns;
            loop {
                let now_ns = M::now_ns();
                if now_ns >= end_ns {
                    break;
                }
                let pause_ns = if tick_ns == 0 { u64::MAX } else { tick_ns };
                M::park_until(end_ns.min(now_ns.saturating_add(pause_ns)));
                if tick_ns != 0 {
                    tick();
                }
            }
        }
        borders_ns.push(self.give(STOP));
        borders_ns
    }

    /// It waits until all have left the slice.
    pub fn close(&self, workers: u32) {
        Self::await_count(&self.done, workers, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_fill_the_slice() {
        let total = |schedule: &Schedule| -> u64 {
            phases(schedule, 8, 100_000_000).iter().map(|phase| phase.length_ns).sum()
        };
        assert_eq!(total(&Schedule::Steady), 100_000_000);
        assert_eq!(total(&Schedule::Ramp { active: vec![1, 2, 4, 8, 4, 2, 1, 1] }), 100_000_000);
        assert_eq!(total(&Schedule::Bursts { on_ns: 5_000_000, off_ns: 5_000_000 }), 100_000_000);
        assert_eq!(total(&Schedule::Stall { stall_ns: 10_000_000, phase_ns: 1_000_000 }), 100_000_000);
    }

    #[test]
    fn one_phase_stalls_and_none_outgrows_the_threads() {
        let stall = phases(&Schedule::Stall { stall_ns: 10, phase_ns: 10 }, 2, 1000);
        assert_eq!(stall.iter().filter(|phase| phase.stalled).count(), 1);
        assert!(phases(&Schedule::Ramp { active: vec![99] }, 2, 1000).iter().all(|phase| phase.active <= 2));
    }
}
