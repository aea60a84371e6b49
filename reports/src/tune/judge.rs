//! What the search itself says, before anything is confirmed: who may be chosen, who is on the front, who is picked.

use super::gains::{Gains, Objective, Seen, Trials, gains, violation};
use super::pareto;
use super::plan::TunePlan;
use super::regret;
use super::trial::Phase;

/// What the search itself says, before anything is confirmed.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Which phase decides.
    pub phase: Phase,
    /// Objectives and gains of it.
    pub seen: Seen,
    /// The settings that are judged.
    pub settings: Vec<usize>,
    /// Which of them may be chosen.
    pub allowed: Vec<bool>,
    /// Why others may not, in the order of the plan.
    pub violations: Vec<Option<String>>,
    /// The front of `settings`.
    pub front: pareto::Front,
    /// Scenarios in the order of scores and regrets.
    pub scenarios: Vec<usize>,
    /// Regrets of `settings`, by scenario.
    pub regrets: Vec<Vec<f64>>,
    /// The setting of minimax regret among those that are not worse than the default anywhere.
    pub picked: usize,
    /// The setting of minimax regret on the whole front: it may pay for what it gains.
    pub trade: usize,
}

/// Where a setting is worse than the default beyond the tolerance: the objective and its gain. In the race blocks must
/// show it, too.
pub(super) fn loss(plan: &TunePlan, seen: &Seen, phase: Phase, gains: &Gains) -> Option<(Objective, f64)> {
    let shown = |values: &[f64]| {
        phase == Phase::Screen
            || crate::stats::sign_flip(values).is_some_and(|test| test.p <= plan.rules.alpha)
    };
    let estimates = gains.estimates();
    let worst = (0..estimates.len())
        .filter(|&at| estimates[at] < -plan.rules.epsilon() && shown(&gains.objectives[at]))
        .min_by(|&a, &b| estimates[a].total_cmp(&estimates[b]))?;
    Some((seen.objectives[worst], estimates[worst]))
}

/// Judges the last phase that was made: the race, or the screening where there is no race.
pub fn judge(plan: &TunePlan, trials: &Trials) -> Judged {
    let phase = if plan.simulate_only { Phase::Screen } else { Phase::Race };
    let seen = gains(plan, trials, phase);
    let known = |setting: &usize| seen.settings[*setting].as_ref().map(Gains::rounds);
    // A setting that was caught by an interruption in its first blocks is not judged; the default always is.
    let settings: Vec<usize> = (0..plan.settings.len()).filter(|s| known(s).is_some()).collect();
    let of: Vec<&Gains> = settings.iter().filter_map(|s| seen.settings[*s].as_ref()).collect();
    let violations: Vec<Option<String>> =
        (0..plan.settings.len()).map(|setting| violation(plan, trials, phase, setting)).collect();
    let lawful: Vec<bool> = settings.iter().map(|s| violations[*s].is_none()).collect();
    let lawful_gains: Vec<&Gains> = of.iter().zip(&lawful).filter(|(_, ok)| **ok).map(|(g, _)| *g).collect();
    let front = spread(
        pareto::front(&lawful_gains, plan.rules.epsilon(), plan.rules.resamples, plan.seed),
        &lawful,
        &settings,
    );
    let estimates: Vec<Vec<f64>> = of.iter().map(|gains| gains.estimates()).collect();
    let scored: Vec<(Vec<usize>, Vec<f64>)> =
        estimates.iter().map(|e| regret::scores(&seen.objectives, e, plan.prefer)).collect();
    let scenarios = scored.first().map_or_else(Vec::new, |(scenarios, _)| scenarios.clone());
    let scores: Vec<Vec<f64>> = scored.into_iter().map(|(_, scores)| scores).collect();
    let on_front = |at: usize| front.dominator[at].is_none_or(|(_, p)| p < plan.rules.dominance);
    let front_members: Vec<bool> = (0..settings.len()).map(|at| lawful[at] && on_front(at)).collect();
    // What is worse than the default anywhere could not be recommended: it is not worth fresh launches.
    let harmless = |gains: &Gains| loss(plan, &seen, phase, gains).is_none();
    let allowed: Vec<bool> =
        front_members.iter().zip(&of).map(|(on, gains)| *on && harmless(gains)).collect();
    let regrets = regret::regrets(&scores, &lawful);
    let default_at = settings.iter().position(|s| *s == plan.default);
    let pick = |allowed: &[bool]| {
        default_at.map_or(plan.default, |default_at| {
            settings[regret::minimax(&regrets, allowed, default_at, plan.rules.epsilon())]
        })
    };
    let (picked, trade) = (pick(&allowed), pick(&front_members));
    Judged { phase, seen, settings, allowed, violations, front, scenarios, regrets, picked, trade }
}

/// A front of some settings as one of all that are judged: the others have no part in it.
fn spread(front: pareto::Front, lawful: &[bool], settings: &[usize]) -> pareto::Front {
    let places: Vec<usize> = (0..lawful.len()).filter(|&at| lawful[at]).collect();
    let mut membership = vec![0.0; lawful.len()];
    let mut dominator = vec![None; lawful.len()];
    for (inner, &at) in places.iter().enumerate() {
        membership[at] = front.membership[inner];
        dominator[at] = front.dominator[inner].map(|(by, p)| (settings[places[by]], p));
    }
    pareto::Front { membership, dominator }
}
