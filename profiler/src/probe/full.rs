//! The probe that times every acquire.
//!
//! Three clock reads an operation: on asking, on having, on giving back. What they say is recorded when the thread asks
//! again, before that stamp, so that recording lengthens neither a wait nor a hold but the time between. An operation
//! that ends with having, since there is nothing to give back, costs two reads; it has no hold.
//!
//! Stamps stay what the clock counts, and so does whatever every operation adds to ([`super::timed`]).

use std::cell::{Cell, OnceCell};
use std::ptr;
use std::thread::LocalKey;

use impls::probe::{Clock, Event, Probe};

use super::tally::{PARKED, SPUN, Tally, add};
use super::timed::{Asleep, Operation, Timed};

/// Counts and times everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct FullProbe;

/// What [`FullProbe`] keeps for one thread. In this order: what every operation touches lies together, in front.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct FullSlot {
    phase: Cell<Phase>,
    slow: Cell<bool>,
    request: Cell<u64>,
    acquired: Cell<u64>,
    releasing: Cell<u64>,
    intended_ns: Cell<u64>,
    pub(super) timed: OnceCell<Box<Timed>>,
    /// Its acquires are those recorded: the operation under way is added when that is done.
    pub(super) tally: Tally,
    waiting: Waiting,
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

impl Probe for FullProbe {
    const ON: bool = true;
    type Slot = FullSlot;

    #[inline(always)]
    fn os_slot() -> &'static LocalKey<Cell<*const FullSlot>> {
        thread_local!(static SLOT: Cell<*const FullSlot> = const { Cell::new(ptr::null()) });
        &SLOT
    }

    #[inline(always)]
    fn event(slot: &FullSlot, event: Event, object: usize, clock: &impl Clock) {
        match event {
            Event::Request { intended_ns } => {
                slot.tally.request();
                slot.record(clock);
                slot.intended_ns.set(intended_ns);
                slot.phase.set(Phase::Waits);
                slot.request.set(clock.stamp());
            }
            Event::Acquired => {
                slot.acquired.set(clock.stamp());
                slot.phase.set(Phase::Holds);
                if slot.tally.marks.get() != 0 {
                    slot.acquired_slowly();
                }
            }
            Event::Owner { previous_worker, other_core } => {
                slot.tally.owner(previous_worker, other_core, || slot.acquires());
            }
            Event::Releasing => {
                slot.releasing.set(clock.stamp());
                slot.phase.set(Phase::Thinks);
            }
            Event::FailedCas => add(&slot.tally.failed_cas, 1),
            rare => slot.rare(rare, object, clock),
        }
    }
}

impl FullSlot {
    /// Makes books whose memory is taken as it is needed.
    pub(super) fn prepare_untouched(&self) {
        self.timed.get_or_init(|| Box::new(Timed::untouched()));
    }

    /// Records the operation that has just ended, if one has.
    #[inline(always)]
    fn record(&self, clock: &impl Clock) {
        let releasing = match self.phase.get() {
            Phase::Thinks => Some(self.releasing.get()),
            Phase::Holds => None,
            Phase::Outside | Phase::Waits => return,
        };
        add(&self.tally.acquires, 1);
        let Some(timed) = self.timed.get() else { return };
        let operation = Operation {
            request: self.request.get(),
            acquired: self.acquired.get(),
            releasing,
            intended_ns: self.intended_ns.get(),
            slow: self.slow.get(),
        };
        if timed.operation(&operation, self.tally.acquires.get(), clock) {
            self.slow.set(false);
        }
    }

    /// Acquires so far: those recorded, and the one that is not yet.
    fn acquires(&self) -> u64 {
        self.tally.acquires.get() + u64::from(matches!(self.phase.get(), Phase::Holds | Phase::Thinks))
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
    fn rare(&self, event: Event, object: usize, clock: &dyn Clock) {
        match event {
            Event::Prepare => {
                self.timed.get_or_init(|| Box::new(Timed::touched()));
            }
            Event::Begin { .. } => {
                self.timed.get_or_init(|| Box::new(Timed::touched())).begin(self.tally.acquires.get(), clock);
                self.phase.set(Phase::Outside);
                self.slow.set(false);
                self.waiting.parks_open.set(0);
            }
            Event::End => {
                self.record(&clock);
                self.phase.set(Phase::Outside);
                if let Some(timed) = self.timed.get() {
                    timed.end(self.tally.acquires.get(), clock.now_ns());
                }
            }
            Event::SpinBegin => self.waiting.spin_from_ns.set(clock.now_ns()),
            Event::SpinEnd { .. } => self.spun(clock.now_ns()),
            Event::ParkBegin => {
                let open = self.waiting.parks_open.get();
                self.waiting.parks_open.set(open + 1);
                if open == 0 {
                    self.waiting.park_from_ns.set(clock.now_ns());
                }
            }
            Event::ParkEnd { woken_ns } => self.parked(woken_ns, clock.now_ns()),
            _ => {}
        }
        self.tally.rare(event, object, clock);
    }

    fn spun(&self, now_ns: u64) {
        if self.phase.get() == Phase::Waits
            && self.waiting.parks_open.get() == 0
            && let Some(timed) = self.timed.get()
        {
            timed.spun(now_ns.saturating_sub(self.waiting.spin_from_ns.get()));
        }
    }

    fn parked(&self, woken_ns: u64, now_ns: u64) {
        let open = self.waiting.parks_open.get().saturating_sub(1);
        self.waiting.parks_open.set(open);
        if open > 0 {
            return;
        }
        let asleep = match self.phase.get() {
            Phase::Waits => Asleep::Waiting,
            Phase::Holds => Asleep::Holding,
            Phase::Outside | Phase::Thinks => Asleep::Thinking,
        };
        if let Some(timed) = self.timed.get() {
            timed.parked(asleep, self.waiting.park_from_ns.get(), woken_ns, now_ns);
        }
    }
}
