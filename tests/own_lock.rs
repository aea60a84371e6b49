//! A user's own crate: built, tested and run as its README says.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use record::Status;
use record::host::short_hash;
use record::store::RunDir;
use support::{Place, Ran, plain_suite, record_of, root};

const IDS: [&str; 2] = ["mutex/my-patient", "mutex/my-backoff"];

/// A target folder of its own below ours: a user's crate shares nothing with this workspace, and is built once.
fn target() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is below the target folder");
    target.join("own-lock")
}

fn cargo(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root().join("examples/own-lock"));
    // What this test's own cargo was told is not for a user's crate.
    command.env("CARGO_TARGET_DIR", target()).env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("RUSTFLAGS");
    Ran::of(arguments, &command.output().expect("cargo starts"))
}

#[test]
fn a_crate_with_locks_of_its_own() {
    cargo(&["build", "--quiet"]).code(0);
    let place = Place::new();
    place.write("suite.toml", &plain_suite("\"mutex/my-*\", \"mutex/mcs\"", 1));
    let run = |arguments: &[&str]| {
        let binary = target().join("debug").join("own-lock");
        let output =
            Command::new(binary).args(arguments).current_dir(place.path("")).output().expect("it starts");
        Ran::of(arguments, &output)
    };
    let list = run(&["list"]).code(0).stdout;
    for id in IDS {
        assert!(
            list.lines().any(|line| line.split_whitespace().next() == Some(id)),
            "{id} is not in\n{list}"
        );
    }
    run(&["run", "suite.toml", "--out", "run", "--param", "polls=10"]).code(0);
    let loaded = RunDir::load(&place.path("run")).expect("a run directory");
    for id in IDS {
        let record = record_of(&loaded, id);
        assert_ne!(record.status, Status::Failed, "{:?}", record.reasons);
        // In so short a slice a busy computer may leave a thread without a turn; the loop before it always runs.
        let cost_ns = record.plain().next().and_then(|result| result.uncontended_ns);
        assert!(cost_ns.is_some_and(|ns| ns > 0.0), "{id} did nothing: {record:?}");
    }
    assert_eq!(record_of(&loaded, IDS[0]).params, [("polls".to_owned(), 10)].into());
    assert!(place.path("run/report/index.html").is_file());

    // Every checker that can run them: the one over `lock_api` is no source that a model checker could run.
    let verified = run(&["verify", "mutex/my-*", "--schedules", "20", "--json"]).code(0).stdout;
    let verified: record::Verified = serde_json::from_str(&verified).expect("it is JSON");
    let patient = verified.of(IDS[0]).expect("it was checked");
    assert!(patient.checks.iter().any(|check| check.by == "loom"), "{patient:?}");
    assert!(patient.orderings.as_ref().is_some_and(|orderings| orderings.caught > 0), "{patient:?}");
    let backoff = verified.of(IDS[1]).expect("it was checked");
    assert!(backoff.threads_only.is_some() && !backoff.checks.is_empty(), "{backoff:?}");

    a_revision_guards_the_next(&place);

    // Its conformance test: the battery that every built-in lock passes.
    let tests = cargo(&["test", "--quiet"]).code(0);
    assert!(tests.stdout.contains("test result: ok"), "{tests:#?}");
}

/// The crate in a repository of its own, as docs/CI.md guards it: a change that costs is found, and what runs on threads only
/// is judged by its instructions.
fn a_revision_guards_the_next(place: &Place) {
    let repository = place.path("repository");
    let git = |arguments: &[&str]| place.git("repository", arguments);
    for file in ["Cargo.toml", "Cargo.lock", "src/main.rs", "src/patient.rs", "src/backoff.rs"] {
        let text = fs::read_to_string(root().join("examples/own-lock").join(file)).expect("a file");
        // The crate lies elsewhere; what it depends on stays.
        let text = text.replace("\"../..\"", &format!("{:?}", root()));
        place.write(&format!("repository/{file}"), &text);
    }
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "good"]);
    // Revisions are built with what the crate's own build has left: else this test would build everything twice.
    let top = git(&["rev-parse", "--show-toplevel"]);
    let workshop = format!("cache/synchroscope/guard-{}", short_hash(top.as_bytes()));
    fs::create_dir_all(place.path(&workshop)).expect("a folder");
    std::os::unix::fs::symlink(target(), place.path(&workshop).join("target")).expect("a link");

    let patient = place.path("repository/src/patient.rs");
    let good = fs::read_to_string(&patient).expect("a file");
    let store = "self.held.store(0, Ordering::Release);";
    let slow = good.replace(store, "self.held.swap(0, Ordering::AcqRel);");
    assert_ne!(good, slow);
    fs::write(&patient, slow).expect("a file");
    git(&["commit", "-qam", "slow"]);
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet"]).current_dir(&repository).env("CARGO_TARGET_DIR", target());
    build.env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("RUSTFLAGS");
    Ran::of(&["build"], &build.output().expect("cargo starts")).code(0);
    // The build of the revision puts its binary at the same place.
    let program = target().join("debug/candidate/debug/own-lock");
    fs::create_dir_all(program.parent().expect("a folder")).expect("a folder");
    fs::copy(target().join("debug/own-lock"), &program).expect("a copy");

    let guard = |arguments: &[&str]| {
        let base = ["guard", "--layer", "exact", "--machine", "sim:vm-2", "--seeds", "8", "--format", "json"];
        let arguments = [&base[..], arguments].concat();
        let mut guard = Command::new(&program);
        guard.args(&arguments).current_dir(&repository).env("XDG_CACHE_HOME", place.path("cache"));
        guard.env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("RUSTFLAGS").env_remove("SYNCHROSCOPE_MUTANTS");
        Ran::of(&arguments, &guard.output().expect("it starts"))
    };
    let report = guard(&["--baseline", "HEAD~1", "--impl", "mutex/my-*", "--filter", "uncontended*"]).code(1);
    let report = report.json();
    let rows = report["rows"].as_array().expect("rows");
    let of = |id: &str, metric: &str| {
        rows.iter().find(|row| row["implementation"] == id && row["metric"] == metric)
    };
    let cycles = of(IDS[0], "cycles-per-op").expect("a row");
    assert_eq!(cycles["verdict"], "regressed", "{cycles:#}");
    assert!(of(IDS[1], "cycles-per-op").is_none(), "{rows:#?}");
    // The lock that did not change, if anything here counts instructions.
    let only_half = of(IDS[1], "instructions-per-op");
    assert!(only_half.is_none_or(|row| row["verdict"] == "equivalent"), "{only_half:#?}");
    let said = only_half.map_or_else(|| report["notes"].to_string(), |row| row["reason"].to_string());
    assert!(said.contains("not simulated") || said.contains("valgrind"), "{said}");
}
