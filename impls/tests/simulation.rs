//! The simulated machine: exactness, progress, ledgers that sum, failures that end.

use std::rc::Rc;

use impls::card::{Defaults, Runs};
use impls::machine::sim::preset::Preset;
use impls::machine::sim::{Report, Setup, Sim, simulate};
use impls::machine::{Atomic, Machine, Ordering};
use impls::mutex::{MutexImpl, MutexVisitor, RawMutex};
use impls::probe::{Event, NoProbe};

type S = Sim<NoProbe>;

fn setup(name: &str) -> Setup {
    Setup { preset: Rc::new(Preset::builtin(name).unwrap()), observe: true, marks: 0, marks_from: 0 }
}

/// Acquires of each thread on one lock, and the report.
fn locked<I: MutexImpl>(setup: &Setup, threads: usize, rounds: u64, seed: u64) -> (u64, Report) {
    let (count, mut reports) = simulate(setup, || {
        let lock = I::build::<S, Defaults>(Defaults);
        let counter = <S as Machine>::AtomicU64::new(0);
        let object = core::ptr::from_ref(&lock).addr();
        S::run(threads, &[], seed, &|index| {
            let mut context = lock.context();
            S::event(Event::Begin { worker: index as u32, workers: threads as u32 }, 0);
            for _ in 0..rounds {
                S::event(Event::Request { intended_ns: 0 }, object);
                lock.lock(&mut context);
                S::event(Event::Acquired, object);
                let seen = counter.load(Ordering::Relaxed);
                S::work(100);
                counter.store(seen + 1, Ordering::Relaxed);
                S::event(Event::Releasing, object);
                lock.unlock(&mut context);
                S::work(300);
            }
            S::event(Event::End, 0);
        });
        counter.load(Ordering::Relaxed)
    });
    (count, reports.remove(0))
}

struct Each<F>(F);

impl<F: FnMut(&str, &dyn Fn(&Setup, usize, u64, u64) -> (u64, Report))> MutexVisitor for Each<F> {
    fn visit<I: MutexImpl>(&mut self) {
        if I::CARD.runs == Runs::AnyMachine && !I::CARD.id.ends_with("empty") {
            (self.0)(I::CARD.id, &locked::<I>);
        }
    }
}

#[test]
fn every_lock_excludes_and_every_ledger_sums() {
    for (preset, threads) in [("opteron-48", 8), ("vm-2", 6), ("niagara-64", 64)] {
        let setup = setup(preset);
        impls::mutex::visit_all(&mut Each(
            |id: &str, run: &dyn Fn(&Setup, usize, u64, u64) -> (u64, Report)| {
                let (count, report) = run(&setup, threads, 50, 1);
                assert_eq!(count, threads as u64 * 50, "{id} on {preset}");
                assert_eq!(report.stretches.len(), threads, "{id} on {preset}");
                for (thread, ledger) in &report.stretches {
                    assert_eq!(ledger.acquires, 50, "{id} on {preset}, thread {thread}");
                    assert!(ledger.total() <= report.cycles, "{id} on {preset}: {ledger:?}");
                }
                println!("{preset} {id}: {} cycles, {:?}", report.cycles, report.totals);
            },
        ));
    }
}
