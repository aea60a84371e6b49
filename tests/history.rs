//! `history` on the command line: a folder and a git branch as stores, damage, concurrency, accepted changes, the page,
//! and what is refused.

mod support;

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use support::{Place, TINY};

const REFERENCE: &str = "mutex/spin-yield";

/// A line of a series that falls by a tenth at its 20th point.
fn line(index: u64) -> Value {
    let wobble = [0.004, -0.006, 0.003, 0.008, -0.009][index as usize % 5];
    let ln = if index < 20 { 0.1 } else { 0.0 } + wobble;
    json!({
        "kind": "point", "schema": 1, "time_unix_ms": 1_790_000_000_000_u64 + index * 3_600_000,
        "revision": format!("c0ffee{index:02}"), "fingerprint": "0123456789ab", "run": format!("run{index}"),
        "source": "synchroscope", "machine": "os", "implementation": "mutex/mine", "label": "contended/t2/h0",
        "point": "feed", "metric": "throughput", "reference": "mutex/peer-std", "ln_ratio": ln, "ln_low": ln - 0.02,
        "ln_high": ln + 0.02, "confidence": 0.95, "reached": true, "blocks": 12, "tier": "measured-probe",
        "tool": "0.1.0", "harness": "a",
    })
}

fn series(count: u64) -> String {
    (0..count).map(|index| format!("{}\n", line(index))).collect()
}

#[test]
fn a_loss_fails_until_it_is_accepted() {
    let place = Place::new();
    let file = "history/0123456789ab.jsonl";
    place.write(file, &series(32));
    let ran = place.run(&["history", "check"]).code(1);
    assert!(ran.stdout.contains("regressed (since c0ffee20 (before it c0ffee19), 12 points ago"), "{ran:#?}");
    let report = place.run(&["history", "check", "--format", "json"]).code(1).json();
    assert_eq!(report["kind"], "synchroscope-guard");
    assert_eq!(
        (&report["rows"][0]["layer"], &report["rows"][0]["verdict"]),
        (&json!("history"), &json!("regressed"))
    );
    for (format, text) in [("junit", "<testsuite"), ("github", "::error"), ("markdown", "c0ffee20")] {
        assert!(
            place.run(&["history", "check", "--format", format]).code(1).stdout.contains(text),
            "{format}"
        );
    }
    // A damaged line is named; the others count.
    let mut text = series(32);
    text.insert_str(0, "{\"schema\":1,\n");
    place.write(file, &text);
    let ran = place.run(&["history", "check"]).code(1);
    assert!(ran.stderr.contains("left out history/0123456789ab.jsonl:1: not JSON"), "{ran:#?}");

    place.write(file, &series(32));
    place.run(&["history", "accept", "c0ffe", "--reason", "x"]).refused(&["begins 32 revisions"]);
    place.run(&["history", "accept", "beef", "--reason", "x"]).refused(&["no point of the revision `beef`"]);
    place.run(&["history", "accept", "c0ffee20", "--reason", " "]).refused(&["--reason"]);
    place
        .run(&["history", "accept", "c0ffee20", "--reason", "x", "--metric", "thruput"])
        .refused(&["unknown metric `thruput`", "`throughput`"]);
    place
        .run(&["history", "accept", "c0ffee20", "--reason", "x", "--implementation", "mutex/other"])
        .refused(&["no point of this revision that is of the implementation"]);
    place.run(&["history", "accept", "c0ffee20", "--reason", "fair now"]).code(0);
    place.run(&["history", "accept", "c0ffee20", "--reason", "fair now"]).refused(&["accepted", "already"]);
    let ran = place.run(&["history", "check"]).code(0);
    assert!(ran.stdout.contains("equivalent (no change in 12 points;"), "{ran:#?}");

    let page = place.run(&["history", "report", "--out", "pages"]).code(0);
    let html = fs::read_to_string(place.path(page.stdout.trim())).unwrap();
    assert!(html.contains("fair now") && html.contains("accepted at c0ffee20"));
    // Ten points are not enough to say anything: that fails only when it is to.
    place.write("short/0123456789ab.jsonl", &series(9));
    place.run(&["history", "check", "--store", "short"]).code(0);
    place.run(&["history", "check", "--store", "short", "--strict"]).code(3);
    place.run(&["history", "check", "--store", "nowhere"]).refused(&["there is no history in nowhere"]);
    place
        .run(&["history", "check", "--fingerprint", "feed"])
        .refused(&["--fingerprint feed", "it has 0123456789ab"]);
}

fn git(place: &Place, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Test", "-c", "user.email=test", "-C"]).arg(place.path("")).args(arguments);
    let output = command.output().expect("git");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn runs_become_points_in_a_folder_and_on_a_branch() {
    let place = Place::new();
    let suite = place.write("tiny.toml", TINY);
    for seed in ["1", "2", "3"] {
        let sim = ["run", suite, "--machine", "sim:opteron-48", "--seeds", "3", "--seed", seed, "--quiet"];
        place.run(&[&sim[..], &["--out", &format!("run{seed}")]].concat()).code(0);
    }
    let add = |more: &[&str]| place.run(&[&["history", "add", "--reference", REFERENCE], more].concat());
    let ran = add(&["run1", "--revision", "one"]).code(0);
    assert!(ran.stdout.contains("of run1 added to history (simulated.jsonl)"), "{ran:#?}");
    let text = fs::read_to_string(place.path("history/simulated.jsonl")).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&first["reference"], &first["revision"]), (&json!(REFERENCE), &json!("one")));
    assert_eq!((&first["tier"], &first["blocks"]), (&json!("simulated"), &json!(3)));
    add(&["run1", "--revision", "two"]).refused(&["run1 is in history already", "revision one"]);
    assert_eq!(fs::read_to_string(place.path("history/simulated.jsonl")).unwrap(), text);
    // A line that a crash cut short does not swallow the next.
    place.write("history/simulated.jsonl", &format!("{text}{{\"kind\":\"poi"));
    add(&["run2", "--revision", "two"]).code(0);
    let ran = place.run(&["history", "check"]).code(0);
    let lines = text.lines().count();
    assert!(ran.stderr.contains(&format!("history/simulated.jsonl:{}: not JSON", lines + 1)), "{ran:#?}");
    assert!(ran.stderr.lines().count() == 1, "only that line: {ran:#?}");

    for (arguments, texts) in [
        (
            vec!["run1", "--reference", "mutex/nobody"],
            vec!["--reference mutex/nobody", "no such implementation"],
        ),
        (vec!["run1", "--reference", REFERENCE, "--store", "git:"], vec!["names no branch"]),
        (
            vec!["run1", "--reference", REFERENCE, "--store", "git:a..b"],
            vec!["git allows no branch of that name"],
        ),
        (vec!["run1", "--reference", REFERENCE, "--store", "git:bench"], vec!["git", "not a git repository"]),
        (vec!["run1", "--reference", REFERENCE, "--revision", "a b"], vec!["--revision", "expected a word"]),
        (vec!["run1"], vec!["--reference"]),
    ] {
        place.run(&[&["history", "add"], &arguments[..]].concat()).refused(&texts);
    }

    git(&place, &["init", "-q", "-b", "main"]);
    git(&place, &["add", "tiny.toml"]);
    git(&place, &["commit", "-q", "-m", "start"]);
    let before = (git(&place, &["status", "--porcelain"]), git(&place, &["rev-parse", "HEAD"]));
    // Three programs at once: each gets its commit.
    let children: Vec<_> = ["1", "2", "3"]
        .map(|n| {
            let run = format!("run{n}");
            let arguments =
                ["history", "add", &run, "--reference", REFERENCE, "--store", "git:bench", "--revision", n];
            place.start(&arguments)
        })
        .into_iter()
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(git(&place, &["rev-list", "--count", "bench"]).trim(), "3");
    let kept = git(&place, &["show", "bench:synchroscope-history/simulated.jsonl"]);
    assert_eq!(kept.lines().count(), 3 * lines);
    assert!(kept.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    place.run(&["history", "check", "--store", "git:bench"]).code(0);
    place.run(&["history", "accept", "2", "--reason", "fine", "--store", "git:bench"]).code(0);
    assert!(git(&place, &["show", "bench:synchroscope-history/epochs.jsonl"]).contains("\"fine\""));
    // What is checked out, and the index, are as they were.
    let after = (git(&place, &["status", "--porcelain"]), git(&place, &["rev-parse", "HEAD"]));
    assert_eq!(before, after);
    add(&["run1", "--store", "git:main", "--revision", "1"]).refused(&["git:main", "checked out"]);
    place.run(&["history", "check", "--store", "git:nothing"]).refused(&["no history on the branch nothing"]);
}

#[test]
fn many_add_to_one_folder_at_once() {
    let place = Place::new();
    let of = |name: &str, factor: f64| {
        let times: Vec<f64> = (1..=10).map(|i| factor * (100.0 + f64::from(i))).collect();
        place.write(
            &format!("{name}/benchmark.json"),
            &json!({"group_id": "g", "function_id": name.split('/').nth(2), "value_str": null, "full_id": name}).to_string(),
        );
        place.write(
            &format!("{name}/sample.json"),
            &json!({"sampling_mode": "Flat", "iters": vec![1.0; 10], "times": times}).to_string(),
        );
    };
    for n in 0..6 {
        of(&format!("t{n}/g/pinned/new"), 1.0);
        of(&format!("t{n}/g/mine/new"), 2.0 + f64::from(n));
    }
    let children: Vec<_> = (0..6)
        .map(|n| {
            let (tree, revision) = (format!("t{n}"), format!("r{n}"));
            place.start(&[
                "history",
                "import",
                "criterion-tree",
                &tree,
                "--reference",
                "pinned",
                "--revision",
                &revision,
                "--fingerprint",
                "desk",
            ])
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = fs::read_to_string(place.path("history/desk.jsonl")).unwrap();
    let mut ratios: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["ln_ratio"].as_f64().unwrap().exp())
        .collect();
    ratios.sort_by(f64::total_cmp);
    let expected = [1.0 / 7.0, 1.0 / 6.0, 1.0 / 5.0, 1.0 / 4.0, 1.0 / 3.0, 1.0 / 2.0];
    assert!(ratios.iter().zip(expected).all(|(a, b)| (a / b - 1.0).abs() < 1e-9), "{ratios:?}");
    let again = ["history", "import", "criterion-tree", "t0", "--reference", "pinned", "--revision", "r0"];
    place.run(&[&again[..], &["--fingerprint", "desk"]].concat()).refused(&["t0 is in history already"]);
    place
        .run(&[&again[..], &["--fingerprint", "../x"]].concat())
        .refused(&["--fingerprint", "letters, digits"]);
    place
        .run(&["history", "import", "criterion-tree", "t9", "--reference", "pinned", "--revision", "r"])
        .refused(&["t9 is no folder"]);
}
