//! A probe by which a test sees what a thread is doing, so that it need not guess with sleeps.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::LocalKey;

use crate::machine::os::Os;
use crate::probe::{Clock, Event, Probe};

/// The machine of the battery's staged tests: this computer, watched.
pub type Watched = Os<Watch>;

/// The probe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watch;

/// What one thread has reported. Written by that thread, read by the test.
#[derive(Debug, Default)]
pub struct Seen {
    begun: AtomicU32,
    ended: AtomicU32,
    parks_begun: AtomicU32,
    parks_ended: AtomicU32,
    lost_races: AtomicU32,
    hand_offs: AtomicU32,
    starving_begun: AtomicU32,
    starving_ended: AtomicU32,
}

impl Seen {
    /// Whether the thread polls or sleeps at this moment.
    pub fn is_waiting(&self) -> bool {
        // `ended` first: a wait that ends between the two loads must not look like two.
        let ended = self.ended.load(Ordering::Acquire);
        self.begun.load(Ordering::Acquire) > ended
    }
    /// Spins and parks that began, and that ended.
    pub fn waits(&self) -> (u32, u32) {
        (self.begun.load(Ordering::Acquire), self.ended.load(Ordering::Acquire))
    }
    /// Parks that began, and that ended.
    pub fn parks(&self) -> (u32, u32) {
        (self.parks_begun.load(Ordering::Acquire), self.parks_ended.load(Ordering::Acquire))
    }
    /// Times that the thread was woken and found the object taken.
    pub fn lost_races(&self) -> u32 {
        self.lost_races.load(Ordering::Acquire)
    }
    /// Times that the thread passed the object on.
    pub fn hand_offs(&self) -> u32 {
        self.hand_offs.load(Ordering::Acquire)
    }
    /// Times that the thread began, and ended, starvation mode.
    pub fn starving(&self) -> (u32, u32) {
        (self.starving_begun.load(Ordering::Acquire), self.starving_ended.load(Ordering::Acquire))
    }
}

impl Probe for Watch {
    const ON: bool = true;
    type Slot = Seen;
    fn os_slot() -> &'static LocalKey<Cell<*const Seen>> {
        thread_local!(static SLOT: Cell<*const Seen> = const { Cell::new(ptr::null()) });
        &SLOT
    }
    fn event(seen: &Seen, event: Event, _: usize, _: &impl Clock) {
        let counters: &[&AtomicU32] = match event {
            Event::SpinBegin => &[&seen.begun],
            Event::SpinEnd { .. } => &[&seen.ended],
            Event::ParkBegin => &[&seen.parks_begun, &seen.begun],
            Event::ParkEnd { .. } => &[&seen.parks_ended, &seen.ended],
            Event::LostRace => &[&seen.lost_races],
            Event::HandOff => &[&seen.hand_offs],
            Event::StarvingBegin => &[&seen.starving_begun],
            Event::StarvingEnd => &[&seen.starving_ended],
            _ => &[],
        };
        for counter in counters {
            counter.fetch_add(1, Ordering::Release);
        }
    }
}
