//! The race: who goes on after a rung, and why somebody leaves.
//!
//! Two ways lead out. *Beaten*: on every objective worse than the default, or than the leader, beyond the tolerance, and
//! the sign-flip test rejects chance for every metric. *Set aside*: not shown to be worse, but the launches do not suffice
//! for all, and two thirds rank behind; its blocks stay in the front with what they are worth.

use serde::{Deserialize, Serialize};

use super::gains::{Gains, Objective, Seen};
use super::pareto;
use super::plan::{OBJECTIVES, Prefer, Rules};
use super::regret;
use crate::stats::sign_flip;

/// Where a setting's way ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Fate {
    /// It was not tried.
    Untried,
    /// A launch failed.
    Failed {
        /// What happened.
        reason: String,
    },
    /// A constraint excludes it.
    Excluded {
        /// Which.
        reason: String,
    },
    /// The screening let others race.
    Screened {
        /// Whom it lost to, and by which rule.
        reason: String,
    },
    /// The race showed it to be worse.
    Beaten {
        /// After so many blocks.
        blocks: u32,
        /// By which setting.
        by: usize,
        /// Largest p of the tests.
        p: f64,
    },
    /// The launches did not suffice for all, and others ranked before it.
    SetAside {
        /// After so many blocks.
        blocks: u32,
        /// Its place, from 1.
        place: usize,
        /// Of so many.
        of: usize,
    },
    /// It came to the end.
    Finished,
}

/// What a test said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worse {
    /// The largest p over the metrics.
    pub p: f64,
}

/// Whether blocks show that a setting is worse than another on every objective. `over` holds the gains of the setting
/// over the other.
///
/// The estimate of each objective must lie beyond the tolerance. For each metric the differences of all scenarios and
/// blocks are tested together, for four blocks of one scenario could never reach the level: scenarios are launches of
/// their own, so their signs are as free as those of blocks. All metrics must reject, so the largest p counts.
pub fn worse(over: &Gains, objectives: &[Objective], rules: &Rules) -> Option<Worse> {
    if over.rounds() < rules.blocks_min as usize || objectives.is_empty() {
        return None;
    }
    if over.estimates().iter().any(|estimate| *estimate >= -rules.epsilon()) {
        return None;
    }
    let mut largest = 0.0_f64;
    for metric in OBJECTIVES {
        let of = objectives.iter().zip(&over.objectives).filter(|(objective, _)| objective.metric == metric);
        let differences: Vec<f64> = of.flat_map(|(_, values)| values.iter().copied()).collect();
        if differences.is_empty() {
            continue;
        }
        let test = sign_flip(&differences)?;
        if test.p > rules.alpha {
            return None;
        }
        largest = largest.max(test.p);
    }
    Some(Worse { p: largest })
}

/// What follows from a rung.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// Those that go on, best first; the default is always among them.
    pub on: Vec<usize>,
    /// Those that leave, and how.
    pub out: Vec<(usize, Fate)>,
}

/// Judges the settings `alive` after `blocks` blocks. `affordable` is how many may go on.
pub fn judge(
    seen: &Seen,
    alive: &[usize],
    default: usize,
    blocks: u32,
    affordable: usize,
    rules: &Rules,
    prefer: Prefer,
) -> Rung {
    let gains = |setting: usize| seen.settings[setting].as_ref();
    let mut order: Vec<usize> = alive.iter().copied().filter(|&s| gains(s).is_some()).collect();
    order = ranked(seen, &order, rules.epsilon(), prefer);
    let mut out = Vec::new();
    if blocks < rules.blocks_min {
        return Rung { on: order, out };
    }
    let leader = order.first().copied().unwrap_or(default);
    let mut on = Vec::new();
    for &setting in &order {
        let by = [default, leader].into_iter().filter(|&by| by != setting);
        let found = by
            .filter_map(|by| Some((by, worse(&gains(setting)?.over(gains(by)?), &seen.objectives, rules)?)));
        match found.min_by(|a, b| a.1.p.total_cmp(&b.1.p)) {
            Some((by, worse)) if setting != default => {
                out.push((setting, Fate::Beaten { blocks, by, p: worse.p }));
            }
            _ => on.push(setting),
        }
    }
    if on.len() > affordable {
        let third = on.len().div_ceil(rules.eta.max(1) as usize);
        let keep = third.clamp(2.min(on.len()), affordable.max(2));
        let of = on.len();
        let places: Vec<(usize, usize)> = on.iter().copied().zip(1..).collect();
        on = Vec::new();
        for (setting, place) in places {
            if place <= keep || setting == default {
                on.push(setting);
            } else {
                out.push((setting, Fate::SetAside { blocks, place, of }));
            }
        }
    }
    Rung { on, out }
}

/// Settings in the order of their Pareto rank, those of one rank by their worst regret.
pub fn ranked(seen: &Seen, settings: &[usize], epsilon: f64, prefer: Prefer) -> Vec<usize> {
    let known: Vec<usize> = settings.iter().copied().filter(|&s| seen.settings[s].is_some()).collect();
    let estimates: Vec<Vec<f64>> =
        known.iter().map(|&s| seen.settings[s].as_ref().map_or_else(Vec::new, Gains::estimates)).collect();
    let points: Vec<&[f64]> = estimates.iter().map(Vec::as_slice).collect();
    let rank = pareto::ranks(&points, epsilon);
    let scores: Vec<Vec<f64>> =
        estimates.iter().map(|e| regret::scores(&seen.objectives, e, prefer).1).collect();
    let worst: Vec<f64> = regret::regrets(&scores, &vec![true; known.len()])
        .iter()
        .map(|r| r.iter().copied().fold(0.0, f64::max))
        .collect();
    let mut order: Vec<usize> = (0..known.len()).collect();
    order.sort_by(|&a, &b| (rank[a].cmp(&rank[b])).then(worst[a].total_cmp(&worst[b])).then(a.cmp(&b)));
    order.into_iter().map(|at| known[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objectives(scenarios: usize) -> Vec<Objective> {
        let of = |scenario| OBJECTIVES.map(|metric| Objective { scenario, metric });
        (0..scenarios).flat_map(of).collect()
    }

    fn constant(scenarios: usize, blocks: usize, gain: f64) -> Gains {
        let wobble = |block: usize| gain + 0.001 * block as f64;
        Gains { objectives: vec![(0..blocks).map(wobble).collect(); 3 * scenarios] }
    }

    #[test]
    fn four_blocks_of_one_scenario_beat_nobody_and_of_two_they_do() {
        let rules = Rules::default();
        // 2^(1 - 4) = 0.125 is above the level, 2^(1 - 8) is below.
        assert_eq!(worse(&constant(1, 4, -0.3), &objectives(1), &rules), None);
        let found = worse(&constant(2, 4, -0.3), &objectives(2), &rules).unwrap();
        assert!((found.p - 2f64.powi(-7)).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn nobody_is_beaten_before_four_blocks_or_within_the_tolerance() {
        let rules = Rules::default();
        assert_eq!(worse(&constant(8, 3, -0.5), &objectives(8), &rules), None);
        assert_eq!(worse(&constant(4, 8, -0.015), &objectives(4), &rules), None);
    }

    #[test]
    fn one_objective_that_is_not_worse_saves() {
        let rules = Rules::default();
        let mut over = constant(2, 8, -0.3);
        over.objectives[4] = vec![0.0; 8];
        assert_eq!(worse(&over, &objectives(2), &rules), None);
    }

    #[test]
    fn the_default_stays_and_a_third_goes_on() {
        let blocks = 4;
        let settings: Vec<Option<Gains>> =
            (0..9).map(|i| Some(constant(1, blocks, 0.05 * i as f64 - 0.2))).collect();
        let seen = Seen { objectives: objectives(1), settings };
        let alive: Vec<usize> = (0..9).collect();
        let rules = Rules::default();
        let rung = judge(&seen, &alive, 0, 4, 5, &rules, Prefer::Balanced);
        assert_eq!(rung.on, [8, 7, 6, 0], "the default last, and yet on");
        assert!(rung.out.contains(&(5, Fate::SetAside { blocks: 4, place: 4, of: 9 })));
        // Where all can be afforded all go on: nobody is shown to be worse by four blocks of one scenario.
        let rung = judge(&seen, &alive, 0, 4, 9, &rules, Prefer::Balanced);
        assert_eq!((rung.on.len(), rung.out.len()), (9, 0));
        // And before four blocks nobody leaves at all.
        assert_eq!(judge(&seen, &alive, 0, 2, 1, &rules, Prefer::Balanced).on.len(), 9);
    }
}
