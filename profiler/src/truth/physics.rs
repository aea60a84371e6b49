//! Rules that bound a result by what processors and locks can do at all.
//!
//! The work of an operation is known: it was asked for. It is calibrated against the fastest that this processor did it,
//! so it may come out up to [`CALIBRATION`] shorter and, with few operations, by three standard errors of what was
//! drawn; the bounds allow for both. Where a launch measured its work again after the slices, and the computer had become
//! faster meanwhile, the bounds allow for that too. Had it become slower, work took longer than asked for, which is no
//! reason to doubt less than before.

use record::cell::{ImplementationRole, Record};
use record::result::{LaunchResult, Slice};
use record::spec::Point;
use record::{Arrivals, Distribution};

use super::{Finding, TruthContext, holds, not_applicable, results, suspect};

/// Relative error of calibrated work.
pub(super) const CALIBRATION: f64 = 0.10;
/// A computer does not change its speed by more; whoever says so is not believed.
const SPEED_UP_MAX: f64 = 1.5;
/// A processor may execute this much of a lock's instructions while work before or after is still under way, ns.
const HIDDEN_NS: f64 = 20.0;
/// Relative difference of two honest clocks of one computer.
const CLOCKS: f64 = 0.01;
/// And the absolute one, ns: what one of them may be coarse.
const CLOCKS_NS: f64 = 1e6;
/// A driver draws lengths from a table with so many entries: rarer ones do not occur.
const RAREST: f64 = 512.0;

/// Work of one role's operation.
struct Work {
    hold_ns: f64,
    think_ns: f64,
    /// Standard deviation of both together.
    deviation_ns: f64,
}

fn work_of(point: &Point) -> Vec<Work> {
    let closed = point.arrivals == Arrivals::Closed;
    let work = |role: &record::Role| {
        // In an open loop the gaps between arrivals replace thinking, and they need no processor.
        let (think_ns, think_variance) = if closed { moments(&role.think) } else { (0.0, 0.0) };
        let (hold_ns, hold_variance) = moments(&role.hold);
        Work { hold_ns, think_ns, deviation_ns: (think_variance + hold_variance).sqrt() }
    };
    point.roles.iter().map(work).collect()
}

/// Mean and variance of what is really drawn.
fn moments(distribution: &Distribution) -> (f64, f64) {
    let mean = distribution.mean_ns();
    match *distribution {
        Distribution::Constant { .. } => (mean, 0.0),
        Distribution::Uniform { min_ns, max_ns } => (mean, (max_ns as f64 - min_ns as f64).powi(2) / 12.0),
        Distribution::Exponential { .. } => (mean, mean * mean),
        Distribution::Bimodal { short_ns, long_ns, long_share } => {
            let share = (long_share * RAREST).floor() / RAREST;
            let gap = long_ns as f64 - short_ns as f64;
            (short_ns as f64 + share * gap, share * (1.0 - share) * gap * gap)
        }
    }
}

/// Operations cost processor time: what they hold and think, and what the lock costs when nobody disturbs. All of it
/// must fit into the cores' time, and into the time that the scheduler says the workers had.
pub(super) fn floor(record: &Record, context: &TruthContext) -> Finding {
    if record.role == ImplementationRole::Floor {
        return not_applicable("this is the floor");
    }
    let work = work_of(&record.point);
    let threads = record.point.threads();
    let mut closest: Option<(f64, String)> = None;
    // The fastest that any launch saw: a launch that measured its floor while it was disturbed must not doubt itself.
    let lock_ns =
        results(record).filter_map(|(_, result)| result.uncontended_ns).reduce(f64::min).unwrap_or(0.0);
    let taken = f64::from(record.point.take.count());
    for (launch, result) in results(record) {
        let (slack, Some(needs)) = needs(&work, result, lock_ns, taken) else { continue };
        let allowed = allowed(slack, result);
        let span_ns: u64 = result.slices.iter().map(Slice::span_ns).sum();
        let offered_ns = span_ns as f64 * threads.min(context.workers_cores()) as f64;
        let mut bounds = vec![(needs.measured_ns, offered_ns, "the cores offered")];
        let cpu_ns = workers(result).map(|worker| worker.cpu_ns).sum::<Option<u64>>();
        let accounted = workers(result).all(|worker| worker.ops_accounted >= worker.ops);
        if let (Some(cpu_ns), true) = (cpu_ns, accounted) {
            bounds.push((needs.accounted_ns, cpu_ns as f64, "the scheduler accounted for"));
        }
        for (needed_ns, had_ns, who) in bounds {
            let ratio = needed_ns / had_ns.max(1.0);
            let detail = format!(
                "launch {}: operations need {needed_ns:.0} ns, {who} {had_ns:.0} ns; ratio {ratio:.3}, allowed {:.3} \
                 (uncontended {lock_ns:.1} ns)",
                launch.index, allowed
            );
            if ratio > allowed {
                return suspect(format!("too fast to be true: {detail}"));
            }
            if closest.as_ref().is_none_or(|(most, _)| ratio > *most) {
                closest = Some((ratio, detail));
            }
        }
    }
    match closest {
        Some((_, detail)) => holds(detail),
        None => not_applicable("operations without work, and the uncontended cost was not measured"),
    }
}

struct Needs {
    /// Of the operations in the measured stretch.
    measured_ns: f64,
    /// Of those that the scheduler's account covers.
    accounted_ns: f64,
}

/// What all operations of a launch need at least, with the relative slack. Each takes `taken` locks.
fn needs(work: &[Work], result: &LaunchResult, lock_ns: f64, taken: f64) -> (f64, Option<Needs>) {
    let (lock_ns, hidden_ns) = (lock_ns * taken, HIDDEN_NS * taken);
    let (mut needs, mut variance) = (Needs { measured_ns: 0.0, accounted_ns: 0.0 }, 0.0);
    for worker in workers(result) {
        let Some(work) = work.get(worker.role) else { continue };
        let work_ns = work.hold_ns + work.think_ns;
        let each_ns = work_ns.max(lock_ns).max(work_ns + lock_ns - hidden_ns);
        needs.measured_ns += each_ns * worker.ops as f64;
        needs.accounted_ns += each_ns * worker.ops_accounted as f64;
        variance += work.deviation_ns.powi(2) * worker.ops as f64;
    }
    let slack = CALIBRATION + 3.0 * variance.sqrt() / needs.measured_ns.max(1.0);
    (slack, (needs.measured_ns > 0.0).then_some(needs))
}

/// The largest ratio of time needed to time had that an honest launch may show.
fn allowed(slack: f64, result: &LaunchResult) -> f64 {
    (1.0 + slack) * result.work_speed_ratio.unwrap_or(1.0).clamp(1.0, SPEED_UP_MAX)
}

/// All that a launch measured lies between its start and its answer. A clock that runs fast, or jumps ahead, says more.
///
/// One that runs slow makes operations look fast, which [`floor`] sees.
pub(super) fn clock(record: &Record, _: &TruthContext) -> Finding {
    let mut closest: Option<(f64, String)> = None;
    for (launch, result) in results(record) {
        let (Some(took_ns), None) = (launch.took_ns, &result.simulated) else { continue };
        // From the first start to the last end, what lies between slices included.
        let begin_ns = workers(result).map(|worker| worker.start_ns).min().unwrap_or(0);
        let end_ns = workers(result).map(|worker| worker.end_ns).max().unwrap_or(0);
        let span_ns = result.span_ns().max(end_ns.saturating_sub(begin_ns));
        let allowed_ns = took_ns as f64 * (1.0 + CLOCKS) + CLOCKS_NS;
        let detail = format!(
            "launch {}: slices of {span_ns} ns by its own clock, and {took_ns} ns from its start to its answer",
            launch.index
        );
        if span_ns as f64 > allowed_ns {
            return suspect(format!("a clock that runs fast or jumps: {detail}"));
        }
        let ratio = span_ns as f64 / allowed_ns;
        if closest.as_ref().is_none_or(|(most, _)| ratio > *most) {
            closest = Some((ratio, detail));
        }
    }
    closest.map_or_else(|| not_applicable("no launch was timed from outside"), |(_, detail)| holds(detail))
}

/// One lock serves one holder at a time: all holds together fit into the span, times the number of locks.
pub(super) fn exclusion(record: &Record, _: &TruthContext) -> Finding {
    if record.role == ImplementationRole::Floor {
        return not_applicable("the floor excludes nobody");
    }
    let work = work_of(&record.point);
    if work.iter().all(|work| work.hold_ns == 0.0) {
        return not_applicable("operations hold for no time");
    }
    let taken = f64::from(record.point.take.count());
    let mut closest: Option<(f64, String)> = None;
    for (launch, result) in results(record) {
        let held = |worker: &record::Worker| {
            work.get(worker.role).map_or(0.0, |w| taken * w.hold_ns * worker.ops as f64)
        };
        let variance = |worker: &record::Worker| {
            work.get(worker.role).map_or(0.0, |w| (taken * w.deviation_ns).powi(2) * worker.ops as f64)
        };
        let held_ns: f64 = workers(result).map(held).sum();
        let slack = CALIBRATION + 3.0 * workers(result).map(variance).sum::<f64>().sqrt() / held_ns.max(1.0);
        let allowed = allowed(slack, result);
        let offered_ns = result.span_ns() as f64 * f64::from(record.point.locks);
        let ratio = held_ns / offered_ns.max(1.0);
        let detail = format!(
            "launch {}: held for {held_ns:.0} ns in {offered_ns:.0} ns of {} lock(s); ratio {ratio:.3}, allowed {:.3}",
            launch.index, record.point.locks, allowed
        );
        if ratio > allowed {
            return suspect(format!("more than one holder at a time: {detail}"));
        }
        if closest.as_ref().is_none_or(|(most, _)| ratio > *most) {
            closest = Some((ratio, detail));
        }
    }
    closest.map_or_else(|| not_applicable("no launch gave a result"), |(_, detail)| holds(detail))
}

fn workers(result: &LaunchResult) -> impl Iterator<Item = &record::Worker> {
    result.slices.iter().flat_map(|slice| &slice.workers)
}
