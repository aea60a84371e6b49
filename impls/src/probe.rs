//! What primitives and drivers report while they run.
//!
//! A probe is a parameter of the machine. With [`NoProbe`] every report compiles to nothing, so that the measured code
//! is the code that ships. A probe that listens keeps its numbers in a slot per thread, which the machine hands it: the
//! probe itself has no state and takes no lock.

use std::cell::Cell;
use std::thread::LocalKey;

/// One report. The driver of a family reports the first group, the primitive the second.
///
/// The order within a stretch: `Prepare`, `Begin`, operations, `End`. Within one operation: `Request`, then any number of spins, parks and failed attempts, then `Acquired`,
/// `Owner`, and at last `Releasing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A worker will soon begin a timed stretch: whatever the probe needs is to be allocated, and touched, now. A page
    /// fault or a system call later would be measured, and may wait for a thread that is off its core.
    Prepare,
    /// A worker begins a timed stretch.
    Begin {
        /// Its index, from 0.
        worker: u32,
        /// How many there are.
        workers: u32,
    },
    /// It ends the stretch.
    End,
    /// The thread asks for the object now.
    Request {
        /// When an open loop meant to ask, on the machine's clock; 0 in a closed loop.
        intended_ns: u64,
    },
    /// The thread has the object.
    Acquired,
    /// Who had it before, as the guarded data tell.
    Owner {
        /// Index of the previous owner in the driver, or `u32::MAX` for none.
        previous_worker: u32,
        /// Whether the previous owner, when it became the owner, ran on another core; false for the thread itself.
        other_core: bool,
    },
    /// The thread is about to give the object back.
    Releasing,

    /// A wait by polling begins.
    SpinBegin,
    /// It ended after so many rounds. The probe learns from what follows whether it was useful.
    SpinEnd {
        /// Polls made.
        rounds: u32,
    },
    /// A compare-exchange lost against another thread.
    FailedCas,
    /// The thread is about to sleep.
    ParkBegin,
    /// It runs again.
    ParkEnd {
        /// When the waker decided, on the machine's clock; 0 when unknown or timed out.
        woken_ns: u64,
    },
    /// The thread has woken another one.
    Wake,
    /// Woken, but the object had been taken by someone else: the thread waits again.
    LostRace,
    /// The thread has passed the object straight to a waiter.
    HandOff,
    /// The object entered starvation mode.
    StarvingBegin,
    /// The object left starvation mode.
    StarvingEnd,
}

/// A listener, chosen at compile time.
pub trait Probe: Copy + Send + Sync + 'static {
    /// Whether it listens at all. Code that only serves a probe stands behind `if P::ON`.
    const ON: bool;
    /// What one thread collects.
    type Slot: Default + Send + 'static;
    /// Where the `os` machine keeps a pointer to the calling thread's slot; null while nobody observes.
    fn os_slot() -> &'static LocalKey<Cell<*const Self::Slot>>;
    /// Takes note of `event` on the primitive at address `object`. `now` reads the machine's clock.
    fn event(slot: &Self::Slot, event: Event, object: usize, now: impl Fn() -> u64);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    const ON: bool = false;
    type Slot = ();
    fn os_slot() -> &'static LocalKey<Cell<*const ()>> {
        thread_local!(static NEVER: Cell<*const ()> = const { Cell::new(core::ptr::null()) });
        &NEVER
    }
    #[inline(always)]
    fn event((): &(), _: Event, _: usize, _: impl Fn() -> u64) {}
}
