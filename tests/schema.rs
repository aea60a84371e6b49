//! The files of a run: they fit the schemas in docs/, version 1 is read for ever, damaged ones are refused.

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use jsonschema::{Registry, Validator};
use record::histogram::Metric;
use record::store::RunDir;
use record::{ProbeMode, Status};
use serde_json::{Value, json};
use support::{Place, TINY, contents, root};

const SCHEMAS: [&str; 4] = ["launch-spec", "launch-result", "record", "run"];

fn schema(name: &str) -> Value {
    read_json(&root().join("docs").join(format!("{name}.schema.json")))
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The schema of this name, with those that it refers to.
fn validator(name: &str) -> Validator {
    let mut registry = Registry::new();
    for name in SCHEMAS {
        registry =
            registry.add(format!("json-schema:///{name}.schema.json"), schema(name)).expect("a schema");
    }
    let registry = registry.prepare().expect("schemas that refer to each other");
    let schema = schema(name);
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    jsonschema::options()
        .with_registry(&registry)
        .build(&schema)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn fits(validator: &Validator, what: &str, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// Runs `change` on a copy and expects that it does not fit any more: a schema that takes anything proves nothing.
#[track_caller]
fn refuses(validator: &Validator, value: &Value, change: impl FnOnce(&mut Value)) {
    let mut changed = value.clone();
    change(&mut changed);
    assert_ne!(changed, *value, "the change changed nothing");
    assert!(!validator.is_valid(&changed), "it still fits");
}

/// The suite of the tests, and two more kinds of load, so that most of a schema is met.
fn wide_suite() -> String {
    TINY.replace(
        "threads = 2\nhold_ns = 500",
        "threads = 2\nhold = { kind = \"exponential\", mean_ns = 500 }",
    ) + "[[cells]]\nworkload = [\"ramp\", \"stall\", \"zipf-locks\", \"open-poisson\", \"starved-victim\", \"transfers\"]\n\
           implementations = \"mutex/go-2019-fastpath\"\nlaunches = 1\n"
}

#[test]
fn a_real_run_fits_its_schemas() {
    let place = Place::new();
    place.write("wide.toml", &wide_suite());
    place.run(&["run", "wide.toml", "--filter", "*go-2019*", "--out", "run", "--quiet"]).code(0);
    let run_json = read_json(&place.path("run/run.json"));
    fits(&validator("run"), "run.json", &run_json);
    let record_validator = validator("record");
    let loaded = place.load("run");
    assert!(loaded.records.len() >= 8);
    for record in &loaded.records {
        let file = place.path("run/cells").join(format!("{}.json", record.cell));
        fits(&record_validator, &record.cell, &read_json(&file));
    }
    let record = read_json(&place.path("run/cells").join(format!("{}.json", loaded.records[0].cell)));
    refuses(&record_validator, &record, |value| value["schema"] = json!(2));
    refuses(&record_validator, &record, |value| value["status"] = json!("fine"));
    refuses(&record_validator, &record, |value| value["note"] = json!("mine"));
    refuses(&record_validator, &record, |value| {
        value["launches"][0]["result"]["slices"][0]["observed"] = json!(-1)
    });
    refuses(&record_validator, &record, |value| {
        value["point"]["roles"][0]["hold"] = json!({ "kind": "long", "ns": 1 })
    });
    refuses(&validator("run"), &run_json, |value| value["kind"] = json!("another"));
}

#[test]
fn the_launch_protocol_fits_its_schemas() {
    let place = Place::new();
    place.write("wide.toml", &wide_suite());
    place.run(&["run", "wide.toml", "--filter", "*contended*spin-yield*", "--out", "none", "--dry-run"]);
    for (probe, workload) in [("off", "contended"), ("full", "stall"), ("full", "transfers")] {
        let spec = spec(workload, probe);
        let spec_validator = validator("launch-spec");
        fits(&spec_validator, workload, &spec);
        refuses(&spec_validator, &spec, |value| value["slice_ns"] = json!("long"));
        refuses(&spec_validator, &spec, |value| value["probe"] = json!("all"));
        let mut child = place
            .command(&["launch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(spec.to_string().as_bytes())
            .expect("it reads its spec");
        let output = child.wait_with_output().expect("an end");
        assert!(output.status.success());
        let mut result: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        let result_validator = validator("launch-result");
        fits(&result_validator, workload, &result);
        refuses(&result_validator, &result, |value| value["slices"][0]["workers"] = json!(2));
        refuses(&result_validator, &result, |value| value["protocol"] = json!(2));
        assert_eq!(result["profile"].is_null(), probe == "off");
        // Of the order in which it takes two locks nothing is wrong; what would be told otherwise fits, too.
        let holds_two = workload == "transfers";
        assert_eq!(result["slices"][0]["sum"].is_object(), holds_two);
        assert_eq!(result["profile"]["lock_order"].is_object(), holds_two);
        if holds_two {
            let step = |worker, holds, asks| json!({ "worker": worker, "holds": holds, "asks": asks, "operation": 1, "times": 2 });
            let circle = [step(0, 3, 2), step(1, 2, 3)];
            result["profile"]["lock_order"]["inversions"] = json!([{ "slice": 0, "circle": circle }]);
            fits(&result_validator, workload, &result);
            let read: record::LaunchResult = serde_json::from_value(result.clone()).expect("a result");
            assert_eq!(
                read.profile.and_then(|profile| profile.lock_order).map(|order| order.inversions.len()),
                Some(1)
            );
            let first = "/profile/lock_order/inversions/0/circle/0";
            refuses(&result_validator, &result, |value| {
                value.pointer_mut(first).expect("a step")["asks"] = json!(0)
            });
            refuses(&result_validator, &result, |value| value["slices"][0]["sum"]["after"] = json!(-1));
        }
    }
}

/// A spec as the runner sends it, from the plan of a shipped workload.
fn spec(workload: &str, probe: &str) -> Value {
    let workload = workloads::Workload::embedded(workload).expect("a shipped workload");
    let point = workload
        .points(2)
        .expect("its points")
        .into_iter()
        .find(|point| point.threads() <= 4)
        .expect("a small one");
    json!({
        "protocol": record::PROTOCOL, "implementation": "mutex/go-2019-fastpath", "params": { "spin_rounds": 2 },
        "machine": "os", "probe": probe, "seed": 1, "slices": 1, "slice_ns": 3_000_000, "warmup_ns": 0, "point": point,
    })
}

fn golden() -> PathBuf {
    root().join("tests").join("golden").join("v1")
}

/// Files of version 1 as its first release wrote them. They do not change; what changes is the reader, and it must keep
/// reading them.
#[test]
fn version_1_is_read_for_ever() {
    let run = RunDir::load(&golden()).expect("the golden run");
    assert!(run.damaged.is_empty(), "{:?}", run.damaged);
    assert_eq!((run.manifest.suite.as_str(), run.manifest.cells.len(), run.records.len()), ("golden", 4, 4));
    assert_eq!(run.manifest.host.fingerprint.cpu_model, "A Processor");
    let find = |id: &str| run.records.iter().find(|record| record.implementation == id).expect("a record");
    let probed = find("mutex/go-2019-fastpath").probed().next().expect("a probed launch");
    assert_eq!(probed.slices.len(), 2);
    let profile = probed.profile.as_ref().expect("a profile");
    assert_eq!(profile.probe, ProbeMode::Full);
    for distribution in probed.distributions.iter().filter(|distribution| distribution.metric != Metric::Wake)
    {
        let histogram = distribution.values.decode().expect("a histogram");
        assert_eq!(histogram.len(), profile.counts.acquires, "{:?}", distribution.metric);
    }
    let failed = find("mutex/golden-fault");
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(
        failed.launches[0].failure.as_ref().map(|failure| failure.detail.as_str()),
        Some("exit code 7: no such lock")
    );
    // What was read is what would be written.
    let place = Place::new();
    fits(&validator("run"), "run.json", &read_json(&golden().join("run.json")));
    for record in &run.records {
        fits(
            &validator("record"),
            &record.cell,
            &read_json(&golden().join("cells").join(format!("{}.json", record.cell))),
        );
    }
    let page = place.run(&["report", &golden().to_string_lossy(), "--out", "pages"]).code(0);
    assert!(place.path(page.stdout.trim()).is_file());
}

/// Copies the golden run, damages one file, and returns what `report` says of it.
fn damaged(file: &str, content: Option<&[u8]>) -> (Place, support::Ran) {
    let place = Place::new();
    for (path, bytes) in contents(&golden()) {
        let name = path.strip_prefix(golden()).expect("below it");
        let copy = place.path("run").join(name);
        if path.is_file() {
            fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
            fs::write(copy, bytes).expect("a file");
        }
    }
    let victim = place.path("run").join(file);
    assert!(victim.is_file(), "{file} is not in the golden run");
    match content {
        Some(content) => fs::write(victim, content).expect("a file"),
        None => fs::remove_file(victim).expect("it was there"),
    }
    let ran = place.run(&["report", "run", "--out", "pages"]);
    (place, ran)
}

#[test]
fn a_damaged_record_is_named_and_the_rest_is_shown() {
    const CELL: &str = "cells/mutex.go-2019-fastpath@contended-t2-h500.json";
    const LOG: &str = "cells/mutex.go-2019-fastpath@contended-t2-h500.hlog";
    let whole = fs::read_to_string(golden().join(CELL)).expect("the golden record");
    let log = fs::read(golden().join(LOG)).expect("the golden log");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&whole).expect("JSON");
        change(&mut value);
        Some(value.to_string().into_bytes())
    };
    let lines = String::from_utf8_lossy(&log).lines().map(str::to_owned).collect::<Vec<_>>();
    let without_last = lines[..lines.len() - 1].join("\n") + "\n";
    let cases: [(&str, Option<Vec<u8>>, &str); 11] = [
        (CELL, Some(whole.as_bytes()[..whole.len() / 2].to_vec()), "is not JSON"),
        (CELL, Some(Vec::new()), "is not JSON"),
        (CELL, Some(vec![0xFF, 0x00, 0x80]), CELL),
        (CELL, with(&|value| value["seed"] = json!("one")), "is damaged"),
        (CELL, with(&|value| value["schema"] = json!(2)), "schema 2 is not known; this version reads 1 to 1"),
        (CELL, Some(b"{\"benchmarks\": []}".to_vec()), "is not a file of synchroscope"),
        (CELL, with(&|value| value["cell"] = json!("another")), "holds cell `another`"),
        (LOG, Some(log[..log.len() * 2 / 3].to_vec()), "damaged"),
        (LOG, Some(without_last.into_bytes()), "is damaged: it has no `launch1."),
        (
            LOG,
            Some(String::from_utf8_lossy(&log).replace("HISTF", "JISTF").into_bytes()),
            "is damaged at `launch1.",
        ),
        (LOG, None, "cannot read"),
    ];
    for (file, content, text) in cases {
        let (place, ran) = damaged(file, content.as_deref());
        let ran = ran.code(0);
        assert!(ran.stderr.starts_with("warning: left out") && ran.stderr.contains(text), "{text}: {ran:#?}");
        assert!(ran.stderr.contains("mutex.go-2019-fastpath@contended-t2-h500"), "{ran:#?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:#?}");
        let page = fs::read_to_string(place.path(ran.stdout.trim())).expect("a page");
        assert!(page.contains("mutex/spin-tas"), "{text}: the rest is not shown");
    }
}

#[test]
fn a_damaged_plan_is_refused() {
    let plan = fs::read_to_string(golden().join("run.json")).expect("the golden plan");
    let cases: [(Option<Vec<u8>>, &str); 5] = [
        (None, "is not a run"),
        (Some(plan.as_bytes()[..plan.len() / 2].to_vec()), "run.json is not JSON"),
        (Some(plan.replace("\"synchroscope-run\"", "\"another\"").into_bytes()), "kind is `another`"),
        (Some(plan.replacen("\"schema\": 1", "\"schema\": 99", 1).into_bytes()), "schema 99 is not known"),
        (Some(b"[]".to_vec()), "is not a file of synchroscope"),
    ];
    for (content, text) in cases {
        let (place, ran) = damaged("run.json", content.as_deref());
        ran.refused(&[text]);
        assert!(!place.path("pages").exists());
    }
}
