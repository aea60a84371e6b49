//! Schedules with phases: hysteresis of a ramp, recovery after a stall.

use record::result::{Phase, Slice};
use record::{LaunchResult, Schedule};

use super::Spread;
use crate::stats;

/// Share of the throughput before a stall at which it counts as recovered.
pub const RECOVERED_SHARE: f64 = 0.9;
/// Phases in a row whose median must reach it too: one alone may be quick by chance.
pub const RECOVERED_PHASES: usize = 3;

/// Throughput of one phase over all launches.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseRate {
    /// Threads meant to be active.
    pub active: u32,
    /// Whether a holder stopped in it.
    pub stalled: bool,
    /// From the begin of a slice to its begin, ns; the median over slices.
    pub begin_ns: f64,
    /// From the begin of a slice to its end, ns; the median over slices.
    pub end_ns: f64,
    /// Operations per second, one value a launch (all its slices together).
    pub throughput_per_s: Spread,
}

/// Equal loads on the way up and on the way down.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// Active threads.
    pub active: u32,
    /// Throughput on the way down over that on the way up, one value a launch: 1 without hysteresis.
    pub down_over_up: Spread,
}

/// How long a stall was felt.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// From the end of the stall to the first phase with 90 % of the throughput before, which the median of it and the
    /// two after it has too, ns, one value a slice. Its resolution is the length of a phase.
    pub recovery_ns: Option<Spread>,
    /// Slices that did not recover before they ended.
    pub not_recovered: usize,
}

/// What the phases of a cell show.
#[derive(Clone, Debug, PartialEq)]
pub struct Phases {
    /// Throughput phase by phase.
    pub rates: Vec<PhaseRate>,
    /// For a ramp: each load that occurs on both sides of the peak.
    pub ramp: Vec<Ramp>,
    /// For a stall.
    pub recovery: Option<Recovery>,
}

impl Phases {
    pub(crate) fn of(schedule: &Schedule, results: &[&LaunchResult]) -> Option<Phases> {
        if results.iter().all(|r| r.slices.iter().all(|s| s.phases.is_empty())) {
            return None;
        }
        let phases = results.iter().flat_map(|r| &r.slices).map(|s| s.phases.len()).max()?;
        let rates = (0..phases).filter_map(|index| rate(results, index)).collect();
        let (mut ramp, mut recovery) = (Vec::new(), None);
        match schedule {
            Schedule::Ramp { active } => ramp = hysteresis(active, results),
            Schedule::Stall { stall_ns, .. } => recovery = Some(recoveries(*stall_ns, results)),
            Schedule::Steady | Schedule::Bursts { .. } => {}
        }
        Some(Phases { rates, ramp, recovery })
    }
}

/// Throughput of phase `index` of one launch, all slices together.
fn throughput(result: &LaunchResult, index: usize) -> Option<f64> {
    let of_slices = || result.slices.iter().filter_map(|s| s.phases.get(index));
    let ns: u64 = of_slices().map(length_ns).sum();
    let ops: u64 = of_slices().flat_map(|p| &p.ops).sum();
    (ns > 0).then(|| ops as f64 * 1e9 / ns as f64)
}

fn length_ns(phase: &Phase) -> u64 {
    phase.end_ns.saturating_sub(phase.begin_ns)
}

fn rate(results: &[&LaunchResult], index: usize) -> Option<PhaseRate> {
    let slices = || results.iter().flat_map(|r| &r.slices).filter(|s| s.phases.len() > index);
    let first = &slices().next()?.phases[index];
    // From the begin of the slice's first phase.
    let median = |time: fn(&Phase) -> u64| {
        let since = |s: &Slice| time(&s.phases[index]).saturating_sub(s.phases[0].begin_ns) as f64;
        stats::median(&slices().map(since).collect::<Vec<_>>())
    };
    Some(PhaseRate {
        active: first.active,
        stalled: slices().any(|s| s.phases[index].stalled),
        begin_ns: median(|phase| phase.begin_ns)?,
        end_ns: median(|phase| phase.end_ns)?,
        throughput_per_s: Spread::of(results.iter().filter_map(|r| throughput(r, index)))?,
    })
}

fn hysteresis(active: &[u32], results: &[&LaunchResult]) -> Vec<Ramp> {
    let Some(most) = active.iter().max() else { return Vec::new() };
    let first = active.iter().position(|a| a == most).unwrap_or(0);
    let last = active.iter().rposition(|a| a == most).unwrap_or(0);
    let mut ramp = Vec::new();
    for up in 0..first {
        let Some(down) = (last + 1..active.len()).find(|&i| active[i] == active[up]) else { continue };
        let ratios = results.iter().filter_map(|r| {
            let (up, down) = (throughput(r, up)?, throughput(r, down)?);
            (up > 0.0).then(|| down / up)
        });
        if let Some(down_over_up) = Spread::of(ratios) {
            ramp.push(Ramp { active: active[up], down_over_up });
        }
    }
    ramp
}

fn recoveries(stall_ns: u64, results: &[&LaunchResult]) -> Recovery {
    let outcomes: Vec<Option<u64>> =
        results.iter().flat_map(|r| &r.slices).filter_map(|s| recovery(stall_ns, s)).collect();
    Recovery {
        recovery_ns: Spread::of(outcomes.iter().flatten().map(|ns| *ns as f64)),
        not_recovered: outcomes.iter().filter(|o| o.is_none()).count(),
    }
}

/// Outer `None`: the slice shows no stall. Inner: it did not recover.
///
/// The stall is the phase that says so, or in records of engines that do not mark it the one with the lowest
/// throughput. It ends `stall_ns` after its begin, or at its own end if that is later.
fn recovery(stall_ns: u64, slice: &Slice) -> Option<Option<u64>> {
    let rate = |phase: &Phase| match length_ns(phase) {
        0 => None,
        ns => Some(phase.ops.iter().sum::<u64>() as f64 / ns as f64),
    };
    let rates: Vec<Option<f64>> = slice.phases.iter().map(rate).collect();
    let known = rates.iter().enumerate().filter_map(|(i, r)| Some((i, (*r)?)));
    let slowest = || known.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i);
    let stalled = slice.phases.iter().position(|p| p.stalled).or_else(slowest)?;
    let before = stats::median(&rates[..stalled].iter().flatten().copied().collect::<Vec<_>>())?;
    let stall = &slice.phases[stalled];
    let stall_end_ns = stall.end_ns.max(stall.begin_ns.saturating_add(stall_ns));
    let after: Vec<(u64, f64)> =
        (stalled + 1..rates.len()).filter_map(|i| Some((slice.phases[i].begin_ns, rates[i]?))).collect();
    let enough = |rate: f64| rate >= RECOVERED_SHARE * before;
    let recovered = |from: &usize| {
        // Near the end of a slice fewer are left.
        let run = after[*from..].iter().take(RECOVERED_PHASES);
        let rates: Vec<f64> = run.map(|(_, rate)| *rate).collect();
        enough(rates[0]) && stats::median(&rates).is_some_and(enough)
    };
    let back = (0..after.len()).find(recovered);
    Some(back.map(|from| after[from].0.saturating_sub(stall_end_ns)))
}
