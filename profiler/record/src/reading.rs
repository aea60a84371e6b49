//! A number that says where it comes from, or why it is missing.

use serde::{Deserialize, Serialize};

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The processor's counters.
    MeasuredPmu,
    /// The operating system's account: software events, tracepoints, rusage, the scheduler.
    MeasuredOs,
    /// This project's own clocks and probes.
    MeasuredProbe,
    /// A simulated machine.
    Simulated,
}

impl Tier {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::MeasuredPmu => "measured-pmu",
            Tier::MeasuredOs => "measured-os",
            Tier::MeasuredProbe => "measured-probe",
            Tier::Simulated => "simulated",
        }
    }
}

/// A counter's value with its tier, or the reason of its absence: absent is never zero.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reading {
    /// It was read.
    Present {
        /// What it counted.
        value: u64,
        /// Where it comes from.
        tier: Tier,
        /// Share of the time that it really counted, if the kernel had to share the hardware: the value is scaled by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        running_share: Option<f64>,
    },
    /// It could not be had.
    Absent {
        /// Why: "no PMU", "not permitted (EACCES, perf_event_paranoid is 2)", ...
        absent: String,
    },
}

impl Reading {
    /// The value, if there is one.
    pub fn value(&self) -> Option<u64> {
        match self {
            Reading::Present { value, .. } => Some(*value),
            Reading::Absent { .. } => None,
        }
    }
}
