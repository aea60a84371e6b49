//! The probe that counts everything and times one acquire in 64.
//!
//! The gap between two timed acquires is drawn, with a mean of 64: a fixed gap would see always the same operation of
//! a pattern that repeats. Draws, clock reads and records are all in the timed operations.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::thread::LocalKey;

use hdrhistogram::Histogram;
use impls::probe::{Clock, Event, Probe};

use super::tally::{TIMED, Tally, add};
use super::touched_histogram;

/// Mean number of acquires from one timed to the next.
pub const SAMPLING_PERIOD: u32 = 64;

/// Counts everything, times one acquire in [`SAMPLING_PERIOD`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SampleProbe;

/// What [`SampleProbe`] keeps for one thread.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct SampleSlot {
    /// Acquires up to the next timed one, that one included. The countdown is also the count: acquires are added to
    /// the tally a whole gap at a time.
    left: Cell<u32>,
    /// Where the countdown began.
    gap: Cell<u32>,
    pub(super) tally: Tally,
    stamps: Cell<Stamps>,
    pub(super) sampled: RefCell<Option<Box<Sampled>>>,
}

/// Stamps of the timed operation; recorded when the next one begins.
#[derive(Clone, Copy, Debug, Default)]
struct Stamps {
    /// When it asked, or in an open loop should have asked.
    from_ns: u64,
    /// 0 while it waits.
    acquired_ns: u64,
    /// 0 while it holds.
    releasing_ns: u64,
}

/// The distributions of the timed operations.
#[derive(Debug)]
pub(super) struct Sampled {
    pub(super) wait: Histogram<u64>,
    pub(super) hold: Histogram<u64>,
    pub(super) wake: Histogram<u64>,
    pub(super) wait_ns_max: u64,
    random: u32,
}

impl Default for SampleSlot {
    fn default() -> Self {
        SampleSlot {
            left: Cell::new(u32::MAX),
            gap: Cell::new(u32::MAX),
            tally: Tally::default(),
            stamps: Cell::default(),
            sampled: RefCell::new(None),
        }
    }
}

impl Probe for SampleProbe {
    const ON: bool = true;
    type Slot = SampleSlot;

    #[inline(always)]
    fn os_slot() -> &'static LocalKey<Cell<*const SampleSlot>> {
        thread_local!(static SLOT: Cell<*const SampleSlot> = const { Cell::new(ptr::null()) });
        &SLOT
    }

    #[inline(always)]
    fn event(slot: &SampleSlot, event: Event, object: usize, clock: &impl Clock) {
        match event {
            Event::Request { intended_ns } => {
                slot.tally.request();
                if slot.left.get() == 1 {
                    slot.begin_timed(intended_ns, clock);
                }
            }
            Event::Acquired => {
                slot.left.set(slot.left.get().wrapping_sub(1));
                if slot.tally.marks.get() != 0 {
                    slot.acquired_marked(clock);
                }
            }
            Event::Owner { previous_worker, other_core } => {
                slot.tally.owner(previous_worker, other_core, || slot.acquires());
            }
            Event::Releasing => {
                if slot.tally.marks.get() & TIMED != 0 {
                    slot.releasing_timed(clock);
                }
            }
            Event::FailedCas => add(&slot.tally.failed_cas, 1),
            rare => slot.rare(rare, object, clock),
        }
    }
}

impl SampleSlot {
    #[cold]
    #[inline(never)]
    fn begin_timed(&self, intended_ns: u64, clock: &dyn Clock) {
        self.record();
        self.tally.marks.set(TIMED);
        let from_ns = if intended_ns == 0 { clock.now_ns() } else { intended_ns };
        self.stamps.set(Stamps { from_ns, acquired_ns: 0, releasing_ns: 0 });
    }

    #[cold]
    #[inline(never)]
    fn acquired_marked(&self, clock: &dyn Clock) {
        if self.tally.marks.get() & TIMED != 0 {
            self.stamps.set(Stamps { acquired_ns: clock.now_ns(), ..self.stamps.get() });
            self.count_down_again();
        }
        self.tally.acquired_slowly();
    }

    #[cold]
    #[inline(never)]
    fn releasing_timed(&self, clock: &dyn Clock) {
        self.stamps.set(Stamps { releasing_ns: clock.now_ns(), ..self.stamps.get() });
    }

    #[cold]
    #[inline(never)]
    fn rare(&self, event: Event, object: usize, clock: &dyn Clock) {
        match event {
            Event::Prepare => self.prepare(),
            Event::Begin { worker, .. } => self.begin(worker),
            Event::End => {
                self.record();
                self.count_down_again();
            }
            Event::ParkEnd { woken_ns } if woken_ns != 0 && self.waits_timed() => {
                let wake_ns = clock.now_ns().saturating_sub(woken_ns);
                if let Some(sampled) = self.sampled.borrow_mut().as_mut() {
                    sampled.wake.saturating_record(wake_ns);
                }
            }
            _ => {}
        }
        self.tally.rare(event, object, clock);
    }

    fn prepare(&self) {
        *self.sampled.borrow_mut() = Some(Box::new(Sampled {
            wait: touched_histogram(),
            hold: touched_histogram(),
            wake: touched_histogram(),
            wait_ns_max: 0,
            random: 1,
        }));
    }

    fn begin(&self, worker: u32) {
        if self.sampled.borrow().is_none() {
            self.prepare();
        }
        let gap = self.sampled.borrow_mut().as_mut().map_or(u32::MAX, |sampled| {
            // Each worker its own sequence, never 0.
            sampled.random = worker.wrapping_mul(0x9E37_79B9) | 1;
            sampled.gap()
        });
        self.left.set(gap);
        self.gap.set(gap);
        self.stamps.set(Stamps::default());
    }

    /// Adds to the tally what was counted down, and draws the next gap.
    fn count_down_again(&self) {
        self.tally.acquires.set(self.acquires());
        let gap = self.sampled.borrow_mut().as_mut().map_or(u32::MAX, |sampled| sampled.gap());
        self.left.set(gap);
        self.gap.set(gap);
    }

    /// Acquires so far: those of whole gaps, and those of the countdown under way.
    fn acquires(&self) -> u64 {
        self.tally.acquires.get().wrapping_add(self.gap.get().wrapping_sub(self.left.get()).into())
    }

    fn waits_timed(&self) -> bool {
        self.tally.marks.get() & TIMED != 0 && self.stamps.get().acquired_ns == 0
    }

    /// Records the last timed operation, as far as it came. The hold of an object under which another one was asked for is
    /// not known.
    fn record(&self) {
        let Stamps { from_ns, acquired_ns, releasing_ns } = self.stamps.take();
        if let Some(sampled) = self.sampled.borrow_mut().as_mut()
            && acquired_ns != 0
        {
            let wait_ns = acquired_ns.saturating_sub(from_ns);
            sampled.wait.saturating_record(wait_ns);
            sampled.wait_ns_max = sampled.wait_ns_max.max(wait_ns);
            if releasing_ns != 0 {
                sampled.hold.saturating_record(releasing_ns.saturating_sub(acquired_ns));
            }
        }
    }
}

impl Sampled {
    /// Acquires until the next timed one: uniform from 1 to 2 x 64 - 1.
    fn gap(&mut self) -> u32 {
        // xorshift32 (Marsaglia 2003).
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        1 + (self.random >> 8) % (2 * SAMPLING_PERIOD - 1)
    }
}
