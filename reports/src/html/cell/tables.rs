//! The tables of a cell's page.

use maud::{Markup, html};
use record::cell::Verdict;
use record::profile::{IntervalKind, Ledger, WorstStretch};

use super::{Part, Sight};
use crate::html::chart::{Matrix, Row, parts_of};
use crate::html::figure::scroll;
use crate::html::table::number;
use crate::summary::{Counter, Phases, ProfileSummary, Spread};
use crate::text::{percent, si, time};

/// Workers up to which the matrix is a table too; above it shows their totals.
const MATRIX_MAX: usize = 16;
/// Phases up to which their table stands open.
const PHASES_OPEN_MAX: usize = 16;

/// Digits in groups of three.
pub(super) fn grouped(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            // A thin space that does not break.
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    if value < 0 { format!("-{out}") } else { out }
}

/// To two places, without a minus before nothing.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}

/// The ranked numbers in a row of boxes.
pub(super) fn numbers(sight: &Sight<'_>) -> Markup {
    let cell = sight.cell;
    let spread = |s: &Option<Spread>, text: fn(f64) -> String| {
        let s = s.as_ref()?;
        let range = format!("{} to {}", text(s.min), text(s.max));
        Some((text(s.median), if s.values.len() > 1 { range } else { "one launch".into() }))
    };
    let index = |v: f64| format!("{v:.3}");
    let wait = cell.waits.wait_all.as_ref();
    let at = |ns: Option<u64>| Some((time(ns? as f64), "probed launches".to_owned()));
    let boxes = [
        ("operations a second", spread(&cell.throughput_per_s, si)),
        ("CPU per operation", spread(&cell.cpu_ns_per_op, time)),
        ("Jain's index", spread(&cell.jain_workers, index)),
        ("wait p50", at(wait.map(|w| w.p50_ns))),
        ("wait p99", at(wait.map(|w| w.p99_ns))),
        ("wait p99.9", at(wait.map(|w| w.p999_ns))),
        ("longest wait", at(wait.map(|w| w.max_ns))),
        ("uncontended", spread(&cell.uncontended_ns, time)),
    ];
    boxed(boxes.into_iter().filter_map(|(name, value)| value.map(|(value, small)| (name, value, small))))
}

fn boxed<'n>(boxes: impl Iterator<Item = (&'n str, String, String)>) -> Markup {
    html! {
        ul .counts {
            @for (name, value, small) in boxes {
                li { span { (name) } b { (value) } span { (small) } }
            }
        }
    }
}

/// Parts in ns and percent, and their sum.
pub(super) fn ledger(ledger: &Ledger) -> Markup {
    let parts = parts_of(ledger);
    let sum: i128 = parts.iter().map(|part| part.ns).sum();
    let share: f64 = parts.iter().map(|part| part.share).sum();
    scroll(
        "Parts of the ledger",
        html! {
            table {
                thead { tr { th scope="col" .l { "part" } th scope="col" { "ns" } th scope="col" { "share" } } }
                tbody {
                    @for (index, part) in parts.iter().enumerate() {
                        tr { th scope="row" { i class={ "bp" (index) } {} (part.name) } td { (grouped(part.ns)) } td { (format!("{:.2} %", rounded(part.share * 100.0))) } }
                    }
                    tr .sum { th scope="row" { "span" } td { (grouped(sum)) } td { (format!("{:.2} %", share * 100.0)) } }
                }
            }
        },
    )
}

/// What was counted, per acquire and in all.
pub(super) fn counts(sight: &Sight<'_>) -> Part {
    let profile = sight.cell.profile.as_ref().ok_or_else(|| sight.untold(false))?;
    type PerAcquire = fn(&ProfileSummary) -> Option<f64>;
    let c = &profile.counts;
    let wasted = c.spin_rounds.saturating_sub(c.spin_rounds_useful);
    let of: [(&str, PerAcquire, Option<u64>); 10] = [
        ("polls, useful", ProfileSummary::spins_useful_per_acquire, Some(c.spin_rounds_useful)),
        ("polls, wasted", ProfileSummary::spins_wasted_per_acquire, Some(wasted)),
        ("failed CAS", ProfileSummary::failed_cas_per_acquire, Some(c.failed_cas)),
        ("parks", ProfileSummary::parks_per_acquire, Some(c.parks)),
        ("wakes", ProfileSummary::wakes_per_acquire, Some(c.wakes)),
        ("lost races", ProfileSummary::lost_races_per_acquire, Some(c.lost_races)),
        ("hand-offs", ProfileSummary::hand_offs_per_acquire, Some(c.hand_offs)),
        ("fast acquires", ProfileSummary::fast_share, Some(c.fast_acquires)),
        ("owner changes", ProfileSummary::owner_changes_per_acquire, Some(c.owner_changes)),
        ("core changes", ProfileSummary::core_changes_per_acquire, c.core_changes),
    ];
    let boxes = of.into_iter().filter_map(|(name, per_acquire, count)| {
        Some((name, si(per_acquire(profile)?), format!("{} in all", si(count? as f64))))
    });
    let starvation = profile.starvation();
    Ok(html! {
        (boxed(boxes))
        p .note {
            (profile.tier.name()) "; per acquire, of " (si(c.acquires as f64)) " acquires in all probed launches."
            @if !profile.primitive_reports {
                " The implementation reports nothing itself: spins, parks, wakes, lost races, hand-offs and failed CAS are not known."
            }
            @match starvation {
                Some((0, _)) => " It never entered starvation mode, or has none.",
                Some((periods, ns)) => {
                    " It entered starvation mode " (si(periods as f64)) " times, for " (time(ns as f64)) " together."
                }
                None => "",
            }
        }
    })
}

/// The matrix in numbers, coloured where it is whole.
pub(super) fn matrix(matrix: &Matrix, workers: &[String]) -> Markup {
    let count = matrix.counts.len();
    let whole = count <= MATRIX_MAX;
    let name = |worker: usize| workers.get(worker).map_or_else(|| worker.to_string(), Clone::clone);
    let share = |own: u64, of: u64| if of == 0 { "-".into() } else { percent(own as f64 / of as f64) };
    html! {
        table .heat[whole] {
            thead {
                tr {
                    th scope="col" { "owner before" }
                    @if whole { @for j in 0..count { th scope="col" { (name(j)) } } }
                    th scope="col" { "total" }
                    th scope="col" { "itself again" }
                }
            }
            tbody {
                @for (i, row) in matrix.counts.iter().enumerate() {
                    tr {
                        th scope="row" { (name(i)) }
                        @if whole { @for count in row { td class={ "bh" (matrix.level(*count)) } { (grouped((*count).into())) } } }
                        td { (grouped(matrix.given[i].into())) }
                        td { (share(row[i], matrix.given[i])) }
                    }
                }
                tr .sum {
                    th scope="row" { "total" }
                    @if whole { @for taken in &matrix.taken { td { (grouped((*taken).into())) } } }
                    td { (grouped(matrix.total.into())) }
                    td { (share(matrix.own, matrix.total)) }
                }
            }
        }
    }
}

pub(super) fn folded(title: &str, table: &Markup) -> Markup {
    html! { details { summary { (title) } (scroll(title, html! { (table) })) } }
}

/// What each worker did in a stretch: the lanes in numbers.
pub(super) fn lanes(stretch: &WorstStretch, workers: &[String]) -> Markup {
    let sum = |worker: usize, kind: IntervalKind| -> u64 {
        let of = stretch.intervals.iter().filter(|i| i.worker as usize == worker && i.kind == kind);
        of.map(|i| i.end_ns.saturating_sub(i.begin_ns)).sum()
    };
    folded(
        "In numbers",
        &html! {
            table {
                caption { "Of " (time(stretch.span_ns as f64)) ", as far as drawn" }
                thead {
                    tr {
                        th scope="col" { "worker" }
                        @for kind in IntervalKind::ALL { th scope="col" { (kind.name()) } }
                    }
                }
                tbody {
                    @for (worker, name) in workers.iter().enumerate() {
                        tr {
                            th scope="row" { (name) @if worker == stretch.worker as usize { " " small { "(longest)" } } }
                            @for kind in IntervalKind::ALL { td { (time(sum(worker, kind) as f64)) } }
                        }
                    }
                }
            }
        },
    )
}

/// Percentiles of the rows of the histograms.
pub(super) fn times(rows: &[Row<'_>]) -> Markup {
    scroll(
        "Percentiles by role",
        html! {
            table {
                thead {
                    tr { th scope="col" { "role and time" } @for name in ["count", "mean", "p50", "p90", "p99", "p99.9", "max"] { th scope="col" { (name) } } }
                }
                tbody {
                    @for row in rows {
                        @let t = row.times;
                        tr {
                            th scope="row" { (row.name) }
                            td { (si(t.count as f64)) } td { (time(t.mean_ns)) }
                            @for ns in [t.p50_ns, t.p90_ns, t.p99_ns, t.p999_ns, t.max_ns] { td { (time(ns as f64)) } }
                        }
                    }
                }
            }
        },
    )
}

/// Jain's index by window.
pub(super) fn windows(windows: &[(u64, f64)]) -> Markup {
    scroll(
        "Jain's index by window",
        html! {
            table {
                thead { tr { th scope="col" { "window" } @for (ns, _) in windows { th scope="col" { (time(*ns as f64)) } } } }
                tbody { tr { th scope="row" { "Jain's index" } @for (_, index) in windows { td { (format!("{index:.3}")) } } } }
            }
        },
    )
}

/// The phases, one a row.
pub(super) fn phases(phases: &Phases) -> Markup {
    let table = html! {
        table {
            thead {
                tr { @for name in ["phase", "active", "begin", "length", "op/s", "min", "max"] { th scope="col" { (name) } } }
            }
            tbody {
                @for (index, rate) in phases.rates.iter().enumerate() {
                    @let s = &rate.throughput_per_s;
                    tr {
                        th scope="row" { (index + 1) @if rate.stalled { " " small { "(stall)" } } }
                        td { (rate.active) } td { (time(rate.begin_ns)) } td { (time(rate.end_ns - rate.begin_ns)) }
                        td { (si(s.median)) } td { (si(s.min)) } td { (si(s.max)) }
                    }
                }
            }
        }
    };
    let title = format!("All {} phases", phases.rates.len());
    if phases.rates.len() > PHASES_OPEN_MAX { folded(&title, &table) } else { scroll(&title, table) }
}

/// Every launch, one a row.
pub(super) fn launches(sight: &Sight<'_>) -> Markup {
    html! {
        table .sortable {
            thead {
                tr {
                    @for name in ["launch", "probe", "op/s", "steal", "load", "made again"] { th scope="col" { (name) } }
                    th scope="col" .l { "result" }
                }
            }
            tbody {
                @for (launch, dot) in sight.record.launches.iter().zip(&sight.cell.launches) {
                    tr {
                        th scope="row" { (launch.index) }
                        td { (launch.probe.name()) }
                        (number(dot.throughput_per_s, si, None))
                        (number(launch.environment.steal_share, percent, None))
                        (number(launch.environment.load_1min, si, None))
                        (number(Some(f64::from(launch.disturbed)), si, None))
                        td .w { @match &dot.failure { Some(failure) => (failure), None => "ok" } }
                    }
                }
            }
        }
    }
}

/// Counters with their tier, or the reason of their absence.
pub(super) fn counters(sight: &Sight<'_>) -> Part {
    let cell = sight.cell;
    let switches = [
        ("context switches asked for", &cell.voluntary_switches_per_op),
        ("context switches suffered", &cell.involuntary_switches_per_op),
    ];
    if cell.counters.is_empty() && switches.iter().all(|(_, s)| s.is_none()) {
        return Err("Nothing to show: no launch gave a result, or its engine reads no counters.".into());
    }
    // Counters that this computer does not permit mostly share one reason: it is told once.
    let mut absent: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, counter) in &cell.counters {
        let Counter::Absent(reason) = counter else { continue };
        match absent.iter_mut().find(|(of, _)| of == reason) {
            Some((_, names)) => names.push(name),
            None => absent.push((reason, vec![name])),
        }
    }
    let values = |s: &Spread| html! { td { (si(s.median)) } td { (si(s.min)) " to " (si(s.max)) } };
    Ok(scroll(
        "Counters per operation",
        html! {
            table {
                thead { tr { @for name in ["counter", "per operation", "range"] { th scope="col" { (name) } } th scope="col" .l { "tier, or why it is absent" } } }
                tbody {
                    @for (name, spread) in switches {
                        @if let Some(spread) = spread {
                            tr { th scope="row" { (name) } (values(spread)) td .l { (cell.source.kernel_tier().name()) } }
                        }
                    }
                    @for (name, counter) in &cell.counters {
                        @if let Counter::Present { per_op, tier, running_share } = counter {
                            tr {
                                th scope="row" { (name) }
                                (values(per_op))
                                td .l {
                                    (tier.name())
                                    @if let Some(share) = running_share.filter(|share| *share < 1.0) {
                                        ", counted " (percent(share)) " of the time"
                                    }
                                }
                            }
                        }
                    }
                    @for (reason, names) in absent {
                        tr { th .w scope="row" { (names.join(", ")) } td { "-" } td { "-" } td .w { (reason) } }
                    }
                }
            }
        },
    ))
}

/// The rules of truth, as they were applied.
pub(super) fn checks(sight: &Sight<'_>) -> Part {
    let checks = &sight.record.checks;
    if checks.is_empty() {
        return Err("No rule was applied to this record.".into());
    }
    let verdict = |verdict: Verdict| match verdict {
        Verdict::Holds => html! { "holds" },
        Verdict::Suspect => html! { strong .warn { "suspect" } },
        Verdict::Wrong => html! { strong .bad { "wrong" } },
        Verdict::NotApplicable => html! { "not applicable" },
    };
    Ok(scroll(
        "Rules of truth",
        html! {
            table .words {
                thead { tr { th scope="col" { "rule" } th scope="col" { "verdict" } th scope="col" { "numbers" } } }
                tbody {
                    @for check in checks {
                        tr { th scope="row" { (check.rule) } td { (verdict(check.verdict)) } td { (check.detail) } }
                    }
                }
            }
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_threes() {
        let text = |value| grouped(value).replace('\u{202f}', "_");
        assert_eq!(
            [0, 999, 1_000, 1_234_567, -12_345].map(text),
            ["0", "999", "1_000", "1_234_567", "-12_345"]
        );
    }
}
