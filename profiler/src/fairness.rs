//! Jain's fairness index (Jain, Chiu, Hawe 1984) over windows of growing size.
//!
//! A lock may be fair over a second and serve one thread only within each ms: the index of small windows shows that.

use record::profile::Window;

use crate::timeline::{BIN_NS, Bins};

/// (sum of x)^2 / (n x sum of x^2): 1 when all get the same, 1/n when one gets everything; `None` when nobody gets
/// anything.
pub fn jain(shares: &[u64]) -> Option<f64> {
    let sum: f64 = shares.iter().map(|&x| x as f64).sum();
    let squares: f64 = shares.iter().map(|&x| x as f64 * x as f64).sum();
    (squares > 0.0).then(|| sum * sum / (shares.len() as f64 * squares))
}

/// One slice: its bounds on the clock, and the bins of each worker.
pub struct Stretch<'a> {
    /// Begin.
    pub start_ns: u64,
    /// End.
    pub end_ns: u64,
    /// Bins of each worker.
    pub workers: Vec<&'a Bins>,
}

/// The index for windows of 1, 2, 5, 10, ... ms, as long as a window fits into a slice, and for the whole run: all
/// operations of each worker together. Windows lie side by side and whole within a slice.
pub fn windows(stretches: &[Stretch<'_>], ops_per_worker: &[u64], span_ns: u64) -> Vec<Window> {
    let mut windows = Vec::new();
    for bins in (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.saturating_pow(power))) {
        let indices: Vec<f64> = stretches.iter().flat_map(|stretch| indices(stretch, bins)).collect();
        // Nothing fits any more, or there is no operation at all.
        if indices.is_empty() {
            break;
        }
        let jain_mean = indices.iter().sum::<f64>() / indices.len() as f64;
        windows.push(Window { window_ns: bins * BIN_NS, jain_mean });
    }
    if let Some(whole) = jain(ops_per_worker) {
        windows.push(Window { window_ns: span_ns, jain_mean: whole });
    }
    windows
}

fn indices(stretch: &Stretch<'_>, bins: u64) -> Vec<f64> {
    let (first, end) = (stretch.start_ns.div_ceil(BIN_NS), stretch.end_ns / BIN_NS);
    let count = end.saturating_sub(first) / bins;
    let ops = |window: u64| -> Vec<u64> {
        let begin = first + window * bins;
        stretch.workers.iter().map(|w| (begin..begin + bins).map(|n| w.get(n).ops).sum()).collect()
    };
    (0..count).filter_map(|window| jain(&ops(window))).collect()
}
