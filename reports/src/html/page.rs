//! The skeleton of the main page.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use record::store::Loaded;

use super::catalogue::Catalogue;
use super::{GENERATOR, Options, environment, problems, section};
use crate::findings::findings;
use crate::group::{Group, group};
use crate::noise;
use crate::summary::{Source, Summary, summarise};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

/// The whole page.
pub(super) fn page(runs: &[Loaded], options: &Options) -> Markup {
    let cells: Vec<Summary> = runs.iter().flat_map(|run| summarise(&run.records)).collect();
    let catalogue = Catalogue::new(&cells);
    let groups = group(&cells);
    let sections = section::sections(&groups, &catalogue);
    let families = families(&cells);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (PreEscaped(GENERATOR))
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // No request leaves the page, not even for an icon.
                link rel="icon" href="data:,";
                title { "Contention report" @if !families.is_empty() { ": " (families) } }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Contention report" @if !families.is_empty() { ": " (families) } }
                    (stamps(runs, options))
                }
                main {
                    @if cells.is_empty() {
                        p #empty {
                            strong { "No results. " }
                            @match runs.len() {
                                0 => "No run was given.",
                                _ => "The run holds no record that could be read: it was stopped before its first launch \
                                      ended, or its records are damaged.",
                            }
                        }
                    } @else {
                        (said(&groups, noise::margin(&noise::aa_pairs(&cells))))
                    }
                    (contents(&groups))
                    (environment::cards(runs, &cells))
                    @if groups.len() > 1 { (mixed(&groups)) }
                    @for (index, (one, sections)) in groups.iter().zip(&sections).enumerate() {
                        @if groups.len() > 1 { h2 id={ "group-" (index) } { (group_title(one)) } }
                        (sections)
                    }
                    (problems::problems(runs, &cells))
                }
                footer {
                    p {
                        "Throughput, processor time and fairness over workers come from launches without a probe; waits, "
                        "the ledger and counts per acquire from probed ones. A launch is one process; spreads and \
                         intervals are over launches. Medians, never means. A dash: not known, the reason stands in the \
                         table of counters or below."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn families(cells: &[Summary]) -> String {
    let family = |c: &Summary| c.implementation.split('/').next().unwrap_or_default().to_owned();
    let mut families: Vec<String> = cells.iter().map(family).collect();
    families.sort_unstable();
    families.dedup();
    crate::text::fit(&families.join(", "), 60)
}

/// The exact commands and revisions.
fn stamps(runs: &[Loaded], options: &Options) -> Markup {
    html! {
        @for run in runs {
            @let m = &run.manifest;
            pre { "$ " (m.command.join(" ")) }
            p .note {
                "suite " strong { (m.suite) }
                @if let Some(shard) = &m.shard { ", shard " (shard) }
                ", seed " (m.seed)
                ", begun " (environment::utc(m.started_unix_ms))
                ", synchroscope " (m.tool.version)
                @match &m.tool.revision {
                    Some(revision) => { ", revision " code { (revision) } },
                    None => ", revision not known",
                }
                ", harness " code { (m.tool.harness_hash) }
                ", " (run.records.len()) " of " (m.cells.len()) " cells"
            }
        }
        @if !options.command.is_empty() {
            p .note { "This page: " code { (options.command.join(" ")) } }
        }
    }
}

fn said(groups: &[Group<'_>], margin: f64) -> Markup {
    let found = findings(groups, margin);
    html! {
        section #findings aria-label="Findings" {
            @if found.is_empty() {
                p .note { "The launches support no plain sentence about who is faster: see the intervals and spreads." }
            } @else {
                ul .findings {
                    @for finding in &found {
                        li {
                            (finding.text) " "
                            a href={ "#" (section::anchor(finding.group, finding.point)) } { "evidence" }
                        }
                    }
                }
                p .note {
                    "Differences named here have a 95 % interval over launches that excludes 1, and exceed the margin of noise ("
                    (crate::text::change(margin)) ")."
                }
            }
        }
    }
}

fn contents(groups: &[Group<'_>]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                @for (g, group) in groups.iter().enumerate() {
                    @for (p, point) in group.points.iter().enumerate() {
                        li {
                            a href={ "#" (section::anchor(g, p)) } { (crate::text::fit(point.label, 60)) }
                            @if groups.len() > 1 { " " small { "[" (short(group)) "]" } }
                        }
                    }
                }
                li { a href="#environment" { "environment and noise" } }
                li { a href="#not-ranked" { "not ranked" } }
            }
        }
    }
}

fn mixed(groups: &[Group<'_>]) -> Markup {
    html! {
        p #mixed .warn {
            "The records come from " (groups.len()) " different computers or models. They stand in groups of their own \
             below: nothing is averaged or drawn across them."
        }
    }
}

fn short(group: &Group<'_>) -> String {
    match &group.source {
        Source::Measured => group.fingerprint.id(),
        simulated => simulated.name(),
    }
}

fn group_title(group: &Group<'_>) -> String {
    let f = group.fingerprint;
    match &group.source {
        Source::Measured => format!("Measured on {}, {} cores [{}]", f.cpu_model, f.cores, f.id()),
        simulated => format!("{}: a model, no computer", simulated.name()),
    }
}
