//! The survivors on this computer: block after block every setting once in every scenario, shuffled, the default among
//! them twice, as history built it and in the shape that reads parameters.
//!
//! Launches are alone. What a block has in common cancels when a setting is held against the default of the same block.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use impls::machine::os::cores_allowed;
use profiler::host::StealMeter;
use profiler::truth::OVERLAP_MIN;
use record::{FailureKind, LaunchResult, ProbeMode};
use reports::tune::gains::gains;
use reports::tune::race::{Fate, judge};
use reports::tune::trial::Key;
use reports::tune::{Phase, Shape, Trial};

use super::{Search, plan, screen, unix_ms};
use crate::guard::pairs::{Arm, spec};
use crate::runner::child::{Ended, Extra, Program};
use crate::runner::progress::Progress;
use crate::runner::{INTERRUPTED, launch, order};

/// Of so many trials one launch may be made again because the cores were not free.
const TRIALS_PER_REPEAT: usize = 4;
/// A launch without an operation, or without a stretch in which all threads ran, is made again so often.
const AGAIN_MAX: u32 = 3;

/// Runs the race and writes down how it ended for each of the `racers`.
pub(super) fn run(search: &Search<'_>, racers: &[usize], fates: &mut [Fate]) -> Result<()> {
    let plan = search.plan;
    let scenarios = plan.seen(false);
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let program = Program::own(&own);
    let mut alive: Vec<usize> = racers.to_vec();
    let planned = plan::race_trials(plan, racers.len(), scenarios.len() as u64) as usize;
    let each: Duration =
        scenarios.iter().map(|s| launch::expected(&plan.scenarios[*s].cell) * 2).sum::<Duration>()
            / scenarios.len().max(1) as u32;
    let mut runner = Runner {
        search,
        program,
        progress: search.progress(each * planned as u32, planned),
        repeats: planned.div_ceil(TRIALS_PER_REPEAT),
        order: 0,
    };
    let (mut from, mut made) = (0, 0_u64);
    for (rung, &to) in plan.rules.rungs.iter().enumerate() {
        for block in from..to {
            let mut jobs: Vec<(usize, usize, Shape)> = Vec::new();
            for &scenario in &scenarios {
                jobs.extend(alive.iter().map(|&setting| (scenario, setting, Shape::Tuned)));
                jobs.push((scenario, plan.default, Shape::Constant));
            }
            jobs.sort_by_key(|(scenario, setting, shape)| {
                let number =
                    (*scenario as u64) << 32 | (*setting as u64) << 1 | u64::from(*shape == Shape::Constant);
                order::mix(plan.seed ^ u64::from(block) << 40, number)
            });
            made += jobs.len() as u64;
            for (scenario, setting, shape) in jobs {
                runner.trial(Key { phase: Phase::Race, scenario, setting, shape, round: block })?;
            }
            drop_failed(search, &mut alive, fates)?;
        }
        from = to;
        if rung + 1 == plan.rules.rungs.len() {
            break;
        }
        let left = plan.race_launches_max.saturating_sub(made);
        let affordable = affordable(plan, left, to, scenarios.len() as u64, alive.len());
        let seen = gains(plan, &search.state().trials, Phase::Race);
        let judged = judge(&seen, &alive, plan.default, to, affordable, &plan.rules, plan.prefer);
        for (setting, fate) in judged.out {
            fates[setting] = fate;
        }
        alive = judged.on;
        let planned = (made + rest(plan, scenarios.len() as u64, to, alive.len())) as usize;
        runner.progress.expect(each * planned as u32, planned);
        // Nobody is left to be compared.
        if alive.iter().all(|setting| *setting == plan.default) {
            break;
        }
    }
    runner.progress.finish();
    alive.iter().for_each(|setting| fates[*setting] = Fate::Finished);
    fates[plan.default] = Fate::Finished;
    Ok(())
}

/// How many settings may go on after `from` blocks: the most that can be carried to the next rung, and a third of them
/// further on.
fn affordable(plan: &reports::tune::TunePlan, left: u64, from: u32, scenarios: u64, alive: usize) -> usize {
    (0..=alive).rev().find(|&racers| rest(plan, scenarios, from, racers) <= left).unwrap_or(0)
}

/// Trials of `racers` settings from block `from` on.
fn rest(plan: &reports::tune::TunePlan, scenarios: u64, mut from: u32, racers: usize) -> u64 {
    let (mut racers, mut trials) = (racers as u64, 0);
    let start = from;
    for &rung in plan.rules.rungs.iter().filter(|rung| **rung > start) {
        trials += (racers + 1) * u64::from(rung - from) * scenarios;
        (racers, from) = (racers.div_ceil(u64::from(plan.rules.eta)).max(2).min(racers), rung);
    }
    trials
}

/// Settings of which a launch failed leave; if the default fails there is nothing to compare with.
fn drop_failed(search: &Search<'_>, alive: &mut Vec<usize>, fates: &mut [Fate]) -> Result<()> {
    let plan = search.plan;
    let state = search.state();
    for &setting in alive.iter() {
        let Some(trial) = state.trials.failure(Phase::Race, setting) else { continue };
        let place = plan.scenarios[trial.scenario].name();
        let what = trial.failure.as_deref().unwrap_or_default();
        if setting == plan.default {
            bail!("{} fails with history's values: {place}: {what}", plan.implementation);
        }
        fates[setting] = Fate::Failed { reason: format!("{place}: {what}") };
    }
    alive.retain(|setting| state.trials.failure(Phase::Race, *setting).is_none());
    Ok(())
}

struct Runner<'a, 'b> {
    search: &'a Search<'b>,
    program: Program,
    progress: Progress,
    repeats: usize,
    order: u32,
}

impl Runner<'_, '_> {
    /// Makes a trial, unless it was made before the search was interrupted, or its setting has failed meanwhile.
    fn trial(&mut self, key: Key) -> Result<()> {
        let plan = self.search.plan;
        let place = self.order;
        self.order += 1;
        let cell = &plan.scenarios[key.scenario].cell;
        let expected = launch::expected(cell) * 2;
        {
            let state = self.search.state();
            let known = state.trials.get(&key).is_some();
            if known || state.trials.failure(Phase::Race, key.setting).is_some() {
                self.progress.advance(expected, None);
                return Ok(());
            }
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        self.progress.announce(&format!("{} {}", plan.show(key.setting), cell.point.label));
        let mut arm =
            Arm { program: self.program.clone(), cell: cell.clone(), tuned_shape: key.shape == Shape::Tuned };
        if key.shape == Shape::Tuned {
            arm.cell.params = plan.named(key.setting).map(|(name, value)| (name.to_owned(), value)).collect();
        }
        // The same work for all settings of a block.
        let seed = order::mix(plan.seed, u64::from(key.round));
        let steal = StealMeter::start();
        let mut doubts = Vec::new();
        let measured = self.pair(&arm, seed, &mut doubts)?;
        let (numbers, failure) = match measured {
            Ok((plain, timed)) => (Some(screen::numbers(&plain, &timed)), None),
            Err(failure) => (None, Some(failure)),
        };
        let (numbers, failure) = match numbers {
            Some(numbers) if numbers.throughput_per_s <= 0.0 => {
                (None, Some("no operation was made".to_owned()))
            }
            numbers => (numbers, failure),
        };
        let told = failure.as_ref().map(|f| format!("{} {}: {f}", plan.show(key.setting), cell.point.label));
        self.search.keep(Trial {
            phase: key.phase,
            scenario: key.scenario,
            setting: key.setting,
            shape: key.shape,
            round: key.round,
            order: place,
            seed,
            ended_unix_ms: unix_ms(),
            steal_share: steal.share(),
            numbers,
            failure,
            doubts,
        })?;
        self.progress.advance(expected, told.as_deref());
        Ok(())
    }

    /// A plain launch and a timed one.
    fn pair(
        &mut self,
        arm: &Arm,
        seed: u64,
        doubts: &mut Vec<String>,
    ) -> Result<Result<(LaunchResult, LaunchResult), String>> {
        let plain = match self.launch(arm, ProbeMode::Off, seed, doubts)? {
            Ok(result) => result,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(self.launch(arm, ProbeMode::Full, seed, doubts)?.map(|timed| (plain, timed)))
    }

    /// One launch; made again if other programs took the cores, by the scheduler's account alone.
    fn launch(
        &mut self,
        arm: &Arm,
        probe: ProbeMode,
        seed: u64,
        doubts: &mut Vec<String>,
    ) -> Result<Result<LaunchResult, String>> {
        let spec = spec(arm, probe, seed);
        let limit = launch::limit(&arm.cell, self.search.patience);
        let mut again = 0;
        loop {
            let result = match self.program.launch(&spec, limit, &Extra { watch: None, trace: None })? {
                Ended::Interrupted => bail!("interrupted"),
                // Where other programs take the cores a slice may end before a thread has begun: that is not the lock's doing.
                Ended::Failed(failure) if failure.kind == FailureKind::WrongResult && again < AGAIN_MAX => {
                    again += 1;
                    continue;
                }
                Ended::Failed(failure) => {
                    return Ok(Err(format!("{}: {}", failure.kind.name(), failure.detail)));
                }
                Ended::Result(result, _) => *result,
            };
            if let Some(fault) = result.slices.iter().find_map(record::Slice::fault) {
                return Ok(Err(format!("wrong result: {fault}")));
            }
            if result.ops() == 0 && again < AGAIN_MAX {
                again += 1;
                continue;
            }
            let overlap = result.overlap();
            if spec.point.threads() <= cores_allowed() && overlap < OVERLAP_MIN {
                if self.repeats > 0 {
                    self.repeats -= 1;
                    continue;
                }
                doubts.push(format!("overlap {overlap:.2} of a launch with probe {}", probe.name()));
            }
            return Ok(Ok(result));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_be_afforded_costs_no_more_than_is_left() {
        let rules = reports::tune::plan::Rules::default();
        let cost = |racers: u64| (racers + 1) * 4 * 2 + (racers.div_ceil(3).max(2).min(racers) + 1) * 8 * 2;
        let plan = reports::tune::TunePlan { rules, ..crate::tune::tests::plan() };
        for left in [0, 50, 100, 200, 500] {
            let racers = affordable(&plan, left, 4, 2, 25);
            assert!(cost(racers as u64) <= left || racers == 0, "{left}: {racers}");
            assert!(racers == 25 || cost(racers as u64 + 1) > left, "{left}: {racers}");
        }
    }
}
