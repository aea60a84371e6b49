//! What must hold exactly, because a model has no noise.

use record::cell::Record;

use super::{Finding, TruthContext, holds, not_applicable, results, wrong};

/// A worker looks at the clock a little before the first cycle of its ledger and a little after the last: a few reads, ns.
const EDGE_NS: f64 = 1_000.0;

/// The parts of a simulated launch's ledger sum to its span, without remainder, and the span is the time that the workers
/// took by their own clocks.
pub(super) fn cycles(record: &Record, _: &TruthContext) -> Finding {
    let mut sum_cycles = 0;
    for (launch, result) in results(record) {
        let Some(simulated) = &result.simulated else { continue };
        let ledger = &simulated.ledger;
        let (parts, span) = (ledger.sum_cycles(), ledger.span_cycles);
        let at = format!("launch {}", launch.index);
        if parts != span {
            return wrong(format!("{at}: the parts sum to {parts} cycles, the workers took {span}"));
        }
        let workers = || result.slices.iter().flat_map(|slice| &slice.workers);
        let accounted_ns: u64 = workers().filter_map(|worker| worker.accounted_ns).sum();
        let span_ns = span as f64 * 1e3 / f64::from(simulated.clock_mhz.max(1));
        let allowed_ns = EDGE_NS * workers().count() as f64;
        if (span_ns - accounted_ns as f64).abs() > allowed_ns {
            return wrong(format!(
                "{at}: the ledger covers {span_ns:.0} ns, the workers took {accounted_ns} ns by their clocks"
            ));
        }
        sum_cycles += span;
    }
    match sum_cycles {
        0 => not_applicable("measured"),
        sum => holds(format!("{sum} cycles, to the last one")),
    }
}
