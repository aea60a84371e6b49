//! Exports, read by the programs that are to read them: pandas, pyarrow, the parser of Prometheus' client, HdrHistogram's
//! reader, benchstat. scripts/install puts them into the target folder; without them these tests say on stderr that they
//! checked nothing.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{NATURES, point, record, run};
use record::store::Loaded;
use record::{Record, Status};
use reports::export::{Export, Format, Metric, export, series};
use serde_json::Value;

fn mixed() -> Loaded {
    let simulated = Record {
        machine: "sim:opteron-48".into(),
        cell: "simulated".into(),
        ..record(&NATURES[5], &point("contended", 2), 3, 1, 1)
    };
    let suspect = Record {
        status: Status::Suspect,
        cell: "suspect".into(),
        implementation: "mutex/\"odd\", a".into(),
        ..record(&NATURES[6], &point("contended", 2), 3, 1, 1)
    };
    run(vec![record(&NATURES[3], &point("contended", 2), 5, 2, 1), simulated, suspect])
}

/// The interpreter that scripts/install made; `None`, loudly, if it is not there.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/venv/bin/python");
    if python.is_file() {
        return Some(python);
    }
    eprintln!(
        "SKIPPED, nothing was checked: no {}; scripts/install makes it (pandas, pyarrow, prometheus-client, hdrhistogram)",
        python.display()
    );
    None
}

/// What a consumer sees of an export.
fn seen(python: &Path, run: &Loaded, format: Format) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("export.{}", format.name()));
    match export(run, format, "").unwrap() {
        Export::Text(text) => std::fs::write(&file, text).unwrap(),
        Export::Bytes(bytes) => std::fs::write(&file, bytes).unwrap(),
        Export::Folder(_) => panic!("{} makes a folder", format.name()),
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumers/read.py");
    let output = Command::new(python).arg(script).arg(format.name()).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Medians of the throughput of cells that are ok.
fn medians(run: &Loaded) -> BTreeMap<String, f64> {
    let all = series(run).unwrap();
    let own = all.iter().filter(|s| s.metric == Metric::Throughput && s.record.status == Status::Ok);
    own.map(|s| (s.record.cell.clone(), s.median())).collect()
}

fn check_frame(run: &Loaded, seen: &Value) {
    let rows: usize = series(run).unwrap().iter().map(|s| s.numbers.len()).sum();
    assert_eq!(seen["rows"], rows);
    assert_eq!(seen["columns"].as_array().unwrap().len(), 15);
    assert_eq!(seen["integers"], serde_json::json!(["threads", "launch"]));
    assert_eq!(seen["doubles"], serde_json::json!(["value"]));
    let found: BTreeMap<String, f64> = serde_json::from_value(seen["medians"].clone()).unwrap();
    let expected = medians(run);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (cell, value) in found {
        assert!((value / expected[&cell] - 1.0).abs() < 1e-12, "{cell}: {value}");
    }
    assert!(seen["tiers"].as_array().unwrap().contains(&"simulated".into()));
}

#[test]
fn pandas_reads_the_csv() {
    let (Some(python), run) = (python(), mixed()) else { return };
    check_frame(&run, &seen(&python, &run, Format::Csv));
}

#[cfg(feature = "parquet")]
#[test]
fn pandas_and_pyarrow_read_the_parquet() {
    let (Some(python), run) = (python(), mixed()) else { return };
    let seen = seen(&python, &run, Format::Parquet);
    check_frame(&run, &seen);
    assert_eq!((&seen["arrow"]["value"], &seen["arrow"]["launch"]), (&"double".into(), &"int64".into()));
    assert_eq!(seen["arrow"]["cell"], "string");
    let fingerprint = run.manifest.host.fingerprint.id();
    assert_eq!(seen["metadata"]["synchroscope.fingerprint"], fingerprint);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_so() {
    let error = export(&mixed(), Format::Parquet, "").unwrap_err().to_string();
    assert!(error.contains("--features parquet") && error.contains("--format csv"), "{error}");
}

#[test]
fn the_prometheus_client_parses_the_openmetrics() {
    let (Some(python), run) = (python(), mixed()) else { return };
    let seen = seen(&python, &run, Format::OpenMetrics);
    let families = seen["families"].as_object().unwrap();
    assert!(
        families.len() >= 5 && families.keys().all(|name| name.starts_with("synchroscope_")),
        "{families:?}"
    );
    assert!(families.values().all(|family| family[2].as_u64().unwrap() > 0), "{families:?}");
    let found: Vec<f64> = serde_json::from_value(seen["throughput"].clone()).unwrap();
    // Gauges hold every cell, with its status as a label.
    for value in medians(&run).values() {
        assert!(found.iter().any(|f| (f / value - 1.0).abs() < 1e-9), "{value} is not in {found:?}");
    }
}

#[test]
fn the_python_reader_reads_the_hdr_log() {
    let (Some(python), run) = (python(), mixed()) else { return };
    let seen = seen(&python, &run, Format::Hdr);
    let counts: BTreeMap<String, u64> = serde_json::from_value(seen["counts"].clone()).unwrap();
    let told = |record: &Record| -> u64 {
        let results = record.launches.iter().filter_map(|launch| launch.result.as_ref());
        results.flat_map(|r| &r.distributions).map(|d| d.values.decode().unwrap().len()).sum()
    };
    assert_eq!(counts.values().sum::<u64>(), run.records.iter().map(told).sum::<u64>());
    assert!(counts.keys().any(|tag| tag.starts_with("simulated:opteron-48/")), "{counts:?}");
}

/// benchstat holds a run of one revision against one of another, in which everything takes twice as long.
#[test]
fn benchstat_compares_two_revisions() {
    let benchstat = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/bin/benchstat");
    if !benchstat.is_file() {
        eprintln!(
            "SKIPPED, nothing was checked: no {}; scripts/install makes it (go install of benchstat)",
            benchstat.display()
        );
        return;
    }
    let (before, mut after) = (mixed(), mixed());
    after.manifest.tool.revision = Some("another".into());
    let results = after.records.iter_mut().flat_map(|record| &mut record.launches);
    let slices = results.filter_map(|launch| launch.result.as_mut()).flat_map(|result| &mut result.slices);
    for worker in slices.flat_map(|slice| &mut slice.workers) {
        (worker.start_ns, worker.end_ns) = (worker.start_ns * 2, worker.end_ns * 2);
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, run) in [("before", &before), ("after", &after)] {
        let Export::Text(text) = export(run, Format::Benchfmt, "").unwrap() else { panic!("a text") };
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output =
        Command::new(benchstat).args(["-format", "csv", "before", "after"]).current_dir(&folder).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("tier: measured") && text.contains("tier: simulated"), "{text}");
    // Tables of throughput: a row a cell, the median of both runs in it.
    let mut found = BTreeMap::new();
    let mut unit = "";
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        match fields[..] {
            ["", first, "CI", second, "CI", ..] if first == second => unit = first,
            [name, old, _, new, ..] if unit == "op/s" && name != "geomean" && !name.is_empty() => {
                let (old, new): (f64, f64) = (old.parse().unwrap(), new.parse().unwrap());
                assert!((old / new - 2.0).abs() < 1e-9, "{line}");
                found.insert(name.to_owned(), old);
            }
            _ => {}
        }
    }
    let expected = medians(&before);
    assert_eq!(found.len(), expected.len(), "{text}");
    for value in expected.values() {
        assert!(found.values().any(|f| (f / value - 1.0).abs() < 1e-9), "{value} is not in {text}");
    }
}
