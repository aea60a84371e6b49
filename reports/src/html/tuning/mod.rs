//! A search for better parameters: its page, and the folder that holds it.
//!
//! | module | holds |
//! |---|---|
//! | `pictures` | surface, regret map, front, sensitivity |
//! | `tables` | confirmation, shapes, every setting |

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use maud::{Markup, html};

use super::figure::{method_link, titled};
use super::site::{At, Page};
use super::{Options, alone};
use crate::tune::text::{answer, tier};
use crate::tune::{Phase, TuneReport, snippet};

mod pictures;
mod tables;

/// Where the page explains itself.
const METHOD: &str = "tuning";
/// The whole outcome, beside the page.
const DATA: &str = "outcome.json";

/// Writes the page of a search into the folder `out`, with its data and the documents that explain it, and returns its
/// path.
///
/// # Errors
/// As those of [`super::write_report`].
pub fn write_tuning(out: &Path, report: &TuneReport, options: &Options) -> Result<PathBuf> {
    let data = serde_json::to_vec_pretty(report).context("cannot write JSON")?;
    alone::write(out, options, &title(report), (DATA, &data), |at| page(at, report))
}

/// What the report and its page are called.
fn title(report: &TuneReport) -> String {
    format!("Tuning of {}", report.plan.implementation)
}

fn page(at: &At<'_, '_>, report: &TuneReport) -> Page {
    let body = html! {
        p { strong { (answer(report)) } " " (method_link(at, METHOD)) }
        (stamp(report))
        (recommendation(at, report))
        (tables::confirmation(at, report))
        (pictures::surfaces(at, report))
        (pictures::regrets(at, report))
        (pictures::fronts(at, report))
        (pictures::sensitivity(at, report))
        (tables::shapes(at, report))
        (tables::settings(at, report))
        @if !report.notes.is_empty() {
            h2 id=(at.id("notes")) { "Notes" }
            ul { @for note in &report.notes { li { (note) "." } } }
        }
    };
    Page { route: at.route, title: title(report), body }
}

fn stamp(report: &TuneReport) -> Markup {
    let plan = &report.plan;
    let f = &plan.fingerprint;
    html! {
        div .stamp {
            pre { "$ " (plan.command.join(" ")) }
            p .note {
                @if plan.simulate_only {
                    "Nothing was measured. "
                } @else {
                    "Raced on " (f.cpu_model) ", " (f.cores) " cores [" code { (f.id()) } "]. "
                }
                "Seed " (plan.seed) ", evidence " code { (report.evidence) } " (" (report.trials) " trials in trials.jsonl), synchroscope "
                (plan.tool.version) ", harness " code { (plan.tool.harness_hash) } ". Everything on this page: "
                a href=(DATA) { (DATA) } "."
            }
            p .note {
                "Preference: " (plan.prefer.name()) ". A difference counts from " (crate::text::percent(plan.rules.epsilon_ratio - 1.0))
                " on. Least index of Jain " (plan.jain_min)
                @if let Some(ns) = plan.wait_ns_max { ", longest wait " (crate::text::time(ns as f64)) }
                ". Judged: " (tier(report.judged)) "."
            }
        }
    }
}

fn recommendation(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    html! {
        h2 id=(at.id("recommendation")) { (titled(at, "To take over", METHOD)) }
        pre { (snippet::toml(report)) }
        details {
            summary { "As constants in Rust" }
            pre { (snippet::rust(report)) }
        }
    }
}

/// What a scenario's numbers are, for the caption of each picture.
fn source(report: &TuneReport, scenario: usize) -> String {
    if report.scenario(scenario).is_simulated() {
        format!("simulated ({}): a model", report.scenario(scenario).cell.machine)
    } else {
        "measured on this computer".to_owned()
    }
}

/// The scenarios of the phase that is judged.
fn judged(report: &TuneReport) -> Vec<usize> {
    report.plan.seen(report.judged == Phase::Screen)
}
