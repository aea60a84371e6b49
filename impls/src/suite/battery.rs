//! The battery by name: each test in a process of its own, for programs that are no test binaries.
//!
//! A parent starts the process with the name of a test in its environment, the process plays it with [`serve`] and says
//! what came of it. A test that hangs is ended by the battery's own limit, and says who waits for whom.

use std::env;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::process::{self, Command, Stdio};
use std::sync::Mutex;

use super::{LIMIT, child, panic_text, within};
use crate::card::{Capability, Card, Fairness, Role};
use crate::mutex::MutexImpl;

/// Set in the child, to the test that it plays.
const PLAYS: &str = "SYNCHROSCOPE_BATTERY";
/// Before the line of the child that is meant for its parent.
const MARK: &str = "battery| ";
const EXIT_FAILED: i32 = 9;

/// How a test is run.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// In this process.
    Here(fn()),
    /// By starting this process again, under this name.
    Again(fn(&'static str), &'static str),
}

/// A test of the battery.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    /// Its name.
    pub name: &'static str,
    /// What it asks, in a few words.
    pub asks: &'static str,
    applies: fn(&Card) -> bool,
}

const fn test(name: &'static str, asks: &'static str, applies: fn(&Card) -> bool) -> Test {
    Test { name, asks, applies }
}

/// What each test asks, and of whom. Those that only bring checkers and simulated machines along are not here: whoever
/// runs the battery by name runs these with bounds of its own.
pub static TESTS: &[Test] = &[
    test("exclusion", "2, 4 and 8 threads lose no count", |_| true),
    test("visibility", "a section sees all that the last one wrote", |_| true),
    test("progress", "all get through, with more threads than cores", |_| true),
    test("try_lock", "a try fails while another holds, and leaves no trace", |c| {
        c.offers(Capability::TryLock)
    }),
    test("try_lock_excludes", "what came in by a try is alone", |c| c.offers(Capability::TryLock)),
    test("count", "holder and waiters are counted", |c| c.offers(Capability::WaiterCount)),
    test("is_locked", "true while held, whoever asks", |c| c.offers(Capability::IsLocked)),
    test("is_woken", "true between a wake-up and the next step", |c| c.offers(Capability::IsWoken)),
    test("is_starving", "true once a waiter has waited too long", |c| c.offers(Capability::IsStarving)),
    test("state_text", "the text changes with the state", |c| c.offers(Capability::StateText)),
    test("observable", "waits are reported, from begin to end", |c| c.offers(Capability::Observable)),
    test("time_out", "a wait ends at its deadline and not before", |c| c.offers(Capability::Timeout)),
    test("time_out_stress", "deadlines that race with grants", |c| c.offers(Capability::Timeout)),
    test("fifo", "first come, first served", |c| c.fairness == Fairness::Fifo),
    test("foreign_unlock", "another thread may unlock, or may not, as its card says", |_| true),
    test("recursion", "as many unlocks as locks, and not fewer", |c| c.offers(Capability::Recursive)),
    test("exit_while_holding", "a thread ends while it holds", |_| true),
    test("panic_inside", "sections that panic", |_| true),
    test("unclaimed", "what its card does not claim is refused by name", |_| true),
    test("survives_misuse", "it is as it was after misuse that was caught", |c| {
        c.offers(Capability::DetectsUnlocked) || c.offers(Capability::DetectsReentry)
    }),
    test("hammer", "Go's own stress of a mutex", |_| true),
    test("fairness", "Go's own test that a waiter gets its turn", |c| {
        matches!(c.fairness, Fairness::Fifo | Fairness::BoundedBarging)
    }),
    test("starvation_promise", "who has starved is next", |c| c.offers(Capability::IsStarving)),
    test("unlock_of_unlocked", "unlock of unlocked is fatal and named", |c| {
        c.offers(Capability::DetectsUnlocked)
    }),
    test("unlock_by_another", "unlock by another than the owner is fatal and named", |c| {
        c.offers(Capability::DetectsForeign)
    }),
    test("lock_again", "a second lock by the holder is fatal and named", |c| {
        c.offers(Capability::DetectsReentry)
    }),
];

impl Test {
    /// Whether it asks anything of the implementation that `card` describes.
    pub fn applies_to(&self, card: &Card) -> bool {
        card.role != Role::Floor && (self.applies)(card)
    }
}

fn table<I: MutexImpl>() -> impl IntoIterator<Item = (&'static str, Run)> {
    crate::mutex_battery! { @list table I }
}

/// In a child of [`run`], plays what it was asked for, says what came of it and ends the process. Elsewhere does
/// nothing. `again` are the arguments with which this program comes here again.
pub fn serve<I: MutexImpl>(again: &[&str]) {
    let Some(name) = env::var_os(PLAYS) else { return };
    let found = table::<I>().into_iter().find(|(test, _)| name == *test);
    let (name, run) = found.unwrap_or_else(|| panic!("{PLAYS}: no test {name:?}"));
    child::again_by(again);
    process::exit(match play(name, run) {
        Ok(()) => {
            say("passed");
            0
        }
        Err(text) => {
            say(&format!("failed {text}"));
            EXIT_FAILED
        }
    });
}

/// What went wrong, in a line.
fn play(name: &'static str, run: Run) -> Result<(), String> {
    /// What a thread of the test said first: the panic that ends the test may only say that a thread has panicked.
    static SAID: Mutex<Option<String>> = Mutex::new(None);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or("a panic without text");
        SAID.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert_with(|| text.to_owned());
        before(info);
    }));
    let outcome = catch_unwind(AssertUnwindSafe(|| match run {
        Run::Here(test) => within(LIMIT, name, test),
        Run::Again(test, again) => test(again),
    }));
    let panic = outcome.err();
    panic.map_or(Ok(()), |panic| {
        let text = match panic_text(&*panic) {
            "a scoped thread panicked" => SAID.lock().unwrap_or_else(|e| e.into_inner()).take(),
            text => Some(text.to_owned()),
        };
        let text = text.unwrap_or_else(|| "a panic without text".into());
        Err(text.split_whitespace().collect::<Vec<_>>().join(" "))
    })
}

#[expect(clippy::print_stdout, reason = "the parent reads there what came of it")]
fn say(line: &str) {
    println!("{MARK}{line}");
}

/// Plays `test` in the process that `command` starts, and which calls [`serve`]; what went wrong, in a line.
///
/// # Errors
/// If the test fails, or its process does not come to an end of its own.
pub fn run(command: &mut Command, test: &Test) -> Result<(), String> {
    command.env(PLAYS, test.name).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().map_err(|error| format!("the test does not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().find_map(|line| line.split_once(MARK).map(|(_, rest)| rest));
    match said {
        Some("passed") => Ok(()),
        Some(failed) => Err(failed.strip_prefix("failed ").unwrap_or(failed).to_owned()),
        None => Err(format!("the test ended with {}", output.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutex::ticket::Ticket;

    #[test]
    fn every_test_has_a_name_or_is_run_by_others() {
        let elsewhere = ["schedules", "spurious_wakes", "clock_goes_back", "loom", "shuttle"];
        let named: Vec<_> = TESTS.iter().map(|test| test.name).chain(elsewhere).collect();
        let listed: Vec<_> = table::<Ticket>().into_iter().map(|(name, _)| name).collect();
        for name in &listed {
            assert!(named.contains(name), "{name} is in the battery, and nobody runs it by name");
        }
        for name in &named {
            assert!(listed.contains(name), "{name} is not in the battery");
        }
        assert_eq!(listed.len(), named.len());
    }

    #[test]
    fn a_test_that_fails_tells_what_its_thread_said() {
        fn fails() {
            std::thread::scope(|scope| {
                scope.spawn(|| panic!("of 5 sections\n4 left their count"));
            });
        }
        assert_eq!(play("fails", Run::Here(fails)), Err("of 5 sections 4 left their count".into()));
        assert_eq!(play("passes", Run::Here(|| ())), Ok(()));
    }
}
