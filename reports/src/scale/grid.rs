//! Points that differ in hold and think: a plane for each number of threads.

use record::{Arrivals, Point, Schedule};

use crate::group::{Group, PointCells};

use super::preset;

/// The plane of hold and think of a workload on one machine.
#[derive(Debug)]
pub struct Grid<'g, 'a> {
    /// Index of the group.
    pub group: usize,
    /// Name of the preset.
    pub preset: &'a str,
    /// The workload.
    pub workload: &'a str,
    /// Lengths of the section, mean in ns, shortest first.
    pub holds_ns: Vec<u64>,
    /// Lengths outside, mean in ns, shortest first.
    pub thinks_ns: Vec<u64>,
    /// A plane for each number of threads, fewest first.
    pub planes: Vec<Plane<'g, 'a>>,
}

/// All combinations that were run with so many threads.
#[derive(Debug)]
pub struct Plane<'g, 'a> {
    /// Threads.
    pub threads: usize,
    /// `(index of the hold, index of the think, point)`.
    pub points: Vec<(usize, usize, &'g PointCells<'a>)>,
}

/// A point with what places it in a grid.
struct Placed<'g, 'a> {
    point: &'g PointCells<'a>,
    hold_ns: u64,
    think_ns: u64,
    /// What the points of a grid have in common.
    rest: String,
}

/// All grids with at least two lengths on both axes.
pub fn grids<'g, 'a>(groups: &'g [Group<'a>]) -> Vec<Grid<'g, 'a>> {
    let mut grids = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let Some(name) = group.points.iter().flat_map(|p| &p.cells).find_map(|c| preset(&c.source)) else {
            continue;
        };
        let mut placed: Vec<Placed<'g, 'a>> = group.points.iter().filter_map(placed).collect();
        while let Some(rest) = placed.first().map(|p| p.rest.clone()) {
            let (of_grid, others): (Vec<_>, Vec<_>) = placed.into_iter().partition(|p| p.rest == rest);
            placed = others;
            grids.extend(grid(index, name, &of_grid));
        }
    }
    grids
}

/// The key of a curve is its point without label and threads.
fn placed<'g, 'a>(point: &'g PointCells<'a>) -> Option<Placed<'g, 'a>> {
    let mut rest: Point = serde_json::from_str(point.curve_key).ok()?;
    if rest.schedule != Schedule::Steady || rest.arrivals != Arrivals::Closed {
        return None;
    }
    let [role] = rest.roles.as_mut_slice() else { return None };
    let constant = record::Distribution::Constant { ns: 0 };
    let hold = std::mem::replace(&mut role.hold, constant);
    let think = std::mem::replace(&mut role.think, constant);
    let kinds = format!("{:?}", (std::mem::discriminant(&hold), std::mem::discriminant(&think)));
    let rest = format!("{kinds} {}", serde_json::to_string(&rest).ok()?);
    Some(Placed { point, hold_ns: hold.mean_ns() as u64, think_ns: think.mean_ns() as u64, rest })
}

fn grid<'g, 'a>(group: usize, preset: &'a str, placed: &[Placed<'g, 'a>]) -> Option<Grid<'g, 'a>> {
    let values = |of: fn(&Placed<'g, 'a>) -> u64| {
        let mut values: Vec<u64> = placed.iter().map(of).collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    let (holds_ns, thinks_ns) = (values(|p| p.hold_ns), values(|p| p.think_ns));
    let threads = values(|p| p.point.threads as u64);
    let plane = |threads: u64| Plane {
        threads: threads as usize,
        points: placed
            .iter()
            .filter(|p| p.point.threads as u64 == threads)
            .filter_map(|p| {
                let hold = holds_ns.binary_search(&p.hold_ns).ok()?;
                Some((hold, thinks_ns.binary_search(&p.think_ns).ok()?, p.point))
            })
            .collect(),
    };
    // A single thread has nobody to win against: those points say who is cheap, not who scales.
    let planes: Vec<Plane<'g, 'a>> = threads.into_iter().map(plane).filter(|p| p.points.len() > 3).collect();
    (holds_ns.len() > 1 && thinks_ns.len() > 1 && !planes.is_empty()).then(|| Grid {
        group,
        preset,
        workload: placed[0].point.workload,
        holds_ns,
        thinks_ns,
        planes,
    })
}
