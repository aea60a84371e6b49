//! What a probe costs: the reports of one uncontended operation, for each probe, beside none.
//!
//! The numbers are per operation: Request, Acquired, Releasing, on the machine `os`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use impls::machine::Machine;
use impls::machine::os::Os;
use impls::probe::{Event, NoProbe, Probe};
use profiler::probe::{CountProbe, FullProbe, SampleProbe};

fn operations<P: Probe>(criterion: &mut Criterion, name: &str) {
    let object = 0xC0FFEE;
    let slot = P::Slot::default();
    <Os<P> as Machine>::observed(&slot, || {
        Os::<P>::event(Event::Begin { worker: 0, workers: 1 }, 0);
        criterion.bench_function(&format!("recorder/{name}"), |bencher| {
            bencher.iter(|| {
                Os::<P>::event(Event::Request { intended_ns: 0 }, object);
                black_box(&slot);
                Os::<P>::event(Event::Acquired, object);
                black_box(&slot);
                Os::<P>::event(Event::Releasing, object);
            });
        });
        Os::<P>::event(Event::End, 0);
    });
}

fn recorder(criterion: &mut Criterion) {
    operations::<NoProbe>(criterion, "off");
    operations::<CountProbe>(criterion, "count");
    operations::<SampleProbe>(criterion, "sample");
    operations::<FullProbe>(criterion, "full");
}

criterion_group!(benches, recorder);
criterion_main!(benches);
