//! `tune`: the search for better parameters.
//!
//! | module | holds |
//! |---|---|
//! | [`space`] | the values that are tried |
//! | [`plan`] | knobs, scenarios and budget, from the command line |
//! | [`log`] | trials, appended and read again |
//! | [`screen`] | every setting on simulated machines, in this process |
//! | [`race`] | the survivors on this computer, in shuffled blocks |
//! | [`confirm`] | the pick against the default, with fresh launches |
//!
//! What the trials mean is decided in `reports::tune`, from the trials alone: a search that goes on after a kill comes to
//! the same decisions.

mod confirm;
mod log;
mod plan;
mod race;
mod screen;
mod space;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use record::store::write_atomically;
use reports::tune::gains::Trials;
use reports::tune::plan::{KIND, VERSION};
use reports::tune::race::Fate;
use reports::tune::screen::select;
use reports::tune::{Phase, Trial, TunePlan, TuneReport, conclude, judge};

use self::log::Log;
use self::plan::Expected;
use crate::Observatory;
use crate::args::TuneArgs;
use crate::runner::INTERRUPTED;
use crate::runner::progress::Progress;

/// The plan of a search.
const PLAN: &str = "tune.json";
/// Its trials.
const TRIALS: &str = "trials.jsonl";
/// The blocks of its confirmation.
const CONFIRMATION: &str = "confirmation.jsonl";
/// What it found.
const OUTCOME: &str = "outcome.json";

/// What came of a call.
pub(crate) enum Done {
    /// The plan in words: nothing was done.
    Described(String),
    /// The search, and the folder that holds it.
    Found(Box<TuneReport>, PathBuf),
}

/// A search under way.
struct Search<'a> {
    observatory: &'a Observatory,
    plan: &'a TunePlan,
    state: Mutex<State>,
    patience: Duration,
    quiet: bool,
}

/// What changes.
struct State {
    trials: Trials,
    log: Log<Trial>,
}

/// Plans a search, or reads the plan of one that was begun, and carries it out.
pub(crate) fn search(observatory: &Observatory, args: &TuneArgs) -> Result<Done> {
    ensure!(
        args.patience >= 0.0 && args.patience <= 86_400.0,
        "--patience {}: expected seconds, from 0 to 86400",
        args.patience
    );
    let (path, plan) = match (&args.out, args.resume) {
        (Some(path), true) => (path.clone(), resumed(observatory, path)?),
        (out, _) => {
            let (plan, expected) = plan::plan(observatory, args)?;
            if args.dry_run {
                return Ok(Done::Described(described(&plan, &expected)));
            }
            if !args.quiet {
                eprint!("{}", in_short(&plan, &expected));
            }
            let path = out.clone().map_or_else(|| free_folder(&plan), Ok)?;
            begin(&path, &plan)?;
            (path, plan)
        }
    };
    watch_for_interrupts()?;
    let (log, lines) = Log::open(&path.join(TRIALS))?;
    let search = Search {
        observatory,
        plan: &plan,
        state: Mutex::new(State { trials: Trials::of(lines), log }),
        patience: Duration::from_secs_f64(args.patience),
        quiet: args.quiet,
    };
    let report = search.carry_out(&path).map_err(|error| {
        if INTERRUPTED.load(Ordering::Relaxed) {
            error.context(format!("nothing is lost: `tune --out {} --resume` goes on", path.display()))
        } else {
            error
        }
    })?;
    let json = serde_json::to_vec_pretty(&report).context("cannot write JSON")?;
    write_atomically(&path.join(OUTCOME), &json)?;
    Ok(Done::Found(Box::new(report), path))
}

impl Search<'_> {
    fn carry_out(&self, path: &Path) -> Result<TuneReport> {
        let plan = self.plan;
        screen::run(self, Phase::Screen, &self.screening())?;
        let selection = select(plan, &self.state().trials);
        let mut fates = selection.fates;
        if let Fate::Failed { reason } = &fates[plan.default] {
            bail!("{} fails with history's values: {reason}", plan.implementation);
        }
        let mut notes = Vec::new();
        if plan.simulate_only {
            selection.racers.iter().for_each(|racer| fates[*racer] = Fate::Finished);
            notes.push("Nothing was measured: simulated machines are a model".to_owned());
        } else {
            race::run(self, &selection.racers, &mut fates)?;
        }
        let picked = judge::judge(plan, &self.state().trials).picked;
        let confirmation = if picked == plan.default {
            None
        } else if plan.simulate_only {
            Some(confirm::simulated(self, picked)?)
        } else {
            Some(confirm::measured(self, &path.join(CONFIRMATION), picked)?)
        };
        if picked != plan.default && !plan.scenarios.iter().any(|s| s.held_out) {
            notes.push(
                "No workload was held out: fresh launches guard against luck in the launches, not against workloads that differ"
                    .to_owned(),
            );
        }
        let bytes = std::fs::read(path.join(TRIALS)).with_context(|| format!("cannot read {TRIALS}"))?;
        let evidence = record::host::short_hash(&bytes);
        let trials = &self.state().trials;
        Ok(conclude(plan, trials, &evidence, fates, confirmation, notes))
    }

    /// Every setting in every simulated scenario that the search sees, seed by seed.
    fn screening(&self) -> Vec<screen::Job> {
        let mut jobs = Vec::new();
        for round in 0..self.plan.seeds {
            for scenario in self.plan.seen(true) {
                jobs.extend((0..self.plan.settings.len()).map(|setting| screen::Job {
                    scenario,
                    setting,
                    round,
                }));
            }
        }
        jobs
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Keeps a trial: on disk first.
    fn keep(&self, trial: Trial) -> Result<()> {
        let state = &mut *self.state();
        state.log.append(&trial)?;
        state.trials.add(trial);
        Ok(())
    }

    fn progress(&self, expected: Duration, launches: usize) -> Progress {
        Progress::new(expected, launches, self.quiet)
    }
}

/// Now, ms since 1970.
fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn watch_for_interrupts() -> Result<()> {
    // A second Ctrl-C ends the process as usual.
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).context("cannot watch for Ctrl-C")
}

fn begin(path: &Path, plan: &TunePlan) -> Result<()> {
    if path.exists() {
        let is_empty =
            path.is_dir() && std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        let begun =
            if path.join(PLAN).is_file() { ": it holds a search, --resume goes on with it" } else { "" };
        ensure!(is_empty, "--out {}: expected a new or an empty folder{begun}", path.display());
    }
    std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
    let json = serde_json::to_vec_pretty(plan).context("cannot write JSON")?;
    write_atomically(&path.join(PLAN), &json)
}

/// The plan of a search that was begun.
fn resumed(observatory: &Observatory, path: &Path) -> Result<TunePlan> {
    let file = path.join(PLAN);
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("{}: expected a folder that `tune --out` began", path.display()))?;
    let plan: TunePlan = serde_json::from_str(&text)
        .with_context(|| format!("{} is not the plan of a search", file.display()))?;
    ensure!(
        plan.kind == KIND && plan.version == VERSION,
        "{}: expected {KIND} of version {VERSION}, found {} of version {}",
        file.display(),
        plan.kind,
        plan.version
    );
    let tool = crate::cmd::tool();
    ensure!(
        plan.tool.harness_hash == tool.harness_hash
            && plan.simulation_hash == env!("SYNCHROSCOPE_SIMULATION_HASH"),
        "{} was begun by a version that measures or simulates differently ({}): start anew",
        path.display(),
        plan.tool.version
    );
    ensure!(
        plan.simulate_only || plan.fingerprint == profiler::host::host().fingerprint,
        "{} was begun on another machine ({}): its numbers cannot be mixed with this one's",
        path.display(),
        plan.fingerprint.cpu_model
    );
    ensure!(
        observatory.entry(&plan.implementation).is_some(),
        "{}: `{}` is not in this program",
        path.display(),
        plan.implementation
    );
    Ok(plan)
}

/// A folder in `runs/` that does not exist yet, named after the implementation and the time.
fn free_folder(plan: &TunePlan) -> Result<PathBuf> {
    let name = plan.implementation.replace('/', ".");
    let seconds = unix_ms() / 1000;
    let folder = |n: u32| {
        let suffix = if n == 0 { String::new() } else { format!("-{n}") };
        Path::new("runs").join(format!("tune-{name}-{seconds}{suffix}"))
    };
    (0..100)
        .map(folder)
        .find(|path| !path.exists())
        .context("no free name in runs/: name a folder with --out")
}

/// The plan in words.
fn described(plan: &TunePlan, expected: &Expected) -> String {
    let mut text = String::new();
    for knob in &plan.knobs {
        let values: Vec<String> = knob.values.iter().map(u64::to_string).collect();
        let _ = writeln!(
            text,
            "{}: {}; history: {} ({})",
            knob.name,
            values.join(" "),
            knob.default,
            knob.origin
        );
    }
    for scenario in &plan.scenarios {
        let held_out = if scenario.held_out { ", held out" } else { "" };
        let _ = writeln!(text, "{}{held_out}", scenario.name());
    }
    text + &in_short(plan, expected)
}

fn in_short(plan: &TunePlan, expected: &Expected) -> String {
    let simulated = plan.seen(true).len();
    let mut text = String::new();
    if simulated > 0 {
        let _ = writeln!(
            text,
            "screening: {} settings x {simulated} simulated scenarios x {} seeds, about {:.0} s",
            plan.settings.len(),
            plan.seeds,
            expected.screen_s
        );
    }
    if !plan.simulate_only {
        let _ = writeln!(
            text,
            "race: up to {} settings x {} scenarios on this computer, up to {} blocks, about {:.0} s",
            plan.racers_max.min(plan.settings.len()),
            plan.seen(false).len(),
            plan.rules.rungs.last().unwrap_or(&0),
            expected.race_s
        );
    }
    let _ = writeln!(
        text,
        "confirmation, if another setting than the default is picked: {} scenarios, about {:.0} s",
        plan::confirmed(plan).len(),
        expected.confirm_s
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan without settings, for what needs the rules only.
    pub(super) fn plan() -> TunePlan {
        TunePlan {
            kind: KIND.into(),
            version: VERSION,
            implementation: "mutex/x".into(),
            command: Vec::new(),
            tool: record::Tool::default(),
            simulation_hash: String::new(),
            fingerprint: record::Fingerprint::default(),
            seed: 1,
            knobs: Vec::new(),
            settings: Vec::new(),
            default: 0,
            scenarios: Vec::new(),
            seeds: 1,
            racers_max: 25,
            race_launches_max: 0,
            rules: reports::tune::plan::Rules::default(),
            prefer: reports::tune::Prefer::Balanced,
            wait_ns_max: None,
            jain_min: 0.9,
            presets: Default::default(),
            simulate_only: false,
        }
    }
}
