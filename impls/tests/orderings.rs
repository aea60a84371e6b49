//! Every ordering that the sources name earns its place: weakened, some check fails, or its comment says why it stays.
//!
//! The sites find themselves: what ran under loom is on the list. A site of the source that no check ran is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use impls::card::Role;
use impls::machine::checked::sites::{Mutation, Site, Weakening};
use impls::mutex::{MutexImpl, MutexVisitor, visit_all};
use impls::suite::models::programs::PROGRAMS;
use impls::suite::models::{Checker, Limits, Spec, Verdict, ordering, run, serve};

/// Set in the child, to the implementation that it checks.
const CHECKS: &str = "SYNCHROSCOPE_CHECKS";
const LIMITS: Limits = Limits { time: Duration::from_secs(120) };

/// Plays one check, in a process of its own; elsewhere it has nothing to do.
#[test]
fn child() {
    struct Play(String);
    impl MutexVisitor for Play {
        fn visit<I: MutexImpl>(&mut self) {
            if I::CARD.id == self.0 {
                serve::<I>();
            }
        }
    }
    if let Ok(id) = env::var(CHECKS) {
        visit_all(&mut Play(id));
    }
}

fn check(id: &str, spec: &Spec) -> impls::suite::models::Outcome {
    let mut command = Command::new(env::current_exe().expect("the test binary has a path"));
    command.args(["child", "--exact", "--nocapture", "--test-threads=1"]).env(CHECKS, id);
    run(&mut command, spec, LIMITS)
}

/// One implementation under one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    id: &'static str,
    program: &'static str,
}

fn cases() -> Vec<Case> {
    struct Collect(Vec<Case>);
    impl MutexVisitor for Collect {
        fn visit<I: MutexImpl>(&mut self) {
            if I::CARD.role != Role::Floor {
                let programs = PROGRAMS.iter().filter(|program| program.applies_to(&I::CARD));
                self.0.extend(programs.map(|program| Case { id: I::CARD.id, program: program.name }));
            }
        }
    }
    let mut collect = Collect(Vec::new());
    visit_all(&mut collect);
    collect.0
}

/// `work` for each of `items`, on as many threads as there are cores; in the order of the items.
fn parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, item)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    items.get(place).map(|item| (place, item))
                } {
                    let result = work(item);
                    results.lock().expect("no worker panics with the lock").insert(place, result);
                }
            });
        }
    });
    results.into_inner().expect("no worker panics with the lock").into_values().collect()
}

#[test]
fn every_ordering_is_needed() {
    let start = Instant::now();
    let cases = cases();
    // 1. What runs, and how much it takes. Nothing is weakened yet, so everything passes.
    let spec = |case: &Case| Spec {
        checker: Checker::Loom,
        program: case.program.to_owned(),
        depth: impls::suite::models::Depth::Short,
        mutation: None,
        sites: true,
    };
    let outcomes = parallel(&cases, |case| check(case.id, &spec(case)));
    let mut runs: BTreeMap<Site, (String, Vec<(usize, Case)>)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (case, outcome) in cases.iter().zip(outcomes) {
        match outcome.verdict {
            Verdict::Passed { executions, .. } => {
                for (site, order) in outcome.sites {
                    runs.entry(site).or_insert_with(|| (order, Vec::new())).1.push((executions, *case));
                }
            }
            Verdict::Failed(text) => wrong.push(format!("{} {}: {text}", case.id, case.program)),
        }
    }
    println!("{} cases of loom in {:?}", cases.len(), start.elapsed());
    // 2. One ordering weakened at a time, under what runs it, the shortest first.
    let mutations: Vec<_> = runs
        .iter()
        .filter(|(site, _)| is_shipped(site))
        .flat_map(|(site, (order, by))| {
            let order = ordering(order).expect("the child names orderings as we do");
            let mut by = by.clone();
            by.sort();
            Weakening::of(order)
                .iter()
                .map(move |&weakening| (Mutation { site: site.clone(), weakening }, by.clone()))
        })
        .collect();
    let caught = parallel(&mutations, |(mutation, by)| {
        by.iter().find_map(|(_, case)| {
            let spec = Spec { mutation: Some(mutation.clone()), sites: false, ..spec(case) };
            match check(case.id, &spec).verdict {
                Verdict::Failed(text) => Some((*case, text)),
                Verdict::Passed { .. } => None,
            }
        })
    });
    let mut score = 0;
    for ((mutation, by), caught) in mutations.iter().zip(&caught) {
        match caught {
            Some((case, text)) => {
                score += 1;
                println!("{mutation}: {} {}: {text}", case.id, case.program);
            }
            None => match reason(&mutation.site) {
                Some(reason) => println!("{mutation}: conservative: {reason}"),
                None => wrong.push(format!("{mutation}: nothing fails of {} cases", by.len())),
            },
        }
    }
    println!("{score} of {} weakened orderings caught, in {:?}", mutations.len(), start.elapsed());
    // 3. What the source names and no check ran.
    let ran: BTreeSet<_> = runs.keys().map(|site| (site.file.clone(), site.line)).collect();
    for (file, line, text) in named() {
        let near = ran.iter().any(|(f, l)| *f == file && (*l..*l + 4).contains(&line));
        if !near {
            wrong.push(format!("{file}:{line}: no check runs `{text}`"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn root() -> PathBuf {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root.parent().expect("the workspace holds the crate").to_owned()
}

fn is_shipped(site: &Site) -> bool {
    site.file.contains("src/mutex/") || site.file.contains("src/wait/")
}

/// Orderings other than Relaxed that the shipped sources name: file, line, text.
fn named() -> Vec<(String, u32, String)> {
    let mut all = Vec::new();
    for folder in ["impls/src/mutex", "impls/src/wait"] {
        let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
        for path in entries.map(|entry| entry.expect("it can be read").path()) {
            let text = fs::read_to_string(&path).expect("a source is text");
            let file = format!("{folder}/{}", path.file_name().expect("it has a name").to_string_lossy());
            for (line, code) in (1..).zip(text.lines()) {
                // What follows `//` is prose.
                let code = code.split("//").next().unwrap_or_default();
                for word in code.split(|c: char| !c.is_alphanumeric() && c != ':') {
                    if word.starts_with("Ordering::") && word != "Ordering::Relaxed" {
                        all.push((file.clone(), line, word.to_owned()));
                    }
                }
            }
        }
    }
    assert!(all.len() > 50, "only {} orderings were found: the scan is broken", all.len());
    all
}

/// What the source says for keeping the ordering at `site`, in the comment above.
fn reason(site: &Site) -> Option<String> {
    let text = fs::read_to_string(root().join(&site.file)).ok()?;
    let above: Vec<_> = text.lines().take(site.line as usize).collect();
    let comment = above.iter().rev().skip(1).take_while(|line| line.trim_start().starts_with("//"));
    let comment: Vec<_> = comment.collect();
    let text = comment
        .into_iter()
        .rev()
        .map(|line| line.trim().trim_start_matches('/').trim())
        .collect::<Vec<_>>()
        .join(" ");
    text.split_once("Conservative: ").map(|(_, reason)| reason.to_owned())
}
