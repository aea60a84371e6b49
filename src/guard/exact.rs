//! Layer 0: verdicts that need no quiet computer, because no clock is in them.
//!
//! | module | holds |
//! |---|---|
//! | [`plan`] | from the command line to pairs of arms |
//! | [`simulated`] | both arms on simulated machines, seed by seed |
//! | [`instructions`] | instructions per uncontended operation, counted under callgrind or by the processor |
//! | [`evidence`] | two timelines of one seed, and where they part |
//! | [`planted`] | a lock with an instruction more, to be caught |
//!
//! Arms are programs that speak the launch protocol: two builds of one crate, or one build with two implementations or
//! two sets of parameters. Nothing is measured, so that launches run side by side on all cores.

pub(crate) mod evidence;
pub(crate) mod instructions;
pub(crate) mod plan;
pub(crate) mod planted;
pub(crate) mod simulated;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use impls::card::{Role, Runs};
use impls::machine::os::cores_allowed;
use record::PlannedCell;
use reports::compare::Verdict;
use reports::guard::exact::{self, Simulated};
use reports::guard::{Control, GuardReport, Row, judge};

use crate::Observatory;
use crate::runner::INTERRUPTED;
use crate::runner::progress::Progress;

/// Rows that get a pair of timelines, worst first: some MB each.
const EVIDENCE_MAX: usize = 12;

/// One implementation of one program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arm {
    /// The program; it speaks the launch protocol.
    pub(crate) program: PathBuf,
    /// Id of what it runs.
    pub(crate) implementation: String,
    /// Parameters that differ from the defaults.
    pub(crate) params: BTreeMap<String, u64>,
}

/// Two arms on one cell.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// What the candidate is held against.
    pub(crate) baseline: Arm,
    /// What is judged.
    pub(crate) candidate: Arm,
    /// Point, machine and lengths; the arms say what runs.
    pub(crate) cell: PlannedCell,
    /// Text of the machine's preset.
    pub(crate) preset: String,
    /// No lock at all: it controls that both programs simulate and drive alike.
    pub(crate) is_floor: bool,
}

impl Pair {
    /// Whether one of the arms sets parameters: then both read theirs at run time.
    fn tuned_shape(&self) -> bool {
        tuned(&self.baseline, &self.candidate)
    }
}

fn tuned(baseline: &Arm, candidate: &Arm) -> bool {
    !(baseline.params.is_empty() && candidate.params.is_empty())
}

/// Two arms whose instructions are counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) baseline: Arm,
    pub(crate) candidate: Arm,
    /// Why it has no simulated rows.
    pub(crate) only_half: Option<String>,
}

/// What is to be judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subjects {
    /// On simulated machines.
    pub(crate) pairs: Vec<Pair>,
    /// By their instructions.
    pub(crate) counted: Vec<Counted>,
    /// What is left out, with the reason.
    pub(crate) notes: Vec<String>,
}

/// How.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    /// Seeds of each cell.
    pub(crate) seeds: u32,
    /// What they are drawn from.
    pub(crate) seed: u64,
    /// Ratio of costs, above 1, up to which a difference counts as none.
    pub(crate) budget_ratio: f64,
    /// Where timelines of what differs go; `None`: nowhere.
    pub(crate) evidence: Option<&'a Path>,
    /// Gives a launch so long beyond what it should take.
    pub(crate) patience: Duration,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Row>,
    pub(crate) controls: Vec<Control>,
    pub(crate) notes: Vec<String>,
}

/// What planned cells are to this layer, with the texts of their machines' presets. `arms` says which programs stand for a
/// cell, or why none do.
pub(crate) fn subjects(
    observatory: &Observatory,
    cells: &[PlannedCell],
    presets: &BTreeMap<String, String>,
    arms: &dyn Fn(&PlannedCell) -> Result<[Arm; 2], String>,
) -> Subjects {
    let mut subjects = Subjects::default();
    let mut seen: Vec<[Arm; 2]> = Vec::new();
    for cell in cells {
        let floor = |id: &str| observatory.entry(id).is_some_and(|entry| entry.card().role == Role::Floor);
        let is_floor = floor(&cell.implementation);
        if observatory.engine(&cell.implementation).is_some() {
            subjects.note(format!("{} is an engine: it has no exact rows", cell.implementation));
            continue;
        }
        let [baseline, candidate] = match arms(cell) {
            Ok(arms) => arms,
            Err(why) => {
                subjects.note(why);
                continue;
            }
        };
        // What this program knows of either side; another program's cards are its own.
        let os_only = [&candidate, &baseline].into_iter().find_map(|arm| {
            match observatory.entry(&arm.implementation)?.card().runs {
                Runs::OsOnly(reason) => {
                    Some(format!("{} runs on threads of this computer only: {reason}", arm.implementation))
                }
                Runs::AnyMachine => None,
            }
        });
        let pair = [baseline.clone(), candidate.clone()];
        if !is_floor && !seen.contains(&pair) {
            seen.push(pair);
            let (baseline, candidate, only_half) = (baseline.clone(), candidate.clone(), os_only.clone());
            subjects.counted.push(Counted { baseline, candidate, only_half });
        }
        // One program needs no control of its simulator.
        let Some(preset) = presets.get(&cell.machine) else { continue };
        if os_only.is_none() && !(is_floor && baseline.program == candidate.program) {
            let (cell, preset) = (cell.clone(), preset.clone());
            subjects.pairs.push(Pair { baseline, candidate, cell, preset, is_floor });
        }
    }
    subjects
}

impl Subjects {
    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

impl Found {
    /// Adds it to a report, before what is there.
    pub(crate) fn join(self, report: &mut GuardReport) {
        // Of a row whose traces differ, the interval misses the median on the worse side so often.
        let chance = |row: &Row| row.ratio.map_or(0.0, |ratio| (1.0 - ratio.confidence) / 2.0);
        report.expected_false_alarms += self.rows.iter().map(chance).sum::<f64>();
        report.rows.splice(0..0, self.rows);
        report.controls.splice(0..0, self.controls);
        report.notes.extend(self.notes);
        report.verdict = judge::overall(report.rows.iter().map(|row| row.verdict));
    }
}

/// Judges all of it.
///
/// # Errors
/// If this side cannot go on, or was interrupted. What an arm does is a row.
pub(crate) fn run(subjects: &Subjects, plan: &Plan<'_>, quiet: bool) -> Result<Found> {
    let expected = simulated::expected(&subjects.pairs, plan.seeds);
    let launches = 2 * subjects.pairs.len() * plan.seeds as usize;
    let progress = Mutex::new(Progress::new(expected, launches, quiet));
    let each = expected / u32::try_from(launches.max(1)).unwrap_or(u32::MAX);
    let made = |pair: &Pair| {
        let mut progress = progress.lock().unwrap_or_else(|e| e.into_inner());
        progress.announce(&format!("{} {}", pair.candidate.implementation, pair.cell.point.label));
        progress.advance(each, None);
    };
    let cells = simulated::outcomes(&subjects.pairs, plan, &made);
    progress.into_inner().unwrap_or_else(|e| e.into_inner()).finish();
    let cells = cells?;
    let mut found = Found { notes: subjects.notes.clone(), ..Found::default() };
    let mut place_of_row = Vec::new();
    for (place, (pair, cell)) in subjects.pairs.iter().zip(&cells).enumerate() {
        if pair.is_floor {
            found.controls.push(cell.control());
        } else {
            found.rows.push(cell.row(plan.budget_ratio));
            place_of_row.push(place);
        }
    }
    let of_floor = subjects.pairs.iter().zip(&cells).filter(|(pair, _)| pair.is_floor);
    let moved: Vec<&Simulated> =
        of_floor.filter(|(_, cell)| cell.control().moved).map(|(_, cell)| cell).collect();
    for row in &mut found.rows {
        if let Some(control) = moved.iter().find(|c| c.label == row.label && c.machine == row.machine) {
            let why = format!(
                "{}, which is no lock, does not do the same in both programs",
                control.implementation
            );
            exact::doubt(std::slice::from_mut(row), &why);
        }
    }
    if let Some(folder) = plan.evidence {
        add_evidence(subjects, &cells, &place_of_row, &mut found, plan, folder)?;
    }
    let (rows, notes) = instructions::rows(&subjects.counted, plan)?;
    found.rows.extend(rows);
    found.notes.extend(notes);
    Ok(found)
}

/// Writes timelines for the rows that differ, worst first.
fn add_evidence(
    subjects: &Subjects,
    cells: &[Simulated],
    place_of_row: &[usize],
    found: &mut Found,
    plan: &Plan<'_>,
    folder: &Path,
) -> Result<()> {
    let worth = |verdict: Verdict| match verdict {
        Verdict::Regressed => 0,
        Verdict::Inconclusive | Verdict::Contaminated => 1,
        Verdict::Improved => 2,
        Verdict::Equivalent => 3,
    };
    let mut differ: Vec<(usize, usize)> = place_of_row
        .iter()
        .enumerate()
        .filter_map(|(row, &place)| Some((row, cells[place].first_difference()?)))
        .collect();
    differ.sort_by_key(|&(row, _)| (worth(found.rows[row].verdict), row));
    for &(row, seed) in differ.iter().take(EVIDENCE_MAX) {
        let place = place_of_row[row];
        let Some(told) = evidence::write(&subjects.pairs[place], &cells[place], seed, plan, folder)? else {
            continue;
        };
        let row = &mut found.rows[row];
        row.reason = format!("{}; seed {}: {}", row.reason, cells[place].seeds[seed], told.text);
        row.evidence = told.folder;
    }
    if differ.len() > EVIDENCE_MAX {
        let more = differ.len() - EVIDENCE_MAX;
        found.notes.push(format!(
            "{more} more rows differ, without timelines: {EVIDENCE_MAX} get them, worst first"
        ));
    }
    Ok(())
}

/// Does `jobs` on all cores, in order. Threads of their own, for the kernel ends a child with the thread that started it.
///
/// # Errors
/// The first of the jobs, or Ctrl-C.
fn side_by_side(jobs: usize, work: &(dyn Fn(usize) -> Result<()> + Sync)) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    let held = || failed.lock().unwrap_or_else(|e| e.into_inner());
    let take = || {
        while !INTERRUPTED.load(Ordering::Relaxed) && held().is_none() {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                return;
            }
            if let Err(error) = work(job) {
                held().get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..cores_allowed().clamp(1, jobs.max(1)) {
            scope.spawn(take);
        }
    });
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    failed.into_inner().unwrap_or_else(|e| e.into_inner()).map_or(Ok(()), Err)
}
