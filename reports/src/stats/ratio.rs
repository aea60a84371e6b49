//! The ratio of two sets of launches.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::shift::shift;

/// How many times B is A, over launches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// Hodges-Lehmann estimate of the ratio: the median of all B over A.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The exact confidence of the interval.
    pub confidence: f64,
    /// Whether the interval has the confidence that was asked. If not, it is only the range of what was seen.
    pub reached: bool,
    /// Launches of A.
    pub launches_a: usize,
    /// Launches of B.
    pub launches_b: usize,
}

impl Ratio {
    /// Whether the launches support that B differs from A.
    pub fn excludes_one(&self) -> bool {
        self.reached && (self.low > 1.0 || self.high < 1.0)
    }
}

/// Why there is no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioError {
    /// A has no launches with this number.
    NoneInA,
    /// B has none.
    NoneInB,
    /// A number is 0, negative or not finite: it has no logarithm.
    NotPositive,
}

impl RatioError {
    /// The reason in words.
    pub const fn reason(self) -> &'static str {
        match self {
            RatioError::NoneInA => "the first has no launch with this number",
            RatioError::NoneInB => "the second has no launch with this number",
            RatioError::NotPositive => "a value is zero: no ratio",
        }
    }
}

/// The ratio B over A of positive numbers, one a launch; unpaired, on the logarithmic scale.
pub fn ratio(a: &[f64], b: &[f64], confidence: f64) -> Result<Ratio, RatioError> {
    if a.iter().chain(b).any(|v| !v.is_finite() || *v <= 0.0) {
        return Err(RatioError::NotPositive);
    }
    if a.is_empty() {
        return Err(RatioError::NoneInA);
    }
    let logs = |values: &[f64]| values.iter().map(|v| v.ln()).collect::<Vec<_>>();
    let shift = shift(&logs(a), &logs(b), confidence).ok_or(RatioError::NoneInB)?;
    Ok(Ratio {
        estimate: shift.estimate.exp(),
        low: shift.low.exp(),
        high: shift.high.exp(),
        confidence: shift.confidence,
        reached: shift.reached,
        launches_a: a.len(),
        launches_b: b.len(),
    })
}

/// The smallest true ratio (above 1) that launches like these would show with probability `power` at `confidence`:
/// exp of (t(1 - alpha/2) + t(power)) s sqrt(1/m + 1/n), with the pooled standard deviation s of the logarithms.
/// `None` with fewer than 3 launches together, or values without logarithm.
pub fn minimal_detectable_ratio(a: &[f64], b: &[f64], confidence: f64, power: f64) -> Option<f64> {
    if a.is_empty() || b.is_empty() || a.len() + b.len() < 3 || a.iter().chain(b).any(|v| *v <= 0.0) {
        return None;
    }
    let squares = |values: &[f64]| {
        let mean = values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64;
        values.iter().map(|v| (v.ln() - mean).powi(2)).sum::<f64>()
    };
    let freedom = (a.len() + b.len() - 2) as f64;
    let sd = ((squares(a) + squares(b)) / freedom).sqrt();
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let factor = t.inverse_cdf(1.0 - (1.0 - confidence) / 2.0) + t.inverse_cdf(power);
    Some((factor * sd * (1.0 / a.len() as f64 + 1.0 / b.len() as f64).sqrt()).exp())
}
