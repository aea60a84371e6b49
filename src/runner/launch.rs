//! One launch of a cell: its spec, how often it may be repeated, what became of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use impls::machine::os::cores_allowed;
use profiler::host::{self, StealMeter};
use profiler::truth;
use record::{
    Environment, Failure, FailureKind, Launch, LaunchSpec, Manifest, PROTOCOL, PlannedCell, Record,
    is_simulated,
};
use workloads::Suite;

use super::Run;
use super::child::{Ended, Extra, Program};
use super::order::{self, Job};

/// A launch that other programs disturbed is made again so often.
const DISTURBED_MAX: u32 = 2;
/// In a run of so many launches one may be made again, so that a loaded machine cannot stretch a run without bound.
pub(super) const REPEATS_PER: usize = 8;

/// How long one launch should take.
pub(crate) fn expected(cell: &PlannedCell) -> Duration {
    let all_ms = Suite::expected_ms(std::slice::from_ref(cell), cores_allowed());
    Duration::from_secs_f64(all_ms / 1000.0 / cell.launches.len().max(1) as f64)
}

/// How long it may take: each slice may need a second to open, and a loaded machine stretches everything. What a
/// simulation takes is guessed from afar.
pub(crate) fn limit(cell: &PlannedCell, patience: Duration) -> Duration {
    if is_simulated(&cell.machine) {
        return patience + expected(cell) * 50 + Duration::from_secs(30);
    }
    patience + expected(cell) * 4 + Duration::from_secs(1) * (cell.slices + 1)
}

/// What a child is told of launch `index` of a cell.
pub(crate) fn spec(manifest: &Manifest, cell: &PlannedCell, index: u32) -> LaunchSpec {
    LaunchSpec {
        protocol: PROTOCOL,
        implementation: cell.implementation.clone(),
        params: cell.params.clone(),
        tuned_shape: false,
        machine: cell.machine.clone(),
        preset: manifest.presets.get(&cell.machine).cloned(),
        probe: cell.launches[index as usize],
        // The same for all implementations: launch k of each does the same work.
        seed: order::mix(manifest.seed, u64::from(index)),
        cpus: cell.cpus.clone(),
        slices: cell.slices,
        slice_ns: cell.slice_ns,
        warmup_ns: cell.warmup_ns,
        point: cell.point.clone(),
    }
}

/// Hash over the traces of all launches of a simulated record; `None` if one is missing.
pub(super) fn trace_hash(record: &Record) -> Option<String> {
    let hashes: Option<Vec<&str>> = record
        .launches
        .iter()
        .map(|launch| Some(launch.result.as_ref()?.simulated.as_ref()?.trace_hash.as_str()))
        .collect();
    hashes.filter(|hashes| !hashes.is_empty()).map(|hashes| match hashes.as_slice() {
        [one] => (*one).to_owned(),
        several => record::host::short_hash(several.join(" ").as_bytes()),
    })
}

/// The inversions of lock order that its probe saw.
pub(super) fn inversion(launch: &Launch) -> Option<String> {
    launch.result.as_ref()?.profile.as_ref()?.lock_order.as_ref()?.inverted()
}

/// Makes one launch; `None` if it was interrupted.
pub(super) fn make(
    program: &Program,
    run: &Run<'_>,
    cell: &PlannedCell,
    job: Job,
    place: u32,
    repeats: &mut usize,
) -> Result<Option<Launch>> {
    let spec = spec(run.manifest, cell, job.index);
    let simulated = is_simulated(&cell.machine);
    let trace = (simulated && run.options.trace).then(|| run.dir.trace_path(&cell.cell, job.index));
    let extra = Extra { watch: None, trace: trace.as_deref() };
    let started_unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    let steal = StealMeter::start();
    let limit = limit(cell, run.options.patience);
    let mut ended = program.launch(&spec, limit, &extra)?;
    let mut disturbed = 0;
    while let Ended::Result(result, _) = &ended
        && !simulated
        && *repeats > 0
        && spec.point.threads() <= cores_allowed()
        && result.overlap() < truth::OVERLAP_MIN
        && disturbed < DISTURBED_MAX
    {
        disturbed += 1;
        *repeats -= 1;
        ended = program.launch(&spec, limit, &extra)?;
    }
    let mut took_ns = None;
    let (result, failure) = match ended {
        Ended::Interrupted => return Ok(None),
        Ended::Result(result, took) => {
            took_ns = u64::try_from(took.as_nanos()).ok();
            (Some(*result), None)
        }
        Ended::Failed(mut failure) => {
            if failure.kind == FailureKind::Hang && program.can_watch() && !simulated {
                name_the_hung(program, &spec, limit, &mut failure)?;
            }
            (None, Some(failure))
        }
    };
    let environment = if simulated {
        Environment { note: Some("simulated: no noise".into()), ..Environment::default() }
    } else {
        Environment { steal_share: steal.share(), ..host::environment() }
    };
    let (index, probe, seed) = (job.index, spec.probe, spec.seed);
    Ok(Some(Launch {
        index,
        probe,
        seed,
        order: place,
        started_unix_ms,
        took_ns,
        environment,
        disturbed,
        result,
        failure,
    }))
}

/// Repeats a launch that hung, with the probe that knows who holds and who waits.
fn name_the_hung(program: &Program, spec: &LaunchSpec, limit: Duration, failure: &mut Failure) -> Result<()> {
    // The inside watch gives up first, so that it can still say what it saw.
    let watch = limit.mul_f64(0.7);
    match program.launch(spec, limit, &Extra { watch: Some(watch), trace: None })? {
        Ended::Failed(again) if again.kind == FailureKind::Hang => {
            failure.detail = format!("{}; {}", failure.detail, again.detail);
        }
        Ended::Failed(again) => {
            failure.detail = format!("{}; repeated, it failed otherwise: {}", failure.detail, again.detail);
        }
        Ended::Result(..) => failure.detail.push_str("; repeated once under watch, it did not hang"),
        Ended::Interrupted => {}
    }
    Ok(())
}
