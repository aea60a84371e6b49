//! Bad input: each mistake ends in exit code 2 and one line that names it, and nothing half-written is left.

mod support;

use std::process::Command;

use support::{Place, TINY, launches, plain_suite};

/// Expects the refusal of a call, and that it left everything as it was.
#[track_caller]
fn refused(place: &Place, arguments: &[&str], texts: &[&str]) {
    let before = place.contents();
    place.run(arguments).refused(texts);
    assert!(place.contents() == before, "{arguments:?} left something behind");
}

#[test]
fn unknown_names() {
    let place = Place::new();
    place.write("tiny.toml", TINY);
    let cases: [(&[&str], &[&str]); 15] = [
        (&["reprot"], &["unrecognized subcommand 'reprot'", "'report'"]),
        (&["run", "--thread", "2"], &["unexpected argument '--thread'", "'--threads'"]),
        (&["run", "--probe", "ful"], &["'ful'", "off, count, sample, full", "'full'"]),
        (&["run", "--suite", "quik"], &["unknown suite `quik`", "`quick`"]),
        (&["run", "tiny.toml", "--suite", "quick"], &["cannot be used with"]),
        (
            &["run", "tiny.toml", "--filter", "mutex/spin-yeild"],
            &["--filter", "mutex/spin-yeild", "`mutex/spin-yield`"],
        ),
        (&["run", "tiny.toml", "--filter", "["], &["--filter"]),
        (&["run", "tiny.toml", "--machine", "sim:epyc"], &["--machine sim:epyc", "genoa-192"]),
        (&["run", "tiny.toml", "--param", "spin_round=3"], &["--param spin_round=3", "`spin_rounds`"]),
        (&["run", "missing.toml"], &["missing.toml"]),
        (&["list", "--family", "mutx"], &["--family mutx", "`mutex`"]),
        (&["completions", "bsh"], &["'bsh'", "bash"]),
        (&["report"], &["<DIR>"]),
        (&["compare", "mutex/mcs", "mutex/tiket"], &["runs/"]),
        (&["run", "tiny.toml", "--engine", "missing.toml"], &["missing.toml"]),
    ];
    for (arguments, texts) in cases {
        refused(&place, arguments, texts);
    }
}

#[test]
fn numbers_that_cannot_be() {
    let place = Place::new();
    place.write("tiny.toml", TINY);
    let cases = [
        ("--threads", "0"),
        ("--threads", "1000000"),
        ("--threads", "-1"),
        ("--threads", "2,,3"),
        ("--threads", "99999x"),
        ("--launches", "0"),
        ("--launches", "-1"),
        ("--launches", "4294967295"),
        ("--launches", "99999999999999999999"),
        ("--seconds", "-1"),
        ("--seconds", "0"),
        ("--seconds", "nan"),
        ("--seconds", "1e300"),
        ("--patience", "-1"),
        ("--patience", "inf"),
        ("--seed", "-1"),
        ("--seed", "18446744073709551616"),
        ("--shard", "0/2"),
        ("--shard", "3/2"),
        ("--shard", "1/0"),
        ("--shard", "half"),
        ("--shard", "900/1000"),
        ("--cpus", "99999"),
        ("--cpus", "1-0"),
        ("--cpus", "all"),
        ("--cpus", "0-18446744073709551615"),
        ("--param", "spin_rounds"),
        ("--param", "spin_rounds=-1"),
        ("--param", "spin_rounds=99999999999"),
    ];
    for (flag, value) in cases {
        let given = format!("{flag}={value}");
        refused(&place, &["run", "tiny.toml", "--out", "run", &given], &[flag]);
        refused(&place, &["run", "tiny.toml", "--dry-run", &given], &[flag]);
    }
    let twice = ["run", "tiny.toml", "--param", "spin_rounds=1", "--param", "spin_rounds=2"];
    refused(&place, &twice, &["--param spin_rounds is set twice"]);
    for confidence in ["0", "1", "2", "nan", "-0.5"] {
        let given = format!("--confidence={confidence}");
        refused(&place, &["compare", "a", "b", &given], &["--confidence"]);
    }
}

#[test]
fn suites_that_are_wrong() {
    let place = Place::new();
    let line = |suite: &str, wanted: &str| {
        let found = suite.lines().position(|line| line.contains(wanted)).expect("it stands there");
        format!("suite.toml:{}", found + 1)
    };
    // What is replaced, by what, and what the line must say.
    let cases = [
        ("threads = 2", "thread = 2", "`threads`"),
        ("threads = 2", "threads = 0", "threads"),
        ("threads = 2", "threads = 1000000", "threads"),
        ("hold_ns = 500", "hold_ns = -5", "hold_ns"),
        ("hold_ns = 500", "hold = \"99999999999999999999 s\"", "hold"),
        ("hold_ns = 500", "hold_ns = 99999999999999999999", "suite.toml"),
        ("slice_ms = 3", "slice_ms = -3", "slice_ms"),
        ("slice_ms = 3", "slice_ms = 1e300", "slice_ms"),
        ("slice_ms = 3", "slice_ms = nan", "slice_ms"),
        ("slices = 2", "slices = 0", "slices"),
        ("launches = 1", "launches = 0", "launches"),
        ("launches = 1", "lanches = 1", "`launches`"),
        ("workload = \"contended\"", "workload = \"contendet\"", "`contended`"),
        ("\"mutex/spin-yield\"", "\"mutex/spin-yeild\"", "`mutex/spin-yield`"),
        ("aa = \"mutex/go-2019-fastpath\"", "aa = \"mutex/go-2019\"", "`mutex/go-2019-fastpath`"),
        ("name = \"tiny\"", "name = ", "suite.toml"),
    ];
    for (good, bad, text) in cases {
        let suite = TINY.replacen(good, bad, 1);
        assert_ne!(suite, TINY, "{good}");
        place.write("suite.toml", &suite);
        let at = if good.starts_with("aa") { "suite.toml".to_owned() } else { line(&suite, bad) };
        let at = if good.starts_with("\"mutex") { line(&suite, "[[cells]]") } else { at };
        refused(&place, &["run", "suite.toml", "--out", "run"], &[&at, text]);
    }
    let head = TINY.split("[[cells]]").next().expect("a head");
    for (suite, text) in
        [(head.to_owned(), "cells"), (format!("{head}cells = []\n"), "[[cells]]"), (String::new(), "cells")]
    {
        place.write("suite.toml", &suite);
        refused(&place, &["run", "suite.toml", "--out", "run"], &["suite.toml", text]);
    }
    std::fs::write(place.path("suite.toml"), [0xFF, 0xFE, 0x00, 0x80]).expect("a file");
    refused(&place, &["run", "suite.toml"], &["suite.toml"]);
    std::fs::create_dir(place.path("folder.toml")).expect("a folder");
    refused(&place, &["run", "folder.toml"], &["folder.toml"]);
}

#[test]
fn engine_descriptions_that_are_wrong() {
    let place = Place::new();
    const GOOD: &str = r#"
name = "mine"
implementations = [{ id = "mutex/mine", summary = "mine" }]
run = ["true"]
hint = "none"
"#;
    let cases = [
        ("run =", "rum =", "`rum`"),
        ("run = [\"true\"]", "run = []", "`run` is empty"),
        ("mutex/mine", "mine", "`mine` is not an id"),
        ("mutex/mine", "mutex/mcs", "the id `mutex/mcs` is taken"),
        ("name = \"mine\"", "name = 7", "engine.toml:2"),
    ];
    for (good, bad, text) in cases {
        place.write("engine.toml", &GOOD.replacen(good, bad, 1));
        refused(&place, &["list", "--engine", "engine.toml"], &["engine.toml", text]);
    }
    place.write("engine.toml", GOOD);
    place.run(&["list", "--engine", "engine.toml"]).code(0);
    refused(
        &place,
        &["list", "--engine", "engine.toml", "--engine", "engine.toml"],
        &["`mutex/mine` is taken"],
    );
}

#[test]
fn folders_that_cannot_be() {
    let place = Place::new();
    place.write("tiny.toml", TINY);
    place.write("file", "no folder");
    place.write("full/of/things", "mine");
    let run = |out: &'static str| ["run", "tiny.toml", "--out", out];
    refused(&place, &run("file/below"), &["file/below"]);
    refused(&place, &run("full"), &["full is not empty"]);
    if cfg!(target_os = "linux") {
        refused(&place, &run("/proc/nonexistent/run"), &["/proc/nonexistent/run"]);
    }
    refused(&place, &["run", "--out", "nothing", "--resume"], &["nothing is not a run"]);
    refused(&place, &["run", "--resume"], &["--out"]);
    refused(&place, &["report", "full"], &["full is not a run"]);
    refused(&place, &["merge", "full", "--out", "whole"], &["full is not a run"]);
    refused(&place, &["compare", "full", "file"], &["is not a run"]);

    place.write("plain.toml", &plain_suite("\"mutex/mcs\"", 1));
    place.run(&["run", "plain.toml", "--out", "run", "--quiet"]).code(0);
    refused(&place, &["run", "plain.toml", "--out", "run"], &["run holds a run already", "--resume"]);
    refused(&place, &["report", "run", "--out", "full"], &["full holds", "--force"]);
    refused(&place, &["report", "run", "--out", "file"], &["file is a file"]);
    refused(&place, &["merge", "run", "--out", "run"], &["run holds a run already"]);
    refused(&place, &["compare", "mutex/mcs", "mutex/tiket", "--in", "run"], &["mutex/tiket"]);
    refused(&place, &["compare", "run", "file"], &["is not a run"]);
}

#[test]
fn a_launch_without_a_spec() {
    let place = Place::new();
    refused(&place, &["launch"], &["launch spec"]);
}

/// A file system of its own for a folder; gone with the test.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount(path: std::path::PathBuf, size: &str) -> Option<SmallDisk> {
        std::fs::create_dir(&path).expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&path)
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk(path))
    }

    fn grow(&self, size: &str) {
        let grown = Command::new("mount").args(["-o", &format!("remount,size={size}")]).arg(&self.0).status();
        assert!(grown.is_ok_and(|status| status.success()));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk() {
    let place = Place::new();
    place.write("tiny.toml", TINY);
    let Some(disk) = SmallDisk::mount(place.path("disk"), "32k") else {
        eprintln!("skipped: this process may not mount a file system");
        return;
    };
    place.run(&["run", "tiny.toml", "--out", "disk/run", "--quiet"]).refused(&["cannot write", "disk/run"]);
    // Whatever is there is whole.
    for (path, content) in place.contents() {
        if path.extension().is_some_and(|e| e == "json") {
            assert!(
                serde_json::from_slice::<serde_json::Value>(&content).is_ok(),
                "{} is cut",
                path.display()
            );
        }
        assert!(!path.to_string_lossy().contains(".tmp"), "{} was left", path.display());
    }
    let kept = launches(&place.path("disk/run"));
    disk.grow("16m");
    place.run(&["run", "--out", "disk/run", "--resume", "--quiet"]).code(0);
    let all = launches(&place.path("disk/run"));
    assert_eq!(all.len(), 10);
    assert!(kept.iter().all(|(launch, started)| all.get(launch) == Some(started)), "{kept:?}\n{all:?}");
}
