//! The operating system's account of the calling thread: time on a core, time ready but not on one, context switches.

/// Amounts since the thread began, or between two readings. Absent where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Time on a core, ns.
    pub cpu_ns: Option<u64>,
    /// Time ready but not on a core, ns.
    pub run_delay_ns: Option<u64>,
    /// Context switches that the thread asked for, by sleeping.
    pub voluntary_switches: Option<u64>,
    /// Context switches that it suffered.
    pub involuntary_switches: Option<u64>,
}

impl Account {
    /// What has been added since `earlier`.
    pub fn since(&self, earlier: &Account) -> Account {
        let difference = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Account {
            cpu_ns: difference(self.cpu_ns, earlier.cpu_ns),
            run_delay_ns: difference(self.run_delay_ns, earlier.run_delay_ns),
            voluntary_switches: difference(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches: difference(self.involuntary_switches, earlier.involuntary_switches),
        }
    }
}

/// The account of the calling thread up to now. Takes a few us: it is read before and after a slice.
#[cfg(target_os = "linux")]
pub fn thread_account() -> Account {
    let usage = usage(libc::RUSAGE_THREAD);
    let switches = |count: libc::c_long| u64::try_from(count).ok();
    let delay = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    Account {
        cpu_ns: thread_cpu_ns(),
        run_delay_ns: delay.and_then(|text| parse_run_delay(&text)),
        voluntary_switches: usage.and_then(|usage| switches(usage.ru_nvcsw)),
        involuntary_switches: usage.and_then(|usage| switches(usage.ru_nivcsw)),
    }
}

/// The account of the calling thread: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn thread_account() -> Account {
    Account::default()
}

#[cfg(target_os = "linux")]
fn thread_cpu_ns() -> Option<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec through a valid pointer.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let (seconds, ns) = (u64::try_from(time.tv_sec).ok()?, u64::try_from(time.tv_nsec).ok()?);
    (result == 0).then_some(seconds * 1_000_000_000 + ns)
}

/// The kernel's account of the calling thread or of the whole process.
#[cfg(target_os = "linux")]
pub(crate) fn usage(who: libc::c_int) -> Option<libc::rusage> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the kernel writes one rusage through a valid pointer; zeroed bytes are a valid rusage in any case.
    unsafe { (libc::getrusage(who, usage.as_mut_ptr()) == 0).then(|| usage.assume_init()) }
}

/// `schedstat` holds time on a core, time in the run queue, and the number of time slices.
#[cfg(any(target_os = "linux", test))]
fn parse_run_delay(text: &str) -> Option<u64> {
    let mut fields = text.split_ascii_whitespace();
    let (_cpu_ns, delay_ns) = (fields.next()?, fields.next()?);
    delay_ns.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedstat_is_read_and_damage_is_not_zero() {
        assert_eq!(parse_run_delay("63110 50220 2\n"), Some(50_220));
        for damaged in ["", "63110", "63110 x 2"] {
            assert_eq!(parse_run_delay(damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn a_difference_with_an_unknown_is_unknown() {
        let early = Account { cpu_ns: Some(5), ..Account::default() };
        let late = Account { cpu_ns: Some(7), run_delay_ns: Some(1), ..Account::default() };
        assert_eq!(late.since(&early), Account { cpu_ns: Some(2), ..Account::default() });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_costs_time_and_sleep_a_switch() {
        use std::time::{Duration, Instant};
        let before = thread_account();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        std::thread::sleep(Duration::from_millis(5));
        let spent = thread_account().since(&before);
        let cpu_ns = spent.cpu_ns.unwrap();
        // Others may take the core, so the time on it is only bounded.
        assert!((1..200_000_000).contains(&cpu_ns), "{cpu_ns}");
        assert!(spent.voluntary_switches.unwrap() >= 1);
    }
}
