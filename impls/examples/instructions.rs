//! One lock, taken and given back a number of times by one thread, and nothing else: a program for callgrind to count.
//!
//! `instructions ID ROUNDS` runs an implementation, `instructions reference/ID ROUNDS` its plain twin, `instructions
//! list` prints the ids that have a twin. `tests/instructions.rs` and `scripts/speed` do the counting.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use impls::card::Defaults;
use impls::machine::os::Os;
use impls::mutex::{MutexImpl, MutexVisitor, RawMutex};
use plain::{Twin, TwinVisitor};

#[path = "../benches/plain/mod.rs"]
mod plain;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["list"] => {
            plain::visit_all(&mut List);
            Ok(())
        }
        [id, rounds] => match rounds.parse() {
            Ok(rounds) => run(id, rounds),
            Err(_) => Err(format!("{rounds}: expected a number of rounds, such as 100000")),
        },
        _ => Err("expected: ID ROUNDS, or reference/ID ROUNDS, or list".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn run(id: &str, rounds: u64) -> Result<(), String> {
    let mut run = Run { id, rounds, counted: None };
    match id.strip_prefix("reference/") {
        Some(id) => {
            run.id = id;
            plain::visit_all(&mut run);
        }
        None => impls::mutex::visit_all(&mut run),
    }
    match run.counted {
        Some(counted) if counted == rounds => Ok(()),
        Some(counted) => Err(format!("{id}: the counter shows {counted} after {rounds} rounds")),
        None => Err(format!("{id}: no such lock; `list` prints those with a twin")),
    }
}

struct Run<'a> {
    id: &'a str,
    rounds: u64,
    counted: Option<u64>,
}

impl MutexVisitor for Run<'_> {
    fn visit<I: MutexImpl>(&mut self) {
        if I::CARD.id == self.id {
            let lock = I::build::<Os, Defaults>(Defaults);
            let (lock, mut context) = (black_box(&lock), lock.context());
            let counted = count(self.rounds, |counter| {
                lock.lock(&mut context);
                raise(counter);
                lock.unlock(&mut context);
            });
            self.counted = Some(counted);
        }
    }
}

impl TwinVisitor for Run<'_> {
    fn visit<T: Twin>(&mut self) {
        if T::ID == self.id {
            let lock = T::new();
            let (lock, mut context) = (black_box(&lock), lock.context());
            let counted = count(self.rounds, |counter| {
                lock.lock(&mut context);
                raise(counter);
                lock.unlock(&mut context);
            });
            self.counted = Some(counted);
        }
    }
}

/// Runs `step` so many times with a counter to raise in its midst. The same loop for all, compiled once for each.
#[inline(never)]
fn count(rounds: u64, mut step: impl FnMut(&AtomicU64)) -> u64 {
    let counter = AtomicU64::new(0);
    let counter = black_box(&counter);
    for _ in 0..rounds {
        step(counter);
    }
    counter.load(Ordering::Relaxed)
}

/// The critical section: as in the driver of the family, a load and a store, so that a broken lock loses counts.
#[inline(always)]
fn raise(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

struct List;

impl TwinVisitor for List {
    #[expect(clippy::print_stdout, reason = "the list is this program's result")]
    fn visit<T: Twin>(&mut self) {
        println!("{}", T::ID);
    }
}
