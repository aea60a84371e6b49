//! How far the clocks of the cores disagree, and how long a cache line takes from one to the other.
//!
//! Two pinned threads pass a stamp to and fro. Whatever the clock of the other core shows lies, if the clocks agree,
//! between the two stamps of the first core; the middle is the best guess, half the round trip the bound of its error.
//! The fastest of many rounds counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use impls::machine::os::{Os, clock};
use impls::machine::{Line, Machine};
use impls::probe::NoProbe;
use serde::Serialize;

/// Rounds for each pair of cores.
const ROUNDS: u64 = 5_000;
/// A pair is given up after so long: the cores may be busy with others.
const PATIENCE: Duration = Duration::from_millis(200);

/// Two cores' clocks compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CorePair {
    /// The core that asked.
    pub from_core: usize,
    /// The core that answered.
    pub to_core: usize,
    /// How far the clock of `to_core` is ahead, ns; the truth is within `bound_ns` of it.
    pub ahead_ns: i64,
    /// Half of the fastest round trip, ns.
    pub bound_ns: u64,
    /// Time that a cache line takes from one core to the other, ns: half of the fastest round trip.
    pub one_way_ns: u64,
    /// Rounds that were made.
    pub rounds: u64,
}

impl CorePair {
    /// Whether the clocks may agree: the disagreement is within the bound.
    pub fn agrees(&self) -> bool {
        self.ahead_ns.unsigned_abs() <= self.bound_ns
    }
}

/// The cores that this process may use.
#[cfg(target_os = "linux")]
pub fn allowed_cores() -> Vec<usize> {
    // SAFETY: a zeroed set is a valid empty set; the kernel fills at most its size.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let known = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) == 0;
        known.then_some(set)
    };
    let Some(set) = set else { return Vec::new() };
    // SAFETY: every index is below the size of the set.
    (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect()
}

/// The cores that this process may use: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn allowed_cores() -> Vec<usize> {
    Vec::new()
}

/// Compares the first allowed core with each other one. Empty with one core, or where threads cannot be pinned.
pub fn measure() -> Vec<CorePair> {
    let cores = allowed_cores();
    let Some((&first, others)) = cores.split_first() else { return Vec::new() };
    others.iter().filter_map(|&other| measure_pair(first, other)).collect()
}

/// One pair; `None` if not a single round was made in time.
fn measure_pair(from_core: usize, to_core: usize) -> Option<CorePair> {
    // The round in even numbers when it is the asker's turn, odd when the answerer's.
    let turn = Line(AtomicU64::new(0));
    let answer_ns = Line(AtomicU64::new(0));
    let over = AtomicBool::new(false);
    let best = std::sync::Mutex::new(None);
    Os::<NoProbe>::run(2, &[from_core, to_core], 0, &|thread| {
        if thread == 1 {
            return answer(&turn.0, &answer_ns.0, &over);
        }
        let found = ask(&turn.0, &answer_ns.0);
        over.store(true, Ordering::Release);
        *best.lock().unwrap_or_else(|e| e.into_inner()) = found;
    });
    let best = best.into_inner().unwrap_or_else(|e| e.into_inner());
    best.map(|(round_ns, ahead_ns, rounds)| CorePair {
        from_core,
        to_core,
        ahead_ns,
        bound_ns: round_ns.div_ceil(2),
        one_way_ns: round_ns / 2,
        rounds,
    })
}

/// The fastest round trip, how far the other clock was ahead in it, and the number of rounds.
fn ask(turn: &AtomicU64, answer_ns: &AtomicU64) -> Option<(u64, i64, u64)> {
    let deadline = Instant::now() + PATIENCE;
    let mut best: Option<(u64, i64)> = None;
    for round in 0..ROUNDS {
        let sent_ns = clock::now_ns();
        // Release and Acquire on `turn` carry the answer's stamp.
        turn.store(2 * round + 1, Ordering::Release);
        let mut polls = 0_u32;
        while turn.load(Ordering::Acquire) != 2 * round + 2 {
            polls = polls.wrapping_add(1);
            if polls.is_multiple_of(4096) && Instant::now() > deadline {
                return best.map(|(trip, ahead)| (trip, ahead, round));
            }
            std::hint::spin_loop();
        }
        let back_ns = clock::now_ns();
        let trip_ns = back_ns.saturating_sub(sent_ns);
        let middle_ns = sent_ns + trip_ns / 2;
        let ahead_ns = answer_ns.load(Ordering::Relaxed).cast_signed() - middle_ns.cast_signed();
        if best.is_none_or(|(fastest, _)| trip_ns < fastest) {
            best = Some((trip_ns, ahead_ns));
        }
    }
    best.map(|(trip, ahead)| (trip, ahead, ROUNDS))
}

fn answer(turn: &AtomicU64, answer_ns: &AtomicU64, over: &AtomicBool) {
    while !over.load(Ordering::Acquire) {
        let now = turn.load(Ordering::Acquire);
        if now % 2 == 1 {
            answer_ns.store(clock::now_ns(), Ordering::Relaxed);
            turn.store(now + 1, Ordering::Release);
        }
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_core_is_compared_and_close() {
        let pairs = measure();
        assert!(pairs.len() < allowed_cores().len().max(1));
        for pair in &pairs {
            assert!(pair.rounds > 0 && pair.one_way_ns <= pair.bound_ns, "{pair:?}");
            // A trip over a busy core may be long; the clocks of one computer are never a second apart.
            assert!(pair.ahead_ns.unsigned_abs() < 1_000_000_000, "{pair:?}");
        }
    }

    #[test]
    fn a_difference_within_the_bound_is_agreement() {
        let pair =
            CorePair { from_core: 0, to_core: 1, ahead_ns: -40, bound_ns: 40, one_way_ns: 40, rounds: 1 };
        assert!(pair.agrees());
        assert!(!CorePair { ahead_ns: 41, ..pair }.agrees());
    }
}
