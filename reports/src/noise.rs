//! What the controls of a run say: how far two measurements of the same code lie apart, and what observing costs.

use record::{ProbeMode, Status};

use crate::stats::{self, Ratio};
use crate::summary::{CONFIDENCE, Source, Summary};
use crate::text::change;

/// Two arms of the same implementation at one point.
#[derive(Clone, Debug, PartialEq)]
pub struct AaPair {
    /// Name without the arm.
    pub implementation: String,
    /// The point.
    pub label: String,
    /// Where the numbers come from.
    pub source: Source,
    /// Throughput of arm `b` over arm `a`: 1 but for the noise.
    pub throughput: Ratio,
}

/// Every A/A pair among the cells: same implementation, point, source and computer, arms `a` and `b`.
pub fn aa_pairs(cells: &[Summary]) -> Vec<AaPair> {
    let mut pairs = Vec::new();
    for a in cells.iter().filter(|c| c.arm == "a") {
        let partner = |b: &&Summary| {
            b.arm == "b"
                && b.implementation == a.implementation
                && b.label == a.label
                && b.curve_key == a.curve_key
                && b.source == a.source
                && b.fingerprint == a.fingerprint
        };
        let Some(b) = cells.iter().find(partner) else { continue };
        let values = |c: &Summary| c.throughput_per_s.as_ref().map_or_else(Vec::new, |s| s.values.clone());
        if let Ok(throughput) = stats::ratio(&values(a), &values(b), CONFIDENCE) {
            pairs.push(AaPair {
                implementation: a.implementation.clone(),
                label: a.label.clone(),
                source: a.source.clone(),
                throughput,
            });
        }
    }
    pairs
}

/// The noise floor: the largest distance from 1 among the A/A ratios, as a ratio above 1. `None` without a pair.
pub fn floor(pairs: &[AaPair]) -> Option<f64> {
    pairs.iter().map(|p| p.throughput.estimate.ln().abs()).reduce(f64::max).map(f64::exp)
}

/// The least margin, as a share: smaller differences are nobody's business on a shared computer.
pub const MARGIN_MIN: f64 = 0.03;

/// The ratio, above 1, from which a difference is worth talking about: 3 %, or twice the noise floor.
pub fn margin(pairs: &[AaPair]) -> f64 {
    floor(pairs).map_or(1.0, |f| f.powi(2)).max(1.0 + MARGIN_MIN)
}

/// How large a difference must be at each point. Noise is a matter of the point: threads that fight for a line settle in
/// patterns, one alone does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Margins(Vec<AaPair>);

impl Margins {
    /// By the A/A pairs among the cells.
    pub fn of(cells: &[Summary]) -> Self {
        Margins(aa_pairs(cells))
    }

    /// By the A/A pairs of several runs.
    pub fn of_runs(runs: &[&[Summary]]) -> Self {
        Margins(runs.iter().flat_map(|cells| aa_pairs(cells)).collect())
    }

    /// The margin at a point: by its own pairs, or by all where it has none.
    pub fn at(&self, label: &str, source: &Source) -> f64 {
        let own = |pair: &&AaPair| pair.label == label && pair.source == *source;
        let own: Vec<AaPair> = self.0.iter().filter(own).cloned().collect();
        margin(if own.is_empty() { &self.0 } else { &own })
    }

    /// Whether a pair surely differs from itself: then no difference is trusted, wherever it is.
    pub fn moved(&self) -> bool {
        let moved = |r: &Ratio| r.reached && (r.low > 1.0 + MARGIN_MIN || r.high < 1.0 / (1.0 + MARGIN_MIN));
        self.0.iter().any(|pair| moved(&pair.throughput))
    }

    /// The noise floor of all points.
    pub fn floor(&self) -> Option<f64> {
        floor(&self.0)
    }

    /// The least and the largest margin of points with pairs of their own; that without any pair, twice, where none has.
    pub fn range(&self) -> (f64, f64) {
        let margins = || self.0.iter().map(|pair| self.at(&pair.label, &pair.source));
        let least = margins().reduce(f64::min);
        least.zip(margins().reduce(f64::max)).unwrap_or_else(|| (margin(&[]), margin(&[])))
    }
}

/// Margins in words: one, or the least and the largest.
pub fn margins_text((least, most): (f64, f64)) -> String {
    if least < most { format!("{} to {}, by the point", change(least), change(most)) } else { change(most) }
}

/// What one probe costs over all ranked cells.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeCost {
    /// The probe.
    pub probe: ProbeMode,
    /// Cells that ran with and without it.
    pub cells: usize,
    /// Median over cells of the throughput with it over the throughput without.
    pub ratio_median: f64,
    /// The smallest: the cell that it disturbs most.
    pub ratio_min: f64,
    /// The largest.
    pub ratio_max: f64,
}

/// The probe-effect certificate of a set of cells; simulated cells are left out, their probes cost no simulated time.
pub fn probe_costs(cells: &[Summary]) -> Vec<ProbeCost> {
    let of = |probe: ProbeMode| {
        let ok = cells.iter().filter(|c| c.status == Status::Ok && c.source == Source::Measured);
        let ratios: Vec<f64> =
            ok.flat_map(|c| &c.probe_effect).filter(|(p, _)| *p == probe).map(|(_, r)| r.estimate).collect();
        Some(ProbeCost {
            probe,
            cells: ratios.len(),
            ratio_median: stats::median(&ratios)?,
            ratio_min: stats::quantile(&ratios, 0.0)?,
            ratio_max: stats::quantile(&ratios, 1.0)?,
        })
    };
    [ProbeMode::Count, ProbeMode::Sample, ProbeMode::Full].into_iter().filter_map(of).collect()
}

/// The share of processor time that the hypervisor gave to others: median and largest over all launches that know it.
pub fn steal(cells: &[Summary]) -> Option<(f64, f64)> {
    let shares: Vec<f64> = cells.iter().flat_map(|c| &c.launches).filter_map(|l| l.steal_share).collect();
    Some((stats::median(&shares)?, stats::quantile(&shares, 1.0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_a_matter_of_the_point() {
        let pair = |label: &str, b: f64| AaPair {
            implementation: "mutex/x".into(),
            label: label.into(),
            source: Source::Measured,
            throughput: stats::ratio(&[1.0; 5], &[b; 5], CONFIDENCE).expect("launches"),
        };
        let margins = Margins(vec![pair("loud", 1.3), pair("quiet", 0.999)]);
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        assert!(near(margins.at("loud", &Source::Measured), 1.69));
        assert!(near(margins.at("quiet", &Source::Measured), 1.03));
        // Without pairs of its own a point may be as loud as any.
        assert!(near(margins.at("other", &Source::Measured), 1.69));
        assert_eq!(
            margins.range(),
            (margins.at("quiet", &Source::Measured), margins.at("loud", &Source::Measured))
        );
        assert_eq!(Margins(Vec::new()).range(), (1.03, 1.03));
        assert!(margins.moved() && !Margins(vec![pair("quiet", 0.999)]).moved());
    }
}
