//! From the slots of all workers and slices to one profile.

use anyhow::{Result, ensure};
use hdrhistogram::{AdditionError, Histogram};
use impls::probe::{NoProbe, Probe};
use record::histogram::{self, Distribution, Metric, Values};
use record::profile::{Counts, Ledger, Profile, Waiters, WorstStretch};
use record::{ProbeMode, Slice, Worker};

use super::count::{CountProbe, CountSlot};
use super::full::{FullProbe, FullSlot};
use super::sample::{SampleProbe, SampleSlot};
use super::tally::{MATRIX_WORKERS, Tally};
use super::timed::Times;
use crate::fairness::{self, Stretch};
use crate::ledger::{self, Scheduled};
use crate::lock_order::{self, Order};
use crate::timeline::{self, BIN_NS};
use crate::worst::{self, Log, LoggedSlice};

/// Entries that a timeline has at most, all slices together.
const TIMELINE_MAX: u64 = 2_000;

/// What a driver knows about the launch whose slots are collected.
#[derive(Clone, Copy, Debug)]
pub struct CollectContext<'a> {
    /// The measured slices.
    pub slices: &'a [Slice],
    /// The role of each worker.
    pub role_of_worker: &'a [usize],
    /// Where the objects lay, as the probe calls them: of each slice, in the order of their numbers.
    pub objects: &'a [Vec<usize>],
    /// Whether the implementation reports spins, parks and wakes.
    pub primitive_reports: bool,
    /// Processor time that one sleep may cost: see [`ledger::Scheduled`].
    pub park_cpu_ns: u64,
    /// Mean and number of samples of the implementation's own count of waiters.
    pub sampled_waiters: Option<(f64, u64)>,
}

/// What the slots say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// The explanation; `None` from `NoProbe`.
    pub profile: Option<Profile>,
    /// Distributions by metric and role; those without a value are left out.
    pub distributions: Vec<Distribution>,
}

/// A probe whose slots can be read.
pub trait Collect: Probe {
    /// What it is called in a spec.
    const MODE: ProbeMode;
    /// Puts the slots together: `slices[s][w]` is the slot of worker `w` in slice `s`.
    ///
    /// # Errors
    /// If slots, slices and workers do not match in number.
    fn collect(slices: Vec<Vec<Self::Slot>>, context: &CollectContext<'_>) -> Result<Collected>;
}

impl Collect for NoProbe {
    const MODE: ProbeMode = ProbeMode::Off;
    fn collect(_: Vec<Vec<()>>, _: &CollectContext<'_>) -> Result<Collected> {
        Ok(Collected::default())
    }
}

impl Collect for CountProbe {
    const MODE: ProbeMode = ProbeMode::Count;
    fn collect(slices: Vec<Vec<CountSlot>>, context: &CollectContext<'_>) -> Result<Collected> {
        check(&slices, context)?;
        let mut profile = counted(Self::MODE, &slices, context, |slot| &slot.tally);
        profile.wait_ns_max = Vec::new();
        Ok(Collected { profile: Some(profile), distributions: Vec::new() })
    }
}

impl Collect for SampleProbe {
    const MODE: ProbeMode = ProbeMode::Sample;
    fn collect(slices: Vec<Vec<SampleSlot>>, context: &CollectContext<'_>) -> Result<Collected> {
        check(&slices, context)?;
        let mut profile = counted(Self::MODE, &slices, context, |slot| &slot.tally);
        let mut merged = Merged::new(context);
        for (worker, slot) in slices.into_iter().flat_map(|slots| slots.into_iter().enumerate()) {
            if let Some(sampled) = slot.sampled.into_inner() {
                let role = context.role_of_worker[worker];
                let more = [&sampled.wait, &sampled.hold, &sampled.wake];
                merged.add(role, sampled.wait_ns_max, |sums| add_all(sums.iter_mut().zip(more)))?;
            }
        }
        profile.wait_ns_max = merged.wait_ns_max.clone();
        Ok(Collected { profile: Some(profile), distributions: merged.encode()? })
    }
}

impl Collect for FullProbe {
    const MODE: ProbeMode = ProbeMode::Full;
    fn collect(slices: Vec<Vec<FullSlot>>, context: &CollectContext<'_>) -> Result<Collected> {
        check(&slices, context)?;
        let mut profile = counted(Self::MODE, &slices, context, |slot| &slot.tally);
        let times = |slot: FullSlot| slot.timed.into_inner().map(|timed| timed.into_times());
        let slices: Vec<Vec<Option<Times>>> =
            slices.into_iter().map(|slots| slots.into_iter().map(times).collect()).collect();
        let mut merged = Merged::new(context);
        let mut ledgers = vec![Ledger::default(); context.role_of_worker.len()];
        for (slots, slice) in slices.iter().zip(context.slices) {
            for (index, (timed, worker)) in slots.iter().zip(&slice.workers).enumerate() {
                let Some(timed) = timed else { continue };
                merged.add(context.role_of_worker[index], timed.wait_ns_max, |sums| timed.add_to(sums))?;
                ledger::add(&mut ledgers[index], &one_ledger(timed, worker, context));
            }
        }
        profile.ledger = Some(ledgers);
        profile.waiters = Some(waiters(&slices, context));
        profile.windows = windows(&slices, context);
        profile.wait_ns_max = merged.wait_ns_max.clone();
        profile.worst_stretch = worst(&slices, context);
        Ok(Collected { profile: Some(profile), distributions: merged.encode()? })
    }
}

fn check<S>(slices: &[Vec<S>], context: &CollectContext<'_>) -> Result<()> {
    let (slots, measured) = (slices.len(), context.slices.len());
    ensure!(slots == measured, "slots of {slots} slices, but {measured} slices were measured");
    let workers = context.role_of_worker.len();
    for (slots, slice) in slices.iter().zip(context.slices) {
        let (slots, ran) = (slots.len(), slice.workers.len());
        ensure!(
            slots == workers && ran == workers,
            "a slice has {slots} slots and {ran} workers; the roles have {workers}"
        );
    }
    Ok(())
}

/// The part of a profile that all probes give.
fn counted<S>(
    probe: ProbeMode,
    slices: &[Vec<S>],
    context: &CollectContext<'_>,
    tally: impl Fn(&S) -> &Tally,
) -> Profile {
    let workers = context.role_of_worker.len();
    let mut counts = Counts::default();
    let mut matrix = vec![vec![0_u64; workers]; workers];
    let mut streaks: Vec<u64> = Vec::new();
    for (slots, slice) in slices.iter().zip(context.slices) {
        let tallies: Vec<&Tally> = slots.iter().map(&tally).collect();
        counts.starvation_ns += starvation_ns(&tallies, slice);
        for (worker, tally) in tallies.into_iter().enumerate() {
            add_counts(&mut counts, tally, context.primitive_reports);
            for (previous, count) in tally.after(worker).into_iter().take(workers).enumerate() {
                matrix[previous][worker] += count;
            }
            let more = tally.streaks();
            streaks.resize(streaks.len().max(more.len()), 0);
            streaks.iter_mut().zip(more).for_each(|(sum, count)| *sum += count);
        }
    }
    let orders: Vec<Vec<&Order>> =
        slices.iter().map(|slots| slots.iter().map(|slot| &tally(slot).order).collect()).collect();
    Profile {
        probe,
        counts,
        primitive_reports: context.primitive_reports,
        hand_offs_between: (workers <= MATRIX_WORKERS).then_some(matrix),
        streaks,
        waiters: None,
        ledger: None,
        windows: Vec::new(),
        wait_ns_max: Vec::new(),
        worst_stretch: None,
        lock_order: lock_order::lock_order(&orders, context.objects),
    }
}

fn add_counts(counts: &mut Counts, tally: &Tally, primitive_reports: bool) {
    counts.acquires += tally.acquires.get();
    if primitive_reports {
        counts.fast_acquires += tally.acquires.get() - tally.slow_acquires.get();
    }
    counts.spins += tally.spins.get();
    counts.spin_rounds += tally.spin_rounds.get();
    counts.spin_rounds_useful += tally.spin_rounds_useful.get();
    counts.failed_cas += tally.failed_cas.get();
    counts.parks += tally.parks.get();
    counts.wakes += tally.wakes.get();
    counts.lost_races += tally.lost_races.get();
    counts.hand_offs += tally.hand_offs.get();
    counts.starvation_periods += tally.starving.begins.get();
    counts.owner_changes += tally.owner_changes.get();
    *counts.core_changes.get_or_insert(0) += tally.core_changes.get();
}

/// Time in starvation mode in one slice: the sum of all ends less the sum of all begins. What is still open ends with
/// the slice; a begin that nobody saw was the slice's.
fn starvation_ns(tallies: &[&Tally], slice: &Slice) -> u64 {
    let start_ns = slice.workers.iter().map(|w| w.start_ns).min().unwrap_or(0);
    let end_ns = slice.workers.iter().map(|w| w.end_ns).max().unwrap_or(0);
    let sum = |value: fn(&Tally) -> u64| tallies.iter().map(|t| i128::from(value(t))).sum::<i128>();
    let open = sum(|t| t.starving.begins.get()) - sum(|t| t.starving.ends.get());
    let edge_ns = if open > 0 { end_ns } else { start_ns };
    let ns = sum(|t| t.starving.end_ns_sum.get()) - sum(|t| t.starving.begin_ns_sum.get())
        + open * i128::from(edge_ns);
    u64::try_from(ns.max(0)).unwrap_or(u64::MAX)
}

/// The span is the time that the scheduler's account covers: a little more than the measured stretch.
fn one_ledger(timed: &Times, worker: &Worker, context: &CollectContext<'_>) -> Ledger {
    let measured_ns = || worker.end_ns.saturating_sub(timed.begin_ns.min(worker.start_ns));
    let span_ns = worker.accounted_ns.unwrap_or_else(measured_ns);
    let scheduled = worker.cpu_ns.zip(worker.run_delay_ns);
    let park_cpu_ns = context.park_cpu_ns;
    let scheduled = scheduled.map(|(cpu_ns, run_delay_ns)| Scheduled { cpu_ns, run_delay_ns, park_cpu_ns });
    ledger::ledger(span_ns, &timed.stamped, scheduled, context.primitive_reports)
}

fn waiters(slices: &[Vec<Option<Times>>], context: &CollectContext<'_>) -> Waiters {
    let bins: u64 = context.slices.iter().map(|slice| slice.span_ns().div_ceil(BIN_NS) + 1).sum();
    let bin_ns = bins.div_ceil(TIMELINE_MAX).max(1) * BIN_NS;
    let mut timeline = Vec::new();
    let (mut max, mut wait_ns, mut stamped_ns) = (0, 0_u64, 0_u64);
    for (slots, slice) in slices.iter().zip(context.slices) {
        let timed: Vec<&Times> = slots.iter().flatten().collect();
        let (start_ns, end_ns) = bounds(slice);
        let workers: Vec<_> = timed.iter().map(|timed| &timed.bins).collect();
        timeline.extend(timeline::waiters_over_time(&workers, start_ns, end_ns, bin_ns));
        let waits = timed.iter().flat_map(|t| &t.intervals);
        let intervals: Vec<(u64, u64)> = waits.map(|wait| (wait.request_ns, wait.acquired_ns)).collect();
        max = max.max(timeline::most_at_once(&intervals));
        wait_ns += timed.iter().map(|timed| timed.stamped.wait_ns).sum::<u64>();
        let begin_ns = timed.iter().map(|timed| timed.begin_ns).min().unwrap_or(start_ns);
        stamped_ns += end_ns.saturating_sub(begin_ns);
    }
    let mean = if stamped_ns == 0 { 0.0 } else { wait_ns as f64 / stamped_ns as f64 };
    let (sampled_mean, samples) = context.sampled_waiters.map_or((None, 0), |(mean, n)| (Some(mean), n));
    Waiters { mean, max, bin_ns, timeline, sampled_mean, samples }
}

fn windows(slices: &[Vec<Option<Times>>], context: &CollectContext<'_>) -> Vec<record::profile::Window> {
    let mut stretches = Vec::new();
    for (slots, slice) in slices.iter().zip(context.slices) {
        let (start_ns, end_ns) = bounds(slice);
        let workers = slots.iter().flatten().map(|timed| &timed.bins).collect();
        stretches.push(Stretch { start_ns, end_ns, workers });
    }
    let workers = context.role_of_worker.len();
    let ops = |w: usize| context.slices.iter().map(|slice| slice.workers[w].ops).sum();
    let ops: Vec<u64> = (0..workers).map(ops).collect();
    fairness::windows(&stretches, &ops, context.slices.iter().map(Slice::span_ns).sum())
}

fn worst<'a>(slices: &'a [Vec<Option<Times>>], context: &CollectContext<'_>) -> Option<WorstStretch> {
    let logged = slices.iter().zip(context.slices).map(|(slots, slice)| {
        let (start_ns, end_ns) = bounds(slice);
        let with_times = (0..).zip(slots).filter_map(|(worker, times)| Some((worker, times.as_ref()?)));
        let log = |times: &'a Times| Log { waits: &times.intervals, sleeps: &times.sleeps };
        LoggedSlice {
            start_ns,
            end_ns,
            workers: with_times.map(|(worker, times)| (worker, log(times))).collect(),
        }
    });
    worst::worst_stretch(&logged.collect::<Vec<_>>())
}

fn bounds(slice: &Slice) -> (u64, u64) {
    let start_ns = slice.workers.iter().map(|w| w.start_ns).min().unwrap_or(0);
    let end_ns = slice.workers.iter().map(|w| w.end_ns).max().unwrap_or(0);
    (start_ns, end_ns)
}

/// Adds each histogram to its sum. An empty one may have no memory yet: it gets none for being added.
pub(super) fn add_all<'a>(
    pairs: impl IntoIterator<Item = (&'a mut Histogram<u64>, &'a Histogram<u64>)>,
) -> Result<(), AdditionError> {
    pairs.into_iter().filter(|(_, more)| !more.is_empty()).try_for_each(|(sum, more)| sum.add(more))
}

/// Distributions of all workers, by role.
struct Merged {
    roles: Vec<[Histogram<u64>; 3]>,
    wait_ns_max: Vec<u64>,
}

impl Merged {
    fn new(context: &CollectContext<'_>) -> Self {
        let roles = context.role_of_worker.iter().max().map_or(0, |last| last + 1);
        let empty = || std::array::from_fn(|_| histogram::empty());
        Merged { roles: (0..roles).map(|_| empty()).collect(), wait_ns_max: vec![0; roles] }
    }

    /// `add_to` adds a worker's distributions to those of its role.
    fn add(
        &mut self,
        role: usize,
        wait_ns_max: u64,
        add_to: impl FnOnce(&mut [Histogram<u64>; 3]) -> Result<(), AdditionError>,
    ) -> Result<()> {
        add_to(&mut self.roles[role]).map_err(|e| anyhow::anyhow!("cannot merge histograms: {e}"))?;
        self.wait_ns_max[role] = self.wait_ns_max[role].max(wait_ns_max);
        Ok(())
    }

    fn encode(&self) -> Result<Vec<Distribution>> {
        let mut distributions = Vec::new();
        for (role, histograms) in self.roles.iter().enumerate() {
            for (metric, histogram) in [Metric::Wait, Metric::Hold, Metric::Wake].into_iter().zip(histograms)
            {
                if !histogram.is_empty() {
                    let values = Values::encode(histogram)?;
                    distributions.push(Distribution { metric, role, values });
                }
            }
        }
        Ok(distributions)
    }
}
