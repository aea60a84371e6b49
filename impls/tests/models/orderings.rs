//! Every ordering that the sources name earns its place: weakened, some check fails, or its comment says why it stays.
//!
//! The sites find themselves: what ran under loom is on the list. A site of the source that no check ran is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

use impls::machine::Ordering;
use impls::machine::checked::sites::{Mutation, Site, Slot, Weakening};
use impls::mutex::visit_all;
use impls::suite::models::{Checker, Spec, Verdict, ordering};

use super::{Case, Took, cases, check, golden, parallel, programs, root};

/// Orderings that are no sites, by the beginning of their path, and why not.
const NO_SITES: [(&str, &str); 3] = [
    ("impls/src/machine/checked/", "the checkers' own machine: it names orderings to weaken them"),
    (
        "impls/src/machine/os/clock.rs",
        "below the machine, where no checker can run it: a pair, published once; each names its partner",
    ),
    ("impls/src/suite/", "tests and broken locks: nothing that is measured"),
];

#[test]
fn every_ordering_is_needed() {
    let _took = Took::begin();
    let start = Instant::now();
    let cases = cases(visit_all);
    // 1. What runs, and how much it takes. Nothing is weakened yet, so everything passes.
    let spec = |case: &Case| Spec { sites: true, ..Spec::short(Checker::Loom, case.program()) };
    let outcomes = parallel(&cases, |case| check(case.id, &spec(case)));
    let mut runs: BTreeMap<Site, (String, Vec<(usize, Case)>)> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut passed = Vec::new();
    for (case, outcome) in cases.iter().zip(outcomes) {
        match outcome.verdict {
            Verdict::Passed { executions, complete } => {
                passed.push((*case, executions, complete));
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
    let mut lines = Vec::new();
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
                lines.push((mutation, format!("`{}`, {}", case.id, case.program)));
            }
            None => match reason(&mutation.site) {
                Some(reason) => {
                    tally.conservative += 1;
                    println!("{mutation}: conservative: {reason}");
                    lines.push((mutation, format!("conservative: {reason}")));
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
        let none = NO_SITES.iter().any(|(path, _)| file.starts_with(path));
        if !near && !none {
            wrong.push(format!("{file}:{line}: no check runs `{text}`"));
        }
    }
    golden("orderings.md", &(table(&files) + &sites(&lines)));
    golden("programs.md", &programs::table(&passed));
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

/// Every weakened ordering, by what its source says, and what caught it; then what is no site. Lines have no numbers:
/// the table changes with the orderings, and not with the text around them.
fn sites(lines: &[(&Mutation, String)]) -> String {
    let mut text =
        "\n## Every site\n\n| source | operation | weakened to | what fails first |\n|---|---|---|---|\n"
            .to_owned();
    for (Mutation { site, weakening }, caught) in lines {
        let source = fs::read_to_string(root().join(&site.file)).unwrap_or_default();
        let line = source.lines().nth(site.line as usize - 1).unwrap_or_default().trim();
        let file = site.file.trim_start_matches("impls/src/");
        let slot = if site.slot == Slot::Failure { ", failure" } else { "" };
        let line = line.replace('|', "\\|");
        text += &format!("| `{file}` | `{line}` | {weakening:?}{slot} | {caught} |\n");
    }
    text += "\n## What is no site\n\n| below | why |\n|---|---|\n";
    for (path, why) in NO_SITES {
        text += &format!("| `{path}` | {why} |\n");
    }
    text
}

fn is_shipped(site: &Site) -> bool {
    !NO_SITES.iter().any(|(path, _)| site.file.starts_with(path))
}

/// Sources below a folder, relative to the root.
fn sources(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
    let mut all = Vec::new();
    for entry in entries.map(|entry| entry.expect("it can be read")) {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            all.extend(sources(&path));
        } else if path.ends_with(".rs") {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// Orderings other than Relaxed that the sources of `impls` name: file, line, text.
fn named() -> Vec<(String, u32, String)> {
    let mut all = Vec::new();
    for file in sources("impls/src") {
        let text = fs::read_to_string(root().join(&file)).expect("a source is text");
        for (line, code) in (1..).zip(text.lines()) {
            // What follows `//` is prose.
            let code = code.split("//").next().unwrap_or_default();
            for word in code.split(|c: char| !c.is_alphanumeric() && c != ':') {
                // Of memory: the order of numbers has the same name.
                if word.strip_prefix("Ordering::").and_then(ordering).is_some_and(|o| o != Ordering::Relaxed)
                {
                    all.push((file.clone(), line, word.to_owned()));
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
