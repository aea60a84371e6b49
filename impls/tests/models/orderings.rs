//! Every ordering that the sources name earns its place: weakened, some check fails, or its comment says why it stays.
//!
//! The sites find themselves: what ran under loom is on the list. A site of the source that no check ran is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

use impls::machine::checked::sites::{Mutation, Site, Weakening};
use impls::mutex::visit_all;
use impls::suite::models::{Checker, Spec, Verdict, ordering};

use super::{Case, cases, check, golden, parallel, root};

#[test]
fn every_ordering_is_needed() {
    let start = Instant::now();
    let cases = cases(visit_all);
    // 1. What runs, and how much it takes. Nothing is weakened yet, so everything passes.
    let spec = |case: &Case| Spec { sites: true, ..Spec::short(Checker::Loom, case.program()) };
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
    let mut files: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    for ((mutation, by), caught) in mutations.iter().zip(&caught) {
        let tally = files.entry(&mutation.site.file).or_default();
        tally.weakened += 1;
        tally.sites.insert(&mutation.site);
        match caught {
            Some((case, text)) => {
                score += 1;
                tally.caught += 1;
                tally.programs.insert(case.program);
                println!("{mutation}: {} {}: {text}", case.id, case.program);
            }
            None => match reason(&mutation.site) {
                Some(reason) => {
                    tally.conservative += 1;
                    println!("{mutation}: conservative: {reason}");
                }
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
    golden("orderings.md", &table(&files));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What the orderings of a file came to.
#[derive(Default)]
struct Tally<'a> {
    sites: BTreeSet<&'a Site>,
    weakened: usize,
    caught: usize,
    conservative: usize,
    programs: BTreeSet<&'static str>,
}

fn table(files: &BTreeMap<&str, Tally<'_>>) -> String {
    let sum = |part: fn(&Tally<'_>) -> usize| files.values().map(part).sum::<usize>();
    let mut text = format!(
        "<!-- Made by impls/tests/models: do not edit. -->\n\n{} of {} weakened orderings caught by loom, {} conservative; {} sites.\n\n\
         | source | sites | weakened | caught | conservative | first caught by |\n|---|---:|---:|---:|---:|---|\n",
        sum(|tally| tally.caught),
        sum(|tally| tally.weakened),
        sum(|tally| tally.conservative),
        sum(|tally| tally.sites.len()),
    );
    for (file, tally) in files {
        let programs = tally.programs.iter().copied().collect::<Vec<_>>().join(", ");
        let (sites, weakened) = (tally.sites.len(), tally.weakened);
        let (caught, conservative) = (tally.caught, tally.conservative);
        text += &format!("| `{file}` | {sites} | {weakened} | {caught} | {conservative} | {programs} |\n");
    }
    text
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
