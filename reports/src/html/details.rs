//! Tables behind a fold: percentiles by role, what the probe counted, counters, phases, fairness over windows.

use maud::{Markup, html};

use super::figure::method_link;
use super::site::At;
use super::table::number;
use crate::group::PointCells;
use crate::summary::{Counter, Percentiles, ProfileSummary, Summary};
use crate::text::{si, three_digits, time};

/// All of them for one point.
pub(super) fn details(at: &At<'_, '_>, point: &PointCells<'_>) -> Markup {
    let cells = point.ranked();
    if cells.is_empty() {
        return html! {};
    }
    html! {
        (fold(at, "Waits and holds by role", "wait-hold-wake", &roles(&cells)))
        (fold(at, "Counts per acquire", "parks-wakes-lost-races-hand-offs", &counts(&cells)))
        (fold(at, "Counters per operation", "counters", &counters(&cells)))
        (fold(at, "Fairness by window", "jains-index-and-windows", &windows(&cells)))
        (fold(at, "Phases", "phases-ramp-and-stall", &phases(&cells)))
    }
}

fn fold(at: &At<'_, '_>, title: &str, method: &str, content: &Option<Markup>) -> Markup {
    html! {
        @if let Some(content) = content {
            details {
                summary { (title) " " (method_link(at, method)) }
                div .scroll tabindex="0" role="group" aria-label=(title) { (content) }
            }
        }
    }
}

fn sortable(headings: &[String], rows: &Markup) -> Markup {
    html! {
        table .sortable {
            thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
            tbody { (rows) }
        }
    }
}

fn headings(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn roles(cells: &[&Summary]) -> Option<Markup> {
    let times = |p: &Percentiles| {
        let at = [p.p50_ns, p.p90_ns, p.p99_ns, p.p999_ns, p.max_ns];
        html! {
            (number(Some(p.count as f64), si, None))
            @for ns in at { (number(Some(ns as f64), time, None)) }
        }
    };
    let of_cell = |cell: &&Summary| {
        let sets = [("wait", &cell.waits.wait_by_role), ("hold", &cell.waits.hold_by_role)];
        html! {
            @for (metric, by_role) in sets {
                @for (role, percentiles) in cell.roles.iter().zip(by_role) {
                    @if let Some(p) = percentiles {
                        tr { th scope="row" { (cell.name) } td .l { (role) } td .l { (metric) } (times(p)) }
                    }
                }
            }
            @if let Some(p) = &cell.waits.wake_all {
                tr { th scope="row" { (cell.name) } td .l { "all" } td .l { "wake" } (times(p)) }
            }
        }
    };
    cells.iter().any(|c| c.wait().is_some() || c.waits.hold_all.is_some()).then(|| {
        let names = ["implementation", "role", "time", "count", "p50", "p90", "p99", "p99.9", "max"];
        sortable(&headings(&names), &html! { @for cell in cells { (of_cell(cell)) } })
    })
}

/// One number of a profile.
type Count = fn(&ProfileSummary) -> Option<f64>;

fn counts(cells: &[&Summary]) -> Option<Markup> {
    let columns: [(&str, Count); 11] = [
        ("fast share", ProfileSummary::fast_share),
        ("spins useful", ProfileSummary::spins_useful_per_acquire),
        ("spins wasted", ProfileSummary::spins_wasted_per_acquire),
        ("failed CAS", ProfileSummary::failed_cas_per_acquire),
        ("parks", ProfileSummary::parks_per_acquire),
        ("wakes", ProfileSummary::wakes_per_acquire),
        ("lost races", ProfileSummary::lost_races_per_acquire),
        ("hand-offs", ProfileSummary::hand_offs_per_acquire),
        ("owner changes", ProfileSummary::owner_changes_per_acquire),
        ("core changes", ProfileSummary::core_changes_per_acquire),
        ("waiters", |p| p.waiters_mean),
    ];
    let mut names = vec!["implementation"];
    names.extend(columns.iter().map(|c| c.0));
    names.extend(["starvation", "tier"]);
    let row = |cell: &Summary, p: &ProfileSummary| {
        let starvation = p.starvation();
        let small = starvation.map(|(periods, ns)| {
            format!("({})", if periods == 0 { "never".into() } else { time(ns as f64) })
        });
        html! {
            tr {
                th scope="row" { (cell.name) }
                @for (_, f) in columns { (number(f(p), si, None)) }
                (number(starvation.map(|s| s.0 as f64), si, small))
                td .l { (p.tier.name()) @if !p.primitive_reports { "; reports nothing itself" } }
            }
        }
    };
    let with: Vec<_> = cells.iter().filter_map(|c| Some((*c, c.profile.as_ref()?))).collect();
    (!with.is_empty())
        .then(|| sortable(&headings(&names), &html! { @for (cell, p) in &with { (row(cell, p)) } }))
}

fn counters(cells: &[&Summary]) -> Option<Markup> {
    let mut names: Vec<&str> = cells.iter().flat_map(|c| c.counters.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let switches = cells.iter().any(|c| c.voluntary_switches_per_op.is_some());
    if names.is_empty() && !switches {
        return None;
    }
    let mut all = headings(&["implementation", "switches asked for", "switches suffered"]);
    all.extend(names.iter().map(|n| (*n).to_owned()));
    let cell_of = |cell: &Summary, name: &str| match cell.counters.get(name) {
        None => html! { td data-v="" { "-" } },
        Some(Counter::Absent(reason)) => html! { td data-v="" { small { (reason) } } },
        Some(Counter::Present { per_op, tier, running_share }) => {
            let scaled = running_share
                .filter(|s| *s < 1.0)
                .map(|s| format!(", counted {} of the time", crate::text::percent(s)));
            number(Some(per_op.median), si, Some(format!("{}{}", tier.name(), scaled.unwrap_or_default())))
        }
    };
    let rows = html! {
        @for cell in cells {
            tr {
                th scope="row" { (cell.name) }
                (number(cell.voluntary_switches_per_op.as_ref().map(|s| s.median), si, None))
                (number(cell.involuntary_switches_per_op.as_ref().map(|s| s.median), si, None))
                @for name in &names { (cell_of(cell, name)) }
            }
        }
    };
    Some(sortable(&all, &rows))
}

fn windows(cells: &[&Summary]) -> Option<Markup> {
    let of = |c: &Summary| c.profile.as_ref().map_or_else(Vec::new, |p| p.windows.clone());
    let mut sizes: Vec<u64> = cells.iter().flat_map(|c| of(c)).map(|w| w.0).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.is_empty() {
        return None;
    }
    let mut names = headings(&["implementation"]);
    names.extend(sizes.iter().map(|ns| time(*ns as f64)));
    names.push("whole launches".into());
    let row = |cell: &Summary| {
        let windows = of(cell);
        let at = |size: u64| windows.iter().find(|w| w.0 == size).map(|w| w.1);
        html! {
            tr {
                th scope="row" { (cell.name) }
                @for size in &sizes { (number(at(*size), |v| format!("{v:.3}"), None)) }
                (number(cell.jain_workers.as_ref().map(|s| s.median), |v| format!("{v:.3}"), None))
            }
        }
    };
    Some(sortable(&names, &html! { @for cell in cells { (row(cell)) } }))
}

/// More phases than this are bursts or a stall's surroundings: their table would be a wall.
const PHASES_SHOWN_MAX: usize = 16;

fn phases(cells: &[&Summary]) -> Option<Markup> {
    let with: Vec<_> = cells.iter().filter_map(|c| Some((*c, c.phases.as_ref()?))).collect();
    let (_, first) = with.first()?;
    let shown = if first.rates.len() <= PHASES_SHOWN_MAX { first.rates.len() } else { 0 };
    let ramp: Vec<u32> = first.ramp.iter().map(|r| r.active).collect();
    let mut names = headings(&["implementation"]);
    names.extend(ramp.iter().map(|n| format!("down/up at {n}")));
    if first.recovery.is_some() {
        names.extend(headings(&["recovery after the stall", "did not recover"]));
    }
    names.extend(
        first
            .rates
            .iter()
            .take(shown)
            .enumerate()
            .map(|(i, r)| format!("phase {}: {} active", i + 1, r.active)),
    );
    if names.len() == 1 {
        return None;
    }
    let rows = html! {
        @for (cell, phases) in &with {
            tr {
                th scope="row" { (cell.name) }
                @for active in &ramp {
                    @let ratio = phases.ramp.iter().find(|r| r.active == *active).map(|r| &r.down_over_up);
                    (number(ratio.map(|r| r.median), three_digits, ratio.map(|r| format!("({}–{})", three_digits(r.min), three_digits(r.max)))))
                }
                @if let Some(recovery) = &phases.recovery {
                    @let spread = recovery.recovery_ns.as_ref();
                    (number(spread.map(|s| s.median), time, spread.map(|s| format!("(max {})", time(s.max)))))
                    (number(Some(recovery.not_recovered as f64), si, None))
                }
                @for index in 0..shown {
                    (number(phases.rates.get(index).map(|r| r.throughput_per_s.median), si, None))
                }
            }
        }
    };
    Some(sortable(&names, &rows))
}
