//! Distributions of times from probed launches: merged for display, kept apart for comparison.

use hdrhistogram::Histogram;
use record::histogram::{self, Metric};
use record::{LaunchResult, ProbeMode, Record};

/// The quantiles of a percentile curve, as 1 - 1/x for x from 1 to 10^7, twelve a decade.
const CURVE_STEPS_PER_DECADE: u32 = 12;
const CURVE_DECADES: u32 = 7;

/// Percentiles of one distribution, ns.
#[derive(Clone, Debug, PartialEq)]
pub struct Percentiles {
    /// Values recorded.
    pub count: u64,
    /// Mean.
    pub mean_ns: f64,
    /// Half are at most this.
    pub p50_ns: u64,
    /// 90 %.
    pub p90_ns: u64,
    /// 99 %.
    pub p99_ns: u64,
    /// 99.9 %.
    pub p999_ns: u64,
    /// The longest. Where sampling timed few operations, of those.
    pub max_ns: u64,
    /// `(1 / (1 - quantile), ns)`, as far as the count supports it: the percentile plot.
    pub curve: Vec<(f64, u64)>,
    /// `(number, count)` of each bin that holds a value, ascending: bin k holds values from 10^(k / 10) to
    /// 10^((k + 1) / 10) ns.
    pub bins: Vec<(u32, u64)>,
}

/// Bins of a decade in [`Percentiles::bins`].
pub const BINS_PER_DECADE: u32 = 10;

impl Percentiles {
    /// `None` of an empty histogram.
    fn of(histogram: &Histogram<u64>) -> Option<Percentiles> {
        if histogram.is_empty() {
            return None;
        }
        let at = |q| histogram.value_at_quantile(q);
        let mut curve = Vec::new();
        for step in 0..=CURVE_STEPS_PER_DECADE * CURVE_DECADES {
            let inverse = 10f64.powf(f64::from(step) / f64::from(CURVE_STEPS_PER_DECADE));
            // Beyond one event in `count` there is only the maximum.
            if inverse > histogram.len() as f64 {
                break;
            }
            curve.push((inverse, at(1.0 - 1.0 / inverse)));
        }
        Some(Percentiles {
            count: histogram.len(),
            mean_ns: histogram.mean(),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: histogram.max(),
            curve,
            bins: bins(histogram),
        })
    }
}

fn bins(histogram: &Histogram<u64>) -> Vec<(u32, u64)> {
    let mut bins: Vec<(u32, u64)> = Vec::new();
    for recorded in histogram.iter_recorded() {
        // The upper end of what a histogram holds for equal may lie in the next bin.
        let value = histogram.lowest_equivalent(recorded.value_iterated_to()).max(1) as f64;
        let number = (value.log10() * f64::from(BINS_PER_DECADE) + 1e-9) as u32;
        let count = recorded.count_at_value();
        match bins.last_mut() {
            Some((last, sum)) if *last == number => *sum += count,
            _ => bins.push((number, count)),
        }
    }
    bins
}

/// All distributions of a cell.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    /// Waits of all roles together.
    pub wait_all: Option<Percentiles>,
    /// Waits by role, in the order of the point.
    pub wait_by_role: Vec<Option<Percentiles>>,
    /// Holds of all roles together.
    pub hold_all: Option<Percentiles>,
    /// Holds by role.
    pub hold_by_role: Vec<Option<Percentiles>>,
    /// From a waker's decision to running.
    pub wake_all: Option<Percentiles>,
    /// The probe that timed them: the closest one that was used; launches of lesser ones are left out.
    pub probe: Option<ProbeMode>,
    /// p99 of the wait of each launch, ns, and how many operations lie beyond it: for comparisons.
    pub p99_by_launch: Vec<(f64, u64)>,
    /// p99.9 of the wait of each launch, ns.
    pub p999_by_launch: Vec<f64>,
    /// The longest wait of each launch by role, ns.
    pub longest_by_launch: Vec<Vec<Option<u64>>>,
}

impl Waits {
    /// From the launches of the closest probe that timed anything.
    pub(crate) fn of(record: &Record, problems: &mut Vec<String>) -> Waits {
        let timed = |mode: ProbeMode| -> Vec<(u32, &LaunchResult)> {
            let launches = record.launches.iter().filter(|l| l.probe == mode);
            launches
                .filter_map(|l| Some((l.index, l.result.as_ref()?)))
                .filter(|(_, r)| !r.distributions.is_empty())
                .collect()
        };
        let modes = [ProbeMode::Full, ProbeMode::Sample, ProbeMode::Count, ProbeMode::Off];
        let Some((mode, launches)) =
            modes.into_iter().map(|m| (m, timed(m))).find(|(_, launches)| !launches.is_empty())
        else {
            return Waits::default();
        };
        let roles = record.point.roles.len();
        let mut merged: Vec<(Metric, Vec<Histogram<u64>>)> = [Metric::Wait, Metric::Hold, Metric::Wake]
            .into_iter()
            .filter(|m| launches.iter().any(|(_, r)| r.distributions.iter().any(|d| d.metric == *m)))
            .map(|m| (m, vec![histogram::empty(); roles]))
            .collect();
        let (mut p99_by_launch, mut p999_by_launch) = (Vec::new(), Vec::new());
        let mut longest_by_launch = Vec::new();
        for (index, result) in &launches {
            let mut waits = histogram::empty();
            let mut longest: Vec<Option<u64>> = vec![None; roles];
            for distribution in &result.distributions {
                let name = distribution.metric.name();
                let values = match distribution.values.decode() {
                    Ok(values) => values,
                    Err(error) => {
                        problems.push(format!("launch {index}, {name}: {error:#}"));
                        continue;
                    }
                };
                let of_metric = merged.iter_mut().find(|(m, _)| *m == distribution.metric);
                let Some(target) = of_metric.and_then(|(_, by_role)| by_role.get_mut(distribution.role))
                else {
                    problems
                        .push(format!("launch {index}, {name}: the point has no role {}", distribution.role));
                    continue;
                };
                if target.add(&values).is_err() {
                    problems.push(format!("launch {index}, {name}: holds a time above an hour"));
                }
                if distribution.metric == Metric::Wait {
                    longest[distribution.role] = (!values.is_empty()).then(|| values.max());
                    // What does not fit has been reported just now.
                    let _ = waits.add(&values);
                }
            }
            if !waits.is_empty() {
                let p99 = waits.value_at_quantile(0.99);
                p99_by_launch.push((p99 as f64, waits.len() / 100));
                p999_by_launch.push(waits.value_at_quantile(0.999) as f64);
            }
            let exact = result.profile.iter().flat_map(|p| &p.wait_ns_max);
            for (longest, ns) in longest.iter_mut().zip(exact).filter(|(_, ns)| **ns > 0) {
                *longest = Some(*ns);
            }
            longest_by_launch.push(longest);
        }
        let by_role = |metric: Metric| -> Vec<Option<Percentiles>> {
            let of_metric = merged.iter().find(|(m, _)| *m == metric);
            of_metric.map_or_else(Vec::new, |(_, h)| h.iter().map(Percentiles::of).collect())
        };
        let all = |metric: Metric| -> Option<Percentiles> {
            let (_, histograms) = merged.iter().find(|(m, _)| *m == metric)?;
            match histograms.as_slice() {
                [one] => Percentiles::of(one),
                several => {
                    let mut sum = histogram::empty();
                    several.iter().try_for_each(|h| sum.add(h)).ok()?;
                    Percentiles::of(&sum)
                }
            }
        };
        let mut waits = Waits {
            wait_all: all(Metric::Wait),
            wait_by_role: by_role(Metric::Wait),
            hold_all: all(Metric::Hold),
            hold_by_role: by_role(Metric::Hold),
            wake_all: all(Metric::Wake),
            probe: Some(mode),
            p99_by_launch,
            p999_by_launch,
            longest_by_launch,
        };
        waits.sharpen_longest();
        waits
    }

    /// Histograms round up; the profile keeps the longest waits to the ns.
    fn sharpen_longest(&mut self) {
        let mut overall = None;
        for (role, percentiles) in self.wait_by_role.iter_mut().enumerate() {
            let longest = self.longest_by_launch.iter().filter_map(|launch| launch[role]).max();
            if let (Some(percentiles), Some(ns)) = (percentiles, longest) {
                percentiles.max_ns = ns;
                overall = overall.max(Some(ns));
            }
        }
        if let (Some(all), Some(ns)) = (&mut self.wait_all, overall) {
            all.max_ns = ns;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_every_value_once() {
        let mut histogram = histogram::empty();
        for (value, count) in [(1, 3), (99, 5), (100, 7), (125, 1), (126, 2), (11_000_000, 4)] {
            histogram.saturating_record_n(value, count);
        }
        let bins = Percentiles::of(&histogram).unwrap().bins;
        assert_eq!(bins, [(0, 3), (19, 5), (20, 8), (21, 2), (70, 4)]);
    }
}
