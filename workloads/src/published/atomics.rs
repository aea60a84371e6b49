//! All threads operate on one word, and pause for the maximum latency between two operations.
//!
//! The pause keeps a core from operating many times in a row. With one thread there is none: nobody is to be let in.

use std::rc::Rc;

use impls::machine::sim::Polling;
use impls::machine::sim::preset::{Op, Preset};
use impls::machine::{Atomic, AtomicInt, Line, Machine, Ordering};

use super::{S, Step};

/// What one round of the compare-and-swap loop takes beyond the atomic itself: the difference of the two series for one
/// thread (50.6 and 96.4 million a second at 2.1 GHz).
const LOOP_CYCLES: u32 = 18;

/// The series of the figure, by its name; `None` for a name that it does not have.
pub fn mops(preset: &Rc<Preset>, series: &str, threads: usize, seed: u64) -> Option<f64> {
    type Word = <S as Machine>::AtomicU64;
    let word = Line(Word::new(0));
    let word: &Word = &word;
    let (op, operate): (Op, fn(&Word, &mut u64)) = match series {
        "FAI" => (Op::Fai, |word, _| {
            word.fetch_add(1, Ordering::Relaxed);
        }),
        // The paper's loop sets and clears in turn; so every other operation may fail.
        "CAS" => (Op::Cas, |word, turn| {
            *turn ^= 1;
            let _ = word.compare_exchange(*turn ^ 1, *turn, Ordering::Relaxed, Ordering::Relaxed);
        }),
        "SWAP" => (Op::Swap, |word, turn| {
            *turn ^= 1;
            word.swap(*turn, Ordering::Relaxed);
        }),
        "TAS" => (Op::Tas, |word, _| {
            word.swap_while(1, Ordering::Relaxed, |_| false);
        }),
        "CASFAI" => (Op::Cas, |word, _| {
            loop {
                let seen = word.load(Ordering::Relaxed);
                S::work(LOOP_CYCLES);
                if word.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                    break;
                }
            }
        }),
        _ => return None,
    };
    let pause = super::latency_max(preset, &super::cores(preset, threads), op);
    let step = |_| -> Step<'_> {
        let mut turn = 0;
        Box::new(move || {
            operate(word, &mut turn);
            S::work(pause);
        })
    };
    Some(super::mops(preset, threads, seed, Polling::Shared, &step))
}
