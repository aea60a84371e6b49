//! `verify`: one implementation under every check that does not need luck, with the bounds of each.
//!
//! Model checkers end their process when they find a fault, so each of their checks is this command again, in a process
//! of its own. The simulator's programs run here.

use std::env;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use impls::card::{Role, Runs};
use impls::machine::checked::sites::{Mutation, Weakening};
use impls::suite::models::programs::{PROGRAMS, Program};
use impls::suite::models::{self, Checker, Depth, Limits, Outcome, Spec, Verdict};
use impls::suite::troubled::Trouble;
use serde::Serialize;
use workloads::{nearest, pattern::Pattern};

use super::{print, to_json};
use crate::Observatory;
use crate::args::VerifyArgs;
use crate::exit::Exit;
use crate::registry::Entry;

/// Seeds of the simulator's programs.
const SHORT_SEEDS: u64 = 200;
const DEEP_SEEDS: u64 = 5_000;

/// What was checked of one implementation.
#[derive(Debug, Serialize)]
struct Report {
    implementation: String,
    checks: Vec<Check>,
    /// Absent where no model checker runs.
    orderings: Option<Orderings>,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    by: String,
    program: String,
    asks: String,
    bounds: String,
    passed: bool,
    /// How far it went, or what is wrong.
    finding: String,
}

/// Its orderings, each weakened alone under every program of loom.
#[derive(Debug, Serialize)]
struct Orderings {
    weakened: usize,
    caught: usize,
    /// Those without which no program fails: needed by nothing that is checked.
    not_caught: Vec<String>,
}

/// What was checked of all that were asked for.
#[derive(Debug, Serialize)]
struct Reports {
    /// Of this document.
    schema: u32,
    reports: Vec<Report>,
}

pub(super) fn command(observatory: &Observatory, args: &VerifyArgs) -> Result<Exit> {
    let entries = chosen(observatory, &args.implementations)?;
    for entry in &entries {
        // Does not return where this process is a checker's.
        entry.serve_model();
    }
    let reports = entries.iter().map(|entry| verify(*entry, args.deep)).collect::<Result<Vec<_>>>()?;
    let sound = reports.iter().flat_map(|report| &report.checks).all(|check| check.passed);
    print(&if args.json {
        to_json(&Reports { schema: 1, reports })?
    } else {
        reports.iter().map(text).collect::<String>()
    })?;
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

/// Why checkers cannot run an implementation, if they cannot.
fn obstacle(entry: &dyn Entry) -> Option<String> {
    let card = entry.card();
    match card.runs {
        Runs::OsOnly(reason) => Some(format!("runs on threads of this computer only: {reason}")),
        Runs::AnyMachine if card.role == Role::Floor => {
            Some("excludes nobody: there is nothing to verify".to_owned())
        }
        Runs::AnyMachine => None,
    }
}

fn verify(entry: &dyn Entry, deep: bool) -> Result<Report> {
    let id = entry.card().id;
    let binary = env::current_exe().context("cannot find this program")?;
    let limits = Limits { time: Duration::from_secs(if deep { 6 * 3600 } else { 300 }) };
    let play = |spec: &Spec| models::run(Command::new(&binary).args(["verify", id]), spec, limits);
    let depth = if deep { Depth::Deep } else { Depth::Short };
    let programs: Vec<_> = PROGRAMS.iter().filter(|program| program.applies_to(entry.card())).collect();
    let mut checks = Vec::new();
    let mut by_loom = Vec::new();
    for &program in &programs {
        for checker in Checker::ALL {
            let sites = checker == Checker::Loom;
            let outcome = play(&Spec { depth, sites, ..Spec::short(checker, program) });
            eprintln!("{id}: {} {}: {}", checker.name(), program.name, finding(&outcome.verdict));
            checks.push(check(checker, program, depth, &outcome.verdict));
            if sites {
                by_loom.push((program, outcome));
            }
        }
    }
    checks.extend(simulated(entry, if deep { DEEP_SEEDS } else { SHORT_SEEDS }));
    let sound = checks.iter().all(|check| check.passed);
    // With a fault of its own nothing can be said of a weakened one.
    let orderings = sound.then(|| weaken(&by_loom, play));
    Ok(Report { implementation: id.to_owned(), checks, orderings })
}

fn check(checker: Checker, program: &Program, depth: Depth, verdict: &Verdict) -> Check {
    Check {
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
fn simulated(entry: &dyn Entry, seeds: u64) -> Vec<Check> {
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
                wrong.text
            )
        };
        let finding = match found.first() {
            None => format!("{seeds} seeds of each program"),
            Some(_) => found.iter().map(said).collect::<Vec<_>>().join("; "),
        };
        eprintln!("{}: simulator: {asks}: {finding}", entry.card().id);
        Check {
            by: "simulator".to_owned(),
            program: "all that its card allows".to_owned(),
            asks: asks.to_owned(),
            bounds: format!("seeds 1 to {seeds} on laptop-8 and vm-2"),
            passed: found.is_empty(),
            finding,
        }
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

fn text(report: &Report) -> String {
    let mut text = format!("{}\n", report.implementation);
    for check in &report.checks {
        let verdict = if check.passed { "passed" } else { "FAILED" };
        text += &format!(
            "  {verdict}  {:<14} {:<24} {:<52} {} ({})\n",
            check.by, check.program, check.asks, check.finding, check.bounds
        );
    }
    match &report.orderings {
        None => text += "  orderings: not weakened, since a check failed\n",
        Some(Orderings { weakened, caught, not_caught }) => {
            text +=
                &format!("  orderings: {caught} of {weakened} weakened ones make a program of loom fail\n");
            for mutation in not_caught {
                text += &format!("    no program needs {mutation}\n");
            }
        }
    }
    text
}
