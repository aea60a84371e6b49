//! The ledger of a simulated cell: where every cycle of its workers went.

use maud::{Markup, html};
use record::Record;
use record::simulated::{CycleLedger, CycleParts};

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
    let all = ledgers().cloned().reduce(together)?;
    let per_acquire = |cycles: u64| match all.acquires {
        0 => "-".to_owned(),
        acquires => match cycles as f64 / acquires as f64 {
            many if many >= 1000.0 => grouped(many.round() as i128),
            few => format!("{few:.1}"),
        },
    };
    let rows: Vec<_> = all.think.named().into_iter().zip(all.wait.named()).zip(all.hold.named()).collect();
    Some(html! {
        p .note {
            "In cycles, exact: " (grouped(all.span_cycles.into())) " of all workers from first run to end, "
            (grouped(all.acquires.into())) " acquires, " (launches) @if launches == 1 { " launch." } @else { " launches." }
            " Waits here are those of the machine; the parts above are those that a probe could see."
        }
        (scroll("Cycles by part", html! {
            table {
                thead { tr {
                    th scope="col" .l { "cycles per acquire" }
                    @for name in ["thinking", "waiting", "holding", "share of all"] { th scope="col" { (name) } }
                } }
                tbody {
                    @for (((name, think), (_, wait)), (_, hold)) in rows {
                        @let sum = think + wait + hold;
                        @if sum > 0 {
                            tr {
                                th scope="row" { (name) }
                                @for cycles in [think, wait, hold] { td { (per_acquire(cycles)) } }
                                td { (percent(sum as f64 / all.span_cycles.max(1) as f64)) }
                            }
                        }
                    }
                    tr .sum {
                        th scope="row" { "span" }
                        @for part in [&all.think, &all.wait, &all.hold] { td { (per_acquire(part.sum_cycles())) } }
                        td { (percent(all.sum_cycles() as f64 / all.span_cycles.max(1) as f64)) }
                    }
                }
            }
        }))
    })
}

fn together(a: CycleLedger, b: CycleLedger) -> CycleLedger {
    CycleLedger {
        span_cycles: a.span_cycles + b.span_cycles,
        acquires: a.acquires + b.acquires,
        think: sum(a.think, b.think),
        wait: sum(a.wait, b.wait),
        hold: sum(a.hold, b.hold),
    }
}

fn sum(a: CycleParts, b: CycleParts) -> CycleParts {
    CycleParts {
        work_cycles: a.work_cycles + b.work_cycles,
        queue_cycles: a.queue_cycles + b.queue_cycles,
        transfer_cycles: a.transfer_cycles + b.transfer_cycles,
        invalidation_cycles: a.invalidation_cycles + b.invalidation_cycles,
        spin_cycles: a.spin_cycles + b.spin_cycles,
        park_cycles: a.park_cycles + b.park_cycles,
        run_queue_cycles: a.run_queue_cycles + b.run_queue_cycles,
        wake_cycles: a.wake_cycles + b.wake_cycles,
        kernel_cycles: a.kernel_cycles + b.kernel_cycles,
        holder_preempted_cycles: a.holder_preempted_cycles + b.holder_preempted_cycles,
        lost_race_cycles: a.lost_race_cycles + b.lost_race_cycles,
    }
}
