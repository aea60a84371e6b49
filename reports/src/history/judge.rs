//! What a series says: changes of level that two detectors agree on, which of them still stand, how noisy the series is, and
//! a verdict.

use super::series::Series;
use crate::compare::{POWER, Verdict};
use crate::guard::Estimate;
use crate::noise::MARGIN_MIN;
use crate::stats::{self, CHANGE_P_MAX, SEGMENT_MIN};
use crate::summary::CONFIDENCE;
use crate::text::change as in_words;

/// Points that are judged: the latest. Older ones are kept and shown.
pub const WINDOW: usize = 100;
/// Series without a change of which one is called changed, as a share: simulated, 60 points, AR(1) of 0.3 (the tests of
/// change points hold it).
pub const FALSE_SHARE: f64 = 0.005;
/// Later points that must lie on the new side: what went away at once is no level.
const PERSIST_MIN: usize = 3;
/// Neighbours that tell the noise, and the fewest of them that do.
const NOISE_POINTS: usize = 30;
const NOISE_POINTS_MIN: usize = 8;
/// Interquartile ranges above the third quartile up to which a difference of neighbours is ordinary.
const FENCE: f64 = 3.0;

/// A stretch of points on one level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Its first point.
    pub from: usize,
    /// One past its last.
    pub to: usize,
    /// Median of the logarithms.
    pub ln: f64,
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Index in the series of the first point of the new level.
    pub at: usize,
    /// Two-sided p of the t test between the two levels.
    pub p: f64,
    /// New level over old one.
    pub ratio: f64,
    /// Whether the latest level still is worse than the old one, or better than every one before, beyond the margin.
    pub stands: bool,
    /// Whether driver or probes changed with it: then it may be they.
    pub harness_changed: bool,
}

/// What was found in a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// First point that was judged.
    pub from: usize,
    /// Levels from there on.
    pub levels: Vec<Level>,
    /// The changes between them.
    pub changes: Vec<Found>,
    /// The ratio, above 1, by which neighbours ordinarily differ at most; `None` of too few.
    pub fence_ratio: Option<f64>,
    /// Whether that is more than twice the margin: a difference of two points says nothing here.
    pub noisy: bool,
    /// Ratio, above 1, up to which a difference counts as none.
    pub margin_ratio: f64,
    /// The smallest true step, as a ratio above 1, that shows after as many points as a level must have.
    pub minimal_detectable_ratio: Option<f64>,
    /// The latest level over the one before the change that decides, or over the first.
    pub ratio: Option<Estimate>,
    /// The change that decides, in `changes`.
    pub decides: Option<usize>,
    /// The verdict on the latest level.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// Judges the latest points of a series, after its last accepted change.
pub fn judge(series: &Series<'_>) -> Judged {
    let from = series.current().max(series.points.len().saturating_sub(WINDOW));
    let values: Vec<f64> = series.points[from..].iter().map(|point| point.ln_ratio).collect();
    let margin = margin(series, from);
    let found: Vec<stats::Change> =
        stats::changes(&values).into_iter().filter(|c| persists(&values, c.at)).collect();
    let ends: Vec<usize> = [0].into_iter().chain(found.iter().map(|c| c.at)).chain([values.len()]).collect();
    let level = |ends: &[usize]| Level {
        from: from + ends[0],
        to: from + ends[1],
        ln: stats::median(&values[ends[0]..ends[1]]).unwrap_or(f64::NAN),
    };
    let levels: Vec<Level> = ends.windows(2).map(level).collect();
    let latest = levels[levels.len() - 1];
    let better = |ln: f64| if series.of().metric.more_is_better() { ln } else { -ln };
    let changes: Vec<Found> = found
        .iter()
        .enumerate()
        .map(|(index, change)| {
            let (old, new) = (levels[index], levels[index + 1]);
            let (step, now) = (better(new.ln - old.ln), better(latest.ln - old.ln));
            // What only makes an earlier loss good is no gain.
            let best =
                levels[..=index].iter().map(|level| better(level.ln)).fold(f64::NEG_INFINITY, f64::max);
            let stands = if step > 0.0 { better(latest.ln) - best > margin } else { now < -margin };
            let at = from + change.at;
            Found {
                at,
                p: change.p,
                ratio: (new.ln - old.ln).exp(),
                stands,
                harness_changed: series.points[at - 1].harness != series.points[at].harness,
            }
        })
        .collect();
    let residuals: Vec<f64> = levels
        .iter()
        .flat_map(|level| (level.from..level.to).map(|i| series.points[i].ln_ratio - level.ln))
        .collect();
    let fence = fence(series, &changes);
    let mut judged = Judged {
        from,
        fence_ratio: fence.map(f64::exp),
        noisy: fence.is_some_and(|fence| fence > 2.0 * margin),
        margin_ratio: margin.exp(),
        minimal_detectable_ratio: detectable(&residuals).map(f64::exp),
        ratio: None,
        decides: None,
        verdict: Verdict::Inconclusive,
        reason: String::new(),
        levels,
        changes,
    };
    decide(series, &mut judged);
    judged
}

/// 3 %, or twice the median A/A floor of the points.
fn margin(series: &Series<'_>, from: usize) -> f64 {
    let floors: Vec<f64> = series.points[from..].iter().filter_map(|p| p.null_floor_ratio).collect();
    let twice = stats::median(&floors).map_or(0.0, |floor| 2.0 * floor.ln().abs());
    twice.max((1.0 + MARGIN_MIN).ln())
}

/// Whether enough points after a change lie beyond the middle between the levels right beside it: what comes long after
/// may have changed again.
fn persists(values: &[f64], at: usize) -> bool {
    let beside = |range: std::ops::Range<usize>| stats::median(&values[range]);
    let old = beside(at.saturating_sub(SEGMENT_MIN)..at);
    let new = beside(at..(at + SEGMENT_MIN).min(values.len()));
    let (Some(old), Some(new)) = (old, new) else { return false };
    let middle = (old + new) / 2.0;
    values[at..].iter().filter(|v| (**v > middle) == (new > old)).count() >= PERSIST_MIN
}

/// The largest ordinary difference of neighbours: Q3 + 3 IQR of the latest ones, without those across a change, accepted
/// or found.
fn fence(series: &Series<'_>, changes: &[Found]) -> Option<f64> {
    let breaks: Vec<usize> =
        series.epochs.iter().map(|(at, _)| *at).chain(changes.iter().map(|c| c.at)).collect();
    let first = series.points.len().saturating_sub(NOISE_POINTS);
    let neighbours = (first.max(1)..series.points.len()).filter(|at| !breaks.contains(at));
    let differences: Vec<f64> =
        neighbours.map(|at| (series.points[at].ln_ratio - series.points[at - 1].ln_ratio).abs()).collect();
    if differences.len() < NOISE_POINTS_MIN {
        return None;
    }
    let (q1, q3) = (stats::quantile(&differences, 0.25)?, stats::quantile(&differences, 0.75)?);
    Some(q3 + FENCE * (q3 - q1))
}

/// The step that a t test at the detector's level shows with the power of all verdicts, once the new level has as many
/// points as a level must have.
fn detectable(residuals: &[f64]) -> Option<f64> {
    use statrs::distribution::{ContinuousCDF, StudentsT};
    let n = residuals.len();
    if n < 2 * SEGMENT_MIN {
        return None;
    }
    let freedom = (n - 2) as f64;
    let sd = (residuals.iter().map(|r| r * r).sum::<f64>() / freedom).sqrt();
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let (new, old) = (SEGMENT_MIN as f64, (n - SEGMENT_MIN) as f64);
    Some(
        (t.inverse_cdf(1.0 - CHANGE_P_MAX / 2.0) + t.inverse_cdf(POWER))
            * sd
            * (1.0 / new + 1.0 / old).sqrt(),
    )
}

fn decide(series: &Series<'_>, judged: &mut Judged) {
    let metric = series.of().metric;
    let worse = |found: &Found| (found.ratio < 1.0) == metric.more_is_better();
    let standing =
        |wanted: bool| judged.changes.iter().position(|found| found.stands && worse(found) == wanted);
    let points = series.points.len() - judged.from;
    // A loss that stands is not made good by a gain before it.
    if let Some(index) = standing(true).or_else(|| standing(false)) {
        let found = judged.changes[index];
        let old = judged.levels[index];
        let latest = judged.levels[judged.levels.len() - 1];
        let estimate = estimate(series, old, latest, Some(found.p));
        let (before, after) = (series.points[found.at - 1], series.points[found.at]);
        let place = format!(
            "since {} (before it {}), {} points ago",
            after.revision,
            before.revision,
            series.points.len() - found.at
        );
        (judged.verdict, judged.reason) = if found.harness_changed {
            (Verdict::Inconclusive, format!("{place}: driver or probes changed with it"))
        } else if worse(&found) {
            (Verdict::Regressed, place)
        } else {
            (Verdict::Improved, place)
        };
        (judged.ratio, judged.decides) = (estimate, Some(index));
        return;
    }
    if points < 2 * SEGMENT_MIN {
        judged.reason = format!("{points} of the {} points without which no change shows", 2 * SEGMENT_MIN);
        return;
    }
    let (first, latest) = (judged.levels[0], judged.levels[judged.levels.len() - 1]);
    if first != latest {
        judged.ratio = estimate(series, first, latest, None);
    }
    let smallest = judged.minimal_detectable_ratio;
    let seen = smallest.is_some_and(|ratio| ratio.ln() <= 2.0 * judged.margin_ratio.ln());
    let said = match judged.changes.last() {
        None => format!("no change in {points} points"),
        Some(found) => format!(
            "{} at {}: within the margin, or taken back",
            in_words(found.ratio),
            series.points[found.at].revision
        ),
    };
    (judged.verdict, judged.reason) = if seen {
        (Verdict::Equivalent, said)
    } else {
        let blind = smallest
            .map_or(String::new(), |ratio| format!("; a step below {} would not show yet", in_words(ratio)));
        (Verdict::Inconclusive, said + &blind)
    };
}

fn estimate(series: &Series<'_>, old: Level, new: Level, p: Option<f64>) -> Option<Estimate> {
    let values =
        |level: Level| (level.from..level.to).map(|i| series.points[i].ln_ratio).collect::<Vec<f64>>();
    let shift = stats::shift(&values(old), &values(new), CONFIDENCE)?;
    Some(Estimate {
        ratio: shift.estimate.exp(),
        low: shift.low.exp(),
        high: shift.high.exp(),
        confidence: shift.confidence,
        p,
    })
}
