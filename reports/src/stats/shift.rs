//! How far one sample lies from another: the Hodges-Lehmann estimate and the interval from the exact Mann-Whitney
//! distribution.

use statrs::distribution::{ContinuousCDF, Normal};

use super::order::{median, sorted};

/// Products of sample sizes up to which the exact distribution is used; beyond, the normal approximation differs from
/// it by less than anybody can see.
const EXACT_PRODUCT_MAX: usize = 2500;

/// A shift between two samples with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Hodges-Lehmann: the median of all differences.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The exact confidence of the interval (with ties it is at least this).
    pub confidence: f64,
    /// Whether that is at least what was asked.
    pub reached: bool,
}

/// Hodges-Lehmann estimate of the centre of one sample: the median of the means of all pairs, each value with itself
/// included. `None` of nothing.
pub fn hodges_lehmann(values: &[f64]) -> Option<f64> {
    let mut walsh = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
    for (i, a) in values.iter().enumerate() {
        walsh.extend(values[i..].iter().map(|b| (a + b) / 2.0));
    }
    median(&walsh)
}

/// The distribution of Mann-Whitney's U for samples of sizes `m` and `n` from one continuous distribution: P(U = u).
fn mann_whitney(m: usize, n: usize) -> Vec<f64> {
    // row[j][u] = P(U = u) for sizes (i, j). The largest value belongs to the first sample with probability
    // i / (i + j), and then it beats all j of the second.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; n + 1];
    for i in 1..=m {
        let mut next: Vec<Vec<f64>> = Vec::with_capacity(n + 1);
        next.push(vec![1.0]);
        for j in 1..=n {
            let share_first = i as f64 / (i + j) as f64;
            let mut p = vec![0.0; i * j + 1];
            for (u, q) in row[j].iter().enumerate() {
                p[u + j] += share_first * q;
            }
            for (u, q) in next[j - 1].iter().enumerate() {
                p[u] += (1.0 - share_first) * q;
            }
            next.push(p);
        }
        row = next;
    }
    row.swap_remove(n)
}

/// P(U <= u) for Mann-Whitney's U of samples of sizes `m` and `n` from one continuous distribution.
pub fn mann_whitney_lower_tail(u: usize, m: usize, n: usize) -> f64 {
    mann_whitney(m, n).iter().take(u + 1).sum::<f64>().min(1.0)
}

/// By how much `b` lies above `a`, as a location shift: the median of all differences `b - a`, with the interval that
/// the Mann-Whitney test does not reject. The narrowest with at least `confidence`, or all differences if even those
/// cannot reach it (two samples of 3 reach 90 %, of 4 97.1 %, of 5 99.2 %). `None` if either sample is empty.
pub fn shift(a: &[f64], b: &[f64], confidence: f64) -> Option<Shift> {
    let (m, n) = (a.len(), b.len());
    let differences: Vec<f64> = a.iter().flat_map(|x| b.iter().map(move |y| y - x)).collect();
    let differences = sorted(&differences);
    let estimate = median(&differences)?;
    let alpha_half = (1.0 - confidence) / 2.0;
    let (k, tail) = if m * n <= EXACT_PRODUCT_MAX {
        exact_rank(m, n, alpha_half)
    } else {
        approximate_rank(m, n, alpha_half)
    };
    let attained = (1.0 - 2.0 * tail).max(0.0);
    Some(Shift {
        estimate,
        low: differences[k - 1],
        high: differences[m * n - k],
        confidence: attained,
        // A hair of rounding must not turn an exact 0.95 into a miss.
        reached: attained + 1e-12 >= confidence,
    })
}

/// The largest k with P(U <= k - 1) <= `alpha_half`, and that probability: the k-th smallest difference bounds the
/// shift from below unless U < k. At least 1.
fn exact_rank(m: usize, n: usize, alpha_half: f64) -> (usize, f64) {
    let p = mann_whitney(m, n);
    let (mut k, mut tail) = (1, p[0]);
    let mut sum = p[0];
    for (u, p) in p.iter().enumerate().take(p.len() / 2).skip(1) {
        sum += p;
        if sum > alpha_half + 1e-15 {
            break;
        }
        (k, tail) = (u + 1, sum);
    }
    (k, tail)
}

/// The same from the normal approximation with continuity correction.
fn approximate_rank(m: usize, n: usize, alpha_half: f64) -> (usize, f64) {
    let (mf, nf) = (m as f64, n as f64);
    let (mean, sd) = (mf * nf / 2.0, (mf * nf * (mf + nf + 1.0) / 12.0).sqrt());
    let normal = Normal::standard();
    let u = (mean - 0.5 + sd * normal.inverse_cdf(alpha_half)).floor().max(0.0);
    (u as usize + 1, normal.cdf((u + 0.5 - mean) / sd))
}
