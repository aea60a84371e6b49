//! A section for each point of a workload: the table, then the charts that explain it.

use maud::{Markup, PreEscaped, html};
use rayon::prelude::*;
use record::Tier;

use super::catalogue::{CLASSES, Catalogue};
use super::chart;
use super::{details, table};
use crate::group::{Group, PointCells};
use crate::summary::{Shares, Source, Summary};

/// Id of a point's section.
pub(super) fn anchor(group: usize, point: usize) -> String {
    format!("g{group}p{point}")
}

/// All sections of all groups, rendered on all cores.
pub(super) fn sections(groups: &[Group<'_>], catalogue: &Catalogue) -> Vec<Markup> {
    let one = |(g, group): (usize, &Group<'_>)| -> Markup {
        let points: Vec<(usize, &PointCells<'_>)> = group.points.iter().enumerate().collect();
        let rendered: Vec<Markup> =
            points.par_iter().map(|(p, point)| section(group, point, &anchor(g, *p), catalogue)).collect();
        html! {
            @for ((p, point), rendered) in points.iter().zip(&rendered) {
                @if group.points[..*p].iter().all(|earlier| earlier.curve_key != point.curve_key) {
                    (curve(group, point, catalogue))
                }
                (rendered)
            }
        }
    };
    groups.iter().enumerate().map(one).collect()
}

fn tier(source: &Source) -> &'static str {
    match source {
        Source::Measured => Tier::MeasuredProbe.name(),
        Source::Simulated(_) => Tier::Simulated.name(),
    }
}

/// Throughput against threads, before the first point of a curve that has several.
fn curve(group: &Group<'_>, point: &PointCells<'_>, catalogue: &Catalogue) -> Markup {
    let points: Vec<&PointCells<'_>> =
        group.points.iter().filter(|p| p.curve_key == point.curve_key).collect();
    let label = format!(
        "Throughput against threads of workload {}; the tables of its points hold the numbers",
        point.workload
    );
    let cells: Vec<&Summary> = points.iter().flat_map(|p| p.ranked_locks()).collect();
    html! {
        @if let Some(svg) = chart::scaling(&points, catalogue, &label) {
            h2 { (crate::text::fit(point.workload, 80)) ": throughput against threads" }
            (figure("Throughput against threads", &svg, class_key(&cells, catalogue), html! {
                (tier(&group.source)) "; medians of plain launches; numbers in the tables below. Colours are classes of \
                 design; point at a name to follow its line. The floor, no lock at all, stands in the tables only."
            }))
        }
    }
}

fn section(group: &Group<'_>, point: &PointCells<'_>, id: &str, catalogue: &Catalogue) -> Markup {
    let ranked = point.ranked_locks();
    let alt = |what: &str| {
        format!("{what} at {}; the table above holds the numbers", crate::text::fit(point.label, 80))
    };
    let pareto = chart::pareto(point, catalogue, &alt("Throughput against p99.9 wait"));
    let percentiles = chart::percentiles(point, catalogue, &alt("Percentiles of the waits"));
    let ledger = chart::ledger(point, catalogue, &alt("Wait ledger"));
    let launches = chart::launches(point, catalogue, &alt("Throughput of every launch"));
    html! {
        section id=(id) {
            h2 { (crate::text::fit(point.label, 80)) }
            (table::main_table(group, point, catalogue))
            @if let Some(svg) = &pareto {
                (figure("Pareto front: throughput against the p99.9 wait", svg, step_key(), html! {
                    (front_sentence(point))
                    " Size: processor time per operation (area). Medians; " (tier(&group.source)) "."
                }))
            }
            @if let Some(svg) = &percentiles {
                (figure("Percentiles of the waits", svg, class_key(&ranked, catalogue), html! {
                    (tier(&group.source)) "; all roles and probed launches together."
                }))
            }
            @if let Some(svg) = &ledger {
                (figure("Where the workers' time went", svg, part_key(), html! {
                    (tier(&group.source)) "; launches with full timing; each bar sums to all the time of all workers."
                }))
            }
            @if let Some(svg) = &launches {
                (figure("Every launch", svg, html! {}, html! {
                    "Filled: plain. Hollow: probed. Upright line: median of the plain ones."
                }))
            }
            (details::details(point))
        }
    }
}

fn front_sentence(point: &PointCells<'_>) -> Markup {
    let (front, beaten) = chart::front(point);
    let names: Vec<&str> = front.iter().map(|c| c.name.as_str()).collect();
    html! {
        "Not beaten on both: " (names.join(", ")) ". "
        @if !beaten.is_empty() { (beaten.len()) " dominated, hollow and grey." }
    }
}

fn figure(title: &str, svg: &str, key: Markup, note: Markup) -> Markup {
    html! {
        figure {
            figcaption { (title) }
            (key)
            div .scroll tabindex="0" role="group" aria-label=(title) { (PreEscaped(svg)) }
            p .note { (note) }
        }
    }
}

fn class_key(cells: &[&Summary], catalogue: &Catalogue) -> Markup {
    let used = |class: usize| cells.iter().any(|c| catalogue.class(c) == class);
    html! {
        ul .key {
            @for (class, name) in CLASSES.iter().enumerate().filter(|(class, _)| used(*class)) {
                li { i class={ "bc" (class) } {} (name) }
            }
        }
    }
}

fn part_key() -> Markup {
    html! {
        ul .key {
            @for (part, (name, _)) in Shares::default().parts().iter().enumerate() { li { i class={ "bp" (part) } {} (name) } }
        }
    }
}

fn step_key() -> Markup {
    let [low, middle, high] = chart::JAIN_STEPS;
    html! {
        ul .key {
            li { "Jain's index over workers:" }
            li { i .bs0 {} "below " (low) }
            li { i .bs1 {} (low) " to " (middle) }
            li { i .bs2 {} (middle) " to " (high) }
            li { i .bs3 {} "from " (high) }
            li { i .bg0 {} "dominated" }
        }
    }
}
