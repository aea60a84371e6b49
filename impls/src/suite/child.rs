//! Misuse in a process of its own: the test runs its own binary again, with its own name, and watches it die.

use std::env;
use std::process::Command;
use std::time::Duration;

/// Set in the child, to the test that it plays.
const PLAYS: &str = "SYNCHROSCOPE_MISUSE";

/// Runs `misuse` in a child process; panics unless the child fails and its stderr holds each of `expected`.
///
/// `test` is the full path of the calling test, `concat!(module_path!(), "::name")`.
pub fn dies_with(test: &'static str, expected: &[&str], misuse: impl FnOnce() + Send + 'static) {
    // The harness knows tests by their path without the crate.
    let name = test.split_once("::").map_or(test, |(_, name)| name);
    if env::var_os(PLAYS).is_some_and(|plays| plays == name) {
        return super::within(Duration::from_secs(10), test, misuse);
    }
    let binary = env::current_exe().expect("the test binary has a path");
    let arguments = [name, "--exact", "--nocapture", "--test-threads=1"];
    let output = Command::new(binary).args(arguments).env(PLAYS, name).output();
    let output = output.expect("the test binary starts again");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("running 1 test"), "{name} is not the name of one test:\n{stdout}");
    assert!(!output.status.success(), "{test}: the misuse went unnoticed");
    for text in expected {
        assert!(stderr.contains(text), "{test}: no {text:?} in what the child said:\n{stderr}");
    }
}
