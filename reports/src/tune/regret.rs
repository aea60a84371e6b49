//! One number a scenario, and the setting whose worst regret over the scenarios is smallest.
//!
//! The score of a setting in a scenario is the weighted sum of its gains: a weighted geometric mean of ratios. Its regret
//! there is what the best setting of that scenario scores more. Minimax regret takes the setting that nobody need regret
//! much, whichever scenario turns out to be theirs.

use super::gains::Objective;
use super::plan::{OBJECTIVES, Prefer};

/// The scenarios of some objectives, in order, and the score in each. Weights of objectives that a scenario lacks fall to
/// the others.
pub fn scores(objectives: &[Objective], estimates: &[f64], prefer: Prefer) -> (Vec<usize>, Vec<f64>) {
    let mut scenarios: Vec<usize> = objectives.iter().map(|objective| objective.scenario).collect();
    scenarios.dedup();
    let weight = |objective: &Objective| {
        let at = OBJECTIVES.iter().position(|metric| *metric == objective.metric);
        at.map_or(0.0, |at| prefer.weights()[at])
    };
    let score = |scenario: &usize| {
        let of = || objectives.iter().zip(estimates).filter(|(o, _)| o.scenario == *scenario);
        let weights: f64 = of().map(|(objective, _)| weight(objective)).sum();
        let sum: f64 = of().map(|(objective, gain)| weight(objective) * gain).sum();
        if weights > 0.0 { sum / weights } else { 0.0 }
    };
    let scores = scenarios.iter().map(score).collect();
    (scenarios, scores)
}

/// The regret of each setting in each scenario; the best are sought among those `allowed`. Never below 0.
pub fn regrets(scores: &[Vec<f64>], allowed: &[bool]) -> Vec<Vec<f64>> {
    let scenarios = scores.iter().map(Vec::len).max().unwrap_or(0);
    let best = |scenario: usize| {
        let of =
            scores.iter().zip(allowed).filter(|(_, allowed)| **allowed).filter_map(|(s, _)| s.get(scenario));
        of.copied().fold(f64::NEG_INFINITY, f64::max)
    };
    let best: Vec<f64> = (0..scenarios).map(best).collect();
    scores.iter().map(|s| s.iter().zip(&best).map(|(own, best)| (best - own).max(0.0)).collect()).collect()
}

/// The allowed setting whose worst regret is smallest; the default if its own is within `tolerance` of that.
pub fn minimax(regrets: &[Vec<f64>], allowed: &[bool], default: usize, tolerance: f64) -> usize {
    let worst = |setting: usize| regrets[setting].iter().copied().fold(0.0, f64::max);
    let candidates = (0..regrets.len()).filter(|&setting| allowed[setting]);
    let Some(best) = candidates.min_by(|&a, &b| worst(a).total_cmp(&worst(b))) else { return default };
    if allowed.get(default).copied().unwrap_or(false) && worst(default) <= worst(best) + tolerance {
        return default;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Metric;

    #[test]
    fn weights_fall_to_what_is_there() {
        let objective = |scenario, metric| Objective { scenario, metric };
        let objectives = [
            objective(3, Metric::Throughput),
            objective(3, Metric::WaitP99),
            objective(3, Metric::CpuPerOp),
            objective(5, Metric::Throughput),
        ];
        let (scenarios, scores) = scores(&objectives, &[0.4, 0.2, -0.2, 0.1], Prefer::Balanced);
        assert_eq!(scenarios, [3, 5]);
        assert!((scores[0] - 0.2).abs() < 1e-12 && (scores[1] - 0.1).abs() < 1e-12, "{scores:?}");
    }

    #[test]
    fn the_smallest_worst_regret_wins_and_not_the_best_mean() {
        // The first is best on average and bad in one scenario; the third is never far from the best.
        let scores = vec![vec![1.0, 1.0, 0.0], vec![0.0, 0.0, 0.9], vec![0.6, 0.6, 0.5]];
        let all = [true; 3];
        let found = regrets(&scores, &all);
        assert_eq!(found[0], [0.0, 0.0, 0.9]);
        assert_eq!(minimax(&found, &all, 1, 0.0), 2);
        // Forbidden, it neither wins nor sets what others regret.
        let allowed = [true, true, false];
        assert_eq!(minimax(&regrets(&scores, &allowed), &allowed, 1, 0.0), 0);
    }

    #[test]
    fn the_default_wins_ties() {
        let scores = vec![vec![0.0, 0.0], vec![0.015, 0.01]];
        let all = [true, true];
        assert_eq!(minimax(&regrets(&scores, &all), &all, 0, 0.02), 0);
        assert_eq!(minimax(&regrets(&scores, &all), &all, 0, 0.001), 1);
    }
}
