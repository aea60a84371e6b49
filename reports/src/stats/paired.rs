//! The centre of paired differences: an interval that the sign-flip test does not reject, and Student's beside it.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::shift::hodges_lehmann;

/// Differences up to which the means of all subsets are enumerated.
const EXACT_MAX: usize = 20;

/// The centre of one sample of differences with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Centre {
    /// Hodges-Lehmann: the median of the means of all pairs.
    pub estimate: f64,
    /// Lower end: the lower of the two intervals'.
    pub low: f64,
    /// Upper end: the higher of the two intervals'.
    pub high: f64,
    /// Whether so few differences can give the confidence that was asked. If not, the interval is Student's alone, and no
    /// exact test stands behind it.
    pub reached: bool,
}

/// Estimate and interval of `differences`: the wider of the inverted sign-flip test and Student's t. `None` with fewer
/// than two.
pub fn centre(differences: &[f64], confidence: f64) -> Option<Centre> {
    let estimate = hodges_lehmann(differences)?;
    let (low, high) = student_interval(differences, confidence)?;
    let inverted = sign_flip_interval(differences, confidence);
    let (low, high) = inverted.map_or((low, high), |(l, h)| (l.min(low), h.max(high)));
    // The estimate of a skewed sample may lie beyond Student's interval, which is about the mean.
    Some(Centre { estimate, low: low.min(estimate), high: high.max(estimate), reached: inverted.is_some() })
}

/// Every centre that the two-sided sign-flip test of the sum does not reject at `1 - confidence`. `None` if so few
/// differences can reject nothing at that level.
///
/// Flipping the differences from a centre c in a subset S leaves the sum as large as it was, or larger, just if the mean
/// of S is at most c. So of the 2^n sign patterns as many are at least as far on this side as there are subsets, the empty
/// one included, with a mean of at most c; and the ends of the interval are order statistics of the means of all subsets
/// (Hartigan, JASA 64, 1969).
pub fn sign_flip_interval(differences: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let n = differences.len();
    let alpha = 1.0 - confidence;
    if n > EXACT_MAX {
        return approximate_interval(differences, alpha);
    }
    // A hair of rounding must not cost a rank: 0.01 is 1 - 0.99 but for it.
    let rank = (alpha * 2f64.powi(n as i32 - 1) + 1e-9).floor() as usize;
    if n == 0 || rank < 1 {
        return None;
    }
    let mut means = Vec::with_capacity((1 << n) - 1);
    let (mut sum, mut size) = (0.0, 0_u32);
    for pattern in 1_u64..1 << n {
        // Gray code: one member comes or goes from each subset to the next.
        let bit = pattern.trailing_zeros() as usize;
        let gray = pattern ^ (pattern >> 1);
        if gray >> bit & 1 == 1 {
            (sum, size) = (sum + differences[bit], size + 1);
        } else {
            (sum, size) = (sum - differences[bit], size - 1);
        }
        means.push(sum / f64::from(size));
    }
    let last = means.len() - rank;
    let low = *means.select_nth_unstable_by(rank - 1, f64::total_cmp).1;
    let high = *means.select_nth_unstable_by(last, f64::total_cmp).1;
    Some((low, high))
}

/// The same where the sum over sign patterns is as good as normal: the centres c with
/// |sum (d - c)| <= z sqrt(sum (d - c)^2).
fn approximate_interval(differences: &[f64], alpha: f64) -> Option<(f64, f64)> {
    let n = differences.len() as f64;
    let z = Normal::standard().inverse_cdf(1.0 - alpha / 2.0);
    let (mean, squares) = moments(differences);
    let half = (n > z * z).then(|| z * (squares / (n * (n - z * z))).sqrt())?;
    Some((mean - half, mean + half))
}

/// Mean, and the sum of squares around it.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum())
}

/// Student's interval of the mean. `None` with fewer than two.
pub fn student_interval(differences: &[f64], confidence: f64) -> Option<(f64, f64)> {
    let n = differences.len();
    let t = StudentsT::new(0.0, 1.0, n.checked_sub(1).filter(|freedom| *freedom > 0)? as f64).ok()?;
    let (mean, squares) = moments(differences);
    let error = (squares / (n - 1) as f64 / n as f64).sqrt();
    let half = t.inverse_cdf(1.0 - (1.0 - confidence) / 2.0) * error;
    Some((mean - half, mean + half))
}

/// How far beyond a margin a true difference must lie for the interval at `confidence` to lie wholly beyond that margin
/// with probability `power`: (t(1 - alpha/2) + t(power)) s / sqrt(n). `None` with fewer than two.
pub fn detectable_beyond(differences: &[f64], confidence: f64, power: f64) -> Option<f64> {
    let n = differences.len();
    let t = StudentsT::new(0.0, 1.0, n.checked_sub(1).filter(|freedom| *freedom > 0)? as f64).ok()?;
    let (_, squares) = moments(differences);
    let error = (squares / (n - 1) as f64 / n as f64).sqrt();
    Some((t.inverse_cdf(1.0 - (1.0 - confidence) / 2.0) + t.inverse_cdf(power)) * error)
}

/// Holm's adjustment of p values for their number, in their order: at most `alpha` of families of true nulls then have
/// any value of at most `alpha`.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let (mut adjusted, mut largest) = (vec![1.0; p.len()], 0.0_f64);
    for (place, index) in order.into_iter().enumerate() {
        largest = largest.max(p[index] * (p.len() - place) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}
