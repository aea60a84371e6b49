//! Launches of two arms in paired blocks, as plain data: what is kept of a launch, and the differences that blocks give.
//!
//! A block holds two plain launches of each arm, in the order ABBA or BAAB, and perhaps one probed launch of each. Its
//! difference is the mean of the logarithms of the candidate's launches less the mean of the baseline's. What drifts
//! slowly falls on both arms alike; what belongs to a launch (the place of the lock, the pattern in which its threads
//! settle) is drawn anew for each, and so is noise between blocks and not a difference.

use record::LaunchResult;
use record::histogram::{self, Metric as Distributed};
use serde::{Deserialize, Serialize};

use super::Metric;
use crate::compare::TAIL_EVENTS_MIN;
use crate::stats;

/// What a verdict needs of one launch. The numbers are medians over its slices, so that one disturbed slice is not a
/// slow launch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Operations per second.
    pub throughput_per_s: Option<f64>,
    /// Processor time per operation, ns.
    pub cpu_ns_per_op: Option<f64>,
    /// Jain's index over workers.
    pub jain: Option<f64>,
    /// 99th percentile of the wait over all slices, ns, and the events beyond it; of probed launches.
    pub wait_p99: Option<(f64, u64)>,
    /// Share of the time in which all workers ran.
    pub overlap: f64,
    /// Share of processor time that the hypervisor gave to others meanwhile.
    pub steal_share: Option<f64>,
    /// The fixed work right before it, ns.
    pub calibration_ns: Option<f64>,
    /// Operations per second of each slice, where they are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices_per_s: Vec<f64>,
}

impl Taken {
    /// From the answer of a launch.
    pub fn of(result: &LaunchResult) -> Taken {
        let rate = |slice: &record::Slice| slice.ops() as f64 * 1e9 / slice.span_ns().max(1) as f64;
        let slices_per_s: Vec<f64> = result.slices.iter().map(rate).collect();
        let cpu = |slice: &record::Slice| {
            let cpu_ns = slice.workers.iter().map(|w| w.cpu_ns).sum::<Option<u64>>()?;
            let ops: u64 = slice.workers.iter().map(|w| w.ops_accounted).sum();
            (ops > 0).then(|| cpu_ns as f64 / ops as f64)
        };
        let cpu: Vec<f64> = result.slices.iter().filter_map(cpu).collect();
        let jain = |slice: &record::Slice| {
            stats::jain(&slice.workers.iter().map(|worker| worker.ops).collect::<Vec<_>>())
        };
        let jain: Vec<f64> = result.slices.iter().filter_map(jain).collect();
        Taken {
            throughput_per_s: stats::median(&slices_per_s),
            cpu_ns_per_op: stats::median(&cpu),
            jain: stats::median(&jain),
            wait_p99: wait_p99(result),
            overlap: result.overlap(),
            steal_share: None,
            calibration_ns: None,
            slices_per_s,
        }
    }

    fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Throughput => self.throughput_per_s,
            Metric::CpuPerOp => self.cpu_ns_per_op,
            Metric::Jain => self.jain,
            Metric::WaitP99 => self.wait_p99.map(|(ns, _)| ns),
            Metric::CyclesPerOp | Metric::InstructionsPerOp => None,
        }
    }
}

/// 99th percentile of the waits of all roles, and how many lie beyond.
fn wait_p99(result: &LaunchResult) -> Option<(f64, u64)> {
    let mut waits = histogram::empty();
    for distribution in result.distributions.iter().filter(|d| d.metric == Distributed::Wait) {
        waits.add(distribution.values.decode().ok()?).ok()?;
    }
    (!waits.is_empty()).then(|| (waits.value_at_quantile(0.99) as f64, waits.len() / 100))
}

/// One block of one pair of arms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// The order of the plain launches: `ABBA` or `BAAB`, A being the baseline.
    pub order: String,
    /// Plain launches of the baseline, in the order in which they were made.
    pub baseline: Vec<Taken>,
    /// Plain launches of the candidate.
    pub candidate: Vec<Taken>,
    /// The probed launch of the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_probed: Option<Taken>,
    /// The probed launch of the candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate_probed: Option<Taken>,
    /// How often it was made before, and thrown away whole because other programs took the cores.
    #[serde(default)]
    pub repeated: u32,
    /// How long it took, s.
    #[serde(default)]
    pub took_s: f64,
}

impl Block {
    /// The launches of both arms that this metric comes from.
    fn sides(&self, metric: Metric) -> (Vec<&Taken>, Vec<&Taken>) {
        match metric {
            Metric::WaitP99 => {
                (self.baseline_probed.iter().collect(), self.candidate_probed.iter().collect())
            }
            _ => (self.baseline.iter().collect(), self.candidate.iter().collect()),
        }
    }

    /// Every launch.
    pub fn launches(&self) -> impl Iterator<Item = &Taken> {
        let plain = self.baseline.iter().chain(&self.candidate);
        plain.chain(&self.baseline_probed).chain(&self.candidate_probed)
    }
}

/// What the blocks of one pair say of one metric, on the logarithmic scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// Candidate less baseline, block by block.
    pub paired: Vec<f64>,
    /// Differences of the same spread that must be nothing but noise, from launches of the baseline alone.
    pub own: Vec<f64>,
    /// Median of the baseline's launches, in the metric's unit.
    pub baseline: f64,
    /// Median of the candidate's.
    pub candidate: f64,
}

/// The differences of `blocks`. The error says in a sentence why there are none.
pub fn differences(blocks: &[Block], metric: Metric) -> Result<Differences, String> {
    let mut found = Differences { paired: Vec::new(), own: Vec::new(), baseline: 0.0, candidate: 0.0 };
    let (mut values_a, mut values_b) = (Vec::new(), Vec::new());
    for block in blocks {
        let (a, b) = block.sides(metric);
        let (a, b) = (logarithms(&a, metric)?, logarithms(&b, metric)?);
        if a.is_empty() || b.is_empty() {
            return Err(match metric {
                Metric::WaitP99 => "no probed launch".to_owned(),
                _ => "no launch".to_owned(),
            });
        }
        found.paired.push(mean(&b) - mean(&a));
        if let [first, second] = a[..] {
            // One launch against one: twice the variance of two against two.
            found.own.push((first - second) / std::f64::consts::SQRT_2);
        }
        values_a.extend(a);
        values_b.extend(b);
    }
    if found.own.is_empty() {
        // One launch of each arm in a block: neighbours of one arm differ as the two of a block do.
        found.own = values_a.windows(2).map(|pair| pair[1] - pair[0]).collect();
    }
    let middle = |values: &[f64]| stats::median(values).map(f64::exp).ok_or("no block was made");
    (found.baseline, found.candidate) = (middle(&values_a)?, middle(&values_b)?);
    Ok(found)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn logarithms(launches: &[&Taken], metric: Metric) -> Result<Vec<f64>, String> {
    let one = |taken: &&Taken| {
        let value = taken.value(metric).ok_or_else(|| match metric {
            Metric::CpuPerOp => "a launch has no account of processor time".to_owned(),
            Metric::Jain => "no worker operated in a launch: no index".to_owned(),
            _ => format!("a launch has no {}", metric.name()),
        })?;
        if !value.is_finite() || value <= 0.0 {
            return Err(format!("the {} of a launch is {value}: it has no ratio", metric.name()));
        }
        Ok(value.ln())
    };
    launches.iter().map(one).collect()
}

/// The least number of events beyond p99 in any launch, if that is too few for a verdict.
pub fn short_tail(blocks: &[Block]) -> Option<u64> {
    let probed = blocks.iter().flat_map(|b| b.baseline_probed.iter().chain(&b.candidate_probed));
    let least = probed.filter_map(|taken| taken.wait_p99).map(|(_, events)| events).min()?;
    (least < TAIL_EVENTS_MIN).then_some(least)
}
