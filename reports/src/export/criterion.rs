//! Criterion's directory tree: a sample for each plain launch, so that critcmp, and criterion itself, can hold runs
//! against each other.
//!
//! A launch is one sample: its operations are the iterations, its measured span the time. Intervals are over launches. That
//! of the median is exact; those of the mean and of the standard deviation suppose a normal distribution, where criterion
//! would resample.

use anyhow::Result;
use record::store::Loaded;
use record::{Record, Status};
use serde_json::{Value, json};
use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

use super::{File, bench_name, series};
use crate::stats;
use crate::summary::{CONFIDENCE, Source};

/// Tukey's fences: mild and severe outliers lie beyond so many interquartile ranges.
const FENCES: [f64; 2] = [1.5, 3.0];
/// From the median absolute deviation to the standard deviation of a normal distribution.
const MAD_TO_SD: f64 = 1.4826;

/// The files of one baseline.
pub(super) fn files(run: &Loaded, baseline: &str) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for record in run.records.iter().filter(|record| record.status == Status::Ok) {
        let samples: Vec<(f64, f64)> = series::plain(record)
            .map(|(_, result)| (result.ops() as f64, result.span_ns() as f64))
            .filter(|(ops, span_ns)| *ops > 0.0 && *span_ns > 0.0)
            .collect();
        let per_op_ns: Vec<f64> = samples.iter().map(|(ops, span_ns)| span_ns / ops).collect();
        let Some(estimates) = estimates(&per_op_ns) else { continue };
        let mut add = |name: &str, content: &Value| -> Result<()> {
            // The id of a cell is unique and a safe name already.
            let path = format!("{}/{baseline}/{name}.json", record.cell);
            files.push(File { path, content: super::json(content)? });
            Ok(())
        };
        add("benchmark", &benchmark(record))?;
        add("estimates", &estimates)?;
        let (iters, times): (Vec<f64>, Vec<f64>) = samples.into_iter().unzip();
        add("sample", &json!({ "sampling_mode": "Flat", "iters": iters, "times": times }))?;
        add("tukey", &json!(fences(&per_op_ns)))?;
    }
    Ok(files)
}

fn benchmark(record: &Record) -> Value {
    let full = bench_name(record);
    let group = match Source::of(&record.machine) {
        Source::Measured => record.point.label.clone(),
        Source::Simulated(preset) => format!("simulated:{preset}/{}", record.point.label),
    };
    json!({
        "group_id": group,
        "function_id": record.display_name(),
        "value_str": null,
        "throughput": { "Elements": 1 },
        "full_id": full,
        "directory_name": record.cell,
        "title": full,
    })
}

fn estimates(values: &[f64]) -> Option<Value> {
    let median = stats::median(values)?;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let sd = variance.sqrt();
    let deviations: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    let mad = MAD_TO_SD * stats::median(&deviations)?;
    let interval = stats::median_interval(values, CONFIDENCE)?;
    // One launch has no spread: its interval is itself.
    let (half_width, sd_low, sd_high) = match values.len() {
        1 => (0.0, 0.0, 0.0),
        _ => {
            let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
            let chi = ChiSquared::new(n - 1.0).ok()?;
            let tail = (1.0 - CONFIDENCE) / 2.0;
            let bound = |share: f64| (variance * (n - 1.0) / chi.inverse_cdf(share)).sqrt();
            (t.inverse_cdf(1.0 - tail) * sd / n.sqrt(), bound(1.0 - tail), bound(tail))
        }
    };
    let mean_error = sd / n.sqrt();
    Some(json!({
        "mean": estimate(mean, (mean - half_width, mean + half_width), CONFIDENCE, mean_error),
        // The error of the median of a normal sample is that of the mean by the root of pi / 2.
        "median": estimate(
            median,
            (interval.low, interval.high),
            interval.confidence,
            mean_error * std::f64::consts::FRAC_PI_2.sqrt(),
        ),
        "median_abs_dev": estimate(mad, (0.0, 2.0 * mad), CONFIDENCE, mad / (2.0 * n).sqrt()),
        "slope": null,
        "std_dev": estimate(sd, (sd_low, sd_high), CONFIDENCE, sd / (2.0 * n).sqrt()),
    }))
}

fn estimate(value: f64, (low, high): (f64, f64), confidence: f64, error: f64) -> Value {
    json!({
        "confidence_interval": { "confidence_level": confidence, "lower_bound": low, "upper_bound": high },
        "point_estimate": value,
        "standard_error": error,
    })
}

/// Severe below, mild below, mild above, severe above, as criterion orders them.
fn fences(values: &[f64]) -> [f64; 4] {
    let quartile = |q| stats::quantile(values, q).unwrap_or(0.0);
    let (first, third) = (quartile(0.25), quartile(0.75));
    let [mild, severe] = FENCES.map(|fence| fence * (third - first));
    [first - severe, first - mild, third + mild, third + severe]
}
