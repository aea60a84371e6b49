//! `synchroscope verify`, end to end.

mod support;

use std::fs;

use record::Proof;
use serde_json::Value;
use support::{Place, TINY};

fn reports(stdout: &str) -> Vec<Proof> {
    let verified: record::Verified = serde_json::from_str(stdout).expect("it is JSON");
    assert_eq!((verified.schema, verified.kind.as_str()), (1, "synchroscope-verified"));
    verified.reports
}

#[test]
fn a_sound_lock_passes_within_stated_bounds_and_its_run_shows_it() {
    let place = Place::new();
    place.write("suite.toml", &TINY.replace("mutex/spin-yield", "mutex/ticket"));
    place.run(&["run", "suite.toml", "--out", "run", "--quiet"]);
    let ran = place.run(&["verify", "mutex/ticket", "--json", "--schedules", "20", "--into", "run"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let reports = reports(&ran.stdout);
    let proof = &reports[0];
    assert_eq!((reports.len(), proof.implementation.as_str()), (1, "mutex/ticket"));
    for by in ["loom", "shuttle-random", "shuttle-pct", "schedules", "simulator", "battery"] {
        let mine: Vec<_> = proof.checks.iter().filter(|check| check.by == by).collect();
        assert!(!mine.is_empty(), "nothing by {by}");
        for check in mine {
            assert!(check.passed && !check.bounds.is_empty(), "{check:?}");
        }
    }
    let orderings = proof.orderings.as_ref().expect("its orderings were weakened");
    assert!(orderings.weakened >= 4 && orderings.weakened == orderings.caught, "{orderings:?}");
    assert!(
        proof.checks.iter().any(|check| check.by == "schedules" && check.bounds.starts_with("20 schedules"))
    );
    // The run holds it, and its pages show it.
    assert_eq!(place.load("run").verified.map(|verified| verified.reports), Some(reports));
    place.run(&["report", "run"]).code(0);
    let page =
        fs::read_to_string(place.path("run/report/implementations/mutex.ticket.html")).expect("a page");
    assert!(page.contains("all passed") && page.contains("shuttle-pct"), "{page}");
}

#[test]
fn a_lock_on_threads_only_goes_through_the_battery() {
    let ran = Place::new().run(&["verify", "mutex/peer-std", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let proof = &reports(&ran.stdout)[0];
    assert!(
        proof.threads_only.as_ref().is_some_and(|why| why.contains("Machine")) && proof.orderings.is_none()
    );
    assert!(proof.checks.iter().all(|check| check.by == "battery" && check.passed), "{proof:?}");
    let names: Vec<_> = proof.checks.iter().map(|check| check.program.as_str()).collect();
    for name in ["exclusion", "exit_while_holding", "panic_inside", "unlock_of_unlocked"] {
        assert!(names.contains(&name), "{names:?}");
    }
}

#[test]
fn a_broken_lock_fails_with_a_schedule_that_can_be_had_again_and_drawn() {
    let place = Place::new();
    let verify = |arguments: &[&str]| {
        let mut command = place.command(&["verify", "mutex/mutant-first-unlock", "--json"]);
        let output = command.args(arguments).env("SYNCHROSCOPE_MUTANTS", "1").output().expect("it starts");
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        reports(&String::from_utf8_lossy(&output.stdout)).remove(0)
    };
    let proof = verify(&["--trace", "traces"]);
    assert!(proof.orderings.is_none(), "nothing can be said of a weakened one");
    let found = |proof: &Proof| {
        let check = proof.checks.iter().find(|check| check.by == "schedules" && !check.passed);
        check.unwrap_or_else(|| panic!("no schedule fails: {:?}", proof.checks)).clone()
    };
    let check = found(&proof);
    let after = |text: &str, mark: &str| {
        let rest = text.split_once(mark).unwrap_or_else(|| panic!("no {mark:?} in {text}")).1;
        rest.split([' ', ';', '`']).next().unwrap_or_default().to_owned()
    };
    // The seed alone makes it fail again.
    let seed = after(&check.finding, "seed ");
    let again = verify(&["--seed", &seed, "--schedules", "1"]);
    let same = again.checks.iter().find(|other| other.by == "schedules" && other.program == check.program);
    assert!(same.is_some_and(|same| !same.passed && after(&same.finding, "seed ") == seed), "{same:?}");
    // The timeline is of the shortest schedule, and has each operation on a word.
    let file = after(&check.finding, "timeline ");
    let trace: Value =
        serde_json::from_slice(&fs::read(place.path(&file)).expect("a timeline")).expect("JSON");
    assert!(check.finding.contains(trace["otherData"]["schedule"].as_str().expect("a schedule")), "{trace}");
    let events = trace["traceEvents"].as_array().expect("events");
    let named =
        |what: &str| events.iter().any(|e| e["name"].as_str().is_some_and(|name| name.contains(what)));
    assert!(named("holds object") && named("line 0") && named("thread 1"), "{trace}");
}

#[test]
fn what_cannot_be_checked_says_why() {
    for (arguments, texts) in [
        (&["mutex/tickett"][..], ["no implementation `mutex/tickett`", "`mutex/ticket`"]),
        (&["mutex/empty"], ["`mutex/empty` excludes nobody", "nothing to verify"]),
        (&["mutex/empt[xy]"], ["mutex/empt[xy]", "nothing among them can be checked"]),
        (&["mutex/["], ["`mutex/[`", "not a glob"]),
        (&["mutex/ticket", "--into", "nowhere"], ["nowhere is not a run", "run.json"]),
        (&["mutex/ticket", "--schedules", "0"], ["--schedules", "0"]),
    ] {
        let ran = Place::new().run(&[&["verify"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        for text in texts {
            assert!(ran.stderr.contains(text), "{arguments:?}: {}", ran.stderr);
        }
    }
}
