//! How often and how long a simulated cell runs, and what that costs this computer.
//!
//! A simulated launch has no noise: one slice of it says what ten would. What varies is the seed, so each launch has its
//! own, and there are few. A slice is as long as the suite says, unless this computer would need more than
//! [`LAUNCH_MS_MAX`] for it.

use record::run::PlannedCell;
use record::{Arrivals, Point, ProbeMode, Schedule};

/// Launches of a cell, each with a seed of its own, unless the command line says otherwise. As few as tell two designs apart
/// at 95 %: of four values here and four there, the one lot lies below the other by chance twice in 70.
pub const SEEDS: u32 = 4;
/// What this computer may need for a slice, in ms; a cell takes a second at most with the usual number of seeds.
pub const LAUNCH_MS_MAX: f64 = 300.0;
/// No slice is made shorter than this, in ns: starvation mode alone needs one ms to begin.
const SLICE_NS_MIN: u64 = 2_000_000;
/// Time of this computer for a simulated operation on a word, in ns.
const HOST_NS_PER_OPERATION: f64 = 90.0;
/// Operations on words in one operation on a lock, when nobody disturbs.
const OPERATIONS: f64 = 8.0;
/// A line serves so many contended operations in a ns at most.
const LINE_PER_NS: f64 = 0.05;
/// Least time of an operation of a thread that is alone, in ns.
const ALONE_NS: f64 = 15.0;

/// The time that this computer needs to simulate a ns of `point`: a guess within a factor of three.
pub(crate) fn host_ns_per_ns(point: &Point) -> f64 {
    let mut offered = 0.0;
    for role in &point.roles {
        let gap_ns = match point.arrivals {
            Arrivals::Closed => role.think.mean_ns(),
            Arrivals::Fixed { per_thread_per_s } | Arrivals::Poisson { per_thread_per_s } => {
                1e9 / per_thread_per_s.max(1e-3)
            }
        };
        offered += f64::from(role.threads) * OPERATIONS / (gap_ns + role.hold.mean_ns() + ALONE_NS);
    }
    let threads = point.threads() as f64;
    // Of a contended lock, the line of the lock and that of the data are busy, and each waiter looks on.
    let served = if threads > 1.0 { f64::from(point.locks) * LINE_PER_NS * 2.0 } else { f64::INFINITY };
    offered.min(served) * HOST_NS_PER_OPERATION
}

/// Makes a planned cell one of a simulated machine.
pub(crate) fn adapt(cell: &mut PlannedCell, seeds: u32, probe: Option<ProbeMode>) {
    // Looking costs nothing: what is ranked is explained too.
    let probe = if probe == Some(ProbeMode::Off) { ProbeMode::Off } else { ProbeMode::Full };
    cell.launches = vec![probe; seeds as usize];
    cell.slices = 1;
    let most_ns = (LAUNCH_MS_MAX * 1e6 / host_ns_per_ns(&cell.point)) as u64;
    // Whole steps of half a ms read better. A schedule needs its length.
    let most_ns = match cell.point.schedule {
        Schedule::Steady => (most_ns / 500_000 * 500_000).max(SLICE_NS_MIN),
        _ => u64::MAX,
    };
    cell.slice_ns = cell.slice_ns.min(most_ns);
    cell.warmup_ns = cell.warmup_ns.min(cell.slice_ns / 8);
}
