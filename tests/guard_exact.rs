//! `guard --layer exact`: equal traces, changed policies with their evidence, one instruction more, peers.

mod support;

use std::process::Command;

use serde_json::Value;
use support::{Place, Ran, contended_suite};

fn guard(place: &Place, baseline: &str, candidate: &str, more: &[&str]) -> Ran {
    place.write("short.toml", &contended_suite(4));
    let base = ["guard", "short.toml", "--layer", "exact", "--machine", "sim:laptop-8", "--quiet"];
    let arms = ["--baseline", baseline, "--candidate", candidate];
    let arguments = [&base[..], &arms, more].concat();
    let mut command = place.command(&arguments);
    let output = command.env("SYNCHROSCOPE_MUTANTS", "1").output().expect("the binary starts");
    Ran::of(&arguments, &output)
}

/// The row of a metric.
fn row(report: &Value, metric: &str) -> Option<Value> {
    report["rows"].as_array().expect("rows").iter().find(|row| row["metric"] == metric).cloned()
}

fn has_valgrind() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn equal_arms_do_the_same_under_every_seed() {
    let place = Place::new();
    let report =
        guard(&place, "mutex/ticket", "mutex/ticket", &["--seeds", "8", "--format", "json"]).code(0).json();
    let cycles = row(&report, "cycles-per-op").expect("a row");
    assert_eq!(
        (cycles["verdict"].as_str(), cycles["tier"].as_str()),
        (Some("equivalent"), Some("simulated"))
    );
    assert!(
        cycles["reason"].as_str().expect("text").contains("the same machine operations under all 8 seeds")
    );
    assert_eq!(cycles["ratio"]["confidence"], 1.0);
    assert_eq!(report["verdict"], "equivalent");
}

#[test]
fn a_changed_parameter_differs_and_the_timelines_say_where() {
    let place = Place::new();
    let id = "mutex/go-2019-fastpath";
    let arguments = ["--seeds", "8", "--format", "json", "--out", "out"];
    let ran = guard(&place, &format!("{id}?spin_rounds=1"), &format!("{id}?spin_rounds=60"), &arguments);
    let report = ran.json();
    let cycles = row(&report, "cycles-per-op").expect("a row");
    let reason = cycles["reason"].as_str().expect("text");
    assert!(reason.contains("other machine operations") || reason.contains("seeds only"), "{reason}");
    assert!(reason.contains("the traces part at cycle"), "{reason}");
    let ratio = cycles["ratio"]["ratio"].as_f64().expect("a ratio");
    let (low, high) = (cycles["ratio"]["low"].as_f64().unwrap(), cycles["ratio"]["high"].as_f64().unwrap());
    assert!(low <= ratio && ratio <= high, "{cycles}");
    let expected = match () {
        () if low > 1.01 => "regressed",
        () if high < 1.0 / 1.01 => "improved",
        () if low > 1.0 / 1.01 && high < 1.01 => "equivalent",
        () => "inconclusive",
    };
    assert_eq!(cycles["verdict"], expected, "{cycles}");
    let folder = place.path(cycles["evidence"].as_str().expect("a folder"));
    for name in ["baseline.trace.json", "candidate.trace.json", "parting.txt"] {
        assert!(folder.join(name).is_file(), "{name} is missing");
    }
    for name in ["guard.json", "junit.xml", "comment.md"] {
        assert!(place.path("out").join(name).is_file(), "{name} is missing");
    }
}

#[test]
fn a_worse_lock_regresses_with_exit_code_1_and_a_broken_one_is_told() {
    let place = Place::new();
    // Whoever hands over to a sleeper each time waits for its wake-up each time.
    let (good, bad) = ("mutex/ticket", "mutex/go-2008-key");
    let ran = guard(&place, good, bad, &["--seeds", "8", "--format", "json"]).code(1);
    let cycles = row(&ran.json(), "cycles-per-op").expect("a row");
    let back = guard(&place, bad, good, &["--seeds", "8", "--format", "json"]);
    let back = row(&back.json(), "cycles-per-op").expect("a row");
    // One way is the other backwards.
    let ratio = |row: &Value| row["ratio"]["ratio"].as_f64().expect("a ratio");
    assert!((ratio(&cycles) * ratio(&back) - 1.0).abs() < 1e-9, "{cycles} {back}");
    assert_eq!((cycles["verdict"].as_str(), back["verdict"].as_str()), (Some("regressed"), Some("improved")));

    let ran = guard(
        &place,
        "mutex/ticket",
        "mutex/mutant-deadlock?good_acquisitions=10",
        &["--seeds", "8", "--format", "github"],
    )
    .code(1);
    assert!(ran.stdout.contains("::error title=mutex/mutant-deadlock"), "{}", ran.stdout);
    assert!(ran.stdout.contains("deadlock after"), "{}", ran.stdout);
}

#[test]
fn one_instruction_more_is_caught() {
    let place = Place::new();
    let ran =
        guard(&place, "mutex/mutant-as-is", "mutex/mutant-one-more", &["--seeds", "8", "--format", "json"]);
    let report = ran.json();
    // The simulator charges operations on the machine, of which there are as many.
    let cycles = row(&report, "cycles-per-op").expect("a row");
    assert_eq!(cycles["verdict"], "equivalent", "{cycles}");
    if !has_valgrind() {
        eprintln!("skipped: valgrind not found (Debian: apt-get install valgrind)");
        return;
    }
    let counted = row(&report, "instructions-per-op").expect("a row");
    assert_eq!(
        (counted["verdict"].as_str(), counted["machine"].as_str()),
        (Some("regressed"), Some("callgrind"))
    );
    let number = |key: &str| counted[key].as_f64().expect("a number");
    assert!((number("candidate") - number("baseline") - 1.0).abs() < 0.1, "{counted}");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_peer_gets_its_instructions_only() {
    let place = Place::new();
    let ran =
        guard(&place, "mutex/peer-std", "mutex/peer-std", &["--seeds", "8", "--format", "json"]).code(0);
    let report = ran.json();
    assert!(row(&report, "cycles-per-op").is_none());
    let counted = row(&report, "instructions-per-op");
    if !has_valgrind() {
        let notes = report["notes"].to_string();
        assert!(counted.is_some() || notes.contains("apt-get install valgrind"), "{notes}");
        return;
    }
    let counted = counted.expect("a row");
    assert_eq!(counted["verdict"], "equivalent");
    assert!(
        counted["reason"].as_str().expect("text").contains("not simulated, only its instructions"),
        "{counted}"
    );
}

#[test]
fn a_step_summary_is_appended_and_formats_are_whole() {
    let place = Place::new();
    place.write("summary.md", "before\n");
    place.write("short.toml", &contended_suite(4));
    let arguments = [
        "guard",
        "short.toml",
        "--layer",
        "exact",
        "--machine",
        "sim:laptop-8",
        "--quiet",
        "--seeds",
        "8",
        "--baseline",
        "mutex/ticket",
        "--candidate",
        "mutex/ticket",
        "--format",
        "github",
    ];
    let mut command = place.command(&arguments);
    let output = command.env("GITHUB_STEP_SUMMARY", place.path("summary.md")).output().expect("it starts");
    let ran = Ran::of(&arguments, &output).code(0);
    assert!(ran.stdout.lines().all(|line| line.starts_with("::")), "{}", ran.stdout);
    let summary = std::fs::read_to_string(place.path("summary.md")).expect("a summary");
    assert!(summary.starts_with("before\n<!-- synchroscope-guard -->"), "{summary}");
}

#[test]
fn wrong_words_are_named_in_a_line() {
    let place = Place::new();
    let with = |more: &[&str]| guard(&place, "mutex/ticket", "mutex/mcs", more);
    with(&["--machine", "os"]).refused(&["--machine os", "sim:NAME"]);
    with(&["--machine", "sim:lapto-8"]).refused(&["`laptop-8`"]);
    with(&["--filter", "nothing"]).refused(&["--filter"]);
    with(&["--seeds", "4"]).refused(&["--seeds"]);
    let planned = with(&["--dry-run"]).code(0);
    assert!(
        planned.stdout.contains("mutex/mcs contended") && planned.stdout.contains("rows, about"),
        "{planned:#?}"
    );
}
