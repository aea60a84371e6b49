//! The first page: what the launches say, on what they were made, who is not beaten, and the way to everything else.

use maud::{Markup, html};

use super::figure::{scroll, titled};
use super::route::Route;
use super::site::{At, Page, group_title};
use super::{environment, problems, section, shell, table};
use crate::findings::findings;
use crate::group::{Group, PointCells};
use crate::noise;
use crate::text::{fit, si, time};

/// The page.
pub(super) fn page(at: &At<'_, '_>) -> Page {
    let site = at.site;
    let body = html! {
        (shell::stamps(at, usize::MAX))
        (problems::warning(at))
        @if site.cells.is_empty() {
            p id=(at.id("empty")) {
                strong { "No results. " }
                @match site.runs.len() {
                    0 => "No run was given.",
                    _ => "The run holds no record that could be read: it was stopped before its first launch ended, or its records \
                          are damaged.",
                }
            }
        } @else {
            (said(at))
        }
        @if site.groups.len() > 1 { (mixed(at)) }
        @for (index, group) in site.groups.iter().enumerate() {
            @if site.groups.len() > 1 { h2 id=(at.id(&format!("group-{index}"))) { (group_title(site, index)) } }
            (headline(at, index, group))
            (overview(at, index, group))
        }
        (environment::cards(at))
        (workloads(at))
        (lineages(at))
        (implementations(at))
        (problems::problems(at))
    };
    Page { route: at.route, title: site.title.clone(), body }
}

fn said(at: &At<'_, '_>) -> Markup {
    let steps: Vec<(&str, &str)> = at.site.lineages.iter().flat_map(|l| l.steps.iter().copied()).collect();
    let found = findings(&at.site.groups, &at.site.margins, &steps);
    let margins = noise::margins_text(at.site.margins.range());
    html! {
        section id=(at.id("findings")) aria-label="Findings" {
            h2 { (titled(at, "Findings", "findings")) }
            @if found.is_empty() {
                p .note {
                    "The launches support no plain sentence about who is faster: no difference has a 95 % interval that excludes 1 \
                     and exceeds the " a href=(at.here("environment")) { "margin of noise" } " (" (margins)
                    "). See the intervals and spreads."
                }
            } @else {
                ul .findings {
                    @for finding in &found {
                        @let to = at.site.workload_of(finding.group, finding.point);
                        li { (finding.text) " " a href=(at.link_part(to, &format!("p{}", finding.point))) { "evidence" } }
                    }
                }
                p .note {
                    "Differences named here have a 95 % interval over launches that excludes 1, and exceed the "
                    a href=(at.here("environment")) { "margin of noise" } " (" (margins) "). Where the launches cannot tell, nothing is said."
                }
            }
        }
    }
}

fn mixed(at: &At<'_, '_>) -> Markup {
    let groups = &at.site.groups;
    let differ = |f: fn(&Group<'_>, &Group<'_>) -> bool| groups.iter().any(|g| f(g, &groups[0]));
    let mut why = Vec::new();
    if differ(|a, b| a.fingerprint != b.fingerprint || a.source != b.source) {
        why.push("different computers or models");
    }
    if differ(|a, b| a.harness_hash != b.harness_hash) {
        why.push("different versions of driver or probes");
    }
    if differ(|a, b| a.run != b.run) {
        why.push("different runs");
    }
    html! {
        p id=(at.id("mixed")) .warn {
            "The records stand in " (groups.len()) " groups: they come from " (why.join(", from "))
            ". Nothing is averaged or drawn across them; "
            a href=(at.link(Route::Comparisons)) { "comparisons" } " hold them side by side."
        }
    }
}

/// Of some points the one that tells most: among those at which nearly as many locks have waits as at any, the one with the
/// most threads. A suspect or two more must not lead to a point where nobody contends.
pub(super) fn headline_of<'p, 'c: 'p>(
    points: impl Iterator<Item = &'p PointCells<'c>>,
) -> Option<&'p PointCells<'c>> {
    let weighed = points.map(|point| {
        let locks = point.contenders();
        (locks.iter().filter(|c| c.wait().is_some()).count(), locks.len(), point)
    });
    let weighed: Vec<_> = weighed.collect();
    let most = weighed.iter().map(|(waits, ..)| *waits).max()?;
    let enough = |(waits, ..): &&(usize, usize, &PointCells<'_>)| *waits * 4 >= most * 3;
    let weight = |(waits, locks, point): &(usize, usize, &PointCells<'_>)| (point.threads, *waits, *locks);
    // The first of equals.
    let best = weighed.iter().filter(enough).reduce(
        |best, other| {
            if weight(other) > weight(best) { other } else { best }
        },
    );
    best.map(|(.., point)| *point)
}

/// The Pareto front, the curve and the table of the point that tells most.
fn headline(at: &At<'_, '_>, index: usize, group: &Group<'_>) -> Markup {
    let Some(point) = headline_of(group.points.iter()) else { return html! {} };
    let position = group.points.iter().position(|p| std::ptr::eq(p, point)).unwrap_or(0);
    let more = at.link_part(at.site.workload_of(index, position), &format!("p{position}"));
    html! {
        section id=(at.id(&format!("headline-{index}"))) {
            h2 { (fit(point.label, 80)) }
            (section::about_point(point))
            (section::pareto(at, group, point))
            (section::curve(at, group, point))
            (table::main_table(at, group, point))
            p { a href=(more) { "Percentiles, ledger and every launch at this point" } }
        }
    }
}

/// A row for each implementation, a column for each workload: at its most telling point.
fn overview(at: &At<'_, '_>, index: usize, group: &Group<'_>) -> Markup {
    let site = at.site;
    let columns: Vec<(usize, &PointCells<'_>)> = site
        .workloads
        .iter()
        .enumerate()
        .filter(|(_, w)| w.group == index)
        .filter_map(|(i, w)| Some((i, headline_of(site.points_of(w))?)))
        .collect();
    if columns.len() < 2 {
        return html! {};
    }
    let mut names: Vec<&str> = columns.iter().flat_map(|(_, p)| &p.cells).map(|c| c.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    html! {
        section id=(at.id(&format!("overview-{index}"))) {
            h2 { "All workloads" }
            (scroll("Throughput of all implementations on all workloads", html! {
                table .sortable {
                    caption {
                        "Operations a second, median of plain launches, and below the p99.9 wait; one point of each workload, "
                        (group.source.name()) ". Every number leads to its cell."
                    }
                    thead {
                        tr {
                            th scope="col" { "implementation" }
                            @for (workload, point) in &columns {
                                th scope="col" { a href=(at.link(Route::Workload(*workload))) { (fit(point.label, 40)) } }
                            }
                        }
                    }
                    tbody { @for name in &names { (overview_row(at, name, &columns)) } }
                }
            }))
        }
    }
}

fn overview_row(at: &At<'_, '_>, name: &str, columns: &[(usize, &PointCells<'_>)]) -> Markup {
    let cells: Vec<_> =
        columns.iter().map(|(_, point)| point.cells.iter().copied().find(|c| c.name == name)).collect();
    let Some(first) = cells.iter().flatten().next() else { return html! {} };
    html! {
        tr data-i=(at.site.catalogue.series(name)) {
            th scope="row" { (table::dot(at, first)) (table::name_of(at, first)) }
            @for cell in &cells {
                @match cell {
                    None => td data-v="" { "-" },
                    Some(cell) if !cell.ranked() => td data-v="" { a href=(at.cell(cell)) { (cell.status.name()) } },
                    Some(cell) => {
                        @let rate = crate::group::rate(cell);
                        td data-v=(table::sort_value(rate)) {
                            a href=(at.cell(cell)) { (si(rate)) }
                            @if let Some(w) = cell.wait() { br; small { (time(w.p999_ns as f64)) } }
                        }
                    }
                }
            }
        }
    }
}

fn workloads(at: &At<'_, '_>) -> Markup {
    let site = at.site;
    html! {
        @if !site.workloads.is_empty() {
            section id=(at.id("workloads")) {
                h2 { "Workloads" }
                ul .columns {
                    @for (index, workload) in site.workloads.iter().enumerate() {
                        li {
                            a href=(at.link(Route::Workload(index))) { (fit(workload.name, 60)) }
                            @if site.groups.len() > 1 { " " small { "[" (super::site::group_id(&site.groups[workload.group])) "]" } }
                            @if let Some(about) = site.about(workload.name) { ": " (about.summary) }
                            " " small { "(" (workload.points.len()) @if workload.points.len() == 1 { " point)" } @else { " points)" } }
                        }
                    }
                }
            }
        }
    }
}

fn lineages(at: &At<'_, '_>) -> Markup {
    let site = at.site;
    html! {
        @if !site.lineages.is_empty() {
            section id=(at.id("lineages")) {
                h2 { "Lineages" }
                ul {
                    @for (index, lineage) in site.lineages.iter().enumerate() {
                        li {
                            a href=(at.link(Route::Lineage(index))) { (fit(&lineage.name, 60)) }
                            ": "
                            @for (nth, id) in lineage.members.iter().enumerate() {
                                @if nth > 0 { " → " }
                                (fit(id.split_once('/').map_or(id, |(_, name)| name), 40))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn implementations(at: &At<'_, '_>) -> Markup {
    let site = at.site;
    html! {
        @if !site.implementations.is_empty() {
            section id=(at.id("implementations")) {
                h2 { "Implementations" }
                ul .columns {
                    @for (index, id) in site.implementations.iter().enumerate() {
                        li {
                            a href=(at.link(Route::Implementation(index))) { (fit(id, 60)) }
                            @if let Some(card) = site.cards.get(id) { ": " (card.summary) }
                        }
                    }
                }
            }
        }
    }
}
