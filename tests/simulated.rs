//! Simulated machines on the command line: exact, judged as measured ones are, and wrong input named in a line.

mod support;

use std::collections::BTreeMap;
use std::fs;

use record::{ProbeMode, Record, Status};
use serde_json::Value;
use support::Place;

/// Two designs and the floor on a few threads; on a simulated machine a launch a seed.
const SUITE: &str = r#"
name = "sim"
summary = "short"
launches = 2
probed = 1
slices = 2
slice_ms = 2
warmup_ms = 1
aa = "mutex/ticket"

[[cells]]
workload = "contended"
implementations = ["mutex/ticket", "mutex/go-2019-fastpath"]
threads = [2, "cores"]
hold_ns = 200
"#;

fn hashes(records: &[Record]) -> Vec<(String, Option<String>)> {
    records.iter().map(|record| (record.cell.clone(), record.trace_hash.clone())).collect()
}

#[test]
fn one_run_holds_measured_and_simulated_cells() {
    let place = Place::new();
    place.write("sim.toml", SUITE);
    let machines = ["--machine", "os", "--machine", "sim:laptop-8"];
    let filter = ["--filter", "*ticket*", "--threads", "2", "--launches", "2"];
    let arguments = [&["run", "sim.toml", "--out", "run", "--quiet"], &machines[..], &filter].concat();
    let ran = place.run(&arguments);
    let loaded = place.load("run");
    let (simulated, measured): (Vec<_>, Vec<_>) =
        loaded.records.iter().partition(|record| record.machine == "sim:laptop-8");
    assert_eq!(simulated.len(), 1, "no A/A pair where there is no noise");
    assert_eq!(measured.len(), 3);
    assert!(measured.iter().all(|record| record.trace_hash.is_none()));
    let record = simulated[0];
    assert_eq!(record.status, Status::Ok, "{:?}", record.reasons);
    assert_eq!(record.launches.len(), 2);
    assert_ne!(record.launches[0].seed, record.launches[1].seed);
    assert_eq!(record.fingerprint.cores, 8);
    for launch in &record.launches {
        assert_eq!(launch.probe, ProbeMode::Full);
        assert_eq!(launch.environment.steal_share, None);
        let result = launch.result.as_ref().expect("a result");
        let ledger = &result.simulated.as_ref().expect("a simulated section").ledger;
        assert!(ledger.span_cycles > 0);
        assert_eq!(ledger.sum_cycles(), ledger.span_cycles);
        assert!(result.counters["cache_misses"].value().is_some_and(|misses| misses > 0));
    }
    assert_eq!(record.plain().count(), 2, "what is explained is ranked too");
    assert!(loaded.manifest.presets.contains_key("sim:laptop-8"));
    assert!(ran.stdout.contains("simulated"), "{}", ran.stdout);
    // The page says where every cycle went, and that nothing on it was measured.
    let page = place.path("run/report/cells").join(format!("{}.html", record.cell));
    let page = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    assert!(page.contains("cycles per acquire") && page.contains("invalidation"), "{page}");
    assert!(!page.contains(">measured-"), "{page}");
}

/// Workers that are pinned to one core of many cannot overlap; a bounded spin has so many rounds and no more.
#[test]
fn pinned_workers_and_bounded_spins_are_taken_for_what_they_are() {
    let place = Place::new();
    place.write("sim.toml", SUITE);
    let run = |out: &str, more: &[&str]| {
        let base = ["run", "sim.toml", "--machine", "sim:laptop-8", "--seeds", "1", "--quiet", "--out", out];
        place.run(&[&base[..], &["--filter", "*go-2019*"], more].concat()).code(0);
        place.load(out).records
    };
    for record in run("pinned", &["--cpus", "0"]) {
        assert_eq!(record.status, Status::Ok, "{}: {:?}", record.cell, record.reasons);
    }
    let (mut spins, mut rounds) = (0, 0);
    for record in run("free", &[]) {
        let profiles = record.launches.iter().filter_map(|launch| launch.result.as_ref()?.profile.as_ref());
        for counts in profiles.map(|profile| &profile.counts) {
            (spins, rounds) = (spins + counts.spins, rounds + counts.spin_rounds);
        }
    }
    assert!(spins > 100 && rounds <= 4 * spins, "{spins} spins, {rounds} rounds");
}

#[test]
fn a_seed_is_a_trace() {
    let place = Place::new();
    place.write("sim.toml", SUITE);
    place.write("elsewhere/sim.toml", SUITE);
    let run = |out: &str, seed: &str| {
        let base = ["run", "sim.toml", "--machine", "sim:spr-36", "--seeds", "2", "--quiet"];
        place.run(&[&base[..], &["--out", out, "--seed", seed]].concat()).code(0);
        place.load(out).records
    };
    let one = run("one", "1");
    assert!(one.iter().all(|record| record.trace_hash.is_some()));
    assert_eq!(hashes(&one), hashes(&run("again", "1")));
    let other = run("other", "2");
    assert!(one.iter().zip(&other).all(|(a, b)| a.trace_hash != b.trace_hash));
    // Another folder, and an environment that shifts every stack.
    let status = place
        .command(&[
            "run",
            "sim.toml",
            "--machine",
            "sim:spr-36",
            "--seeds",
            "2",
            "--quiet",
            "--out",
            "../far",
        ])
        .current_dir(place.path("elsewhere"))
        .env("SYNCHROSCOPE_TEST_PADDING", "x".repeat(3000))
        .output()
        .expect("the binary starts");
    assert!(status.status.success());
    assert_eq!(hashes(&one), hashes(&place.load("far").records));
    // Threads relative to the cores are those of the simulated machine.
    assert!(one.iter().any(|record| record.point.threads() == 36));
}

#[test]
fn what_cannot_run_there_is_not_applicable() {
    let place = Place::new();
    place.write("sim.toml", &SUITE.replace("\"mutex/ticket\", ", "\"mutex/ticket\", \"mutex/peer-std\", "));
    place
        .run(&["run", "sim.toml", "--machine", "sim:vm-2", "--out", "run", "--seeds", "1", "--quiet"])
        .code(0);
    let records = place.load("run").records;
    let peer = records.iter().find(|record| record.implementation == "mutex/peer-std").expect("a row");
    assert_eq!(peer.status, Status::NotApplicable);
    assert!(peer.reasons[0].contains("`os` only"), "{:?}", peer.reasons);
}

#[test]
fn a_resumed_run_is_the_same_run() {
    let place = Place::new();
    place.write("sim.toml", SUITE);
    place
        .run(&["run", "sim.toml", "--machine", "sim:altra-80", "--seeds", "2", "--out", "run", "--quiet"])
        .code(0);
    let whole = place.load("run").records;
    fs::remove_file(place.path("run/cells").join(format!("{}.json", whole[0].cell))).expect("a record");
    place.run(&["run", "--out", "run", "--resume", "--quiet"]).code(0);
    assert_eq!(hashes(&whole), hashes(&place.load("run").records));
}

#[test]
fn failures_of_simulated_threads_are_rows_at_once() {
    let place = Place::new();
    let suite = SUITE.replace("\"mutex/ticket\", \"mutex/go-2019-fastpath\"", "\"mutex/mutant-*\"");
    place.write("sim.toml", &suite);
    let output = place
        .command(&["run", "sim.toml", "--machine", "sim:laptop-8", "--seeds", "3", "--out", "run", "--quiet"])
        .arg("--trace")
        .env("SYNCHROSCOPE_MUTANTS", "1")
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(3));
    let records = place.load("run").records;
    let detail = |name: &str| {
        let record = records.iter().find(|r| r.implementation == name && r.point.threads() == 8);
        let record = record.unwrap_or_else(|| panic!("no row {name}"));
        assert_eq!(record.status, Status::Failed, "{name}: {:?}", record.checks);
        record.reasons.join(" ")
    };
    let deadlock = detail("mutex/mutant-deadlock");
    assert!(deadlock.contains("deadlock after") && deadlock.contains("waits for object"), "{deadlock}");
    // Its timeline tells what led there, and `explain` says why there is no story.
    let cell = "mutex.mutant-deadlock@contended-t8-h200@sim-laptop-8";
    let file = place.path(&format!("run/cells/{cell}.launch0.trace.json"));
    let trace: Value = serde_json::from_str(&fs::read_to_string(file).expect("a timeline")).expect("JSON");
    assert!(trace["traceEvents"].as_array().is_some_and(|events| events.len() > 100));
    let told = place
        .command(&["explain", cell, "run"])
        .env("SYNCHROSCOPE_MUTANTS", "1")
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.starts_with("error: launch 0 of ") && told.contains("deadlock after"), "{told}");
    let panic = detail("mutex/mutant-panic");
    assert!(panic.contains("panic:"), "{panic}");
    detail("mutex/mutant-overlap");
}

#[test]
fn a_trace_is_json_that_says_what_it_left_out() {
    let place = Place::new();
    place.write("sim.toml", SUITE);
    let base = ["run", "sim.toml", "--machine", "sim:laptop-8", "--seeds", "1", "--quiet"];
    place.run(&[&base[..], &["--filter", "*ticket*t8*", "--trace", "--out", "run"]].concat()).code(0);
    let record = &place.load("run").records[0];
    let file = place.path("run/cells").join(format!("{}.launch0.trace.json", record.cell));
    let trace: Value = serde_json::from_str(&fs::read_to_string(file).expect("a trace")).expect("JSON");
    assert_eq!(trace["otherData"]["trace_hash"].as_str(), record.trace_hash.as_deref());
    assert!(trace["otherData"]["marks_dropped"].is_u64());
    let events = trace["traceEvents"].as_array().expect("events");
    let has = |pid: u64, phase: &str| events.iter().any(|e| e["pid"] == pid && e["ph"] == phase);
    assert!(has(1, "X") && has(2, "X") && has(3, "X") && has(4, "C"));
    // Perfetto counts in ns, drops bars of a track that overlap, and takes thread 0 for the process itself.
    let ns = |us: &Value| us.as_f64().map(|us| (us * 1e3).round() as u64);
    let mut open: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let (begin, length) = (ns(&event["ts"]).expect("a time"), ns(&event["dur"]).expect("a length"));
        let track = event["tid"].as_u64().expect("a track");
        assert_eq!(track / 100_000, event["pid"].as_u64().expect("a process"), "{event}");
        let around = open.entry(track).or_default();
        while around.last().is_some_and(|&end| end <= begin) {
            around.pop();
        }
        assert!(around.last().is_none_or(|&end| begin + length <= end), "{event} overlaps another");
        around.push(begin + length);
    }
}

#[test]
fn the_slowest_acquire_is_told() {
    let place = Place::new();
    place.write("sim.toml", SUITE);
    place
        .run(&["run", "sim.toml", "--machine", "sim:laptop-8", "--seeds", "1", "--out", "run", "--quiet"])
        .code(0);
    let cell = "mutex.go-2019-fastpath@contended-t8-h200@sim-laptop-8";
    let told = place.run(&["explain", cell, "run"]).code(0);
    assert!(told.stdout.contains("slowest acquire: thread"), "{}", told.stdout);
    let json: Value =
        serde_json::from_str(&place.run(&["explain", cell, "run", "--json"]).stdout).expect("JSON");
    let record = place.load("run").records.into_iter().find(|record| record.cell == cell).expect("the cell");
    assert_eq!(json["trace_hash"].as_str(), record.trace_hash.as_deref());
    let steps = json["steps"].as_array().expect("steps");
    let last = steps.last().expect("a step");
    assert_eq!((last["thread"].clone(), last["what"].as_str()), (json["thread"].clone(), Some("has it")));
    assert_eq!(last["at_cycle"], json["wait_cycles"]);
}

#[test]
fn wrong_machines_are_named_in_a_line() {
    let place = Place::new();
    place.write("bad.toml", "name = \"mine\"\n");
    for (arguments, expected) in [
        (&["run", "--machine", "sim:genoa"][..], "`genoa-192`"),
        (&["run", "--machine", "genoa-192"], "`sim:genoa-192`"),
        (&["run", "--machine", "sim:none.toml"], "none.toml"),
        (&["run", "--machine", "sim:bad.toml"], "bad.toml"),
        (&["run", "--seeds", "3"], "--seeds"),
        (&["run", "--trace"], "--trace"),
        (&["run", "--machine", "sim:vm-2", "--cpus", "2"], "has no core 2"),
        (&["explain", "x", "nowhere"], "nowhere"),
        (&["explain", "x", "--machine", "sim:vm-2"], "none of the"),
    ] {
        place.run(arguments).refused(&[expected]);
    }
    assert_eq!(place.contents().len(), 1, "nothing is left behind");
}
