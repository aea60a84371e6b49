//! What this computer can measure, what not, why, and how to enable it.
//!
//! [`examine`] tries everything out: it reads the clock, opens the counters and reads them over a little work, and
//! compares the cores. It takes a fraction of a second. The result serializes to the JSON of `doctor --json`, in which
//! `version` changes whenever a field changes its meaning or goes.

mod text;

use std::time::{Duration, Instant};

use impls::machine::Machine;
use impls::machine::os::{Os, clock};
use impls::probe::NoProbe;
use record::host::Host;
use record::{Reading, Tier};
use serde::Serialize;

use crate::counters::{CountedEvent, Counters, paranoid_level, remedy};
use crate::host::{StealMeter, host};
use crate::skew::{self, CorePair};

/// Version of the JSON form.
pub const VERSION: u32 = 1;

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Doctor {
    /// Always `synchroscope-doctor`.
    pub kind: &'static str,
    /// [`VERSION`].
    pub version: u32,
    /// The machine and its state. `steal_share` is the share since boot.
    pub host: Host,
    /// Share of processor time that the hypervisor gave to others during the examination, 0 to 1; `null` if unknown.
    pub steal_share_now: Option<f64>,
    /// The clock that stamps are taken from.
    pub clock: ClockReport,
    /// The first core compared with each other one; empty with a single core.
    pub cores: Vec<CorePair>,
    /// `kernel.perf_event_paranoid`: -1 allows everything, 2 and above only own code in user mode; `null` if unknown.
    pub perf_event_paranoid: Option<i32>,
    /// `mounted`, or why tracepoints cannot be found.
    pub tracefs: String,
    /// Every counter, by name.
    pub counters: Vec<CounterReport>,
    /// What all this means for results.
    pub follows: Vec<Consequence>,
}

/// The clock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockReport {
    /// What is read: the time-stamp counter with its rate, or the operating system's clock with the reason.
    pub source: String,
    /// Smallest step seen between two readings, ns.
    pub resolution_ns: u64,
    /// Cost of one reading, ns.
    pub read_ns: f64,
    /// Its time divided by the operating system's, over 50 ms: 1 when both agree.
    pub rate: f64,
}

/// One counter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CounterReport {
    /// Its name in records.
    pub name: String,
    /// What it read over a little work, or why it could not.
    #[serde(flatten)]
    pub reading: Reading,
    /// How to enable it; `null` when it works, or when nothing helps on this computer.
    pub enable: Option<String>,
}

/// One kind of result, and whether it can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consequence {
    /// The kind of result.
    pub what: String,
    /// Whether it can be had here.
    pub available: bool,
    /// From where, or why not.
    pub how: String,
}

/// Tries everything out.
pub fn examine() -> Doctor {
    let steal = StealMeter::start();
    let clock = clock_report();
    let cores = skew::measure();
    let counters = counter_reports();
    let tracefs = tracefs();
    let host = host();
    let follows = follows(&host, &clock, &cores, &counters);
    Doctor {
        kind: "synchroscope-doctor",
        version: VERSION,
        host,
        steal_share_now: steal.share(),
        clock,
        cores,
        perf_event_paranoid: paranoid_level(),
        tracefs,
        counters,
        follows,
    }
}

fn clock_report() -> ClockReport {
    let source = match clock::source() {
        clock::Source::Tsc { hz } => format!("time-stamp counter, invariant, {:.3} GHz", hz as f64 / 1e9),
        clock::Source::Monotonic(reason) => format!("operating system's monotonic clock: {reason}"),
    };
    ClockReport { source, resolution_ns: resolution_ns(), read_ns: read_ns(), rate: rate() }
}

fn resolution_ns() -> u64 {
    let mut smallest = u64::MAX;
    let mut last = clock::now_ns();
    for _ in 0..100_000 {
        let now = clock::now_ns();
        if now > last {
            smallest = smallest.min(now - last);
        }
        last = now;
    }
    // A clock that stood still for so long is useless, which this says.
    smallest
}

fn read_ns() -> f64 {
    const READS: u32 = 1000;
    let batch = || {
        let start = Instant::now();
        for _ in 0..READS {
            std::hint::black_box(clock::now_ns());
        }
        start.elapsed().as_nanos() as f64 / f64::from(READS)
    };
    // Disturbances only add: the fastest batch is the cost.
    (0..50).map(|_| batch()).fold(f64::INFINITY, f64::min)
}

fn rate() -> f64 {
    let (start, start_ns) = (Instant::now(), clock::now_ns());
    std::thread::sleep(Duration::from_millis(50));
    (clock::now_ns() - start_ns) as f64 / start.elapsed().as_nanos() as f64
}

fn counter_reports() -> Vec<CounterReport> {
    let mut counters = Counters::open();
    counters.enable();
    exercise();
    counters.disable();
    let mut readings = counters.read();
    let report = |event: CountedEvent| {
        let reading = readings.remove(event.name())?;
        let enable = match &reading {
            Reading::Present { .. } => None,
            Reading::Absent { absent } => remedy(absent).map(str::to_owned),
        };
        Some(CounterReport { name: event.name().to_owned(), reading, enable })
    };
    CountedEvent::ALL.into_iter().filter_map(report).collect()
}

/// A little of everything that is counted: fresh memory, a futex call, a sleep, cycles.
fn exercise() {
    type M = Os<NoProbe>;
    let memory = vec![1_u8; 1 << 20];
    std::hint::black_box(&memory);
    let word = std::sync::atomic::AtomicU32::new(0);
    M::futex_wake(&word, 1);
    std::thread::sleep(Duration::from_millis(1));
    M::work(100_000);
}

#[cfg(target_os = "linux")]
fn tracefs() -> String {
    crate::counters::tracefs()
}

#[cfg(not(target_os = "linux"))]
fn tracefs() -> String {
    "not on this operating system".to_owned()
}

fn follows(
    host: &Host,
    clock: &ClockReport,
    cores: &[CorePair],
    counters: &[CounterReport],
) -> Vec<Consequence> {
    let say =
        |what: &str, available: bool, how: String| Consequence { what: what.to_owned(), available, how };
    let count = host.fingerprint.cores;
    let contention = if count > 1 {
        say("contention between cores", true, format!("{count} cores"))
    } else {
        say("contention between cores", false, "one core only: threads take turns".to_owned())
    };
    let percentiles = say(
        "wait percentiles",
        true,
        format!("by this program's own probe; a clock read costs {:.1} ns", clock.read_ns),
    );
    let worst = cores.iter().max_by_key(|pair| pair.ahead_ns.unsigned_abs());
    let wake = match worst {
        Some(pair) if !pair.agrees() => say(
            "wake-up latencies between cores",
            false,
            format!(
                "the clocks of cores {} and {} differ by {} ns (+- {} ns)",
                pair.from_core, pair.to_core, pair.ahead_ns, pair.bound_ns
            ),
        ),
        Some(pair) => say(
            "wake-up latencies between cores",
            true,
            format!("the clocks agree within {} ns", pair.bound_ns),
        ),
        None => say("wake-up latencies between cores", true, "a single clock".to_owned()),
    };
    let account = crate::account::thread_account();
    let known = account.cpu_ns.is_some() && account.run_delay_ns.is_some();
    let how = if known { "the scheduler's account" } else { "/proc/thread-self/schedstat cannot be read" };
    let ledger = say("wait ledger, checked against the scheduler", known, how.to_owned());
    let of_tier = |what: &str, tier: Tier| {
        let ours = |report: &&CounterReport| {
            let event = CountedEvent::ALL.into_iter().find(|event| event.name() == report.name);
            event.is_some_and(|event| event.tier() == tier)
        };
        let reports: Vec<&CounterReport> = counters.iter().filter(ours).collect();
        let have = reports.iter().filter(|report| report.reading.value().is_some()).count();
        let missing = reports.iter().find_map(|report| match &report.reading {
            Reading::Absent { absent } => Some(format!("; {}: {absent}", report.name)),
            Reading::Present { .. } => None,
        });
        say(what, have > 0, format!("{have} of {}{}", reports.len(), missing.unwrap_or_default()))
    };
    vec![
        contention,
        percentiles,
        wake,
        ledger,
        of_tier("counters of the operating system", Tier::MeasuredOs),
        of_tier("counters of the processor", Tier::MeasuredPmu),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_has_a_number_or_a_reason_and_the_clock_is_sane() {
        let doctor = examine();
        assert_eq!(doctor.counters.len(), CountedEvent::ALL.len());
        assert!((0.9..1.1).contains(&doctor.clock.rate), "{}", doctor.clock.rate);
        assert!(doctor.clock.resolution_ns < 1_000_000 && doctor.clock.read_ns > 0.0);
        let json = serde_json::to_value(&doctor).unwrap();
        for counter in json["counters"].as_array().unwrap() {
            assert!(counter["value"].is_u64() != counter["absent"].is_string(), "{counter}");
        }
        let text = doctor.to_string();
        for event in CountedEvent::ALL {
            assert!(text.contains(event.name()), "{text}");
        }
    }
}
