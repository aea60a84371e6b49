//! The one place that reads raw cycle counters.
//!
//! A clock read is the dearest part of a timed event: the counter costs about 10 ns where `clock_gettime` costs 25.
//! The counter is used only where the processor says that it runs at a constant rate in all power states
//! ([`source`] tells); elsewhere the clock of the operating system serves.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::probe::{self, Scale};

/// Where the machine's time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The time-stamp counter, invariant, calibrated against the operating system's clock.
    Tsc {
        /// Counts per second.
        hz: u64,
    },
    /// The operating system's monotonic clock, with the reason why the counter is not used.
    Monotonic(&'static str),
}

struct Clock {
    source: Source,
    origin: Instant,
    origin_count: u64,
    /// ns per count, as a fraction of 2^32; 0 when the counter is not used.
    scale: u64,
}

static CLOCK: OnceLock<Clock> = OnceLock::new();
/// Copies of what a read needs, so that a read asks nothing else: `Clock::scale`, 0 before the calibration or without
/// the counter.
static SCALE: AtomicU64 = AtomicU64::new(0);
/// `Clock::origin_count`; valid once `SCALE` is not 0.
static ORIGIN: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds since the first call in this process. Never goes back on one thread; between threads it is as good as
/// the counters of the cores agree (`synchroscope doctor` measures their skew).
#[inline(always)]
pub fn now_ns() -> u64 {
    probe::Clock::now_ns(&OsClock)
}

/// The clock in use.
pub fn source() -> Source {
    clock().source
}

/// This computer's clock. A stamp is a count of the counter, or ns where the counter is not used.
#[derive(Clone, Copy, Debug)]
pub struct OsClock;

impl probe::Clock for OsClock {
    #[inline(always)]
    fn stamp(&self) -> u64 {
        // Relaxed: only whether the counter is in use.
        if SCALE.load(Ordering::Relaxed) == 0 { stamp_without_scale() } else { counter() }
    }
    #[inline(always)]
    fn ns(&self, stamp: u64) -> u64 {
        // Acquire: pairs with the Release in `clock`, so that the origin is there.
        let scale = SCALE.load(Ordering::Acquire);
        if scale == 0 {
            return stamp;
        }
        // The difference of the two counts may be negative for a core that lags at the very start.
        let counts = stamp.saturating_sub(ORIGIN.load(Ordering::Relaxed));
        Scale(scale).ns(counts)
    }
    fn scale(&self) -> Scale {
        match clock().scale {
            0 => Scale::NS,
            scale => Scale(scale),
        }
    }
}

/// Calibrates at the first call.
fn clock() -> &'static Clock {
    CLOCK.get_or_init(|| {
        let clock = calibrate();
        // Relaxed: published by the next store.
        ORIGIN.store(clock.origin_count, Ordering::Relaxed);
        // Release: pairs with the Acquire in `ns`.
        SCALE.store(clock.scale, Ordering::Release);
        clock
    })
}

#[cold]
#[inline(never)]
fn stamp_without_scale() -> u64 {
    let clock = clock();
    if clock.scale == 0 { clock.origin.elapsed().as_nanos() as u64 } else { counter() }
}

fn calibrate() -> Clock {
    let monotonic = |reason| Clock {
        source: Source::Monotonic(reason),
        origin: Instant::now(),
        origin_count: 0,
        scale: 0,
    };
    if let Err(reason) = counter_is_usable() {
        return monotonic(reason);
    }
    // Two pairs of readings, 5 ms apart; each pair is the tightest of many, so that an interrupt between the two
    // clocks of a pair does not enter.
    let (origin, origin_count) = reading();
    std::thread::sleep(Duration::from_millis(5));
    let (end, end_count) = reading();
    let elapsed_ns = end.duration_since(origin).as_nanos();
    let counts = u128::from(end_count.saturating_sub(origin_count));
    if counts == 0 || elapsed_ns == 0 {
        return monotonic("the time-stamp counter stands still");
    }
    let hz = (counts * 1_000_000_000 / elapsed_ns) as u64;
    Clock { source: Source::Tsc { hz }, origin, origin_count, scale: ((elapsed_ns << 32) / counts) as u64 }
}

fn reading() -> (Instant, u64) {
    let attempt = || {
        let before = counter();
        let instant = Instant::now();
        let after = counter();
        (after.wrapping_sub(before), instant, before + after.wrapping_sub(before) / 2)
    };
    let best = (0..64).map(|_| attempt()).min_by_key(|&(width, ..)| width);
    best.map(|(_, instant, count)| (instant, count)).unwrap_or_else(|| (Instant::now(), counter()))
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn counter() -> u64 {
    // SAFETY: every x86-64 processor has the instruction; user space may be denied it only by a kernel setting that
    // also hides the counter from `clock_gettime`, and that Linux does not use outside `prctl(PR_SET_TSC)`.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn counter() -> u64 {
    0
}

// Miri has no counter to read.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn counter_is_usable() -> Result<(), &'static str> {
    use core::arch::x86_64::__cpuid;
    const POWER_MANAGEMENT: u32 = 0x8000_0007;
    const INVARIANT_TSC: u32 = 1 << 8;
    let known = __cpuid(0x8000_0000).eax >= POWER_MANAGEMENT;
    if known && __cpuid(POWER_MANAGEMENT).edx & INVARIANT_TSC != 0 {
        return Ok(());
    }
    // A virtual machine may hide the flag although its kernel, which knows more, keeps time by the counter.
    let kernel = std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    match kernel {
        Ok(name) if name.trim() == "tsc" => Ok(()),
        _ => Err("the processor does not promise an invariant time-stamp counter"),
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
fn counter_is_usable() -> Result<(), &'static str> {
    Err("raw counters are used on x86-64 only, and not under Miri")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_goes_back_on_a_thread() {
        let mut last = 0;
        for _ in 0..10_000 {
            let now = now_ns();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn agrees_with_the_clock_of_the_operating_system() {
        source();
        let (start, start_ns) = (Instant::now(), now_ns());
        std::thread::sleep(Duration::from_millis(50));
        let (elapsed, elapsed_ns) = (start.elapsed().as_nanos() as f64, (now_ns() - start_ns) as f64);
        let ratio = elapsed_ns / elapsed;
        assert!((0.98..1.02).contains(&ratio), "the clock runs at {ratio} of the operating system's");
    }
}
