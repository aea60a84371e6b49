//! A simulation depends on the program, the preset and the seed, and on nothing else: traces of the driver are the same
//! in every build, on every host thread, observed or not. `scripts/test` runs this test optimised and not.
//!
//! The hashes are in `golden/traces.txt`. A change of the model, of the driver or of a lock changes them: look at what the
//! test prints, and at the git history of the file, before believing that it should.

use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::thread::LocalKey;

use impls::card::Defaults;
use impls::machine::sim::preset::Preset;
use impls::machine::sim::{Setup, Sim, simulate};
use impls::mutex::MutexImpl;
use impls::mutex::clh::Clh;
use impls::mutex::futex_drepper::FutexDrepper;
use impls::mutex::go_2016_starving::Go2016Starving;
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::mutex::mcs::Mcs;
use impls::mutex::spin_tas::SpinTas;
use impls::mutex::ticket::Ticket;
use impls::probe::{Clock, Event, NoProbe, Probe};
use record::spec::Expect;
use record::{Arrivals, Choice, Distribution, Point, Role, Schedule};
use workloads::driver::{Account, Launch, Witness, mutex};

struct Nobody;
impl Witness for Nobody {
    fn account(&self) -> Account {
        Account::default()
    }
}

/// Looks at everything: whatever code stands behind `Probe::ON` runs.
#[derive(Clone, Copy, Debug, Default)]
struct Nosy;
impl Probe for Nosy {
    const ON: bool = true;
    type Slot = Cell<u64>;
    fn os_slot() -> &'static LocalKey<Cell<*const Cell<u64>>> {
        thread_local!(static NEVER: Cell<*const Cell<u64>> = const { Cell::new(core::ptr::null()) });
        &NEVER
    }
    fn event(slot: &Cell<u64>, _: Event, _: usize, clock: &impl Clock) {
        slot.set(slot.get() + clock.now_ns());
    }
}

/// A short launch of `I`: the hash of each of its runs.
fn hashes<P: Probe, I: MutexImpl>(preset: &str, threads: u32, seed: u64) -> Vec<u64> {
    let point = Point {
        workload: "test".into(),
        label: "test".into(),
        family: "mutex".into(),
        roles: vec![Role {
            name: "all".into(),
            threads,
            hold: Distribution::Exponential { mean_ns: 120 },
            think: Distribution::Constant { ns: 200 },
        }],
        locks: 2,
        choice: Choice::Uniform,
        take: record::Take::One,
        arrivals: Arrivals::Closed,
        schedule: Schedule::Steady,
        expect: Expect::Counter,
    };
    let launch = Launch {
        point: &point,
        slices: 1,
        // Threads that share a core need several turns.
        slice_ns: if preset == "vm-2" { 15_000_000 } else { 150_000 },
        warmup_ns: 20_000,
        cpus: &[],
        seed,
        can_count: false,
    };
    let setup =
        Setup { preset: Rc::new(Preset::builtin(preset).unwrap()), observe: P::ON, marks: 0, marks_from: 0 };
    let (outcome, reports) =
        simulate(&setup, || mutex::run::<Sim<P>, I, Defaults>(&launch, Defaults, &Nobody));
    let slice = &outcome.slices[0];
    assert_eq!(slice.observed, slice.expected, "{} on {preset}", I::CARD.id);
    assert!(slice.ops() > 0, "{} on {preset}: nothing happened", I::CARD.id);
    reports.iter().map(|report| report.trace_hash).collect()
}

/// Presets and numbers of threads; the last has more threads than cores.
const PLACES: [(&str, u32); 5] =
    [("opteron-48", 8), ("genoa-192", 24), ("niagara-64", 16), ("tilera-36", 24), ("vm-2", 5)];

fn lines<I: MutexImpl>(text: &mut String) {
    for (preset, threads) in PLACES {
        for seed in [1, 2] {
            let hashes = hashes::<NoProbe, I>(preset, threads, seed);
            let hashes: Vec<String> = hashes.iter().map(|hash| format!("{hash:016x}")).collect();
            let _ = writeln!(text, "{} {preset} t{threads} seed {seed}: {}", I::CARD.id, hashes.join(" "));
        }
    }
}

#[test]
fn traces_are_those_of_every_other_build() {
    let mut text = String::new();
    lines::<SpinTas>(&mut text);
    lines::<Ticket>(&mut text);
    lines::<Mcs>(&mut text);
    lines::<Clh>(&mut text);
    lines::<FutexDrepper>(&mut text);
    lines::<Go2016Starving>(&mut text);
    lines::<Go2019Fastpath>(&mut text);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/traces.txt");
    // Written anew only on purpose: SYNCHROSCOPE_GOLDEN=write cargo test -p synchroscope-workloads --test traces
    if std::env::var_os("SYNCHROSCOPE_GOLDEN").is_some_and(|what| what == "write") {
        std::fs::write(file, &text).unwrap();
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    for (now, then) in text.lines().zip(golden.lines()) {
        assert_eq!(now, then, "another trace than the golden one");
    }
    assert_eq!(text.lines().count(), golden.lines().count());
}

#[test]
fn seeds_differ_and_repeat() {
    let of = |seed| hashes::<NoProbe, Ticket>("genoa-192", 12, seed);
    assert_eq!(of(7), of(7));
    assert_ne!(of(7), of(8));
}

#[test]
fn looking_changes_nothing() {
    fn same<I: MutexImpl>() {
        for (preset, threads) in PLACES {
            let plain = hashes::<NoProbe, I>(preset, threads, 3);
            assert_eq!(plain, hashes::<Nosy, I>(preset, threads, 3), "{} on {preset}", I::CARD.id);
        }
    }
    same::<Ticket>();
    same::<Go2019Fastpath>();
}

#[test]
fn other_host_threads_see_the_same() {
    let here = hashes::<NoProbe, Mcs>("milan-128", 16, 5);
    let threads: Vec<_> =
        (0..3).map(|_| std::thread::spawn(|| hashes::<NoProbe, Mcs>("milan-128", 16, 5))).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), here);
    }
}
