//! Services that follow benchmarks over commits: Bencher, and the GitHub action that keeps charts on a page.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::{File, Metric, Series, bench_name, json};

/// A number with its bounds, as Bencher takes it.
#[derive(Serialize)]
struct Value {
    value: f64,
    lower_value: f64,
    upper_value: f64,
}

/// Bencher Metric Format: benchmark, measure, value. The median of the launches, with the smallest and the largest.
///
/// Bencher's own measures `throughput` (operations a second) and `latency` (ns) get the numbers that they name; others
/// carry their unit.
pub(super) fn bmf(series: &[Series<'_>]) -> Result<String> {
    let mut benchmarks: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for one in series.iter().filter(|one| one.ranked()) {
        let measure = match one.metric {
            Metric::Throughput => "throughput".to_owned(),
            Metric::TimePerOperation => "latency".to_owned(),
            Metric::Jain => one.metric.name().to_owned(),
            // A measure is a slug: no dots, no slashes.
            other => format!("{}-ns", other.name().replace('.', "-")),
        };
        let (lower_value, upper_value) = one.range();
        let value = Value { value: one.median(), lower_value, upper_value };
        benchmarks.entry(bench_name(one.record)).or_default().insert(measure, value);
    }
    json(&benchmarks)
}

/// An entry of github-action-benchmark.
#[derive(Serialize)]
struct Entry {
    name: String,
    unit: String,
    value: f64,
    range: String,
    extra: String,
}

/// One file for each of its two custom tools.
pub(super) fn github(series: &[Series<'_>]) -> Result<Vec<File>> {
    let file = |name: &str, bigger: bool| -> Result<File> {
        let of = series.iter().filter(|one| one.ranked() && one.metric.bigger_is_better() == bigger);
        let entries: Vec<Entry> = of.map(entry).collect();
        Ok(File { path: format!("{name}.json"), content: json(&entries)? })
    };
    Ok(vec![file("customBiggerIsBetter", true)?, file("customSmallerIsBetter", false)?])
}

fn entry(one: &Series<'_>) -> Entry {
    let (low, high) = one.range();
    Entry {
        name: format!("{} - {}", bench_name(one.record), one.metric.name()),
        unit: one.metric.unit().to_owned(),
        value: one.median(),
        range: format!("{low} to {high}"),
        extra: format!(
            "{}; median of {} launches; {}",
            one.tier.name(),
            one.numbers.len(),
            one.record.fingerprint.cpu_model
        ),
    }
}
