//! How long a plan takes, and how to make it take as long as asked.

use record::is_simulated;
use record::run::PlannedCell;

use crate::axes::SPAN_NS_MAX;
use crate::diagnose::{Error, Result};
use crate::simulated;
use crate::suite::Suite;

/// From the start of a process until its workers exist, and from their end to its own, in ms.
const PROCESS_MS: f64 = 12.0;
/// Measuring how many cycles of work take a ns, in ms.
const CALIBRATION_MS: f64 = 5.0;
/// A turn of a thread on a shared core, in ms: a slice opens when every worker has had one.
const TURN_MS: f64 = 3.0;
/// Shortest slice that `--seconds` may lead to, in ns.
const SLICE_NS_MIN: f64 = 100_000.0;

impl Suite {
    /// How long `cells` are expected to take on `cores`, in ms: measured ones one after the other, simulated ones side by
    /// side.
    pub fn expected_ms(cells: &[PlannedCell], cores: usize) -> f64 {
        cells.iter().map(|cell| fixed_ms(cell, cores) + stretch_ms(cell, cores)).sum()
    }
}

/// What a cell costs however short its slices are.
fn fixed_ms(cell: &PlannedCell, cores: usize) -> f64 {
    if is_simulated(&cell.machine) {
        return cell.launches.len() as f64 * PROCESS_MS / cores.max(1) as f64;
    }
    let turns = cell.point.threads().div_ceil(cores_used(cell, cores)).saturating_sub(1);
    let opening_ms = turns as f64 * TURN_MS * f64::from(cell.slices + 1);
    cell.launches.len() as f64 * (PROCESS_MS + CALIBRATION_MS + opening_ms)
}

/// The slices of all its launches.
fn stretch_ms(cell: &PlannedCell, cores: usize) -> f64 {
    let launch_ns = f64::from(cell.slices) * cell.slice_ns as f64 + cell.warmup_ns as f64;
    // Simulated launches run side by side.
    let rate = if is_simulated(&cell.machine) {
        simulated::host_ns_per_ns(&cell.point) / cores.max(1) as f64
    } else {
        1.0
    };
    cell.launches.len() as f64 * launch_ns / 1e6 * rate
}

fn cores_used(cell: &PlannedCell, cores: usize) -> usize {
    let pinned = cell.cpus.iter().collect::<std::collections::BTreeSet<_>>().len();
    if pinned == 0 { cores.max(1) } else { pinned.min(cores.max(1)) }
}

/// Stretches all slices by one factor, so that the whole takes `seconds`.
pub(crate) fn scale(cells: &mut [PlannedCell], cores: usize, seconds: f64) -> Result<()> {
    let fixed_ms: f64 = cells.iter().map(|cell| fixed_ms(cell, cores)).sum();
    let stretch: f64 = cells.iter().map(|cell| stretch_ms(cell, cores)).sum();
    let factor = (seconds * 1e3 - fixed_ms) / stretch.max(f64::MIN_POSITIVE);
    let shortest_ns = cells.iter().map(|cell| cell.slice_ns).min().unwrap_or(1) as f64;
    let longest_ns = cells.iter().map(|cell| cell.slice_ns).max().unwrap_or(1) as f64;
    if factor.is_nan() || factor * shortest_ns < SLICE_NS_MIN {
        let launches: usize = cells.iter().map(|cell| cell.launches.len()).sum();
        let least_s = (fixed_ms + stretch * SLICE_NS_MIN / shortest_ns) / 1e3;
        let message = format_args!(
            "{launches} launches need at least {least_s:.1} s, found {seconds}: allow more, or use --filter or --launches"
        );
        return Err(Error::about("--seconds", message));
    }
    if factor * longest_ns > SPAN_NS_MAX as f64 {
        return Err(Error::about("--seconds", format_args!("{seconds} s makes slices longer than an hour")));
    }
    for cell in cells {
        cell.slice_ns = (cell.slice_ns as f64 * factor) as u64;
        cell.warmup_ns = (cell.warmup_ns as f64 * factor) as u64;
    }
    Ok(())
}
