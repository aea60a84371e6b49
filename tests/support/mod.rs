//! What the tests of the command line share: the built binary, folders that vanish, small suites, records.

#![allow(dead_code)] // Each test binary uses its part of this.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use record::Record;
use record::store::{Loaded, RunDir};
use tempfile::TempDir;

/// Two designs, the floor and an A/A pair at one point; a plain and a probed launch each. About 2 s.
pub(crate) const TINY: &str = r#"
name = "tiny"
summary = "one plain launch, one probed, two slices"
launches = 1
probed = 1
slices = 2
slice_ms = 3
warmup_ms = 1
aa = "mutex/go-2019-fastpath"

[[cells]]
workload = "contended"
implementations = ["mutex/go-2019-fastpath", "mutex/spin-yield"]
threads = 2
hold_ns = 500
"#;

/// One thread, one slice, no probe: the floor, an A/A pair, and whatever `implementations` says besides.
pub(crate) fn plain_suite(implementations: &str, launches: u32) -> String {
    format!(
        r#"
name = "plain"
summary = "one thread, one slice"
launches = {launches}
probed = 0
slices = 1
slice_ms = 2
warmup_ms = 0
aa = "mutex/ticket"

[[cells]]
workload = "uncontended"
implementations = [{implementations}]
"#
    )
}

/// Every lock at one contended point, as short as a simulated machine allows.
pub(crate) fn contended_suite(threads: u32) -> String {
    format!(
        r#"
name = "short"
summary = "one contended point"
launches = 1
probed = 0
slices = 1
slice_ms = 0.1
warmup_ms = 0.01

[[cells]]
workload = "contended"
implementations = "mutex/*"
threads = {threads}
hold_ns = 200
"#
    )
}

/// The path of the binary under test.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_synchroscope")
}

/// The root of the source tree.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of one test, in which commands run.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Place {
        Place(tempfile::Builder::new().prefix("synchroscope-").tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its name.
    pub(crate) fn write<'n>(&self, name: &'n str, text: &str) -> &'n str {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        name
    }

    /// The command with these arguments, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .env_remove("SYNCHROSCOPE_MUTANTS");
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(arguments, &self.command(arguments).output().expect("the binary starts"))
    }

    /// What git says in one of the folders.
    pub(crate) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]);
        let output = git.args(arguments).current_dir(self.path(folder)).stdin(Stdio::null()).output();
        let output = output.expect("git starts");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Starts the command and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
    }

    pub(crate) fn load(&self, run: &str) -> Loaded {
        let loaded = RunDir::load(&self.path(run)).expect("a run directory");
        assert!(loaded.damaged.is_empty(), "{:?}", loaded.damaged);
        loaded
    }

    /// Every file below, with its content.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        contents(self.0.path())
    }
}

/// Every file below `folder`, with its content; folders have none.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
            found.insert(path, Vec::new());
        } else {
            let content = fs::read(&path).unwrap_or_default();
            found.insert(path, content);
        }
    }
    found
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) arguments: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(arguments: &[&str], output: &Output) -> Ran {
        Ran {
            arguments: arguments.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Expects the exit code.
    #[track_caller]
    pub(crate) fn code(self, expected: i32) -> Ran {
        assert_eq!(self.code, Some(expected), "{self:#?}");
        self
    }

    /// Expects a refusal: code 2, nothing on stdout, and one line on stderr that holds each of `texts`.
    #[track_caller]
    pub(crate) fn refused(self, texts: &[&str]) -> Ran {
        let ran = self.code(2);
        assert_eq!(ran.stdout, "", "{ran:#?}");
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "one line is expected: {ran:#?}");
        assert!(lines[0].starts_with("error: "), "{ran:#?}");
        for text in texts {
            assert!(lines[0].contains(text), "no {text:?} in {ran:#?}");
        }
        ran
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The record of `implementation` that is no arm of a pair.
pub(crate) fn record_of<'r>(run: &'r Loaded, implementation: &str) -> &'r Record {
    let found =
        run.records.iter().find(|record| record.implementation == implementation && record.arm.is_empty());
    found.unwrap_or_else(|| panic!("no record of {implementation}"))
}

/// The launches of a run that are on disk: cell, index, and when each began.
pub(crate) fn launches(path: &Path) -> BTreeMap<(String, u32), u64> {
    let Ok(run) = RunDir::load(path) else { return BTreeMap::new() };
    let of = |record: &Record| {
        let cell = record.cell.clone();
        record.launches.iter().map(move |l| ((cell.clone(), l.index), l.started_unix_ms)).collect::<Vec<_>>()
    };
    run.records.iter().flat_map(of).collect()
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The first words of the rows of a `--dry-run`: the ids of the cells.
pub(crate) fn planned(dry_run: &Ran) -> Vec<String> {
    let rows = dry_run.stdout.lines().skip(1).filter(|line| line.contains('@'));
    rows.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}
