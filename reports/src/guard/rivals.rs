//! The rules of two other tools, on the same launches: what they would have said. They take the slices of one launch for
//! samples; a verdict of ours rests on launches.

use crate::stats;

/// What a rule says of B against A.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// B is slower.
    Slower,
    /// B is faster.
    Faster,
    /// Nothing.
    Nothing,
}

fn said(change_of_rate: f64, flagged: bool) -> Said {
    match flagged {
        false => Said::Nothing,
        true if change_of_rate < 0.0 => Said::Slower,
        true => Said::Faster,
    }
}

/// Mean, and variance of the mean.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
}

/// The rule of criterion 0.8: an unpaired Welch t test over samples, |t| > 1.98, and the 95 % interval of the change
/// wholly beyond 1 %. Rates of slices stand for samples.
pub fn criterion(a: &[f64], b: &[f64]) -> Said {
    const T: f64 = 1.98;
    const NOISE: f64 = 0.01;
    if a.len() < 2 || b.len() < 2 {
        return Said::Nothing;
    }
    let ((mean_a, error_a), (mean_b, error_b)) = (mean_and_error(a), mean_and_error(b));
    let error = (error_a + error_b).sqrt();
    let (change, half) = ((mean_b - mean_a) / mean_a, T * error / mean_a);
    let beyond = change - half > NOISE || change + half < -NOISE;
    said(change, ((mean_b - mean_a) / error).abs() > T && beyond)
}

/// The rule of tango 0.9: a z test of paired differences of time per operation, z >= 2.6, and a change of more than 1 %.
/// Slices with the same number stand for pairs of samples.
pub fn tango(a: &[f64], b: &[f64]) -> Said {
    const Z: f64 = 2.6;
    const NOISE: f64 = 0.01;
    let pairs = a.iter().zip(b).filter(|(a, b)| **a > 0.0 && **b > 0.0);
    let (times_a, differences): (Vec<f64>, Vec<f64>) =
        pairs.map(|(a, b)| (1.0 / a, 1.0 / b - 1.0 / a)).unzip();
    if differences.len() < 2 {
        return Said::Nothing;
    }
    let (mean, error) = mean_and_error(&differences);
    let base = times_a.iter().sum::<f64>() / times_a.len() as f64;
    said(-mean, (mean / error.sqrt()).abs() >= Z && (mean / base).abs() > NOISE)
}

/// How often a rule said something, of `n`, with the exact 95 % interval: `12 of 40 (30 %, 17 to 47 %)`.
pub fn count_in_words(hits: u64, n: u64) -> String {
    if n == 0 {
        return "-".into();
    }
    let (low, high) = stats::clopper_pearson(hits, n, 0.95);
    let percent = |share: f64| crate::text::three_digits(share * 100.0);
    format!("{hits} of {n} ({} %, {} to {})", percent(hits as f64 / n as f64), percent(low), percent(high))
}
