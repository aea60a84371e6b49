//! All series of a history as one report of `guard`: its rows are of the layer `history`.

use super::judge::{FALSE_SHARE, Judged, judge};
use super::line::{History, Source};
use super::series::{Series, series};
use crate::compare::Verdict;
use crate::guard::{GuardReport, KIND, Layer, Row, VERSION, judge::overall};
use crate::text::change;

/// What to say beside the rows.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Name of the store.
    pub store: String,
    /// The full command line.
    pub command: Vec<String>,
    /// Only series of this computer; `None`: of all.
    pub fingerprint: Option<String>,
    /// Only series that this run has a point on; `None`: all.
    pub run: Option<String>,
}

/// Series with a change at one revision from which the reference is suspected, and their least share of all.
const TOGETHER_MIN: usize = 4;
const TOGETHER_SHARE: f64 = 0.5;

/// Judges every series.
pub fn check(history: &History, rules: &Rules) -> GuardReport {
    let all = series(history);
    let meant: Vec<(Series<'_>, Judged)> = all
        .into_iter()
        .filter(|one| rules.fingerprint.as_ref().is_none_or(|id| one.of().fingerprint == *id))
        .filter(|one| rules.run.as_ref().is_none_or(|run| one.points.iter().any(|point| point.run == *run)))
        .map(|one| {
            let judged = judge(&one);
            (one, judged)
        })
        .collect();
    let latest = history.points.iter().max_by_key(|point| point.time_unix_ms);
    let mut fingerprints: Vec<&str> = meant.iter().map(|(one, _)| one.of().fingerprint.as_str()).collect();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    let rows: Vec<Row> = meant.iter().map(|(one, judged)| row(one, judged)).collect();
    GuardReport {
        kind: KIND.into(),
        version: VERSION,
        baseline: format!("history in {}", rules.store),
        candidate: latest.map_or_else(|| "nothing".into(), |point| point.revision.clone()),
        command: rules.command.clone(),
        fingerprint: fingerprints.join(","),
        seed: 0,
        verdict: overall(rows.iter().map(|row| row.verdict)),
        expected_false_alarms: rows.len() as f64 * FALSE_SHARE,
        rows,
        failed: false,
        controls: Vec::new(),
        notes: notes(history, &meant),
    }
}

fn row(one: &Series<'_>, judged: &Judged) -> Row {
    let point = one.of();
    // Series of several computers or references have the same names otherwise.
    let against = format!("against {}, computer {}", point.reference, point.fingerprint);
    let noisy = match judged.fence_ratio {
        Some(fence) if judged.noisy => format!("; noisy: neighbours differ by up to {}", change(fence)),
        _ => String::new(),
    };
    Row {
        implementation: point.name(),
        label: point.label.clone(),
        machine: point.machine.clone(),
        layer: Layer::History,
        metric: point.metric,
        tier: point.tier,
        baseline: None,
        candidate: None,
        ratio: judged.ratio,
        margin_ratio: judged.margin_ratio,
        minimal_detectable_ratio: judged.minimal_detectable_ratio,
        blocks: (one.points.len() - judged.from) as u32,
        confirmed: false,
        verdict: judged.verdict,
        reason: format!("{}; {against}{noisy}", judged.reason),
        evidence: None,
    }
}

fn notes(history: &History, meant: &[(Series<'_>, Judged)]) -> Vec<String> {
    let mut notes: Vec<String> =
        history.damaged.iter().map(|d| format!("{}:{} left out: {}", d.file, d.line, d.reason)).collect();
    if meant.is_empty() {
        notes.push("the history holds no series to judge".into());
    }
    if meant.iter().any(|(one, _)| one.of().source == Source::Criterion) {
        notes.push("points of criterion hold one process for each side: what differs between launches is in no interval".into());
    }
    notes.extend(moved_together(meant));
    notes
}

/// Revisions at which most series against one reference moved to one side: then it is likely the reference that moved.
fn moved_together(meant: &[(Series<'_>, Judged)]) -> Vec<String> {
    let key = |one: &Series<'_>| {
        let p = one.of();
        (p.fingerprint.clone(), p.machine.clone(), p.reference.clone(), p.metric)
    };
    let mut groups: Vec<_> = meant.iter().map(|(one, _)| key(one)).collect();
    groups.sort();
    groups.dedup();
    let mut notes = Vec::new();
    for group in groups {
        let members: Vec<_> = meant.iter().filter(|(one, _)| key(one) == group).collect();
        let decided: Vec<(&str, bool)> = members
            .iter()
            .filter_map(|(one, judged)| {
                let found = judged.changes[judged.decides?];
                Some((one.points[found.at].revision.as_str(), found.ratio > 1.0))
            })
            .collect();
        let mut kinds = decided.clone();
        kinds.sort_unstable();
        kinds.dedup();
        for (revision, up) in kinds {
            let count = decided.iter().filter(|kind| **kind == (revision, up)).count();
            if count >= TOGETHER_MIN && count as f64 >= TOGETHER_SHARE * members.len() as f64 {
                notes.push(format!(
                    "{count} of {} series of {} against {} moved {} at {revision}: perhaps the reference did, not they",
                    members.len(),
                    group.3.name(),
                    group.2,
                    if up { "up" } else { "down" },
                ));
            }
        }
    }
    notes
}

impl Judged {
    /// Whether it calls for somebody.
    pub fn alerts(&self) -> bool {
        self.verdict == Verdict::Regressed
    }
}
