//! The path of the processor's counters, end to end, with a source that stands for hardware which this computer may not
//! have.

use std::collections::HashMap;
use std::io;

use profiler::counters::{Count, CountedEvent, Counters, EventHandle, EventSource, Refusal, remedy};
use record::{Reading, Tier};

/// Hardware that counts as told, or refuses with an errno.
#[derive(Default)]
struct Fake {
    outcomes: HashMap<CountedEvent, Result<Count, i32>>,
    paranoid: Option<i32>,
    groups: Vec<Vec<CountedEvent>>,
}

/// Counts its full amount each time that it has been on.
struct FakeHandle {
    each: Count,
    total: Count,
    on: bool,
}

impl EventSource for Fake {
    fn open(&mut self, group: &[CountedEvent]) -> Vec<Result<Box<dyn EventHandle>, Refusal>> {
        self.groups.push(group.to_vec());
        let open = |event: &CountedEvent| match self.outcomes.get(event) {
            Some(Ok(each)) => {
                Ok(Box::new(FakeHandle { each: *each, total: Count::default(), on: false }) as _)
            }
            Some(Err(errno)) => {
                Err(Refusal::Kernel { error: io::Error::from_raw_os_error(*errno), paranoid: self.paranoid })
            }
            None => Err(Refusal::NotOffered),
        };
        group.iter().map(open).collect()
    }
}

impl EventHandle for FakeHandle {
    fn enable(&mut self) -> io::Result<()> {
        self.on = true;
        Ok(())
    }
    fn disable(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.on) {
            self.total.value += self.each.value;
            self.total.time_enabled_ns += self.each.time_enabled_ns;
            self.total.time_running_ns += self.each.time_running_ns;
        }
        Ok(())
    }
    fn read(&mut self) -> io::Result<Count> {
        Ok(self.total)
    }
}

fn count(value: u64, time_enabled_ns: u64, time_running_ns: u64) -> Result<Count, i32> {
    Ok(Count { value, time_enabled_ns, time_running_ns })
}

fn read_twice(fake: &mut Fake) -> std::collections::BTreeMap<String, Reading> {
    let mut counters = Counters::open_from(fake);
    for _ in 0..2 {
        counters.enable();
        counters.disable();
    }
    counters.read()
}

fn absent(reading: &Reading) -> &str {
    match reading {
        Reading::Absent { absent } => absent,
        Reading::Present { .. } => panic!("expected an absence, found {reading:?}"),
    }
}

#[test]
fn values_are_summed_over_slices_and_scaled_by_the_time_that_was_seen() {
    let mut fake = Fake {
        outcomes: HashMap::from([
            (CountedEvent::Cycles, count(1_000, 50, 50)),
            (CountedEvent::Instructions, count(500, 100, 25)),
            (CountedEvent::CacheMisses, count(7, 100, 0)),
            (CountedEvent::ContextSwitches, count(3, 10, 10)),
        ]),
        ..Fake::default()
    };
    let readings = read_twice(&mut fake);
    assert_eq!(readings.len(), CountedEvent::ALL.len());
    let present = |value, tier, running_share| Reading::Present { value, tier, running_share };
    assert_eq!(readings["cycles"], present(2_000, Tier::MeasuredPmu, None));
    // 1,000 in a quarter of the time.
    assert_eq!(readings["instructions"], present(4_000, Tier::MeasuredPmu, Some(0.25)));
    assert_eq!(readings["context_switches"], present(6, Tier::MeasuredOs, None));
    assert!(absent(&readings["cache_misses"]).starts_with("never had the hardware"));
    assert_eq!(absent(&readings["futex_calls"]), "not offered here");
}

#[test]
fn events_whose_ratio_matters_are_opened_together() {
    let mut fake = Fake::default();
    Counters::open_from(&mut fake);
    for pair in [
        [CountedEvent::Cycles, CountedEvent::Instructions],
        [CountedEvent::CacheReferences, CountedEvent::CacheMisses],
    ] {
        assert!(fake.groups.contains(&pair.to_vec()), "{pair:?} in {:?}", fake.groups);
    }
}

#[test]
fn reasons_with_different_remedies_read_differently() {
    let reason = |errno: i32, paranoid: Option<i32>| {
        let outcomes = CountedEvent::ALL.into_iter().map(|event| (event, Err(errno))).collect();
        let readings = read_twice(&mut Fake { outcomes, paranoid, ..Fake::default() });
        absent(&readings["cycles"]).to_owned()
    };
    assert_eq!(reason(libc::ENOENT, Some(2)), "no PMU (ENOENT)");
    assert_eq!(reason(libc::EOPNOTSUPP, Some(2)), "no PMU (EOPNOTSUPP)");
    assert_eq!(reason(libc::EACCES, Some(3)), "not permitted (EACCES; perf_event_paranoid is 3)");
    assert_eq!(reason(libc::EPERM, None), "not permitted (EPERM; perf_event_paranoid is unknown)");
    assert_eq!(reason(libc::ENOSYS, None), "the kernel is built without perf events (ENOSYS)");
    let texts =
        [libc::ENOENT, libc::EACCES, libc::ENOSYS, libc::EMFILE, libc::EBUSY].map(|e| reason(e, Some(2)));
    let remedies: std::collections::HashSet<_> = texts.iter().map(|text| remedy(text).unwrap()).collect();
    assert_eq!(remedies.len(), texts.len());
}

#[test]
fn a_missing_event_of_a_present_pmu_is_not_a_missing_pmu() {
    let outcomes = HashMap::from([
        (CountedEvent::Cycles, count(1, 1, 1)),
        (CountedEvent::LlcReadMisses, Err(libc::ENOENT)),
    ]);
    let readings = read_twice(&mut Fake { outcomes, ..Fake::default() });
    assert_eq!(absent(&readings["llc_read_misses"]), "the PMU has no such event (ENOENT)");
}

#[test]
fn what_was_never_switched_on_is_absent_not_zero() {
    let outcomes = HashMap::from([(CountedEvent::Cycles, count(9, 9, 9))]);
    let readings = Counters::open_from(&mut Fake { outcomes, ..Fake::default() }).read();
    assert_eq!(absent(&readings["cycles"]), "never switched on");
}

/// Real counters: whatever is permitted here must count, the rest must say why not.
#[cfg(target_os = "linux")]
#[test]
fn this_computer_counts_threads_that_start_later() {
    let mut counters = Counters::open();
    counters.enable();
    std::thread::spawn(|| {
        for _ in 0..5 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    })
    .join()
    .unwrap();
    counters.disable();
    let readings = counters.read();
    let switches = &readings["context_switches"];
    assert!(switches.value().is_none_or(|n| n >= 5), "{switches:?}");
    let clock = &readings["task_clock_ns"];
    assert!(clock.value().is_none_or(|ns| ns < 10_000_000_000), "{clock:?}");
    for (name, reading) in &readings {
        if let Reading::Absent { absent } = reading {
            assert!(!absent.is_empty(), "{name}");
        }
    }
}
