//! Writing a lock over Machine costs nothing: callgrind counts as many instructions for an uncontended lock and unlock
//! of an implementation as for its plain twin.
//!
//! Counts do not depend on the computer's load, so this is a gate. They do depend on optimisation, so the counted
//! program is built as released.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use plain::{Twin, TwinVisitor};

#[path = "../benches/plain/mod.rs"]
mod plain;

const SHORT_ROUNDS: u64 = 10_000;
const LONG_ROUNDS: u64 = 60_000;
/// Loop set-up and the dynamic loader differ by a few instructions between two runs.
const TOLERANCE: f64 = 0.01;

#[test]
fn as_many_instructions_as_written_plainly() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("skipped: valgrind not found (Debian: apt-get install valgrind)");
        return;
    }
    let program = build();
    let ids = output(Command::new(&program).arg("list"));
    let ids: Vec<&str> = ids.lines().collect();
    assert!(ids.len() >= 11, "only {ids:?} have a twin");
    // A count takes half a second and a core; their order does not matter.
    let left = Mutex::new(ids.into_iter());
    let rows = Mutex::new(Vec::new());
    let count = || {
        loop {
            let Some(id) = left.lock().unwrap().next() else { return };
            let ours = instructions_per_op(&program, id);
            let plain = instructions_per_op(&program, &format!("reference/{id}"));
            rows.lock().unwrap().push((id, ours, plain, ours / plain));
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(count))));
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|row| row.0);
    let line = |(id, ours, plain, ratio): &(&str, f64, f64, f64)| {
        format!("{id}: {ours:.3} instructions, plain {plain:.3}, ratio {ratio:.3}")
    };
    // `scripts/speed` prints these lines: `cargo test --test instructions -- --nocapture`.
    rows.iter().for_each(|row| eprintln!("{}", line(row)));
    let off: Vec<String> = rows.iter().filter(|row| (row.3 - 1.0).abs() > TOLERANCE).map(line).collect();
    assert!(off.is_empty(), "not the instructions of the plain twin:\n{}", off.join("\n"));
}

/// The counted program, optimised as a release, in the target folder that this test came from.
fn build() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder").to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--quiet", "--example", "instructions", "--target-dir"]).arg(&target);
    output(cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]));
    target.join("release/examples/instructions").with_extension(std::env::consts::EXE_EXTENSION)
}

fn instructions_per_op(program: &PathBuf, id: &str) -> f64 {
    let [short, long] = [SHORT_ROUNDS, LONG_ROUNDS].map(|rounds| instructions(program, id, rounds));
    (long - short) as f64 / (LONG_ROUNDS - SHORT_ROUNDS) as f64
}

/// What callgrind counts for the whole process.
fn instructions(program: &PathBuf, id: &str, rounds: u64) -> i64 {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = valgrind.args([id, &rounds.to_string()]).output().expect("valgrind starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{id}: {text}");
    let collected = text.lines().find_map(|line| line.split_once("Collected : ")).expect("a count");
    collected.1.trim().parse().expect("a number of instructions")
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("the command starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A twin that does not exclude is no reference.
#[test]
fn twins_exclude() {
    struct Hammer;
    impl TwinVisitor for Hammer {
        fn visit<T: Twin>(&mut self) {
            // Few: with fewer cores than threads a queue lock pays a scheduler's slice for each hand-over.
            const THREADS: u64 = 2;
            const ROUNDS: u64 = 300;
            let (lock, counter) = (T::new(), AtomicU64::new(0));
            let work = || {
                let mut context = lock.context();
                for round in 0..ROUNDS {
                    lock.lock(&mut context);
                    let seen = counter.load(Ordering::Relaxed);
                    if round % 16 == 0 {
                        // Others run into the held lock, and sleep where the design sleeps.
                        std::thread::yield_now();
                    }
                    counter.store(seen + 1, Ordering::Relaxed);
                    lock.unlock(&mut context);
                }
            };
            std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
            assert_eq!(counter.load(Ordering::Relaxed), THREADS * ROUNDS, "{}", T::ID);
        }
    }
    plain::visit_all(&mut Hammer);
}
