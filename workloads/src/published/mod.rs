//! Published curves, and the same experiments on a simulated machine.
//!
//! Source of curves and experiments: T. David, R. Guerraoui, V. Trigonakis, "Everything You Always Wanted to Know About
//! Synchronization but Were Afraid to Ask", SOSP 2013: figure 4 (one word, all threads), figure 5 (one lock, all
//! threads). The parameters of the experiments are those of the paper's library.
//!
//! | module | holds |
//! |---|---|
//! | [`curves`] | series of a paper: reading them, and those that the binary carries |
//! | [`atomics`] | all threads operate on one word |
//! | [`one_lock`] | all threads take one lock |
//! | [`agree`] | simulated against published: errors, the naive ticket |
//! | `order` | where the order of two curves changes |

pub mod agree;
pub mod atomics;
pub mod curves;
pub mod one_lock;
mod order;

use std::rc::Rc;

use impls::machine::Machine;
use impls::machine::sim::preset::Preset;
use impls::machine::sim::{Setup, Sim, clock_cycles, simulate};
use impls::probe::NoProbe;

/// The machine of the experiments.
type S = Sim<NoProbe>;

/// Threads come up to speed for so long.
const WARM_UP_CYCLES: u64 = 300_000;
/// Then operations are counted for so long.
const COUNTED_CYCLES: u64 = 2_000_000;

/// The machines of the paper, by its names.
const PLATFORMS: [&str; 4] = ["Opteron", "Xeon", "Niagara", "Tilera"];

/// The preset that stands for a platform of the paper.
pub fn preset_of(platform: &str) -> Option<&'static str> {
    match platform {
        "Opteron" => Some("opteron-48"),
        "Xeon" => Some("xeon-80"),
        "Niagara" => Some("niagara-64"),
        "Tilera" => Some("tilera-36"),
        _ => None,
    }
}

/// The cores that the first `threads` threads of an experiment run on.
fn cores(preset: &Preset, threads: usize) -> Vec<usize> {
    preset.order.iter().take(threads).map(|&core| usize::from(core)).collect()
}

/// Operations per second, in millions, of all threads together. `step` does one operation of a thread, for ever.
fn mops<'a>(
    preset: &Rc<Preset>,
    threads: usize,
    seed: u64,
    step: &(dyn Fn(usize) -> Step<'a> + Sync),
) -> f64 {
    let setup = Setup { preset: Rc::clone(preset), observe: false, marks: 0, marks_from: 0 };
    let counts: Vec<std::sync::atomic::AtomicU64> = (0..threads).map(|_| 0.into()).collect();
    let cpus = cores(preset, threads);
    simulate(&setup, || {
        S::run(threads, &cpus, seed, &|index| {
            let mut operate = step(index);
            let clock = || clock_cycles().unwrap_or(u64::MAX);
            while clock() < WARM_UP_CYCLES {
                operate();
            }
            let mut done = 0;
            while clock() < WARM_UP_CYCLES + COUNTED_CYCLES {
                operate();
                done += 1;
            }
            counts[index].store(done, std::sync::atomic::Ordering::Relaxed);
        });
    });
    let done: u64 = counts.iter().map(|count| count.load(std::sync::atomic::Ordering::Relaxed)).sum();
    done as f64 * f64::from(preset.clock_mhz) / COUNTED_CYCLES as f64
}

/// What a thread repeats.
type Step<'a> = Box<dyn FnMut() + 'a>;
