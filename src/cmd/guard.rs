//! `guard`: a candidate against its baseline, and a verdict.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use record::store::write_atomically;
use reports::compare::{self, Options as CompareOptions, Verdict};
use reports::guard::{GuardReport, KIND, VERSION, judge};

use super::{command_line, print, report, to_json};
use crate::Observatory;
use crate::args::{GuardArgs, GuardFormat};
use crate::exit::Exit;
use crate::guard::arms::{Build, Named};
use crate::guard::identity::Identity;
use crate::guard::measured::{self, Options};
use crate::guard::memory::{Cells, Memory};
use crate::guard::plan::{self, Job, Party};
use crate::guard::revision::{Commit, Recipe, Workshop};
use crate::guard::self_test;
use crate::guard::{ci, exact};
use crate::runner;

pub(super) fn command(observatory: &Observatory, args: &GuardArgs) -> Result<Exit> {
    ensure!(
        args.patience >= 0.0 && args.patience <= 86_400.0,
        "--patience {}: expected seconds, from 0 to 86400",
        args.patience
    );
    ensure!(
        args.seconds.is_none_or(|seconds| seconds > 0.0 && seconds <= 1e7),
        "--seconds {}: expected seconds, above 0",
        args.seconds.unwrap_or_default()
    );
    ensure!(
        args.budget > 0.0 && args.budget <= 100.0,
        "--budget {}: expected percent, above 0 and up to 100",
        args.budget
    );
    ensure!(
        args.layer.exact() || args.machines.is_empty(),
        "--machine: this computer is what --layer measured measures; expected --layer exact or all beside it"
    );
    if args.self_test {
        return self_test(observatory, args);
    }
    let named = |flag: &str, text: &Option<String>| match text {
        Some(text) => Named::of(flag, text, observatory),
        None => Ok(Named::This),
    };
    let baseline = named("--baseline", &args.baseline)?;
    let candidate = named("--candidate", &args.candidate)?;
    let memory = Memory::of(args, &baseline, &candidate)?;
    if let (Named::Run(a), Named::Run(b)) = (&baseline, &candidate) {
        ensure!(!args.dry_run, "--dry-run: two runs are there already, nothing would be measured");
        return finish(runs(args, a, b)?, args);
    }
    let sides = match sides(observatory, args, &baseline, &candidate)? {
        Sides::Ready(sides) => sides,
        Sides::Same => {
            let text = "the two are the same program, byte by byte: nothing was measured";
            let verdict = Verdict::Equivalent;
            return finish(GuardReport { verdict, ..empty(args, vec![text.to_owned()]) }, args);
        }
        Sides::Foreign(reason) => return finish(empty(args, vec![reason]), args),
    };
    let Pairing { baseline, candidate, identity, notes } = *sides;
    let (baseline, candidate) = (&baseline, &candidate);
    let subjects =
        args.layer.exact().then(|| exact::plan::plan(observatory, args, baseline, candidate)).transpose()?;
    // What the controls run as their candidate.
    let folder = tempfile::Builder::new().prefix("synchroscope-guard-").tempdir();
    let folder = folder.context("cannot make a folder for a copy of the baseline")?;
    let copy = folder.path().join(baseline.program.file_name().unwrap_or("baseline".as_ref()));
    let job = args
        .layer
        .measured()
        .then(|| plan::plan(observatory, args, baseline, candidate, &copy))
        .transpose()?;
    for warning in job.iter().flat_map(Job::warnings) {
        eprintln!("warning: {warning}");
    }
    if args.dry_run {
        let planned = subjects.map(|subjects| subjects.described(args.seeds));
        return print(
            &planned.into_iter().chain(job.map(|job| job.described())).collect::<Vec<_>>().join("\n"),
        );
    }
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    }
    runner::watch_for_interrupt()?;
    let cells = memory.is_some().then(|| Cells::of_job(subjects.as_ref(), job.as_ref())).transpose()?;
    let found = subjects.map(|subjects| judge_exactly(args, &subjects)).transpose()?;
    let mut report = match &job {
        None => empty(args, notes),
        Some(job) => {
            std::fs::copy(&baseline.program, &copy)
                .with_context(|| format!("cannot copy {}", baseline.program.display()))?;
            measure(args, job, notes)?
        }
    };
    if let Some(found) = found {
        found.join(&mut report);
    }
    if let (Some(memory), Some(cells)) = (memory, cells) {
        // What was measured is kept, whatever becomes of the history.
        if let Err(error) = memory.keep(&mut report, &cells, &identity) {
            report.notes.push(format!("not added to the history: {error:#}"));
            finish(report, args)?;
            return Err(error.context("the report is whole, but its ratios are not in the history"));
        }
    }
    finish(report, args)
}

/// Layer 0.
fn judge_exactly(args: &GuardArgs, subjects: &exact::Subjects) -> Result<exact::Found> {
    let evidence = args.out.as_ref().map(|out| out.join("timelines"));
    let plan = exact::Plan {
        seeds: args.seeds,
        seed: args.seed,
        budget_ratio: 1.0 + args.budget / 100.0,
        evidence: evidence.as_deref(),
        patience: Duration::from_secs_f64(args.patience),
    };
    exact::run(subjects, &plan, args.quiet)
}

/// Both sides, ready to be launched; or why there is nothing to launch.
enum Sides {
    Ready(Box<Pairing>),
    /// The same bytes.
    Same,
    /// They do not measure alike: the reason.
    Foreign(String),
}

struct Pairing {
    baseline: Party,
    candidate: Party,
    /// The candidate's.
    identity: Identity,
    notes: Vec<String>,
}

fn sides(observatory: &Observatory, args: &GuardArgs, baseline: &Named, candidate: &Named) -> Result<Sides> {
    let own = Build::own(observatory)?;
    let party = |build: &Build| Party {
        program: build.program.clone(),
        ids: build.identity.implementations.clone(),
        implementation: None,
    };
    match (baseline, candidate) {
        (Named::Implementation(a), Named::Implementation(b)) => {
            let ids: Vec<String> = observatory.ids().into_iter().map(str::to_owned).collect();
            let side = |named: &crate::guard::arms::Implementation| Party {
                ids: ids.clone(),
                implementation: Some(named.clone()),
                ..party(&own)
            };
            let family = |id: &str| id.split('/').next().map(str::to_owned);
            ensure!(family(&a.id) == family(&b.id), "{} and {} are of different families", a.id, b.id);
            let (baseline, candidate) = (side(a), side(b));
            let notes = Vec::new();
            Ok(Sides::Ready(Box::new(Pairing { baseline, candidate, identity: own.identity, notes })))
        }
        (Named::Implementation(_), Named::This) => {
            bail!("--baseline names an implementation: expected another with --candidate")
        }
        (Named::Run(_), _)
        | (_, Named::Run(_))
        | (Named::Implementation(_), _)
        | (_, Named::Implementation(_)) => {
            bail!(
                "--baseline names {}, --candidate {}: expected two run directories, two implementations, or two of \
                 binary, git revision and this program",
                baseline.kind(),
                candidate.kind()
            )
        }
        // Nothing is built for a plan: both sides then have what this program has.
        _ if args.dry_run => {
            let (baseline, candidate) = (party(&own), party(&own));
            let notes = Vec::new();
            Ok(Sides::Ready(Box::new(Pairing { baseline, candidate, identity: own.identity, notes })))
        }
        _ => {
            let (b, a) = (build("--candidate", candidate, &own)?, build("--baseline", baseline, &own));
            let (a, b) = match comparable(baseline, candidate, a, b)? {
                Ok(pair) => pair,
                Err(reason) => return Ok(Sides::Foreign(reason)),
            };
            if a.is_same(&b) {
                return Ok(Sides::Same);
            }
            let notes = a.notes.iter().chain(&b.notes).cloned().collect();
            let (baseline, candidate) = (party(&a), party(&b));
            Ok(Sides::Ready(Box::new(Pairing { baseline, candidate, identity: b.identity, notes })))
        }
    }
}

fn build(flag: &'static str, named: &Named, own: &Build) -> Result<Build> {
    match named {
        Named::This => Ok(own.clone()),
        Named::Binary(path) => Build::of(path).context(flag),
        Named::Revision(commit) => {
            let workshop = Workshop::open(&commit.top)?;
            let recipe = Recipe::of_this_program(&commit.top)?;
            let tree = workshop.tree(commit)?;
            let program = workshop.build(&tree, &format!("revision {}", commit.short()), &recipe)?;
            Build::of(&program)
        }
        Named::Run(_) | Named::Implementation(_) => bail!("{} is no program", named.kind()),
    }
}

/// Both builds, if they measure alike. A baseline from a revision that does not is built anew: its implementations in the
/// candidate's harness. The inner error says why there can be no verdict.
fn comparable(
    baseline: &Named,
    candidate: &Named,
    a: Result<Build>,
    b: Build,
) -> Result<std::result::Result<(Build, Build), String>> {
    let alike = |a: &Build| a.identity.harness_hash == b.identity.harness_hash;
    let a = match (a, baseline) {
        (Ok(a), _) if alike(&a) => a,
        (a, Named::Revision(commit)) => {
            let reason = match &a {
                Ok(a) => format!(
                    "driver or probes differ ({} and {})",
                    a.identity.harness_hash, b.identity.harness_hash
                ),
                // An error of its compiler is an error; a program too old to say what it is, is built anew.
                Err(error) if format!("{error:#}").contains("does not build") => {
                    return Err(a.err().context("it failed")?);
                }
                Err(_) => "it is older than this command".to_owned(),
            };
            match in_harness(commit, candidate) {
                Ok(mut built) if alike(&built) => {
                    built.notes.push(format!(
                        "the baseline's implementations were built into the candidate's harness: {reason}"
                    ));
                    built
                }
                Ok(_) => {
                    return Ok(Err(format!(
                        "harness changed: {reason}, so that the two do not measure alike"
                    )));
                }
                Err(error) => {
                    return Ok(Err(format!(
                        "harness changed: {reason}, and the baseline's implementations do not go into the candidate's \
                         harness: {error:#}"
                    )));
                }
            }
        }
        (Err(error), _) => return Err(error),
        (Ok(a), _) => {
            return Ok(Err(format!(
                "harness changed: driver or probes of the two binaries differ ({} and {}), so that they do not measure \
                 alike; name the baseline as a git revision, and its implementations are built into the candidate's harness",
                a.identity.harness_hash, b.identity.harness_hash
            )));
        }
    };
    if a.identity.debug_assertions != b.identity.debug_assertions {
        let with = if a.identity.debug_assertions { "baseline" } else { "candidate" };
        return Ok(Err(format!("only the {with} was built with debug assertions: build both alike")));
    }
    Ok(Ok((a, b)))
}

/// The implementations of `commit` in the candidate's harness.
fn in_harness(commit: &Commit, candidate: &Named) -> Result<Build> {
    let workshop = Workshop::open(&commit.top)?;
    let harness = match candidate {
        Named::Revision(candidate) => workshop.tree(candidate)?,
        _ => workshop.work_tree()?,
    };
    let recipe = Recipe::of_this_program(&commit.top)?;
    let mixed = workshop.mixed(&harness, &workshop.tree(commit)?, &recipe)?;
    let what = format!("the implementations of revision {} in the candidate's harness", commit.short());
    Build::of(&workshop.build(&mixed, &what, &recipe)?)
}

fn empty(args: &GuardArgs, notes: Vec<String>) -> GuardReport {
    GuardReport {
        kind: KIND.to_owned(),
        version: VERSION,
        baseline: args.baseline.clone().unwrap_or_default(),
        candidate: args.candidate.clone().unwrap_or_else(|| "this program".into()),
        command: command_line(),
        fingerprint: profiler::host::fingerprint().id(),
        seed: args.seed,
        verdict: Verdict::Inconclusive,
        rows: Vec::new(),
        controls: Vec::new(),
        expected_false_alarms: 0.0,
        notes,
        failed: false,
    }
}

/// Layer 1.
fn measure(args: &GuardArgs, job: &Job, notes: Vec<String>) -> Result<GuardReport> {
    let (least, most) = job.expected();
    if !args.quiet {
        eprintln!(
            "{} rows, {} controls: about {:.0} s, at most {:.0} s if every row needs a confirmation",
            job.rows(),
            job.controls.len(),
            least.as_secs_f64(),
            most.as_secs_f64()
        );
    }
    let options = Options {
        seed: args.seed,
        patience: Duration::from_secs_f64(args.patience),
        quiet: args.quiet,
        slices: false,
    };
    let mut outcome = measured::carry_out(job, &options)?;
    if let Some(out) = &args.out {
        let mut lines = String::new();
        for (name, stage, blocks) in &outcome.kept {
            for block in blocks {
                let line = serde_json::json!({ "pair": name, "stage": stage, "block": block });
                lines.push_str(&format!("{line}\n"));
            }
        }
        let file = out.join("blocks.jsonl");
        write_atomically(&file, lines.as_bytes())?;
        for row in &mut outcome.rows {
            row.evidence = Some(file.display().to_string());
        }
    }
    let mut report = empty(args, notes);
    report.verdict = judge::overall(outcome.rows.iter().map(|row| row.verdict));
    report.rows = outcome.rows;
    report.controls = outcome.controls;
    report.expected_false_alarms = outcome.expected_false_alarms;
    report.notes.extend(outcome.notes);
    report.failed = outcome.baseline_failed;
    Ok(report)
}

/// Two runs that are there already: launches of each, not in pairs.
fn runs(args: &GuardArgs, a: &Path, b: &Path) -> Result<GuardReport> {
    let options = CompareOptions {
        confidence: 1.0 - judge::Rule::default().alpha,
        across_machines: args.across_machines,
    };
    let loaded = report::load(&[a.to_owned(), b.to_owned()])?;
    let comparison = compare::compare_runs(&loaded[0], &loaded[1], &options)?;
    let mut report = empty(args, reports::guard::unpaired::notes(&comparison));
    report.fingerprint = loaded[1].manifest.host.fingerprint.id();
    report.seed = loaded[1].manifest.seed;
    report.rows = reports::guard::unpaired::rows(&comparison);
    report.verdict = judge::overall(report.rows.iter().map(|row| row.verdict));
    Ok(report)
}

/// Prints the report and says how the command ends.
fn finish(report: GuardReport, args: &GuardArgs) -> Result<Exit> {
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
        write_atomically(&out.join("guard.json"), to_json(&report)?.as_bytes())?;
        ci::keep(&report, out)?;
    }
    if args.format == GuardFormat::Github {
        ci::summarise(&report)?;
    }
    print(&match args.format {
        GuardFormat::Text => reports::guard::text::table(&report),
        GuardFormat::Json => to_json(&report)?,
        GuardFormat::Junit => report.to_junit()?,
        GuardFormat::Github => report.to_github(),
        GuardFormat::Markdown => report.to_markdown(),
    })?;
    Ok(match report.verdict {
        Verdict::Regressed => Exit::Regressed,
        _ if report.failed => Exit::CellFailed,
        Verdict::Inconclusive | Verdict::Contaminated if args.strict => Exit::CellFailed,
        _ => Exit::Fine,
    })
}

fn self_test(observatory: &Observatory, args: &GuardArgs) -> Result<Exit> {
    runner::watch_for_interrupt()?;
    let (text, fine) = self_test::run(observatory, args)?;
    print(&text)?;
    Ok(if args.strict && !fine { Exit::CellFailed } else { Exit::Fine })
}
