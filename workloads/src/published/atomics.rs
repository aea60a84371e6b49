//! All threads operate on one word, and pause between two operations.

use std::rc::Rc;

use impls::machine::sim::preset::Preset;
use impls::machine::{Atomic, AtomicInt, Line, Machine, Ordering};

use super::{S, Step};

/// What one round of the compare-and-swap loop takes beyond the atomic itself: the difference of the two series for one
/// thread (50.6 and 96.4 million a second at 2.1 GHz).
const LOOP_CYCLES: u32 = 18;

/// Cycles between two operations of a thread, so that a core does not operate many times in a row: as the script of
/// the paper's library has it, on all its machines.
fn pause_cycles(threads: usize) -> u32 {
    match threads {
        1 => 0,
        2 => 10,
        3..=6 => 30,
        7..=12 => 80,
        _ => 150,
    }
}

/// The series of the figure, by its name; `None` for a name that it does not have.
pub fn mops(preset: &Rc<Preset>, series: &str, threads: usize, seed: u64) -> Option<f64> {
    type Word = <S as Machine>::AtomicU64;
    let word = Line(Word::new(0));
    let word: &Word = &word;
    let operate: fn(&Word, &mut u64) = match series {
        "FAI" => |word, _| {
            word.fetch_add(1, Ordering::Relaxed);
        },
        // The paper's loop sets and clears in turn; so every other operation may fail.
        "CAS" => |word, turn| {
            *turn ^= 1;
            let _ = word.compare_exchange(*turn ^ 1, *turn, Ordering::Relaxed, Ordering::Relaxed);
        },
        "SWAP" => |word, turn| {
            *turn ^= 1;
            word.swap(*turn, Ordering::Relaxed);
        },
        // The paper's loop clears the word whenever it was the one to set it.
        "TAS" => |word, _| {
            if word.swap_while(1, Ordering::Relaxed, |_| false) == 0 {
                word.store(0, Ordering::Relaxed);
            }
        },
        "CASFAI" => |word, _| {
            loop {
                let seen = word.load(Ordering::Relaxed);
                S::work(LOOP_CYCLES);
                if word.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                    break;
                }
            }
        },
        _ => return None,
    };
    let pause = pause_cycles(threads);
    let step = |_| -> Step<'_> {
        let mut turn = 0;
        Box::new(move || {
            operate(word, &mut turn);
            S::work(pause);
        })
    };
    Some(super::mops(preset, threads, seed, &step))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is recalled of the paper's text on figure 4: on machines of one socket the throughput rises over the first few
    /// cores and then stays; on those of several it falls steeply once a second core is there. The loop of
    /// compare-and-swap is not among them here: without an owner of the line, of all that have queued one succeeds.
    #[test]
    fn one_socket_keeps_its_throughput_and_several_lose_it() {
        let mops = |preset: &Rc<Preset>, series, threads| mops(preset, series, threads, 1).unwrap();
        for series in ["FAI", "TAS", "CAS", "SWAP"] {
            for name in ["niagara-64", "tilera-36"] {
                let preset = Rc::new(Preset::builtin(name).unwrap());
                let points = [1, 4, 8, 16, preset.cores as usize].map(|n| mops(&preset, series, n));
                assert!(points[2] > 1.2 * points[0], "{name} {series}: {points:?}");
                let falls = points.windows(2).any(|pair| pair[1] < 0.99 * pair[0]);
                assert!(!falls, "{name} {series}: {points:?}");
            }
            let preset = Rc::new(Preset::builtin("xeon-80").unwrap());
            let points = [1, 2, 10, 20].map(|n| mops(&preset, series, n));
            assert!(points[1] < points[0] / 3.0 && points[3] < points[2] / 1.5, "{series}: {points:?}");
        }
    }
}
