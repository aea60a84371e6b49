//! Change points of a series by E-divisive means with Student's t test: deterministic, nothing is permuted.
//!
//! **Source**: the statistic is that of Matteson and James (JASA 109, 2014, arXiv:1306.4933) with exponent 1. Deciding by
//! Student's t, with a weak first pass and a merge from the bottom up, is Hunter's way (Fleming et al., ICPE 2023,
//! doi:10.1145/3578244.3583719; Apache Otava at 1ceb153). Differences: a segment has a least length, so that a lone outlier
//! is no change; the series is looked at whole, not in windows; the variance is the unbiased one, where Otava's divides by
//! n. Where the best single cut of a stretch is not significant, the best stretch against what lies left of it is tried as
//! well: a change that was taken back later hides from any single cut.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// By how much the first pass is laxer than the last, as Hunter has it: a cut beside another change looks weaker than it
/// is until both are made.
const WEAK_FACTOR: f64 = 10.0;

/// A place where the level of a series changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Break {
    /// Index of the first value of the new level.
    pub at: usize,
    /// Two-sided p of Student's t test between the two segments that meet here. It does not know that the place was
    /// sought: levels to ask for are 1e-4, not 0.05.
    pub p: f64,
}

/// The breaks of `values` in ascending order: each with a p of at most `p_max` between its two segments, each segment at
/// least `segment_min` long.
pub fn divisive(values: &[f64], p_max: f64, segment_min: usize) -> Vec<Break> {
    let segment_min = segment_min.max(1);
    let mut cuts = Vec::new();
    let weak = (p_max * WEAK_FACTOR).min(0.5).max(p_max);
    let mut open = vec![(0, values.len())];
    while let Some((from, to)) = open.pop() {
        if let Some(at) = cut(&values[from..to], weak, segment_min) {
            cuts.push(from + at);
            open.extend([(from, from + at), (from + at, to)]);
        }
    }
    cuts.sort_unstable();
    merge(values, cuts, p_max)
}

/// The best significant cut of a stretch.
fn cut(values: &[f64], weak: f64, segment_min: usize) -> Option<usize> {
    let whole = best_cut(values, segment_min)?.at;
    if student_t(&values[..whole], &values[whole..]) <= weak {
        return Some(whole);
    }
    // The best cut of any beginning of the stretch.
    let ends = 2 * segment_min..values.len().saturating_sub(segment_min) + 1;
    let beginnings = ends.filter_map(|end| Some((end, best_cut(&values[..end], segment_min)?)));
    let (end, best) = beginnings.max_by(|a, b| a.1.q.total_cmp(&b.1.q))?;
    (student_t(&values[..best.at], &values[best.at..end]) <= weak).then_some(best.at)
}

struct Cut {
    at: usize,
    q: f64,
}

/// The cut with the largest energy distance between its two sides:
/// q = mn/(m+n) (2 E|X-Y| - E|X-X'| - E|Y-Y'|), means over pairs of different members.
fn best_cut(values: &[f64], segment_min: usize) -> Option<Cut> {
    let n = values.len();
    if n < 2 * segment_min {
        return None;
    }
    let distance = |i: usize, others: &[f64]| others.iter().map(|v| (values[i] - v).abs()).sum::<f64>();
    let all: f64 = (0..n).map(|i| distance(i, &values[..i])).sum();
    // Sums over pairs inside the left side, and inside the right one.
    let (mut left, mut right) = (0.0, all);
    let mut best: Option<Cut> = None;
    for at in 1..=n - segment_min {
        left += distance(at - 1, &values[..at - 1]);
        right -= distance(at - 1, &values[at..]);
        if at < segment_min {
            continue;
        }
        let (m, k) = (at as f64, (n - at) as f64);
        let inside =
            |sum: f64, count: f64| if count > 1.0 { sum / (count * (count - 1.0) / 2.0) } else { 0.0 };
        let between = (all - left - right) / (m * k);
        let q = m * k / (m + k) * (2.0 * between - inside(left, m) - inside(right, k));
        if best.as_ref().is_none_or(|best| q > best.q) {
            best = Some(Cut { at, q });
        }
    }
    best
}

/// Takes the weakest cut away until all are significant between the segments that are left.
fn merge(values: &[f64], mut cuts: Vec<usize>, p_max: f64) -> Vec<Break> {
    loop {
        let ends = |index: usize| {
            let from = if index == 0 { 0 } else { cuts[index - 1] };
            (from, cuts.get(index + 1).copied().unwrap_or(values.len()))
        };
        let breaks: Vec<Break> = (0..cuts.len())
            .map(|index| {
                let (from, to) = ends(index);
                let at = cuts[index];
                Break { at, p: student_t(&values[from..at], &values[at..to]) }
            })
            .collect();
        let weakest = breaks.iter().enumerate().max_by(|a, b| a.1.p.total_cmp(&b.1.p));
        match weakest {
            Some((index, weakest)) if weakest.p > p_max => {
                cuts.remove(index);
            }
            _ => return breaks,
        }
    }
}

/// Two-sided p of Student's t test (pooled variance) that two samples have one mean; 1 where a sample is empty or both
/// are single values.
pub fn student_t(a: &[f64], b: &[f64]) -> f64 {
    let (m, n) = (a.len() as f64, b.len() as f64);
    if a.is_empty() || b.is_empty() || m + n < 3.0 {
        return 1.0;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let squares = |values: &[f64], mean: f64| values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let freedom = m + n - 2.0;
    let error = ((squares(a, mean_a) + squares(b, mean_b)) / freedom * (1.0 / m + 1.0 / n)).sqrt();
    let difference = (mean_a - mean_b).abs();
    // What rounding leaves of equal values is no difference.
    let largest = a.iter().chain(b).fold(0.0_f64, |largest, v| largest.max(v.abs()));
    if difference <= largest * 1e-12 {
        return 1.0;
    }
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(t) if error > 0.0 => (2.0 * t.cdf(-difference / error)).min(1.0),
        // Without any spread every difference is one.
        _ => 0.0,
    }
}
