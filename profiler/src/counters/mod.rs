//! Counters of this process and of the threads that it starts afterwards: software events and tracepoints of the
//! kernel, and the processor's own.
//!
//! [`Counters::open`] never fails: what cannot be had becomes a [`Reading::Absent`] with the reason. Counters are opened
//! before threads are spawned, which inherit them, and are switched on around each measured slice.
//!
//! Events of one group run on the hardware at the same time, so that their ratios mean something; where the processor
//! has too few counters the kernel shares them out, and values are scaled by the share of time in which they ran. The
//! processor's counters count user mode, for which ordinary users need no permission; software events count all.

mod reason;
mod source;

#[cfg(target_os = "linux")]
mod perf;
#[cfg(target_os = "linux")]
mod usage;

use std::collections::BTreeMap;

use record::{Reading, Tier};

pub use reason::{Refusal, paranoid_level, remedy};
pub use source::{Count, CountedEvent, EventHandle, EventSource};

/// Events that are opened together.
const GROUPS: &[&[CountedEvent]] = &[
    &[CountedEvent::Cycles, CountedEvent::Instructions],
    &[CountedEvent::CacheReferences, CountedEvent::CacheMisses],
    &[CountedEvent::L1dReadMisses, CountedEvent::LlcReadMisses],
    &[CountedEvent::ContextSwitches],
    &[CountedEvent::CpuMigrations],
    &[CountedEvent::PageFaults],
    &[CountedEvent::TaskClockNs],
    &[CountedEvent::FutexCalls],
];

/// All counters, each open or absent with a reason.
pub struct Counters {
    groups: Vec<Vec<Member>>,
}

struct Member {
    event: CountedEvent,
    state: Result<Box<dyn EventHandle>, String>,
}

impl Counters {
    /// Opens everything that this computer offers.
    #[cfg(target_os = "linux")]
    pub fn open() -> Counters {
        let mut counters = Counters::open_from(&mut perf::Perf);
        counters.fall_back(&mut usage::Usage);
        counters
    }

    /// Nothing can be opened on this system.
    #[cfg(not(target_os = "linux"))]
    pub fn open() -> Counters {
        Counters::open_from(&mut source::Nowhere)
    }

    /// Opens everything that `source` offers.
    pub fn open_from(source: &mut dyn EventSource) -> Counters {
        let pmu = std::cell::Cell::new(false);
        let group = |events: &&[CountedEvent]| -> Vec<Member> {
            let opened = source.open(events);
            let members = events.iter().zip(opened).map(|(&event, outcome)| {
                pmu.set(pmu.get() || outcome.is_ok() && event.tier() == Tier::MeasuredPmu);
                Member { event, state: outcome.map_err(|refusal| refusal.reason(event, pmu.get())) }
            });
            members.collect()
        };
        Counters { groups: GROUPS.iter().map(group).collect() }
    }

    /// Asks `source` for what is absent so far; who fails again keeps the first reason.
    fn fall_back(&mut self, source: &mut dyn EventSource) {
        for member in self.groups.iter_mut().flatten().filter(|member| member.state.is_err()) {
            if let Some(Ok(handle)) = source.open(&[member.event]).into_iter().next() {
                member.state = Ok(handle);
            }
        }
    }

    /// Counting begins, or goes on.
    pub fn enable(&mut self) {
        // The leader last: the group starts with it.
        self.switch(|group, act| group.iter_mut().rev().for_each(act), |handle| handle.enable());
    }

    /// Counting pauses.
    pub fn disable(&mut self) {
        // The leader first: the group stops with it.
        self.switch(|group, act| group.iter_mut().for_each(act), |handle| handle.disable());
    }

    fn switch(
        &mut self,
        visit: impl Fn(&mut Vec<Member>, &mut dyn FnMut(&mut Member)),
        act: impl Fn(&mut dyn EventHandle) -> std::io::Result<()>,
    ) {
        for group in &mut self.groups {
            visit(group, &mut |member| {
                let Ok(handle) = &mut member.state else { return };
                if let Err(error) = act(handle.as_mut()) {
                    member.state = Err(format!("could not be switched: {error}"));
                }
            });
        }
    }

    /// What was counted while counting was on, by the name of the event.
    pub fn read(&mut self) -> BTreeMap<String, Reading> {
        let members = self.groups.iter_mut().flatten();
        members.map(|member| (member.event.name().to_owned(), member.read())).collect()
    }
}

/// `mounted`, or why tracepoints cannot be found.
#[cfg(target_os = "linux")]
pub(crate) fn tracefs() -> String {
    match perf::futex_tracepoint() {
        Ok(_) => "mounted".to_owned(),
        Err(refusal) => refusal.reason(CountedEvent::FutexCalls, false),
    }
}

impl Member {
    fn read(&mut self) -> Reading {
        let count = match &mut self.state {
            Ok(handle) => handle.read().map_err(|error| format!("could not be read: {error}")),
            Err(reason) => Err(reason.clone()),
        };
        match count {
            Ok(count) => count.reading(self.event.tier()),
            Err(absent) => Reading::Absent { absent },
        }
    }
}
