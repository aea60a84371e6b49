//! From differences of paired blocks to verdicts. Pure functions of numbers; `docs/GUARD.md` has the formulas.

use super::{Estimate, Metric};
use crate::compare::{POWER, Verdict};
use crate::noise::MARGIN_MIN;
use crate::stats;

/// Fewest blocks of the screening.
pub const SCREEN_BLOCKS_MIN: u32 = 6;
/// Fewest blocks of a confirmation.
pub const CONFIRM_BLOCKS_MIN: u32 = 12;

/// How sure, and from which size on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Probability of a verdict `regressed` or `improved` for any of the rows, were nothing changed.
    pub alpha: f64,
    /// The least margin, as a ratio above 1.
    pub margin_ratio_min: f64,
    /// Probability at which the minimal detectable effect is stated.
    pub power: f64,
}

impl Default for Rule {
    fn default() -> Rule {
        Rule { alpha: 0.01, margin_ratio_min: 1.0 + MARGIN_MIN, power: POWER }
    }
}

/// The widest margin within which two things may be called equivalent, as a ratio above 1. Noise widens a margin; it must
/// not make everything alike.
pub const EQUIVALENT_RATIO_MAX: f64 = 1.1;

/// Confidence of the screening's intervals: what six blocks can give.
const SCREEN_CONFIDENCE: f64 = 0.95;

/// Blocks at which even the last of `rows`, corrected for their number, can still reach `alpha`: the smallest p of K
/// blocks is 2^(1 - K).
pub fn confirm_blocks(rows: usize, alpha: f64) -> u32 {
    let needed = (1.0 + (rows.max(1) as f64 / alpha).log2()).ceil();
    (needed as u32).max(CONFIRM_BLOCKS_MIN)
}

/// Blocks of the screening. Who asks for many blocks to confirm with looks for a small difference: a screening that cannot
/// see it would never send a row there. So it takes a quarter as many, if that is more than the least.
pub fn screen_blocks(confirm_blocks: Option<u32>) -> u32 {
    SCREEN_BLOCKS_MIN.max(confirm_blocks.unwrap_or(0) / 4)
}

/// The smallest p that `blocks` can give, corrected for `rows`.
pub fn smallest_p(blocks: u32, rows: usize) -> f64 {
    (2f64.powi(1 - blocks as i32) * rows.max(1) as f64).min(1.0)
}

/// The A/A floor as a ratio above 1: the 95th percentile of the size of an estimate from `blocks` blocks that compare
/// a thing with itself, from differences `own` that are nothing but noise. Under sign flips their mean is nearly normal
/// with variance mean(own^2) / blocks. `None` without any.
pub fn floor_ratio(own: &[f64], blocks: usize) -> Option<f64> {
    /// 97.5 % of a normal distribution lie below so many standard deviations.
    const Z: f64 = 1.959_963_984_540_054;
    if own.is_empty() || blocks == 0 {
        return None;
    }
    let squares = own.iter().map(|d| d * d).sum::<f64>() / own.len() as f64;
    Some((Z * (squares / blocks as f64).sqrt()).exp())
}

/// The margin: the least one, or twice the floor.
pub fn margin_ratio(floor_ratio: Option<f64>, rule: &Rule) -> f64 {
    floor_ratio.map_or(1.0, |floor| floor.powi(2)).max(rule.margin_ratio_min)
}

/// One row's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What is judged.
    pub metric: Metric,
    /// Candidate less baseline, block by block, on the logarithmic scale.
    pub differences: &'a [f64],
    /// The margin, as a ratio above 1.
    pub margin_ratio: f64,
}

/// What came out for one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Candidate over baseline; `None` with fewer than two blocks.
    pub ratio: Option<Estimate>,
    /// p corrected for the number of rows.
    pub p_adjusted: f64,
    /// The smallest true ratio, above 1, that such blocks call different with the rule's power.
    pub minimal_detectable_ratio: Option<f64>,
    /// The verdict.
    pub verdict: Verdict,
    /// What limits it; may be empty.
    pub reason: String,
}

/// Whether a screened row goes to confirmation: its estimate is more than half the margin away from 1.
pub fn goes_on(case: &Case<'_>) -> bool {
    stats::hodges_lehmann(case.differences).is_some_and(|d| d.abs() > case.margin_ratio.ln() / 2.0)
}

/// Judges rows together: those that fresh blocks decide. Holm's correction is over all of them.
pub fn judge(cases: &[Case<'_>], rule: &Rule) -> Vec<Judgement> {
    let p = |case: &Case<'_>| stats::sign_flip(case.differences).map_or(1.0, |test| test.p);
    let raw: Vec<f64> = cases.iter().map(p).collect();
    let adjusted = stats::holm(&raw);
    let rows = cases.iter().zip(raw).zip(adjusted);
    rows.map(|((case, p), adjusted)| one(case, p, adjusted, 1.0 - rule.alpha, rule)).collect()
}

/// Judges a row by its screening alone: it can be equivalent, and never regressed or improved.
pub fn screened(case: &Case<'_>, rule: &Rule) -> Judgement {
    let p = stats::sign_flip(case.differences).map_or(1.0, |test| test.p);
    let mut judged = one(case, p, p, SCREEN_CONFIDENCE, rule);
    if matches!(judged.verdict, Verdict::Regressed | Verdict::Improved) {
        judged.verdict = Verdict::Inconclusive;
        judged.reason = "differs in the screening; no fresh blocks confirmed it".to_owned();
    }
    judged
}

/// Judges a control: whether it moved. Six blocks cannot reach the level of a verdict, so they are asked for less.
pub fn control_moved(case: &Case<'_>, controls: usize, rule: &Rule) -> (Option<Estimate>, bool) {
    let enough = case.differences.len() >= 8;
    let confidence = if enough { 1.0 - rule.alpha } else { SCREEN_CONFIDENCE };
    let p = stats::sign_flip(case.differences).map_or(1.0, |test| test.p);
    let many = if enough { controls.max(1) as f64 } else { 1.0 };
    let judged = one(case, p, (p * many).min(1.0), confidence, rule);
    (judged.ratio, matches!(judged.verdict, Verdict::Regressed | Verdict::Improved))
}

fn one(case: &Case<'_>, p: f64, p_adjusted: f64, confidence: f64, rule: &Rule) -> Judgement {
    let margin = case.margin_ratio.ln();
    let Some(centre) = stats::centre(case.differences, confidence) else {
        return Judgement {
            ratio: None,
            p_adjusted,
            minimal_detectable_ratio: None,
            verdict: Verdict::Inconclusive,
            reason: format!("{} blocks: an interval needs two", case.differences.len()),
        };
    };
    let beyond = stats::detectable_beyond(case.differences, confidence, rule.power);
    let mut judged = Judgement {
        ratio: Some(Estimate {
            ratio: centre.estimate.exp(),
            low: centre.low.exp(),
            high: centre.high.exp(),
            confidence,
            p: Some(p),
        }),
        p_adjusted,
        minimal_detectable_ratio: beyond.map(|beyond| (margin + beyond).exp()),
        verdict: Verdict::Inconclusive,
        reason: String::new(),
    };
    let (above, below) = (centre.low > margin, centre.high < -margin);
    let alike = margin.min(EQUIVALENT_RATIO_MAX.ln());
    // A hair of rounding: 2^-11 times 20 rows is below 1 %, and must not be lost to it.
    let sure = p_adjusted <= 1.0 - confidence + 1e-12;
    (judged.verdict, judged.reason) = match () {
        () if !centre.reached => {
            let least = smallest_p(case.differences.len() as u32, 1);
            let said = format!("{} blocks reach p = {least:.2} at best", case.differences.len());
            (Verdict::Inconclusive, said)
        }
        () if (above || below) && sure => {
            let better = above == case.metric.more_is_better();
            (if better { Verdict::Improved } else { Verdict::Regressed }, String::new())
        }
        () if above || below => {
            let said =
                format!("beyond the margin, but p corrected for the number of rows is {p_adjusted:.3}");
            (Verdict::Inconclusive, said)
        }
        () if centre.low > -alike && centre.high < alike => (Verdict::Equivalent, String::new()),
        () if centre.low > -margin && centre.high < margin => {
            (Verdict::Inconclusive, "within the noise, which is too wide to call it equivalent".to_owned())
        }
        () if centre.low > 0.0 || centre.high < 0.0 => {
            (Verdict::Inconclusive, "differs, but perhaps by less than the margin".to_owned())
        }
        () => (Verdict::Inconclusive, "the interval is wider than the margin".to_owned()),
    };
    judged
}

/// False alarms, rows called worse, to be expected of one job if nothing has changed: at most half of `alpha`, however
/// many rows are confirmed, for Holm's correction holds the probability of any and half of them would be improvements.
pub fn expected_false_alarms(rows_confirmed: usize, rule: &Rule) -> f64 {
    if rows_confirmed == 0 { 0.0 } else { rule.alpha / 2.0 }
}

/// The verdict on the whole change from those on its rows: the worst that is certain.
pub fn overall(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let all: Vec<Verdict> = verdicts.collect();
    let order = [Verdict::Regressed, Verdict::Contaminated, Verdict::Inconclusive, Verdict::Improved];
    let found = order.into_iter().find(|verdict| all.contains(verdict));
    found.unwrap_or(if all.is_empty() { Verdict::Inconclusive } else { Verdict::Equivalent })
}
