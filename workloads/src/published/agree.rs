//! Simulated against published: errors, crossovers, the naive ticket's cycles per waiter.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use impls::machine::sim::preset::Preset;
use impls::text::diagnose::{Error, Result, unknown};
use impls::text::reader::Source;
use rayon::prelude::*;
use record::validation::{
    Crossover, Experiment, KIND, NaiveTicket, PointAgreement, SeriesAgreement, SkippedSeries, VERSION,
    Validation,
};

use super::curves::{Bench, Curve, benches, read};
use super::{atomics, one_lock, order, preset_of};

/// Extra cycles of a hand-over for each more waiter of the naive ticket lock on the Opteron, by the paper.
const NAIVE_TICKET_OPTERON: f64 = 312.0;
/// The numbers of threads through which the naive ticket's line goes.
const NAIVE_TICKET_POINTS: usize = 8;
/// The series whose line it is.
const NAIVE_TICKET: &str = "NAIVE_TICKET";

/// Where the figure of one lock ends, millions of operations per second: one thread of the Opteron does more.
const ONE_LOCK_AXIS_MOPS: f64 = 8.0;

/// What is to be validated, and how.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Which experiment the curves are, if their series do not say.
    pub bench: Option<Bench>,
    /// Simulates every platform with this one.
    pub preset: Option<Preset>,
    /// Simulations of each point.
    pub seeds: u32,
}

/// A curve with all that its simulation needs.
struct Job {
    experiment: Experiment,
    bench: Bench,
    curve: Curve,
    /// Index into the presets.
    preset: usize,
}

/// What [`Plan::run`] will simulate.
pub struct Plan {
    seeds: u32,
    presets: Vec<Preset>,
    jobs: Vec<Job>,
    skipped: Vec<SkippedSeries>,
}

/// One simulation.
struct Task {
    bench: Bench,
    platform: String,
    series: String,
    preset: usize,
    threads: usize,
    seed: u64,
}

/// Reads curves and finds the machine and the experiment of each.
///
/// # Errors
/// One line that names file, line and column.
pub fn plan(sources: &[Source], asked: &Asked) -> Result<Plan> {
    let mut plan =
        Plan { seeds: asked.seeds.max(1), presets: Vec::new(), jobs: Vec::new(), skipped: Vec::new() };
    for source in sources {
        let curves = read(source)?;
        let benches = benches(&curves, asked.bench)?;
        for (curve, bench) in curves.curves.into_iter().zip(benches) {
            let preset = plan.preset(&curves.file, &curve, asked.preset.as_ref())?;
            plan.add(&curves.file, curve, bench, preset)?;
        }
    }
    Ok(plan)
}

impl Plan {
    /// The index of the preset of a curve.
    fn preset(&mut self, file: &str, curve: &Curve, given: Option<&Preset>) -> Result<usize> {
        let preset = match (given, preset_of(&curve.platform)) {
            (Some(given), _) => given.clone(),
            (None, Some(name)) => Preset::builtin(name)?,
            (None, None) => {
                let message = unknown("platform", &curve.platform, super::PLATFORMS);
                let message = format!("{message}; or --preset names the machine");
                return Err(Error::at(file, curve.line(), "platform", message));
            }
        };
        Ok(self.presets.iter().position(|known| *known == preset).unwrap_or_else(|| {
            self.presets.push(preset);
            self.presets.len() - 1
        }))
    }

    fn add(
        &mut self,
        file: &str,
        curve: Curve,
        bench: std::result::Result<Bench, String>,
        preset: usize,
    ) -> Result<()> {
        let machine = &self.presets[preset];
        if let Some(beyond) = curve.points.iter().find(|point| point.threads > machine.cores as usize) {
            let message = format!(
                "{} threads, and the preset `{}` has {} cores; expected at most one thread for each",
                beyond.threads, machine.name, machine.cores
            );
            return Err(Error::at(file, beyond.line, "threads", message));
        }
        let lacking = |bench: &Bench| match bench {
            Bench::Atomics => None,
            Bench::OneLock => one_lock::lacking(&curve.series),
        };
        let reason = match &bench {
            Err(reason) => Some(reason.clone()),
            Ok(bench) => lacking(bench).map(str::to_owned),
        };
        match (bench, reason) {
            (Ok(bench), None) => {
                let experiment = Experiment {
                    file: file.to_owned(),
                    platform: curve.platform.clone(),
                    preset: machine.name.clone(),
                    bench: bench.name().to_owned(),
                };
                self.jobs.push(Job { experiment, bench, curve, preset });
            }
            (_, reason) => self.skipped.push(SkippedSeries {
                file: file.to_owned(),
                platform: curve.platform,
                series: curve.series,
                reason: reason.unwrap_or_default(),
            }),
        }
        Ok(())
    }

    /// Simulates everything, as many points at a time as this computer has cores. `progress` is told how many
    /// simulations of how many are done.
    pub fn run(&self, progress: &(dyn Fn(usize, usize) + Sync)) -> Validation {
        let tickets = self.tickets();
        let points = self.jobs.iter().flat_map(|job| {
            job.curve.points.iter().map(move |point| (job, job.curve.series.as_str(), point.threads))
        });
        let points: Vec<_> =
            points.chain(tickets.iter().map(|&(job, threads)| (job, NAIVE_TICKET, threads))).collect();
        let tasks: Vec<Task> = points
            .iter()
            .flat_map(|&(job, series, threads)| {
                (1..=u64::from(self.seeds)).map(move |seed| Task {
                    bench: job.bench,
                    platform: job.experiment.platform.clone(),
                    series: series.to_owned(),
                    preset: job.preset,
                    threads,
                    seed,
                })
            })
            .collect();
        let done = AtomicUsize::new(0);
        let simulated: Vec<f64> = tasks
            .par_iter()
            .with_max_len(1)
            .map(|task| {
                let mops = self.simulate(task);
                // Relaxed: a number for people.
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, tasks.len());
                mops
            })
            .collect();
        // One entry for each point, in the order of `points`.
        let medians: Vec<Seeds> = simulated.chunks(self.seeds as usize).map(Seeds::of).collect();
        let (of_curves, of_tickets) = medians.split_at(medians.len() - tickets.len());
        self.judge(of_curves, &tickets, of_tickets)
    }

    fn simulate(&self, task: &Task) -> f64 {
        let preset = Rc::new(self.presets[task.preset].clone());
        let (series, threads, seed) = (task.series.as_str(), task.threads, task.seed);
        let mops = match task.bench {
            Bench::Atomics => atomics::mops(&preset, series, threads, seed),
            Bench::OneLock => one_lock::mops(&preset, &task.platform, series, threads, seed).ok(),
        };
        // Only series that exist were planned.
        mops.unwrap_or(f64::NAN)
    }

    /// The naive ticket on each machine that has lock curves: the first job that it belongs to, and numbers of threads.
    fn tickets(&self) -> Vec<(&Job, usize)> {
        let mut machines: Vec<&Job> = Vec::new();
        for job in self.jobs.iter().filter(|job| job.bench == Bench::OneLock) {
            let same = |known: &&Job| {
                known.preset == job.preset && known.experiment.platform == job.experiment.platform
            };
            if !machines.iter().any(same) {
                machines.push(job);
            }
        }
        let threads = |job: &Job| {
            let cores = self.presets[job.preset].cores as usize;
            let steps = 1..=NAIVE_TICKET_POINTS;
            let mut threads: Vec<usize> =
                steps.map(|step| cores * step / NAIVE_TICKET_POINTS).filter(|&threads| threads > 1).collect();
            threads.dedup();
            threads
        };
        machines.into_iter().flat_map(|job| threads(job).into_iter().map(move |n| (job, n))).collect()
    }

    fn judge(&self, of_curves: &[Seeds], tickets: &[(&Job, usize)], of_tickets: &[Seeds]) -> Validation {
        let mut rest = of_curves;
        let points: Vec<Vec<PointAgreement>> = self
            .jobs
            .iter()
            .map(|job| {
                let (own, others) = rest.split_at(job.curve.points.len());
                rest = others;
                job.points(own)
            })
            .collect();
        let series: Vec<SeriesAgreement> =
            self.jobs.iter().zip(&points).map(|(job, points)| job.agreement(points)).collect();
        let errors: Vec<f64> = series.iter().filter_map(|series| series.error).collect();
        Validation {
            kind: KIND.into(),
            version: VERSION,
            seeds: self.seeds,
            overall_error: mean(errors.iter().map(|error| error.ln())).map(f64::exp),
            series,
            crossovers: crossovers(&self.jobs, &points),
            points: points.concat(),
            skipped: self.skipped.clone(),
            naive_ticket: self.naive_tickets(tickets, of_tickets),
            limits: limits(),
        }
    }

    fn naive_tickets(&self, tickets: &[(&Job, usize)], medians: &[Seeds]) -> Vec<NaiveTicket> {
        let machine = |job: &Job| (job.experiment.platform.clone(), job.preset);
        let all: Vec<_> = tickets.iter().zip(medians).collect();
        all.chunk_by(|(a, _), (b, _)| machine(a.0) == machine(b.0))
            .filter_map(|chunk| {
                let job = chunk[0].0.0;
                let mhz = f64::from(self.presets[job.preset].clock_mhz);
                let hand_over_cycles: Vec<(usize, f64)> =
                    chunk.iter().map(|((_, threads), seeds)| (*threads, mhz / seeds.median)).collect();
                let published = job.experiment.platform == "Opteron";
                Some(NaiveTicket {
                    platform: job.experiment.platform.clone(),
                    preset: job.experiment.preset.clone(),
                    cycles_per_waiter: slope(&hand_over_cycles)?,
                    published_cycles_per_waiter: published.then_some(NAIVE_TICKET_OPTERON),
                    hand_over_cycles,
                })
            })
            .collect()
    }
}

impl Job {
    fn points(&self, simulated: &[Seeds]) -> Vec<PointAgreement> {
        let point = |(published, seeds): (&super::curves::Published, &Seeds)| PointAgreement {
            experiment: self.experiment.clone(),
            series: self.curve.series.clone(),
            threads: published.threads,
            published_mops: published.mops,
            simulated_mops: seeds.median,
            simulated_min_mops: seeds.min,
            simulated_max_mops: seeds.max,
            ratio: (published.mops > 0.0).then(|| seeds.median / published.mops),
            unscored: self.unscored(published.threads, published.mops).map(str::to_owned),
        };
        self.curve.points.iter().zip(simulated).map(point).collect()
    }

    fn unscored(&self, threads: usize, mops: f64) -> Option<&'static str> {
        if self.bench == Bench::OneLock && threads == 1 && mops >= ONE_LOCK_AXIS_MOPS {
            return Some("the figure is cut off below what one thread reaches");
        }
        (mops == 0.0).then_some("published as 0: too small for the figure")
    }

    fn agreement(&self, points: &[PointAgreement]) -> SeriesAgreement {
        let scored: Vec<(usize, f64)> = points.iter().filter_map(scored).map(|p| (p.0, p.1)).collect();
        let off = |ratio: f64| ratio.ln().abs();
        let worst = scored.iter().max_by(|a, b| off(a.1).total_cmp(&off(b.1)));
        SeriesAgreement {
            experiment: self.experiment.clone(),
            series: self.curve.series.clone(),
            error: mean(scored.iter().map(|&(_, ratio)| off(ratio))).map(f64::exp),
            scored: scored.len(),
            worst_threads: worst.map(|worst| worst.0),
            worst_ratio: worst.map(|worst| worst.1),
        }
    }
}

/// Threads, and simulated by published, of a point that counts.
fn scored(point: &PointAgreement) -> Option<(usize, f64)> {
    if point.unscored.is_some() { None } else { point.ratio.map(|ratio| (point.threads, ratio)) }
}

fn crossovers(jobs: &[Job], points: &[Vec<PointAgreement>]) -> Vec<Crossover> {
    let mut found = Vec::new();
    // How long the axis of a figure is, nobody tells. Some curve reaches its end.
    let axis = |job: &Job| {
        let same = jobs.iter().filter(|other| other.experiment == job.experiment);
        same.flat_map(|other| &other.curve.points).map(|point| point.mops).fold(0.0, f64::max)
    };
    for (index, (job, a)) in jobs.iter().zip(points).enumerate() {
        for (other, b) in jobs.iter().zip(points).skip(index + 1) {
            if other.experiment != job.experiment {
                continue;
            }
            let names = (job.curve.series.as_str(), other.curve.series.as_str());
            let pairs = || {
                let counted = a.iter().filter(|point| scored(point).is_some());
                counted.filter_map(|a| {
                    Some((a, b.iter().find(|b| b.threads == a.threads && scored(b).is_some())?))
                })
            };
            let published: Vec<_> =
                pairs().map(|(a, b)| (a.threads, a.published_mops, b.published_mops)).collect();
            let simulated: Vec<_> =
                pairs().map(|(a, b)| (a.threads, a.simulated_mops, b.simulated_mops)).collect();
            let (published, simulated) =
                (order::order(names, &published, axis(job)), order::order(names, &simulated, axis(job)));
            found.push(Crossover {
                experiment: job.experiment.clone(),
                a: names.0.to_owned(),
                b: names.1.to_owned(),
                ratio: order::ratio(&published, &simulated),
                published,
                simulated,
            });
        }
    }
    found
}

fn limits() -> Vec<String> {
    [
        "It is a model: believe who is far ahead and whether a curve collapses. Absolute values are right within a factor \
         of about 1.5 at best, and crossovers as often as counted here.",
        "The machines of these curves are of about 2010, and the knobs of the model were set with those of the Opteron in \
         view; presets of newer machines are predictions that no curve has checked.",
    ]
    .map(str::to_owned)
    .into()
}

/// What the seeds of one point gave.
#[derive(Clone, Copy, Debug)]
struct Seeds {
    median: f64,
    min: f64,
    max: f64,
}

impl Seeds {
    /// Of at least one.
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Self { median: f64::midpoint(low, high), min: sorted[0], max: sorted[sorted.len() - 1] }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

/// Slope of the straight line through points by least squares; `None` of fewer than two.
fn slope(points: &[(usize, f64)]) -> Option<f64> {
    let x_mean = mean(points.iter().map(|point| point.0 as f64))?;
    let y_mean = mean(points.iter().map(|point| point.1))?;
    let both: f64 = points.iter().map(|&(x, y)| (x as f64 - x_mean) * (y - y_mean)).sum();
    let square: f64 = points.iter().map(|&(x, _)| (x as f64 - x_mean).powi(2)).sum();
    (square > 0.0).then(|| both / square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_right() {
        let seeds = Seeds::of(&[3.0, 1.0, 2.0, 10.0]);
        assert_eq!((seeds.median, seeds.min, seeds.max), (2.5, 1.0, 10.0));
        assert_eq!(slope(&[(2, 10.0), (4, 14.0), (6, 18.0)]), Some(2.0));
        assert_eq!(slope(&[(2, 10.0)]), None);
    }

    fn planned(rows: &str, preset: Option<&str>) -> Result<Plan> {
        let asked =
            Asked { preset: preset.map(|name| Preset::builtin(name).unwrap()), seeds: 2, bench: None };
        plan(&[Source::new("my.csv", format!("platform,series,threads,mops\n{rows}"))], &asked)
    }

    #[test]
    fn machines_are_found_or_named() {
        let error = |rows| planned(rows, None).err().map(|error| error.to_string()).unwrap_or_default();
        let text = error("Opteron,MCS,2,1\nOpetron,MCS,3,1");
        assert!(text.starts_with("my.csv:3: platform:") && text.contains("`Opteron`"), "{text}");
        assert!(
            error("Tilera,MCS,36,1\nTilera,MCS,37,1").starts_with("my.csv:3: threads: 37 threads"),
            "36 cores"
        );
        assert!(planned("Mine,MCS,2,1", Some("laptop-8")).is_ok());
    }

    #[test]
    fn errors_come_from_scored_points_alone() {
        let rows = "Opteron,MCS,1,8\nOpteron,MCS,2,2\nOpteron,HCLH,2,1\nOpteron,MCS,4,0";
        let plan = planned(rows, None).unwrap();
        let told = AtomicUsize::new(0);
        let found = plan.run(&|done, of| {
            told.fetch_max(done, Ordering::Relaxed);
            assert!(done <= of);
        });
        // Two seeds of three points and of the naive ticket's eight.
        assert_eq!(told.load(Ordering::Relaxed), 22);
        assert_eq!(found.skipped.len(), 1);
        let [series] = &found.series[..] else { panic!("{:?}", found.series) };
        let off = (found.points[1].simulated_mops / 2.0).ln().abs().exp();
        assert_eq!((series.scored, series.worst_threads), (1, Some(2)));
        assert!((series.error.unwrap() - off).abs() < 1e-12 && found.overall_error == series.error);
        assert!(found.points[0].unscored.is_some() && found.points[2].unscored.is_some());
        assert_eq!(found, plan.run(&|_, _| ()), "the same seeds, the same result");
        assert_eq!(found.naive_ticket[0].hand_over_cycles.len(), 8);
    }
}
