//! Median, quantiles, the interval of a median from order statistics, and Jain's index.

/// The values in ascending order.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// The quantile `q` (0 to 1) with linear interpolation between neighbours (R's type 7); `None` of nothing.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let values = sorted(values);
    let last = values.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    // Without this an infinite neighbour of weight 0 would make it NaN.
    if below == above {
        return Some(values[below]);
    }
    Some(values[below] + (values[above] - values[below]) * (place - below as f64))
}

/// The median; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Two order statistics that hold the median between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MedianInterval {
    /// The lower order statistic.
    pub low: f64,
    /// The upper one.
    pub high: f64,
    /// The exact confidence of these two, whatever the distribution.
    pub confidence: f64,
    /// Whether that is at least what was asked. If not, even the extremes cannot give it: the sample is too small.
    pub reached: bool,
}

/// The narrowest symmetric pair of order statistics with at least `confidence`; the extremes if none has it.
///
/// The k-th smallest and k-th largest of n miss the median with probability 2 P(Binomial(n, 1/2) < k).
pub fn median_interval(values: &[f64], confidence: f64) -> Option<MedianInterval> {
    let values = sorted(values);
    let n = values.len();
    if n == 0 {
        return None;
    }
    // P(Binomial(n, 1/2) = 0), then the next terms by their ratio.
    let mut term = 0.5f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut below = term;
    let (mut k, mut attained) = (1, 1.0 - 2.0 * below);
    for next in 2..=n / 2 {
        term *= (n - next + 2) as f64 / (next - 1) as f64;
        below += term;
        if 1.0 - 2.0 * below < confidence {
            break;
        }
        (k, attained) = (next, 1.0 - 2.0 * below);
    }
    let attained = attained.max(0.0);
    Some(MedianInterval {
        low: values[k - 1],
        high: values[n - k],
        confidence: attained,
        reached: attained >= confidence,
    })
}

/// Jain's fairness index of `shares`: 1 when all are equal, 1/n when one has everything; `None` if nobody has anything.
pub fn jain(shares: &[u64]) -> Option<f64> {
    let sum: f64 = shares.iter().map(|&s| s as f64).sum();
    let squares: f64 = shares.iter().map(|&s| (s as f64).powi(2)).sum();
    (squares > 0.0).then(|| (sum * sum / (shares.len() as f64 * squares)).min(1.0))
}
