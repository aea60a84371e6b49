//! A user's own crate: built, tested and run as its README says.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use record::Status;
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

    // Its conformance test: the battery that every built-in lock passes.
    let tests = cargo(&["test", "--quiet"]).code(0);
    assert!(tests.stdout.contains("test result: ok"), "{tests:#?}");
}
