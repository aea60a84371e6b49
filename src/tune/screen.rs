//! Settings on simulated machines: exact, in this process, on all cores.
//!
//! A simulation that panics is a deadlock, or a lock that found a misuse: its setting has failed, and the others go on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use impls::machine::os::cores_allowed;
use rayon::prelude::*;
use record::{LaunchResult, LaunchSpec, PROTOCOL, ProbeMode};
use reports::guard::blocks::Taken;
use reports::tune::gains::Trials;
use reports::tune::trial::Key;
use reports::tune::{Numbers, Phase, Shape, Trial};

use super::{Search, plan, unix_ms};
use crate::registry::Entry;
use crate::runner::{INTERRUPTED, launch, order};
use crate::simulated::{Marks, attempt};

/// One simulation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) scenario: usize,
    pub(super) setting: usize,
    pub(super) round: u32,
}

/// Makes the jobs that have no trial yet.
pub(super) fn run(search: &Search<'_>, phase: Phase, jobs: &[Job]) -> Result<()> {
    let plan = search.plan;
    let key = |job: &Job| Key {
        phase,
        scenario: job.scenario,
        setting: job.setting,
        shape: Shape::Tuned,
        round: job.round,
    };
    let open: Vec<(usize, Job)> = {
        let trials: &Trials = &search.state().trials;
        jobs.iter().copied().enumerate().filter(|(_, job)| trials.get(&key(job)).is_none()).collect()
    };
    if open.is_empty() {
        return Ok(());
    }
    // A preset that cannot be read is better known before than in the first simulation.
    plan::presets(plan)?;
    let entry = search
        .observatory
        .entry(&plan.implementation)
        .with_context(|| format!("`{}` is not in this program", plan.implementation))?;
    let each = |job: &Job| launch::expected(&plan.scenarios[job.scenario].cell) / cores_allowed() as u32;
    let expected: Duration = open.iter().map(|(_, job)| each(job)).sum();
    let progress = Mutex::new(search.progress(expected, open.len()));
    let done = open.par_iter().try_for_each(|(place, job)| -> Result<()> {
        if INTERRUPTED.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        let spec = spec(search, job, phase);
        let (numbers, failure) = match simulate(entry, &spec) {
            Ok(numbers) => (Some(numbers), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let told = failure.as_ref().map(|f| format!("{}: {f}", plan.show(job.setting)));
        search.keep(Trial {
            phase,
            scenario: job.scenario,
            setting: job.setting,
            shape: Shape::Tuned,
            round: job.round,
            order: *place as u32,
            seed: spec.seed,
            ended_unix_ms: unix_ms(),
            steal_share: None,
            numbers,
            failure,
            doubts: Vec::new(),
        })?;
        progress.lock().unwrap_or_else(|e| e.into_inner()).advance(each(job), told.as_deref());
        Ok(())
    });
    progress.lock().unwrap_or_else(|e| e.into_inner()).finish();
    done
}

/// What a simulated launch is told. Round k of every setting has the same seed; those of a confirmation are fresh.
fn spec(search: &Search<'_>, job: &Job, phase: Phase) -> LaunchSpec {
    let plan = search.plan;
    let cell = &plan.scenarios[job.scenario].cell;
    let stream = if phase == Phase::Confirm { plan.seed ^ 0xF2E5_4000_0000 } else { plan.seed };
    let params: BTreeMap<String, u64> =
        plan.named(job.setting).map(|(name, value)| (name.to_owned(), value)).collect();
    LaunchSpec {
        protocol: PROTOCOL,
        implementation: cell.implementation.clone(),
        params,
        tuned_shape: true,
        machine: cell.machine.clone(),
        preset: plan.presets.get(&cell.machine).cloned(),
        probe: ProbeMode::Full,
        seed: order::mix(stream, u64::from(job.round)),
        cpus: cell.cpus.clone(),
        slices: cell.slices,
        slice_ns: cell.slice_ns,
        warmup_ns: cell.warmup_ns,
        point: cell.point.clone(),
    }
}

fn simulate(entry: &dyn Entry, spec: &LaunchSpec) -> Result<Numbers> {
    let result = match attempt(entry, spec, Marks::default())? {
        Ok(simulation) => simulation.result,
        Err(failure) => {
            bail!("panic: {}", failure.text.lines().map(str::trim).collect::<Vec<_>>().join("; "))
        }
    };
    if let Some(fault) = result.slices.iter().find_map(record::Slice::fault) {
        bail!("{fault}");
    }
    let numbers = numbers(&result, &result);
    if numbers.throughput_per_s <= 0.0 {
        bail!("no operation was made in {} of simulated time", reports::text::time(spec.slice_ns as f64));
    }
    let trace_hash = result.simulated.map(|simulated| simulated.trace_hash);
    Ok(Numbers { trace_hash, ..numbers })
}

/// The numbers of a plain launch and of one that was timed.
pub(super) fn numbers(plain: &LaunchResult, timed: &LaunchResult) -> Numbers {
    let taken = Taken::of(plain);
    let longest = timed.profile.iter().flat_map(|profile| &profile.wait_ns_max).copied().max();
    Numbers {
        throughput_per_s: taken.throughput_per_s.unwrap_or(0.0),
        wait_ns_p99: Taken::of(timed).wait_p99.map(|(ns, _)| ns),
        cpu_ns_per_op: taken.cpu_ns_per_op,
        // Over all slices: one alone is too short for many threads.
        jain: reports::stats::jain(&plain.ops_per_worker()),
        wait_ns_max: longest,
        trace_hash: None,
    }
}
