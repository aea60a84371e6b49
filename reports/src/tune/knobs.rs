//! Whether a knob does anything: settings that differ in it alone, held against each other.

use super::gains::{Gains, Seen, Trials};
use super::outcome::KnobVerdict;
use super::plan::TunePlan;
use super::trial::{Phase, Shape};

/// Probability that a knob without any effect is said to have one in the race.
const KNOB_ALPHA: f64 = 0.01;

/// Whether settings that differ in one knob alone differ in anything.
pub(super) fn verdict(
    plan: &TunePlan,
    trials: &Trials,
    seen: &Seen,
    phase: Phase,
    knob: usize,
) -> KnobVerdict {
    let alike = |a: usize, b: usize| {
        let pairs = plan.settings[a].iter().zip(&plan.settings[b]).enumerate();
        pairs.into_iter().all(|(at, (x, y))| (at == knob) != (x == y))
    };
    let tried: Vec<usize> = (0..plan.settings.len()).filter(|s| seen.settings[*s].is_some()).collect();
    let pairs: Vec<(usize, usize)> = tried
        .iter()
        .flat_map(|&a| tried.iter().map(move |&b| (a, b)))
        .filter(|&(a, b)| a < b && alike(a, b))
        .collect();
    if pairs.is_empty() {
        return KnobVerdict::Untried;
    }
    if phase == Phase::Screen {
        let hashes = |setting: usize| -> Vec<Option<String>> {
            let scenarios = plan.seen(true).into_iter();
            let rounds = scenarios.flat_map(|s| trials.rounds(phase, s, setting, Shape::Tuned));
            rounds.map(|n| n.trace_hash.clone()).collect()
        };
        let same = |&(a, b): &(usize, usize)| {
            let (a, b) = (hashes(a), hashes(b));
            a == b && a.iter().all(Option::is_some)
        };
        if pairs.iter().all(same) {
            return KnobVerdict::Identical;
        }
    }
    let epsilon = plan.rules.epsilon();
    let overs: Vec<Gains> = pairs
        .iter()
        .filter_map(|&(a, b)| Some(seen.settings[a].as_ref()?.over(seen.settings[b].as_ref()?)))
        .collect();
    let beyond =
        |over: &Gains| over.estimates().into_iter().map(|e| e.abs() > epsilon).collect::<Vec<bool>>();
    if phase == Phase::Screen {
        let differs = overs.iter().any(|over| beyond(over).contains(&true));
        return if differs { KnobVerdict::Effect } else { KnobVerdict::NoEffect };
    }
    // Of many pairs and objectives some differ by chance: the level is shared among those that have enough blocks to reach
    // it. Settings that left the race early have not, and that they do not differ says nothing.
    let blocks = |over: &Gains| over.objectives.iter().map(Vec::len).min().unwrap_or(0);
    let mut most_first: Vec<&Gains> = overs.iter().collect();
    most_first.sort_by_key(|over| std::cmp::Reverse(blocks(over)));
    let level = |count: usize| KNOB_ALPHA / (count * seen.objectives.len()).max(1) as f64;
    let reaches =
        |count: &usize| 2f64.powi(1 - blocks(most_first[count - 1]).min(1000) as i32) <= level(*count);
    let able = (1..=most_first.len()).rev().find(reaches).unwrap_or(0);
    let differs = |over: &&Gains| {
        let tests = over.objectives.iter().map(|values| crate::stats::sign_flip(values));
        beyond(over)
            .into_iter()
            .zip(tests)
            .any(|(beyond, test)| beyond && test.is_some_and(|t| t.p <= level(able)))
    };
    match () {
        () if most_first[..able].iter().any(differs) => KnobVerdict::Effect,
        () if able == pairs.len() => KnobVerdict::NoEffect,
        () => KnobVerdict::NotShown,
    }
}
