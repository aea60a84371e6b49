//! What primitives and drivers report while they run.
//!
//! A probe is a parameter of the machine. With [`NoProbe`] every report compiles to nothing, so that the measured code
//! is the code that ships. A probe that listens keeps its numbers in a slot per thread, which the machine hands it: the
//! probe itself has no state and takes no lock.

use std::cell::Cell;
use std::thread::LocalKey;

/// One report. The driver of a family reports the first group, the primitive the second.
///
/// The order within a stretch: `Prepare`, `Begin`, operations, `End`. Within one operation: `Request`, then any number
/// of spins, parks and failed attempts, then `Acquired`, `Owner` if it changed, and at last `Releasing`. An operation
/// after which there is nothing to give back ends with `Acquired`.
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
    /// The thread, which holds one object, will ask for another one next: `Request` follows. Where it is not reported,
    /// nobody asks for anything while holding.
    Nested {
        /// Address of the object that it holds.
        held: usize,
    },
    /// The thread has the object.
    Acquired,
    /// Somebody else had it before, as the guarded data tell. Who takes an object again need not say so.
    Owner {
        /// Index of the previous owner in the driver, or `u32::MAX` for none.
        previous_worker: u32,
        /// Whether the previous owner, when it became the owner, ran on another core.
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

/// The clock of a machine, as a probe reads it.
///
/// A stamp is what the clock itself counts. Whoever times every operation keeps stamps and converts them later: the
/// conversion would lengthen what is timed.
pub trait Clock {
    /// Reads the clock, in its own unit.
    fn stamp(&self) -> u64;
    /// What a stamp says on the machine's clock, ns.
    fn ns(&self, stamp: u64) -> u64;
    /// What the difference of two stamps means.
    fn scale(&self) -> Scale;
    /// Reads the clock, in ns.
    #[inline(always)]
    fn now_ns(&self) -> u64 {
        self.ns(self.stamp())
    }
}

/// A clock that counts in ns.
impl<F: Fn() -> u64> Clock for F {
    #[inline(always)]
    fn stamp(&self) -> u64 {
        self()
    }
    #[inline(always)]
    fn ns(&self, stamp: u64) -> u64 {
        stamp
    }
    fn scale(&self) -> Scale {
        Scale::NS
    }
}

/// What is out of line takes any clock, and may have to pass it on.
impl Clock for &dyn Clock {
    fn stamp(&self) -> u64 {
        (**self).stamp()
    }
    fn ns(&self, stamp: u64) -> u64 {
        (**self).ns(stamp)
    }
    fn scale(&self) -> Scale {
        (**self).scale()
    }
}

/// How long a clock's count is, as a fraction: ns in 2^32 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(pub u64);

impl Scale {
    /// Of a clock that counts in ns.
    pub const NS: Scale = Scale(1 << 32);

    /// How long `counts` take, ns.
    #[inline(always)]
    pub fn ns(self, counts: u64) -> u64 {
        ((u128::from(counts) * u128::from(self.0)) >> 32) as u64
    }

    /// Counts in `ns`.
    pub fn counts(self, ns: u64) -> u64 {
        u64::try_from((u128::from(ns) << 32) / u128::from(self.0.max(1))).unwrap_or(u64::MAX)
    }
}

/// A listener, chosen at compile time.
pub trait Probe: Copy + Send + Sync + 'static {
    /// Whether it listens at all. Code that only serves a probe stands behind `if P::ON`.
    const ON: bool;
    /// What one thread collects.
    type Slot: Default + Send + 'static;
    /// Where the `os` machine keeps a pointer to the calling thread's slot; null while nobody observes.
    fn os_slot() -> &'static LocalKey<Cell<*const Self::Slot>>;
    /// Takes note of `event` on the primitive at address `object`.
    fn event(slot: &Self::Slot, event: Event, object: usize, clock: &impl Clock);
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
    fn event((): &(), _: Event, _: usize, _: &impl Clock) {}
}
