//! The main table of a point: all implementations, ranked ones first.

use maud::{Markup, html};

use super::figure::method_link;
use super::proof;
use super::site::At;
use crate::group::{Group, PointCells};
use crate::summary::{ProfileSummary, Summary};
use crate::text::{fit, si, time};

/// A number, how it reads, and a remark in small.
pub(super) fn number(value: Option<f64>, text: impl Fn(f64) -> String, small: Option<String>) -> Markup {
    html! {
        td data-v=(value.map_or_else(String::new, sort_value)) {
            (value.map_or_else(|| "-".into(), text))
            @if let Some(small) = small { " " small { (small) } }
        }
    }
}

/// What a cell is sorted by: as many digits as anybody can tell apart.
pub(super) fn sort_value(value: f64) -> String {
    format!("{value:.4e}").parse().map_or_else(|_| String::new(), |rounded: f64| rounded.to_string())
}

/// The dot in the colour of a cell's class.
pub(super) fn dot(at: &At<'_, '_>, cell: &Summary) -> Markup {
    html! { i class={ "bc" (at.site.catalogue.class(cell)) } {} }
}

/// A cell's name, as a link to its implementation.
pub(super) fn name_of(at: &At<'_, '_>, cell: &Summary) -> Markup {
    html! {
        @match at.implementation(&cell.implementation) {
            Some(href) => a href=(href) { (fit(&cell.name, 80)) },
            None => (fit(&cell.name, 80)),
        }
    }
}

/// What a name adds to the id: arm and parameters.
pub(super) fn name_and_arm(cell: &Summary) -> String {
    fit(cell.name.strip_prefix(&cell.implementation).unwrap_or(&cell.name).trim(), 60)
}

/// Sortable with a little script, readable without.
pub(super) fn main_table(at: &At<'_, '_>, group: &Group<'_>, point: &PointCells<'_>) -> Markup {
    let (ranked, unranked) = (point.ranked(), point.unranked());
    let threads = if point.threads == 1 { "1 thread".into() } else { format!("{} threads", point.threads) };
    let label = format!("Implementations at {}", fit(point.label, 80));
    html! {
        div .scroll tabindex="0" role="group" aria-label=(label) {
            table .sortable {
                caption {
                    (threads) ", " (group.source.name()) ": "
                    (ranked.len()) " ranked"
                    @if !unranked.is_empty() { ", " (unranked.len()) " not ranked" }
                }
                thead {
                    tr {
                        th scope="col" { "implementation" }
                        (proof::heading(at))
                        @for (name, method) in HEADINGS {
                            th scope="col" { (name) " " (method_link(at, method)) }
                        }
                        th scope="col" .l { "status" }
                    }
                }
                tbody {
                    @for cell in &ranked { (row(at, cell, true)) }
                    @for cell in &unranked { (row(at, cell, false)) }
                }
            }
        }
    }
}

/// Names of the columns, and the paragraphs that explain them.
const HEADINGS: [(&str, &str); 14] = [
    ("op/s", "throughput-and-span"),
    ("min-max", "throughput-and-span"),
    ("wait p50", "wait-hold-wake"),
    ("p90", "wait-hold-wake"),
    ("p99", "wait-hold-wake"),
    ("p99.9", "wait-hold-wake"),
    ("max", "wait-hold-wake"),
    ("Jain", "jains-index-and-windows"),
    ("CPU/op", "cpu-per-operation"),
    ("spins useful", "spins"),
    ("spins wasted", "spins"),
    ("parks/op", "parks-wakes-lost-races-hand-offs"),
    ("hand-offs/op", "parks-wakes-lost-races-hand-offs"),
    ("waiters", "waiters"),
];

fn row(at: &At<'_, '_>, cell: &Summary, ranked: bool) -> Markup {
    let throughput = cell.throughput_per_s.as_ref();
    let wait = cell.wait();
    let profile = cell.profile.as_ref();
    let of = |f: fn(&ProfileSummary) -> Option<f64>| number(profile.and_then(f), si, None);
    let nanoseconds =
        |f: fn(&crate::summary::Percentiles) -> u64| number(wait.map(|w| f(w) as f64), time, None);
    // The width of the spread relative to the median sorts the ranges: the noisiest first.
    let spread = throughput.filter(|s| s.median > 0.0).map(|s| (s.max - s.min) / s.median);
    let range = throughput.map_or_else(|| "-".into(), |s| format!("{}–{}", si(s.min), si(s.max)));
    let waiters_max = profile.and_then(|p| p.waiters_max).map(|max| format!("(max {max})"));
    html! {
        tr .out[!ranked] data-i=(at.site.catalogue.series(&cell.name)) {
            th scope="row" { (dot(at, cell)) a href=(at.cell(cell)) { (fit(&cell.name, 80)) }
                // The status column may be scrolled out of sight.
                @if !ranked { " " small { "(" (cell.status.name()) ")" } }
            }
            (proof::cell(at, &cell.implementation))
            (number(throughput.map(|s| s.median), si, None))
            (number(spread, |_| range.clone(), None))
            (nanoseconds(|w| w.p50_ns)) (nanoseconds(|w| w.p90_ns)) (nanoseconds(|w| w.p99_ns))
            (nanoseconds(|w| w.p999_ns)) (nanoseconds(|w| w.max_ns))
            (number(cell.jain_workers.as_ref().map(|s| s.median), |v| format!("{v:.3}"), None))
            (number(cell.cpu_ns_per_op.as_ref().map(|s| s.median), time, None))
            (of(ProfileSummary::spins_useful_per_acquire)) (of(ProfileSummary::spins_wasted_per_acquire))
            (of(ProfileSummary::parks_per_acquire)) (of(ProfileSummary::hand_offs_per_acquire))
            (number(profile.and_then(|p| p.waiters_mean), si, waiters_max))
            td .l {
                @if ranked { (cell.status.name()) } @else { a href=(at.cell(cell)) { (cell.status.name()) } }
                @match cell.starved_workers.len() { 0 => {}, n => { span .warn { ", " (n) " starved" } } }
            }
        }
    }
}
