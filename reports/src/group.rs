//! Which records may stand side by side: same source, same computer, same run, measured alike, at the same point.

use record::Fingerprint;
use record::cell::ImplementationRole;

use crate::summary::{Source, Summary};

/// Cells of one source on one computer, measured alike in one run. Groups are never averaged together, nor drawn into one chart.
#[derive(Debug)]
pub struct Group<'a> {
    /// Where the numbers come from.
    pub source: Source,
    /// The computer.
    pub fingerprint: &'a Fingerprint,
    /// Hash of driver and probes.
    pub harness_hash: &'a str,
    /// Which run, of several.
    pub run: usize,
    /// The points, in the order in which they appear.
    pub points: Vec<PointCells<'a>>,
}

/// All cells at one point of a workload.
#[derive(Debug)]
pub struct PointCells<'a> {
    /// Name of the workload.
    pub workload: &'a str,
    /// Name of the point.
    pub label: &'a str,
    /// What it shares with the other points of its curve.
    pub curve_key: &'a str,
    /// What the threads do, in words.
    pub work: &'a str,
    /// Number of workers.
    pub threads: usize,
    /// The cells.
    pub cells: Vec<&'a Summary>,
}

impl<'a> PointCells<'a> {
    /// The cells that may be ranked, fastest first.
    pub fn ranked(&self) -> Vec<&'a Summary> {
        let mut ranked: Vec<&Summary> = self.cells.iter().copied().filter(|c| c.ranked()).collect();
        ranked.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
        ranked
    }

    /// The same without the floor: it is no lock, and would stretch every axis.
    pub fn ranked_locks(&self) -> Vec<&'a Summary> {
        let mut ranked = self.ranked();
        ranked.retain(|c| c.role != ImplementationRole::Floor);
        ranked
    }

    /// The ranked locks, each once: of an A/A pair the arms stand back behind the same lock without an arm, or else the
    /// first arm stands for both. A second launch set of the same code is a control, and no rival of it.
    pub fn contenders(&self) -> Vec<&'a Summary> {
        let ranked = self.ranked_locks();
        let once = |cell: &&Summary| {
            let name = cell.name_without_arm();
            cell.arm.is_empty() || (cell.arm != "b" && !ranked.iter().any(|other| other.name == name))
        };
        ranked.iter().copied().filter(once).collect()
    }

    /// The others.
    pub fn unranked(&self) -> Vec<&'a Summary> {
        self.cells.iter().copied().filter(|c| !c.ranked()).collect()
    }
}

/// Median throughput; 0 when there is none.
pub(crate) fn rate(cell: &Summary) -> f64 {
    cell.throughput_per_s.as_ref().map_or(0.0, |s| s.median)
}

/// Groups cells by source, computer, harness and run, and inside by point. Points with one label that are not the same point stay
/// apart.
pub fn group(cells: &[Summary]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for cell in cells {
        let same = |g: &Group<'_>| {
            g.source == cell.source
                && *g.fingerprint == cell.fingerprint
                && g.harness_hash == cell.harness_hash
                && g.run == cell.run
        };
        let at = groups.iter().position(same).unwrap_or_else(|| {
            groups.push(Group {
                source: cell.source.clone(),
                fingerprint: &cell.fingerprint,
                harness_hash: &cell.harness_hash,
                run: cell.run,
                points: Vec::new(),
            });
            groups.len() - 1
        });
        let points = &mut groups[at].points;
        let same = |p: &PointCells<'_>| {
            p.label == cell.label && p.threads == cell.threads && p.curve_key == cell.curve_key
        };
        match points.iter().position(same) {
            Some(index) => points[index].cells.push(cell),
            None => points.push(PointCells {
                workload: &cell.workload,
                label: &cell.label,
                curve_key: &cell.curve_key,
                work: &cell.work,
                threads: cell.threads,
                cells: vec![cell],
            }),
        }
    }
    groups.sort_by(|a, b| a.source.cmp(&b.source));
    groups
}
