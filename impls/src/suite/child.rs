//! Misuse in a process of its own: the test runs its own binary again, with its own name, and watches it die.

use std::env;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// Set in the child, to the test that it plays.
const PLAYS: &str = "SYNCHROSCOPE_MISUSE";

/// How this program plays the same test again, where it is no test binary.
static AGAIN: OnceLock<Vec<String>> = OnceLock::new();

/// From now on this program plays the test that it plays again when it is started with `arguments`.
pub(super) fn again_by(arguments: &[&str]) {
    AGAIN.get_or_init(|| arguments.iter().map(|argument| (*argument).to_owned()).collect());
}

/// Runs `misuse` in a child process; panics unless the child fails and its stderr holds each of `expected`.
///
/// `test` is the full path of the calling test, `concat!(module_path!(), "::name")`.
pub fn dies_with(test: &'static str, expected: &[&str], misuse: impl FnOnce() + Send + 'static) {
    let name = name_of(test);
    if env::var_os(PLAYS).is_some_and(|plays| plays == name) {
        return super::within(Duration::from_secs(10), test, misuse);
    }
    let output = this_test(test).env(PLAYS, name).output();
    let output = output.expect("the test binary starts again");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let played = AGAIN.get().is_some() || stdout.contains("running 1 test");
    assert!(played, "{name} is not the name of one test:\n{stdout}");
    assert!(!output.status.success(), "{test}: the misuse went unnoticed");
    for text in expected {
        assert!(stderr.contains(text), "{test}: no {text:?} in what the child said:\n{stderr}");
    }
}

/// The command that runs this binary again with the one test `test`, `concat!(module_path!(), "::name")`.
pub fn this_test(test: &'static str) -> Command {
    let mut command = Command::new(env::current_exe().expect("the test binary has a path"));
    match AGAIN.get() {
        Some(arguments) => command.args(arguments),
        None => command.args([name_of(test), "--exact", "--nocapture", "--test-threads=1"]),
    };
    command
}

/// The harness knows tests by their path without the crate.
fn name_of(test: &'static str) -> &'static str {
    test.split_once("::").map_or(test, |(_, name)| name)
}
