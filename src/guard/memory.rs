//! `guard --history`: what a job found goes into a history, and the series that it goes on are judged with it.
//!
//! A history holds ratios to something that stays. So the baseline must: a commit by its hash or by a tag, a binary, an
//! implementation. A branch moves, and against it every point would begin a series of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use record::host::short_hash;
use reports::compare::Verdict;
use reports::guard::{GuardReport, Layer, Metric, Row, judge};
use reports::history::{Cell, Job as Kept, Line, Rules, Source, check, points_of_guard};

use super::arms::Named;
use super::exact::Subjects;
use super::identity::Identity;
use super::plan::Job;
use super::revision;
use crate::args::GuardArgs;
use crate::history::{Store, warn};

/// Stands for the point of rows of instructions, which are of no cell: the loop that is counted.
const LOOP: &str = "one operation, uncontended";

/// The history that a job goes into.
pub(crate) struct Memory {
    store: Store,
    revision: String,
    reference: String,
    begun_unix_ms: u64,
}

/// Points of a job, by what their rows say of themselves: implementation, label, machine.
#[derive(Default)]
pub(crate) struct Cells {
    of_cells: BTreeMap<(String, String, String), Cell>,
    of_loops: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Memory {
    /// What `--history` asks for; `None` if nothing. What cannot be kept is refused here, before anything is measured.
    pub(crate) fn of(args: &GuardArgs, baseline: &Named, candidate: &Named) -> Result<Option<Memory>> {
        let Some(text) = &args.history else { return Ok(None) };
        let store = Store::of("--history", text)?;
        let reference = match baseline {
            Named::Implementation(named) => {
                let params: Vec<String> =
                    named.params.iter().map(|(name, v)| format!("{name}={v}")).collect();
                let mark = if params.is_empty() { "" } else { "?" };
                format!("{}{mark}{}", named.id, params.join(","))
            }
            Named::Binary(path) => format!("binary {}", short_hash(&read(path)?)),
            Named::Revision(commit) => {
                let text = args.baseline.as_deref().unwrap_or_default();
                ensure!(
                    commit.is_pinned_by(text)?,
                    "--history: its ratios are to a baseline that stays the same, and `{text}` moves; expected a tag or \
                     the hash of a commit, such as `{}`, a binary, or an implementation",
                    commit.short()
                );
                format!("commit {}", commit.short())
            }
            Named::Run(_) => bail!("--history: `history add` adds run directories"),
            Named::This => bail!("--history: expected a --baseline that stays the same"),
        };
        let revision = match (&args.revision, candidate) {
            (Some(named), _) => named.clone(),
            (None, Named::Revision(commit)) => commit.short().to_owned(),
            (None, Named::Binary(_) | Named::Run(_)) => {
                bail!("--history: which revision --candidate was built from is not known: --revision says it")
            }
            (None, Named::This | Named::Implementation(_)) => revision::here()
                .context("--history: --revision says what is measured, or the repository here")?,
        };
        store.ready("--history")?;
        Ok(Some(Memory { store, revision, reference, begun_unix_ms: crate::cmd::unix_ms() }))
    }

    /// Adds the ratios of a report to the history, and to the report the rows of the series that they go on.
    pub(crate) fn keep(&self, report: &mut GuardReport, cells: &Cells, candidate: &Identity) -> Result<()> {
        let about = format!(
            "{}|{}|{}|{}|{}|{:?}",
            self.begun_unix_ms,
            self.revision,
            self.reference,
            report.fingerprint,
            report.seed,
            report.command
        );
        let run = short_hash(about.as_bytes());
        let taken = points_of_guard(
            report,
            &Kept {
                run: &run,
                time_unix_ms: self.begun_unix_ms,
                revision: &self.revision,
                reference: &self.reference,
                tool: &candidate.version,
                harness: &candidate.harness_hash,
                cell: &|row| cells.of(row),
            },
        );
        if !taken.left_out.is_empty() {
            let first = &taken.left_out[0];
            report.notes.push(format!(
                "{} rows give no point of the history; {}: {}",
                taken.left_out.len(),
                first.cell,
                first.reason
            ));
        }
        if taken.points.is_empty() {
            report.notes.push(format!("nothing was added to the history in {}", self.store));
            return Ok(());
        }
        let count = taken.points.len();
        let mut files: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        for point in taken.points {
            files.entry(format!("{}.jsonl", point.fingerprint)).or_default().push(Line::Point(point));
        }
        let message = format!("history: {} against {}", self.revision, self.reference);
        for (file, lines) in &files {
            // No job is another one: there is nothing that it could be already.
            let added = self.store.append(file, lines, &message, &|_| None)?;
            ensure!(added.is_ok(), "{}: {file} was refused", self.store);
        }
        report.notes.push(format!(
            "{count} ratios of {} to {} were added to the history in {}",
            self.revision, self.reference, self.store
        ));
        let history = self.store.read()?;
        warn(&history.damaged);
        let rules = Rules { store: self.store.to_string(), run: Some(run), ..Rules::default() };
        let judged = check(&history, &rules);
        report.expected_false_alarms += judged.expected_false_alarms;
        let begins = judged.rows.iter().all(|row| row.blocks == 1);
        report.rows.extend(judged.rows);
        report.notes.extend(judged.notes);
        let theirs = history.points.iter().filter(|point| point.source == Source::Guard);
        let others: BTreeSet<&str> =
            theirs.map(|point| point.reference.as_str()).filter(|other| *other != self.reference).collect();
        if let (true, Some(other)) = (begins, others.last()) {
            report.notes.push(format!(
                "all series against {} begin here, though the history has some against {other}: only the same baseline from \
                 call to call makes a series",
                self.reference
            ));
        }
        // A series that is too short, or too noisy, to judge is no doubt about this change.
        let counts = |row: &&Row| row.layer != Layer::History || row.verdict == Verdict::Regressed;
        report.verdict = judge::overall(report.rows.iter().filter(counts).map(|row| row.verdict));
        Ok(())
    }
}

impl Cells {
    /// The cells of both layers.
    pub(crate) fn of_job(subjects: Option<&Subjects>, job: Option<&Job>) -> Result<Cells> {
        let mut cells = Cells::default();
        let measured = job.iter().flat_map(|job| &job.cells).map(|cell| &cell.pair.candidate.cell);
        for cell in measured {
            cells.add(&cell.implementation, cell, &cell.params)?;
        }
        for pair in subjects.iter().flat_map(|subjects| &subjects.pairs) {
            cells.add(&pair.candidate.implementation, &pair.cell, &pair.candidate.params)?;
        }
        for counted in subjects.iter().flat_map(|subjects| &subjects.counted) {
            let arm = &counted.candidate;
            cells.of_loops.insert(arm.implementation.clone(), arm.params.clone());
        }
        Ok(cells)
    }

    fn add(
        &mut self,
        implementation: &str,
        cell: &record::PlannedCell,
        params: &BTreeMap<String, u64>,
    ) -> Result<()> {
        let point = serde_json::to_string(&cell.point).context("cannot write a point as JSON")?;
        let key = (implementation.to_owned(), cell.point.label.clone(), cell.machine.clone());
        self.of_cells.insert(key, (params.clone(), short_hash(point.as_bytes())));
        Ok(())
    }

    fn of(&self, row: &Row) -> Option<Cell> {
        if row.metric == Metric::InstructionsPerOp {
            let params = self.of_loops.get(&row.implementation)?;
            return Some((params.clone(), short_hash(LOOP.as_bytes())));
        }
        self.of_cells.get(&(row.implementation.clone(), row.label.clone(), row.machine.clone())).cloned()
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
