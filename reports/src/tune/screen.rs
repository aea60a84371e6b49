//! Who may race: what the simulated machines leave.
//!
//! The best by Pareto rank and worst regret, the default, and the corners of the grid, which show where the model is wrong.
//! A setting whose traces are those of another one waits until all others have a place: a model that sees no difference is
//! no reason to measure one.

use std::collections::HashMap;

use super::gains::{Gains, Trials, gains, violation};
use super::pareto;
use super::plan::TunePlan;
use super::race::{Fate, ranked};
use super::trial::{Phase, Shape};

/// The settings that race, and what became of the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The default first, the others best first.
    pub racers: Vec<usize>,
    /// Of each setting; those that race are untried so far.
    pub fates: Vec<Fate>,
}

/// Chooses after the screening; without simulated scenarios everybody races.
pub fn select(plan: &TunePlan, trials: &Trials) -> Selection {
    let mut fates = vec![Fate::Untried; plan.settings.len()];
    let others = |setting: &usize| *setting != plan.default;
    if plan.seen(true).is_empty() {
        let racers = [plan.default].into_iter().chain((0..plan.settings.len()).filter(others)).collect();
        return Selection { racers, fates };
    }
    let seen = gains(plan, trials, Phase::Screen);
    let mut lawful = Vec::new();
    for (setting, fate) in fates.iter_mut().enumerate() {
        if let Some(failed) = trials.failure(Phase::Screen, setting) {
            let place = plan.scenarios[failed.scenario].name();
            let what = failed.failure.clone().unwrap_or_default();
            *fate = Fate::Failed { reason: format!("{place}: {what}") };
        } else if let Some(reason) = violation(plan, trials, Phase::Screen, setting) {
            *fate = Fate::Excluded { reason };
        } else if seen.settings[setting].is_some() {
            lawful.push(setting);
        }
    }
    let order = ranked(&seen, &lawful, plan.rules.epsilon(), plan.prefer);
    let twins = twins(plan, trials);
    let (own, copies): (Vec<usize>, Vec<usize>) =
        order.iter().copied().filter(others).partition(|setting| twins[*setting].is_none());
    let room = plan.racers_max.saturating_sub(1);
    let corners: Vec<usize> =
        corners(plan).into_iter().filter(|corner| own.contains(corner)).take(room / 4).collect();
    let mut racers = vec![plan.default];
    racers.extend(own.iter().copied().filter(|s| !corners.contains(s)).take(room - corners.len()));
    racers.extend(&corners);
    racers.extend(copies.iter().copied().take((room + 1).saturating_sub(racers.len())));
    for (place, &setting) in order.iter().enumerate() {
        if racers.contains(&setting) {
            continue;
        }
        let estimates = |s: usize| seen.settings[s].as_ref().map(Gains::estimates).unwrap_or_default();
        let mine = estimates(setting);
        let beats = |by: &&usize| pareto::dominates(&estimates(**by), &mine, plan.rules.epsilon());
        let reason = match (twins[setting], order[..place].iter().find(beats)) {
            (Some(twin), _) => format!("the same traces as {}", plan.show(twin)),
            (None, Some(by)) => format!("dominated by {}", plan.show(*by)),
            (None, None) => format!("place {} of {} by worst regret", place + 1, order.len()),
        };
        fates[setting] = Fate::Screened { reason };
    }
    Selection { racers, fates }
}

/// Of each setting the first one with the same traces in every scenario, if there is one before it; the default counts as
/// the first of all.
fn twins(plan: &TunePlan, trials: &Trials) -> Vec<Option<usize>> {
    let traces = |setting: usize| -> Option<Vec<&str>> {
        let scenarios = plan.seen(true).into_iter();
        let rounds = scenarios.flat_map(|s| trials.rounds(Phase::Screen, s, setting, Shape::Tuned));
        rounds.map(|numbers| numbers.trace_hash.as_deref()).collect()
    };
    let mut first: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut twins = vec![None; plan.settings.len()];
    let order = [plan.default].into_iter().chain((0..plan.settings.len()).filter(|s| *s != plan.default));
    for setting in order {
        let Some(traces) = traces(setting).filter(|traces| !traces.is_empty()) else { continue };
        match first.get(&traces) {
            Some(twin) => twins[setting] = Some(*twin),
            None => {
                first.insert(traces, setting);
            }
        }
    }
    twins
}

/// Settings with the smallest or the largest value of every knob.
fn corners(plan: &TunePlan) -> Vec<usize> {
    let ends: Vec<(u64, u64)> = (0..plan.knobs.len())
        .filter_map(|knob| {
            let values = plan.settings.iter().map(|setting| setting[knob]);
            Some((values.clone().min()?, values.max()?))
        })
        .collect();
    let corner = |setting: &Vec<u64>| setting.iter().zip(&ends).all(|(v, (low, high))| v == low || v == high);
    (0..plan.settings.len()).filter(|&s| corner(&plan.settings[s])).collect()
}
