//! What an uncontended lock and unlock cost, with an increment between: every implementation, the plain twins, and the
//! peers through their own interface.
//!
//! `design/*` goes through the family's trait, `reference/*` is hand-written over `std` atomics, `direct/*` is how a
//! user calls the peer: the adapters that make peers rows of the family check more than the peers do.

use std::hint::black_box;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use impls::card::Defaults;
use impls::machine::os::Os;
use impls::mutex::{MutexImpl, MutexVisitor, RawMutex};
use plain::{Twin, TwinVisitor};

mod plain;

struct Benches<'a>(&'a mut Criterion);

impl MutexVisitor for Benches<'_> {
    fn visit<I: MutexImpl>(&mut self) {
        let lock = I::build::<Os, Defaults>(Defaults);
        let mut context = lock.context();
        let bench = |bencher: &mut Bencher<'_>| {
            let (lock, counter) = (black_box(&lock), AtomicU64::new(0));
            bencher.iter(|| {
                lock.lock(&mut context);
                raise(&counter);
                lock.unlock(&mut context);
            });
        };
        self.0.bench_function(&format!("design/{}", I::CARD.id), bench);
    }
}

impl TwinVisitor for Benches<'_> {
    fn visit<T: Twin>(&mut self) {
        let lock = T::new();
        let mut context = lock.context();
        let bench = |bencher: &mut Bencher<'_>| {
            let (lock, counter) = (black_box(&lock), AtomicU64::new(0));
            bencher.iter(|| {
                lock.lock(&mut context);
                raise(&counter);
                lock.unlock(&mut context);
            });
        };
        self.0.bench_function(&format!("reference/{}", T::ID), bench);
    }
}

/// A load and a store, as in the driver of the family.
#[inline(always)]
fn raise(counter: &AtomicU64) {
    let counter = black_box(counter);
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

fn designs(criterion: &mut Criterion) {
    impls::mutex::visit_all(&mut Benches(criterion));
}

fn references(criterion: &mut Criterion) {
    plain::visit_all(&mut Benches(criterion));
}

fn direct(criterion: &mut Criterion) {
    let counter = AtomicU64::new(0);
    let lock = std::sync::Mutex::new(());
    criterion.bench_function("direct/std", |bencher| {
        let lock = black_box(&lock);
        bencher.iter(|| {
            let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            raise(&counter);
        });
    });
    let lock = parking_lot::Mutex::new(());
    criterion.bench_function("direct/parking_lot", |bencher| {
        let lock = black_box(&lock);
        bencher.iter(|| {
            let _guard = lock.lock();
            raise(&counter);
        });
    });
}

criterion_group!(benches, designs, references, direct);
criterion_main!(benches);
