//! Points that differ only in their number of threads, each of which has a core: throughput against cores.

use crate::group::{Group, PointCells};
use crate::summary::Summary;

use super::preset;

/// Fewer numbers of cores are no curve.
pub const POINTS_MIN: usize = 3;

/// The points of one workload, hold and think, on every simulated machine that has enough of them.
#[derive(Debug)]
pub struct Load<'g, 'a> {
    /// The workload.
    pub workload: &'a str,
    /// The label of its points without the number of threads.
    pub label: String,
    /// What its points have in common.
    pub curve_key: &'a str,
    /// The machines.
    pub curves: Vec<Curve<'g, 'a>>,
}

/// The points of a load on one machine, fewest threads first.
#[derive(Debug)]
pub struct Curve<'g, 'a> {
    /// Index of the group.
    pub group: usize,
    /// Name of the preset, changed constants included.
    pub preset: &'a str,
    /// The points.
    pub points: Vec<&'g PointCells<'a>>,
}

impl<'a> Curve<'_, 'a> {
    /// The names of all locks that are ranked at some point, in alphabetical order.
    pub fn names(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> =
            self.points.iter().flat_map(|p| p.contenders()).map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The cells of a design with their numbers of threads.
    pub fn of(&self, name: &str) -> Vec<(usize, &'a Summary)> {
        let cell = |p: &&&PointCells<'a>| {
            Some((p.threads, p.cells.iter().copied().find(|c| c.ranked() && c.name == name)?))
        };
        self.points.iter().filter_map(|p| cell(&p)).collect()
    }
}

/// All loads with a curve on some simulated machine. Points with more threads than cores belong to no curve: what decides
/// there is the scheduler.
pub fn loads<'g, 'a>(groups: &'g [Group<'a>]) -> Vec<Load<'g, 'a>> {
    let mut loads: Vec<Load<'g, 'a>> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        // The group holds the name for as long as the cells live.
        let Some(name) = group.points.iter().flat_map(|p| &p.cells).find_map(|c| preset(&c.source)) else {
            continue;
        };
        let mut keys: Vec<&PointCells<'a>> = Vec::new();
        for point in &group.points {
            if keys.iter().all(|known| known.curve_key != point.curve_key) {
                keys.push(point);
            }
        }
        for first in keys {
            let fits = |p: &&PointCells<'a>| {
                p.curve_key == first.curve_key
                    && p.threads <= group.fingerprint.cores
                    && !p.ranked_locks().is_empty()
            };
            let mut points: Vec<&PointCells<'a>> = group.points.iter().filter(fits).collect();
            points.sort_by_key(|p| p.threads);
            if points.len() < POINTS_MIN {
                continue;
            }
            let curve = Curve { group: index, preset: name, points };
            match loads.iter_mut().find(|l| l.workload == first.workload && l.curve_key == first.curve_key) {
                Some(load) => load.curves.push(curve),
                None => loads.push(Load {
                    workload: first.workload,
                    label: without_threads(first.label, first.threads),
                    curve_key: first.curve_key,
                    curves: vec![curve],
                }),
            }
        }
    }
    loads
}

/// Of a label like `contended/t8/h500` what does not change along the curve.
pub fn without_threads(label: &str, threads: usize) -> String {
    let part = format!("t{threads}");
    label.split('/').filter(|p| *p != part).collect::<Vec<_>>().join("/")
}
