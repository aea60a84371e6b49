//! Operations and waiting threads over time.
//!
//! Each worker keeps one [`Bin`] for each ms of the clock, so that the bins of different workers line up. An operation
//! counts in the bin in which it acquired; its wait is spread over the bins that it touches.

/// Length of a bin.
pub const BIN_NS: u64 = 1_000_000;
/// Bins of one worker and slice: what happens later in a slice, after about four minutes, is in no bin.
pub const BINS_MAX: usize = 1 << 18;

/// One worker in one ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bin {
    /// Operations that acquired.
    pub ops: u64,
    /// Time spent waiting.
    pub wait_ns: u64,
}

/// The bins of one worker in one slice.
#[derive(Clone, Debug)]
pub struct Bins {
    /// Number of the first bin: its begin on the clock is this times [`BIN_NS`].
    first: u64,
    bins: Vec<Bin>,
}

impl Bins {
    /// No bins yet; the first is the one that holds `now_ns`.
    pub fn new(now_ns: u64) -> Self {
        Bins { first: now_ns / BIN_NS, bins: Vec::with_capacity(1024) }
    }

    /// Forgets everything; the first bin is the one that holds `now_ns`. The memory stays.
    pub fn restart(&mut self, now_ns: u64) {
        self.bins.clear();
        self.first = now_ns / BIN_NS;
    }

    /// Takes note of operations that asked and acquired within the bin of this number.
    pub fn add(&mut self, number: u64, ops: u64, wait_ns: u64) {
        if ops > 0
            && let Some(bin) = self.bin(number)
        {
            bin.ops += ops;
            bin.wait_ns += wait_ns;
        }
    }

    /// Takes note of an operation that asked and acquired at these times.
    pub fn operation(&mut self, request_ns: u64, acquired_ns: u64) {
        let last = acquired_ns / BIN_NS;
        for number in request_ns / BIN_NS..=last.max(request_ns / BIN_NS) {
            let begin_ns = (number * BIN_NS).max(request_ns);
            let end_ns = ((number + 1) * BIN_NS).min(acquired_ns);
            if let Some(bin) = self.bin(number) {
                bin.wait_ns += end_ns.saturating_sub(begin_ns);
            } else if number > self.first {
                break;
            }
        }
        if let Some(bin) = self.bin(last) {
            bin.ops += 1;
        }
    }

    fn bin(&mut self, number: u64) -> Option<&mut Bin> {
        let index =
            usize::try_from(number.checked_sub(self.first)?).ok().filter(|&index| index < BINS_MAX)?;
        if index >= self.bins.len() {
            self.bins.resize(index + 1, Bin::default());
        }
        self.bins.get_mut(index)
    }

    /// The bin of this number; an empty one where nothing happened.
    pub fn get(&self, number: u64) -> Bin {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.bins.get(index)).copied().unwrap_or_default()
    }
}

/// Mean number of waiting threads in each bin of a slice from `start_ns` to `end_ns`. `bin_ns` is a multiple of
/// [`BIN_NS`]; the first and the last bin count only for their part of the slice.
pub fn waiters_over_time(workers: &[&Bins], start_ns: u64, end_ns: u64, bin_ns: u64) -> Vec<f64> {
    let step = (bin_ns / BIN_NS).max(1);
    let mut means = Vec::new();
    let mut number = start_ns / BIN_NS;
    while number * BIN_NS < end_ns && means.len() < BINS_MAX {
        let until = number + step;
        let each = |worker: &&Bins| (number..until).map(|n| worker.get(n).wait_ns).sum::<u64>();
        let wait_ns: u64 = workers.iter().map(each).sum();
        let length_ns = (until * BIN_NS).min(end_ns) - (number * BIN_NS).max(start_ns);
        // Waits reach beyond the slice: in a bin that it has little of, they may add up to more than there are workers.
        means.push((wait_ns as f64 / length_ns as f64).min(workers.len() as f64));
        number = until;
    }
    means
}

/// The largest number of intervals that cover one moment. An interval that ends when another begins does not meet it.
pub fn most_at_once(intervals: &[(u64, u64)]) -> u32 {
    let longer = intervals.iter().filter(|(begin, end)| begin < end);
    // An end sorts before a begin at the same moment.
    let mut edges: Vec<(u64, bool)> =
        longer.flat_map(|&(begin, end)| [(begin, true), (end, false)]).collect();
    edges.sort_unstable();
    let (mut now, mut most) = (0_u32, 0_u32);
    for (_, begins) in edges {
        if begins {
            now += 1;
            most = most.max(now);
        } else {
            now -= 1;
        }
    }
    most
}
