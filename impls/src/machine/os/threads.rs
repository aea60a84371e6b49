//! Threads of this computer: starting, pinning, identity, private work.

use std::cell::Cell;
use std::hint::black_box;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::clock;
use crate::machine::random as generator;

/// How many cores this process may run on.
pub fn cores_allowed() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get()))
}

/// The cores that this process may run on; empty where the system does not tell.
#[cfg(target_os = "linux")]
pub fn cpus_allowed() -> Vec<usize> {
    // SAFETY: a zeroed set is a valid empty set, and the kernel writes at most its size through a valid pointer.
    let (set, known) = unsafe {
        let mut set: libc::cpu_set_t = core::mem::zeroed();
        let known = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) == 0;
        (set, known)
    };
    // SAFETY: CPU_ISSET reads a bit below CPU_SETSIZE of an initialised set.
    let allowed = |cpu: &usize| known && unsafe { libc::CPU_ISSET(*cpu, &set) };
    (0..libc::CPU_SETSIZE as usize).filter(allowed).collect()
}

#[cfg(not(target_os = "linux"))]
pub fn cpus_allowed() -> Vec<usize> {
    Vec::new()
}

/// The number of the calling thread, from 1.
#[inline]
pub(super) fn thread_id() -> u64 {
    thread_local!(static ID: Cell<u64> = const { Cell::new(0) });
    static LAST: AtomicU64 = AtomicU64::new(0);
    ID.with(|id| {
        if id.get() == 0 {
            // Relaxed: the number must be unique, nothing is published with it.
            id.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        id.get()
    })
}

thread_local!(static RANDOM: Cell<u64> = const { Cell::new(0x9E37_79B9_7F4A_7C15) });

/// A draw of the calling thread.
#[inline]
pub(super) fn random() -> u32 {
    RANDOM.with(|state| {
        let mut next = state.get();
        let draw = generator::draw(&mut next);
        state.set(next);
        draw
    })
}

/// The core that the calling thread runs on, by the kernel's account.
#[cfg(target_os = "linux")]
#[inline]
pub(super) fn core() -> u32 {
    // SAFETY: the call takes no argument and touches no memory of ours.
    u32::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0)
}

/// The memory node that the calling thread runs on, by the kernel's account.
#[cfg(target_os = "linux")]
pub(super) fn node() -> u32 {
    if cfg!(miri) {
        return 0; // It does not know the call.
    }
    let mut node = 0_u32;
    let (core, unused) = (core::ptr::null_mut::<u32>(), core::ptr::null_mut::<libc::c_void>());
    // SAFETY: the kernel writes the node through a valid pointer and skips the core, which is null; the third
    // argument has been unused since Linux 2.6.24.
    unsafe { libc::syscall(libc::SYS_getcpu, core, &raw mut node, unused) };
    node
}

#[cfg(not(target_os = "linux"))]
pub(super) fn core() -> u32 {
    0
}

#[cfg(not(target_os = "linux"))]
pub(super) fn node() -> u32 {
    0
}

/// Cycles of one step of [`work`]: an exclusive-or and a multiplication that wait for each other.
const CYCLES_PER_STEP: u32 = 4;

thread_local!(static CHAIN: Cell<u64> = const { Cell::new(0x9E37_79B9) });

/// Computes for about `cycles` cycles. Each step needs the one before, and the first the last of the previous call: a
/// core that looks far ahead would else do the work of several operations at once, in less time than they ask for.
#[inline(always)]
pub(super) fn work(cycles: u32) {
    if cycles > 0 {
        steps(cycles / CYCLES_PER_STEP);
    }
}

#[inline(never)]
fn steps(count: u32) {
    CHAIN.with(|chain| {
        let mut x = chain.get();
        for _ in 0..count {
            // With an addition in place of the exclusive-or a compiler makes one step of eight.
            x = (x ^ 0x1405_7B7E_F767_814F).wrapping_mul(0x5851_F42D_4C95_7F2D);
        }
        // In memory that outlives the call: the loop cannot be dropped.
        chain.set(black_box(x));
    });
}

/// Steps in a ms of [`work`], at the speed that this process measured when it first asked.
static STEPS_PER_MS: OnceLock<u64> = OnceLock::new();

/// Steps in a ms now: those of the fastest of `loops` loops, for whatever disturbs can only slow a loop down.
fn steps_per_ms(loops: u32) -> u64 {
    /// Steps that take about 20 us: short enough to run undisturbed sometimes, long against a clock read.
    const STEPS: u32 = 8192;
    let fastest_ns = (0..loops).map(|_| {
        let start = clock::now_ns();
        steps(STEPS);
        clock::now_ns() - start
    });
    u64::from(STEPS) * 1_000_000 / fastest_ns.min().unwrap_or(1).max(1)
}

/// Converts a duration to cycles of [`work`].
pub(super) fn work_cycles(duration_ns: u64) -> u32 {
    let per_ms = *STEPS_PER_MS.get_or_init(|| steps_per_ms(200));
    let cycles = u128::from(duration_ns) * u128::from(per_ms) * u128::from(CYCLES_PER_STEP) / 1_000_000;
    u32::try_from(cycles).unwrap_or(u32::MAX)
}

/// How fast work runs now, by how fast it ran when lengths were first converted; none if that was never done. Takes
/// about a ms.
pub fn work_speed_ratio() -> Option<f64> {
    let before = *STEPS_PER_MS.get()?;
    Some(steps_per_ms(50) as f64 / before as f64)
}

/// See [`crate::machine::Machine::run`].
pub(super) fn run(threads: usize, cpus: &[usize], seed: u64, body: &(dyn Fn(usize) + Sync)) {
    std::thread::scope(|scope| {
        let spawn = |i| {
            let start = move || {
                if !cpus.is_empty() {
                    pin(cpus[i % cpus.len()]);
                }
                RANDOM.set(generator::seeded(seed, i));
                body(i);
            };
            let thread = std::thread::Builder::new().name(format!("worker-{i}"));
            thread.spawn_scoped(scope, start).unwrap_or_else(|e| panic!("cannot start thread {i}: {e}"))
        };
        let workers: Vec<_> = (0..threads).map(spawn).collect();
        let mut panicked = None;
        for worker in workers {
            if let Err(payload) = worker.join() {
                panicked.get_or_insert(payload);
            }
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    });
}

#[cfg(target_os = "linux")]
fn pin(cpu: usize) {
    // SAFETY: a zeroed set is a valid empty set; CPU_SET and the call stay within it, and `cpu` is checked first.
    let pinned = unsafe {
        let mut set: libc::cpu_set_t = core::mem::zeroed();
        if cpu >= libc::CPU_SETSIZE as usize {
            false
        } else {
            libc::CPU_SET(cpu, &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0
        }
    };
    assert!(pinned, "cannot run on cpu {cpu}: it does not exist or this process may not use it");
}

#[cfg(not(target_os = "linux"))]
fn pin(_: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_about_as_fast_as_when_it_was_calibrated() {
        assert!(work_cycles(1_000) > 100);
        let ratio = work_speed_ratio().unwrap();
        assert!((0.2..5.0).contains(&ratio), "{ratio}");
    }

    /// The fastest of many: whatever disturbs can only slow a loop down.
    fn fastest_ns(body: impl Fn()) -> u64 {
        let timed = |_| {
            let start = clock::now_ns();
            body();
            clock::now_ns() - start
        };
        (0..400).map(timed).min().unwrap_or(1).max(1)
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn work_takes_as_many_cycles_as_it_says() {
        const STEPS: u32 = 4096;
        // Three shifts and three exclusive-ors, a cycle each, and no shorter way through many such steps.
        let chain = fastest_ns(|| {
            let mut x = black_box(0x2545_F491_4F6C_DD1D_u64);
            for _ in 0..STEPS {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
            }
            black_box(x);
        });
        let work = fastest_ns(|| work(6 * STEPS));
        let ratio = work as f64 / chain as f64;
        assert!((0.8..1.2).contains(&ratio), "{work} ns, {chain} ns in a chain of as many cycles");
    }
}
