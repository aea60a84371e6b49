//! The numbers that leave: one series for each cell and metric, one number for each launch.

use anyhow::{Context, Result};
use record::histogram::{Metric as Timed, empty};
use record::store::Loaded;
use record::{Launch, LaunchResult, ProbeMode, Record, Status, Tier};

use crate::stats;
use crate::summary::Source;

/// What a number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Operations a second, all workers together.
    Throughput,
    /// The measured span over the operations of all workers in it, ns: the inverse of throughput.
    TimePerOperation,
    /// Processor time for an operation, ns, by the scheduler's account.
    CpuPerOperation,
    /// Jain's index over the operations of the workers.
    Jain,
    /// Half of all waits are at most this, ns.
    WaitP50,
    /// 99 % are.
    WaitP99,
    /// 99.9 % are.
    WaitP999,
    /// The longest wait, ns.
    WaitMax,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 8] = [
        Metric::Throughput,
        Metric::TimePerOperation,
        Metric::CpuPerOperation,
        Metric::Jain,
        Metric::WaitP50,
        Metric::WaitP99,
        Metric::WaitP999,
        Metric::WaitMax,
    ];

    /// The name in exports: small letters and hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Throughput => "throughput",
            Metric::TimePerOperation => "time-per-op",
            Metric::CpuPerOperation => "cpu-per-op",
            Metric::Jain => "jain-index",
            Metric::WaitP50 => "wait-p50",
            Metric::WaitP99 => "wait-p99",
            Metric::WaitP999 => "wait-p99.9",
            Metric::WaitMax => "wait-max",
        }
    }

    /// The unit.
    pub const fn unit(self) -> &'static str {
        match self {
            Metric::Throughput => "op/s",
            Metric::TimePerOperation | Metric::CpuPerOperation => "ns/op",
            Metric::Jain => "ratio",
            Metric::WaitP50 | Metric::WaitP99 | Metric::WaitP999 | Metric::WaitMax => "ns",
        }
    }

    /// Whether more is better.
    pub const fn bigger_is_better(self) -> bool {
        matches!(self, Metric::Throughput | Metric::Jain)
    }

    /// The share of waits below it, of the percentiles of waits.
    const fn quantile(self) -> Option<f64> {
        match self {
            Metric::WaitP50 => Some(0.5),
            Metric::WaitP99 => Some(0.99),
            Metric::WaitP999 => Some(0.999),
            Metric::WaitMax => Some(1.0),
            _ => None,
        }
    }

    /// Where such a number of a measured cell comes from.
    fn tier(self, source: &Source) -> Tier {
        match (source, self) {
            (source, Metric::CpuPerOperation) => source.kernel_tier(),
            _ => source.probe_tier(),
        }
    }

    fn of_plain(self, result: &LaunchResult) -> Option<f64> {
        match self {
            Metric::Throughput => result.throughput_per_s(),
            Metric::TimePerOperation => {
                (result.ops() > 0).then(|| result.span_ns() as f64 / result.ops() as f64)
            }
            Metric::CpuPerOperation => result.cpu_ns_per_op(),
            Metric::Jain => stats::jain(&result.ops_per_worker()),
            _ => None,
        }
    }
}

/// A number of one launch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// The launch, within its cell.
    pub launch: u32,
    /// Who listened.
    pub probe: ProbeMode,
    /// The number.
    pub value: f64,
}

/// One metric of one cell.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    /// The cell.
    pub record: &'a Record,
    /// Of what.
    pub metric: Metric,
    /// Where the numbers come from.
    pub tier: Tier,
    /// One for each launch that knows it, in the order of the launches; never empty.
    pub numbers: Vec<Number>,
}

impl Series<'_> {
    /// Whether it may stand beside others to be compared: the cell is `ok`, and its waits are those of threads.
    pub fn ranked(&self) -> bool {
        self.record.status == Status::Ok && (self.metric.quantile().is_none() || self.record.compare_waits)
    }

    /// The middle of the launches.
    pub fn median(&self) -> f64 {
        stats::median(&self.values()).unwrap_or(f64::NAN)
    }

    /// The smallest and the largest launch.
    pub fn range(&self) -> (f64, f64) {
        let values = self.values();
        let of = |start: f64, pick: fn(f64, f64) -> f64| values.iter().copied().fold(start, pick);
        (of(f64::INFINITY, f64::min), of(f64::NEG_INFINITY, f64::max))
    }

    fn values(&self) -> Vec<f64> {
        self.numbers.iter().map(|number| number.value).collect()
    }
}

/// All series of a run, cell by cell.
///
/// # Errors
/// If a histogram is damaged.
pub fn series(run: &Loaded) -> Result<Vec<Series<'_>>> {
    let mut all = Vec::new();
    for record in &run.records {
        let source = Source::of(&record.machine);
        let timed = timed(record)?;
        for metric in Metric::ALL {
            let numbers: Vec<Number> = match metric.quantile() {
                Some(quantile) => timed
                    .iter()
                    .map(|(launch, waits)| number(launch, waits.value_at_quantile(quantile) as f64))
                    .collect(),
                None => plain(record)
                    .filter_map(|(launch, result)| Some(number(launch, metric.of_plain(result)?)))
                    .collect(),
            };
            if !numbers.is_empty() {
                all.push(Series { record, metric, tier: metric.tier(&source), numbers });
            }
        }
    }
    Ok(all)
}

fn number(launch: &Launch, value: f64) -> Number {
    Number { launch: launch.index, probe: launch.probe, value }
}

/// Launches that give ranked numbers, with their results.
pub(super) fn plain(record: &Record) -> impl Iterator<Item = (&Launch, &LaunchResult)> {
    let simulated = record::is_simulated(&record.machine);
    let launches = record.launches.iter().filter(move |launch| launch.probe == ProbeMode::Off || simulated);
    launches.filter_map(|launch| Some((launch, launch.result.as_ref()?)))
}

/// The waits of each launch of the closest probe that timed any, all roles together.
pub(super) fn timed(record: &Record) -> Result<Vec<(&Launch, hdrhistogram::Histogram<u64>)>> {
    let mut timed = Vec::new();
    for launch in &record.launches {
        let Some(result) = &launch.result else { continue };
        let mut waits = empty();
        for distribution in result.distributions.iter().filter(|d| d.metric == Timed::Wait) {
            let decoded = distribution.values.decode();
            let decoded =
                decoded.with_context(|| format!("cell {}, launch {}", record.cell, launch.index))?;
            waits.add(&decoded).map_err(|e| anyhow::anyhow!("cell {}: {e}", record.cell))?;
        }
        if !waits.is_empty() {
            timed.push((launch, waits));
        }
    }
    let closest = timed.iter().map(|(launch, _)| launch.probe).max();
    timed.retain(|(launch, _)| Some(launch.probe) == closest);
    Ok(timed)
}

/// What a cell is called in formats that know only names: `contended/t2/h0/mutex/mcs`, and before it
/// `simulated:opteron-48/` where a machine was simulated.
pub fn bench_name(record: &Record) -> String {
    let machine = match Source::of(&record.machine) {
        Source::Measured => String::new(),
        Source::Simulated(preset) => format!("simulated:{preset}/"),
    };
    format!("{machine}{}/{}", record.point.label, record.display_name())
}
