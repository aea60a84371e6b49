//! The full probe of simulated threads.
//!
//! A probe costs a simulated thread nothing, so there is no reason to look less closely. But there may be a thousand
//! threads: memory that has been touched before the stretch would be a gigabyte then, and buys nothing where a page fault
//! takes no simulated time.

use std::cell::Cell;
use std::ptr;
use std::thread::LocalKey;

use impls::probe::{Clock, Event, Probe};
use record::ProbeMode;

use super::full::{FullProbe, FullSlot};
use super::{Collect, CollectContext, Collected};

/// Counts and times everything, in memory that is taken when it is needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimProbe;

impl Probe for SimProbe {
    const ON: bool = true;
    type Slot = FullSlot;

    fn os_slot() -> &'static LocalKey<Cell<*const FullSlot>> {
        thread_local!(static SLOT: Cell<*const FullSlot> = const { Cell::new(ptr::null()) });
        &SLOT
    }

    fn event(slot: &FullSlot, event: Event, object: usize, clock: &impl Clock) {
        if event == Event::Prepare {
            slot.prepare_untouched();
        } else {
            FullProbe::event(slot, event, object, clock);
        }
    }
}

impl Collect for SimProbe {
    const MODE: ProbeMode = ProbeMode::Full;
    fn collect(slices: Vec<Vec<FullSlot>>, context: &CollectContext<'_>) -> anyhow::Result<Collected> {
        FullProbe::collect(slices, context)
    }
}
