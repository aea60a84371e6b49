//! What stays within a core: its clock, its operations on a line that it has, and a load from memory.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use anyhow::{Context, Result};
use impls::machine::Line;
use impls::machine::os::clock;

use super::{Spread, pinned};

const BATCHES: usize = 41;
/// Operations of a batch, in rounds of [`UNROLLED`].
const ROUNDS: usize = 500;
const UNROLLED: usize = 8;
/// The buffer in which memory is measured: more than caches keep for one core.
const MEMORY_BYTES: usize = 64 << 20;
const MEMORY_STEPS: usize = 20_000;

/// Times within a core, in ns.
pub(super) struct Local {
    /// Of a chain of steps that each take a known number of cycles.
    pub(super) clock_mhz: f64,
    pub(super) load: Spread,
    pub(super) store: Spread,
    pub(super) cas: Spread,
    pub(super) fai: Spread,
    pub(super) swap: Spread,
    pub(super) fence: Spread,
    pub(super) pause: Spread,
    pub(super) clock_read: Spread,
}

/// Measures on `cpu`.
pub(super) fn measure(cpu: usize) -> Result<Local> {
    let word = Line(AtomicU64::new(0));
    let word = &word.0;
    // Relaxed throughout: one thread, and the cost is the processor's.
    let order = Ordering::Relaxed;
    let spread = |found: Option<Spread>| found.context("calibrate: a thread on one core measured nothing");
    let on = |op: &(dyn Fn() -> Option<Spread> + Sync)| spread(pinned(cpu, op).flatten());
    Ok(Local {
        clock_mhz: pinned(cpu, clock_mhz).context("calibrate: a thread on one core measured nothing")?,
        load: on(&|| {
            per_op(|| {
                black_box(word.load(order));
            })
        })?,
        store: on(&|| per_op(|| word.store(black_box(1), order)))?,
        cas: on(&|| {
            per_op(|| {
                // Succeeds: nobody else writes the word, and 1 becomes 1.
                word.store(1, order);
                let _ = black_box(word.compare_exchange(1, 1, order, order));
            })
        })?,
        fai: on(&|| {
            per_op(|| {
                black_box(word.fetch_add(1, order));
            })
        })?,
        swap: on(&|| {
            per_op(|| {
                black_box(word.swap(1, order));
            })
        })?,
        fence: on(&|| {
            per_op(|| {
                // Fences without an access between them would become one.
                word.store(1, order);
                fence(Ordering::SeqCst);
            })
        })?,
        pause: on(&|| per_op(std::hint::spin_loop))?,
        clock_read: on(&|| {
            per_op(|| {
                black_box(clock::now_ns());
            })
        })?,
    })
}

/// Cycles of a step of [`clock_mhz`]: three shifts, and three exclusive-ors that wait for them.
const CYCLES_PER_STEP: u64 = 6;
const CLOCK_STEPS: u64 = 20_000;

/// The clock, by the fastest of many chains: whatever disturbs one can only slow it down.
fn clock_mhz() -> f64 {
    let chain = |_| {
        let start_ns = clock::now_ns();
        let mut state = black_box(0x2545_F491_4F6C_DD1D_u64);
        for _ in 0..CLOCK_STEPS {
            state = xorshift(state);
        }
        black_box(state);
        clock::now_ns() - start_ns
    };
    let fastest_ns = (0..200).map(chain).min().unwrap_or(1).max(1);
    (CLOCK_STEPS * CYCLES_PER_STEP * 1000) as f64 / fastest_ns as f64
}

/// Marsaglia 2003. No compiler knows a shorter way to the state after many steps.
#[inline(always)]
fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    state
}

/// Time of one `op`, ns.
#[inline(always)]
fn per_op(op: impl Fn()) -> Option<Spread> {
    let batch = |_| {
        let start_ns = clock::now_ns();
        for _ in 0..ROUNDS {
            for _ in 0..UNROLLED {
                op();
            }
        }
        (clock::now_ns() - start_ns) as f64 / (ROUNDS * UNROLLED) as f64
    };
    // The first batch warms up.
    Spread::of((0..=BATCHES).map(batch).skip(1).collect())
}

/// A load from memory, ns: a walk through a buffer in an order that no prefetcher guesses.
pub(super) fn memory(cpu: usize) -> Result<Spread> {
    let walk = || {
        let mut next: Vec<Line<u32>> =
            (0..(MEMORY_BYTES / size_of::<Line<u32>>()) as u32).map(Line).collect();
        // Sattolo 1986: one cycle through all of them.
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        for last in (1..next.len()).rev() {
            state = xorshift(state);
            let other = (state % last as u64) as usize;
            next.swap(last, other);
        }
        let mut at = 0;
        let batch = |_| {
            let start_ns = clock::now_ns();
            for _ in 0..MEMORY_STEPS {
                at = next[at as usize].0;
            }
            black_box(at);
            (clock::now_ns() - start_ns) as f64 / MEMORY_STEPS as f64
        };
        Spread::of((0..BATCHES).map(batch).collect())
    };
    pinned(cpu, walk).flatten().context("calibrate: a thread on one core measured nothing")
}
