//! A run: every launch of every cell, in shuffled order, each in a process of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`child`] | one child process: started, fed, watched, ended |
//! | [`order`] | the order of launches |
//! | [`progress`] | what a person sees meanwhile |
//!
//! After each launch its cell's record is judged and written. Whatever ends the run early, what was done is kept, and
//! `--resume` does the rest.

pub(crate) mod child;
pub(crate) mod order;
pub(crate) mod progress;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use impls::card::Runs;
use impls::machine::os::cores_allowed;
use profiler::host::{self, StealMeter};
use profiler::truth::{self, TruthContext};
use record::store::RunDir;
use record::{
    Failure, FailureKind, Launch, LaunchSpec, Manifest, PROTOCOL, PlannedCell, Record, SCHEMA, Status,
};

use workloads::Suite;

use self::child::{Ended, Program};
use self::order::Job;
use self::progress::Progress;
use crate::Observatory;

/// Set by Ctrl-C: the run ends after the launch at hand has been given up.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A launch that other programs disturbed is made again so often.
const DISTURBED_MAX: u32 = 2;
/// In a run of so many launches one may be made again, so that a loaded machine cannot stretch a run without bound.
const REPEATS_PER: usize = 8;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    /// Launches made now.
    pub(crate) launches: usize,
    /// Launches that remain, because the run was interrupted.
    pub(crate) left: usize,
}

/// What a run needs to know besides its manifest.
pub(crate) struct Options {
    /// Gives a launch so long beyond what it is expected to take.
    pub(crate) patience: Duration,
    /// Print nothing but errors.
    pub(crate) quiet: bool,
}

/// Carries out `manifest` in the run directory `path`; launches whose result is there already are not made again.
pub(crate) fn run(
    observatory: &Observatory,
    path: &Path,
    manifest: &Manifest,
    fresh: bool,
    options: &Options,
) -> Result<Finished> {
    let dir = if fresh { RunDir::create(path, manifest)? } else { RunDir::open(path)?.0 };
    let mut records = Vec::with_capacity(manifest.cells.len());
    for cell in &manifest.cells {
        let existing = (!fresh && dir.record_path(&cell.cell).exists()).then(|| dir.load_record(&cell.cell));
        records.push(match existing {
            Some(Ok(record)) => record,
            Some(Err(error)) => {
                // Its launches cannot be trusted.
                eprintln!("warning: measured anew: {error:#}");
                empty_record(observatory, manifest, cell)
            }
            None => empty_record(observatory, manifest, cell),
        });
    }
    let programs = programs(observatory, manifest, &mut records, &dir)?;
    let jobs: Vec<Job> = order::rounds(&manifest.cells, manifest.seed)
        .into_iter()
        .filter(|job| programs[job.cell].is_some() && wanted(&records[job.cell], job.index))
        .collect();
    let expected = |job: &Job| expected(&manifest.cells[job.cell]);
    let mut progress = Progress::new(jobs.iter().map(expected).sum(), jobs.len(), options.quiet);
    let mut made = 0;
    let mut repeats = jobs.len().div_ceil(REPEATS_PER);
    for (place, job) in jobs.iter().enumerate() {
        if INTERRUPTED.load(Ordering::Relaxed) {
            break;
        }
        let (cell, record) = (&manifest.cells[job.cell], &mut records[job.cell]);
        if !wanted(record, job.index) {
            progress.advance(expected(job), None); // The cell has hung meanwhile.
            continue;
        }
        let Some(program) = &programs[job.cell] else { continue };
        progress.announce(&format!("{} {}", record.display_name(), cell.point.label));
        let Some(launch) = make(program, manifest, cell, job, place, options.patience, &mut repeats)? else {
            break;
        };
        let failure = launch.failure.as_ref().map(|failure| {
            format!(
                "{} {}: {}: {}",
                record.display_name(),
                cell.point.label,
                failure.kind.name(),
                failure.detail
            )
        });
        record.launches.push(launch);
        record.launches.sort_by_key(|launch| launch.index);
        judge(record);
        dir.save(record)?;
        made += 1;
        progress.advance(expected(job), failure.as_deref());
    }
    progress.finish();
    let left = jobs.iter().filter(|job| wanted(&records[job.cell], job.index)).count();
    Ok(Finished { launches: made, left })
}

/// How long one launch should take.
fn expected(cell: &PlannedCell) -> Duration {
    let all_ms = Suite::expected_ms(std::slice::from_ref(cell), cores_allowed());
    Duration::from_secs_f64(all_ms / 1000.0 / cell.launches.len().max(1) as f64)
}

/// How long it may take: each slice may need a second to open, and a loaded machine stretches everything.
fn limit(cell: &PlannedCell, patience: Duration) -> Duration {
    patience + expected(cell) * 4 + Duration::from_secs(1) * (cell.slices + 1)
}

/// Whether launch `index` is still to be made. A cell that hung once is not asked again: it would hang again.
fn wanted(record: &Record, index: u32) -> bool {
    record.status != Status::NotApplicable
        && !record.launches.iter().any(|launch| {
            launch.index == index || launch.failure.as_ref().is_some_and(|f| f.kind == FailureKind::Hang)
        })
}

fn empty_record(observatory: &Observatory, manifest: &Manifest, cell: &PlannedCell) -> Record {
    Record {
        schema: SCHEMA,
        cell: cell.cell.clone(),
        implementation: cell.implementation.clone(),
        arm: cell.arm.clone(),
        params: cell.params.clone(),
        machine: cell.machine.clone(),
        point: cell.point.clone(),
        role: observatory.row(&cell.implementation).unwrap_or(record::cell::ImplementationRole::Design),
        compare_waits: observatory.waits_compare(&cell.implementation),
        launches: Vec::new(),
        status: Status::Ok,
        reasons: Vec::new(),
        checks: Vec::new(),
        trace_hash: None,
        tool: manifest.tool.clone(),
        command: manifest.command.clone(),
        seed: manifest.seed,
        fingerprint: manifest.host.fingerprint.clone(),
    }
}

/// The program of each cell. A cell that cannot run here gets its record at once, with the reason.
fn programs(
    observatory: &Observatory,
    manifest: &Manifest,
    records: &mut [Record],
    dir: &RunDir,
) -> Result<Vec<Option<Program>>> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let mut programs = Vec::with_capacity(manifest.cells.len());
    for (cell, record) in manifest.cells.iter().zip(records) {
        let program = if let Some(entry) = observatory.entry(&cell.implementation) {
            match entry.card().runs {
                Runs::OsOnly(reason) if cell.machine != "os" => Err(anyhow::anyhow!("{reason}")),
                _ => Ok(Program::own(&own)),
            }
        } else if let Some(engine) = observatory.engine(&cell.implementation) {
            if cell.cpus.is_empty() || engine.pins(&cell.implementation) {
                engine.ready().map(Program::engine)
            } else {
                Err(anyhow::anyhow!("engine {} cannot pin it to cores", engine.name))
            }
        } else {
            Err(anyhow::anyhow!("`{}` is not in this program", cell.implementation))
        };
        programs.push(match program {
            Ok(program) => {
                // It may have been missing when the run began; --resume finds it now.
                if record.status == Status::NotApplicable {
                    (record.status, record.reasons) = (Status::Ok, Vec::new());
                }
                Some(program)
            }
            Err(reason) => {
                // What was launched before, and how it was judged, stays.
                if record.launches.is_empty() {
                    record.status = Status::NotApplicable;
                    record.reasons = vec![format!("{reason:#}")];
                    dir.save(record)?;
                }
                None
            }
        });
    }
    Ok(programs)
}

fn judge(record: &mut Record) {
    let context = TruthContext { cores: cores_allowed() };
    (record.status, record.reasons, record.checks) = truth::judge(record, &context);
}

/// Makes one launch; `None` if it was interrupted.
fn make(
    program: &Program,
    manifest: &Manifest,
    cell: &PlannedCell,
    job: &Job,
    place: usize,
    patience: Duration,
    repeats: &mut usize,
) -> Result<Option<Launch>> {
    let probe = cell.launches[job.index as usize];
    let spec = LaunchSpec {
        protocol: PROTOCOL,
        implementation: cell.implementation.clone(),
        params: cell.params.clone(),
        tuned_shape: false,
        machine: cell.machine.clone(),
        probe,
        // The same for all implementations: launch k of each does the same work.
        seed: order::mix(manifest.seed, u64::from(job.index)),
        cpus: cell.cpus.clone(),
        slices: cell.slices,
        slice_ns: cell.slice_ns,
        warmup_ns: cell.warmup_ns,
        point: cell.point.clone(),
    };
    let started_unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
    let steal = StealMeter::start();
    let limit = limit(cell, patience);
    let mut ended = program.launch(&spec, limit, None)?;
    let mut disturbed = 0;
    while let Ended::Result(result) = &ended
        && *repeats > 0
        && spec.point.threads() <= cores_allowed()
        && result.overlap() < truth::OVERLAP_MIN
        && disturbed < DISTURBED_MAX
    {
        disturbed += 1;
        *repeats -= 1;
        ended = program.launch(&spec, limit, None)?;
    }
    let (result, failure) = match ended {
        Ended::Interrupted => return Ok(None),
        Ended::Result(result) => (Some(*result), None),
        Ended::Failed(mut failure) => {
            if failure.kind == FailureKind::Hang && program.can_watch() {
                name_the_hung(program, &spec, limit, &mut failure)?;
            }
            (None, Some(failure))
        }
    };
    let mut environment = host::environment();
    environment.steal_share = steal.share();
    let order = place as u32;
    Ok(Some(Launch {
        index: job.index,
        probe,
        seed: spec.seed,
        order,
        started_unix_ms,
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
    match program.launch(spec, limit, Some(watch))? {
        Ended::Failed(again) if again.kind == FailureKind::Hang => {
            failure.detail = format!("{}; {}", failure.detail, again.detail);
        }
        Ended::Failed(again) => {
            failure.detail = format!("{}; repeated, it failed otherwise: {}", failure.detail, again.detail);
        }
        Ended::Result(_) => failure.detail.push_str("; repeated once under watch, it did not hang"),
        Ended::Interrupted => {}
    }
    Ok(())
}

/// Checks that a shard is `I/N` with 1 <= I <= N, and keeps its cells.
pub(crate) fn keep_shard(cells: &mut Vec<PlannedCell>, shard: &str) -> Result<()> {
    let parsed =
        shard.split_once('/').and_then(|(i, n)| Some((i.parse::<usize>().ok()?, n.parse::<usize>().ok()?)));
    let Some((index, count)) = parsed else {
        anyhow::bail!("--shard {shard}: expected I/N, such as 1/4");
    };
    ensure!(index >= 1 && index <= count, "--shard {shard}: I must lie between 1 and {count}");
    let total = cells.len();
    let mut place = 0;
    cells.retain(|_| {
        place += 1;
        (place - 1) % count == index - 1
    });
    ensure!(!cells.is_empty(), "--shard {shard}: the run has only {total} cells, so this shard is empty");
    Ok(())
}
