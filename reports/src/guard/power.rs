//! What guard sees of planted faults, and whom it accuses falsely: jobs that were made for it, counted.

use serde::{Deserialize, Serialize};

use super::blocks::Block;
use super::rivals::{self, Said, count_in_words};
use super::{Metric, Row};
use crate::compare::Verdict;
use crate::stats;
use crate::text::{Align, aligned, change, fit};

/// What the candidate of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// A copy of the baseline.
    Copy,
    /// Longer sections, worth 5 % of the throughput.
    Hold5,
    /// Worth 10 %.
    Hold10,
    /// Worth 20 %.
    Hold20,
    /// Every acquire takes the slow path.
    NoFastPath,
    /// Twice as many rounds of spinning before a thread sleeps.
    DoubleSpin,
}

impl Scenario {
    /// In the order of the table.
    pub const ALL: [Scenario; 6] = [
        Scenario::Copy,
        Scenario::Hold5,
        Scenario::Hold10,
        Scenario::Hold20,
        Scenario::NoFastPath,
        Scenario::DoubleSpin,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Scenario::Copy => "a copy of itself",
            Scenario::Hold5 => "sections longer, worth 5 %",
            Scenario::Hold10 => "sections longer, worth 10 %",
            Scenario::Hold20 => "sections longer, worth 20 %",
            Scenario::NoFastPath => "fast path lost",
            Scenario::DoubleSpin => "spins twice as long",
        }
    }

    /// The share of the throughput that longer sections are made to cost.
    pub const fn loss(self) -> Option<f64> {
        match self {
            Scenario::Hold5 => Some(0.05),
            Scenario::Hold10 => Some(0.10),
            Scenario::Hold20 => Some(0.20),
            Scenario::Copy | Scenario::NoFastPath | Scenario::DoubleSpin => None,
        }
    }
}

/// One job: a line of a campaign's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What was planted.
    pub scenario: Scenario,
    /// Name of the cell: implementation and point.
    pub cell: String,
    /// [`record::Fingerprint::id`] of the computer.
    pub fingerprint: String,
    /// Hash of driver and probes.
    pub harness_hash: String,
    /// Seed of the job.
    pub seed: u64,
    /// How long its launches took, its controls left out.
    pub seconds: f64,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Whether a control moved.
    pub contaminated: bool,
    /// Blocks of screening and confirmation, slices included.
    pub blocks: Vec<Block>,
}

impl Trial {
    fn throughput(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.metric == Metric::Throughput)
    }
}

/// Counts over trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many.
    pub n: u64,
    /// How many of them were called worse.
    pub worse: u64,
    /// How many were called better.
    pub better: u64,
}

impl Counts {
    fn add(&mut self, worse: bool, better: bool) {
        self.n += 1;
        self.worse += u64::from(worse);
        self.better += u64::from(better);
    }

    fn of_rows<'r>(rows: impl Iterator<Item = &'r Row>) -> Counts {
        rows.fold(Counts::default(), |mut counts, row| {
            counts.add(row.verdict == Verdict::Regressed, row.verdict == Verdict::Improved);
            counts
        })
    }

    /// The rule on the first launch of each arm of each block.
    fn of_rule(trials: &[&Trial], rule: fn(&[f64], &[f64]) -> Said) -> Counts {
        let mut counts = Counts::default();
        for block in trials.iter().flat_map(|trial| &trial.blocks) {
            if let (Some(a), Some(b)) = (block.baseline.first(), block.candidate.first()) {
                let said = rule(&a.slices_per_s, &b.slices_per_s);
                counts.add(said == Said::Slower, said == Said::Faster);
            }
        }
        counts
    }
}

/// The rows of a copy that were judged, all metrics: every verdict but equivalent and inconclusive is a false alarm.
pub fn false_alarms(trials: &[Trial]) -> Counts {
    let copies = trials.iter().filter(|trial| trial.scenario == Scenario::Copy);
    Counts::of_rows(copies.flat_map(|trial| &trial.rows))
}

/// Jobs in which throughput could be seen to fall: those whose row can show what the fault really cost, `cost` being the
/// median ratio over the trials of one fault on one cell.
fn able<'t>(trials: &[&'t Trial], cost: f64) -> Vec<&'t Row> {
    let rows = trials.iter().filter_map(|trial| trial.throughput());
    rows.filter(|row| row.minimal_detectable_ratio.is_some_and(|least| least <= 1.0 / cost)).collect()
}

/// The campaign in words.
pub fn table(trials: &[Trial]) -> String {
    let mut out = String::new();
    let mut cells: Vec<&str> = trials.iter().map(|trial| trial.cell.as_str()).collect();
    cells.sort_unstable();
    cells.dedup();
    let mut rows = Vec::new();
    for scenario in Scenario::ALL {
        for cell in &cells {
            let of: Vec<&Trial> =
                trials.iter().filter(|trial| trial.scenario == scenario && trial.cell == *cell).collect();
            rows.extend(line(scenario, cell, &of));
        }
    }
    let headings = [
        ("planted", Align::Left),
        ("cell", Align::Left),
        ("jobs", Align::Right),
        ("real change", Align::Right),
        ("visible from", Align::Right),
        ("s a job", Align::Right),
        ("guard: found", Align::Right),
        ("of those that can", Align::Right),
        ("criterion's rule", Align::Right),
        ("tango's rule", Align::Right),
    ];
    out.push_str(&aligned(&headings, &rows));
    out.push('\n');
    out.push_str(&alarms(trials));
    for scenario in Scenario::ALL.into_iter().filter(|scenario| scenario.loss().is_some()) {
        let (found, seconds) = power(trials, scenario, &cells);
        if let Some(seconds) = stats::median(&seconds) {
            let found = count_in_words(found.worse, found.n);
            out.push_str(&format!(
                "{}, all cells: found by {found} of those that can, {seconds:.0} s a job\n",
                scenario.name()
            ));
        }
    }
    out
}

/// Over all cells: the jobs that can see what the fault costs there, and how long each took.
fn power(trials: &[Trial], scenario: Scenario, cells: &[&str]) -> (Counts, Vec<f64>) {
    let (mut counts, mut seconds) = (Counts::default(), Vec::new());
    for cell in cells {
        let of: Vec<&Trial> = trials.iter().filter(|t| t.scenario == scenario && t.cell == *cell).collect();
        let ratios: Vec<f64> = of.iter().filter_map(|t| Some(t.throughput()?.ratio?.ratio)).collect();
        let Some(cost) = stats::median(&ratios) else { continue };
        for trial in of {
            if let [row] = able(&[trial], cost)[..] {
                counts.add(row.verdict == Verdict::Regressed, row.verdict == Verdict::Improved);
                seconds.push(trial.seconds);
            }
        }
    }
    (counts, seconds)
}

fn line(scenario: Scenario, cell: &str, trials: &[&Trial]) -> Option<Vec<String>> {
    let throughput: Vec<&Row> = trials.iter().filter_map(|trial| trial.throughput()).collect();
    if throughput.is_empty() {
        return None;
    }
    let found = Counts::of_rows(throughput.iter().copied());
    let ratios: Vec<f64> = throughput.iter().filter_map(|row| Some(row.ratio?.ratio)).collect();
    let cost = stats::median(&ratios)?;
    let least: Vec<f64> = throughput.iter().filter_map(|row| row.minimal_detectable_ratio).collect();
    let seconds: Vec<f64> = trials.iter().map(|trial| trial.seconds).collect();
    let able = Counts::of_rows(able(trials, cost).into_iter());
    let rule = |rule| {
        let counts = Counts::of_rule(trials, rule);
        count_in_words(counts.worse, counts.n)
    };
    Some(vec![
        scenario.name().to_owned(),
        fit(cell, 50),
        trials.len().to_string(),
        change(cost),
        stats::median(&least).map_or_else(|| "-".into(), change),
        stats::median(&seconds).map_or_else(|| "-".into(), |s| format!("{s:.0}")),
        count_in_words(found.worse, found.n),
        if scenario == Scenario::Copy { "-".into() } else { count_in_words(able.worse, able.n) },
        rule(rivals::criterion),
        rule(rivals::tango),
    ])
}

fn alarms(trials: &[Trial]) -> String {
    let copies: Vec<&Trial> = trials.iter().filter(|trial| trial.scenario == Scenario::Copy).collect();
    let rows = false_alarms(trials);
    let rule = |rule| {
        let counts = Counts::of_rule(&copies, rule);
        count_in_words(counts.worse + counts.better, counts.n)
    };
    let contaminated = trials.iter().filter(|trial| trial.contaminated).count();
    format!(
        "Copies of the baseline: guard called {} rows different (95 % by Clopper and Pearson); criterion's rule {} pairs of \
         launches, tango's rule {}. A control moved in {contaminated} of {} jobs: their differences count as not found.\n\
         Found: throughput called regressed. Of those that can: of jobs whose row says that it sees such a change 9 times \
         in 10.\n",
        count_in_words(rows.worse + rows.better, rows.n),
        rule(rivals::criterion),
        rule(rivals::tango),
        trials.len()
    )
}
