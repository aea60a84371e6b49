//! Faults: engines and implementations that misbehave, each in its own way. Each ends as a row with its reason, and
//! the other cells survive.

mod support;

use record::cell::{FailureKind, Launch};
use record::{Record, Status};
use support::{Place, plain_suite, record_of};

/// A correct answer for one thread, one slice, no probe.
const ANSWER: &str = r#"{"protocol":1,"implementation":"mutex/ID","engine":"shell","clock":"none","slices":[{"workers":[
{"role":0,"ops":OPS,"start_ns":0,"end_ns":2000000}],"expected":EXPECTED,"observed":OBSERVED}]}"#;

fn answer(id: &str, ops: u64, expected: u64, observed: u64) -> String {
    let numbers = [("OPS", ops), ("EXPECTED", expected), ("OBSERVED", observed)];
    let text = ANSWER.replace("ID", id);
    let text = numbers.iter().fold(text, |text, (name, number)| text.replace(name, &number.to_string()));
    format!("cat >/dev/null\ncat <<'END'\n{text}\nEND\n")
}

/// Describes an engine whose program is a shell script.
fn engine(place: &Place, id: &str, script: &str) -> String {
    let file = format!("{id}/engine.toml");
    place.write(&format!("{id}/program.sh"), script);
    let program = place.path(&format!("{id}/program.sh"));
    place.write(&file, &described(id, &["sh", &program.to_string_lossy()]));
    file
}

fn described(id: &str, run: &[&str]) -> String {
    format!(
        "name = \"{id}\"\nimplementations = [{{ id = \"mutex/{id}\", summary = \"a test\" }}]\n\
         run = {run:?}\nhint = \"bring it with `make {id}`\"\n"
    )
}

/// Every other row of a plain run has its launch.
#[track_caller]
fn others_survive(records: &[Record], faulty: &dyn Fn(&str) -> bool) {
    let others: Vec<&Record> = records.iter().filter(|record| !faulty(&record.implementation)).collect();
    assert!(others.len() >= 3, "the floor and an A/A pair are expected");
    for record in others {
        assert_ne!(record.status, Status::Failed, "{}: {:?}", record.cell, record.reasons);
        assert!(record.plain().next().is_some(), "{} has no result", record.cell);
    }
}

#[track_caller]
fn only_launch(record: &Record) -> &Launch {
    assert_eq!(record.launches.len(), 1, "{record:?}");
    &record.launches[0]
}

#[test]
fn engines_that_misbehave() {
    let place = Place::new();
    let good = || answer("other", 1000, 1000, 1000);
    // Id, script, what is found, and words of the reason.
    let faults: [(&str, String, FailureKind, &str); 10] = [
        ("garbage", "echo '<html>not a result</html>'".into(), FailureKind::Protocol, "<html>not a result"),
        ("mute", "cat >/dev/null".into(), FailureKind::Protocol, "it ended without an answer"),
        ("half", "echo '{\"protocol\":1,'".into(), FailureKind::Protocol, "its answer is not a result"),
        ("endless", "exec yes".into(), FailureKind::Protocol, "longer than"),
        ("hang", "exec sleep 600".into(), FailureKind::Hang, "no result after"),
        ("coded", "echo 'no such lock' >&2; exit 7".into(), FailureKind::Crash, "exit code 7: no such lock"),
        ("shot", "kill -SEGV $$".into(), FailureKind::Crash, "signal"),
        ("impostor", good(), FailureKind::WrongResult, "it ran `mutex/other`"),
        ("doubler", answer("doubler", 2000, 1000, 1000), FailureKind::WrongResult, "claims 2000 operations"),
        (
            "modern",
            answer("modern", 9, 9, 9).replace("\"protocol\":1", "\"protocol\":9"),
            FailureKind::WrongResult,
            "protocol 9",
        ),
    ];
    let mut arguments = vec!["run".to_owned(), "suite.toml".into(), "--out".into(), "run".into()];
    arguments.extend(["--patience".into(), "0.2".into()]);
    let ids: Vec<&str> = faults.iter().map(|fault| fault.0).chain(["miscount", "honest"]).collect();
    for (id, script, ..) in &faults {
        arguments.extend(["--engine".into(), engine(&place, id, script)]);
    }
    // Two answers of the right form: one counter lost an update, the other is as it must be.
    arguments.extend(["--engine".into(), engine(&place, "miscount", &answer("miscount", 1000, 1000, 999))]);
    arguments.extend(["--engine".into(), engine(&place, "honest", &answer("honest", 1000, 1000, 1000))]);
    let listed: Vec<String> = ids.iter().map(|id| format!("\"mutex/{id}\"")).collect();
    place.write("suite.toml", &plain_suite(&listed.join(", "), 1));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = place.run(&arguments).code(3);

    let run = place.load("run");
    for (id, _, kind, words) in &faults {
        let record = record_of(&run, &format!("mutex/{id}"));
        assert_eq!(record.status, Status::Failed, "{id}");
        let failure = only_launch(record).failure.as_ref().unwrap_or_else(|| panic!("{id}: {record:?}"));
        assert_eq!(failure.kind, *kind, "{id}: {failure:?}");
        assert!(failure.detail.contains(words) && !failure.detail.contains('\n'), "{id}: {failure:?}");
        assert!(record.reasons.iter().any(|reason| reason.contains(words)), "{id}: {:?}", record.reasons);
        // Whoever watches is told at once, and the table names the row.
        assert!(ran.stderr.contains(&format!("mutex/{id} ")), "{id} is not on stderr: {ran:#?}");
        assert!(ran.stdout.contains(&format!("mutex/{id} ")), "{id} is not in the table: {ran:#?}");
    }
    let miscount = record_of(&run, "mutex/miscount");
    assert_eq!(miscount.status, Status::Failed);
    assert!(miscount.reasons[0].contains("show 999, expected 1000"), "{:?}", miscount.reasons);
    assert_ne!(record_of(&run, "mutex/honest").status, Status::Failed);
    let faulty = |id: &str| ids.iter().any(|known| id == format!("mutex/{known}"));
    others_survive(&run.records, &faulty);
    let page = std::fs::read_to_string(place.path("run/report/index.html")).expect("a page all the same");
    assert!(page.contains("no such lock"), "the page hides why");
}

#[test]
fn engines_that_are_missing() {
    let place = Place::new();
    // A file that is not there: the row says what brings it. A command that is in no folder of PATH: it did not start.
    let absent = place.write("absent/engine.toml", &described("absent", &["./no-such-program"])).to_owned();
    let unknown =
        place.write("unknown/engine.toml", &described("unknown", &["no-such-program-anywhere"])).to_owned();
    let toolless = described("toolless", &["{out}"]) + "find = [\"false\"]\nbuild = [\"{tool}\"]\n";
    let toolless = place.write("toolless/engine.toml", &toolless).to_owned();
    place.write("suite.toml", &plain_suite("\"mutex/absent\", \"mutex/unknown\", \"mutex/toolless\"", 1));
    let engines = ["--engine", &absent, "--engine", &unknown, "--engine", &toolless];
    let cache = place.path("cache");
    let arguments = [&["run", "suite.toml", "--out", "run"], &engines[..]].concat();
    let output = place.command(&arguments).env("XDG_CACHE_HOME", cache).output().expect("the binary starts");
    support::Ran::of(&arguments, &output).code(3);
    let run = place.load("run");
    for id in ["absent", "toolless"] {
        let record = record_of(&run, &format!("mutex/{id}"));
        assert_eq!(record.status, Status::NotApplicable, "{record:?}");
        assert!(record.reasons[0].contains(&format!("bring it with `make {id}`")), "{:?}", record.reasons);
    }
    let record = record_of(&run, "mutex/unknown");
    assert_eq!(record.status, Status::Failed);
    let failure = only_launch(record).failure.as_ref().expect("a failure");
    assert_eq!(failure.kind, FailureKind::NotStarted);
    assert!(failure.detail.contains("no-such-program-anywhere"), "{failure:?}");
    others_survive(&run.records, &|id| ["mutex/absent", "mutex/unknown", "mutex/toolless"].contains(&id));

    // Once it is there, --resume makes the launches that it missed.
    place.write("absent/no-such-program", &format!("#!/bin/sh\n{}", answer("absent", 1000, 1000, 1000)));
    let chmod =
        std::process::Command::new("chmod").arg("+x").arg(place.path("absent/no-such-program")).status();
    assert!(chmod.is_ok_and(|status| status.success()));
    place.run(&["run", "--out", "run", "--resume", "--engine", &absent]).code(3);
    let resumed = place.load("run");
    assert!(record_of(&resumed, "mutex/absent").plain().next().is_some());
    // What has failed stays as it was, though its engine was not named again.
    assert_eq!(record_of(&resumed, "mutex/unknown"), record);
}

/// Numbers that no machine could have made are shown and not ranked; under --strict they fail the run.
#[test]
fn an_engine_that_is_too_fast_to_be_true() {
    let place = Place::new();
    let suite = plain_suite("\"mutex/boaster\"", 1) + "hold_ns = 1000\n";
    place.write("suite.toml", &suite);
    // A million operations of 1 us each in 2 ms.
    let file = engine(&place, "boaster", &answer("boaster", 1_000_000, 1_000_000, 1_000_000));
    let run = |out, more: &[&str]| {
        let only = ["run", "suite.toml", "--engine", &file, "--filter", "mutex/boaster", "--out", out];
        place.run(&[&only[..], more].concat())
    };
    run("lenient", &[]).code(0);
    let lenient = place.load("lenient");
    let record = record_of(&lenient, "mutex/boaster");
    assert_eq!(record.status, Status::Suspect, "{record:?}");
    assert!(
        record.reasons.iter().any(|reason| reason.contains("too fast to be true")),
        "{:?}",
        record.reasons
    );
    run("strict", &["--strict"]).code(3);
}

/// Implementations of our own that deadlock, panic and let two threads in: caught and named, each in its way.
#[test]
fn mutants_are_caught_and_named() {
    let place = Place::new();
    // On a busy computer two threads rarely run at once, and then nothing overlaps: hence the time.
    let suite = plain_suite("\"mutex/mutant-*\"", 3)
        .replace("slices = 1", "slices = 2")
        .replace("slice_ms = 2", "slice_ms = 60")
        .replace("workload = \"uncontended\"", "workload = \"contended\"\nthreads = 4\nhold_ns = 500");
    place.write("suite.toml", &suite);
    let arguments = ["run", "suite.toml", "--out", "run", "--patience", "0.5"];
    let output =
        place.command(&arguments).env("SYNCHROSCOPE_MUTANTS", "1").output().expect("the binary starts");
    support::Ran::of(&arguments, &output).code(3);
    let run = place.load("run");

    let record = record_of(&run, "mutex/mutant-deadlock");
    let failure = record
        .launches
        .iter()
        .find_map(|launch| launch.failure.as_ref())
        .unwrap_or_else(|| panic!("{record:?}"));
    assert_eq!((record.status, failure.kind), (Status::Failed, FailureKind::Hang));
    // Repeated under watch, it names who waits.
    assert!(
        failure.detail.contains("no result after") && failure.detail.contains("awaited by worker"),
        "{failure:?}"
    );

    let record = record_of(&run, "mutex/mutant-panic");
    let failure = record
        .launches
        .iter()
        .find_map(|launch| launch.failure.as_ref())
        .unwrap_or_else(|| panic!("{record:?}"));
    assert_eq!((record.status, failure.kind), (Status::Failed, FailureKind::Panic));
    assert!(failure.detail.contains("mutex/mutant-panic: panics on purpose"), "{failure:?}");

    let record = record_of(&run, "mutex/mutant-overlap");
    assert_eq!(record.status, Status::Failed, "{record:?}");
    let said = record.reasons.iter().any(|reason| reason.contains("the guarded counters show"));
    assert!(said, "{:?}", record.reasons);

    others_survive(&run.records, &|id| id.contains("mutant"));
    // Nobody measures them by accident.
    assert!(!place.run(&["list"]).code(0).stdout.contains("mutant"));
}
