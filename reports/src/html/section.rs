//! A section for each point of a workload: the table, then the charts that explain it.

use maud::{Markup, html};
use record::Tier;

use super::catalogue::{CLASSES, Catalogue};
use super::figure::figure;
use super::site::At;
use super::{chart, details, table};
use crate::group::{Group, PointCells};
use crate::summary::{Shares, Source, Summary};
use crate::text::fit;

/// The tier of what a probe measures.
pub(super) fn tier(source: &Source) -> &'static str {
    match source {
        Source::Measured => Tier::MeasuredProbe.name(),
        Source::Simulated(_) => Tier::Simulated.name(),
    }
}

/// Throughput against threads, before the first point of a curve that has several.
pub(super) fn curve(at: &At<'_, '_>, group: &Group<'_>, point: &PointCells<'_>) -> Markup {
    let catalogue = &at.site.catalogue;
    let points: Vec<&PointCells<'_>> =
        group.points.iter().filter(|p| p.curve_key == point.curve_key).collect();
    let label = format!(
        "Throughput against threads of workload {}; the tables of its points hold the numbers",
        point.workload
    );
    let cells: Vec<&Summary> = points.iter().flat_map(|p| p.contenders()).collect();
    html! {
        @if let Some(svg) = chart::scaling(&points, catalogue, &label) {
            (figure(at, "Throughput against threads", "throughput-and-span", &svg, class_key(&cells, catalogue), html! {
                (tier(&group.source)) "; medians of plain launches; numbers in the tables below. Colours are classes of \
                 design; point at a name to follow its line. The floor, no lock at all, stands in the tables only."
            }))
        }
    }
}

/// A point in a line: threads and what they do.
pub(super) fn about_point(point: &PointCells<'_>) -> Markup {
    let threads = if point.threads == 1 { "1 thread".into() } else { format!("{} threads", point.threads) };
    html! { p .note { (threads) ", workload " (fit(point.workload, 60)) } }
}

/// The Pareto front of a point.
pub(super) fn pareto(at: &At<'_, '_>, group: &Group<'_>, point: &PointCells<'_>) -> Markup {
    let label = alt("Throughput against p99.9 wait", point);
    html! {
        @if let Some(svg) = chart::pareto(point, &at.site.catalogue, &label) {
            (figure(at, "Pareto front: throughput against the p99.9 wait", "pareto-front", &svg, step_key(), html! {
                (front_sentence(point))
                " Size: processor time per operation (area). Medians; " (tier(&group.source)) "."
            }))
        }
    }
}

fn alt(what: &str, point: &PointCells<'_>) -> String {
    format!("{what} at {}; the table holds the numbers", fit(point.label, 80))
}

/// The section of point number `index` of its group.
pub(super) fn section(at: &At<'_, '_>, group: &Group<'_>, point: &PointCells<'_>, index: usize) -> Markup {
    let catalogue = &at.site.catalogue;
    let contenders = point.contenders();
    let percentiles = chart::percentiles(point, catalogue, &alt("Percentiles of the waits", point));
    let ledger = chart::ledger(point, catalogue, &alt("Wait ledger", point));
    let fairness =
        chart::fairness(&contenders, catalogue, &alt("Fairness against the size of the window", point));
    let hysteresis = chart::hysteresis(&contenders, catalogue, &alt("Throughput up and down a ramp", point));
    let recovery = chart::recovery(&contenders, catalogue, &alt("Throughput around a stall", point));
    let launches = chart::launches(point, catalogue, &alt("Throughput of every launch", point));
    html! {
        section id=(at.id(&format!("p{index}"))) {
            h2 { (fit(point.label, 80)) }
            (about_point(point))
            (table::main_table(at, group, point))
            (pareto(at, group, point))
            @if let Some(svg) = &percentiles {
                (figure(at, "Percentiles of the waits", "wait-hold-wake", svg, class_key(&contenders, catalogue), html! {
                    (tier(&group.source)) "; all roles and probed launches together."
                }))
            }
            @if let Some(svg) = &ledger {
                (figure(at, "Where the workers' time went", "the-wait-ledger", svg, part_key(), html! {
                    (tier(&group.source)) "; launches with full timing; each bar sums to all the time of all workers."
                }))
            }
            @if let Some(svg) = &fairness {
                (figure(at, "Fairness against the size of the window", "jains-index-and-windows", svg, class_key(&contenders, catalogue), html! {
                    (tier(&group.source)) "; probed launches with full timing. 1: all workers got the same within a window."
                }))
            }
            @if let Some(svg) = &hysteresis {
                (figure(at, "Hysteresis: up the ramp and down again", "phases-ramp-and-stall", svg, class_key(&contenders, catalogue), html! {
                    (tier(&group.source)) "; a lock without memory draws one line, one with memory a loop."
                }))
            }
            @if let Some(svg) = &recovery {
                (figure(at, "Recovery from a stall", "phases-ramp-and-stall", svg, class_key(&contenders, catalogue), html! {
                    (tier(&group.source)) "; throughput over that before the holder stopped. Dots: each phase. Lines: medians of three."
                }))
            }
            @if let Some(svg) = &launches {
                (figure(at, "Every launch", "throughput-and-span", svg, html! {}, html! {
                    "Filled: plain. Hollow: probed. Upright line: median of the plain ones."
                }))
            }
            (details::details(at, point))
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

/// The classes of design among some cells.
pub(super) fn class_key(cells: &[&Summary], catalogue: &Catalogue) -> Markup {
    let used = |class: usize| cells.iter().any(|c| catalogue.class(c) == class);
    html! {
        ul .key {
            @for (class, name) in CLASSES.iter().enumerate().filter(|(class, _)| used(*class)) {
                li { i class={ "bc" (class) } {} (name) }
            }
        }
    }
}

/// Names of the parts of a ledger.
pub(super) fn part_key() -> Markup {
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
