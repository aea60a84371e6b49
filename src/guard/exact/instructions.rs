//! Instructions per uncontended operation of both arms.
//!
//! Under callgrind, which runs the program on a processor that it simulates and counts every instruction: the count is
//! that of the real code, the processor is not, so its tier is *simulated*. Two lengths of one loop are counted as whole
//! processes, and the difference leaves the loop. Without valgrind the processor's own counter serves, where there is
//! one. Without either there are no rows, and a note says so.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use record::Tier;
use reports::guard::Row;
use reports::guard::exact::{Instructions, instructions_row};

use super::{Arm, Counted, Plan, side_by_side, tuned};
use crate::runner::INTERRUPTED;
use crate::uncontended::Loop;

/// The two lengths. What one process has of its own beside the loop differs by less than a thousand instructions from
/// one time to the next, a hundredth of an instruction over the difference.
const SHORT_OPS: u64 = 20_000;
const LONG_OPS: u64 = 120_000;
/// Callgrind runs a program some fifty times slower than the processor; a count takes a second or two.
const COUNT_LIMIT: Duration = Duration::from_secs(120);
/// Brings callgrind.
const HINT: &str = "valgrind was not found (Debian: apt-get install valgrind)";

/// Who counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counter {
    Callgrind,
    Processor,
}

/// The rows of all subjects, and notes on what is absent.
///
/// # Errors
/// If this side cannot go on, or was interrupted.
pub(crate) fn rows(counted: &[Counted], plan: &Plan<'_>) -> Result<(Vec<Row>, Vec<String>)> {
    if counted.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let counter = if has_valgrind() { Counter::Callgrind } else { Counter::Processor };
    let limit = COUNT_LIMIT + plan.patience;
    // The same program with the same implementation is counted once.
    let mut counts: BTreeMap<(Arm, bool), Mutex<Option<Instructions>>> = BTreeMap::new();
    let key = |arm: &Arm, subject: &Counted| (arm.clone(), tuned(&subject.baseline, &subject.candidate));
    for subject in counted {
        for arm in [&subject.baseline, &subject.candidate] {
            counts.entry(key(arm, subject)).or_default();
        }
    }
    let jobs: Vec<_> = counts.iter().collect();
    side_by_side(jobs.len(), &|job| {
        let ((arm, tuned_shape), slot) = jobs[job];
        let counted = count(counter, arm, *tuned_shape, limit)?;
        *slot.lock().unwrap_or_else(|e| e.into_inner()) = Some(counted);
        Ok(())
    })?;
    let of = |arm: &Arm, subject: &Counted| {
        let slot =
            counts.get(&key(arm, subject)).map(|slot| slot.lock().unwrap_or_else(|e| e.into_inner()).clone());
        slot.flatten().unwrap_or_else(|| Instructions::Absent("it was not counted".to_owned()))
    };
    let mut rows = Vec::new();
    let mut absent = None;
    for subject in counted {
        let (baseline, candidate) = (of(&subject.baseline, subject), of(&subject.candidate, subject));
        match (&baseline, &candidate) {
            // Nothing counts here: that is no doubt about the change.
            (Instructions::Absent(why), Instructions::Absent(_)) if counter == Counter::Processor => {
                absent.get_or_insert_with(|| why.clone());
            }
            _ => rows.push(instructions_row(
                &subject.candidate.implementation,
                subject.only_half.as_deref(),
                &baseline,
                &candidate,
            )),
        }
    }
    let note =
        |why| format!("instructions per operation are absent: {HINT}, and the processor's counter: {why}");
    Ok((rows, absent.map(note).into_iter().collect()))
}

fn has_valgrind() -> bool {
    let mut command = Command::new("valgrind");
    let started =
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    started.is_ok_and(|status| status.success())
}

fn count(counter: Counter, arm: &Arm, tuned_shape: bool, limit: Duration) -> Result<Instructions> {
    let mut counts = Vec::new();
    for operations in [SHORT_OPS, LONG_OPS] {
        let counted = match counter {
            Counter::Callgrind => under_callgrind(arm, tuned_shape, operations, limit)?,
            Counter::Processor => by_processor(arm, tuned_shape, operations, limit)?,
        };
        match counted {
            Ok(count) => counts.push((operations, count)),
            Err(why) => return Ok(Instructions::Absent(why)),
        }
    }
    let tier = match counter {
        Counter::Callgrind => Tier::Simulated,
        Counter::Processor => Tier::MeasuredPmu,
    };
    Ok(Instructions::of_difference(counts[0], counts[1], tier))
}

/// The arm's program with its hidden command.
fn words(command: &mut Command, arm: &Arm, tuned_shape: bool, operations: u64) {
    command.args(["uncontended", "--implementation", &arm.implementation]);
    command.args(["--operations", &operations.to_string()]);
    for (name, value) in &arm.params {
        command.arg("--param").arg(format!("{name}={value}"));
    }
    if tuned_shape {
        command.arg("--tuned-shape");
    }
}

/// What callgrind counts for the whole process, or why it does not.
fn under_callgrind(
    arm: &Arm,
    tuned_shape: bool,
    operations: u64,
    limit: Duration,
) -> Result<Result<u64, String>> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(&arm.program);
    words(&mut command, arm, tuned_shape, operations);
    let output = match bounded(command, limit)? {
        Ok(output) => output,
        Err(why) => return Ok(Err(why)),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Ok(Err(complaint(&text)));
    }
    let collected =
        text.lines().filter(|line| line.starts_with("==")).find_map(|line| line.split_once("Collected : "));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    Ok(count.ok_or_else(|| "valgrind says no count".to_owned()))
}

/// What the processor counted from the first operation to the last, or why it did not.
fn by_processor(
    arm: &Arm,
    tuned_shape: bool,
    operations: u64,
    limit: Duration,
) -> Result<Result<u64, String>> {
    let mut command = Command::new(&arm.program);
    words(&mut command, arm, tuned_shape, operations);
    let output = match bounded(command, limit)? {
        Ok(output) => output,
        Err(why) => return Ok(Err(why)),
    };
    if !output.status.success() {
        return Ok(Err(complaint(&String::from_utf8_lossy(&output.stderr))));
    }
    Ok(match serde_json::from_slice::<Loop>(&output.stdout) {
        Err(error) => Err(format!("its answer is not that of `uncontended`: {error}")),
        Ok(counted) => Instructions::reading(&counted.instructions),
    })
}

/// The last thing that a program said of itself, without valgrind's lines.
fn complaint(stderr: &str) -> String {
    let own = |line: &&str| !line.trim().is_empty() && !line.starts_with("==");
    let last = stderr.lines().rev().find(own).unwrap_or("it failed and said nothing");
    last.trim_start_matches("error: ").to_owned()
}

/// Runs a command to its end, but no longer than `limit`.
fn bounded(mut command: Command, limit: Duration) -> Result<Result<Output, String>> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            return Ok(Err(format!("{}: {error}", Path::new(command.get_program()).display())));
        }
    };
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let read = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let said = scope.spawn(move || stdout.as_mut().map_or_else(Vec::new, |pipe| read(pipe)));
        let complained = scope.spawn(move || stderr.as_mut().map_or_else(Vec::new, |pipe| read(pipe)));
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if INTERRUPTED.load(Ordering::Relaxed) || started.elapsed() >= limit {
                let _ = child.kill();
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        if INTERRUPTED.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        let (stdout, stderr) = (said.join().unwrap_or_default(), complained.join().unwrap_or_default());
        Ok(match status {
            Some(status) => Ok(Output { status, stdout, stderr }),
            None => Err(format!("no end after {:.0} s", limit.as_secs_f64())),
        })
    })
}
