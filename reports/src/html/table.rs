//! The main table of a point: all implementations, ranked ones first.

use maud::{Markup, html};

use super::catalogue::Catalogue;
use crate::group::{Group, PointCells};
use crate::summary::{ProfileSummary, Summary};
use crate::text::{si, time};

/// A number, how it reads, and a remark in small.
pub(super) fn number(value: Option<f64>, text: impl Fn(f64) -> String, small: Option<String>) -> Markup {
    html! {
        td data-v=(value.map_or_else(String::new, |v| v.to_string())) {
            (value.map_or_else(|| "-".into(), text))
            @if let Some(small) = small { " " small { (small) } }
        }
    }
}

/// Sortable with a little script, readable without.
pub(super) fn main_table(group: &Group<'_>, point: &PointCells<'_>, catalogue: &Catalogue) -> Markup {
    let (ranked, unranked) = (point.ranked(), point.unranked());
    let threads = if point.threads == 1 { "1 thread".into() } else { format!("{} threads", point.threads) };
    let label = format!("Implementations at {}", crate::text::fit(point.label, 80));
    html! {
        div .scroll tabindex="0" role="group" aria-label=(label) {
            table .sortable {
                caption {
                    (threads) ", workload " (crate::text::fit(point.workload, 60)) ", " (group.source.name()) ": "
                    (ranked.len()) " ranked"
                    @if !unranked.is_empty() { ", " (unranked.len()) " not ranked" }
                }
                thead {
                    tr {
                        th scope="col" { "implementation" }
                        @for name in HEADINGS { th scope="col" { (name) } }
                        th scope="col" .l { "status" }
                    }
                }
                tbody {
                    @for cell in &ranked { (row(cell, catalogue, true)) }
                    @for cell in &unranked { (row(cell, catalogue, false)) }
                }
            }
        }
    }
}

const HEADINGS: [&str; 14] = [
    "op/s",
    "min-max",
    "wait p50",
    "p90",
    "p99",
    "p99.9",
    "max",
    "Jain",
    "CPU/op",
    "spins useful",
    "spins wasted",
    "parks/op",
    "hand-offs/op",
    "waiters",
];

fn row(cell: &Summary, catalogue: &Catalogue, ranked: bool) -> Markup {
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
        tr .out[!ranked] data-i=(catalogue.series(&cell.name)) {
            th scope="row" { span class={ "dot bc" (catalogue.class(cell)) } {} (cell.name)
                // The status column may be scrolled out of sight.
                @if !ranked { " " small { "(" (cell.status.name()) ")" } }
            }
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
                @if ranked { (cell.status.name()) } @else { a href="#not-ranked" { (cell.status.name()) } }
                @match cell.starved_workers.len() { 0 => {}, n => { span .warn { ", " (n) " starved" } } }
            }
        }
    }
}
