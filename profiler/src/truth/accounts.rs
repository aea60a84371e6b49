//! Rules that hold one account of a launch against another: probe against driver, stamps against scheduler, waiting
//! times against the lock's own count.

use record::ProbeMode;
use record::cell::{Launch, Record};
use record::profile::{Ledger, Profile};
use record::result::LaunchResult;

use super::{Finding, TruthContext, holds, not_applicable, results, suspect};

/// Relative residue that a ledger may have.
pub(super) const LEDGER: f64 = 0.05;
/// Samples of the lock's own count below which they prove nothing.
const SAMPLES_MIN: u64 = 100;

fn profiles(record: &Record) -> impl Iterator<Item = (&Launch, &LaunchResult, &Profile)> {
    results(record).filter_map(|(launch, result)| Some((launch, result, result.profile.as_ref()?)))
}

/// The probe and the driver count the same operations, each for itself.
pub(super) fn events(record: &Record, _: &TruthContext) -> Finding {
    /// A worker may be on the way into or out of the observed stretch at its ends.
    const EDGE: u64 = 2;
    let taken = u64::from(record.point.take.count());
    let mut sum = 0;
    for (launch, result, profile) in profiles(record) {
        let workers = result.slices.iter().flat_map(|slice| &slice.workers);
        let (mut ops, mut edge) = (0, 0);
        for worker in workers {
            ops += worker.ops_accounted.max(worker.ops);
            edge += EDGE * taken;
        }
        let seen = profile.counts.acquires;
        if seen.abs_diff(ops.saturating_mul(taken)) > edge {
            let of = if taken == 1 { String::new() } else { format!(" of {taken} locks each") };
            return suspect(format!(
                "launch {}: the probe saw {seen} acquires, the driver counts {ops} operations{of}",
                launch.index
            ));
        }
        sum += seen;
    }
    if sum == 0 {
        not_applicable("no probe saw an acquire")
    } else {
        holds(format!("probe and driver count {sum} acquires"))
    }
}

/// The parts of each worker's time add up to its span.
pub(super) fn ledger(record: &Record, context: &TruthContext) -> Finding {
    let mut worst: Option<(f64, f64, String)> = None;
    let mut why_not = "no launch was fully timed";
    let lacking = lacking(record);
    for (launch, result, profile) in profiles(record) {
        let Some(ledgers) = &profile.ledger else { continue };
        if !profile.primitive_reports {
            why_not = "the implementation does not report its sleeps";
            continue;
        }
        let known = |worker: &record::Worker| worker.cpu_ns.is_some() && worker.run_delay_ns.is_some();
        if !result.slices.iter().flat_map(|slice| &slice.workers).all(known) {
            why_not = "the scheduler's account is not known here";
            continue;
        }
        // Stolen time is on no account of this machine. The share is of all cores; it falls on those that work. It is counted
        // in ticks, and says little of a short slice: what a worker's own account lacks is counted in ns.
        let busy = record.point.threads().clamp(1, context.workers_cores().max(1)) as f64;
        let steal = launch.environment.steal_share.unwrap_or(0.0) * context.cores as f64 / busy;
        for (worker, ledger) in ledgers.iter().enumerate().filter(|(_, ledger)| ledger.span_ns > 0) {
            let residue = residue(ledger);
            let stolen = steal.max(stolen_ns(result, worker, lacking) / ledger.span_ns as f64);
            let over = residue.abs() - stolen;
            let allowed = LEDGER + stolen;
            if worst.as_ref().is_none_or(|(most, ..)| over > *most) {
                let detail = format!(
                    "launch {}, worker {worker}: {:.1} % of the span is unexplained, allowed {:.1} % ({})",
                    launch.index,
                    100.0 * residue,
                    100.0 * allowed,
                    parts(ledger)
                );
                worst = Some((over, allowed, detail));
            }
        }
    }
    match worst {
        None => not_applicable(why_not),
        Some((over, _, detail)) if over <= LEDGER => holds(format!("at worst: {detail}")),
        Some((_, _, detail)) => suspect(detail),
    }
}

/// The share of a worker's time in a slice that the scheduler puts on no account: neither on a core nor ready for one.
fn off_account(worker: &record::Worker) -> Option<f64> {
    let accounted_ns = worker.accounted_ns.filter(|ns| *ns > 0)? as f64;
    Some(1.0 - (worker.cpu_ns? + worker.run_delay_ns?) as f64 / accounted_ns)
}

/// The share that every worker lacks in every slice: as much the clock may be too fast, and nobody took.
fn lacking(record: &Record) -> f64 {
    let workers = results(record).flat_map(|(_, result)| &result.slices).flat_map(|slice| &slice.workers);
    workers.filter_map(off_account).reduce(f64::min).unwrap_or(0.0).max(0.0)
}

/// What was stolen from a worker, ns: time on no account in slices in which it never went to sleep, beyond what all lack. A
/// sleep that nobody reports is no such time: the scheduler counts it as a switch that the thread asked for.
fn stolen_ns(result: &LaunchResult, worker: usize, lacking: f64) -> f64 {
    let workers = result.slices.iter().filter_map(|slice| slice.workers.get(worker));
    let awake = workers.filter(|worker| worker.voluntary_switches == Some(0));
    let stolen = |worker: &record::Worker| {
        Some((off_account(worker)? - lacking).max(0.0) * worker.accounted_ns? as f64)
    };
    awake.filter_map(stolen).sum()
}

/// The share of the span that the parts do not explain; negative when they explain more than there is.
fn residue(ledger: &Ledger) -> f64 {
    1.0 - ledger.sum_ns() as f64 / ledger.span_ns as f64
}

fn parts(ledger: &Ledger) -> String {
    let parts = [
        ("think", ledger.think_ns),
        ("hold", ledger.hold_ns),
        ("fast", ledger.fast_ns),
        ("spin", ledger.spin_ns),
        ("park", ledger.park_ns),
        ("wake", ledger.wake_ns),
        ("lost", ledger.lost_ns),
        ("preempted", ledger.preempted_ns),
    ];
    let share = |ns: u64| 100.0 * ns as f64 / ledger.span_ns as f64;
    let texts: Vec<String> = parts
        .iter()
        .filter(|(_, ns)| *ns > 0)
        .map(|(name, ns)| format!("{name} {:.1} %", share(*ns)))
        .collect();
    texts.join(", ")
}

/// Little's law: rate times mean wait is the mean number of waiters, which the lock itself was asked for.
///
/// What a lock counts as a waiter differs: one that queues counts sleepers only, another everybody who asked. So the
/// samples must lie between the threads asleep and the threads waiting at all. They are taken less the holder, also
/// when there was none; they may be too small by the share of time in which locks were free.
pub(super) fn little(record: &Record, _: &TruthContext) -> Finding {
    let mut shown = None;
    let mut why_not = "no fully timed launch could sample waiters";
    for (launch, _, profile) in profiles(record).filter(|(launch, ..)| launch.probe == ProbeMode::Full) {
        let Some((waiters, ledgers)) = profile.waiters.as_ref().zip(profile.ledger.as_ref()) else {
            continue;
        };
        let Some(sampled) = waiters.sampled_mean else {
            why_not = "the implementation does not count its waiters";
            continue;
        };
        if waiters.samples < SAMPLES_MIN {
            why_not = "too few samples of the lock's own count";
            continue;
        }
        let mean = |part: fn(&Ledger) -> u64| -> f64 {
            let workers = ledgers.iter().filter(|ledger| ledger.span_ns > 0);
            workers.map(|ledger| part(ledger) as f64 / ledger.span_ns as f64).sum()
        };
        let asleep = if profile.primitive_reports { mean(|ledger| ledger.park_ns) } else { 0.0 };
        let free = (f64::from(record.point.locks) - mean(|ledger| ledger.hold_ns)).max(0.0);
        // Samples err too: a count between 0 and n has a deviation of n/2 at most.
        let error = record.point.threads() as f64 / (waiters.samples as f64).sqrt();
        let tolerance = |value: f64| (0.25 * value).max(0.25) + error;
        let least = asleep - free - tolerance(asleep);
        let most = waiters.mean + tolerance(waiters.mean);
        let detail = format!(
            "launch {}: {sampled:.2} waiters sampled ({} samples), {asleep:.2} asleep and {:.2} waiting by stamps; \
             allowed {least:.2} to {most:.2}",
            launch.index, waiters.samples, waiters.mean
        );
        if sampled < least || sampled > most {
            return suspect(detail);
        }
        shown.get_or_insert(detail);
    }
    shown.map_or_else(|| not_applicable(why_not), holds)
}

/// In which orders locks were taken that were held together. It says nothing against the numbers.
pub(super) fn lock_order(record: &Record, _: &TruthContext) -> Finding {
    let mut pairs = 0;
    for (launch, _, profile) in profiles(record) {
        let Some(order) = &profile.lock_order else { continue };
        if let (Some(first), Some(inverted)) = (order.inversions.first(), order.inverted()) {
            return holds(format!(
                "inverted, these threads may come to wait for each other for ever (launch {}, slice {}): {inverted}",
                launch.index, first.slice
            ));
        }
        pairs = pairs.max(order.pairs);
    }
    match pairs {
        0 if record.point.take.is_one() => not_applicable("operations take one lock at a time"),
        0 => not_applicable("no probe saw two locks held"),
        pairs => holds(format!("{pairs} pairs of locks were held together, always in one order")),
    }
}

/// What looking cost: throughput with each probe as a ratio to throughput without.
pub(super) fn probe_effect(record: &Record, _: &TruthContext) -> Finding {
    let mean = |mode: ProbeMode| -> Option<(f64, usize)> {
        let rates: Vec<f64> = results(record)
            .filter(|(launch, _)| launch.probe == mode)
            .filter_map(|(_, result)| result.throughput_per_s())
            .collect();
        (!rates.is_empty()).then(|| (rates.iter().sum::<f64>() / rates.len() as f64, rates.len()))
    };
    let Some((plain, plain_n)) = mean(ProbeMode::Off).filter(|(plain, _)| *plain > 0.0) else {
        return not_applicable("no launch without a probe");
    };
    let ratio = |mode: ProbeMode| {
        let (probed, n) = mean(mode)?;
        Some(format!("{} {:.3} of plain throughput ({n} against {plain_n})", mode.name(), probed / plain))
    };
    let ratios: Vec<String> =
        [ProbeMode::Count, ProbeMode::Sample, ProbeMode::Full].into_iter().filter_map(ratio).collect();
    if ratios.is_empty() { not_applicable("no launch with a probe") } else { holds(ratios.join("; ")) }
}
