//! The history of a project: every series of ratios with its levels, changes and epochs. A page of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use maud::{Markup, html};

use super::environment::utc;
use super::figure::{figure, method_link, scroll, titled};
use super::site::{At, Page};
use super::{Options, alone, chart};
use crate::compare::Verdict;
use crate::history::{FALSE_SHARE, History, Judged, Line, Series, WINDOW, judge, series};
use crate::text::{change, fit, three_digits};

/// What the report is called.
const TITLE: &str = "Contention report, history";
/// Where the page explains itself.
const METHOD: &str = "history";
/// The lines, beside the page.
const DATA: &str = "history.jsonl";
/// Series whose pictures are not folded away, besides those with a change.
const OPEN_MAX: usize = 12;

/// Writes the page of a history into the folder `out`, with its lines and the documents that explain it, and returns its
/// path. `store` is where the history was read.
///
/// # Errors
/// As those of [`super::write_report`].
pub fn write_history(out: &Path, history: &History, store: &str, options: &Options) -> Result<PathBuf> {
    let lines = lines(history)?;
    alone::write(out, options, TITLE, (DATA, lines.as_bytes()), |at| page(at, history, store))
}

/// Renders the page of a history in memory.
pub fn render_history(history: &History, store: &str, options: &Options) -> String {
    alone::render(options, TITLE, |at| page(at, history, store))
}

fn lines(history: &History) -> Result<String> {
    let points = history.points.iter().cloned().map(Line::Point);
    let epochs = history.epochs.iter().cloned().map(Line::Epoch);
    let texts = points.chain(epochs).map(|line| line.to_text());
    texts.collect::<Result<String>>().context("cannot write the lines of the history")
}

/// A series, what was found in it, and its number on the page.
struct One<'a> {
    series: Series<'a>,
    judged: Judged,
    number: usize,
}

impl One<'_> {
    fn name(&self) -> String {
        let of = self.series.of();
        let machine =
            if of.machine == "os" { String::new() } else { format!(" on {}", fit(&of.machine, 40)) };
        format!("{} at {}{machine}: {}", fit(&of.name(), 60), fit(&of.label, 60), of.metric.name())
    }

    fn id(&self, at: &At<'_, '_>) -> String {
        at.id(&format!("series-{}", self.number))
    }
}

fn page(at: &At<'_, '_>, history: &History, store: &str) -> Page {
    let mut all: Vec<One<'_>> = series(history)
        .into_iter()
        .enumerate()
        .map(|(number, series)| One { judged: judge(&series), series, number })
        .collect();
    all.sort_by_key(|one| crate::history::rank(one.judged.verdict));
    let computers = computers(&all);
    let count = |verdict: Verdict| all.iter().filter(|one| one.judged.verdict == verdict).count();
    let body = html! {
        div .card {
            h2 { "In short" }
            p {
                strong { (count(Verdict::Regressed)) " worse" } ", " (count(Verdict::Improved)) " better, "
                (count(Verdict::Equivalent)) " unchanged, " (count(Verdict::Inconclusive)) " cannot tell, of "
                (all.len()) " series. " (method_link(at, METHOD))
            }
            dl .facts {
                dt { "Store" } dd { code { (fit(store, 200)) } " (all lines: " a href=(DATA) { (DATA) } ")" }
                dt { "Points" } dd { (history.points.len()) }
                dt { "Computers" } dd { (computers.join(", ")) }
                dt { "Changed by chance" } dd {
                    (three_digits(all.len() as f64 * FALSE_SHARE)) " of so many series, if neighbouring runs are as like each \
                    other as an AR(1) series of 0.3 is"
                }
            }
        }
        @if all.is_empty() { p { "The history holds no points." } }
        @for computer in &computers {
            h2 id=(at.id(&format!("computer-{computer}"))) {
                @if computer == "simulated" { "Simulated machines" } @else { "Computer " code { (computer) } }
            }
            @let own: Vec<&One<'_>> = all.iter().filter(|one| one.series.of().fingerprint == *computer).collect();
            (table(at, &own, computer))
            @for (index, one) in own.iter().enumerate() { (picture(at, one, index < OPEN_MAX)) }
        }
        (epochs(at, history))
        @if !history.damaged.is_empty() {
            h2 id=(at.id("damaged")) { "Lines that could not be read" }
            ul { @for d in &history.damaged { li { code { (fit(&d.file, 120)) ":" (d.line) } ": " (fit(&d.reason, 300)) } } }
        }
    };
    Page { route: at.route, title: "History: ratios to a pinned reference".into(), body }
}

fn computers(all: &[One<'_>]) -> Vec<String> {
    let mut computers: Vec<String> = all.iter().map(|one| one.series.of().fingerprint.clone()).collect();
    computers.sort();
    computers.dedup();
    computers
}

fn table(at: &At<'_, '_>, own: &[&One<'_>], computer: &str) -> Markup {
    scroll(
        &format!("Series of {computer}"),
        html! {
            table .sortable {
                caption { "Every series: its latest level against the one before the change that decides" }
                thead { tr {
                    th scope="col" { "series" } th scope="col" .l { "verdict" } th scope="col" { "change" }
                    th scope="col" { "interval" } th scope="col" { "latest level" } th scope="col" { "points" }
                    th scope="col" { "visible from" } th scope="col" .l { "why" }
                } }
                tbody {
                    @for one in own {
                        @let judged = &one.judged;
                        tr {
                            th scope="row" { a href=(at.here(&format!("series-{}", one.number))) { (one.name()) } }
                            td .l { span class=(class(judged.verdict)) { (judged.verdict.name()) } (badge(judged)) }
                            td data-v=(judged.ratio.map_or(String::new(), |r| r.ratio.to_string())) {
                                (judged.ratio.map_or_else(|| "-".into(), |r| change(r.ratio)))
                            }
                            td { (judged.ratio.map_or_else(|| "-".into(), |r| format!("{} to {}", change(r.low), change(r.high)))) }
                            td { (judged.levels.last().map_or_else(|| "-".into(), |level| three_digits(level.ln.exp()))) }
                            td { (one.series.points.len()) }
                            td data-v=(judged.minimal_detectable_ratio.map_or(String::new(), |r| r.to_string())) {
                                (judged.minimal_detectable_ratio.map_or_else(|| "-".into(), change))
                            }
                            td .w { (fit(&judged.reason, 300)) }
                        }
                    }
                }
            }
        },
    )
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Improved => "v-better",
        Verdict::Regressed => "v-worse",
        Verdict::Equivalent => "v-same",
        Verdict::Inconclusive | Verdict::Contaminated => "v-unknown",
    }
}

/// By how much neighbours differ, where that is more than a difference should be.
fn noisy(judged: &Judged) -> Option<String> {
    judged
        .fence_ratio
        .filter(|_| judged.noisy)
        .map(|fence| format!("neighbours differ by up to {}", change(fence)))
}

/// The badge in the table; the words stand beside the picture.
fn badge(judged: &Judged) -> Markup {
    html! { @if let Some(title) = noisy(judged) { " " span .warn title=(title) { "noisy?" } } }
}

fn picture(at: &At<'_, '_>, one: &One<'_>, open: bool) -> Markup {
    let judged = &one.judged;
    let label = format!(
        "{}: {} points; {}. {}",
        one.name(),
        one.series.points.len(),
        judged.verdict.name(),
        judged.reason
    );
    let svg = chart::history(&one.series, judged, &label);
    let key = html! {
        ul .key {
            li { i .bc0 {} "a run, with its interval" }
            @if judged.from > 0 { li { i .bg0 {} "not judged: before the last accepted change, or more than " (WINDOW) " runs ago" } }
            li { i .bc5 {} "level" }
            @if judged.changes.iter().any(|c| c.stands && worse(one, c.ratio)) { li { i .bv-worse {} "worse from here on" } }
            @if judged.changes.iter().any(|c| c.stands && !worse(one, c.ratio)) { li { i .bv-better {} "better from here on" } }
            @if judged.changes.iter().any(|c| !c.stands) { li { i .bv-same {} "a change within the margin, or taken back" } }
        }
    };
    let note = html! {
        span class=(class(judged.verdict)) { (judged.verdict.name()) } ": " (fit(&judged.reason, 300)) "."
        @if let Some(text) = noisy(judged) { " " span .warn { "Noisy? " (text) "." } }
        " Margin " (change(judged.margin_ratio)) "."
        @if one.series.of().blocks == 0 { " Intervals are over samples of one process: what differs between processes is not in them." }
    };
    let drawn = html! {
        (figure(at, &one.name(), METHOD, &svg, key, note))
        details { summary { "Points of this series" } (points(one)) }
    };
    html! {
        div id=(one.id(at)) {
            @if open || !judged.changes.is_empty() { (drawn) } @else { details { summary { (one.name()) } (drawn) } }
        }
    }
}

fn worse(one: &One<'_>, ratio: f64) -> bool {
    (ratio < 1.0) == one.series.of().metric.more_is_better()
}

fn points(one: &One<'_>) -> Markup {
    let said = |index: usize| {
        let changes = one.judged.changes.iter().filter(|c| c.at == index);
        let changes = changes.map(|c| format!("{} from here on (p = {:.1e})", change(c.ratio), c.p));
        let epochs = one.series.epochs.iter().filter(|(at, _)| *at == index);
        let epochs = epochs.map(|(_, epoch)| format!("accepted: {}", fit(&epoch.reason, 300)));
        changes.chain(epochs).collect::<Vec<_>>().join("; ")
    };
    scroll(
        &format!("Points of {}", one.name()),
        html! {
            table {
                thead { tr {
                    th scope="col" { "revision" } th scope="col" { "when" } th scope="col" { "ratio" } th scope="col" { "interval" }
                    th scope="col" { "launch pairs" } th scope="col" .l { "what" }
                } }
                tbody {
                    @for (index, point) in one.series.points.iter().enumerate() {
                        tr {
                            th scope="row" { (fit(&point.revision, 40)) }
                            td { (utc(point.time_unix_ms)) }
                            td { (three_digits(point.ratio())) }
                            td {
                                @match (point.ln_low, point.ln_high) {
                                    (Some(low), Some(high)) => {
                                        (three_digits(low.exp())) " to " (three_digits(high.exp()))
                                        @if !point.reached { " (!)" }
                                    }
                                    _ => "-",
                                }
                            }
                            td { (point.blocks) }
                            td .w { (said(index)) }
                        }
                    }
                }
            }
        },
    )
}

fn epochs(at: &At<'_, '_>, history: &History) -> Markup {
    html! {
        @if !history.epochs.is_empty() {
            h2 id=(at.id("epochs")) { (titled(at, "Accepted changes", METHOD)) }
            ul {
                @for epoch in &history.epochs {
                    li {
                        "From " code { (fit(&epoch.from_revision, 60)) } " on"
                        @if let Some(id) = &epoch.implementation { ", " (fit(id, 60)) }
                        @if let Some(label) = &epoch.label { ", at " (fit(label, 60)) }
                        @if let Some(metric) = epoch.metric { ", " (metric.name()) }
                        ": " (fit(&epoch.reason, 1000)) " (" (utc(epoch.time_unix_ms)) ")"
                    }
                }
            }
        }
    }
}
