//! The ledger of a simulated cell: where every cycle of its workers went.

use maud::{Markup, html};
use record::Record;
use record::simulated::CycleParts;

use super::tables::grouped;
use crate::html::figure::scroll;
use crate::text::percent;

/// The ledgers of all launches together; nothing where no launch was simulated.
pub(super) fn ledger(record: &Record) -> Option<Markup> {
    let ledgers = || {
        let results = record.launches.iter().filter_map(|launch| launch.result.as_ref());
        results.filter_map(|result| Some(&result.simulated.as_ref()?.ledger))
    };
    let launches = ledgers().count();
    if launches == 0 {
        return None;
    }
    let span_cycles: u64 = ledgers().map(|ledger| ledger.span_cycles).sum();
    let acquires: u64 = ledgers().map(|ledger| ledger.acquires).sum();
    let per_acquire = |cycles: u64| match acquires {
        0 => "-".to_owned(),
        acquires => match cycles as f64 / acquires as f64 {
            many if many >= 1000.0 => grouped(many.round() as i128),
            few => format!("{few:.1}"),
        },
    };
    let share = |cycles: u64| percent(cycles as f64 / span_cycles.max(1) as f64);
    // Of each part its cycles while thinking, waiting and holding.
    let mut rows = CycleParts::default().named().map(|(name, _)| (name, [0_u64; 3]));
    for ledger in ledgers() {
        for (phase, parts) in [&ledger.think, &ledger.wait, &ledger.hold].into_iter().enumerate() {
            for ((_, sums), (_, cycles)) in rows.iter_mut().zip(parts.named()) {
                sums[phase] += cycles;
            }
        }
    }
    let phases = [0, 1, 2].map(|phase| rows.iter().map(|(_, sums)| sums[phase]).sum::<u64>());
    Some(html! {
        p .note {
            "In cycles, exact: " (grouped(span_cycles.into())) " of all workers from first run to end, "
            (grouped(acquires.into())) " acquires, " (launches) @if launches == 1 { " launch." } @else { " launches." }
            " Waits here are those of the machine; the parts above are those that a probe could see."
        }
        (scroll("Cycles by part", html! {
            table {
                thead { tr {
                    th scope="col" .l { "cycles per acquire" }
                    @for name in ["thinking", "waiting", "holding", "share of all"] { th scope="col" { (name) } }
                } }
                tbody {
                    @for (name, sums) in rows {
                        @if sums != [0; 3] {
                            tr {
                                th scope="row" { (name) }
                                @for cycles in sums { td { (per_acquire(cycles)) } }
                                td { (share(sums.iter().sum())) }
                            }
                        }
                    }
                    tr .sum {
                        th scope="row" { "span" }
                        @for cycles in phases { td { (per_acquire(cycles)) } }
                        td { (share(phases.iter().sum())) }
                    }
                }
            }
        }))
    })
}
