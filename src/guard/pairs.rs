//! Launches of two arms in paired blocks: the engine of every measured verdict.
//!
//! Blocks come in rounds, each round every pair once, shuffled. A block is ABBA or BAAB, as many of the one as of the
//! other over the rounds; where both arms are also observed, a probed launch of each follows. Never do two launches run
//! at the same time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use impls::machine::os::{clock, cores_allowed};
use profiler::host::StealMeter;
use profiler::truth::OVERLAP_MIN;
use record::{Failure, FailureKind, LaunchSpec, PROTOCOL, PlannedCell, ProbeMode};
use reports::guard::blocks::{Block, Taken};

use crate::runner::child::{Ended, Extra, Program};
use crate::runner::{launch, order};

/// One side of a pair: a program, and the cell that it launches. Of the cell's launches only the probe of the observed
/// ones is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Arm {
    /// What runs its launches.
    pub(crate) program: Program,
    /// What is launched.
    pub(crate) cell: PlannedCell,
    /// Whether the implementation is built to read its parameters at run time even if none is set: both arms of a pair
    /// should be, where one sets parameters.
    pub(crate) tuned_shape: bool,
}

/// Two arms that are compared.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// What a person sees while it runs.
    pub(crate) name: String,
    /// A.
    pub(crate) baseline: Arm,
    /// B.
    pub(crate) candidate: Arm,
    /// Who listens in a further launch of each arm in each block, for the waits; `None`: there is none.
    pub(crate) probe: Option<ProbeMode>,
}

impl Pair {
    /// How long a block is expected to take.
    pub(crate) fn expected(&self) -> Duration {
        let arms = [&self.baseline, &self.candidate].map(|arm| launch::expected(&arm.cell));
        let each: Duration = arms.iter().sum();
        each * (2 + u32::from(self.probe.is_some()))
    }
}

/// How the blocks are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Blocks of each pair.
    pub(crate) blocks: u32,
    /// Seed of orders and draws.
    pub(crate) seed: u64,
    /// Gives a launch so long beyond what it should take.
    pub(crate) patience: Duration,
    /// Keep the throughput of each slice.
    pub(crate) slices: bool,
}

/// Which side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// A.
    Baseline,
    /// B.
    Candidate,
}

/// What the blocks of one pair gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Whole blocks, in order.
    pub(crate) blocks: Vec<Block>,
    /// The launch that failed first, if any did: the pair was left alone from then on.
    pub(crate) failed: Option<(Side, Failure)>,
    /// Blocks that other programs disturbed and that were kept, since they were made anew often enough.
    pub(crate) disturbed: u32,
    /// Blocks that were thrown away whole and made anew.
    pub(crate) repeated: u32,
}

/// Of so many blocks one may be made anew, so that a loaded computer cannot stretch a job without bound.
const BLOCKS_PER_REPEAT: u32 = 4;

/// A launch whose answer does not fit its question is asked again so often.
const ATTEMPTS: u32 = 3;

/// Makes `plan.blocks` blocks of each pair. `tell` hears of each block before (`None`) and after (`Some`) it is made.
///
/// # Errors
/// If this side cannot go on, or was interrupted. A launch that fails ends its pair only.
pub(crate) fn run(
    pairs: &[Pair],
    plan: &Plan,
    tell: &mut dyn FnMut(&Pair, Option<Duration>),
) -> Result<Vec<Measured>> {
    let mut measured = vec![Measured::default(); pairs.len()];
    let mut repeats = (pairs.len() as u32 * plan.blocks).div_ceil(BLOCKS_PER_REPEAT);
    for round in 0..plan.blocks {
        let mut places: Vec<usize> = (0..pairs.len()).collect();
        places.sort_by_key(|&place| order::mix(plan.seed ^ u64::from(round) << 32, place as u64));
        for place in places {
            let (pair, into) = (&pairs[place], &mut measured[place]);
            tell(pair, None);
            let mut again = 0;
            while into.failed.is_none() {
                let first = baseline_first(plan, place, round);
                let seed = order::mix(plan.seed, u64::from(round) << 8 | u64::from(again));
                let begun = Instant::now();
                let made = block(pair, first, seed, plan)?;
                let took_s = begun.elapsed().as_secs_f64();
                match made {
                    Err(failed) => into.failed = Some(failed),
                    Ok(made) if is_disturbed(&made, pair) && repeats > 0 => {
                        (repeats, again, into.repeated) = (repeats - 1, again + 1, into.repeated + 1);
                    }
                    Ok(made) => {
                        into.disturbed += u32::from(is_disturbed(&made, pair));
                        into.blocks.push(Block { repeated: again, took_s, ..made });
                        break;
                    }
                }
            }
            tell(pair, Some(pair.expected()));
        }
    }
    Ok(measured)
}

/// Whether block `round` of a pair is ABBA: as often as not over each two rounds.
fn baseline_first(plan: &Plan, place: usize, round: u32) -> bool {
    let draw = order::mix(plan.seed ^ 0xABBA, (place as u64) << 32 | u64::from(round / 2));
    (draw & 1 == 0) ^ (round % 2 == 1)
}

/// Whether other programs took the cores from any of its launches. Where there are more threads than cores, nobody can
/// say.
fn is_disturbed(block: &Block, pair: &Pair) -> bool {
    pair.baseline.cell.point.threads() <= cores_allowed()
        && block.launches().any(|taken| taken.overlap < OVERLAP_MIN)
}

/// One block, or the launch that failed.
fn block(
    pair: &Pair,
    baseline_first: bool,
    seed: u64,
    plan: &Plan,
) -> Result<Result<Block, (Side, Failure)>> {
    use Side::{Baseline, Candidate};
    let (order, sides) = match baseline_first {
        true => ("ABBA", [Baseline, Candidate, Candidate, Baseline]),
        false => ("BAAB", [Candidate, Baseline, Baseline, Candidate]),
    };
    let mut made = Block { order: order.to_owned(), ..Block::default() };
    for side in sides {
        // The k-th launch of each arm does the same work.
        let k = match side {
            Baseline => made.baseline.len(),
            Candidate => made.candidate.len(),
        };
        match take(pair, side, ProbeMode::Off, order::mix(seed, k as u64), plan)? {
            Err(failure) if side == Candidate && made.baseline.is_empty() => {
                // Perhaps the baseline does the same.
                let seed = order::mix(seed, 0);
                let of_baseline = take(pair, Baseline, ProbeMode::Off, seed, plan)?.err();
                return Ok(Err(of_baseline.map_or((side, failure), |failure| (Baseline, failure))));
            }
            Err(failure) => return Ok(Err((side, failure))),
            Ok(taken) if side == Baseline => made.baseline.push(taken),
            Ok(taken) => made.candidate.push(taken),
        }
    }
    for side in pair.probe.iter().flat_map(|_| [sides[0], sides[1]]) {
        let probe = pair.probe.unwrap_or(ProbeMode::Full);
        match take(pair, side, probe, order::mix(seed, 2), plan)? {
            Err(failure) => return Ok(Err((side, failure))),
            Ok(taken) if side == Baseline => made.baseline_probed = Some(taken),
            Ok(taken) => made.candidate_probed = Some(taken),
        }
    }
    Ok(Ok(made))
}

/// One launch.
fn take(pair: &Pair, side: Side, probe: ProbeMode, seed: u64, plan: &Plan) -> Result<Result<Taken, Failure>> {
    let arm = match side {
        Side::Baseline => &pair.baseline,
        Side::Candidate => &pair.candidate,
    };
    let spec = spec(arm, probe, seed);
    let calibration_ns = fixed_work_ns();
    let steal = StealMeter::start();
    let limit = launch::limit(&arm.cell, plan.patience);
    let mut attempts = 0;
    let result = loop {
        match arm.program.launch(&spec, limit, &Extra { watch: None, trace: None })? {
            Ended::Interrupted => bail!("interrupted"),
            // An answer that does not fit its question, such as a slice of no length, comes of a core that was taken away.
            Ended::Failed(failure) if failure.kind == FailureKind::WrongResult && attempts < ATTEMPTS => {
                attempts += 1;
            }
            // On a loaded computer a launch may just not get its turns: only what hangs twice hangs.
            Ended::Failed(failure) if failure.kind == FailureKind::Hang && attempts == 0 => {
                eprintln!("{}: {}: once more", pair.name, failure.detail);
                attempts = ATTEMPTS;
            }
            Ended::Failed(failure) => return Ok(Err(failure)),
            Ended::Result(result, _) => break result,
        }
    };
    if let Some(fault) = result.slices.iter().find_map(record::Slice::fault) {
        return Ok(Err(Failure {
            kind: FailureKind::WrongResult,
            detail: format!("{fault}: the lock let two threads in"),
            stderr: String::new(),
        }));
    }
    let mut taken = Taken::of(&result);
    if !plan.slices {
        taken.slices_per_s = Vec::new();
    }
    (taken.steal_share, taken.calibration_ns) = (steal.share(), Some(calibration_ns));
    Ok(Ok(taken))
}

/// What a child is told.
pub(crate) fn spec(arm: &Arm, probe: ProbeMode, seed: u64) -> LaunchSpec {
    let cell = &arm.cell;
    LaunchSpec {
        protocol: PROTOCOL,
        implementation: cell.implementation.clone(),
        params: cell.params.clone(),
        tuned_shape: arm.tuned_shape,
        machine: cell.machine.clone(),
        preset: None,
        probe,
        seed,
        cpus: cell.cpus.clone(),
        slices: cell.slices,
        slice_ns: cell.slice_ns,
        warmup_ns: cell.warmup_ns,
        point: cell.point.clone(),
    }
}

/// The calibration loop: always the same work, on one thread, touching nothing. The fastest of several, for what
/// disturbs can only slow down.
fn fixed_work_ns() -> f64 {
    const STEPS: u64 = 100_000;
    const LOOPS: u32 = 5;
    let timed = |_| {
        let start_ns = clock::now_ns();
        let mut state = std::hint::black_box(1_u64);
        for _ in 0..STEPS {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        }
        std::hint::black_box(state);
        clock::now_ns() - start_ns
    };
    (0..LOOPS).map(timed).min().unwrap_or(0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_balanced_and_drawn() {
        let firsts = |seed: u64, place: usize| -> Vec<bool> {
            let plan = Plan { blocks: 12, seed, patience: Duration::ZERO, slices: false };
            (0..12).map(|round| baseline_first(&plan, place, round)).collect()
        };
        for seed in 0..50 {
            assert_eq!(firsts(seed, 3).iter().filter(|first| **first).count(), 6, "{seed}");
        }
        assert_ne!(firsts(1, 0), firsts(2, 0));
        assert_ne!(firsts(1, 0), firsts(1, 1));
    }

    #[test]
    fn fixed_work_takes_time() {
        assert!(fixed_work_ns() > 0.0);
    }
}
