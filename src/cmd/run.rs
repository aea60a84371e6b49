//! `run`: a suite becomes a run directory, a table and a report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use impls::machine::os::{cores_allowed, cpus_allowed};
use record::store::RunDir;
use record::{Manifest, PlannedCell, Record, SCHEMA, Status, Tool, is_simulated};
use workloads::{Count, Overrides, Suite, nearest};

use super::{catalogue, command_line, print, report};
use crate::Observatory;
use crate::args::RunArgs;
use crate::exit::Exit;
use crate::machines::Machines;
use crate::runner;
use crate::timeline::TIMELINE_MB;

/// The suite of a call without a command.
const DEFAULT_SUITE: &str = "quick";

pub(super) fn command(observatory: &Observatory, args: &RunArgs) -> Result<Exit> {
    ensure!(
        args.patience >= 0.0 && args.patience <= 86_400.0,
        "--patience {}: expected seconds, from 0 to 86400",
        args.patience
    );
    let (path, manifest) = match (&args.out, args.resume) {
        (Some(path), true) => (path.clone(), resumed(path)?),
        (out, _) => {
            let manifest = plan(observatory, args)?;
            (out.clone().map_or_else(|| free_folder(&manifest), Ok)?, manifest)
        }
    };
    if args.dry_run {
        return print(&described(&manifest, args.trace));
    }
    runner::watch_for_interrupt()?;
    let options = runner::Options {
        patience: Duration::from_secs_f64(args.patience),
        quiet: args.quiet,
        trace: args.trace,
    };
    let finished = runner::run(observatory, &path, &manifest, !args.resume, &options)?;
    if finished.left > 0 {
        bail!(
            "interrupted: {} launches are kept, {} remain; `--out {} --resume` goes on",
            finished.launches,
            finished.left,
            path.display()
        );
    }
    if args.out.is_none() {
        point_latest_at(&path);
    }
    let runs = report::load(std::slice::from_ref(&path))?;
    let records = &runs[0].records;
    let page = report::write(&runs, &path.join("report"))?;
    let mut text = reports::terminal::table(records);
    let _ = write!(text, "\nrun     {}\nreport  {}\n", path.display(), page.display());
    print(&text)?;
    Ok(verdict(records, args.strict))
}

fn verdict(records: &[Record], strict: bool) -> Exit {
    let failed = |record: &Record| match record.status {
        Status::Failed => true,
        Status::Suspect => strict,
        Status::Ok | Status::NotApplicable => false,
    };
    if records.iter().any(failed) { Exit::CellFailed } else { Exit::Fine }
}

/// The plan that the command line asks for.
pub(super) fn plan(observatory: &Observatory, args: &RunArgs) -> Result<Manifest> {
    let machines = Machines::read(&args.machines)?;
    ensure!(
        args.seeds.is_none() || !machines.presets.is_empty(),
        "--seeds: expected a simulated machine beside it, such as --machine sim:genoa-192; `os` has --launches"
    );
    ensure!(
        !args.trace || !machines.presets.is_empty(),
        "--trace: expected a simulated machine beside it, such as --machine sim:genoa-192"
    );
    let suite = match &args.file {
        Some(file) => Suite::load(file)?,
        None => Suite::embedded(args.suite.as_deref().unwrap_or(DEFAULT_SUITE))?,
    };
    let cpus = args.cpus.as_deref().map(|text| cpu_list(text, &machines)).transpose()?.unwrap_or_default();
    let ids = observatory.ids();
    let params = params(observatory, &args.params)?;
    let overrides = Overrides {
        filter: args.filter.clone(),
        machines: machines.names.clone(),
        simulated: machines.cores(),
        seeds: args.seeds,
        threads: args.threads.as_deref().map(|text| Count::list("--threads", text)).transpose()?,
        launches: args.launches,
        seconds: args.seconds,
        probe: args.probe.map(Into::into),
        cpus,
        allowed_cpus: cpus_allowed(),
        params,
        params_of: Some(observatory.params()),
        ..Overrides::default()
    };
    let mut cells = suite.cells(&ids, cores_allowed(), &overrides)?;
    // Of all cells, so that shards agree and `merge` need not put descriptions together.
    let catalogue = Some(catalogue::of(observatory, &suite, &cells));
    if let Some(shard) = &args.shard {
        runner::keep_shard(&mut cells, shard)?;
    }
    Ok(Manifest {
        schema: SCHEMA,
        kind: record::run::KIND.into(),
        suite: suite.name.clone(),
        command: command_line(),
        tool: tool(),
        started_unix_ms: unix_ms(),
        seed: args.seed,
        host: profiler::host::host(),
        cells,
        shard: args.shard.clone(),
        catalogue,
        presets: machines.texts(),
    })
}

/// The plan of a run that was begun.
fn resumed(path: &Path) -> Result<Manifest> {
    let (_, manifest) = RunDir::open(path)?;
    let (now, then) = (tool(), &manifest.tool);
    ensure!(
        now.harness_hash == then.harness_hash,
        "{} was begun by a version that measures differently ({}): start anew",
        path.display(),
        then.version
    );
    let host = profiler::host::host();
    ensure!(
        host.fingerprint == manifest.host.fingerprint,
        "{} was begun on another machine ({}): its numbers cannot be mixed with this one's",
        path.display(),
        manifest.host.fingerprint.cpu_model
    );
    Ok(manifest)
}

/// This program.
pub(crate) fn tool() -> Tool {
    let revision = env!("SYNCHROSCOPE_REVISION");
    Tool {
        version: env!("CARGO_PKG_VERSION").into(),
        revision: (!revision.is_empty()).then(|| revision.into()),
        harness_hash: env!("SYNCHROSCOPE_HARNESS_HASH").into(),
    }
}

pub(crate) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// A folder in `runs/` that does not exist yet, named after the suite and the time.
fn free_folder(manifest: &Manifest) -> Result<PathBuf> {
    let seconds = manifest.started_unix_ms / 1000;
    (0..100)
        .map(|n| {
            let suffix = if n == 0 { String::new() } else { format!("-{n}") };
            Path::new("runs").join(format!("{}-{seconds}{suffix}", manifest.suite))
        })
        .find(|path| !path.exists())
        .context("no free name in runs/: name a folder with --out")
}

/// Lets `runs/latest` lead to the run that was made last. A convenience: where it cannot be made, nothing is lost.
fn point_latest_at(path: &Path) {
    #[cfg(unix)]
    if let Some(name) = path.file_name() {
        let link = Path::new("runs").join("latest");
        if link.is_symlink() {
            let _ = std::fs::remove_file(&link);
        }
        let _ = std::os::unix::fs::symlink(name, &link);
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn params(observatory: &Observatory, texts: &[String]) -> Result<BTreeMap<String, u64>> {
    let known: Vec<_> = observatory.entries().flat_map(|entry| entry.card().params).collect();
    let mut params = BTreeMap::new();
    for text in texts {
        let parsed = text.split_once('=').and_then(|(name, value)| Some((name, value.parse::<u64>().ok()?)));
        let Some((name, value)) = parsed else {
            bail!("--param {text}: expected NAME=VALUE with a whole number, such as spin_rounds=8");
        };
        let Some(param) = known.iter().find(|param| param.name == name) else {
            let near = nearest(name, known.iter().map(|param| param.name));
            let near = near.map_or(String::new(), |near| format!("; nearest is `{near}`"));
            bail!("--param {text}: no implementation has the parameter `{name}`{near}");
        };
        ensure!(
            (param.min..=param.max).contains(&value),
            "--param {text}: expected a value from {} to {}",
            param.min,
            param.max
        );
        ensure!(params.insert(name.to_owned(), value).is_none(), "--param {name} is set twice");
    }
    Ok(params)
}

/// Reads `0,2-3`; each must be a core of every machine, and of this one a core that this process may use.
fn cpu_list(text: &str, machines: &Machines) -> Result<Vec<usize>> {
    let wrong = || format!("--cpus {text}: expected a list of cores such as 0,2-3");
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.trim().parse().with_context(wrong)?;
        let last: usize = last.trim().parse().with_context(wrong)?;
        ensure!(first <= last && last < 65_536, wrong());
        cpus.extend(first..=last);
    }
    for (name, preset) in &machines.presets {
        if let Some(cpu) = cpus.iter().find(|&&cpu| cpu >= preset.cores as usize) {
            bail!("--cpus {text}: {name} has no core {cpu}, its cores are 0-{}", preset.cores - 1);
        }
    }
    if !machines.names.iter().any(|name| name == "os") {
        return Ok(cpus);
    }
    let allowed = cpus_allowed();
    for cpu in &cpus {
        ensure!(
            allowed.is_empty() || allowed.contains(cpu),
            "--cpus {text}: core {cpu} does not exist or may not be used here; there are {allowed:?}"
        );
    }
    Ok(cpus)
}

/// The plan in words.
fn described(manifest: &Manifest, trace: bool) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{:<58} {:>8} {:>7} {:>9}", "cell", "launches", "slices", "slice");
    for cell in &manifest.cells {
        let PlannedCell { cell: id, launches, slices, slice_ns, .. } = cell;
        let slice = workloads::axes::show_ns(*slice_ns);
        let _ = writeln!(text, "{id:<58} {:>8} {slices:>7} {slice:>9}", launches.len());
    }
    let launches: usize = manifest.cells.iter().map(|cell| cell.launches.len()).sum();
    let expected_s = Suite::expected_ms(&manifest.cells, cores_allowed()) / 1000.0;
    let _ = writeln!(text, "{} cells, {launches} launches, about {expected_s:.0} s", manifest.cells.len());
    let simulated = manifest.cells.iter().filter(|cell| is_simulated(&cell.machine));
    let timelines: usize = simulated.map(|cell| cell.launches.len()).sum();
    if trace && timelines > 0 {
        let _ = writeln!(text, "{timelines} timelines, up to {TIMELINE_MB} MB and a second or two each");
    }
    text
}
