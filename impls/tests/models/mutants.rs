//! Every broken lock is seen by the checks that can see its fault; what saw it is a table in the docs.

use impls::machine::sim::explore::Outcome;
use impls::mutex::{MutexImpl, MutexVisitor};
use impls::suite::explored::explore;
use impls::suite::models::{Checker, Spec, Verdict};
use impls::suite::mutants::{self, EXPECTED};
use impls::suite::simulated::examine;
use impls::suite::troubled::Trouble;

use super::{Case, Took, cases, check, golden, parallel};

/// Seeds of the simulator.
const SEEDS: u64 = 400;
/// Explored schedules of each program.
const SCHEDULES: u32 = 300;

#[test]
fn every_mutant_is_caught() {
    let _took = Took::begin();
    let cases = cases(mutants::visit_all);
    let simulated = simulated();
    let seen = parallel(EXPECTED, |expected| {
        let mine: Vec<_> = cases.iter().filter(|case| case.id == expected.id).collect();
        Checker::ALL.map(|checker| mine.iter().find_map(|case| fails(checker, case)))
    });
    let mut table = format!(
        "<!-- Made by impls/tests/models: do not edit. -->\n\n{} broken locks, and the first program of each check that saw the fault. A dash: it does not see it.\n\n\
         | broken lock | what comes of it | fault | loom | shuttle, random | shuttle, priorities | schedules | simulator |\n|---|---|---|---|---|---|---|---|\n",
        EXPECTED.len()
    );
    let mut unseen = Vec::new();
    for ((expected, seen), simulated) in EXPECTED.iter().zip(&seen).zip(&simulated) {
        let mut row = format!(
            "| `{}` | {} | {}{} |",
            expected.id,
            simulated.about,
            expected.fault.name(),
            if expected.weak_memory { ", weak memory" } else { "" }
        );
        let by_seed = [simulated.schedules.as_deref(), simulated.program];
        for program in seen.iter().copied().chain(by_seed) {
            row += &format!(" {} |", program.unwrap_or("-"));
        }
        println!("{row}");
        table += &row;
        table.push('\n');
        if seen.iter().flatten().next().is_none() && by_seed.iter().all(Option::is_none) {
            unseen.push(expected.id);
        }
    }
    assert!(unseen.is_empty(), "nothing sees {unseen:?}");
    golden("mutants.md", &table);
}

/// The program, if `checker` finds a fault with it.
fn fails(checker: Checker, case: &Case) -> Option<&'static str> {
    match check(case.id, &Spec::short(checker, case.program())).verdict {
        Verdict::Failed(text) => {
            println!("{} {} {}: {text}", case.id, checker.name(), case.program);
            Some(case.program)
        }
        Verdict::Passed { .. } => None,
    }
}

/// What the simulated machine saw of a mutant.
struct Simulated {
    /// What comes of its fault, as its card says.
    about: &'static str,
    /// The first program whose explored schedules show it.
    schedules: Option<String>,
    /// The first program of the simulator that shows it.
    program: Option<&'static str>,
}

/// For each mutant, what the simulated machine saw.
fn simulated() -> Vec<Simulated> {
    struct Examine(Vec<Simulated>);
    impl MutexVisitor for Examine {
        fn visit<I: MutexImpl>(&mut self) {
            let expected =
                EXPECTED.iter().find(|expected| expected.id == I::CARD.id).expect("it is on the list");
            let found = examine::<I>(1..=SEEDS, Trouble::None);
            let program = found.iter().find(|wrong| wrong.fault == expected.fault).map(|wrong| wrong.program);
            let explored = explore::<I>(SCHEDULES, 1, 0);
            let failed = explored.iter().find(|explored| matches!(explored.outcome, Outcome::Failed(_)));
            let about = I::CARD.pathologies.first().expect("a mutant says what is wrong with it");
            self.0.push(Simulated { about, schedules: failed.map(|explored| explored.name()), program });
        }
    }
    let mut found = Examine(Vec::new());
    mutants::visit_all(&mut found);
    found.0
}
