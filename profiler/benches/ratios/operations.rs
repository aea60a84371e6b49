//! What is timed: one uncontended lock, an increment, unlock; plain, through a peer's own interface, or with the
//! reports that the driver of the family sends.

use std::hint::black_box;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use impls::card::Defaults;
use impls::machine::{Line, Machine, os::Os};
use impls::mutex::go_2019_fastpath::{Go2019Fastpath, Mutex};
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::{Event, NoProbe, Probe};
use profiler::probe::{CountProbe, FullProbe, SampleProbe};

use super::paired::{Claim, Step};

/// One side of a claim.
pub(crate) struct Sides {
    pub(crate) step: Step,
}

/// A load and a store, as in the driver: a broken lock loses counts.
#[inline(always)]
fn raise(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

fn check(counter: &AtomicU64, before: u64, ops: u64) {
    assert_eq!(counter.load(Ordering::Relaxed) - before, ops, "the guarded counter lost counts");
}

impl Sides {
    /// Go's mutex of today, without a probe.
    pub(crate) fn go_2019() -> Self {
        let (lock, counter) = (Go2019Fastpath::build::<Os, Defaults>(Defaults), Line(AtomicU64::new(0)));
        Self::new(move |ops| {
            let (lock, counter, before) =
                (black_box(&lock), black_box(&counter), counter.load(Ordering::Relaxed));
            for _ in 0..ops {
                lock.lock(&mut ());
                raise(counter);
                lock.unlock(&mut ());
            }
            check(counter, before, ops);
        })
    }

    /// The standard library's mutex, as users call it.
    pub(crate) fn std() -> Self {
        let (lock, counter) = (Line(std::sync::Mutex::new(())), Line(AtomicU64::new(0)));
        Self::new(move |ops| {
            let (lock, counter, before) =
                (black_box(&lock), black_box(&counter), counter.load(Ordering::Relaxed));
            for _ in 0..ops {
                let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
                raise(counter);
            }
            check(counter, before, ops);
        })
    }

    /// parking_lot's mutex, as users call it.
    pub(crate) fn parking_lot() -> Self {
        let (lock, counter) = (Line(parking_lot::Mutex::new(())), Line(AtomicU64::new(0)));
        Self::new(move |ops| {
            let (lock, counter, before) =
                (black_box(&lock), black_box(&counter), counter.load(Ordering::Relaxed));
            for _ in 0..ops {
                let _guard = lock.lock();
                raise(counter);
            }
            check(counter, before, ops);
        })
    }

    /// Go's mutex of today with the driver's reports to `P`, as far as `owner` goes.
    fn reported<P: Probe>(owner: Owner) -> Self {
        let reported = Reported {
            lock: Go2019Fastpath::build::<Os<P>, Defaults>(Defaults),
            guarded: Line(Guarded::default()),
        };
        // One stretch for all slices: its begin allocates histograms, which is no cost of an operation.
        let slot = P::Slot::default();
        <Os<P> as Machine>::observed(&slot, || Os::<P>::event(Event::Begin { worker: 0, workers: 1 }, 0));
        Self::new(move |ops| {
            <Os<P> as Machine>::observed(&slot, || match owner {
                Owner::NoRelease => reported.operate::<false, false, false>(ops),
                Owner::Untold => reported.operate::<true, false, false>(ops),
                Owner::Told => reported.operate::<true, true, false>(ops),
                Owner::WithCore => reported.operate::<true, true, true>(ops),
            });
        })
    }

    fn new(step: impl FnMut(u64) + 'static) -> Self {
        Sides { step: Box::new(step) }
    }
}

/// How much of the driver's book-keeping about owners goes with an operation that a probe listens to.
#[derive(Clone, Copy)]
enum Owner {
    /// None, and no release either: what a wait alone costs.
    NoRelease,
    /// None: the bare cost of request, acquired, releasing.
    Untold,
    /// The previous owner's index is kept and reported.
    Told,
    /// Its core as well: all that the driver does.
    WithCore,
}

#[derive(Default)]
struct Guarded {
    counter: AtomicU64,
    owner: AtomicU32,
    core: AtomicU32,
}

struct Reported<P: Probe> {
    lock: Mutex<Os<P>>,
    guarded: Line<Guarded>,
}

impl<P: Probe> Reported<P> {
    #[inline(never)]
    fn operate<const RELEASE: bool, const OWNER: bool, const CORE: bool>(&self, ops: u64) {
        let (lock, guarded) = (black_box(&self.lock), black_box(&*self.guarded));
        let before = guarded.counter.load(Ordering::Relaxed);
        let worker = black_box(0);
        let object = std::ptr::from_ref(lock).addr();
        for _ in 0..ops {
            Os::<P>::event(Event::Request { intended_ns: 0 }, object);
            lock.lock(&mut ());
            Os::<P>::event(Event::Acquired, object);
            raise(&guarded.counter);
            if P::ON && OWNER {
                own::<P, CORE>(guarded, worker, object);
            }
            if RELEASE {
                Os::<P>::event(Event::Releasing, object);
            }
            lock.unlock(&mut ());
        }
        check(&guarded.counter, before, ops);
    }
}

/// As the driver does it.
#[inline(always)]
fn own<P: Probe, const CORE: bool>(guarded: &Guarded, worker: u32, object: usize) {
    let previous = guarded.owner.load(Ordering::Relaxed);
    if previous != worker + 1 {
        take_over::<P, CORE>(guarded, previous, worker, object);
    }
}

#[cold]
#[inline(never)]
fn take_over<P: Probe, const CORE: bool>(guarded: &Guarded, previous: u32, worker: u32, object: usize) {
    let mut other_core = false;
    if CORE {
        let core = Os::<P>::core();
        other_core = previous != 0 && guarded.core.load(Ordering::Relaxed) != core;
        guarded.core.store(core, Ordering::Relaxed);
    }
    guarded.owner.store(worker + 1, Ordering::Relaxed);
    Os::<P>::event(Event::Owner { previous_worker: previous.wrapping_sub(1), other_core }, object);
}

/// Each probe beside none, for each depth of book-keeping. The target is for all that the driver does.
pub(crate) fn probes() -> Vec<(Claim, Sides, Sides)> {
    fn against<P: Probe>(name: &str, at_most_ns: f64) -> Vec<(Claim, Sides, Sides)> {
        let depths = [
            ("reports alone", Owner::Untold, None),
            ("and owner", Owner::Told, None),
            ("and core: as in the driver", Owner::WithCore, Some(at_most_ns)),
        ];
        let claim = |(depth, owner, at_most)| {
            let claim = Claim::extra_ns(format!("{name} probe, {depth}: ns over none"), at_most);
            (claim, Sides::reported::<P>(owner), Sides::reported::<NoProbe>(owner))
        };
        depths.map(claim).into()
    }
    let mut claims = against::<CountProbe>("count", 1.5);
    claims.extend(against::<SampleProbe>("sample", 2.0));
    claims.extend(against::<FullProbe>("full", 40.0));
    // What a family whose operations give nothing back pays: a channel's, say.
    claims.push((
        Claim::extra_ns("full probe, wait alone: ns over none".into(), Some(28.0)),
        Sides::reported::<FullProbe>(Owner::NoRelease),
        Sides::reported::<NoProbe>(Owner::NoRelease),
    ));
    claims
}
