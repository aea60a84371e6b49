//! Guard, measured: planted slow-downs that it must find, and copies that it must not accuse.
//!
//! A *trial* is one job over one cell, carried out as any other: screening, confirmation, controls. A campaign makes one
//! trial after the other and appends each to a file, a line each; called again, it goes on where it was.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reports::compare::Verdict;
use reports::guard::blocks::Block;
use reports::guard::judge::{CONFIRM_BLOCKS_MIN, screen_blocks};
use reports::guard::power::{self, Scenario, Trial};

use super::arms::Build;
use super::measured::{self, Options};
use super::plan::{self, Cell, Job, Party};
use super::planted;
use crate::Observatory;
use crate::args::GuardArgs;
use crate::runner::order;

/// The file of a campaign in its folder.
const FILE: &str = "trials.jsonl";
/// How long a campaign goes on if nobody says.
const HOURS: f64 = 1.0;
/// Copies that a campaign tries for each trial of a fault: a rate near 0 needs more trials than one near 1, and a copy costs
/// a third of a fault, whose rows are confirmed.
const COPIES: usize = 4;
/// Fresh blocks of the long mode, in which campaigns look for the least fault: so many show a loss of 5 % beyond a margin of
/// 3 % where the standard deviation of blocks is not much above that.
const LONG_BLOCKS: u32 = 96;
/// Slices of a launch of the quick self-test.
const QUICK_SLICES: u32 = 6;

/// Carries out the self-test; the table, and whether it is as it should be.
pub(crate) fn run(observatory: &Observatory, args: &GuardArgs) -> Result<(String, bool)> {
    ensure!(
        args.hours.is_none_or(|hours| hours > 0.0 && hours <= 1e4),
        "--hours {}: expected hours, above 0",
        args.hours.unwrap_or_default()
    );
    let folder = tempfile::Builder::new().prefix("synchroscope-guard-").tempdir();
    let folder = folder.context("cannot make a folder for a copy of this program")?;
    let own = Build::own(observatory)?;
    let copy = folder.path().join(own.program.file_name().unwrap_or("copy".as_ref()));
    let party = Party {
        program: own.program.clone(),
        ids: own.identity.implementations.clone(),
        implementation: None,
    };
    let mut job = plan::plan(observatory, args, &party, &party, &copy)?;
    fs::copy(&own.program, &copy).with_context(|| format!("cannot copy {}", own.program.display()))?;
    let quick = args.campaign.is_none();
    if quick {
        // A question of each kind: the first cell of one thread, the first of two that work inside.
        let works = |cell: &Cell| {
            let point = &cell.pair.candidate.cell.point;
            point.threads() == 2 && point.roles.iter().all(|role| role.hold.mean_ns() > 0.0)
        };
        let alone = job.cells.iter().find(|cell| cell.pair.candidate.cell.point.threads() == 1).cloned();
        let cells: Vec<Cell> =
            alone.into_iter().chain(job.cells.iter().find(|cell| works(cell)).cloned()).collect();
        if !cells.is_empty() {
            job.cells = cells;
        }
        for cell in &mut job.cells {
            for arm in [&mut cell.pair.baseline, &mut cell.pair.candidate] {
                arm.cell.slices = arm.cell.slices.min(QUICK_SLICES);
            }
        }
    }
    let bench = Bench {
        observatory,
        args,
        party: Party { program: copy, ..party },
        fingerprint: profiler::host::fingerprint().id(),
        harness_hash: own.identity.harness_hash,
    };
    if args.dry_run {
        return Ok((bench.described(&job, quick), true));
    }
    let trials = match &args.campaign {
        None => bench.once(&job)?,
        Some(folder) => bench.campaign(&job, folder)?,
    };
    let missed = |trial: &Trial| {
        trial.scenario == Scenario::Hold20 && trial.rows.iter().all(|row| row.verdict != Verdict::Regressed)
    };
    let alarms = power::false_alarms(&trials);
    let fine = alarms.worse + alarms.better == 0 && !trials.iter().any(missed);
    Ok((power::table(&trials), fine))
}

/// What all trials share.
struct Bench<'a> {
    observatory: &'a Observatory,
    args: &'a GuardArgs,
    /// The copy of this program: the other arm of controls.
    party: Party,
    fingerprint: String,
    harness_hash: String,
}

impl Bench<'_> {
    /// The trials of one round.
    fn kinds<'j>(&self, job: &'j Job) -> Vec<(&'j Cell, Scenario)> {
        // Whether a fault can be planted does not depend on how long an operation takes, if that is more than some ns.
        // The least fault is for campaigns: one trial of it says little.
        let quick = self.args.campaign.is_none();
        let can = |cell: &Cell, scenario: Scenario| {
            !(quick && scenario == Scenario::Hold5)
                && planted::plant(self.observatory, cell, scenario, 1e3).is_some()
        };
        let of =
            |cell: &'j Cell| Scenario::ALL.into_iter().filter(move |s| can(cell, *s)).map(move |s| (cell, s));
        job.cells.iter().flat_map(of).collect()
    }

    fn described(&self, job: &Job, quick: bool) -> String {
        let kinds = self.kinds(job);
        let seconds: f64 = kinds
            .iter()
            .map(|(cell, scenario)| {
                let asked = self.blocks(*scenario);
                let fresh = asked.unwrap_or(CONFIRM_BLOCKS_MIN);
                let blocks = screen_blocks(asked) + if *scenario == Scenario::Copy { 0 } else { fresh };
                // The cell and its control.
                2.0 * cell.pair.expected().as_secs_f64() * f64::from(blocks)
            })
            .sum();
        let mut text = String::new();
        for (cell, scenario) in &kinds {
            text.push_str(&format!("{:<50} {}\n", cell.pair.name, scenario.name()));
        }
        let round = if quick { "" } else { " a round" };
        text.push_str(&format!("{} trials{round}, about {seconds:.0} s\n", kinds.len()));
        text
    }

    /// Fresh blocks that decide on a row; `None`: as many as the rows need.
    fn blocks(&self, scenario: Scenario) -> Option<u32> {
        self.args.blocks.or((scenario == Scenario::Hold5).then_some(LONG_BLOCKS))
    }

    /// One trial of each kind.
    fn once(&self, job: &Job) -> Result<Vec<Trial>> {
        let mut trials = Vec::new();
        let mut operations = BTreeMap::new();
        for (cell, scenario) in self.kinds(job) {
            trials.extend(self.trial(cell, scenario, self.args.seed, &mut operations)?);
        }
        Ok(trials)
    }

    /// Trial after trial, the kind that lags most next, until the time is over.
    fn campaign(&self, job: &Job, folder: &Path) -> Result<Vec<Trial>> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let file = folder.join(FILE);
        let mut trials = self.read(&file)?;
        let end = Instant::now() + Duration::from_secs_f64(self.args.hours.unwrap_or(HOURS) * 3600.0);
        let mut lines = OpenOptions::new().create(true).append(true).open(&file);
        let lines =
            lines.as_mut().map_err(|error| anyhow::anyhow!("cannot write {}: {error}", file.display()))?;
        let mut operations = BTreeMap::new();
        let kinds = self.kinds(job);
        // Of some kinds a trial may be impossible after all.
        let mut impossible = vec![false; kinds.len()];
        while Instant::now() < end {
            let made = |(cell, scenario): &(&Cell, Scenario)| {
                let is = |trial: &&Trial| trial.cell == cell.pair.name && trial.scenario == *scenario;
                trials.iter().filter(is).count()
            };
            let due = |kind: &(&Cell, Scenario)| match kind.1 {
                Scenario::Copy => made(kind) / COPIES,
                _ => made(kind),
            };
            let next =
                (0..kinds.len()).filter(|&kind| !impossible[kind]).min_by_key(|&kind| due(&kinds[kind]));
            let Some(kind) = next else { bail!("nothing can be planted into these cells") };
            let (cell, scenario) = kinds[kind];
            let seed = order::mix(self.args.seed, (made(&kinds[kind]) as u64) << 8 | kind as u64);
            let trial = match self.trial(cell, scenario, seed, &mut operations) {
                // What was made stays.
                Err(error) if error.to_string() == "interrupted" => break,
                other => other?,
            };
            let Some(trial) = trial else {
                impossible[kind] = true;
                continue;
            };
            let mut line = serde_json::to_vec(&trial).context("cannot write a trial")?;
            line.push(b'\n');
            lines.write_all(&line).and_then(|()| lines.flush()).context("cannot write a trial")?;
            trials.push(trial);
        }
        Ok(trials)
    }

    /// The trials that are there already.
    fn read(&self, file: &Path) -> Result<Vec<Trial>> {
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => bail!("cannot read {}: {error}", file.display()),
        };
        let mut trials = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let trial: Trial = match serde_json::from_str(line) {
                Ok(trial) => trial,
                Err(error) => {
                    eprintln!("warning: {}:{}: left out: {error}", file.display(), number + 1);
                    continue;
                }
            };
            ensure!(
                trial.fingerprint == self.fingerprint && trial.harness_hash == self.harness_hash,
                "{}:{}: was measured by another computer or another harness: a campaign is of one; name a new folder",
                file.display(),
                number + 1
            );
            trials.push(trial);
        }
        // A line that was cut off must not swallow the next one.
        if !text.is_empty() && !text.ends_with('\n') {
            OpenOptions::new()
                .append(true)
                .open(file)
                .and_then(|mut file| file.write_all(b"\n"))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(trials)
    }

    /// One job; `None` if the fault is less than the shortest work.
    fn trial(
        &self,
        cell: &Cell,
        scenario: Scenario,
        seed: u64,
        operations: &mut BTreeMap<String, f64>,
    ) -> Result<Option<Trial>> {
        let patience = Duration::from_secs_f64(self.args.patience);
        let operation_ns = match operations.get(&cell.pair.name) {
            Some(ns) => *ns,
            None => {
                let ns = planted::operation_ns(&cell.pair.baseline, patience)?;
                operations.insert(cell.pair.name.clone(), ns);
                ns
            }
        };
        let Some(planted) = planted::plant(self.observatory, cell, scenario, operation_ns) else {
            return Ok(None);
        };
        let mut control = cell.clone();
        control.pair.candidate.program = crate::runner::child::Program::own(&self.party.program);
        let job = Job {
            cells: vec![planted],
            controls: vec![control],
            blocks: self.blocks(scenario),
            notes: Vec::new(),
        };
        if !self.args.quiet {
            eprintln!("{}: {}", cell.pair.name, scenario.name());
        }
        let options = Options { seed, patience, quiet: true, slices: true };
        let outcome = measured::carry_out(&job, &options)?;
        let blocks: Vec<Block> = outcome
            .kept
            .into_iter()
            .filter(|(name, ..)| !name.starts_with("A/A"))
            .flat_map(|(_, _, blocks)| blocks)
            .collect();
        Ok(Some(Trial {
            scenario,
            cell: cell.pair.name.clone(),
            fingerprint: self.fingerprint.clone(),
            harness_hash: self.harness_hash.clone(),
            seed,
            seconds: blocks.iter().map(|block| block.took_s).sum(),
            rows: outcome.rows,
            contaminated: outcome.controls.iter().any(|control| control.moved),
            blocks,
        }))
    }
}
