//! The numbers of one record, recomputed from its raw counters and histograms.
//!
//! Ranked numbers (throughput, processor time, fairness over workers, context switches) come from plain launches;
//! times and explanations from probed ones, each with its tier.

mod evidence;
mod phases;
mod profile;
mod waits;
mod work;

use std::collections::BTreeMap;

use rayon::prelude::*;
use record::cell::ImplementationRole;
use record::{Fingerprint, LaunchResult, ProbeMode, Reading, Record, Schedule, Status, Tier, Worker};

use crate::stats;

pub use evidence::{Evidence, TimelineRow};
pub use phases::{PhaseRate, Phases, RECOVERED_PHASES, RECOVERED_SHARE, Ramp, Recovery};
pub use profile::{ProfileSummary, Shares};
pub use waits::{BINS_PER_DECADE, Percentiles, Waits};

/// One number per launch: nothing is thrown away, the median stands for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// The middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// All, in the order of the launches.
    pub values: Vec<f64>,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let values: Vec<f64> = values.into_iter().collect();
        Some(Spread {
            median: stats::median(&values)?,
            min: stats::quantile(&values, 0.0)?,
            max: stats::quantile(&values, 1.0)?,
            values,
        })
    }
}

/// Where a series of numbers comes from: two sources never share one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Threads of a real computer.
    Measured,
    /// A model, by the name of its preset.
    Simulated(String),
}

impl Source {
    /// From a record's machine: `os` or `sim:<preset>`.
    pub fn of(machine: &str) -> Source {
        match machine.strip_prefix("sim:") {
            Some(preset) => Source::Simulated(preset.to_owned()),
            None => Source::Measured,
        }
    }

    /// In words.
    pub fn name(&self) -> String {
        match self {
            Source::Measured => "measured".into(),
            Source::Simulated(preset) => format!("simulated ({preset})"),
        }
    }

    /// The tier of what the kernel's scheduler accounts for.
    pub fn kernel_tier(&self) -> Tier {
        match self {
            Source::Measured => Tier::MeasuredOs,
            Source::Simulated(_) => Tier::Simulated,
        }
    }

    /// The tier of a time or count taken by this project's own probes.
    pub fn probe_tier(&self) -> Tier {
        match self {
            Source::Measured => Tier::MeasuredProbe,
            Source::Simulated(_) => Tier::Simulated,
        }
    }
}

/// A counter of one cell, per operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Counter {
    /// It was read.
    Present {
        /// Per operation, one value a launch.
        per_op: Spread,
        /// Where it comes from.
        tier: Tier,
        /// The smallest share of the time that it really counted.
        running_share: Option<f64>,
    },
    /// It was not: the reason.
    Absent(String),
}

/// A launch for the dot plots.
#[derive(Clone, Debug, PartialEq)]
pub struct LaunchDot {
    /// Number within the cell.
    pub index: u32,
    /// Who listened.
    pub probe: ProbeMode,
    /// Operations per second; `None` when it failed.
    pub throughput_per_s: Option<f64>,
    /// Share of processor time stolen meanwhile.
    pub steal_share: Option<f64>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// Everything that a report says about one cell.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which of several runs it belongs to; 0 if nobody said.
    pub run: usize,
    /// Id of the cell.
    pub cell: String,
    /// Name in tables: id, arm, parameters.
    pub name: String,
    /// Permanent id of the implementation.
    pub implementation: String,
    /// Arm of an A/A pair, or empty.
    pub arm: String,
    /// Design, peer or floor.
    pub role: ImplementationRole,
    /// Whether its waits mean the same as those of threads.
    pub compare_waits: bool,
    /// Where the numbers come from.
    pub source: Source,
    /// The computer.
    pub fingerprint: Fingerprint,
    /// Hash of driver and probes.
    pub harness_hash: String,
    /// Name of the workload.
    pub workload: String,
    /// Name of the point.
    pub label: String,
    /// The point without its label and thread counts: cells that share it lie on one curve.
    pub curve_key: String,
    /// What the threads do, in words: `8 threads, 500 ns sections`.
    pub work: String,
    /// Number of workers.
    pub threads: usize,
    /// Names of the roles.
    pub roles: Vec<String>,
    /// The verdict of the checks.
    pub status: Status,
    /// Why it is not `ok`.
    pub reasons: Vec<String>,
    /// What ran it.
    pub engine: Option<String>,
    /// Every launch.
    pub launches: Vec<LaunchDot>,
    /// Operations per second of each plain launch.
    pub throughput_per_s: Option<Spread>,
    /// Processor time per operation of each plain launch, ns.
    pub cpu_ns_per_op: Option<Spread>,
    /// Jain's index over the workers' operations, plain launches.
    pub jain_workers: Option<Spread>,
    /// Workers that got no operation at all in some plain launch.
    pub starved_workers: Vec<usize>,
    /// Context switches that workers asked for, per operation, plain launches.
    pub voluntary_switches_per_op: Option<Spread>,
    /// Context switches that workers suffered, per operation, plain launches.
    pub involuntary_switches_per_op: Option<Spread>,
    /// The smallest overlap of any plain launch.
    pub overlap_min: Option<f64>,
    /// Cost of one uncontended operation, ns.
    pub uncontended_ns: Option<Spread>,
    /// Distributions of times, from probed launches.
    pub waits: Waits,
    /// What the probe explains; `None` without a probed launch.
    pub profile: Option<ProfileSummary>,
    /// Counters by name.
    pub counters: BTreeMap<String, Counter>,
    /// Phases of a schedule that has more than one.
    pub phases: Option<Phases>,
    /// Throughput under each probe over throughput without, at 95 %.
    pub probe_effect: Vec<(ProbeMode, stats::Ratio)>,
    /// What a reader must know beside the numbers: histograms that cannot be read, locks taken in contradicting orders.
    pub problems: Vec<String>,
}

/// Confidence of every interval unless another is asked for.
pub const CONFIDENCE: f64 = 0.95;

impl Summary {
    /// Summarises one record.
    pub fn of(record: &Record) -> Summary {
        let plain: Vec<&LaunchResult> = record.plain().collect();
        let probed: Vec<&LaunchResult> = record.probed().collect();
        let source = Source::of(&record.machine);
        let mut problems = Vec::new();
        let waits = Waits::of(record, &mut problems);
        problems.extend(inverted(&probed));
        Summary {
            run: 0,
            cell: record.cell.clone(),
            name: record.display_name(),
            implementation: record.implementation.clone(),
            arm: record.arm.clone(),
            role: record.role,
            compare_waits: record.compare_waits,
            fingerprint: record.fingerprint.clone(),
            harness_hash: record.tool.harness_hash.clone(),
            workload: record.point.workload.clone(),
            label: record.point.label.clone(),
            curve_key: curve_key(record),
            work: work::in_words(&record.point),
            threads: record.point.threads(),
            roles: record.point.roles.iter().map(|r| r.name.clone()).collect(),
            status: record.status,
            reasons: record.reasons.clone(),
            engine: record.launches.iter().find_map(|l| l.result.as_ref()).map(|r| r.engine.clone()),
            launches: record.launches.iter().map(dot).collect(),
            throughput_per_s: Spread::of(plain.iter().filter_map(|r| r.throughput_per_s())),
            cpu_ns_per_op: Spread::of(plain.iter().filter_map(|r| r.cpu_ns_per_op())),
            jain_workers: Spread::of(plain.iter().filter_map(|r| stats::jain(&r.ops_per_worker()))),
            starved_workers: starved(&plain),
            voluntary_switches_per_op: switches(&plain, |w| w.voluntary_switches),
            involuntary_switches_per_op: switches(&plain, |w| w.involuntary_switches),
            overlap_min: plain.iter().map(|r| r.overlap()).reduce(f64::min),
            uncontended_ns: Spread::of(plain.iter().filter_map(|r| r.uncontended_ns)),
            waits,
            profile: ProfileSummary::of(record, source.probe_tier()),
            counters: counters(&plain, &probed),
            phases: match record.point.schedule {
                Schedule::Steady => None,
                ref schedule => Phases::of(schedule, if plain.is_empty() { &probed } else { &plain }),
            },
            probe_effect: probe_effect(record),
            problems,
            source,
        }
    }

    /// Whether it may be ranked and compared.
    pub fn ranked(&self) -> bool {
        self.status == Status::Ok && self.throughput_per_s.is_some()
    }

    /// Its name as that of the same implementation without an arm.
    pub fn name_without_arm(&self) -> String {
        self.name.replacen(&format!(" ({})", self.arm), "", usize::from(!self.arm.is_empty()))
    }

    /// Wait percentiles over all roles, where they may stand beside those of threads.
    pub fn wait(&self) -> Option<&Percentiles> {
        self.waits.wait_all.as_ref().filter(|_| self.compare_waits)
    }
}

/// Summarises all records, on all cores.
pub fn summarise(records: &[Record]) -> Vec<Summary> {
    records.par_iter().map(Summary::of).collect()
}

fn dot(launch: &record::Launch) -> LaunchDot {
    LaunchDot {
        index: launch.index,
        probe: launch.probe,
        throughput_per_s: launch.result.as_ref().and_then(LaunchResult::throughput_per_s),
        steal_share: launch.environment.steal_share,
        failure: launch.failure.as_ref().map(|f| format!("{}: {}", f.kind.name(), f.detail)),
    }
}

fn per_op(result: &LaunchResult, count: Option<u64>) -> Option<f64> {
    (result.ops() > 0).then_some(count? as f64 / result.ops() as f64)
}

/// Context switches per operation that the scheduler's account covers, one value a launch.
fn switches(plain: &[&LaunchResult], count: impl Fn(&Worker) -> Option<u64>) -> Option<Spread> {
    Spread::of(plain.iter().filter_map(|result| {
        let workers = || result.slices.iter().flat_map(|s| &s.workers);
        let ops: u64 = workers().map(|w| w.ops_accounted).sum();
        let switches = workers().map(&count).sum::<Option<u64>>()?;
        (ops > 0).then(|| switches as f64 / ops as f64)
    }))
}

/// The inversions of lock order of the launch whose probe saw most.
fn inverted(probed: &[&LaunchResult]) -> Option<String> {
    let orders = probed.iter().filter_map(|result| result.profile.as_ref()?.lock_order.as_ref());
    let most = orders.max_by_key(|order| order.inversions.len() as u64 + order.omitted)?;
    Some(format!("lock order inverted, which may end in a deadlock: {}", most.inverted()?))
}

fn starved(plain: &[&LaunchResult]) -> Vec<usize> {
    let of_launch = |r: &&LaunchResult| {
        let ops = r.ops_per_worker();
        (0..ops.len()).filter(|&i| ops[i] == 0).collect::<Vec<_>>()
    };
    let mut workers: Vec<usize> = plain.iter().flat_map(of_launch).collect();
    workers.sort_unstable();
    workers.dedup();
    workers
}

/// The point as text without what differs along a throughput-against-threads curve.
fn curve_key(record: &Record) -> String {
    let mut point = record.point.clone();
    point.label.clear();
    for role in &mut point.roles {
        role.threads = 0;
    }
    serde_json::to_string(&point).unwrap_or_default()
}

/// Counters per operation: from plain launches if any has the counter, else from probed ones.
fn counters(plain: &[&LaunchResult], probed: &[&LaunchResult]) -> BTreeMap<String, Counter> {
    let mut names: Vec<&String> = plain.iter().chain(probed).flat_map(|r| r.counters.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let read = |name: &str, results: &[&LaunchResult]| -> Option<Counter> {
        let readings = results.iter().filter_map(|r| Some((*r, r.counters.get(name)?)));
        let mut present: Vec<(f64, Tier, Option<f64>)> = Vec::new();
        for (result, reading) in readings {
            if let Reading::Present { value, tier, running_share } = reading
                && let Some(value) = per_op(result, Some(*value))
            {
                present.push((value, *tier, *running_share));
            }
        }
        let tier = present.first()?.1;
        let shares = present.iter().filter_map(|p| p.2).reduce(f64::min);
        // Launches of one cell run alike; should a tier differ, only the first one's launches count.
        let per_op = Spread::of(present.iter().filter(|p| p.1 == tier).map(|p| p.0))?;
        Some(Counter::Present { per_op, tier, running_share: shares })
    };
    let reason = |name: &str| {
        let absent = plain.iter().chain(probed).filter_map(|r| r.counters.get(name)).find_map(|r| match r {
            Reading::Absent { absent } => Some(absent.clone()),
            Reading::Present { .. } => None,
        });
        Counter::Absent(absent.unwrap_or_else(|| "no operations to divide by".into()))
    };
    let find =
        |name: &String| read(name, plain).or_else(|| read(name, probed)).unwrap_or_else(|| reason(name));
    names.into_iter().map(|name| (name.clone(), find(name))).collect()
}

fn probe_effect(record: &Record) -> Vec<(ProbeMode, stats::Ratio)> {
    let of = |mode: ProbeMode| -> Vec<f64> {
        let launches = record.launches.iter().filter(|l| l.probe == mode);
        launches.filter_map(|l| l.result.as_ref()).filter_map(LaunchResult::throughput_per_s).collect()
    };
    let plain = of(ProbeMode::Off);
    [ProbeMode::Count, ProbeMode::Sample, ProbeMode::Full]
        .into_iter()
        .filter_map(|mode| Some((mode, stats::ratio(&plain, &of(mode), CONFIDENCE).ok()?)))
        .collect()
}
