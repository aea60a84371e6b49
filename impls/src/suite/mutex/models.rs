//! Does it hold in every interleaving that a checker explores?

use std::time::Duration;

use crate::mutex::MutexImpl;
use crate::suite::child;
use crate::suite::models::programs::PROGRAMS;
use crate::suite::models::{Checker, Limits, Spec, run, serve};

/// Every program that asks something of it, under loom.
pub fn loom<I: MutexImpl>(test: &'static str) {
    checks::<I>(test, &[Checker::Loom]);
}

/// The same programs under shuttle.
pub fn shuttle<I: MutexImpl>(test: &'static str) {
    checks::<I>(test, &[Checker::ShuttleRandom, Checker::ShuttlePct]);
}

fn checks<I: MutexImpl>(test: &'static str, checkers: &[Checker]) {
    serve::<I>();
    // The floor excludes nobody, which every checker sees.
    if !super::is_lock::<I>() {
        return;
    }
    let limits = Limits { time: Duration::from_secs(120) };
    for program in PROGRAMS.iter().filter(|program| program.applies_to(&I::CARD)) {
        for &checker in checkers {
            let outcome = run(&mut child::this_test(test), &Spec::short(checker, program), limits);
            let (id, checker, name) = (I::CARD.id, checker.name(), program.name);
            assert!(!outcome.verdict.failed(), "{id}: {checker} {name}: {:?}", outcome.verdict);
        }
    }
}
