//! Every mutex under explored schedules: the sound ones pass, the broken ones do not.
//!
//! `SYNCHROSCOPE_SCHEDULES=N` tries N schedules of each program instead of the few that a test has time for.

#![allow(clippy::print_stdout, reason = "what was found is a result, also when the test passes")]

use impls::machine::sim::explore::{Failure, Outcome};
use impls::mutex::{MutexImpl, MutexVisitor};
use impls::suite::explored::{Explored, explore};
use impls::suite::mutants::{self, EXPECTED, Fault};

/// What each mutex was asked, and what came of it.
struct Examined(u32, Vec<(&'static str, Vec<Explored>)>);

impl MutexVisitor for Examined {
    fn visit<I: MutexImpl>(&mut self) {
        self.1.push((I::CARD.id, explore::<I>(self.0, 1, 0)));
    }
}

impl Examined {
    /// The failures of each mutex.
    fn failures(&self) -> impl Iterator<Item = (&'static str, Vec<(&Explored, &Failure)>)> {
        fn failed(explored: &Explored) -> Option<&Failure> {
            match &explored.outcome {
                Outcome::Failed(failure) => Some(failure),
                Outcome::Passed { .. } => None,
            }
        }
        self.1.iter().map(move |(id, all)| {
            (*id, all.iter().filter_map(|explored| Some((explored, failed(explored)?))).collect())
        })
    }
}

fn schedules(short: u32) -> u32 {
    let asked = std::env::var("SYNCHROSCOPE_SCHEDULES").ok();
    asked.map_or(short, |text| text.parse().expect("SYNCHROSCOPE_SCHEDULES: a number of schedules"))
}

#[test]
fn sound_mutexes_pass() {
    let mut examined = Examined(schedules(60), Vec::new());
    impls::mutex::visit_all(&mut examined);
    let mut text = String::new();
    for (id, failures) in examined.failures() {
        for (explored, failure) in failures {
            text += &format!("{id}, {}: {failure}\n", explored.asks());
        }
    }
    assert!(text.is_empty(), "{text}");
    assert!(examined.1.len() > 15);
}

#[test]
fn broken_mutexes_fail_under_few_switches() {
    let mut examined = Examined(schedules(300), Vec::new());
    mutants::visit_all(&mut examined);
    let mut unseen = Vec::new();
    for ((id, failures), expected) in examined.failures().zip(EXPECTED) {
        assert_eq!(id, expected.id);
        let shortest = failures.iter().min_by_key(|(_, failure)| failure.shrunk.switches);
        match shortest {
            Some((explored, failure)) => {
                println!("{id}: {}, {:?}: {}", explored.name(), failure.kind, failure.schedule);
                // A semaphore's looks before a sleep are pauses, and each is a turn of its own.
                assert!(failure.shrunk.switches <= 16, "{id}: {failure}");
            }
            None => unseen.push(id),
        }
        assert!(shortest.is_none() || !expected.weak_memory, "{id}: seen without a weak memory");
    }
    // Order and answers are not asked here, and one operation after another shows no missing ordering.
    let asked = |id: &str| {
        let expected = EXPECTED.iter().find(|expected| expected.id == id).unwrap();
        matches!(expected.fault, Fault::Exclusion | Fault::Hang) && !expected.weak_memory
    };
    println!("not seen: {unseen:?}");
    let unseen: Vec<_> = unseen.into_iter().filter(|id| asked(id)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
