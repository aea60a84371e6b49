//! The shipped sources and the broken ones under model checkers: which ordering is needed, which fault is seen by whom.
//!
//! The tables in `docs/proof` are made here; `SYNCHROSCOPE_GOLDEN=write cargo test -p synchroscope-impls --test models`
//! writes them anew.

#![allow(clippy::print_stdout, reason = "what was found is a result, also when the test passes")]

mod mutants;
mod orderings;
mod programs;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use impls::card::Role;
use impls::mutex::{MutexImpl, MutexVisitor, visit_all};
use impls::suite::models::programs::{PROGRAMS, Program};
use impls::suite::models::{Limits, Outcome, Spec, run, serve};

/// Set in the child, to the implementation that it checks.
const CHECKS: &str = "SYNCHROSCOPE_CHECKS";
const LIMITS: Limits = Limits { time: Duration::from_secs(120) };

/// Plays one check, in a process of its own; elsewhere it has nothing to do.
#[test]
fn child() {
    struct Play(String);
    impl MutexVisitor for Play {
        fn visit<I: MutexImpl>(&mut self) {
            if I::CARD.id == self.0 {
                serve::<I>();
            }
        }
    }
    if let Ok(id) = env::var(CHECKS) {
        let mut play = Play(id);
        visit_all(&mut play);
        impls::suite::mutants::visit_all(&mut play);
    }
}

fn check(id: &str, spec: &Spec) -> Outcome {
    let mut command = Command::new(env::current_exe().expect("the test binary has a path"));
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]).env(CHECKS, id);
    run(&mut command, spec, LIMITS)
}

/// Prints how long the proof has taken, when the last of its parts ends: parts run side by side, and only the whole
/// counts for who waits for it.
struct Took;

static RUNNING: Mutex<(usize, Option<Instant>)> = Mutex::new((0, None));

impl Took {
    fn begin() -> Took {
        let mut running = RUNNING.lock().unwrap_or_else(|e| e.into_inner());
        running.0 += 1;
        running.1.get_or_insert_with(Instant::now);
        Took
    }
}

impl Drop for Took {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(|e| e.into_inner());
        running.0 -= 1;
        if let (0, Some(start)) = *running {
            let minutes = start.elapsed().as_secs_f64() / 60.0;
            // Not by println, which a test that passes keeps to itself: whoever waits for it wants to know.
            let line = format!("model checkers, weakened orderings, broken locks: {minutes:.1} min\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }
}

/// One implementation under one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    id: &'static str,
    program: &'static str,
}

impl Case {
    fn program(&self) -> &'static Program {
        Program::named(self.program).expect("a case names a program")
    }
}

/// Each implementation that `visit` shows, under each program that asks something of it.
fn cases(visit: impl FnOnce(&mut Collect)) -> Vec<Case> {
    let mut collect = Collect(Vec::new());
    visit(&mut collect);
    collect.0
}

struct Collect(Vec<Case>);

impl MutexVisitor for Collect {
    fn visit<I: MutexImpl>(&mut self) {
        if I::CARD.role != Role::Floor {
            let programs = PROGRAMS.iter().filter(|program| program.applies_to(&I::CARD));
            self.0.extend(programs.map(|program| Case { id: I::CARD.id, program: program.name }));
        }
    }
}

/// `work` for each of `items`, on as many threads as there are cores; in the order of the items.
fn parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, item)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    items.get(place).map(|item| (place, item))
                } {
                    let result = work(item);
                    results.lock().expect("no worker panics with the lock").insert(place, result);
                }
            });
        }
    });
    results.into_inner().expect("no worker panics with the lock").into_values().collect()
}

fn root() -> PathBuf {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root.parent().expect("the workspace holds the crate").to_owned()
}

/// Compares `text` with the file of that name in `docs/proof`, or writes it there when asked to.
fn golden(name: &str, text: &str) {
    let path = root().join("docs/proof").join(name);
    if env::var_os("SYNCHROSCOPE_GOLDEN").is_some_and(|value| value == "write") {
        fs::write(&path, text).expect("the table can be written");
    }
    let stands = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stands == text,
        "docs/proof/{name} is not what the checks found; with SYNCHROSCOPE_GOLDEN=write it becomes:\n{text}"
    );
}
