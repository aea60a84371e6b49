//! What is counted, and the trait of those who can count it.

use std::io;

use record::{Reading, Tier};

use super::reason::Refusal;

/// An event with a stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountedEvent {
    /// Processor cycles in user mode.
    Cycles,
    /// Instructions retired in user mode.
    Instructions,
    /// Accesses to the last level of cache, as the processor defines it, in user mode.
    CacheReferences,
    /// Those that missed.
    CacheMisses,
    /// Reads that missed the first level of data cache, in user mode.
    L1dReadMisses,
    /// Reads that missed the last level of cache, in user mode.
    LlcReadMisses,
    /// Switches of a core from one of our threads to another thread.
    ContextSwitches,
    /// Moves of a thread to another core.
    CpuMigrations,
    /// Page faults, minor and major.
    PageFaults,
    /// Futex system calls.
    FutexCalls,
    /// Time on a core, ns.
    TaskClockNs,
}

impl CountedEvent {
    /// All of them.
    pub const ALL: [CountedEvent; 11] = [
        CountedEvent::Cycles,
        CountedEvent::Instructions,
        CountedEvent::CacheReferences,
        CountedEvent::CacheMisses,
        CountedEvent::L1dReadMisses,
        CountedEvent::LlcReadMisses,
        CountedEvent::ContextSwitches,
        CountedEvent::CpuMigrations,
        CountedEvent::PageFaults,
        CountedEvent::FutexCalls,
        CountedEvent::TaskClockNs,
    ];

    /// The name in records; it never changes.
    pub const fn name(self) -> &'static str {
        match self {
            CountedEvent::Cycles => "cycles",
            CountedEvent::Instructions => "instructions",
            CountedEvent::CacheReferences => "cache_references",
            CountedEvent::CacheMisses => "cache_misses",
            CountedEvent::L1dReadMisses => "l1d_read_misses",
            CountedEvent::LlcReadMisses => "llc_read_misses",
            CountedEvent::ContextSwitches => "context_switches",
            CountedEvent::CpuMigrations => "cpu_migrations",
            CountedEvent::PageFaults => "page_faults",
            CountedEvent::FutexCalls => "futex_calls",
            CountedEvent::TaskClockNs => "task_clock_ns",
        }
    }

    /// Who counts it.
    pub const fn tier(self) -> Tier {
        match self {
            CountedEvent::Cycles
            | CountedEvent::Instructions
            | CountedEvent::CacheReferences
            | CountedEvent::CacheMisses
            | CountedEvent::L1dReadMisses
            | CountedEvent::LlcReadMisses => Tier::MeasuredPmu,
            CountedEvent::ContextSwitches
            | CountedEvent::CpuMigrations
            | CountedEvent::PageFaults
            | CountedEvent::FutexCalls
            | CountedEvent::TaskClockNs => Tier::MeasuredOs,
        }
    }
}

/// Opens events.
pub trait EventSource {
    /// Opens `group` so that its events count at the same time; one outcome for each event, in order. The first that
    /// opens leads: the others count only while it does.
    fn open(&mut self, group: &[CountedEvent]) -> Vec<Result<Box<dyn EventHandle>, Refusal>>;
}

/// One open event, switched off at first.
pub trait EventHandle: Send {
    /// Counting begins, or goes on.
    fn enable(&mut self) -> io::Result<()>;
    /// Counting pauses.
    fn disable(&mut self) -> io::Result<()>;
    /// What was counted so far.
    fn read(&mut self) -> io::Result<Count>;
}

/// A raw count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// As the counter stands.
    pub value: u64,
    /// Time for which it was switched on, summed over threads, ns.
    pub time_enabled_ns: u64,
    /// Time for which it really counted, ns.
    pub time_running_ns: u64,
}

impl Count {
    /// The count scaled to the whole time, with the share that was seen; absent when nothing was seen.
    pub fn reading(&self, tier: Tier) -> Reading {
        let absent = |reason: &str| Reading::Absent { absent: reason.to_owned() };
        if self.time_enabled_ns == 0 {
            return absent("never switched on");
        }
        if self.time_running_ns == 0 {
            return absent("never had the hardware: other users of the processor's counters kept it");
        }
        if self.time_running_ns >= self.time_enabled_ns {
            return Reading::Present { value: self.value, tier, running_share: None };
        }
        let scaled =
            u128::from(self.value) * u128::from(self.time_enabled_ns) / u128::from(self.time_running_ns);
        let share = self.time_running_ns as f64 / self.time_enabled_ns as f64;
        let value = u64::try_from(scaled).unwrap_or(u64::MAX);
        Reading::Present { value, tier, running_share: Some(share) }
    }
}

/// A source for systems where nothing can be counted.
#[cfg(not(target_os = "linux"))]
pub(super) struct Nowhere;

#[cfg(not(target_os = "linux"))]
impl EventSource for Nowhere {
    fn open(&mut self, group: &[CountedEvent]) -> Vec<Result<Box<dyn EventHandle>, Refusal>> {
        group.iter().map(|_| Err(Refusal::NoPerfEvents)).collect()
    }
}
