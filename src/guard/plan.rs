//! Which cells a job measures, on which two programs, with which controls, and how long that takes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use impls::machine::os::{cores_allowed, cpus_allowed};
use record::{PlannedCell, ProbeMode};
use reports::guard::Metric;
use reports::guard::judge::{Rule, confirm_blocks, screen_blocks, smallest_p};
use workloads::pattern::Pattern;
use workloads::{Count, Overrides, Suite};

use super::arms::Implementation;
use super::pairs::{Arm, Pair};
use crate::Observatory;
use crate::args::GuardArgs;
use crate::runner::child::Program;

/// The suite of a call that names none.
const DEFAULT_SUITE: &str = "guard";
/// One cell of so many is measured against itself besides.
const CELLS_PER_CONTROL: usize = 4;
/// Shortest slice that `--seconds` may lead to, in ns.
const SLICE_NS_MIN: f64 = 100_000.0;

/// One side of a job.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    /// The program.
    pub(crate) program: PathBuf,
    /// Ids of what it can launch.
    pub(crate) ids: Vec<String>,
    /// What it runs in place of each cell's implementation.
    pub(crate) implementation: Option<Implementation>,
}

/// A cell of a job.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The two arms.
    pub(crate) pair: Pair,
    /// What is judged.
    pub(crate) metrics: Vec<Metric>,
}

impl Cell {
    /// Id of the implementation on the candidate's side.
    pub(crate) fn implementation(&self) -> &str {
        &self.pair.candidate.cell.implementation
    }

    /// Name of the point.
    pub(crate) fn label(&self) -> &str {
        &self.pair.candidate.cell.point.label
    }
}

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Cells, baseline against candidate.
    pub(crate) cells: Vec<Cell>,
    /// Cells, baseline against a copy of itself.
    pub(crate) controls: Vec<Cell>,
    /// Fresh blocks that decide; `None`: as many as the rows need.
    pub(crate) blocks: Option<u32>,
    /// What the reader must know of the choice.
    pub(crate) notes: Vec<String>,
}

/// Plans a job. `copy` is a copy of the baseline's program, for the controls.
pub(crate) fn plan(
    observatory: &Observatory,
    args: &GuardArgs,
    baseline: &Party,
    candidate: &Party,
    copy: &Path,
) -> Result<Job> {
    let suite = match &args.file {
        Some(file) => Suite::load(file)?,
        None => Suite::embedded(args.suite.as_deref().unwrap_or(DEFAULT_SUITE))?,
    };
    let overrides = Overrides {
        filter: args.filter.clone(),
        implementations: implementations(observatory, args, candidate)?,
        threads: args.threads.as_deref().map(|text| Count::list("--threads", text)).transpose()?,
        allowed_cpus: cpus_allowed(),
        params_of: Some(observatory.params()),
        ..Overrides::default()
    };
    let ids: Vec<&str> = candidate.ids.iter().map(String::as_str).collect();
    let mut planned = suite.cells(&ids, cores_allowed(), &overrides)?;
    planned.retain(|cell| cell.arm.is_empty() && !cell.implementation.ends_with("/empty"));
    ensure!(!planned.is_empty(), "suite {}: no cell is left to judge", suite.name);
    let mut job = Job { cells: Vec::new(), controls: Vec::new(), blocks: args.blocks, notes: Vec::new() };
    let mut lacking: Vec<String> = Vec::new();
    for cell in planned {
        let of = baseline.implementation.as_ref().map_or(&cell.implementation, |named| &named.id);
        if !baseline.ids.contains(of) {
            lacking.push(cell.implementation);
            continue;
        }
        job.cells.push(Cell::new(observatory, cell, baseline, candidate)?);
    }
    lacking.dedup();
    if !lacking.is_empty() {
        job.notes.push(format!("only in the candidate, so not judged: {}", lacking.join(", ")));
    }
    ensure!(!job.cells.is_empty(), "the baseline has none of the implementations: {}", lacking.join(", "));
    let copied = Party { program: copy.to_owned(), ..baseline.clone() };
    let count = job.cells.len().div_ceil(CELLS_PER_CONTROL);
    for place in 0..count {
        let mut cell = job.cells[place * job.cells.len() / count].pair.candidate.cell.clone();
        cell.params.clear();
        job.controls.push(Cell::new(observatory, cell, baseline, &copied)?);
    }
    if let Some(seconds) = args.seconds {
        job.fill(seconds)?;
    }
    job.notes.extend(job.on_one_core());
    Ok(job)
}

/// The implementations in place of the suite's.
pub(crate) fn implementations(
    observatory: &Observatory,
    args: &GuardArgs,
    candidate: &Party,
) -> Result<Vec<Pattern>> {
    let glob = |text: &str| Pattern::new(text).map_err(|message| anyhow::anyhow!("--impl {text}: {message}"));
    if let Some(named) = &candidate.implementation {
        ensure!(
            args.implementations.is_empty(),
            "--impl: the implementations are named by --baseline and --candidate"
        );
        return Ok(vec![glob(&named.id)?]);
    }
    if args.implementations.is_empty() && args.file.is_none() && args.suite.is_none() {
        return observatory.own_ids().iter().map(|id| glob(id)).collect();
    }
    args.implementations.iter().map(|text| glob(text)).collect()
}

impl Cell {
    fn new(
        observatory: &Observatory,
        mut cell: PlannedCell,
        baseline: &Party,
        candidate: &Party,
    ) -> Result<Cell> {
        // Blocks say how often.
        cell.launches = vec![ProbeMode::Off];
        let threads = cell.point.threads();
        // Nobody waits for a thread that is alone, and it shares with nobody.
        let metrics: &[Metric] = match threads {
            1 => &[Metric::Throughput, Metric::CpuPerOp],
            _ => &[Metric::Throughput, Metric::CpuPerOp, Metric::WaitP99, Metric::Jain],
        };
        let arm = |party: &Party| -> Result<Arm> {
            let mut cell = cell.clone();
            if let Some(named) = &party.implementation {
                (cell.implementation, cell.params) = (named.id.clone(), named.params.clone());
            }
            let program = match observatory.engine(&cell.implementation) {
                Some(engine) if observatory.entry(&cell.implementation).is_none() => {
                    Program::engine(engine.ready()?)
                }
                _ => Program::own(&party.program),
            };
            Ok(Arm { program, cell, tuned_shape: false })
        };
        let (mut baseline, mut candidate) = (arm(baseline)?, arm(candidate)?);
        let tuned = [&baseline, &candidate].iter().any(|arm| !arm.cell.params.is_empty());
        // One shape on both sides: else the shape would be a part of the difference.
        (baseline.tuned_shape, candidate.tuned_shape) = (tuned, tuned);
        let compares = |arm: &Arm| observatory.waits_compare(&arm.cell.implementation);
        let waits = threads > 1 && compares(&baseline) && compares(&candidate);
        Ok(Cell {
            pair: Pair {
                name: format!("{} {}", candidate.cell.implementation, cell.point.label),
                probe: waits.then_some(ProbeMode::Full),
                baseline,
                candidate,
            },
            metrics: metrics.iter().copied().filter(|m| waits || *m != Metric::WaitP99).collect(),
        })
    }
}

impl Job {
    /// Rows that it may have.
    pub(crate) fn rows(&self) -> usize {
        self.cells.iter().map(|cell| cell.metrics.len()).sum()
    }

    /// Blocks that decide on each row, should all of them need a confirmation.
    pub(crate) fn blocks_at_most(&self) -> u32 {
        self.blocks.unwrap_or_else(|| confirm_blocks(self.rows(), Rule::default().alpha))
    }

    /// Blocks that tell which rows need a confirmation.
    pub(crate) fn screen_blocks(&self) -> u32 {
        screen_blocks(self.blocks)
    }

    /// One block of everything.
    fn round(&self) -> Duration {
        self.cells.iter().chain(&self.controls).map(|cell| cell.pair.expected()).sum()
    }

    /// The time of the screening, and the time if every row needs a confirmation.
    pub(crate) fn expected(&self) -> (Duration, Duration) {
        let round = self.round();
        (round * self.screen_blocks(), round * (self.screen_blocks() + self.blocks_at_most()))
    }

    /// Stretches all slices by one factor, so that the whole takes `seconds` at most.
    fn fill(&mut self, seconds: f64) -> Result<()> {
        let all = |job: &mut Job, change: &dyn Fn(&mut PlannedCell)| {
            for cell in job.cells.iter_mut().chain(&mut job.controls) {
                change(&mut cell.pair.baseline.cell);
                change(&mut cell.pair.candidate.cell);
            }
        };
        let mut bare = self.clone();
        all(&mut bare, &|cell| (cell.slice_ns, cell.warmup_ns) = (0, 0));
        let (fixed, whole) = (bare.expected().1.as_secs_f64(), self.expected().1.as_secs_f64());
        let factor = (seconds - fixed) / (whole - fixed);
        let shortest =
            self.cells.iter().map(|cell| cell.pair.candidate.cell.slice_ns).min().unwrap_or(1) as f64;
        if !factor.is_finite() || factor * shortest < SLICE_NS_MIN {
            let least = fixed + (whole - fixed) * SLICE_NS_MIN / shortest;
            bail!(
                "--seconds {seconds}: {} cells and {} controls need at least {least:.0} s: allow more, or use --filter",
                self.cells.len(),
                self.controls.len()
            );
        }
        ensure!(factor * shortest < 60e9, "--seconds {seconds}: slices would be longer than a minute");
        all(self, &|cell| {
            cell.slice_ns = (cell.slice_ns as f64 * factor) as u64;
            cell.warmup_ns = (cell.warmup_ns as f64 * factor) as u64;
        });
        Ok(())
    }

    /// What to know before anything is measured.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.too_few_blocks().into_iter().chain(self.on_one_core()).collect()
    }

    fn on_one_core(&self) -> Option<String> {
        let contended = self.cells.iter().any(|cell| cell.pair.candidate.cell.point.threads() > 1);
        (cores_allowed() < 2 && contended).then(|| {
            "this computer gives one core: contended cells measure how threads share it, and nothing of how locks pass \
             between cores"
                .to_owned()
        })
    }

    /// What the blocks can reach, if that is not what a verdict needs, with the time that it would take.
    fn too_few_blocks(&self) -> Option<String> {
        let (asked, alpha) = (self.blocks?, Rule::default().alpha);
        let (least, rows) = (smallest_p(asked, self.rows()), self.rows());
        let needed = confirm_blocks(rows, alpha);
        (least > alpha).then(|| {
            let seconds = (self.round() * (self.screen_blocks() + needed)).as_secs_f64();
            format!(
                "{asked} blocks reach p = {least:.3} at best, should all {rows} rows need a confirmation; a verdict at \
                 {:.0} % then takes {needed} blocks, about {seconds:.0} s",
                alpha * 100.0
            )
        })
    }

    /// The plan in words.
    pub(crate) fn described(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{:<58} {:>9} {:>9} {:>9}  metrics", "cell", "slices", "slice", "block");
        for (cell, kind) in
            self.cells.iter().map(|c| (c, "")).chain(self.controls.iter().map(|c| (c, " (A/A)")))
        {
            let planned = &cell.pair.candidate.cell;
            let metrics: Vec<&str> = cell.metrics.iter().map(|metric| metric.name()).collect();
            let _ = writeln!(
                text,
                "{:<58} {:>9} {:>9} {:>7.2} s  {}",
                format!("{}{kind}", cell.pair.name),
                planned.slices,
                workloads::axes::show_ns(planned.slice_ns),
                cell.pair.expected().as_secs_f64(),
                metrics.join(", ")
            );
        }
        let (least, most) = self.expected();
        let blocks = self.blocks_at_most();
        let _ = writeln!(
            text,
            "{} rows and {} controls; {} blocks each, about {:.0} s; {blocks} fresh blocks of rows that \
             look different, at most {:.0} s together",
            self.rows(),
            self.controls.len(),
            self.screen_blocks(),
            least.as_secs_f64(),
            most.as_secs_f64()
        );
        let _ = writeln!(
            text,
            "smallest p of a row: {:.4} alone, {:.4} if all {} rows are confirmed",
            smallest_p(blocks, 1),
            smallest_p(blocks, self.rows()),
            self.rows()
        );
        text
    }
}
