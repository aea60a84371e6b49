//! Both arms of each pair under each seed, on simulated machines.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, bail};
use impls::machine::os::cores_allowed;
use record::{Failure, FailureKind, LaunchResult, LaunchSpec, PROTOCOL, PlannedCell, ProbeMode};
use reports::guard::exact::{Outcome, Simulated};
use workloads::Suite;

use super::{Arm, Pair, Plan, side_by_side};
use crate::runner::child::{Ended, Extra, Program};
use crate::runner::{launch, order};

/// Exit code of a program that was asked for something that it does not have.
const REFUSED: &str = "exit code 2: ";

/// How long all launches should take: they run side by side.
pub(crate) fn expected(pairs: &[Pair], seeds: u32) -> Duration {
    let planned =
        |pair: &Pair| PlannedCell { launches: vec![ProbeMode::Off; 2 * seeds as usize], ..pair.cell.clone() };
    let cells: Vec<PlannedCell> = pairs.iter().map(planned).collect();
    Duration::from_secs_f64(Suite::expected_ms(&cells, cores_allowed()) / 1e3)
}

/// Runs every seed of every pair on both arms; `tell` hears of each launch that was made.
///
/// # Errors
/// If this side cannot go on, or was interrupted.
pub(crate) fn outcomes(
    pairs: &[Pair],
    plan: &Plan<'_>,
    tell: &(dyn Fn(&Pair) + Sync),
) -> Result<Vec<Simulated>> {
    let seeds: Vec<u64> = (0..plan.seeds).map(|k| order::mix(plan.seed, u64::from(k))).collect();
    let each = 2 * seeds.len();
    let made: Vec<Mutex<Option<Outcome>>> = (0..pairs.len() * each).map(|_| Mutex::new(None)).collect();
    // What an arm could not do under one seed it is not asked again: it would hang, or refuse, each time.
    let given_up: Vec<Mutex<Option<Outcome>>> = (0..pairs.len() * 2).map(|_| Mutex::new(None)).collect();
    side_by_side(made.len(), &|job| {
        let (place, seed, side) = (job / each, seeds[job % each / 2], job % 2);
        let pair = &pairs[place];
        let given_up = &given_up[place * 2 + side];
        let known = held(given_up).clone();
        let outcome = match known {
            Some(outcome) => outcome,
            None => {
                let arm = if side == 0 { &pair.baseline } else { &pair.candidate };
                let (outcome, last) = launch(pair, arm, seed, plan)?;
                if last {
                    *held(given_up) = Some(outcome.clone());
                }
                outcome
            }
        };
        *held(&made[job]) = Some(outcome);
        tell(pair);
        Ok(())
    })?;
    let mut outcomes = made.into_iter().map(|slot| {
        let missing = || Outcome::Missing("it was not launched".to_owned());
        slot.into_inner().unwrap_or_else(|e| e.into_inner()).unwrap_or_else(missing)
    });
    let of_pair = |pair: &Pair| {
        let (mut baseline, mut candidate) = (Vec::new(), Vec::new());
        for _ in &seeds {
            baseline.extend(outcomes.next());
            candidate.extend(outcomes.next());
        }
        Simulated {
            implementation: pair.candidate.implementation.clone(),
            label: pair.cell.point.label.clone(),
            machine: pair.cell.machine.clone(),
            seeds: seeds.clone(),
            baseline,
            candidate,
        }
    };
    Ok(pairs.iter().map(of_pair).collect())
}

fn held(slot: &Mutex<Option<Outcome>>) -> std::sync::MutexGuard<'_, Option<Outcome>> {
    slot.lock().unwrap_or_else(|e| e.into_inner())
}

/// What an arm is told of one seed.
pub(super) fn spec(pair: &Pair, arm: &Arm, seed: u64) -> LaunchSpec {
    LaunchSpec {
        protocol: PROTOCOL,
        implementation: arm.implementation.clone(),
        params: arm.params.clone(),
        tuned_shape: pair.tuned_shape(),
        machine: pair.cell.machine.clone(),
        preset: Some(pair.preset.clone()),
        // Looking costs simulated threads nothing; nobody reads what a probe would say.
        probe: ProbeMode::Off,
        seed,
        cpus: pair.cell.cpus.clone(),
        slices: pair.cell.slices,
        slice_ns: pair.cell.slice_ns,
        warmup_ns: pair.cell.warmup_ns,
        point: pair.cell.point.clone(),
    }
}

/// One launch; whether the next one would end the same way.
fn launch(pair: &Pair, arm: &Arm, seed: u64, plan: &Plan<'_>) -> Result<(Outcome, bool)> {
    let limit = launch::limit(&pair.cell, plan.patience);
    let extra = Extra { watch: None, trace: None };
    match Program::own(&arm.program).launch(&spec(pair, arm, seed), limit, &extra)? {
        Ended::Interrupted => bail!("interrupted"),
        Ended::Result(result, _) => Ok((outcome(&result, pair.is_floor), false)),
        Ended::Failed(failure) => Ok(failed(failure)),
    }
}

fn failed(failure: Failure) -> (Outcome, bool) {
    let Failure { kind, detail, .. } = failure;
    match kind {
        FailureKind::NotStarted | FailureKind::Protocol => (Outcome::Missing(detail), true),
        FailureKind::Crash if detail.starts_with(REFUSED) => {
            let why = detail[REFUSED.len()..].trim_start_matches("error: ").to_owned();
            (Outcome::Missing(why), true)
        }
        FailureKind::Hang => (Outcome::Failed(format!("hang: {detail}")), true),
        kind => (Outcome::Failed(format!("{}: {detail}", kind.name())), false),
    }
}

fn outcome(result: &LaunchResult, is_floor: bool) -> Outcome {
    let Some(simulated) = &result.simulated else {
        return Outcome::Missing("its answer has no trace: it did not simulate".to_owned());
    };
    if let Some(fault) = result.slices.iter().find_map(record::Slice::fault).filter(|_| !is_floor) {
        return Outcome::Failed(format!("it does not exclude: {fault}"));
    }
    Outcome::Ran {
        // A preset that another version reads otherwise is another machine.
        trace_hash: format!("{} {}", simulated.preset_hash, simulated.trace_hash),
        cycles: simulated.ledger.span_cycles,
        operations: simulated.ledger.acquires,
    }
}
