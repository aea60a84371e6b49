//! Why a counter is absent, in words: reasons with different remedies read differently.

use std::io;

use record::Tier;

use super::source::CountedEvent;

/// How opening an event failed.
#[derive(Debug)]
pub enum Refusal {
    /// The kernel refused the event.
    Kernel {
        /// With this error.
        error: io::Error,
        /// `perf_event_paranoid`, if it can be read.
        paranoid: Option<i32>,
    },
    /// The tracing file system, which tells the ids of tracepoints, is not there.
    NoTracefs,
    /// It is there, but the id could not be read.
    TracepointId(io::Error),
    /// The kernel offers no such tracepoint.
    NoTracepoint(String),
    /// The source does not know the event.
    NotOffered,
    /// The operating system has no perf events.
    NoPerfEvents,
}

impl Refusal {
    /// The reason in a record. `pmu` tells whether another event of the processor could be opened.
    pub fn reason(&self, event: CountedEvent, pmu: bool) -> String {
        match self {
            Refusal::Kernel { error, paranoid } => kernel(error, *paranoid, event, pmu),
            Refusal::NoTracefs => "tracefs is not mounted".to_owned(),
            Refusal::TracepointId(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                "not permitted (EACCES; tracefs may be read by root only)".to_owned()
            }
            Refusal::TracepointId(error) => format!("the tracepoint's id cannot be read ({error})"),
            Refusal::NoTracepoint(name) => format!("the kernel has no tracepoint {name}"),
            Refusal::NotOffered => "not offered here".to_owned(),
            Refusal::NoPerfEvents => "no perf events on this operating system".to_owned(),
        }
    }
}

fn kernel(error: &io::Error, paranoid: Option<i32>, event: CountedEvent, pmu: bool) -> String {
    let code = error.raw_os_error().unwrap_or(0);
    let level = paranoid.map_or("perf_event_paranoid is unknown".to_owned(), |level| {
        format!("perf_event_paranoid is {level}")
    });
    match code {
        libc::EACCES => format!("not permitted (EACCES; {level})"),
        libc::EPERM => format!("not permitted (EPERM; {level})"),
        libc::ENOSYS => "the kernel is built without perf events (ENOSYS)".to_owned(),
        libc::EMFILE => "too many open files (EMFILE)".to_owned(),
        libc::EBUSY => "another user holds the processor's counters (EBUSY)".to_owned(),
        libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP if event.tier() == Tier::MeasuredPmu => {
            let name = match code {
                libc::ENOENT => "ENOENT",
                libc::ENODEV => "ENODEV",
                _ => "EOPNOTSUPP",
            };
            if pmu { format!("the PMU has no such event ({name})") } else { format!("no PMU ({name})") }
        }
        _ => format!("the kernel refused it ({error})"),
    }
}

/// What ordinary users may measure: 2 and above, only their own code in user mode; `None` where it cannot be read.
pub fn paranoid_level() -> Option<i32> {
    std::fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").ok()?.trim().parse().ok()
}

/// What helps against the reason of an absence, as far as anything does: words for the person who may do it.
pub fn remedy(absent: &str) -> Option<&'static str> {
    let remedies = [
        ("no PMU", "run on a computer with performance counters, or let the hypervisor pass them on"),
        (
            "not permitted (EACCES; tracefs",
            "run as root, or as root: mount -o remount,mode=755 /sys/kernel/tracing",
        ),
        ("not permitted", "run as root, with CAP_PERFMON, or as root: sysctl kernel.perf_event_paranoid=1"),
        ("tracefs is not mounted", "as root: mount -t tracefs tracefs /sys/kernel/tracing"),
        ("the kernel has no tracepoint", "a kernel built with CONFIG_FTRACE_SYSCALLS"),
        ("the kernel is built without", "a kernel built with CONFIG_PERF_EVENTS"),
        ("too many open files", "raise the limit: ulimit -n 1024"),
        (
            "another user holds",
            "end the other profiler, or the kernel's NMI watchdog: sysctl kernel.nmi_watchdog=0",
        ),
        (
            "never had the hardware",
            "end the other profiler, or the kernel's NMI watchdog: sysctl kernel.nmi_watchdog=0",
        ),
    ];
    remedies.into_iter().find(|(reason, _)| absent.starts_with(reason)).map(|(_, remedy)| remedy)
}
