//! The batteries catch what they must: each broken lock fails, in the way that it is broken, and no sound one does.

#![allow(clippy::print_stdout, reason = "what was found is a result, also when the test passes")]

use std::panic::catch_unwind;
use std::time::Duration;

use impls::card::{Capability, Card, Defaults, Fairness, ParamSource, Role, Runs, Tuned};
use impls::machine::Machine;
use impls::mutex::{MutexImpl, MutexVisitor};
use impls::suite::mutants::{
    self, Fault, MutantDeadlock, MutantOverlap, MutantPanic, list, monitor, numbers, owner, permits, spin,
    two_mode, word,
};
use impls::suite::mutex::exclusion::exclusion_with;
use impls::suite::simulated::{Wrong, examine};
use impls::suite::troubled::Trouble;
use impls::suite::{panic_text, within};

/// Seeds with which a mutant must be caught.
const SEEDS: u64 = 400;

struct Examined {
    seeds: u64,
    trouble: Trouble,
    found: Vec<(&'static str, Vec<Wrong>)>,
}

impl MutexVisitor for Examined {
    fn visit<I: MutexImpl>(&mut self) {
        let (seeds, trouble) = (1..=self.seeds, self.trouble);
        let found = within(Duration::from_secs(60), I::CARD.id, move || examine::<I>(seeds, trouble));
        self.found.push((I::CARD.id, found));
    }
}

#[test]
fn the_simulator_sees_every_fault_that_needs_no_weak_memory() {
    let mut examined = Examined { seeds: SEEDS, trouble: Trouble::None, found: Vec::new() };
    mutants::visit_all(&mut examined);
    assert_eq!(examined.found.len(), mutants::EXPECTED.len());
    let mut unseen = Vec::new();
    for ((id, found), expected) in examined.found.iter().zip(mutants::EXPECTED) {
        assert_eq!(*id, expected.id);
        let told = found.iter().find(|wrong| wrong.fault == expected.fault);
        match told {
            Some(wrong) => println!(
                "{id}: {} in `{}` on {} with seed {}",
                wrong.fault.name(),
                wrong.program,
                wrong.preset,
                wrong.seed
            ),
            None if expected.weak_memory => assert_eq!(found, &[], "{id}: more than its fault"),
            None => unseen.push(format!("{id}: {} expected, seen {found:?}", expected.fault.name())),
        }
        assert!(told.is_none() || !expected.weak_memory, "{id}: seen without a weak memory");
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}

#[test]
fn the_simulator_accuses_no_sound_lock() {
    for (trouble, seeds) in [(Trouble::None, 100), (Trouble::SpuriousWakes, 30), (Trouble::ClockGoesBack, 30)]
    {
        let mut examined = Examined { seeds, trouble, found: Vec::new() };
        impls::mutex::visit_all(&mut examined);
        visit_sound(&mut examined);
        for (id, found) in &examined.found {
            assert_eq!(found, &[], "{id}, trouble {trouble:?}");
        }
        assert!(examined.found.len() > 20);
    }
}

/// The locks of the mutants' files, without a fault: what is caught is the fault and not how the mutants are built.
macro_rules! sound {
    ($($registration:ident: $lock:ty, $id:literal, $fairness:ident, [$($can:ident),*];)*) => {
        $(
            struct $registration;
            impl MutexImpl for $registration {
                const CARD: Card = Card {
                    id: $id,
                    summary: "the lock of a file of mutants, whole",
                    year: 2026,
                    source: "ours",
                    role: Role::Design,
                    fairness: Fairness::$fairness,
                    runs: Runs::AnyMachine,
                    can: &[$(Capability::$can),*],
                    params: &[],
                    follows: None,
                    pathologies: &[],
                };
                type Lock<M: Machine, S: ParamSource> = $lock;
                fn build<M: Machine, S: ParamSource>(_: S) -> $lock {
                    Default::default()
                }
            }
        )*
        fn visit_sound(visitor: &mut impl MutexVisitor) {
            $(visitor.visit::<$registration>();)*
        }
    };
}

sound! {
    Word: word::Mutex<M, ()>, "mutex/sound-word", Barging, [TryLock, Timeout, IsLocked];
    Spin: spin::Mutex<M, ()>, "mutex/sound-spin", Unordered, [TryLock, IsLocked];
    Numbers: numbers::Mutex<M, ()>, "mutex/sound-numbers", Fifo, [TryLock];
    Mcs: list::Mcs<M, ()>, "mutex/sound-mcs", Fifo, [IsLocked];
    Clh: list::Clh<M, ()>, "mutex/sound-clh", Fifo, [];
    Monitor: monitor::Mutex<M, ()>, "mutex/sound-monitor", Fifo, [TryLock, Timeout, WaiterCount, IsLocked];
    TwoMode: two_mode::Mutex<M, ()>, "mutex/sound-two-mode", BoundedBarging,
        [TryLock, WaiterCount, IsLocked, IsStarving];
    Binary: permits::Binary<M, ()>, "mutex/sound-binary", Barging, [TryLock];
    Epoch: permits::Epoch<M, ()>, "mutex/sound-epoch", Barging, [TryLock, IsLocked];
    Owned: owner::Mutex<M, ()>, "mutex/sound-owner", Barging, [TryLock, IsLocked, Recursive];
}

/// What the exclusion test says of `I`, or that it passed.
fn verdict<I: MutexImpl>(limit: Duration) -> Result<(), String> {
    let caught = catch_unwind(|| within(limit, I::CARD.id, || exclusion_with::<I, _>(Defaults, 4, u64::MAX)));
    caught.map_err(|panic| panic_text(&*panic).to_owned())
}

/// What the first run that fails says. On one core two threads meet in the section only if one is preempted there, so
/// there are several.
fn first_verdict<I: MutexImpl>(limit: Duration) -> String {
    (0..50).find_map(|_| verdict::<I>(limit).err()).expect("it is broken")
}

#[test]
fn a_deadlock_is_caught_on_this_computer() {
    let text = first_verdict::<MutantDeadlock>(Duration::from_secs(2));
    assert!(text.contains("mutex/mutant-deadlock: no end within"), "{text}");
    // Whoever hangs is named, with the lock, the operation and since when.
    assert!(text.contains("awaited by worker-") && text.contains("(in lock, "), "{text}");
}

#[test]
fn a_panic_is_caught_on_this_computer() {
    let text = verdict::<MutantPanic>(Duration::from_secs(20)).expect_err("it panics");
    assert!(text.contains("mutex/mutant-panic: panics on purpose"), "{text}");
}

#[test]
fn an_overlap_is_caught_on_this_computer() {
    let text = first_verdict::<MutantOverlap>(Duration::from_secs(20));
    assert!(text.contains("mutex/mutant-overlap: of") && text.contains("left their count"), "{text}");
}

/// A sleeper that nobody wakes, and a word that two may enter, need no luck on real threads either.
#[test]
fn short_mutants_are_caught_on_this_computer() {
    let text = first_verdict::<word::TwoStates>(Duration::from_secs(2));
    assert!(text.contains("no end within"), "{text}");
    let text = first_verdict::<spin::GivesUp>(Duration::from_secs(20));
    assert!(text.contains("left their count"), "{text}");
}

#[test]
fn late_mutants_are_sound_without_their_fault() {
    const GOOD: Tuned = Tuned(&[("good_acquisitions", u64::MAX)]);
    fn passes<I: MutexImpl>() {
        within(Duration::from_secs(20), I::CARD.id, || exclusion_with::<I, _>(GOOD, 4, u64::MAX));
    }
    passes::<MutantDeadlock>();
    passes::<MutantPanic>();
    passes::<MutantOverlap>();
}

#[test]
fn every_kind_of_fault_has_mutants() {
    for fault in [Fault::Exclusion, Fault::Hang, Fault::Order, Fault::Answer] {
        assert!(mutants::EXPECTED.iter().any(|expected| expected.fault == fault), "{}", fault.name());
    }
    assert!(mutants::EXPECTED.iter().filter(|expected| !expected.weak_memory).count() >= 20);
    let ids: std::collections::BTreeSet<_> = mutants::EXPECTED.iter().map(|expected| expected.id).collect();
    assert_eq!(ids.len(), mutants::EXPECTED.len(), "two mutants of one name");
}
