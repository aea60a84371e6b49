//! Linux perf events.

use std::io;
use std::path::Path;

use perf_event::events::{Cache, CacheId, CacheOp, CacheResult, Hardware, Software, Tracepoint};
use perf_event::{Builder, Counter};

use super::reason::{Refusal, paranoid_level};
use super::source::{Count, CountedEvent, EventHandle, EventSource};

/// Where the tracing file system is mounted, newer place first.
const TRACING: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
const FUTEX: &str = "syscalls/sys_enter_futex";

/// The kernel.
pub(super) struct Perf;

impl EventSource for Perf {
    fn open(&mut self, group: &[CountedEvent]) -> Vec<Result<Box<dyn EventHandle>, Refusal>> {
        let mut opened: Vec<Result<Counter, Refusal>> = Vec::new();
        for &event in group {
            let leader = opened.iter_mut().find_map(|outcome| outcome.as_mut().ok());
            let counter = builder(event).and_then(|mut builder| {
                builder.inherit(true);
                let counter = match leader {
                    Some(leader) => builder.build_with_group(leader),
                    None => builder.build(),
                };
                counter.map_err(|error| Refusal::Kernel { error, paranoid: paranoid_level() })
            });
            opened.push(counter);
        }
        opened.into_iter().map(|outcome| outcome.map(|counter| Box::new(Opened(counter)) as _)).collect()
    }
}

fn builder(event: CountedEvent) -> Result<Builder<'static>, Refusal> {
    let cache = |which| Cache { which, operation: CacheOp::READ, result: CacheResult::MISS };
    Ok(match event {
        CountedEvent::Cycles => Builder::new(Hardware::CPU_CYCLES),
        CountedEvent::Instructions => Builder::new(Hardware::INSTRUCTIONS),
        CountedEvent::CacheReferences => Builder::new(Hardware::CACHE_REFERENCES),
        CountedEvent::CacheMisses => Builder::new(Hardware::CACHE_MISSES),
        CountedEvent::L1dReadMisses => Builder::new(cache(CacheId::L1D)),
        CountedEvent::LlcReadMisses => Builder::new(cache(CacheId::LL)),
        CountedEvent::ContextSwitches => with_kernel(Builder::new(Software::CONTEXT_SWITCHES)),
        CountedEvent::CpuMigrations => with_kernel(Builder::new(Software::CPU_MIGRATIONS)),
        CountedEvent::PageFaults => with_kernel(Builder::new(Software::PAGE_FAULTS)),
        CountedEvent::TaskClockNs => with_kernel(Builder::new(Software::TASK_CLOCK)),
        CountedEvent::FutexCalls => with_kernel(Builder::new(Tracepoint::with_id(futex_tracepoint()?))),
    })
}

/// Switches and migrations happen in the kernel: without it these events count nothing at all.
fn with_kernel(mut builder: Builder<'static>) -> Builder<'static> {
    builder.include_kernel();
    builder
}

fn tracepoint_id(name: &str) -> Result<u64, Refusal> {
    let events = |root: &&&str| Path::new(root).join("events").exists();
    let root = TRACING.iter().find(events);
    // Without permission the folder looks as if it were not there.
    let Some(root) = root else {
        let denied = TRACING.iter().filter_map(|root| std::fs::read_dir(root).err());
        let denied = denied.into_iter().find(|error| error.kind() == io::ErrorKind::PermissionDenied);
        return Err(denied.map_or(Refusal::NoTracefs, Refusal::TracepointId));
    };
    let file = Path::new(root).join("events").join(name).join("id");
    match std::fs::read_to_string(file) {
        Ok(id) => id.trim().parse().map_err(|_| Refusal::NoTracepoint(name.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Refusal::NoTracepoint(name.to_owned())),
        Err(error) => Err(Refusal::TracepointId(error)),
    }
}

/// The id of the tracepoint at the entry of the futex call.
pub(super) fn futex_tracepoint() -> Result<u64, Refusal> {
    tracepoint_id(FUTEX)
}

struct Opened(Counter);

impl EventHandle for Opened {
    fn enable(&mut self) -> io::Result<()> {
        self.0.enable()
    }
    fn disable(&mut self) -> io::Result<()> {
        self.0.disable()
    }
    fn read(&mut self) -> io::Result<Count> {
        let data = self.0.read_full()?;
        let ns = |time: Option<std::time::Duration>| time.map_or(0, |time| time.as_nanos() as u64);
        Ok(Count {
            value: data.count(),
            time_enabled_ns: ns(data.time_enabled()),
            time_running_ns: ns(data.time_running()),
        })
    }
}
