//! A run: every launch of every cell, in shuffled order, each in a process of its own.
//!
//! | module | holds |
//! |---|---|
//! | [`child`] | one child process: started, fed, watched, ended |
//! | [`launch`] | one launch: its spec, its repetitions, what became of it |
//! | [`order`] | the order of launches |
//! | [`progress`] | what a person sees meanwhile |
//!
//! Measured launches come first, one at a time. Simulated ones need no quiet computer: they follow, as many at a time as
//! there are cores.
//!
//! After each launch its cell's record is judged and written. Whatever ends the run early, what was done is kept, and
//! `--resume` does the rest.

pub(crate) mod child;
pub(crate) mod launch;
pub(crate) mod order;
pub(crate) mod progress;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use impls::card::Runs;
use impls::machine::os::cores_allowed;
use impls::machine::sim::preset::Preset;
use profiler::truth::{self, TruthContext};
use record::store::RunDir;
use record::{FailureKind, Manifest, PlannedCell, Record, SCHEMA, Status, Tool, is_simulated};

use self::child::Program;
use self::order::Job;
use self::progress::Progress;
use crate::Observatory;
use crate::machines::{self, Machines};

/// Set by Ctrl-C: the run ends after the launch at hand has been given up.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C asks the run to end. A second one ends the process as usual.
pub(crate) fn watch_for_interrupt() -> Result<()> {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).context("cannot watch for Ctrl-C")
}

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
    /// Write a timeline beside the record of each simulated launch.
    pub(crate) trace: bool,
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
    let presets = Machines::of_texts(&manifest.presets)?;
    let mut records = Vec::with_capacity(manifest.cells.len());
    for cell in &manifest.cells {
        let existing = (!fresh && dir.record_path(&cell.cell).exists()).then(|| dir.load_record(&cell.cell));
        records.push(match existing {
            // What an earlier simulator said does not belong beside what this one says.
            Some(Ok(record)) if is_outdated(&record) => {
                eprintln!("warning: simulated anew: {} was made by another simulator", record.cell);
                empty_record(observatory, manifest, cell, &presets)
            }
            Some(Ok(record)) => record,
            Some(Err(error)) => {
                // Its launches cannot be trusted.
                eprintln!("warning: measured anew: {error:#}");
                empty_record(observatory, manifest, cell, &presets)
            }
            None => empty_record(observatory, manifest, cell, &presets),
        });
    }
    let programs = programs(observatory, manifest, &mut records, &dir)?;
    let jobs: Vec<(u32, Job)> = order::rounds(&manifest.cells, manifest.seed)
        .into_iter()
        .filter(|job| programs[job.cell].is_some() && wanted(&records[job.cell], job.index))
        .zip(0..)
        .map(|(job, place)| (place, job))
        .collect();
    let expected = |(_, job): &(u32, Job)| launch::expected(&manifest.cells[job.cell]);
    let progress = Progress::new(jobs.iter().map(expected).sum(), jobs.len(), options.quiet);
    let (simulated, measured): (Vec<_>, Vec<_>) =
        jobs.iter().copied().partition(|(_, job)| is_simulated(&manifest.cells[job.cell].machine));
    let run = Run { manifest, dir: &dir, programs, presets, options };
    let state = Mutex::new(State {
        records,
        progress,
        made: 0,
        repeats: jobs.len().div_ceil(launch::REPEATS_PER),
        error: None,
    });
    run.carry_out(&state, &measured, 1);
    run.carry_out(&state, &simulated, cores_allowed());
    let mut state = state.into_inner().unwrap_or_else(|e| e.into_inner());
    state.progress.finish();
    if let Some(error) = state.error.take() {
        return Err(error);
    }
    let left = jobs.iter().filter(|(_, job)| wanted(&state.records[job.cell], job.index)).count();
    Ok(Finished { launches: state.made, left })
}

/// What stays the same while a run goes on.
struct Run<'a> {
    manifest: &'a Manifest,
    dir: &'a RunDir,
    programs: Vec<Option<Program>>,
    /// The simulated machines, by the names of the plan.
    presets: BTreeMap<String, Preset>,
    options: &'a Options,
}

/// What changes.
struct State {
    records: Vec<Record>,
    progress: Progress,
    made: usize,
    repeats: usize,
    /// What ended the run early, on this side.
    error: Option<anyhow::Error>,
}

impl Run<'_> {
    /// Makes the launches, `at_once` of them at a time.
    fn carry_out(&self, state: &Mutex<State>, jobs: &[(u32, Job)], at_once: usize) {
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((place, job)) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
                && !INTERRUPTED.load(Ordering::Relaxed)
            {
                match self.make(state, *job, *place) {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => {
                        held(state).error.get_or_insert(error);
                        return;
                    }
                }
                if held(state).error.is_some() {
                    return;
                }
            }
        };
        if at_once <= 1 {
            return work();
        }
        // Threads of their own, for the kernel ends a child with the thread that started it.
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(jobs.len()) {
                scope.spawn(work);
            }
        });
    }

    /// Makes one launch, judges its cell and writes the record; whether to go on.
    fn make(&self, state: &Mutex<State>, job: Job, place: u32) -> Result<bool> {
        let cell = &self.manifest.cells[job.cell];
        let expected = launch::expected(cell);
        let Some(program) = &self.programs[job.cell] else { return Ok(true) };
        let (name, mut repeats) = {
            let mut state = held(state);
            if !wanted(&state.records[job.cell], job.index) {
                state.progress.advance(expected, None); // The cell has hung meanwhile.
                return Ok(true);
            }
            let name = format!("{} {}", state.records[job.cell].display_name(), cell.point.label);
            state.progress.announce(&name);
            (name, state.repeats)
        };
        let made = launch::make(program, self, cell, job, place, &mut repeats)?;
        let state = &mut *held(state);
        let Some(launch) = made else { return Ok(false) };
        if !is_simulated(&cell.machine) {
            state.repeats = repeats;
        }
        let failure = launch.failure.as_ref().map(|f| format!("{name}: {}: {}", f.kind.name(), f.detail));
        let record = &mut state.records[job.cell];
        // Of a cell once: every launch will say the same of other accounts.
        let known = record.launches.iter().any(|before| launch::inversion(before).is_some());
        let inverted = launch::inversion(&launch).filter(|_| !known);
        let told = failure.or_else(|| inverted.map(|text| format!("{name}: lock order inverted: {text}")));
        record.launches.push(launch);
        record.launches.sort_by_key(|launch| launch.index);
        self.judge(cell, record);
        self.dir.save(record)?;
        state.made += 1;
        state.progress.advance(expected, told.as_deref());
        Ok(true)
    }

    fn judge(&self, cell: &PlannedCell, record: &mut Record) {
        let preset = self.presets.get(&record.machine);
        let pinned = cell.cpus.iter().collect::<BTreeSet<_>>().len();
        let context = TruthContext {
            cores: preset.map_or_else(cores_allowed, |p| p.cores as usize),
            pinned: (pinned > 0).then_some(pinned),
        };
        (record.status, record.reasons, record.checks) = truth::judge(record, &context);
        record.trace_hash = launch::trace_hash(record);
    }
}

fn held(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(|e| e.into_inner())
}

/// Whether launch `index` is still to be made. A cell that hung once is not asked again: it would hang again.
fn wanted(record: &Record, index: u32) -> bool {
    record.status != Status::NotApplicable
        && !record.launches.iter().any(|launch| {
            launch.index == index || launch.failure.as_ref().is_some_and(|f| f.kind == FailureKind::Hang)
        })
}

fn empty_record(
    observatory: &Observatory,
    manifest: &Manifest,
    cell: &PlannedCell,
    presets: &BTreeMap<String, Preset>,
) -> Record {
    let (tool, fingerprint) = match presets.get(&cell.machine) {
        Some(preset) => (simulated_tool(&manifest.tool), machines::fingerprint(preset)),
        None => (manifest.tool.clone(), manifest.host.fingerprint.clone()),
    };
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
        tool,
        command: manifest.command.clone(),
        seed: manifest.seed,
        fingerprint,
    }
}

fn is_outdated(record: &Record) -> bool {
    is_simulated(&record.machine) && record.tool.harness_hash != env!("SYNCHROSCOPE_SIMULATION_HASH")
}

/// Of simulated numbers the simulator is a part of what measures.
fn simulated_tool(tool: &Tool) -> Tool {
    Tool { harness_hash: env!("SYNCHROSCOPE_SIMULATION_HASH").into(), ..tool.clone() }
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
                Runs::OsOnly(reason) if cell.machine != "os" => {
                    Err(anyhow::anyhow!("it runs on `os` only: {reason}"))
                }
                _ => Ok(Program::own(&own)),
            }
        } else if let Some(engine) = observatory.engine(&cell.implementation) {
            if cell.machine != "os" {
                Err(anyhow::anyhow!("engine {} runs on the threads of this computer only", engine.name))
            } else if !cell.point.take.is_one() && !engine.holds_two(&cell.implementation) {
                Err(anyhow::anyhow!("engine {} takes one lock at a time", engine.name))
            } else if cell.cpus.is_empty() || engine.pins(&cell.implementation) {
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
