//! The probe that times every acquire.
//!
//! Three clock reads an operation: on asking, on having, on giving back. What they say is recorded when the thread asks
//! again, before that stamp, so that recording lengthens neither a wait nor a hold but the time between.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::thread::LocalKey;

use hdrhistogram::Histogram;
use impls::probe::{Event, Probe};

use super::tally::{PARKED, SPUN, Tally, add};
use super::touched_histogram;
use crate::ledger::Stamped;
use crate::timeline::Bins;

/// Slow waits that one thread logs in one slice; later ones are counted, not logged.
pub const INTERVALS_MAX: usize = 65_536;
/// A wait as long as this is logged even if the primitive reported neither spin nor sleep.
pub const LONG_WAIT_NS: u64 = 1_000;

/// Counts and times everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct FullProbe;

/// What [`FullProbe`] keeps for one thread.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct FullSlot {
    pub(super) tally: Tally,
    phase: Cell<Phase>,
    slow: Cell<bool>,
    intended_ns: Cell<u64>,
    request_ns: Cell<u64>,
    acquired_ns: Cell<u64>,
    releasing_ns: Cell<u64>,
    waiting: Waiting,
    pub(super) timed: RefCell<Option<Box<Timed>>>,
}

/// Where in an operation the thread is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Before the first operation, or after the last.
    #[default]
    Outside,
    Waits,
    Holds,
    /// After an operation, which is not recorded yet.
    Thinks,
}

/// Stamps of the slow path of the operation under way.
#[derive(Debug, Default)]
struct Waiting {
    spin_from_ns: Cell<u64>,
    park_from_ns: Cell<u64>,
    /// Parks begun and not ended: an inner lock may sleep inside a sleep. The outermost is timed.
    parks_open: Cell<u32>,
}

/// Times of one thread in one slice.
#[derive(Debug)]
pub(super) struct Timed {
    pub(super) wait: Histogram<u64>,
    pub(super) hold: Histogram<u64>,
    pub(super) wake: Histogram<u64>,
    pub(super) wait_ns_max: u64,
    pub(super) stamped: Stamped,
    pub(super) bins: Bins,
    /// Slow waits, from asking to having.
    pub(super) intervals: Vec<(u64, u64)>,
    pub(super) begin_ns: u64,
    wait_ns_sum: u64,
    slow_wait_ns_sum: u64,
    hold_ns_sum: u64,
}

impl Probe for FullProbe {
    const ON: bool = true;
    type Slot = FullSlot;

    #[inline(always)]
    fn os_slot() -> &'static LocalKey<Cell<*const FullSlot>> {
        thread_local!(static SLOT: Cell<*const FullSlot> = const { Cell::new(ptr::null()) });
        &SLOT
    }

    #[inline(always)]
    fn event(slot: &FullSlot, event: Event, object: usize, now: impl Fn() -> u64) {
        match event {
            Event::Request { intended_ns } => {
                slot.tally.request();
                slot.record();
                slot.phase.set(Phase::Waits);
                if slot.slow.get() {
                    slot.slow.set(false);
                }
                slot.intended_ns.set(intended_ns);
                slot.request_ns.set(now());
            }
            Event::Acquired => {
                slot.acquired_ns.set(now());
                slot.phase.set(Phase::Holds);
                add(&slot.tally.acquires, 1);
                if slot.tally.marks.get() != 0 {
                    slot.acquired_slowly();
                }
            }
            Event::Owner { previous_worker, other_core } => {
                slot.tally.owner(previous_worker, other_core, || slot.tally.acquires.get());
            }
            Event::Releasing => {
                slot.releasing_ns.set(now());
                slot.phase.set(Phase::Thinks);
            }
            Event::FailedCas => add(&slot.tally.failed_cas, 1),
            rare => slot.rare(rare, object, &now),
        }
    }
}

impl FullSlot {
    /// Records the operation that has just ended, if one has.
    #[inline(always)]
    fn record(&self) {
        if self.phase.get() != Phase::Thinks {
            return;
        }
        if let Some(timed) = self.timed.borrow_mut().as_mut() {
            let times = [&self.request_ns, &self.acquired_ns, &self.releasing_ns].map(Cell::get);
            timed.operation(times, self.intended_ns.get(), self.slow.get());
        }
    }

    #[cold]
    #[inline(never)]
    fn acquired_slowly(&self) {
        if self.tally.marks.get() & (SPUN | PARKED) != 0 {
            self.slow.set(true);
        }
        self.tally.acquired_slowly();
    }

    #[cold]
    #[inline(never)]
    fn rare(&self, event: Event, object: usize, now: &dyn Fn() -> u64) {
        match event {
            Event::Prepare => *self.timed.borrow_mut() = Some(Box::new(Timed::touched())),
            Event::Begin { .. } => {
                self.timed.borrow_mut().get_or_insert_with(|| Box::new(Timed::touched())).begin(now());
                self.phase.set(Phase::Outside);
                self.waiting.parks_open.set(0);
            }
            Event::End => {
                self.record();
                self.phase.set(Phase::Outside);
                if let Some(timed) = self.timed.borrow_mut().as_mut() {
                    timed.end(now());
                }
            }
            Event::SpinBegin => self.waiting.spin_from_ns.set(now()),
            Event::SpinEnd { .. } => self.spun(now()),
            Event::ParkBegin => {
                let open = self.waiting.parks_open.get();
                self.waiting.parks_open.set(open + 1);
                if open == 0 {
                    self.waiting.park_from_ns.set(now());
                }
            }
            Event::ParkEnd { woken_ns } => self.parked(woken_ns, now()),
            _ => {}
        }
        self.tally.rare(event, object, now);
    }

    fn spun(&self, now_ns: u64) {
        if self.phase.get() == Phase::Waits && self.waiting.parks_open.get() == 0 {
            let spin_ns = now_ns.saturating_sub(self.waiting.spin_from_ns.get());
            if let Some(timed) = self.timed.borrow_mut().as_mut() {
                timed.stamped.spin_ns += spin_ns;
            }
        }
    }

    fn parked(&self, woken_ns: u64, now_ns: u64) {
        let open = self.waiting.parks_open.get().saturating_sub(1);
        self.waiting.parks_open.set(open);
        if open > 0 {
            return;
        }
        if let Some(timed) = self.timed.borrow_mut().as_mut() {
            timed.parked(self.phase.get(), self.waiting.park_from_ns.get(), woken_ns, now_ns);
        }
    }
}

impl Timed {
    /// Empty books, every page of which has been written once.
    fn touched() -> Self {
        let mut intervals = vec![(1, 1); INTERVALS_MAX];
        intervals.clear();
        Timed {
            wait: touched_histogram(),
            hold: touched_histogram(),
            wake: touched_histogram(),
            wait_ns_max: 0,
            stamped: Stamped::default(),
            bins: Bins::new(0),
            intervals,
            begin_ns: 0,
            wait_ns_sum: 0,
            slow_wait_ns_sum: 0,
            hold_ns_sum: 0,
        }
    }

    fn begin(&mut self, begin_ns: u64) {
        self.begin_ns = begin_ns;
        self.bins.restart(begin_ns);
    }

    #[inline(always)]
    fn operation(&mut self, [request_ns, acquired_ns, releasing_ns]: [u64; 3], intended_ns: u64, slow: bool) {
        let wait_ns = acquired_ns.saturating_sub(request_ns);
        let hold_ns = releasing_ns.saturating_sub(acquired_ns);
        let from_ns = if intended_ns == 0 { request_ns } else { intended_ns };
        let latency_ns = acquired_ns.saturating_sub(from_ns);
        self.wait.saturating_record(latency_ns);
        self.hold.saturating_record(hold_ns);
        self.wait_ns_max = self.wait_ns_max.max(latency_ns);
        self.wait_ns_sum += wait_ns;
        self.hold_ns_sum += hold_ns;
        self.bins.operation(request_ns, acquired_ns);
        if slow || wait_ns >= LONG_WAIT_NS {
            self.slow_wait(request_ns, acquired_ns, slow);
        }
    }

    #[cold]
    #[inline(never)]
    fn slow_wait(&mut self, request_ns: u64, acquired_ns: u64, slow: bool) {
        if slow {
            self.slow_wait_ns_sum += acquired_ns.saturating_sub(request_ns);
        }
        if self.intervals.len() < INTERVALS_MAX {
            self.intervals.push((request_ns, acquired_ns));
        }
    }

    fn parked(&mut self, phase: Phase, from_ns: u64, woken_ns: u64, now_ns: u64) {
        let whole_ns = now_ns.saturating_sub(from_ns);
        let waits = phase == Phase::Waits;
        let stamped = &mut self.stamped;
        stamped.parks += 1;
        let wake_ns = if woken_ns == 0 { 0 } else { now_ns.saturating_sub(woken_ns.max(from_ns)) };
        match (waits, woken_ns) {
            (true, 0) => stamped.park_unsplit_ns += whole_ns,
            (true, _) => {
                stamped.park_ns += whole_ns - wake_ns;
                stamped.wake_ns += wake_ns;
                self.wake.saturating_record(wake_ns);
            }
            (false, _) if phase == Phase::Holds => stamped.hold_asleep_ns += whole_ns,
            (false, _) => stamped.think_asleep_ns += whole_ns,
        }
    }

    /// Closes the books: what is neither wait nor hold is think.
    fn end(&mut self, end_ns: u64) {
        let stamped = &mut self.stamped;
        stamped.wait_ns = self.wait_ns_sum;
        stamped.fast_ns = self.wait_ns_sum - self.slow_wait_ns_sum;
        stamped.hold_ns = self.hold_ns_sum;
        stamped.think_ns = end_ns
            .saturating_sub(self.begin_ns)
            .saturating_sub(self.wait_ns_sum)
            .saturating_sub(self.hold_ns_sum);
        let told_ns = stamped.spin_ns + stamped.park_ns + stamped.park_unsplit_ns + stamped.wake_ns;
        stamped.lost_ns = self.slow_wait_ns_sum.saturating_sub(told_ns);
        self.bins.end();
    }
}
