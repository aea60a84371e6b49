//! What checkers found, on the pages: beside the speed of each implementation, and on its own page.

mod common;

use common::html::{page, site};
use common::{quick_run, tool};
use record::{Checked, Orderings, Proof, Verified};
use reports::html::Options;

fn checked(by: &str, program: &str, passed: bool, finding: &str) -> Checked {
    Checked {
        by: by.into(),
        program: program.into(),
        asks: format!("asks {program}"),
        bounds: "at most 3 preemptions".into(),
        passed,
        finding: finding.into(),
    }
}

fn proof(id: &str, checks: Vec<Checked>) -> Proof {
    let orderings =
        Some(Orderings { weakened: 12, caught: 11, not_caught: vec!["mcs.rs:3:1=Relaxed".into()] });
    Proof {
        implementation: id.into(),
        tool: tool(),
        ended_unix_ms: 1_795_236_180_000,
        checks,
        orderings,
        threads_only: None,
    }
}

#[test]
fn a_run_with_proofs_shows_them() {
    let mut run = quick_run();
    let sound = proof(
        "mutex/mcs",
        vec![
            checked("loom", "pair", true, "all 117 executions"),
            checked("loom", "trio", true, "all 900 executions"),
            checked("battery", "exclusion", true, "holds"),
        ],
    );
    let mut broken = proof("mutex/ticket", vec![checked("loom", "pair", false, "deadlock: 2 <wait>")]);
    broken.orderings = None;
    run.verified = Some(Verified::new(vec![sound, broken]));
    let files = site("proofs", &[run], &Options::default());
    let mcs = page(&files, "implementations/mutex.mcs.html");
    for needed in [
        "3 checks, all passed",
        "2 of 2",
        "pair, trio",
        "at most 3 preemptions",
        "11 make a program",
        "mcs.rs:3:1=Relaxed",
    ] {
        assert!(mcs.contains(needed), "{needed}");
    }
    let ticket = page(&files, "implementations/mutex.ticket.html");
    assert!(
        ticket.contains("1 of 1 checks failed") && ticket.contains("deadlock: 2 &lt;wait&gt;"),
        "{ticket}"
    );
    assert!(ticket.contains("were not weakened"));
    // Beside the speed, and the way to it.
    let front = page(&files, "index.html");
    assert!(front.contains("3 passed") && front.contains("1 FAILED"), "{front}");
    assert!(front.contains("implementations/mutex.mcs.html#proof"));
    // What nobody checked says how to.
    let other = page(&files, "implementations/mutex.go-2016-starving.html");
    assert!(other.contains("synchroscope verify mutex/go-2016-starving --into"), "{other}");
}

#[test]
fn a_run_without_proofs_has_no_empty_column() {
    let files = site("no-proofs", &[quick_run()], &Options::default());
    assert!(!page(&files, "index.html").contains(">checked<"));
}

#[test]
fn of_two_runs_the_newer_proof_counts() {
    let (mut first, mut second) = (quick_run(), quick_run());
    let mut old = proof("mutex/mcs", vec![checked("loom", "pair", false, "a fault of yesterday")]);
    old.ended_unix_ms -= 1;
    first.verified =
        Some(Verified::new(vec![proof("mutex/mcs", vec![checked("loom", "pair", true, "all 5")])]));
    second.verified = Some(Verified::new(vec![old]));
    let files = site("two-proofs", &[first, second], &Options::default());
    let page = page(&files, "implementations/mutex.mcs.html");
    assert!(page.contains("1 checks, all passed") && !page.contains("a fault of yesterday"));
}
