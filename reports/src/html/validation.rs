//! Simulated against published curves: the page of a validation, and the folder that holds it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use maud::{Markup, html};
use record::validation::{Experiment, NaiveTicket, PointAgreement, Validation};

use super::figure::{figure, method_link, scroll, titled};
use super::site::{At, Page};
use super::{Options, alone, chart, writer};
use crate::text::{fit, three_digits};
use crate::validation::{experiments, in_words, orders, overall, telling, title, unscored, worst};

/// What the report and its page are called.
const TITLE: &str = "Validation of the simulated machine";
/// Where the page explains itself.
const METHOD: &str = "validation-of-the-model";
/// The raw data, beside the page.
const DATA: &str = "validation.json";

/// Whether [`write_validation`] may write into `out`.
///
/// # Errors
/// As those of [`super::write_report`].
pub fn may_write(out: &Path, options: &Options) -> Result<()> {
    writer::Folder::open(out, options.force).map(|_| ())
}

/// Writes the page of a validation into the folder `out`, with its data and the documents that explain it, and returns
/// its path.
///
/// # Errors
/// As those of [`super::write_report`].
pub fn write_validation(out: &Path, validation: &Validation, options: &Options) -> Result<PathBuf> {
    let data = serde_json::to_vec_pretty(validation).context("cannot write JSON")?;
    alone::write(out, options, TITLE, (DATA, &data), |at| page(at, validation))
}

fn page(at: &At<'_, '_>, validation: &Validation) -> Page {
    let body = html! {
        p { strong { (overall(validation)) } " " (method_link(at, METHOD)) }
        p { (orders(validation)) " All points: " a href=(DATA) { (DATA) } "." }
        h2 id=(at.id("limits")) { "Limits" }
        ul { @for limit in &validation.limits { li { (limit) } } }
        @for (index, experiment) in experiments(validation).into_iter().enumerate() {
            (section(at, validation, experiment, index))
        }
        (crossovers(at, validation))
        (tickets(at, &validation.naive_ticket))
        @if !validation.skipped.is_empty() {
            h2 id=(at.id("skipped")) { "Skipped" }
            ul {
                @for skipped in &validation.skipped {
                    li { (fit(&skipped.platform, 40)) " " (fit(&skipped.series, 40)) " (" (skipped.file) "): " (skipped.reason) }
                }
            }
        }
    };
    Page { route: at.route, title: TITLE.into(), body }
}

fn section(at: &At<'_, '_>, validation: &Validation, experiment: &Experiment, index: usize) -> Markup {
    let own = || validation.series.iter().filter(|series| series.experiment == *experiment);
    let curve = |name: &str| -> Vec<&PointAgreement> {
        let of = |point: &&PointAgreement| point.experiment == *experiment && point.series == name;
        validation.points.iter().filter(of).collect()
    };
    html! {
        h2 id=(at.id(&format!("experiment-{index}"))) { (title(experiment)) }
        (scroll("Errors of the series", html! {
            table {
                thead { tr {
                    th scope="col" { "series" } th scope="col" { "points" } th scope="col" { "error" }
                    th scope="col" { "worst: simulated by published" }
                } }
                tbody {
                    @for series in own() {
                        tr {
                            th scope="row" { (fit(&series.series, 40)) }
                            td { (series.scored) }
                            td { (series.error.map_or_else(|| "-".into(), |error| format!("{error:.2}"))) }
                            td { (worst(series)) }
                        }
                    }
                }
            }
        }))
        @for (places, reason) in unscored(validation, experiment) {
            p .note { (places) ": shown, not scored: " (reason) "." }
        }
        @for series in own() {
            @let points = curve(&series.series);
            @let name = format!("{}: published and simulated", fit(&series.series, 40));
            @if let Some(svg) = chart::published(&points, validation.seeds, &name) {
                (figure(at, &name, METHOD, &svg, html! {}, html! {
                    @if let Some(error) = series.error { "Error " (format!("{error:.2}")) "." }
                }))
            }
        }
    }
}

fn crossovers(at: &At<'_, '_>, validation: &Validation) -> Markup {
    if validation.crossovers.is_empty() {
        return html! {};
    }
    html! {
        h2 id=(at.id("crossovers")) { (titled(at, "Crossovers", METHOD)) }
        (scroll("Crossovers, published and simulated", html! {
            table {
                thead { tr {
                    th scope="col" { "pair" } th scope="col" { "experiment" } th scope="col" { "published: ahead from so many threads on" }
                    th scope="col" { "simulated" } th scope="col" { "simulated by published" }
                } }
                tbody {
                    @for pair in telling(validation) {
                        tr {
                            th scope="row" { (fit(&pair.a, 20)) ", " (fit(&pair.b, 20)) }
                            td { (fit(&pair.experiment.platform, 40)) " " (pair.experiment.bench) }
                            td { (in_words(&pair.published)) }
                            td { (in_words(&pair.simulated)) }
                            td { (pair.ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"))) }
                        }
                    }
                }
            }
        }))
    }
}

fn tickets(at: &At<'_, '_>, tickets: &[NaiveTicket]) -> Markup {
    html! {
        @if !tickets.is_empty() {
            h2 id=(at.id("naive-ticket")) { (titled(at, "The naive ticket", METHOD)) }
        }
        @for ticket in tickets {
            p {
                (fit(&ticket.platform, 40)) ", sim:" (ticket.preset) ": each more waiter makes a hand-over "
                strong { (three_digits(ticket.cycles_per_waiter)) " cycles" } " longer; "
                @match ticket.published_cycles_per_waiter {
                    Some(cycles) => { "published: " (three_digits(cycles)) "." },
                    None => "no value is published.",
                }
                " Cycles of a hand-over: "
                @for (index, (threads, cycles)) in ticket.hand_over_cycles.iter().enumerate() {
                    @if index > 0 { ", " }
                    (three_digits(*cycles)) " with " (threads) " threads"
                }
                "."
            }
        }
    }
}
