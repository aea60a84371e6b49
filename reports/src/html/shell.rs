//! The frame of every page: head, navigation, stamp, footer; and the one file that holds all pages.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::environment::utc;
use super::route::Route;
use super::site::{At, Page, Site};
use crate::summary::Source;
use crate::text::{command_line, fit};

const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/page.js");

/// Files that all pages of a folder share.
pub(super) const ASSETS: [(&str, &str); 2] = [("assets/style.css", STYLE), ("assets/page.js", SCRIPT)];

/// Stands near the top of every page: tells our own pages from other people's files.
pub(super) const GENERATOR: &str = "<meta name=\"generator\" content=\"synchroscope\">";

/// Runs that a page stamps in full; the first page names all.
const STAMPS_MAX: usize = 4;

/// A page as a file of its own.
pub(super) fn document(site: &Site<'_>, page: &Page) -> String {
    let at = At { site, route: page.route };
    let up = site.routes.up(page.route);
    let title = format!("{} - {}", fit(&page.title, 120), site.title);
    let linked = html! {
        link rel="stylesheet" href={ (up) (ASSETS[0].0) };
        script defer src={ (up) (ASSETS[1].0) } {}
    };
    let body = html! {
        (navigation(&at))
        main id="main" { h1 { (fit(&page.title, 160)) } (page.body) }
        (footer(&at))
    };
    html(&title, &linked, &body)
}

/// A page as a section of a file that holds all.
pub(super) fn section(site: &Site<'_>, page: &Page) -> String {
    let front = page.route == Route::Front;
    html! {
        section .page .front[front] id=(site.routes.section(page.route)) {
            h1 { (fit(&page.title, 160)) }
            (page.body)
        }
    }
    .into_string()
}

/// The file that holds all pages: the style sheet shows the section that the address names, or else the first.
pub(super) fn single(site: &Site<'_>, sections: &[String]) -> String {
    let at = At { site, route: Route::Front };
    let inlined = html! { style { (PreEscaped(STYLE)) } };
    let body = html! {
        (navigation(&at))
        main id="main" .single { @for section in sections { (PreEscaped(section)) } }
        (footer(&at))
        script { (PreEscaped(SCRIPT)) }
    };
    html(&site.title, &inlined, &body)
}

fn html(title: &str, head: &Markup, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                (PreEscaped(GENERATOR))
                meta name="viewport" content="width=device-width";
                // No request leaves the page, not even for an icon.
                link rel="icon" href="data:,";
                title { (title) }
                (head)
            }
            body { a .skip href="#main" { "to the content" } (body) }
        }
    }
    .into_string()
}

fn navigation(at: &At<'_, '_>) -> Markup {
    let site = at.site;
    let current = |route: Route| (route == at.route && !site.options.single_file).then_some("page");
    let entry = |route: Route, name: &str| html! { li { a href=(at.link(route)) aria-current=[current(route)] { (name) } } };
    html! {
        header .site {
            nav aria-label="Report" {
                ul {
                    (entry(Route::Front, "Overview"))
                    @if !site.workloads.is_empty() {
                        li { a href=(at.link_part(Route::Front, "workloads")) { "Workloads" } }
                        li { a href=(at.link_part(Route::Front, "implementations")) { "Implementations" } }
                    }
                    @match site.lineages.len() {
                        0 => {},
                        1 => (entry(Route::Lineage(0), "Lineage")),
                        _ => li { a href=(at.link_part(Route::Front, "lineages")) { "Lineages" } },
                    }
                    @for (route, name) in &site.scales { (entry(*route, name)) }
                    @if !site.workloads.is_empty() { (entry(Route::Comparisons, "Comparisons")) }
                    (entry(Route::Methodology, "Methodology"))
                    (entry(Route::Bias, "Bias"))
                    (entry(Route::Glossary, "Glossary"))
                }
            }
        }
    }
}

fn footer(at: &At<'_, '_>) -> Markup {
    html! {
        footer {
            (stamps(at, STAMPS_MAX))
            @if !matches!(at.route, Route::Cell(_)) { p .note {
                @let of = |measured: bool| at.site.cells.iter().any(|cell| (cell.source == Source::Measured) == measured);
                @if of(true) {
                    "Ranked: launches without a probe. Waits and explanations: probed ones. Medians; intervals over launches. "
                }
                @if of(false) {
                    "Simulated: each launch is ranked and explained, for looking costs no simulated time. "
                }
                a href=(at.link(Route::Methodology)) { "Methodology" }
            } }
        }
    }
}

/// The exact commands and revisions, of the first runs.
pub(super) fn stamps(at: &At<'_, '_>, most: usize) -> Markup {
    let (runs, options) = (at.site.runs, at.site.options);
    html! {
        div .stamp {
            @for run in runs.iter().take(most) {
                @let m = &run.manifest;
                pre { "$ " (command_line(&m.command)) }
                p .note {
                    "suite " strong { (m.suite) }
                    @if let Some(shard) = &m.shard { ", shard " (shard) }
                    ", seed " (m.seed)
                    ", begun " (utc(m.started_unix_ms))
                    ", synchroscope " (m.tool.version)
                    @match &m.tool.revision {
                        Some(revision) => { ", revision " code { (revision) } },
                        None => ", revision not known",
                    }
                    ", harness " code { (m.tool.harness_hash) }
                    ", " (run.records.len()) " of " (m.cells.len()) " cells"
                }
            }
            @if runs.len() > most {
                p .note { a href=(at.link(Route::Front)) { "and " (runs.len() - most) " more runs" } }
            }
            // A run that writes its own pages has said so already.
            @let said = runs.len() == 1 && runs[0].manifest.command == options.command;
            @if !options.command.is_empty() && !said {
                p .note {
                    "Pages: " code { (command_line(&options.command)) }
                    @if !options.tool.is_empty() { ", " (options.tool) }
                }
            }
        }
    }
}
