//! How sure a count out of n is.

use statrs::distribution::{Beta, ContinuousCDF};

/// The Clopper-Pearson interval of a proportion: `hits` of `n`. From 0 to 1 of nothing.
pub fn clopper_pearson(hits: u64, n: u64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let quantile = |a: u64, b: u64, q: f64| {
        // Both are at least 1 where this is called.
        Beta::new(a as f64, b as f64).map_or(f64::NAN, |beta| beta.inverse_cdf(q))
    };
    let low = if hits == 0 { 0.0 } else { quantile(hits, n - hits + 1, tail) };
    let high = if hits >= n { 1.0 } else { quantile(hits + 1, n - hits, 1.0 - tail) };
    (low, high)
}
