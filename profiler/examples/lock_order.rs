//! A program of one's own with the probe on: locks that are taken in contradicting orders are named though nobody has
//! met, and a deadlock that does come is told as it stands.
//!
//! ```sh
//! cargo run -p synchroscope-profiler --example lock_order            # exit code 1: an inversion, no deadlock
//! cargo run -p synchroscope-profiler --example lock_order deadlock   # exit code 86: who waits for whom, after 2 s
//! ```

#![allow(clippy::print_stdout, reason = "what was found is this program's result")]

use std::process::ExitCode;
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use impls::card::Defaults;
use impls::machine::Machine;
use impls::machine::os::Os;
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::Event;
use profiler::lock_order::lock_order;
use profiler::probe::{WatchProbe, watch};

/// This computer, with the probe that notes who asks for what while holding what.
type M = Os<WatchProbe>;
type Lock = <Go2019Fastpath as MutexImpl>::Lock<M, Defaults>;

/// Locks and tells the probe of it.
fn lock(lock: &Lock) {
    let object = std::ptr::from_ref(lock).addr();
    M::event(Event::Request { intended_ns: 0 }, object);
    lock.lock(&mut ());
    M::event(Event::Acquired, object);
}

fn unlock(lock: &Lock) {
    M::event(Event::Releasing, std::ptr::from_ref(lock).addr());
    lock.unlock(&mut ());
}

fn main() -> ExitCode {
    let deadlock = std::env::args().nth(1).is_some_and(|argument| argument == "deadlock");
    watch::arm(Duration::from_secs(2));
    let build = Go2019Fastpath::build::<M, Defaults>;
    let (accounts, journal) = (build(Defaults), build(Defaults));
    // What each worker leaves behind.
    let slots = Mutex::new(Vec::new());
    let (both_hold, next) = (Barrier::new(2), Barrier::new(2));
    M::run(2, &[], 1, &|worker| {
        let slot = watch::Slot::default();
        M::observed(&slot, || {
            M::event(Event::Begin { worker: worker as u32, workers: 2 }, 0);
            // Both orders, one after the other: today nothing happens. Or at the same time.
            let (first, second) = if worker == 0 { (&accounts, &journal) } else { (&journal, &accounts) };
            if worker == 1 && !deadlock {
                next.wait();
            }
            lock(first);
            if deadlock {
                both_hold.wait();
            }
            lock(second);
            unlock(second);
            unlock(first);
            if worker == 0 && !deadlock {
                next.wait();
            }
            M::event(Event::End, 0);
        });
        slots.lock().expect("no worker panics").push(slot);
    });
    let slots = slots.into_inner().expect("no worker panics");
    let slices = [slots.iter().map(watch::Slot::order).collect()];
    let found = lock_order(&slices, &[]).map_or_else(Vec::new, |order| order.inversions);
    for inversion in &found {
        println!("lock order inverted: {}", inversion.text());
    }
    if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
