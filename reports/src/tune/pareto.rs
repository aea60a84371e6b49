//! Who is beaten by whom: exactly, and with a probability over resampled blocks.

use super::gains::Gains;

/// Whether `a` dominates `b`: in no objective worse by more than `epsilon`, in one better by more.
pub fn dominates(a: &[f64], b: &[f64], epsilon: f64) -> bool {
    let differences = || a.iter().zip(b).map(|(a, b)| a - b);
    differences().all(|d| d >= -epsilon) && differences().any(|d| d > epsilon)
}

/// The Pareto rank of each point: 0 for those that nobody dominates, 1 for those that only these dominate, and so on.
pub fn ranks(points: &[&[f64]], epsilon: f64) -> Vec<usize> {
    let mut rank = vec![usize::MAX; points.len()];
    let mut left: Vec<usize> = (0..points.len()).collect();
    for level in 0.. {
        if left.is_empty() {
            break;
        }
        let beaten = |&at: &usize| left.iter().any(|&by| dominates(points[by], points[at], epsilon));
        let front: Vec<usize> = left.iter().copied().filter(|at| !beaten(at)).collect();
        // With a tolerance three points can dominate each other in a circle: then they share the rank.
        let front = if front.is_empty() { left.clone() } else { front };
        front.iter().for_each(|&at| rank[at] = level);
        left.retain(|at| rank[*at] == usize::MAX);
    }
    rank
}

/// What resampling says about a set of settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Of each setting, the share of the resamples in which nobody dominates it.
    pub membership: Vec<f64>,
    /// Of each setting, who dominates it most surely, and the share of the resamples in which it does.
    pub dominator: Vec<Option<(usize, f64)>>,
}

/// Resamples the blocks, the same ones for all settings, and counts who dominates whom.
///
/// Each objective of a resample is the median of its blocks: of four blocks one may be a stray. Settings with different
/// numbers of blocks are resampled from their own.
pub fn front(settings: &[&Gains], epsilon: f64, resamples: u32, seed: u64) -> Front {
    let n = settings.len();
    let mut random = SplitMix(seed);
    let most = settings.iter().map(|gains| gains.rounds()).max().unwrap_or(0);
    let mut wins = vec![0_u32; n * n];
    let mut members = vec![0_u32; n];
    let mut buffer = Vec::new();
    for _ in 0..resamples {
        let draws: Vec<f64> = (0..most).map(|_| random.unit()).collect();
        let points: Vec<Vec<f64>> = settings
            .iter()
            .map(|gains| {
                let rounds = gains.rounds();
                gains
                    .objectives
                    .iter()
                    .map(|values| resampled(values, &draws[..rounds], &mut buffer))
                    .collect()
            })
            .collect();
        for b in 0..n {
            let mut free = true;
            for a in (0..n).filter(|&a| a != b) {
                if dominates(&points[a], &points[b], epsilon) {
                    wins[a * n + b] += 1;
                    free = false;
                }
            }
            members[b] += u32::from(free);
        }
    }
    let share = |count: u32| f64::from(count) / f64::from(resamples.max(1));
    let dominator = |b: usize| {
        let most = (0..n).filter(|&a| a != b).max_by_key(|&a| (wins[a * n + b], std::cmp::Reverse(a)))?;
        let wins = wins[most * n + b];
        (wins > 0).then(|| (most, share(wins)))
    };
    Front {
        membership: members.iter().map(|&count| share(count)).collect(),
        dominator: (0..n).map(dominator).collect(),
    }
}

/// The median of the drawn values.
fn resampled(values: &[f64], draws: &[f64], buffer: &mut Vec<f64>) -> f64 {
    buffer.clear();
    buffer.extend(draws.iter().map(|draw| values[(draw * values.len() as f64) as usize]));
    middle(buffer)
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[half],
        _ => (values[half - 1] + values[half]) / 2.0,
    }
}

/// The interval of each objective's gain between two quantiles of the resampled medians: for pictures, not for verdicts.
pub fn intervals(gains: &Gains, confidence: f64, resamples: u32, seed: u64) -> Vec<(f64, f64)> {
    let mut random = SplitMix(seed);
    let rounds = gains.rounds();
    let mut medians: Vec<Vec<f64>> = vec![Vec::new(); gains.objectives.len()];
    let mut buffer = Vec::new();
    for _ in 0..resamples {
        let draws: Vec<f64> = (0..rounds).map(|_| random.unit()).collect();
        for (values, medians) in gains.objectives.iter().zip(&mut medians) {
            medians.push(resampled(values, &draws, &mut buffer));
        }
    }
    let tail = (1.0 - confidence) / 2.0;
    let quantile = |values: &[f64], q| crate::stats::quantile(values, q).unwrap_or(0.0);
    medians.iter().map(|m| (quantile(m, tail), quantile(m, 1.0 - tail))).collect()
}

/// A small generator: SplitMix64.
struct SplitMix(u64);

impl SplitMix {
    /// From 0 to below 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dominance_needs_no_loss_and_one_win() {
        assert!(dominates(&[0.1, 0.0], &[0.0, 0.0], 0.02));
        assert!(dominates(&[0.1, -0.01], &[0.0, 0.0], 0.02), "a loss below epsilon is none");
        assert!(!dominates(&[0.1, -0.05], &[0.0, 0.0], 0.02));
        assert!(!dominates(&[0.01, 0.01], &[0.0, 0.0], 0.02), "nor is a win");
    }

    #[test]
    fn ranks_peel_fronts() {
        let points = [[2.0, 0.0], [0.0, 2.0], [1.0, 1.0], [0.5, 0.5], [0.0, 0.0]];
        let points: Vec<&[f64]> = points.iter().map(|p| p.as_slice()).collect();
        assert_eq!(ranks(&points, 0.0), [0, 0, 0, 1, 2]);
    }

    #[test]
    fn ranks_end_where_points_dominate_in_a_circle() {
        // Each is better than the next by 0.3 somewhere, and worse by less than the tolerance of 0.2 elsewhere.
        let points = [[0.3, 0.15, 0.0], [0.0, 0.3, 0.15], [0.15, 0.0, 0.3]];
        let points: Vec<&[f64]> = points.iter().map(|p| p.as_slice()).collect();
        assert!(dominates(points[0], points[1], 0.2) && dominates(points[1], points[2], 0.2));
        assert!(dominates(points[2], points[0], 0.2));
        assert_eq!(ranks(&points, 0.2), [0, 0, 0]);
    }

    fn gains(values: &[&[f64]]) -> Gains {
        Gains { objectives: values.iter().map(|v| v.to_vec()).collect() }
    }

    #[test]
    fn clear_differences_are_certain_and_equals_stay() {
        let better = gains(&[&[0.2, 0.21, 0.19, 0.22], &[0.0, 0.01, 0.0, -0.01]]);
        let base = gains(&[&[0.0; 4], &[0.0; 4]]);
        let found = front(&[&better, &base, &base], 0.02, 500, 1);
        assert_eq!(found.membership, [1.0, 0.0, 0.0]);
        assert_eq!(found.dominator, [None, Some((0, 1.0)), Some((0, 1.0))]);
        let alone = front(&[&base, &base], 0.02, 500, 1);
        assert_eq!(alone.membership, [1.0, 1.0], "nobody beats an equal");
    }

    #[test]
    fn noise_makes_membership_a_probability() {
        let noisy = gains(&[&[0.3, -0.3, 0.25, -0.2, 0.1]]);
        let base = gains(&[&[0.0; 5]]);
        let found = front(&[&noisy, &base], 0.02, 2000, 7);
        // The median of five draws is positive with probability P(Bin(5, 3/5) >= 3) = 0.6826.
        let (_, p) = found.dominator[1].unwrap();
        assert!((p - 0.6826).abs() < 0.04, "{p}");
        assert!((found.membership[1] - 0.3174).abs() < 0.04, "{:?}", found.membership);
        assert_eq!(found, front(&[&noisy, &base], 0.02, 2000, 7), "a seed fixes it");
    }
}
