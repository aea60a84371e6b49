//! What `getrusage` knows of the whole process: a substitute where perf events are not permitted.

use std::io;
use std::time::Instant;

use super::reason::Refusal;
use super::source::{Count, CountedEvent, EventHandle, EventSource};
use crate::account::usage;

/// `getrusage` of this process.
pub(super) struct Usage;

impl EventSource for Usage {
    fn open(&mut self, group: &[CountedEvent]) -> Vec<Result<Box<dyn EventHandle>, Refusal>> {
        let open = |&event: &CountedEvent| match now(event) {
            Some(_) => Ok(Box::new(Window { event, counted: 0, enabled_ns: 0, since: None }) as _),
            None => Err(Refusal::NotOffered),
        };
        group.iter().map(open).collect()
    }
}

/// The amount since the process began; `None` if `getrusage` does not know the event.
fn now(event: CountedEvent) -> Option<u64> {
    let usage = usage(libc::RUSAGE_SELF)?;
    let whole = |count: libc::c_long| u64::try_from(count).unwrap_or(0);
    let ns = |time: libc::timeval| whole(time.tv_sec) * 1_000_000_000 + whole(time.tv_usec) * 1_000;
    match event {
        CountedEvent::ContextSwitches => Some(whole(usage.ru_nvcsw) + whole(usage.ru_nivcsw)),
        CountedEvent::PageFaults => Some(whole(usage.ru_minflt) + whole(usage.ru_majflt)),
        CountedEvent::TaskClockNs => Some(ns(usage.ru_utime) + ns(usage.ru_stime)),
        _ => None,
    }
}

/// Sums the differences between switching on and off.
struct Window {
    event: CountedEvent,
    counted: u64,
    enabled_ns: u64,
    since: Option<(u64, Instant)>,
}

impl Window {
    fn so_far(&self) -> Count {
        let mut count = Count { value: self.counted, time_enabled_ns: self.enabled_ns, time_running_ns: 0 };
        if let (Some((then, since)), Some(now)) = (self.since, now(self.event)) {
            count.value += now.saturating_sub(then);
            count.time_enabled_ns += since.elapsed().as_nanos() as u64;
        }
        count.time_running_ns = count.time_enabled_ns;
        count
    }
}

impl EventHandle for Window {
    fn enable(&mut self) -> io::Result<()> {
        if self.since.is_none() {
            self.since = now(self.event).map(|count| (count, Instant::now()));
        }
        Ok(())
    }
    fn disable(&mut self) -> io::Result<()> {
        let count = self.so_far();
        (self.counted, self.enabled_ns, self.since) = (count.value, count.time_enabled_ns, None);
        Ok(())
    }
    fn read(&mut self) -> io::Result<Count> {
        Ok(self.so_far())
    }
}
