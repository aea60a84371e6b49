//! `guard --history`: ratios go into the store, series are judged beside the rows of the job, what moves is no baseline.

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{Place, Ran, contended_suite};

fn guard(place: &Place, arguments: &[&str]) -> Ran {
    place.write("short.toml", &contended_suite(2));
    let base =
        ["guard", "short.toml", "--layer", "exact", "--machine", "sim:laptop-8", "--seeds", "8", "--quiet"];
    place.run(&[&base[..], arguments].concat())
}

const SELF: [&str; 4] = ["--baseline", "mutex/ticket", "--candidate", "mutex/ticket"];

fn lines(place: &Place) -> Vec<Value> {
    let text = fs::read_to_string(place.path("past/simulated.jsonl")).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn remembered(report: &Value) -> Vec<&Value> {
    report["rows"].as_array().expect("rows").iter().filter(|row| row["layer"] == "history").collect()
}

#[test]
fn a_job_goes_on_a_series_and_is_judged_with_it() {
    let place = Place::new();
    let history = ["--history", "past", "--revision", "now", "--format", "json", "--strict"];
    let report = guard(&place, &[&SELF[..], &history].concat()).code(0).json();
    // A series of one point is no doubt about the change, strict or not.
    let rows = remembered(&report);
    assert_eq!(report["verdict"], "equivalent", "{report:#}");
    assert!(rows.iter().any(|row| row["metric"] == "cycles-per-op" && row["blocks"] == 1), "{rows:?}");
    assert!(rows.iter().all(|row| row["verdict"] == "inconclusive"), "{rows:?}");
    assert!(report["notes"].to_string().contains("ratios of now to mutex/ticket were added"), "{report:#}");
    let [point] = &lines(&place)[..] else { panic!("one line") };
    assert_eq!((&point["source"], &point["metric"]), (&json!("guard"), &json!("cycles-per-op")));
    assert_eq!((&point["tier"], &point["fingerprint"]), (&json!("simulated"), &json!("simulated")));
    assert_eq!((&point["ln_ratio"], &point["reached"]), (&json!(0.0), &json!(true)));

    // As if fifteen jobs had been before, the first ten of them with a lock that was a tenth faster.
    let began = point["time_unix_ms"].as_u64().expect("a time");
    let before: String = (0..15)
        .map(|index| {
            let mut line = point.clone();
            line["time_unix_ms"] = json!(began - 1_000_000 + index);
            line["run"] = json!(format!("run{index}"));
            line["revision"] = json!(format!("old{index}"));
            for key in ["ln_ratio", "ln_low", "ln_high"] {
                line[key] = json!(if index < 10 { -0.1 } else { 0.0 });
            }
            format!("{line}\n")
        })
        .collect();
    place.write("past/simulated.jsonl", &before);
    let ran = guard(&place, &[&SELF[..], &["--history", "past", "--revision", "now"]].concat()).code(1);
    assert!(ran.stdout.contains("cycles per op, history") && ran.stdout.contains("since old10"), "{ran:#?}");
    assert!(ran.stdout.contains("Verdict: regressed"), "{ran:#?}");
    // What `history` says of the store is the same, and what it accepts counts.
    place.run(&["history", "check", "--store", "past"]).code(1);
    let accept = ["history", "accept", "old10", "--reason", "wanted", "--store", "past"];
    place.run(&[&accept[..], &["--metric", "cycles-per-op"]].concat()).code(0);
    guard(&place, &[&SELF[..], &["--history", "past", "--revision", "later"]].concat()).code(0);
    assert_eq!(lines(&place).len(), 17);
}

#[test]
fn a_branch_remembers_and_what_moves_is_no_baseline() {
    let place = Place::new();
    let refused = |arguments: &[&str], texts: &[&str]| {
        let before = place.contents();
        guard(&place, arguments).refused(texts);
        assert!(place.contents() == before, "{arguments:?} left something behind");
    };
    place.write("short.toml", &contended_suite(2));
    let with = |history: &'static str| [&SELF[..], &["--history", history]].concat();
    refused(&with("past"), &["--history", "--revision", "no git repository"]);
    refused(&with("short.toml"), &["--revision"]);
    refused(
        &[&with("short.toml")[..], &["--revision", "r"]].concat(),
        &["--history short.toml", "is a file"],
    );
    refused(&[&with("git:")[..], &["--revision", "r"]].concat(), &["--history git:", "no branch"]);
    refused(&[&SELF[..], &["--revision", "r"]].concat(), &["--history"]);

    place.git("", &["init", "-q", "-b", "main"]);
    place.git("", &["add", "-A"]);
    place.git("", &["commit", "-q", "-m", "start"]);
    let head = place.git("", &["rev-parse", "--short=12", "HEAD"]);
    for moves in ["main", "HEAD"] {
        refused(
            &["--baseline", moves, "--history", "past"],
            &["--history", &format!("`{moves}` moves"), &head],
        );
    }
    refused(&with("git:main"), &["--history git:main", "checked out"]);
    // Without --revision: what is checked out here.
    let ran = guard(&place, &with("git:bench")).code(0);
    assert!(ran.stdout.contains(&format!("ratios of {head} to mutex/ticket")), "{ran:#?}");
    assert_eq!(place.git("", &["status", "--porcelain"]), "");
    let kept = place.git("", &["show", "bench:synchroscope-history/simulated.jsonl"]);
    assert!(kept.contains(&head), "{kept}");
    // Another baseline begins other series, and that is said.
    let other = ["--baseline", "mutex/mcs", "--candidate", "mutex/mcs", "--history", "git:bench"];
    let ran = guard(&place, &other).code(0);
    assert!(ran.stdout.contains("some against mutex/ticket"), "{ran:#?}");
}
