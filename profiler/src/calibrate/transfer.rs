//! A line's way from core to core: half of a ping-pong by compare-and-swap.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use impls::machine::os::{Os, clock};
use impls::machine::{Line, Machine};
use impls::probe::NoProbe;

use super::Spread;

const BATCHES: usize = 41;
/// Round trips of a batch: long against a clock read, short against a slice.
const TRIPS: usize = 200;
/// A pair is given up after so long: one of its cores may be busy with others.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a pair is tried.
const TRIES: usize = 3;

/// One way between two cores.
pub(super) struct Pair {
    /// Indices in the list of cores, the greater first.
    pub(super) cores: (usize, usize),
    pub(super) one_way_ns: Spread,
}

/// Every pair, row by row of the lower triangle.
pub(super) fn measure(cpus: &[usize], progress: &mut dyn FnMut(&str)) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for row in 1..cpus.len() {
        progress(&format!("lines between core {} and those before it", cpus[row]));
        for column in 0..row {
            let (a, b) = (cpus[row], cpus[column]);
            let Some(one_way_ns) = (0..TRIES).find_map(|_| ping_pong(a, b)) else {
                bail!(
                    "calibrate: cores {a} and {b} did not exchange a line {} times within {} ms: leave them idle, \
                     or restrict this process to others",
                    BATCHES * TRIPS,
                    PATIENCE.as_millis()
                );
            };
            pairs.push(Pair { cores: (row, column), one_way_ns });
        }
    }
    Ok(pairs)
}

/// Flips the word from `from` to the other value as soon as it is there; false when `give_up` says so.
fn flip(word: &AtomicU32, from: u32, mut give_up: impl FnMut() -> bool) -> bool {
    let mut failures = 0_u32;
    // Relaxed: nothing is published but the word itself.
    while word.compare_exchange(from, 1 - from, Ordering::Relaxed, Ordering::Relaxed).is_err() {
        failures = failures.wrapping_add(1);
        if failures.is_multiple_of(1024) && give_up() {
            return false;
        }
    }
    true
}

fn ping_pong(a: usize, b: usize) -> Option<Spread> {
    let word = Line(AtomicU32::new(0));
    let over = Line(AtomicBool::new(false));
    let found = Mutex::new(None);
    Os::<NoProbe>::run(2, &[a, b], 0, &|thread| {
        if thread == 1 {
            // Relaxed: the thread is joined before anything else is read.
            while flip(&word.0, 1, || over.0.load(Ordering::Relaxed)) {}
            return;
        }
        let spread = ask(&word.0);
        over.0.store(true, Ordering::Relaxed);
        *found.lock().unwrap_or_else(|e| e.into_inner()) = spread;
    });
    found.into_inner().unwrap_or_else(|e| e.into_inner())
}

fn ask(word: &AtomicU32) -> Option<Spread> {
    let deadline = Instant::now() + PATIENCE;
    let mut batches = Vec::with_capacity(BATCHES);
    // The first batch warms up: the other thread may not run yet.
    for batch in 0..=BATCHES {
        let start_ns = clock::now_ns();
        for _ in 0..TRIPS {
            if !flip(word, 0, || Instant::now() > deadline) {
                return None;
            }
        }
        let one_way_ns = (clock::now_ns() - start_ns) as f64 / (2 * TRIPS) as f64;
        if batch > 0 {
            batches.push(one_way_ns);
        }
    }
    Spread::of(batches)
}
