//! A check in a process of its own: how it is asked for, what it prints, how long it may take.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, panic, process, thread};

use super::{Outcome, Spec, Verdict, play};
use crate::machine::Ordering;
use crate::machine::checked::sites::{self, Site};
use crate::mutex::MutexImpl;

/// Set in the child, to what it checks.
const PLAYS: &str = "SYNCHROSCOPE_MODEL";
/// Before each line of the child that is meant for its parent: a test harness prints others.
const MARK: &str = "model| ";
const EXIT_FAILED: i32 = 9;

/// What a check may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time after which it is stopped.
    pub time: Duration,
}

/// In a child of [`run`], plays what it was asked for, prints the verdict and ends the process. Elsewhere does nothing.
pub fn serve<I: MutexImpl>() {
    let Some(spec) = env::var_os(PLAYS) else { return };
    let spec =
        spec.to_str().expect("a spec is text").parse().unwrap_or_else(|wrong: String| panic!("{wrong}"));
    let code = answer::<I>(&spec);
    process::exit(code);
}

fn answer<I: MutexImpl>(spec: &Spec) -> i32 {
    let wants_sites = spec.sites;
    panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or("a panic without text");
        report_sites(wants_sites);
        say(&format!("failed {}", one_line(text)));
        // No unwinding: the threads of the execution borrow from each other's stacks.
        process::exit(EXIT_FAILED);
    }));
    let verdict = play::<I>(spec);
    report_sites(wants_sites);
    if let Verdict::Passed { executions, complete } = verdict {
        say(&format!("passed {executions} {complete}"));
    }
    0
}

#[expect(clippy::print_stdout, reason = "the parent reads the verdict there")]
fn say(line: &str) {
    println!("{MARK}{line}");
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn report_sites(wanted: bool) {
    if wanted {
        for (site, order) in sites::met() {
            say(&format!("site {order:?} {site}"));
        }
    }
}

/// Runs `spec` in the process that `command` starts, and which calls [`serve`].
pub fn run(command: &mut Command, spec: &Spec, limits: Limits) -> Outcome {
    command.env(PLAYS, spec.to_string()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return failed(format!("the check does not start: {error}")),
    };
    let mut stdout = child.stdout.take().expect("it is piped");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        // What was read before an error is still worth reading.
        let _ = stdout.read_to_string(&mut text);
        text
    });
    let end = Instant::now() + limits.time;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
            _ => {
                // Either it has ended meanwhile or it ends now.
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let text = reader.join().unwrap_or_default();
    let mut outcome = read(&text);
    if outcome.is_none() {
        let how = match status {
            None => format!("no verdict within {:?}", limits.time),
            Some(status) => format!("no verdict: the check ended with {status}"),
        };
        outcome = Some(failed(how));
    }
    outcome.expect("it was just set")
}

fn failed(text: String) -> Outcome {
    Outcome { verdict: Verdict::Failed(text), sites: Vec::new() }
}

/// What a child said, if it came to a verdict.
fn read(text: &str) -> Option<Outcome> {
    let mut sites = Vec::new();
    let mut verdict = None;
    for line in text.lines().filter_map(|line| line.split_once(MARK).map(|(_, rest)| rest)) {
        let (kind, rest) = line.split_once(' ')?;
        match kind {
            "site" => {
                let (order, site) = rest.split_once(' ')?;
                sites.push((site.parse::<Site>().ok()?, order.to_owned()));
            }
            "failed" => verdict = Some(Verdict::Failed(rest.to_owned())),
            "passed" => {
                let (executions, complete) = rest.split_once(' ')?;
                let (executions, complete) = (executions.parse().ok()?, complete.parse().ok()?);
                verdict = Some(Verdict::Passed { executions, complete });
            }
            _ => return None,
        }
    }
    Some(Outcome { verdict: verdict?, sites })
}

/// The ordering of that name.
pub fn ordering(name: &str) -> Option<Ordering> {
    [Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst]
        .into_iter()
        .find(|order| format!("{order:?}") == name)
}
