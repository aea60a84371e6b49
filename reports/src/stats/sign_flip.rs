//! The exact sign-flip test: could these paired differences just as well have had other signs?

use statrs::distribution::{ContinuousCDF, Normal};

/// Pairs up to which all sign patterns are counted.
const EXACT_PAIRS_MAX: usize = 22;

/// Outcome of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// Two-sided: share of the sign patterns whose sum is at least as far from 0 as the one seen.
    pub p: f64,
    /// The smallest p that so many pairs can give: a test that cannot reach its level must not be run at it.
    pub p_min: f64,
    /// Whether all patterns were counted; above 22 pairs the normal approximation of their sum is used.
    pub exact: bool,
}

/// Tests whether paired differences (log-ratios of blocks) are symmetric around 0. `None` of nothing.
pub fn sign_flip(differences: &[f64]) -> Option<SignFlip> {
    let n = differences.len();
    if n == 0 {
        return None;
    }
    let sum: f64 = differences.iter().sum();
    let p_min = 2f64.powi(1 - i32::try_from(n).unwrap_or(i32::MAX)).min(1.0);
    if n > EXACT_PAIRS_MAX {
        let sd = differences.iter().map(|d| d * d).sum::<f64>().sqrt();
        let p = if sd > 0.0 { 2.0 * Normal::standard().cdf(-sum.abs() / sd) } else { 1.0 };
        return Some(SignFlip { p: p.min(1.0), p_min, exact: false });
    }
    // Sums that differ only by rounding are equal.
    let scale: f64 = differences.iter().map(|d| d.abs()).sum();
    let far = sum.abs() - scale * 1e-12;
    // The first sign stays: each pattern and its mirror image are equally far.
    let patterns = 1u64 << (n - 1);
    let mut count = 0u64;
    let mut flipped = sum;
    for pattern in 0..patterns {
        if flipped.abs() >= far {
            count += 1;
        }
        // Gray code: one sign changes from each pattern to the next.
        let gray = pattern ^ (pattern >> 1);
        let bit = (pattern + 1).trailing_zeros() as usize;
        if bit + 1 < n {
            let d = differences[bit + 1];
            flipped += if gray >> bit & 1 == 0 { -2.0 * d } else { 2.0 * d };
        }
    }
    Some(SignFlip { p: count as f64 / patterns as f64, p_min, exact: true })
}
