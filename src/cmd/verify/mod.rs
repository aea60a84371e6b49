//! `verify`: one implementation under every check, with the bounds of each.
//!
//! Model checkers end their process when they find a fault, and misuse ends a process by intent: each of their checks is
//! this command again, in a process of its own. Simulated programs run here.
//!
//! | module | does |
//! |---|---|
//! | `explored` | explored schedules, and the timeline of one that fails |
//! | `text` | what was found, for people |

mod explored;
mod text;

use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, anyhow, bail, ensure};
use impls::card::{Role, Runs};
use impls::machine::checked::sites::{Mutation, Weakening};
use impls::suite::battery::{self, TESTS};
use impls::suite::models::programs::{PROGRAMS, Program};
use impls::suite::models::{self, Checker, Depth, Limits, Outcome, Spec, Verdict};
use impls::suite::troubled::Trouble;
use record::store::RunDir;
use record::{Checked, Orderings, Proof, Verified};
use workloads::{nearest, pattern::Pattern};

use super::run::{tool, unix_ms};
use super::{print, to_json};
use crate::Observatory;
use crate::args::VerifyArgs;
use crate::exit::Exit;
use crate::registry::Entry;

/// Seeds of the simulator's programs.
const SHORT_SEEDS: u64 = 200;
const DEEP_SEEDS: u64 = 5_000;

pub(super) fn command(observatory: &Observatory, args: &VerifyArgs) -> Result<Exit> {
    let entries = chosen(observatory, &args.implementations)?;
    for entry in &entries {
        // Neither returns where this process is a check's.
        entry.serve_model();
        entry.serve_battery(&["verify", entry.card().id]);
    }
    // Before hours of work: a folder that is no run is said at once.
    let into = args.into.as_deref().map(RunDir::open).transpose()?.map(|(dir, _)| dir);
    if let Some(dir) = &into {
        dir.load_verified()?;
    }
    if let Some(folder) = &args.trace {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let reports = entries.iter().map(|entry| verify(*entry, args)).collect::<Result<Vec<_>>>()?;
    let sound = reports.iter().all(Proof::passed);
    let verified = Verified::new(reports);
    if let Some(dir) = &into {
        dir.save_verified(&verified)?;
    }
    print(&if args.json { to_json(&verified)? } else { verified.reports.iter().map(text::text).collect() })?;
    Ok(if sound { Exit::Fine } else { Exit::CellFailed })
}

/// The entries that the names and globs of the command line mean. A glob passes over what cannot be checked; a name
/// says why not.
fn chosen<'a>(observatory: &'a Observatory, patterns: &[String]) -> Result<Vec<&'a dyn Entry>> {
    let mut chosen: Vec<&dyn Entry> = Vec::new();
    for text in patterns {
        let pattern = Pattern::new(text).map_err(|error| anyhow!("`{text}`: {error}"))?;
        let matching: Vec<_> =
            observatory.entries().filter(|entry| pattern.matches(entry.card().id)).collect();
        if matching.is_empty() {
            if observatory.engine(text).is_some() {
                bail!("`{text}` is an engine: checkers run implementations that are written on Machine");
            }
            let ids = observatory.entries().map(|entry| entry.card().id);
            let hint =
                nearest(text, ids).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            bail!("no implementation `{text}`{hint} (`synchroscope list` shows all)");
        }
        for entry in matching {
            match obstacle(entry) {
                Some(why) if pattern.is_literal() => bail!("`{text}` {why}"),
                Some(_) => {}
                None if chosen.iter().any(|known| known.card().id == entry.card().id) => {}
                None => chosen.push(entry),
            }
        }
    }
    ensure!(!chosen.is_empty(), "{}: nothing among them can be checked", patterns.join(" "));
    Ok(chosen)
}

/// Why nothing of an implementation can be checked, if that is so.
fn obstacle(entry: &dyn Entry) -> Option<&'static str> {
    (entry.card().role == Role::Floor).then_some("excludes nobody: there is nothing to verify")
}

fn verify(entry: &dyn Entry, args: &VerifyArgs) -> Result<Proof> {
    let id = entry.card().id;
    let binary = env::current_exe().context("cannot find this program")?;
    let threads_only = match entry.card().runs {
        Runs::AnyMachine => None,
        Runs::OsOnly(reason) => Some(reason.to_owned()),
    };
    let limits = Limits { time: Duration::from_secs(if args.deep { 6 * 3600 } else { 300 }) };
    let play = |spec: &Spec| models::run(Command::new(&binary).args(["verify", id]), spec, limits);
    let depth = if args.deep { Depth::Deep } else { Depth::Short };
    // Of a lock on threads of this computer only, no program applies.
    let programs: Vec<_> = PROGRAMS.iter().filter(|program| program.applies_to(entry.card())).collect();
    let mut checks = Vec::new();
    let mut by_loom = Vec::new();
    for &program in &programs {
        for checker in Checker::ALL {
            let sites = checker == Checker::Loom;
            let outcome = play(&Spec { depth, sites, ..Spec::short(checker, program) });
            checks.push(tell(id, check(checker, program, depth, &outcome.verdict)));
            if sites {
                by_loom.push((program, outcome));
            }
        }
    }
    if threads_only.is_none() {
        checks.extend(explored::checks(entry, args)?);
        checks.extend(simulated(entry, if args.deep { DEEP_SEEDS } else { SHORT_SEEDS }));
    }
    for test in TESTS.iter().filter(|test| test.applies_to(entry.card())) {
        let outcome = battery::run(Command::new(&binary).args(["verify", id]), test);
        checks.push(tell(
            id,
            Checked {
                by: "battery".to_owned(),
                program: test.name.to_owned(),
                asks: test.asks.to_owned(),
                bounds: "threads of this computer, once".to_owned(),
                passed: outcome.is_ok(),
                finding: outcome.err().unwrap_or_else(|| "holds".to_owned()),
            },
        ));
    }
    let sound = checks.iter().all(|check| check.passed);
    // With a fault of its own nothing can be said of a weakened one.
    let orderings = (sound && threads_only.is_none()).then(|| weaken(&by_loom, play));
    let ended_unix_ms = unix_ms();
    Ok(Proof { implementation: id.to_owned(), tool: tool(), ended_unix_ms, checks, orderings, threads_only })
}

/// Says on stderr what came of a check, since the next may take long.
fn tell(id: &str, check: Checked) -> Checked {
    eprintln!("{id}: {} {}: {}", check.by, check.program, check.finding);
    check
}

fn check(checker: Checker, program: &Program, depth: Depth, verdict: &Verdict) -> Checked {
    Checked {
        by: checker.name().to_owned(),
        program: program.name.to_owned(),
        asks: program.asks.to_owned(),
        bounds: models::bounds(checker, program, depth),
        passed: !verdict.failed(),
        finding: finding(verdict),
    }
}

fn finding(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed { executions, complete: true } => format!("all {executions} executions"),
        Verdict::Passed { executions, complete: false } => format!("{executions} executions, not all"),
        Verdict::Failed(text) => text.clone(),
    }
}

/// The programs of the simulator, undisturbed and under each trouble.
fn simulated(entry: &dyn Entry, seeds: u64) -> Vec<Checked> {
    let troubles = [
        (Trouble::None, "short programs on simulated machines"),
        (Trouble::SpuriousWakes, "the same, with sleeps that end for no reason"),
        (Trouble::ClockGoesBack, "the same, with a clock that steps back"),
    ];
    let one = |(trouble, asks): (Trouble, &str)| {
        let found = entry.examine(1..=seeds, trouble);
        let said = |wrong: &impls::suite::simulated::Wrong| {
            format!(
                "{}: {} on {} with seed {}: {}",
                wrong.program,
                wrong.fault.name(),
                wrong.preset,
                wrong.seed,
                wrong.text.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        };
        let finding = match found.first() {
            None => format!("{seeds} seeds of each program"),
            Some(_) => found.iter().map(said).collect::<Vec<_>>().join("; "),
        };
        tell(
            entry.card().id,
            Checked {
                by: "simulator".to_owned(),
                program: "all that its card allows".to_owned(),
                asks: asks.to_owned(),
                bounds: format!("seeds 1 to {seeds} on laptop-8 and vm-2"),
                passed: found.is_empty(),
                finding,
            },
        )
    };
    troubles.into_iter().map(one).collect()
}

/// Weakens each ordering that ran, one at a time, under the programs that ran it.
fn weaken(by_loom: &[(&Program, Outcome)], play: impl Fn(&Spec) -> Outcome) -> Orderings {
    let mut mutations = std::collections::BTreeMap::<Mutation, Vec<&Program>>::new();
    for (program, outcome) in by_loom {
        for (site, order) in &outcome.sites {
            // The checks' own orderings are not the implementation's.
            if site.file.ends_with("suite/models/programs.rs") {
                continue;
            }
            for &weakening in models::ordering(order).map_or(&[][..], Weakening::of) {
                mutations.entry(Mutation { site: site.clone(), weakening }).or_default().push(program);
            }
        }
    }
    let weakened = mutations.len();
    let survives = |mutation: &Mutation, programs: &[&Program]| {
        !programs.iter().any(|program| {
            let spec = Spec { mutation: Some(mutation.clone()), ..Spec::short(Checker::Loom, program) };
            play(&spec).verdict.failed()
        })
    };
    let survivors = mutations.iter().filter(|(mutation, programs)| survives(mutation, programs));
    let not_caught: Vec<_> = survivors.map(|(mutation, _)| mutation.to_string()).collect();
    Orderings { weakened, caught: weakened - not_caught.len(), not_caught }
}
