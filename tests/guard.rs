//! `guard` on the command line: a copy is not accused, a slower lock is, and what cannot be judged says so.

mod support;

use std::process::{Command, Stdio};

use support::{Place, Ran, binary, plain_suite};

/// One thread, tiny slices.
const ALONE: &str = r#"
name = "alone"
summary = "one thread, for the tests"
launches = 1
probed = 0
slices = 3
slice_ms = 1
warmup_ms = 0

[[cells]]
workload = "uncontended"
implementations = "mutex/spin-tas"
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("alone.toml", ALONE);
    place
}

fn guard(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[&["guard", "alone.toml", "--layer", "measured", "--quiet"], arguments].concat())
}

/// Verdicts of the rows, with their reasons.
fn verdicts(report: &serde_json::Value) -> Vec<(String, String)> {
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = report["rows"].as_array().expect("rows");
    rows.iter().map(|row| (text(row, "verdict"), text(row, "reason"))).collect()
}

#[test]
fn a_lock_against_itself() {
    let place = place();
    let arms = ["--baseline", "mutex/spin-tas", "--candidate", "mutex/spin-tas", "--format", "json"];
    let ran = guard(&place, &arms).code(0);
    let report = ran.json();
    assert_eq!(report["kind"], "synchroscope-guard");
    let verdicts = verdicts(&report);
    assert_eq!(verdicts.len(), 2, "{ran:#?}");
    assert!(verdicts.iter().all(|(verdict, _)| verdict != "regressed"), "{ran:#?}");
    // Two metrics against themselves, and two of the calibration loop.
    assert_eq!(report["controls"].as_array().map(Vec::len), Some(4), "{ran:#?}");
}

#[test]
fn a_lock_that_enters_the_kernel() {
    let place = place();
    let arms = ["--baseline", "mutex/spin-tas", "--candidate", "mutex/file", "--out", "kept"];
    let ran = guard(&place, &arms);
    // Where a control moved, the verdict is withheld; then nothing else may be said.
    let contaminated = ran.stdout.contains("contaminated");
    let ran = ran.code(if contaminated { 0 } else { 1 });
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(place.path("kept/guard.json")).expect("a report"))
            .expect("JSON");
    let row = &report["rows"][0];
    assert!(row["confirmed"] == true && row["blocks"] == 12, "{ran:#?}");
    assert!(row["ratio"]["high"].as_f64().is_some_and(|high| high < 0.5), "{ran:#?}");
    let blocks = std::fs::read_to_string(place.path("kept/blocks.jsonl")).expect("the blocks");
    // Six of the cell and six of its control, then twelve of each.
    assert_eq!(blocks.lines().count(), 36);
    for order in ["ABBA", "BAAB"] {
        assert_eq!(blocks.lines().filter(|line| line.contains(order)).count(), 18, "{order}");
    }
}

#[test]
fn a_candidate_that_fails_is_a_regression() {
    let place = place();
    let arms = ["--baseline", "mutex/spin-tas", "--candidate", "mutex/mutant-panic", "--format", "json"];
    let arguments = [&["guard", "alone.toml", "--layer", "measured", "--quiet"], &arms[..]].concat();
    let output = place.command(&arguments).env("SYNCHROSCOPE_MUTANTS", "1").output().expect("it starts");
    let ran = Ran::of(&arguments, &output).code(1);
    let verdicts = verdicts(&ran.json());
    assert_eq!(verdicts.len(), 1, "{ran:#?}");
    assert!(verdicts[0].0 == "regressed" && verdicts[0].1.contains("panic"), "{ran:#?}");
    // The other way round there is nothing to hold the candidate against.
    let arms = ["--baseline", "mutex/mutant-panic", "--candidate", "mutex/spin-tas"];
    let arguments = [&["guard", "alone.toml", "--layer", "measured", "--quiet"], &arms[..]].concat();
    let output = place.command(&arguments).env("SYNCHROSCOPE_MUTANTS", "1").output().expect("it starts");
    Ran::of(&arguments, &output).code(3);
}

#[test]
fn the_same_program_needs_no_launch() {
    let place = place();
    std::fs::copy(binary(), place.path("copy")).expect("a copy");
    let ran = guard(&place, &["--baseline", "copy", "--strict"]).code(0);
    assert!(ran.stdout.contains("byte by byte") && ran.stdout.contains("equivalent"), "{ran:#?}");
}

#[test]
fn plans_say_what_they_reach() {
    let place = place();
    let arms = ["--baseline", "mutex/spin-tas", "--candidate", "mutex/ticket", "--dry-run"];
    let ran = guard(&place, &arms).code(0);
    assert!(
        ran.stdout.contains("2 rows and 1 controls") && ran.stdout.contains("12 fresh blocks"),
        "{ran:#?}"
    );
    let ran = guard(&place, &[&arms[..], &["--blocks", "4"]].concat()).code(0);
    assert!(ran.stderr.contains("4 blocks reach p = 0.250") && ran.stderr.contains("12 blocks"), "{ran:#?}");
    let ran = place.run(&["guard", "--self-test", "--quick", "--dry-run"]).code(0);
    assert!(ran.stdout.contains("a copy of itself") && ran.stdout.contains("fast path lost"), "{ran:#?}");
}

#[test]
fn two_runs_are_judged_as_they_are() {
    let place = place();
    place.write("plain.toml", &plain_suite("\"mutex/mcs\"", 1));
    for run in ["before", "after"] {
        place.run(&["run", "plain.toml", "--out", run, "--quiet"]).code(0);
    }
    let arms = ["--baseline", "before", "--candidate", "after"];
    let ran = guard(&place, &arms).code(0);
    assert!(ran.stdout.contains("not in pairs") && ran.stdout.contains("mutex/mcs"), "{ran:#?}");
    // One launch a side cannot tell.
    guard(&place, &[&arms[..], &["--strict"]].concat()).code(3);
    for file in support::contents(&place.path("after")).into_keys() {
        if file.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&file).expect("a file");
            std::fs::write(&file, text.replace("\"cpu_model\": \"", "\"cpu_model\": \"another "))
                .expect("a file");
        }
    }
    guard(&place, &arms).refused(&["different computers", "--across-machines"]);
    guard(&place, &[&arms[..], &["--across-machines"]].concat()).code(0);
    let run = place.path("after/run.json");
    let text = std::fs::read_to_string(&run).expect("a file");
    std::fs::write(&run, text.replacen("\"schema\": 1", "\"schema\": 99", 1)).expect("a file");
    guard(&place, &arms).refused(&["after/run.json", "schema 99"]);
    guard(&place, &["--baseline", "before"]).refused(&["a run directory", "this program"]);
}

#[test]
fn what_cannot_be_an_arm() {
    let place = place();
    place.write("folder/file", "");
    place.write("text", "no program");
    let cases: [(&[&str], &[&str]); 11] = [
        (&[], &["--baseline"]),
        (&["--baseline", "mutex/spin-tsa"], &["--baseline mutex/spin-tsa", "`mutex/spin-tas`"]),
        (&["--baseline", "folder"], &["--baseline folder", "run.json"]),
        (&["--baseline", "text"], &["--baseline: ", "text"]),
        (&["--baseline", "mutex/ticket"], &["--candidate"]),
        (&["--baseline", "mutex/ticket", "--candidate", "text"], &["an implementation", "a binary"]),
        (
            &["--baseline", "mutex/go-2019-fastpath?spin_round=1", "--candidate", "mutex/mcs"],
            &["`spin_rounds`"],
        ),
        (&["--baseline", "mutex/mcs?x", "--candidate", "mutex/mcs"], &["NAME=VALUE"]),
        (
            &["--baseline", "mutex/mcs", "--candidate", "mutex/mcs", "--seconds", "0.001"],
            &["--seconds", "at least"],
        ),
        (&["--baseline", "mutex/mcs", "--candidate", "mutex/mcs", "--blocks", "1"], &["--blocks"]),
        (&["--self-test", "--hours", "1"], &["--campaign"]),
    ];
    for (arguments, texts) in cases {
        let before = place.contents();
        guard(&place, arguments).refused(texts);
        assert!(place.contents() == before, "{arguments:?} left something behind");
    }
}

#[test]
fn a_revision_that_does_not_build() {
    let place = place();
    place.write("Cargo.toml", "[package]\nname = \"synchroscope\"\nedition = \"2024\"\n");
    place.write("src/main.rs", "fn main() { let x: u8 = \"text\"; }\n");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]);
        let done = git.args(arguments).current_dir(place.path("")).stdin(Stdio::null()).output();
        done.is_ok_and(|output| output.status.success())
    };
    if !(git(&["init", "-q"]) && git(&["add", "-A"]) && git(&["commit", "-qm", "broken"])) {
        eprintln!("skipped: no git");
        return;
    }
    let arguments = ["guard", "alone.toml", "--layer", "measured", "--quiet", "--baseline", "HEAD"];
    let run = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("XDG_CACHE_HOME", place.path("cache")).env("CARGO_NET_OFFLINE", "true");
        Ran::of(arguments, &command.output().expect("it starts"))
    };
    let ran = run(&arguments).code(2);
    let said = ran.stderr.lines().last().unwrap_or_default();
    assert!(said.contains("does not build: error") && said.contains("mismatched types"), "{ran:#?}");
    assert!(said.contains("src/main.rs:1"), "{ran:#?}");
    let ran = run(&["guard", "alone.toml", "--baseline", "HAED"]).refused(&["HAED", "no revision `HAED`"]);
    assert_eq!(ran.stdout, "");
    assert!(git(&["diff", "--quiet", "HEAD"]), "the work tree is as it was");
}
