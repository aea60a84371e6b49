//! Exports, each read as its consumer reads it: by the consumer's own crate or program where there is one, else by its
//! published grammar.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use common::{NATURES, point, record, run};
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use record::store::Loaded;
use record::{Record, Status};
use reports::export::{Export, File, Format, Metric, bench_name, export, series};
use serde::Deserialize;

/// Two measured cells, a simulated one, one that is suspect, and goroutines, whose waits stand alone.
fn mixed() -> Loaded {
    let simulated = Record {
        machine: "sim:opteron-48".into(),
        cell: "mutex.file@contended-t2+sim".into(),
        ..record(&NATURES[5], &point("contended", 2), 3, 1, 1)
    };
    let suspect = Record {
        status: Status::Suspect,
        cell: "mutex.suspect@contended-t2".into(),
        implementation: "mutex/suspect".into(),
        ..record(&NATURES[6], &point("contended", 2), 3, 1, 1)
    };
    let goroutines = Record {
        compare_waits: false,
        cell: "mutex.goroutines@contended-t2".into(),
        implementation: "mutex/goroutines".into(),
        ..record(&NATURES[7], &point("contended", 2), 3, 1, 1)
    };
    let mut records = vec![
        record(&NATURES[3], &point("contended", 2), 5, 1, 1),
        record(&NATURES[4], &point("contended", 4), 5, 1, 1),
    ];
    records.extend([simulated, suspect, goroutines]);
    run(records)
}

fn text(run: &Loaded, format: Format) -> String {
    match export(run, format, "").unwrap() {
        Export::Text(text) => text,
        _ => panic!("{} makes no text", format.name()),
    }
}

fn files(run: &Loaded, format: Format, baseline: &str) -> Vec<File> {
    match export(run, format, baseline).unwrap() {
        Export::Folder(files) => files,
        _ => panic!("{} makes no folder", format.name()),
    }
}

/// The median of a metric of a cell, as `series` has it.
fn median(run: &Loaded, cell: &str, metric: Metric) -> f64 {
    series(run).unwrap().iter().find(|s| s.record.cell == cell && s.metric == metric).unwrap().median()
}

fn names(run: &Loaded, ok: bool) -> BTreeSet<String> {
    run.records.iter().filter(|r| (r.status == Status::Ok) == ok).map(bench_name).collect()
}

/// What critcmp reads of `benchmark.json`.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    #[serde(default)]
    value_str: Option<String>,
    throughput: Option<BTreeMap<String, u64>>,
    full_id: String,
    directory_name: String,
}

#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
    median: Estimate,
    median_abs_dev: Estimate,
    slope: Option<Estimate>,
    std_dev: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    confidence_interval: Interval,
    point_estimate: f64,
    standard_error: f64,
}

#[derive(Deserialize)]
struct Interval {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

#[derive(Deserialize)]
struct Sample {
    sampling_mode: String,
    iters: Vec<f64>,
    times: Vec<f64>,
}

fn read<T: for<'d> Deserialize<'d>>(files: &[File], path: &str) -> T {
    let file = files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"));
    serde_json::from_str(&file.content).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_criterion_tree_holds_what_criterion_writes() {
    let run = mixed();
    let files = files(&run, Format::Criterion, "monday");
    let ok: Vec<&Record> = run.records.iter().filter(|r| r.status == Status::Ok).collect();
    assert_eq!(files.len(), 4 * ok.len());
    for record in ok {
        let of = |name: &str| format!("{}/monday/{name}.json", record.cell);
        let benchmark: Benchmark = read(&files, &of("benchmark"));
        assert_eq!(benchmark.full_id, format!("{}/{}", benchmark.group_id, benchmark.function_id.unwrap()));
        assert_eq!((benchmark.value_str, benchmark.directory_name), (None, record.cell.clone()));
        assert_eq!(benchmark.throughput.unwrap(), BTreeMap::from([("Elements".to_owned(), 1)]));
        let estimates: Estimates = read(&files, &of("estimates"));
        assert_eq!(estimates.median.point_estimate, median(&run, &record.cell, Metric::TimePerOperation));
        assert!(estimates.slope.is_none(), "samples of unlike length have no slope");
        for one in [&estimates.mean, &estimates.median, &estimates.median_abs_dev, &estimates.std_dev] {
            let Interval { confidence_level, lower_bound, upper_bound } = one.confidence_interval;
            assert!(lower_bound <= one.point_estimate && one.point_estimate <= upper_bound);
            assert!((0.5..1.0).contains(&confidence_level) && one.standard_error >= 0.0);
        }
        let sample: Sample = read(&files, &of("sample"));
        let plain: Vec<_> = record.plain().collect();
        assert_eq!((sample.sampling_mode.as_str(), sample.iters.len()), ("Flat", plain.len()));
        assert_eq!((sample.iters[0], sample.times[0]), (plain[0].ops() as f64, plain[0].span_ns() as f64));
        let fences: [f64; 4] = read(&files, &of("tukey"));
        assert!(fences.is_sorted());
    }
}

/// critcmp as scripts/test installs it.
#[test]
fn critcmp_compares_two_baselines() {
    let critcmp = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/bin/critcmp");
    if !critcmp.is_file() {
        eprintln!(
            "SKIPPED, nothing was checked: critcmp is not in the folder tools of the target folder; scripts/install puts it there"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let monday = mixed();
    let tuesday = run(monday.records.iter().cloned().map(slower).collect());
    for (name, run) in [("monday", &monday), ("tuesday", &tuesday)] {
        for file in files(run, Format::Criterion, name) {
            let path = folder.path().join("criterion").join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file.content).unwrap();
        }
    }
    let output = Command::new(critcmp)
        .args(["--target-dir", folder.path().to_str().unwrap(), "monday", "tuesday"])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    let lines: Vec<&str> = out.lines().skip(2).collect();
    let found: BTreeSet<String> =
        lines.iter().map(|l| l.split("  ").next().unwrap().trim().to_owned()).collect();
    assert_eq!(found, names(&monday, true), "{out}");
    // Twice the time: critcmp's ratios are 1.00 for the first run and 2.00 for the second.
    assert!(lines.iter().all(|line| line.contains("1.00 ") && line.contains("2.00 ")), "{out}");
}

/// The same cell, with every span twice as long.
fn slower(mut record: Record) -> Record {
    let results = record.launches.iter_mut().filter_map(|launch| launch.result.as_mut());
    for worker in results.flat_map(|result| &mut result.slices).flat_map(|slice| &mut slice.workers) {
        (worker.start_ns, worker.end_ns) = (worker.start_ns * 2, worker.end_ns * 2);
    }
    record
}

/// Bencher's schema: benchmark, measure, value with optional bounds; nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bmf {
    value: f64,
    lower_value: f64,
    upper_value: f64,
}

#[test]
fn bencher_gets_slugs_and_bounds() {
    let run = mixed();
    let json = text(&run, Format::Bmf);
    let bmf: BTreeMap<String, BTreeMap<String, Bmf>> = serde_json::from_str(&json).unwrap();
    assert_eq!(bmf.keys().cloned().collect::<BTreeSet<_>>(), names(&run, true));
    // A name has at most 1024 letters, the slug of a measure 64.
    assert!(bmf.keys().all(|name| !name.is_empty() && name.chars().count() <= 1024));
    for (measure, value) in bmf.values().flatten() {
        assert!((1..=64).contains(&measure.len()) && !measure.starts_with('-') && !measure.ends_with('-'));
        assert!(
            measure.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{measure}"
        );
        assert!(value.lower_value <= value.value && value.value <= value.upper_value, "{measure}");
    }
    let first = &run.records[0];
    let measures = &bmf[&bench_name(first)];
    assert_eq!(measures["latency"].value, median(&run, &first.cell, Metric::TimePerOperation));
    assert_eq!(measures["wait-p99-9-ns"].value, median(&run, &first.cell, Metric::WaitP999));
    // Goroutines wait without their threads: their waits stand beside no others.
    let goroutines = &bmf[&bench_name(&run.records[4])];
    assert!(goroutines.contains_key("throughput") && !goroutines.keys().any(|m| m.starts_with("wait")));
}

/// What github-action-benchmark's `custom` tools take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    unit: String,
    value: f64,
    range: String,
    extra: String,
}

#[test]
fn the_action_gets_one_file_a_direction() {
    let run = mixed();
    let files = files(&run, Format::Github, "");
    for (path, units) in [
        ("customBiggerIsBetter.json", vec!["op/s", "ratio"]),
        ("customSmallerIsBetter.json", vec!["ns", "ns/op"]),
    ] {
        let entries: Vec<Entry> = read(&files, path);
        // The action fails on an empty list.
        assert!(!entries.is_empty(), "{path}");
        let found: BTreeSet<&str> = entries.iter().map(|e| e.unit.as_str()).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), units);
        // The action draws a chart for each name.
        let names: BTreeSet<&String> = entries.iter().map(|e| &e.name).collect();
        assert_eq!(names.len(), entries.len());
        for entry in &entries {
            assert!(entry.value.is_finite() && entry.range.contains(" to "), "{}", entry.name);
            let simulated = entry.name.starts_with("simulated:");
            assert_eq!(entry.extra.starts_with("simulated;"), simulated, "{}: {}", entry.name, entry.extra);
        }
    }
}

/// Go's proposal 14313: configuration lines, unit lines, result lines.
#[test]
fn benchfmt_follows_its_grammar() {
    let run = mixed();
    let text = text(&run, Format::Benchfmt);
    let mut tier = String::new();
    let mut throughput: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(result) = line.strip_prefix("Benchmark") {
            let fields: Vec<&str> = result.split_whitespace().collect();
            let (name, rest) = fields.split_first().unwrap();
            assert!(name.starts_with(|c: char| !c.is_lowercase()), "{line}");
            assert!(name.rsplit_once('-').unwrap().1.parse::<u32>().is_ok(), "{line}");
            let (iterations, pairs) = rest.split_first().unwrap();
            iterations.parse::<u64>().unwrap();
            assert!(!pairs.is_empty() && pairs.len() % 2 == 0, "{line}");
            for pair in pairs.chunks(2) {
                let value: f64 = pair[0].parse().unwrap();
                assert!(pair[1].parse::<f64>().is_err(), "{line}");
                if pair[1] == "op/s" {
                    throughput.entry((*name).to_owned()).or_default().push(value);
                }
            }
            assert_eq!(name.starts_with("Simulated:"), tier.starts_with("simulated"), "{tier}: {line}");
        } else if let Some(unit) = line.strip_prefix("Unit ") {
            let (unit, better) = unit.split_once(' ').unwrap();
            assert!(!unit.is_empty() && ["better=higher", "better=lower"].contains(&better), "{line}");
        } else {
            let (key, value) = line.split_once(": ").unwrap();
            assert!(key.starts_with(char::is_lowercase) && !key.contains(char::is_whitespace), "{line}");
            assert!(!key.contains(char::is_uppercase) && value == value.trim(), "{line}");
            if key == "tier" {
                tier = value.to_owned();
            }
        }
    }
    assert_eq!(throughput.len(), names(&run, true).len());
    // A line a launch: benchstat wants samples, not medians.
    let launches: Vec<f64> = run.records[0].plain().filter_map(|r| r.throughput_per_s()).collect();
    assert!(throughput.values().any(|values| *values == launches), "{throughput:?}");
}

#[test]
fn the_hdr_log_reads_back() {
    let run = mixed();
    let log = text(&run, Format::Hdr);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut last_start = 0.0;
    for entry in IntervalLogIterator::new(log.as_bytes()) {
        let LogEntry::Interval(interval) = entry.unwrap() else { continue };
        let bytes = base64(interval.encoded_histogram());
        let histogram: hdrhistogram::Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
        assert!(interval.start_timestamp().as_secs_f64() >= last_start, "intervals are in order");
        last_start = interval.start_timestamp().as_secs_f64();
        *counts.entry(interval.tag().unwrap().as_str().to_owned()).or_default() += histogram.len();
    }
    let told = |record: &Record| -> u64 {
        let results = record.launches.iter().filter_map(|launch| launch.result.as_ref());
        results.flat_map(|r| &r.distributions).map(|d| d.values.decode().unwrap().len()).sum()
    };
    assert_eq!(counts.values().sum::<u64>(), run.records.iter().map(told).sum::<u64>());
    let tags: Vec<&str> = counts.keys().map(String::as_str).collect();
    assert!(tags.iter().any(|tag| tag.starts_with("simulated:opteron-48/contended")), "{tags:?}");
    assert!(tags.iter().any(|tag| tag.ends_with("/wait/worker")), "{tags:?}");
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text.trim()).unwrap()
}

/// OpenMetrics 1.0: families in one piece, names with their units, labels in quotes, an end.
#[test]
fn openmetrics_follows_its_grammar() {
    let run = mixed();
    let text = text(&run, Format::OpenMetrics);
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
    let (mut family, mut kind) = (String::new(), String::new());
    let mut families = BTreeSet::new();
    let mut samples = BTreeSet::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(comment) = line.strip_prefix("# ") {
            let (what, rest) = comment.split_once(' ').unwrap();
            let (name, value) = rest.split_once(' ').unwrap();
            match what {
                "TYPE" => {
                    assert!(families.insert(name.to_owned()), "{name} comes twice");
                    (family, kind) = (name.to_owned(), value.to_owned());
                }
                "UNIT" => assert!(name == family && name.ends_with(&format!("_{value}")), "{line}"),
                "HELP" => assert_eq!(name, family),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (name, rest) = line.split_once('{').unwrap();
        let endings: &[&str] = match kind.as_str() {
            "gauge" => &[""],
            "info" => &["_info"],
            "summary" => &["", "_count", "_sum"],
            other => panic!("type {other}"),
        };
        assert!(endings.iter().any(|end| name == format!("{family}{end}")), "{line}");
        let (labels, value) = rest.rsplit_once("} ").unwrap();
        let value: f64 = value.parse().unwrap();
        assert!(value.is_finite() && samples.insert((name.to_owned(), labels.to_owned())), "{line}");
        if family != "synchroscope_run" {
            let simulated = labels.contains("machine=\"sim:");
            assert_eq!(labels.contains("tier=\"simulated\""), simulated, "{line}");
        }
    }
    // A cell that is not ok is there, and says so.
    assert!(text.contains("synchroscope_cell_ok{cell=\"mutex.suspect@contended-t2\""), "{text}");
    assert!(text.contains("status=\"suspect\"} 0\n"), "{text}");
}

#[test]
fn csv_has_a_row_a_number() {
    let run = mixed();
    let text = text(&run, Format::Csv);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<BTreeMap<String, String>> = reader
        .records()
        .map(|row| columns.iter().cloned().zip(row.unwrap().iter().map(str::to_owned)).collect())
        .collect();
    let all = series(&run).unwrap();
    assert_eq!(rows.len(), all.iter().map(|s| s.numbers.len()).sum::<usize>());
    for row in &rows {
        assert_eq!(row["tier"] == "simulated", row["machine"].starts_with("sim:"), "{row:?}");
        assert!(row["value"].parse::<f64>().unwrap().is_finite() && row["launch"].parse::<u32>().is_ok());
    }
    assert!(rows.iter().any(|row| row["status"] == "suspect"));
}

#[test]
fn odd_names_stay_one_field() {
    let mut odd = record(&NATURES[3], &point("contended", 2), 2, 1, 1);
    odd.implementation = "mutex/a \"b\", c\\\nd".into();
    let run = run(vec![odd.clone()]);
    let table = text(&run, Format::Csv);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert!(reader.records().all(|row| row.unwrap()[1] == *odd.implementation));
    let metrics = text(&run, Format::OpenMetrics);
    assert!(metrics.contains(r#"implementation="mutex/a \"b\", c\\\nd""#), "{metrics}");
    let lines = text(&run, Format::Benchfmt);
    let named = lines.lines().filter(|line| line.starts_with("Benchmark")).count();
    assert_eq!(named, odd.launches.len());
    assert!(IntervalLogIterator::new(text(&run, Format::Hdr).as_bytes()).all(|entry| entry.is_ok()));
}

#[test]
fn nothing_to_export_is_said() {
    let failed = Record { status: Status::Failed, ..record(&NATURES[3], &point("contended", 2), 2, 1, 1) };
    let run = run(vec![failed]);
    for format in Format::ALL.into_iter().filter(|format| !format.carries_status()) {
        let error = export(&run, format, "x").unwrap_err().to_string();
        assert!(error.contains("no cell of the run is ok") && !error.contains('\n'), "{error}");
    }
    assert!(text(&run, Format::Csv).contains(",failed,"));
}
