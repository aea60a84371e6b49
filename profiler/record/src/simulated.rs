//! What a simulated launch knows exactly: where every cycle went, and which trace it was.

use serde::{Deserialize, Serialize};

/// Sums over all workers and measured slices of a launch on a simulated machine. Everything is exact: a model has no
/// noise. How well the model fits a real machine is another question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulated {
    /// Name of the preset.
    pub preset: String,
    /// First 12 hexadecimal digits of SHA-256 of the preset's text, as the run's manifest keeps it.
    pub preset_hash: String,
    /// Cycles in a microsecond.
    pub clock_mhz: u32,
    /// Hardware threads.
    pub cores: u32,
    /// Hash over every operation and every decision of the scheduler, 16 hexadecimal digits: launches with equal hashes
    /// did the same, cycle by cycle.
    pub trace_hash: String,
    /// Where the workers' cycles went.
    pub ledger: CycleLedger,
}

/// Cycles of all workers by what they did and what it went into. The parts sum to `span_cycles` without remainder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CycleLedger {
    /// From each worker's first run to its end, summed over workers and slices: the stretch that the scheduler's account
    /// covers, a little more than the measured one.
    pub span_cycles: u64,
    /// Acquires in it.
    pub acquires: u64,
    /// Neither waiting nor holding.
    pub think: CycleParts,
    /// From asking to having.
    pub wait: CycleParts,
    /// From having to giving back.
    pub hold: CycleParts,
}

/// What cycles went into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CycleParts {
    /// Instructions of its own: private work, hits, everything not named below.
    pub work_cycles: u64,
    /// A request waited until the line was free.
    pub queue_cycles: u64,
    /// A line was on its way from another core or from memory; or a request to a shared cache was, there and back.
    pub transfer_cycles: u64,
    /// The copies of others were being taken away.
    pub invalidation_cycles: u64,
    /// Polling.
    pub spin_cycles: u64,
    /// Asleep.
    pub park_cycles: u64,
    /// Ready, while another thread ran on its core.
    pub run_queue_cycles: u64,
    /// Woken, while its idle core started up.
    pub wake_cycles: u64,
    /// In the kernel: system calls, switches, queues at a futex bucket.
    pub kernel_cycles: u64,
    /// Of a wait by polling or sleeping: the holder was not on a core.
    pub holder_preempted_cycles: u64,
    /// Of a wait: from a wake-up to finding that somebody else had been faster.
    pub lost_race_cycles: u64,
}

impl CycleParts {
    /// Each part with its name, in the order of the tables.
    pub fn named(&self) -> [(&'static str, u64); 11] {
        [
            ("work", self.work_cycles),
            ("queue", self.queue_cycles),
            ("transfer", self.transfer_cycles),
            ("invalidation", self.invalidation_cycles),
            ("spin", self.spin_cycles),
            ("park", self.park_cycles),
            ("run queue", self.run_queue_cycles),
            ("wake", self.wake_cycles),
            ("kernel", self.kernel_cycles),
            ("holder preempted", self.holder_preempted_cycles),
            ("lost race", self.lost_race_cycles),
        ]
    }

    /// All parts together.
    pub fn sum_cycles(&self) -> u64 {
        self.named().iter().map(|(_, cycles)| cycles).sum()
    }
}

impl CycleLedger {
    /// All parts of all phases together.
    pub fn sum_cycles(&self) -> u64 {
        self.think.sum_cycles() + self.wait.sum_cycles() + self.hold.sum_cycles()
    }
}

/// Whether a machine of a record, a plan or a spec is simulated.
pub fn is_simulated(machine: &str) -> bool {
    machine.starts_with("sim:")
}
