//! Probes fed with events and times by hand, and the profiles that come out.

use impls::probe::{Event, NoProbe, Probe};
use profiler::probe::{Collect, CollectContext, Collected, CountProbe, FullProbe, SampleProbe};
use record::histogram::Metric;
use record::{Profile, Slice, Worker};

const MS: u64 = 1_000_000;
const OBJECT: usize = 0x1000;

/// Feeds one slot.
struct Feed<P: Probe> {
    slot: P::Slot,
}

impl<P: Probe> Feed<P> {
    fn new(worker: u32, at_ns: u64) -> Self {
        let feed = Feed { slot: P::Slot::default() };
        feed.at(at_ns, Event::Begin { worker, workers: 2 });
        feed
    }
    fn at(&self, now_ns: u64, event: Event) {
        P::event(&self.slot, event, OBJECT, &|| now_ns);
    }
    fn harness(&self, now_ns: u64, event: Event) {
        P::event(&self.slot, event, 0, &|| now_ns);
    }
    /// An operation that neither spins nor sleeps.
    fn operation(&self, request_ns: u64, acquired_ns: u64, releasing_ns: u64, previous_worker: u32) {
        self.at(request_ns, Event::Request { intended_ns: 0 });
        self.at(acquired_ns, Event::Acquired);
        self.at(acquired_ns, Event::Owner { previous_worker, other_core: previous_worker == 1 });
        self.at(releasing_ns, Event::Releasing);
    }
}

fn slice(workers: usize, start_ns: u64, end_ns: u64) -> Slice {
    let worker = Worker { ops: 1, start_ns, end_ns, ..Worker::default() };
    Slice { workers: vec![worker; workers], expected: 0, observed: 0, sum: None, phases: Vec::new() }
}

fn collect<P: Collect>(slots: Vec<P::Slot>, slice: Slice) -> Collected {
    let roles = vec![0; slots.len()];
    let slices = [slice];
    let context = CollectContext {
        slices: &slices,
        role_of_worker: &roles,
        objects: &[],
        primitive_reports: true,
        park_cpu_ns: profiler::ledger::PARK_CPU_NS,
        sampled_waiters: Some((0.5, 200)),
    };
    P::collect(vec![slots], &context).unwrap()
}

fn profile<P: Collect>(slots: Vec<P::Slot>, slice: Slice) -> Profile {
    collect::<P>(slots, slice).profile.unwrap()
}

/// Worker 0 spins in vain, sleeps, loses a race, spins with success; worker 1 has it easy.
fn eventful<P: Probe>() -> Vec<P::Slot> {
    let feed = Feed::<P>::new(0, 0);
    feed.at(100, Event::Request { intended_ns: 0 });
    feed.at(110, Event::SpinBegin);
    feed.at(210, Event::SpinEnd { rounds: 4 });
    feed.at(210, Event::FailedCas);
    feed.at(300, Event::ParkBegin);
    feed.at(1_000, Event::ParkEnd { woken_ns: 800 });
    feed.at(1_000, Event::LostRace);
    feed.at(1_010, Event::SpinBegin);
    feed.at(1_060, Event::SpinEnd { rounds: 3 });
    feed.at(1_100, Event::Acquired);
    feed.at(1_100, Event::Owner { previous_worker: 1, other_core: true });
    feed.at(1_500, Event::Releasing);
    // Inside unlock: a wake-up, and an inner lock that sleeps.
    feed.at(1_510, Event::ParkBegin);
    feed.at(1_610, Event::ParkEnd { woken_ns: 0 });
    feed.at(1_620, Event::Wake);
    feed.operation(2_000, 2_020, 2_050, 0);
    feed.operation(2_100, 2_120, 2_150, 0);
    feed.at(3_000, Event::End);
    let other = Feed::<P>::new(1, 0);
    other.operation(10, 30, 90, u32::MAX);
    other.at(50, Event::StarvingBegin);
    other.at(3_000, Event::End);
    vec![feed.slot, other.slot]
}

fn check_counts<P: Collect>() {
    let profile = profile::<P>(eventful::<P>(), slice(2, 0, 3_000));
    let counts = &profile.counts;
    assert_eq!((counts.acquires, counts.fast_acquires), (4, 3));
    assert_eq!((counts.spins, counts.spin_rounds, counts.spin_rounds_useful), (2, 7, 3));
    assert_eq!((counts.failed_cas, counts.parks, counts.wakes, counts.lost_races), (1, 2, 1, 1));
    assert_eq!((counts.owner_changes, counts.core_changes), (1, Some(1)));
    // Begun by worker 1 at 50, open until the slice ends.
    assert_eq!((counts.starvation_periods, counts.starvation_ns), (1, 2_950));
    assert_eq!(profile.hand_offs_between, Some(vec![vec![2, 0], vec![1, 0]]));
    // One streak of three, one of one.
    assert_eq!(profile.streaks, [1, 1]);
    assert_eq!(profile.probe, P::MODE);
}

#[test]
fn every_probe_counts_the_same() {
    check_counts::<CountProbe>();
    check_counts::<SampleProbe>();
    check_counts::<FullProbe>();
}

#[test]
fn no_probe_explains_nothing() {
    assert_eq!(collect::<NoProbe>(vec![(), ()], slice(2, 0, 1)), Collected::default());
}

#[test]
fn full_timing_splits_the_wait() {
    let slots = eventful::<FullProbe>();
    let collected = collect::<FullProbe>(slots, slice(2, 0, 3_000));
    let profile = collected.profile.unwrap();
    let ledger = &profile.ledger.unwrap()[0];
    // No scheduler's account: the plain stamps.
    assert_eq!(ledger.span_ns, 3_000);
    assert_eq!((ledger.fast_ns, ledger.spin_ns, ledger.park_ns, ledger.wake_ns), (40, 150, 500, 200));
    assert_eq!(ledger.lost_ns, 1_000 - 150 - 500 - 200);
    assert_eq!((ledger.hold_ns, ledger.preempted_ns), (460, 0));
    assert_eq!(ledger.sum_ns(), 3_000);
    let of = |metric| {
        let found = collected.distributions.iter().find(|d| d.metric == metric);
        found.unwrap().values.decode().unwrap()
    };
    assert_eq!((of(Metric::Wait).len(), of(Metric::Hold).len(), of(Metric::Wake).len()), (4, 4, 1));
    assert_eq!((of(Metric::Wake).max(), profile.wait_ns_max), (200, vec![1_000]));
    let waiters = profile.waiters.unwrap();
    assert_eq!((waiters.max, waiters.sampled_mean, waiters.samples), (1, Some(0.5), 200));
    assert!((waiters.mean - 1_060.0 / 3_000.0).abs() < 1e-9, "{}", waiters.mean);
}

#[test]
fn the_worst_stretch_tells_what_everybody_did() {
    use record::profile::IntervalKind::{Asleep, Awake, Hold, Waking};
    let stretch = profile::<FullProbe>(eventful::<FullProbe>(), slice(2, 0, 3_000)).worst_stretch.unwrap();
    assert_eq!((stretch.slice, stretch.worker, stretch.wait_ns), (0, 0, 1_000));
    // From 0, where the slice begins, to half the wait after it.
    assert_eq!((stretch.begin_ns, stretch.wait_begin_ns, stretch.span_ns), (0, 100, 1_600));
    let flat: Vec<_> = stretch.intervals.iter().map(|i| (i.worker, i.kind, i.begin_ns, i.end_ns)).collect();
    assert_eq!(
        flat,
        [
            (0, Awake, 100, 300),
            (0, Asleep, 300, 800),
            (0, Waking, 800, 1_000),
            (0, Awake, 1_000, 1_100),
            (0, Hold, 1_100, 1_500),
        ]
    );
}

#[test]
fn an_open_loop_counts_from_the_intended_start() {
    let feed = Feed::<FullProbe>::new(0, 0);
    feed.at(5_000, Event::Request { intended_ns: 1_000 });
    feed.at(5_100, Event::Acquired);
    feed.at(5_200, Event::Releasing);
    feed.at(6_000, Event::End);
    let collected = collect::<FullProbe>(vec![feed.slot], slice(1, 0, 6_000));
    assert_eq!(collected.profile.unwrap().wait_ns_max, [4_100]);
}

#[test]
fn waiters_are_counted_at_once_and_over_time() {
    // Two waits of 3 ms that overlap by 2 ms, in a slice of 5 ms.
    let one = Feed::<FullProbe>::new(0, 0);
    one.operation(MS, 4 * MS, 4 * MS + 10, u32::MAX);
    one.at(5 * MS, Event::End);
    let two = Feed::<FullProbe>::new(1, 0);
    two.operation(2 * MS, 5 * MS - 1, 5 * MS - 1, 0);
    two.at(5 * MS, Event::End);
    let waiters = profile::<FullProbe>(vec![one.slot, two.slot], slice(2, 0, 5 * MS)).waiters.unwrap();
    assert_eq!((waiters.max, waiters.bin_ns), (2, MS));
    let expected = [0.0, 1.0, 2.0, 2.0, 1.0];
    assert_eq!(waiters.timeline.len(), expected.len());
    for (found, expected) in waiters.timeline.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{:?}", waiters.timeline);
    }
}

#[test]
fn small_windows_show_what_large_ones_hide() {
    // Ten ms in turns: within each ms one worker gets everything, over two ms both get the same.
    let feeds = [0, 1].map(|worker| {
        let feed = Feed::<FullProbe>::new(worker, 0);
        for turn in (0..10).filter(|turn| turn % 2 == u64::from(worker)) {
            for op in 0..10 {
                let at_ns = turn * MS + op * 50_000;
                feed.operation(at_ns, at_ns + 10, at_ns + 20, worker);
            }
        }
        feed.at(10 * MS, Event::End);
        feed.slot
    });
    let windows = profile::<FullProbe>(feeds.into(), slice(2, 0, 10 * MS)).windows;
    let jain = |window_ns| windows.iter().find(|w| w.window_ns == window_ns).unwrap().jain_mean;
    assert!((jain(MS) - 0.5).abs() < 1e-9 && (jain(2 * MS) - 1.0).abs() < 1e-9, "{windows:?}");
    assert_eq!(windows.last().unwrap().window_ns, 10 * MS);
}

#[test]
fn sampling_times_about_one_in_64_and_only_whole_operations() {
    let feed = Feed::<SampleProbe>::new(0, 0);
    for op in 0..64_000_u64 {
        let at_ns = op * 1_000;
        feed.operation(at_ns, at_ns + 100, at_ns + 150, 0);
    }
    feed.at(64_000_000, Event::End);
    let collected = collect::<SampleProbe>(vec![feed.slot], slice(1, 0, 64_000_000));
    assert_eq!(collected.profile.unwrap().counts.acquires, 64_000);
    let wait = &collected.distributions[0];
    assert_eq!(wait.metric, Metric::Wait);
    let wait = wait.values.decode().unwrap();
    assert!((800..1_200).contains(&wait.len()), "{}", wait.len());
    assert_eq!((wait.min(), wait.max()), (100, 100));
}

#[test]
fn the_harness_sleep_is_neither_a_park_nor_work() {
    let feed = Feed::<FullProbe>::new(0, 0);
    feed.operation(100, 200, 300, u32::MAX);
    feed.harness(400, Event::ParkBegin);
    feed.harness(900_400, Event::ParkEnd { woken_ns: 0 });
    feed.at(1_000_000, Event::End);
    let mut slice = slice(1, 0, 1_000_000);
    slice.workers[0].cpu_ns = Some(100_000);
    slice.workers[0].run_delay_ns = Some(0);
    let profile = profile::<FullProbe>(vec![feed.slot], slice);
    assert_eq!(profile.counts.parks, 0);
    let ledger = &profile.ledger.unwrap()[0];
    assert!(ledger.sum_ns().abs_diff(1_000_000) < 1_000, "{ledger:?}");
    assert!(ledger.think_ns > 999_000, "{ledger:?}");
}

#[test]
fn slots_that_do_not_match_the_slices_are_refused() {
    let slices = [slice(2, 0, 1)];
    let context = CollectContext {
        objects: &[],
        slices: &slices,
        role_of_worker: &[0, 0],
        primitive_reports: true,
        park_cpu_ns: profiler::ledger::PARK_CPU_NS,
        sampled_waiters: None,
    };
    let error = CountProbe::collect(vec![vec![Default::default()]], &context).unwrap_err();
    assert!(error.to_string().contains("1 slots and 2 workers"), "{error}");
    assert!(FullProbe::collect(Vec::new(), &context).is_err());
}
