//! `history`: ratios to a pinned reference over time, and the changes of level in them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use reports::compare::Verdict;
use reports::history::{
    Epoch, History, LeftOut, Line, Point, Rules, SCHEMA, Scope, check, criterion_points, points_of_run,
};

use super::{command_line, print, report, to_json};
use crate::args::{
    AcceptArgs, AddArgs, CheckArgs, CriterionArgs, HistoryCommand, HistoryFormat, HistoryReportArgs,
    ImportCommand,
};
use crate::exit::Exit;
use crate::history::{EPOCHS, Store, warn};

/// Names of what was left out that are printed; the rest is a number.
const NAMED_MAX: usize = 12;

pub(super) fn command(command: &HistoryCommand) -> Result<Exit> {
    match command {
        HistoryCommand::Add(args) => add(args),
        HistoryCommand::Import(ImportCommand::CriterionTree(args)) => import(args),
        HistoryCommand::Check(args) => judge(args),
        HistoryCommand::Accept(args) => accept(args),
        HistoryCommand::Report(args) => pages(args),
    }
}

fn add(args: &AddArgs) -> Result<Exit> {
    let store = Store::of("--store", &args.store.store)?;
    let runs = report::load(&args.runs)?;
    // All runs are read before the first line is written.
    let mut taken = Vec::new();
    for run in &runs {
        let own = || run.manifest.tool.revision.clone();
        let revision = args.revision.clone().or_else(own).with_context(|| {
            format!(
                "{}: the run does not say which revision it measured: --revision does",
                run.path.display()
            )
        })?;
        let found = points_of_run(run, &args.reference, &revision)?;
        if found.points.is_empty() {
            name_left_out(&found.left_out);
        }
        ensure!(
            !found.points.is_empty(),
            "{}: no cell is ok, at a point of {}, and another implementation: nothing to add",
            run.path.display(),
            args.reference
        );
        taken.push((run.path.display().to_string(), revision, found));
    }
    let mut out = String::new();
    for (run, revision, found) in taken {
        let message = format!("history: {revision} against {}", args.reference);
        out.push_str(&added(&store, &run, found.points, &message)?);
        name_left_out(&found.left_out);
    }
    print(&out)
}

fn import(args: &CriterionArgs) -> Result<Exit> {
    let store = Store::of("--store", &args.store.store)?;
    let scope = Scope {
        reference: args.reference.clone(),
        revision: args.revision.clone(),
        fingerprint: args.fingerprint.clone().unwrap_or_else(|| profiler::host::fingerprint().id()),
        baseline: args.baseline.clone(),
        time_unix_ms: None,
    };
    let imported = criterion_points(&args.tree, &scope)?;
    for (path, reason) in &imported.skipped {
        eprintln!("warning: skipped {}: {reason}", path.display());
    }
    name_left_out(&imported.taken.left_out);
    let tree = args.tree.display().to_string();
    ensure!(!imported.taken.points.is_empty(), "{tree}: no benchmark besides the reference: nothing to add");
    let message = format!("history: {} from criterion", args.revision);
    print(&added(&store, &tree, imported.taken.points, &message)?)
}

fn name_left_out(left_out: &[LeftOut]) {
    for one in left_out.iter().take(NAMED_MAX) {
        eprintln!("left out {}: {}", one.cell, one.reason);
    }
    if left_out.len() > NAMED_MAX {
        eprintln!("left out {} more", left_out.len() - NAMED_MAX);
    }
}

/// Adds points to the files of their computers; says where they are, or that they are there already.
fn added(store: &Store, origin: &str, points: Vec<Point>, message: &str) -> Result<String> {
    let count = points.len();
    let mut files: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let run = points.first().map(|point| point.run.clone()).unwrap_or_default();
    let reference = points.first().map(|point| point.reference.clone()).unwrap_or_default();
    for point in points {
        files.entry(format!("{}.jsonl", point.fingerprint)).or_default().push(Line::Point(point));
    }
    // A run is kept once for each reference: added twice it would be two points where there is one measurement.
    let there = |history: &History| {
        let same = |point: &&Point| point.run == run && point.reference == reference;
        history.points.iter().find(same).map(|point| point.revision.clone())
    };
    let mut refused = Vec::new();
    for (file, lines) in &files {
        if let Err(revision) = store.append(file, lines, message, &there)? {
            refused.push((file, revision));
        }
    }
    // A crash between two files leaves the first: adding again then brings the others.
    if let Some((file, revision)) = refused.first().filter(|_| refused.len() == files.len()) {
        bail!("{origin} is in {store} already ({file}, revision {revision}, against {reference})");
    }
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    Ok(format!("{count} points of {origin} added to {store} ({})\n", names.join(", ")))
}

fn judge(args: &CheckArgs) -> Result<Exit> {
    let store = Store::of("--store", &args.store.store)?;
    let history = store.read()?;
    warn(&history.damaged);
    let fingerprint = match args.fingerprint.as_deref() {
        Some("this") => Some(profiler::host::fingerprint().id()),
        other => other.map(str::to_owned),
    };
    if let Some(id) = &fingerprint {
        let mut known: Vec<&str> = history.points.iter().map(|point| point.fingerprint.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        ensure!(
            known.contains(&id.as_str()),
            "--fingerprint {id}: {store} has no series of that computer; it has {}",
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        );
    }
    let report =
        check(&history, &Rules { store: store.to_string(), command: command_line(), fingerprint, run: None });
    print(&match args.format {
        HistoryFormat::Text => reports::history::text(&report),
        HistoryFormat::Json => to_json(&report)?,
        HistoryFormat::Junit => report.to_junit()?,
        HistoryFormat::Github => report.to_github(),
        HistoryFormat::Markdown => report.to_markdown(),
    })?;
    let worst = |verdict: Verdict| report.rows.iter().any(|row| row.verdict == verdict);
    Ok(if worst(Verdict::Regressed) {
        Exit::Regressed
    } else if args.strict && (worst(Verdict::Inconclusive) || report.rows.is_empty()) {
        Exit::CellFailed
    } else {
        Exit::Fine
    })
}

fn accept(args: &AcceptArgs) -> Result<Exit> {
    let store = Store::of("--store", &args.store.store)?;
    ensure!(
        !args.reason.trim().is_empty() && args.reason.chars().count() <= 1000,
        "--reason: expected a text of 1 to 1000 letters: who reads the page later wants to know why"
    );
    let history = store.read()?;
    warn(&history.damaged);
    let full = revision(&history, &args.revision, &store)?;
    let meant = |point: &&Point| {
        point.revision == full
            && args.implementation.as_ref().is_none_or(|id| *id == point.implementation)
            && args.point.as_ref().is_none_or(|label| *label == point.label)
            && args.metric.is_none_or(|metric| metric == point.metric)
    };
    let since = history.points.iter().filter(meant).map(|point| point.time_unix_ms).min();
    let since_unix_ms = since.with_context(|| {
        format!("{full}: {store} has no point of this revision that is of the implementation, point and metric asked for")
    })?;
    let epoch = Epoch {
        schema: SCHEMA,
        time_unix_ms: now_unix_ms(),
        from_revision: full.clone(),
        since_unix_ms,
        implementation: args.implementation.clone(),
        label: args.point.clone(),
        metric: args.metric,
        reason: args.reason.trim().to_owned(),
    };
    let same = |other: &Epoch| {
        Epoch { time_unix_ms: 0, ..other.clone() } == Epoch { time_unix_ms: 0, ..epoch.clone() }
    };
    let there = |history: &History| history.epochs.iter().any(same).then(String::new);
    let message = format!("history: accept {full}");
    if store.append(EPOCHS, &[Line::Epoch(epoch.clone())], &message, &there)?.is_err() {
        bail!("{full} is accepted in {store} already, with the same reason");
    }
    print(&format!("accepted {full} in {store}: levels are judged anew from there on\n"))
}

/// The revision of the store that `text` is, or that alone begins with it.
fn revision(history: &History, text: &str, store: &Store) -> Result<String> {
    let mut known: Vec<&str> = history.points.iter().map(|point| point.revision.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    let begins: Vec<&&str> = known.iter().filter(|revision| revision.starts_with(text)).collect();
    match begins[..] {
        [one] => Ok((*one).to_owned()),
        [] => {
            let near = workloads::nearest(text, known.iter().copied());
            let near = near.map_or(String::new(), |near| format!("; nearest is `{near}`"));
            bail!("{store} has no point of the revision `{text}`{near}")
        }
        _ => bail!("`{text}` begins {} revisions of {store}: more letters are needed", begins.len()),
    }
}

fn pages(args: &HistoryReportArgs) -> Result<Exit> {
    let store = Store::of("--store", &args.store.store)?;
    let history = store.read()?;
    warn(&history.damaged);
    let options = reports::html::Options { force: args.force, ..report::stamped() };
    let page = reports::html::write_history(&args.out, &history, &store.to_string(), &options)?;
    print(&format!("{}\n", page.display()))
}

fn now_unix_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}
