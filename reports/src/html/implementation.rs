//! The page of an implementation: its card, and how it does on all workloads.

use maud::{Markup, html};

use super::figure::{figure, scroll};
use super::site::{At, Page, group_title};
use super::table::{name_and_arm, number};
use super::{card, chart, proof, section};
use crate::group::{Group, PointCells};
use crate::stats;
use crate::summary::{CONFIDENCE, Summary};
use crate::text::{fit, percent, si, time};

/// Points of one implementation light up apart from the implementations.
const BY_POINT: usize = 2_000_000;

/// A cell and its point.
type Placed<'p, 'c> = (&'p PointCells<'c>, &'c Summary);

/// The page.
pub(super) fn page(at: &At<'_, '_>, id: &str) -> Page {
    let site = at.site;
    let body = html! {
        (card::card(at, id))
        (proof::section(at, id))
        @for (index, group) in site.groups.iter().enumerate() {
            @let cells = placed(group, id);
            @if !cells.is_empty() {
                h2 id=(at.id(&format!("g{index}"))) {
                    @if site.groups.len() > 1 { (group_title(site, index)) } @else { "On all workloads" }
                }
                (table(at, index, &cells))
                (charts(at, group, &cells))
            }
        }
    };
    Page { route: at.route, title: fit(id, 120), body }
}

fn placed<'p, 'c>(group: &'p Group<'c>, id: &str) -> Vec<Placed<'p, 'c>> {
    let of_point = |point: &'p PointCells<'c>| {
        let mine: Vec<Placed<'p, 'c>> =
            point.cells.iter().filter(|c| c.implementation == id).map(|c| (point, *c)).collect();
        mine
    };
    group.points.iter().flat_map(of_point).collect()
}

fn table(at: &At<'_, '_>, group: usize, cells: &[Placed<'_, '_>]) -> Markup {
    let arms = cells.iter().any(|(_, c)| c.name != c.implementation);
    html! {
        (scroll("On all workloads", html! {
            table .sortable {
                thead {
                    tr {
                        th scope="col" { "point" }
                        @if arms { th scope="col" .l { "variant" } }
                        @for name in ["op/s", "min-max", "of the best", "place", "p50", "p99", "p99.9", "max", "Jain", "CPU/op"] {
                            th scope="col" { (name) }
                        }
                        th scope="col" .l { "status" }
                    }
                }
                tbody { @for cell in cells { (row(at, group, cell, arms)) } }
            }
        }))
        p .note {
            "Of the best: median throughput over that of the fastest at the point. Place: among the ranked, by throughput; \
             those that the launches cannot tell from it share it."
        }
    }
}

fn row(at: &At<'_, '_>, group: usize, (point, cell): &Placed<'_, '_>, arms: bool) -> Markup {
    let rate = cell.throughput_per_s.as_ref();
    let best = point.ranked_locks().first().map_or(0.0, |c| crate::group::rate(c));
    let share = rate.filter(|_| cell.ranked() && best > 0.0).map(|r| r.median / best);
    let spread = rate.filter(|s| s.median > 0.0).map(|s| (s.max - s.min) / s.median);
    let range = rate.map_or_else(|| "-".into(), |s| format!("{}–{}", si(s.min), si(s.max)));
    let ns =
        |f: fn(&crate::summary::Percentiles) -> u64| number(cell.wait().map(|w| f(w) as f64), time, None);
    let index = at.site.groups[group].points.iter().position(|p| std::ptr::eq(p, *point)).unwrap_or(0);
    let (from, to, of) = place(point, cell).unwrap_or((0, 0, 0));
    let shared = if from == to { format!("{from} of {of}") } else { format!("{from}–{to} of {of}") };
    html! {
        tr .out[!cell.ranked()] {
            th scope="row" { a href=(at.cell(cell)) { (fit(&cell.label, 60)) } }
            @if arms { td .l { (name_and_arm(cell)) } }
            (number(rate.map(|s| s.median), si, None))
            (number(spread, |_| range.clone(), None))
            (number(share, percent, None))
            (number((of > 0).then_some(from as f64), |_| shared.clone(), None))
            (ns(|w| w.p50_ns)) (ns(|w| w.p99_ns)) (ns(|w| w.p999_ns)) (ns(|w| w.max_ns))
            (number(cell.jain_workers.as_ref().map(|s| s.median), |v| format!("{v:.3}"), None))
            (number(cell.cpu_ns_per_op.as_ref().map(|s| s.median), time, None))
            td .l {
                (cell.status.name()) " "
                a href=(at.link_part(at.site.workload_of(group, index), &format!("p{index}"))) { "all" }
            }
        }
    }
}

/// The first and the last place that the launches leave to a cell, and the number of places. Without the other arms and
/// variants of the same implementation.
fn place(point: &PointCells<'_>, cell: &Summary) -> Option<(usize, usize, usize)> {
    if !cell.ranked() {
        return None;
    }
    let values = |c: &Summary| c.throughput_per_s.as_ref().map_or_else(Vec::new, |s| s.values.clone());
    let others: Vec<&Summary> =
        point.contenders().into_iter().filter(|c| c.implementation != cell.implementation).collect();
    let mine = values(cell);
    let (mut ahead, mut behind) = (0, 0);
    for other in &others {
        match stats::ratio(&mine, &values(other), CONFIDENCE) {
            Ok(r) if r.reached && r.low > 1.0 => ahead += 1,
            Ok(r) if r.reached && r.high < 1.0 => behind += 1,
            _ => {}
        }
    }
    Some((ahead + 1, others.len() + 1 - behind, others.len() + 1))
}

fn charts(at: &At<'_, '_>, group: &Group<'_>, cells: &[Placed<'_, '_>]) -> Markup {
    // A second launch set of the same code is a control: it stands in the table, not as a second line of one name.
    let once = |(point, cell): &&Placed<'_, '_>| point.contenders().iter().any(|c| std::ptr::eq(*c, *cell));
    let ranked: Vec<&Summary> = cells.iter().filter(once).map(|(_, c)| *c).collect();
    let name = |c: &Summary| {
        if c.name == c.implementation { c.label.clone() } else { format!("{} {}", c.label, name_and_arm(c)) }
    };
    let rows = || -> Vec<chart::Named<'_>> {
        ranked
            .iter()
            .enumerate()
            .map(|(index, cell)| chart::Named {
                cell,
                name: name(cell),
                series: BY_POINT + index,
                colour: index % 7,
            })
            .collect()
    };
    html! {
        @if let Some(svg) = chart::scaling_of(&ranked, "Throughput against threads, one line a curve; the table above holds the numbers") {
            (figure(at, "Throughput against threads", "throughput-and-span", &svg, html! {}, html! {
                (section::tier(&group.source)) "; medians of plain launches, a line for each workload that has several numbers of threads."
            }))
        }
        @if let Some(svg) = chart::percentiles_of(rows(), "Percentiles of the waits, one line a point; the table above holds some") {
            (figure(at, "Percentiles of the waits", "wait-hold-wake", &svg, html! {}, html! {
                (section::tier(&group.source)) "; all roles and probed launches together, a line for each point."
            }))
        }
        @if let Some(svg) = chart::ledger_of(rows(), "share of all workers' time", "Wait ledger, one bar a point") {
            (figure(at, "Where the workers' time went", "the-wait-ledger", &svg, section::part_key(), html! {
                (section::tier(&group.source)) "; launches with full timing; each bar sums to all the time of all workers."
            }))
        }
    }
}
