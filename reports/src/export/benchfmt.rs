//! Go's benchmark format: a line for each launch, so that benchstat has its samples.

use record::store::Loaded;
use record::{Record, Status};

use super::{Metric, Series, bench_name};
use crate::summary::Source;

/// The text: configuration, units, then cell by cell.
pub(super) fn text(run: &Loaded, series: &[Series<'_>]) -> String {
    let (manifest, host) = (&run.manifest, &run.manifest.host.fingerprint);
    let mut out = String::new();
    for (key, value) in [
        ("goos", std_name(&host.os)),
        ("goarch", goarch(&host.arch)),
        ("pkg", "synchroscope".to_owned()),
        ("cpu", host.cpu_model.clone()),
        ("suite", manifest.suite.clone()),
    ] {
        out.push_str(&format!("{key}: {}\n", one_line(&value)));
    }
    // No configuration: benchstat holds only against each other what was configured alike, and revisions are what one
    // compares. A line of no known form is one that readers pass over.
    let revision = manifest.tool.revision.as_deref().unwrap_or("unknown");
    out.push_str(&format!("# revision {}\n", one_line(revision)));
    for metric in Metric::ALL {
        let better = if metric.bigger_is_better() { "higher" } else { "lower" };
        out.push_str(&format!("Unit {} better={better}\n", unit(metric)));
    }
    let mut tier = String::new();
    for record in run.records.iter().filter(|record| record.status == Status::Ok) {
        let of: Vec<&Series<'_>> =
            series.iter().filter(|one| std::ptr::eq(one.record, record) && one.ranked()).collect();
        let source = Source::of(&record.machine).name();
        if tier != source && !of.is_empty() {
            out.push_str(&format!("\ntier: {}\n", one_line(&source)));
            tier = source;
        }
        for launch in &record.launches {
            let values: Vec<String> = of
                .iter()
                .flat_map(|one| one.numbers.iter().map(move |number| (one.metric, number)))
                .filter(|(_, number)| number.launch == launch.index)
                .map(|(metric, number)| format!("{} {}", number.value, unit(metric)))
                .collect();
            let ops = launch.result.as_ref().map_or(0, record::LaunchResult::ops);
            if !values.is_empty() {
                out.push_str(&format!("{} {ops} {}\n", name(record), values.join(" ")));
            }
        }
    }
    out
}

/// A unit, which holds no space; waits of different ranks are units of their own.
fn unit(metric: Metric) -> String {
    match metric {
        Metric::Throughput | Metric::TimePerOperation => metric.unit().to_owned(),
        Metric::CpuPerOperation => "cpu-ns/op".to_owned(),
        Metric::Jain => "jain".to_owned(),
        wait => format!("{}-ns", wait.name()),
    }
}

/// `BenchmarkContended/t2/h0/mutex/mcs-2`: a capital after the prefix, no spaces, and the number of workers as Go appends
/// that of its processors.
fn name(record: &Record) -> String {
    let full: String = bench_name(record).chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    let mut letters = full.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("Benchmark{first}{}-{}", letters.as_str(), record.point.threads())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The system as Go calls it, where it is one of Go's.
fn std_name(os: &str) -> String {
    let known = [("windows", "windows"), ("mac", "darwin"), ("darwin", "darwin")];
    let small = os.to_lowercase();
    let found = known.iter().find(|(part, _)| small.contains(part));
    found.map_or("linux", |(_, name)| name).to_owned()
}

fn goarch(arch: &str) -> String {
    match arch {
        "x86_64" => "amd64".into(),
        "aarch64" => "arm64".into(),
        other => other.to_owned(),
    }
}
