//! What a probe costs: one uncontended lock and unlock with its three reports, for each probe, beside none.
//!
//! `recorder/*` is the whole operation, so the difference to `recorder/off` is the cost of the probe where it matters:
//! next to the atomic operations of a real lock. `events/*` is the reports alone, in a loop that does nothing else; there
//! each counter waits for its own last store, which a lock hides.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use impls::card::Defaults;
use impls::machine::Machine;
use impls::machine::os::{Os, clock};
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::{Event, NoProbe, Probe};
use profiler::probe::{CountProbe, FullProbe, SampleProbe};

const OBJECT: usize = 0xC0FFEE;

fn operations<P: Probe>(criterion: &mut Criterion, name: &str) {
    let slot = P::Slot::default();
    <Os<P> as Machine>::observed(&slot, || {
        let lock = Go2019Fastpath::build::<Os<P>, Defaults>(Defaults);
        Os::<P>::event(Event::Begin { worker: 0, workers: 1 }, 0);
        criterion.bench_function(&format!("recorder/{name}"), |bencher| {
            bencher.iter(|| {
                let lock = black_box(&lock);
                Os::<P>::event(Event::Request { intended_ns: 0 }, OBJECT);
                lock.lock(&mut ());
                Os::<P>::event(Event::Acquired, OBJECT);
                Os::<P>::event(Event::Releasing, OBJECT);
                lock.unlock(&mut ());
            });
        });
        criterion.bench_function(&format!("events/{name}"), |bencher| {
            bencher.iter(|| {
                Os::<P>::event(Event::Request { intended_ns: 0 }, OBJECT);
                black_box(&slot);
                Os::<P>::event(Event::Acquired, OBJECT);
                black_box(&slot);
                Os::<P>::event(Event::Releasing, OBJECT);
            });
        });
        Os::<P>::event(Event::End, 0);
    });
}

fn recorder(criterion: &mut Criterion) {
    criterion.bench_function("clock/read", |bencher| bencher.iter(clock::now_ns));
    operations::<NoProbe>(criterion, "off");
    operations::<CountProbe>(criterion, "count");
    operations::<SampleProbe>(criterion, "sample");
    operations::<FullProbe>(criterion, "full");
}

criterion_group!(benches, recorder);
criterion_main!(benches);
