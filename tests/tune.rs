//! `synchroscope tune`, end to end: planted truth, interruption, bad input.

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use support::{Place, Ran, until};

const BEST: &str = "mutex/planted-best";
const NOTHING: &str = "mutex/planted-nothing";

/// Runs the command with the planted locks registered.
fn tune(place: &Place, arguments: &[&str]) -> Ran {
    let all = [&["tune"], arguments].concat();
    let output = place.command(&all).env("SYNCHROSCOPE_PLANTED", "1").output().expect("the binary starts");
    Ran::of(&all, &output)
}

/// The outcome of a search that nothing but the simulator does, into the folder `found`.
fn simulated(place: &Place, lock: &str, about: &[&str]) -> Value {
    let how = "--machine sim:vm-2 --simulate-only --seeds 2 --seconds 600 --out found --json -q";
    let how: Vec<&str> = how.split(' ').collect();
    tune(place, &[&[lock], about, &how].concat()).code(0).json()
}

/// The values of a setting of an outcome.
fn setting(outcome: &Value, index: &Value) -> Vec<u64> {
    let index = index.as_u64().expect("an index") as usize;
    let values = outcome["plan"]["settings"][index].as_array().expect("values");
    values.iter().map(|value| value.as_u64().expect("a number")).collect()
}

#[test]
fn the_simulator_finds_the_planted_value_exactly() {
    let place = Place::new();
    let outcome =
        simulated(&place, BEST, &["--workload", "contended/t2/h500", "--hold-out", "contended/t8/h500"]);
    assert_eq!(outcome["kind"], "synchroscope-tune");
    assert_eq!(setting(&outcome, &outcome["picked"]), [16]);
    assert_eq!(outcome["answer"]["kind"], "change", "{}", outcome["answer"]);
    assert_eq!(outcome["knobs"][0]["simulated"], "effect");
    assert_eq!(outcome["judged"], "screen");
    // Nobody dominates it, and nobody else is without regret.
    for (index, found) in outcome["settings"].as_array().expect("settings").iter().enumerate() {
        let best = outcome["plan"]["settings"][index][0] == 16;
        assert_eq!(found["regret_worst"] == 0.0, best, "{} {found}", outcome["plan"]["settings"][index]);
        assert!(!best || found["membership"] == 1.0, "{found}");
    }
    // The held-out scenario was simulated for the confirmation, and every number says what it is.
    let rows = outcome["confirmation"]["rows"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["label"] == "contended/t8/h500"), "{rows:?}");
    assert!(rows.iter().all(|row| row["tier"] == "simulated"));
    let page = fs::read_to_string(place.path("found/report/index.html")).expect("a page");
    assert!(page.contains("planted_rounds = 16") && page.contains("SIMULATED"), "{page}");
    assert!(page.contains("The cliff"), "{page}");
}

#[test]
fn a_parameter_that_does_nothing_has_no_effect() {
    let place = Place::new();
    let outcome =
        simulated(&place, NOTHING, &["--workload", "contended/t2/h0", "--param", "ignored_rounds=0,4,64"]);
    assert_eq!(outcome["answer"]["kind"], "keep");
    assert_eq!(outcome["knobs"][0]["simulated"], "identical");
    assert_eq!(setting(&outcome, &outcome["picked"]), [4]);
}

#[test]
fn this_computer_finds_the_planted_value_within_a_step() {
    let place = Place::new();
    // Without a screening: the race alone must find it.
    let ran = tune(
        &place,
        &[
            BEST,
            "--workload",
            "contended/t2/h500",
            "--machine",
            "os",
            "--param",
            "planted_rounds=1,4,8,16,32,64",
            "--cells",
            "80",
            "--out",
            "found",
            "--json",
            "-q",
        ],
    )
    .code(0);
    let outcome = ran.json();
    assert_eq!(outcome["judged"], "race");
    let [found] = setting(&outcome, &outcome["picked"])[..] else { panic!("one knob") };
    assert!((8..=32).contains(&found), "{found}: {}", outcome["answer"]);
    // Both shapes ran in the same blocks, and fresh launches were made of the pick.
    assert!(outcome["shapes"][0]["throughput"]["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0));
    let rows = outcome["confirmation"]["rows"].as_array().expect("rows");
    let throughput = rows.iter().find(|row| row["metric"] == "throughput").expect("a row");
    assert_eq!(throughput["tier"], "measured-probe");
    assert!(throughput["ratio"]["ratio"].as_f64().is_some_and(|ratio| ratio > 1.1), "{throughput}");
}

#[test]
fn a_killed_search_goes_on_and_loses_nothing() {
    let place = Place::new();
    let arguments = [
        "tune",
        NOTHING,
        "--workload",
        "contended/t2/h500",
        "--machine",
        "os",
        "--param",
        "ignored_rounds=0,4",
        "--cells",
        "60",
        "--out",
        "found",
        "-q",
    ];
    let mut child =
        place.command(&arguments).env("SYNCHROSCOPE_PLANTED", "1").spawn().expect("the binary starts");
    let trials = || fs::read_to_string(place.path("found/trials.jsonl")).unwrap_or_default();
    until("ten trials", || trials().lines().count() >= 10);
    child.kill().expect("it lives");
    child.wait().expect("it ends");
    // As a kill in the middle of a write would leave it.
    let before = trials();
    let whole = before.rfind('\n').map_or(0, |at| at + 1);
    fs::write(place.path("found/trials.jsonl"), format!("{}{{\"phase\":\"ra", &before[..whole]))
        .expect("a file");
    let ran = tune(&place, &["--out", "found", "--resume", "--json", "-q"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.stderr.contains("cut short"), "{}", ran.stderr);
    let after = trials();
    assert!(after.starts_with(&before[..whole]), "what was there is gone");
    let mut seen = BTreeSet::new();
    for line in after.lines() {
        let trial: Value = serde_json::from_str(line).expect("a whole line");
        let key = ["phase", "scenario", "setting", "shape", "round"].map(|name| trial[name].to_string());
        assert!(seen.insert(key), "twice: {line}");
    }
    let outcome = ran.json();
    assert_eq!(outcome["trials"].as_u64(), Some(seen.len() as u64));
    // What does nothing is no reason to change anything, whatever the noise.
    assert_eq!(outcome["answer"]["kind"], "keep", "{}", outcome["answer"]);
}

#[test]
fn bad_input_is_refused_before_anything_is_made() {
    let place = Place::new();
    let go = "mutex/go-2019-fastpath";
    let cases: [(&[&str], &[&str]); 18] = [
        (&["tune", go], &["--workload"]),
        (&["tune", "--workload", "contended"], &["<IMPL>"]),
        (
            &["tune", "mutex/go-2019-fastpat", "--workload", "contended"],
            &["go-2019-fastpat", "`mutex/go-2019-fastpath`"],
        ),
        (&["tune", "mutex/mcs", "--workload", "contended"], &["mutex/mcs has no parameters"]),
        (&["tune", go, "--workload", "contendet"], &["--workload contendet", "`contended`"]),
        (&["tune", go, "--workload", "contended/t2/h501"], &["contended/t2/h501", "`contended/t2/h500`"]),
        (&["tune", go, "--workload", "missing.toml"], &["missing.toml"]),
        (
            &["tune", go, "--workload", "contended", "--hold-out", "contended/t2/h0"],
            &["--hold-out", "sees contended/t2/h0 already"],
        ),
        (
            &["tune", go, "--workload", "contended", "--param", "spin_round=1..4"],
            &["spin_round=1..4", "`spin_rounds`"],
        ),
        (
            &["tune", go, "--workload", "contended", "--param", "spin_rounds=0..99999999"],
            &["99999999", "0 to 65536"],
        ),
        (&["tune", go, "--workload", "contended", "--param", "spin_rounds=9..3"], &["the range is empty"]),
        (&["tune", go, "--workload", "contended", "--param", "spin_rounds="], &["expected a whole number"]),
        (&["tune", go, "--workload", "contended", "--param", "spin_rounds"], &["expected NAME=RANGE"]),
        (&["tune", go, "--workload", "contended", "--seconds", "3"], &["--seconds 3", "allow"]),
        (&["tune", go, "--workload", "contended", "--cells", "5"], &["--cells 5", "trials"]),
        (
            &["tune", go, "--workload", "contended", "--max-wait", "10"],
            &["--max-wait 10", "a time with a unit"],
        ),
        (&["tune", go, "--workload", "contended", "--machine", "sim:vm-3"], &["sim:vm-3", "vm-2"]),
        (&["tune", "--out", "nowhere", "--resume"], &["nowhere", "`tune --out` began"]),
    ];
    for (arguments, texts) in cases {
        let before = place.contents();
        place.run(arguments).refused(texts);
        assert!(place.contents() == before, "{arguments:?} left something behind");
    }
    // A folder that holds something is left alone.
    place.write("full/notes.txt", "mine");
    place
        .run(&["tune", go, "--workload", "contended/t2/h0", "--simulate-only", "--out", "full", "-q"])
        .refused(&["--out full", "a new or an empty folder"]);
}

#[test]
fn a_dry_run_says_what_and_how_long() {
    let place = Place::new();
    let ran = place
        .run(&[
            "tune",
            "mutex/go-2019-fastpath",
            "--workload",
            "contended/t2/h500",
            "--hold-out",
            "bursts",
            "--dry-run",
        ])
        .code(0);
    for text in
        ["spin_rounds: 0 1 2 4", "starvation_ns", "held out", "screening:", "race:", "confirmation", " s\n"]
    {
        assert!(ran.stdout.contains(text), "no {text:?} in {ran:#?}");
    }
    assert!(place.contents().is_empty());
}
