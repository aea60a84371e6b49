//! The battery catches what it must: each broken lock fails it, in the way that it is broken.

use std::panic::catch_unwind;
use std::time::Duration;

use impls::card::{Defaults, Tuned};
use impls::mutex::MutexImpl;
use impls::suite::mutants::{MutantDeadlock, MutantOverlap, MutantPanic};
use impls::suite::mutex::exclusion::exclusion_with;
use impls::suite::{panic_text, within};

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
fn a_deadlock_is_caught() {
    let text = first_verdict::<MutantDeadlock>(Duration::from_secs(2));
    assert!(text.contains("mutex/mutant-deadlock: no end within"), "{text}");
}

#[test]
fn a_panic_is_caught() {
    let text = verdict::<MutantPanic>(Duration::from_secs(20)).expect_err("it panics");
    assert!(text.contains("mutex/mutant-panic: panics on purpose"), "{text}");
}

#[test]
fn an_overlap_is_caught() {
    let text = first_verdict::<MutantOverlap>(Duration::from_secs(20));
    assert!(text.contains("mutex/mutant-overlap: of") && text.contains("left their count"), "{text}");
}

/// What is caught above is the fault and not the way in which the mutants are built.
#[test]
fn mutants_are_sound_without_their_fault() {
    const GOOD: Tuned = Tuned(&[("good_acquisitions", u64::MAX)]);
    fn passes<I: MutexImpl>() {
        within(Duration::from_secs(20), I::CARD.id, || exclusion_with::<I, _>(GOOD, 4, u64::MAX));
    }
    passes::<MutantDeadlock>();
    passes::<MutantPanic>();
    passes::<MutantOverlap>();
}
