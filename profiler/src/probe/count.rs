//! The probe that counts and reads no clock, but where the object enters or leaves starvation mode.

use std::cell::Cell;
use std::ptr;
use std::thread::LocalKey;

use impls::probe::{Clock, Event, Probe};

use super::tally::{Tally, add};

/// Counts everything, times nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountProbe;

/// What [`CountProbe`] keeps for one thread. Lines of its own: neighbours in an array belong to other threads.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct CountSlot {
    pub(super) tally: Tally,
}

impl Probe for CountProbe {
    const ON: bool = true;
    type Slot = CountSlot;

    #[inline(always)]
    fn os_slot() -> &'static LocalKey<Cell<*const CountSlot>> {
        thread_local!(static SLOT: Cell<*const CountSlot> = const { Cell::new(ptr::null()) });
        &SLOT
    }

    #[inline(always)]
    fn event(slot: &CountSlot, event: Event, object: usize, clock: &impl Clock) {
        match event {
            Event::Request { .. } => slot.tally.request(),
            Event::Acquired => slot.tally.acquired(),
            Event::Owner { previous_worker, other_core } => {
                slot.tally.owner(previous_worker, other_core, || slot.tally.acquires.get());
            }
            Event::Releasing => {}
            Event::FailedCas => add(&slot.tally.failed_cas, 1),
            rare => slot.tally.rare(rare, object, clock),
        }
    }
}
