//! What each knob does alone: the mean over all settings with one of its values, value by value.

use serde::{Deserialize, Serialize};

/// The main effect of one knob on one score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The mean score at each of its values, in their order; `None` where no setting was tried.
    pub means: Vec<Option<f64>>,
    /// Largest mean less smallest.
    pub range: f64,
    /// Its share of the variance of all settings; with a full grid the shares of all knobs sum to at most 1, and what is
    /// missing is their interplay. 0 where nothing varies.
    pub share: f64,
}

/// The main effects of all knobs. `levels` holds, for each setting, the number of the value of each knob; `counts` how many
/// values each has; `scores` the score of each setting, if it was tried.
pub fn main_effects(levels: &[Vec<usize>], counts: &[usize], scores: &[Option<f64>]) -> Vec<Effect> {
    let tried: Vec<(&Vec<usize>, f64)> =
        levels.iter().zip(scores).filter_map(|(levels, score)| Some((levels, (*score)?))).collect();
    let n = tried.len() as f64;
    let mean = tried.iter().map(|(_, score)| score).sum::<f64>() / n.max(1.0);
    let variance = tried.iter().map(|(_, score)| (score - mean).powi(2)).sum::<f64>() / n.max(1.0);
    let of = |(knob, &count): (usize, &usize)| {
        let mut sums = vec![(0.0, 0_u32); count];
        for (levels, score) in &tried {
            let (sum, number) = &mut sums[levels[knob]];
            *sum += score;
            *number += 1;
        }
        let means: Vec<Option<f64>> =
            sums.iter().map(|(sum, number)| (*number > 0).then(|| sum / f64::from(*number))).collect();
        let known = || means.iter().flatten().copied();
        let range = known().fold(f64::NEG_INFINITY, f64::max) - known().fold(f64::INFINITY, f64::min);
        let between: f64 = sums
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(sum, number)| f64::from(*number) * (sum / f64::from(*number) - mean).powi(2))
            .sum::<f64>()
            / n.max(1.0);
        // Rounding alone leaves a variance of some 1e-32.
        let share = if variance > 1e-18 { (between / variance).min(1.0) } else { 0.0 };
        Effect { range: if range.is_finite() { range.max(0.0) } else { 0.0 }, means, share }
    };
    counts.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_an_additive_grid_are_those_of_its_variance() {
        // score = 2 a + b with a in 0..3 and b in 0..2: variances 4 * 2/3 and 1/4.
        let grid: Vec<Vec<usize>> = (0..3).flat_map(|a| (0..2).map(move |b| vec![a, b])).collect();
        let scores: Vec<Option<f64>> = grid.iter().map(|l| Some(2.0 * l[0] as f64 + l[1] as f64)).collect();
        let effects = main_effects(&grid, &[3, 2], &scores);
        let total = 8.0 / 3.0 + 0.25;
        assert!((effects[0].share - 8.0 / 3.0 / total).abs() < 1e-12);
        assert!((effects[1].share - 0.25 / total).abs() < 1e-12);
        assert_eq!((effects[0].range, effects[1].range), (4.0, 1.0));
        assert_eq!(effects[1].means, [Some(2.0), Some(3.0)]);
    }

    #[test]
    fn nothing_that_varies_has_no_share() {
        let grid = vec![vec![0], vec![1], vec![2]];
        let effects = main_effects(&grid, &[3], &[Some(0.1), None, Some(0.1)]);
        assert_eq!(effects[0], Effect { means: vec![Some(0.1), None, Some(0.1)], range: 0.0, share: 0.0 });
    }
}
