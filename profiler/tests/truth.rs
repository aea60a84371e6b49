//! An honest record passes; each liar is flagged by the rule that is meant for it.

use profiler::truth::{TruthContext, judge};
use record::cell::{ImplementationRole, Launch, Record, Status, Verdict};
use record::profile::{Counts, Ledger, Profile, Waiters};
use record::result::{LaunchResult, Slice, Worker};
use record::spec::{Choice, Distribution, Expect, Point, Role, Schedule};
use record::{Arrivals, Environment, Failure, FailureKind, Fingerprint, ProbeMode, Tool};

const SPAN_NS: u64 = 100_000_000;
/// Two threads that hold for 300 ns and think for 700 ns on two cores: 1.05 us an operation with the lock's cost.
const OPS: u64 = SPAN_NS / 1_050;

fn worker() -> Worker {
    Worker {
        role: 0,
        ops: OPS,
        start_ns: 1_000,
        end_ns: 1_000 + SPAN_NS,
        ops_accounted: OPS + 1,
        accounted_ns: None,
        cpu_ns: Some(SPAN_NS),
        run_delay_ns: Some(0),
        voluntary_switches: Some(0),
        involuntary_switches: Some(0),
    }
}

fn ledger() -> Ledger {
    Ledger {
        span_ns: SPAN_NS,
        think_ns: SPAN_NS * 65 / 100,
        hold_ns: SPAN_NS * 29 / 100,
        fast_ns: SPAN_NS * 3 / 100,
        spin_ns: SPAN_NS * 2 / 100,
        ..Ledger::default()
    }
}

fn profile() -> Profile {
    Profile {
        probe: ProbeMode::Full,
        counts: Counts { acquires: 2 * (OPS + 1), ..Counts::default() },
        primitive_reports: true,
        hand_offs_between: None,
        streaks: Vec::new(),
        waiters: Some(Waiters {
            mean: 0.10,
            sampled_mean: Some(0.12),
            samples: 100_000,
            ..Waiters::default()
        }),
        ledger: Some(vec![ledger(), ledger()]),
        windows: Vec::new(),
        wait_ns_max: Vec::new(),
        worst_stretch: None,
        lock_order: None,
    }
}

fn result(profile: Option<Profile>) -> LaunchResult {
    let expected = 2 * (OPS + 1);
    LaunchResult {
        protocol: record::PROTOCOL,
        implementation: "mutex/honest".into(),
        engine: "test".into(),
        clock: "test".into(),
        slices: vec![Slice {
            workers: vec![worker(), worker()],
            expected,
            observed: expected,
            sum: None,
            phases: Vec::new(),
        }],
        distributions: Vec::new(),
        profile,
        counters: Default::default(),
        uncontended_ns: Some(15.0),
        work_speed_ratio: None,
        simulated: None,
    }
}

fn launch(index: u32, probe: ProbeMode) -> Launch {
    Launch {
        index,
        probe,
        seed: 0,
        order: index,
        started_unix_ms: 0,
        took_ns: Some(SPAN_NS + 30_000_000),
        disturbed: 0,
        environment: Environment::default(),
        result: Some(result((probe == ProbeMode::Full).then(profile))),
        failure: None,
    }
}

fn honest() -> Record {
    let role = Role {
        name: "worker".into(),
        threads: 2,
        hold: Distribution::Constant { ns: 300 },
        think: Distribution::Constant { ns: 700 },
    };
    Record {
        schema: record::SCHEMA,
        cell: "cell".into(),
        implementation: "mutex/honest".into(),
        arm: String::new(),
        params: Default::default(),
        machine: "os".into(),
        point: Point {
            workload: "contended".into(),
            label: "contended/t2".into(),
            family: "mutex".into(),
            roles: vec![role],
            locks: 1,
            choice: Choice::Uniform,
            take: record::Take::One,
            arrivals: Arrivals::Closed,
            schedule: Schedule::Steady,
            expect: Expect::Counter,
        },
        role: ImplementationRole::Design,
        compare_waits: true,
        launches: vec![launch(0, ProbeMode::Off), launch(1, ProbeMode::Off), launch(2, ProbeMode::Full)],
        status: Status::Ok,
        reasons: Vec::new(),
        checks: Vec::new(),
        trace_hash: None,
        tool: Tool::default(),
        command: Vec::new(),
        seed: 0,
        fingerprint: Fingerprint::default(),
    }
}

const CONTEXT: TruthContext = TruthContext { cores: 2, pinned: None };

fn slices(record: &mut Record) -> impl Iterator<Item = &mut Slice> {
    record.launches.iter_mut().filter_map(|l| l.result.as_mut()).flat_map(|r| &mut r.slices)
}

fn full(record: &mut Record) -> &mut Profile {
    record.launches[2].result.as_mut().unwrap().profile.as_mut().unwrap()
}

/// The status, and the one rule that is not satisfied.
fn flagged(record: &Record, context: &TruthContext) -> (Status, String) {
    let (status, reasons, checks) = judge(record, context);
    let bad = checks.iter().filter(|c| matches!(c.verdict, Verdict::Suspect | Verdict::Wrong));
    let rules: Vec<&str> = bad.map(|check| check.rule.as_str()).collect();
    assert_eq!(reasons.len(), rules.len(), "{reasons:?}");
    (status, rules.join(" "))
}

fn verdict(record: &Record, rule: &str) -> (Verdict, String) {
    let check = judge(record, &CONTEXT).2.into_iter().find(|check| check.rule == rule).unwrap();
    (check.verdict, check.detail)
}

#[test]
fn an_honest_record_is_ok_and_every_rule_was_applied() {
    let (status, reasons, checks) = judge(&honest(), &CONTEXT);
    assert_eq!((status, reasons), (Status::Ok, Vec::new()));
    for check in checks {
        // Cycles are counted on simulated machines only, and this workload takes one lock at a time.
        if ["cycles", "lock-order"].contains(&check.rule.as_str()) {
            assert_eq!(check.verdict, Verdict::NotApplicable, "{check:?}");
            continue;
        }
        assert_eq!(check.verdict, Verdict::Holds, "{check:?}");
        assert!(check.detail.contains(|c: char| c.is_ascii_digit()) || check.rule == "starved", "{check:?}");
    }
}

#[test]
fn a_lock_that_loses_counts_has_failed() {
    let mut record = honest();
    slices(&mut record).next().unwrap().observed -= 1;
    assert_eq!(flagged(&record, &CONTEXT), (Status::Failed, "result".into()));
    record.role = ImplementationRole::Floor;
    assert_eq!(flagged(&record, &CONTEXT), (Status::Ok, String::new()));
}

#[test]
fn a_lock_that_loses_an_amount_has_failed() {
    let mut record = honest();
    record.point.expect = Expect::Sum;
    record.point.take = record::Take::Two { order: record::TakeOrder::Ascending };
    record.point.locks = 2;
    // Each operation raises two counters, and a probe sees two acquires.
    for slice in slices(&mut record) {
        (slice.expected, slice.observed) = (2 * slice.expected, 2 * slice.observed);
        slice.sum = Some(record::Sum { before: 2_000_000, after: 2_000_000 });
    }
    full(&mut record).counts.acquires *= 2;
    full(&mut record).counts.fast_acquires *= 2;
    assert_eq!(flagged(&record, &CONTEXT), (Status::Ok, String::new()));
    let mut loses = record.clone();
    slices(&mut loses).next().unwrap().sum = Some(record::Sum { before: 2_000_000, after: 1_999_999 });
    assert_eq!(flagged(&loses, &CONTEXT), (Status::Failed, "result".into()));
    // A probe that saw one acquire an operation has missed the other.
    full(&mut record).counts.acquires /= 2;
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "events".into()));
}

#[test]
fn an_engine_that_doubles_its_operations_has_failed() {
    let mut record = honest();
    for slice in slices(&mut record) {
        slice.workers.iter_mut().for_each(|worker| worker.ops *= 2);
    }
    let (status, rules) = flagged(&record, &CONTEXT);
    assert_eq!(status, Status::Failed);
    assert!(rules.contains("result"), "{rules}");
}

#[test]
fn an_engine_that_doubles_everything_is_too_fast_to_be_true() {
    let mut record = honest();
    record.launches.truncate(2);
    for slice in slices(&mut record) {
        slice.workers.iter_mut().for_each(|worker| worker.ops *= 2);
        (slice.expected, slice.observed) = (2 * slice.expected, 2 * slice.observed);
    }
    let (status, rules) = flagged(&record, &CONTEXT);
    assert_eq!(status, Status::Suspect);
    assert!(rules.starts_with("floor"), "{rules}");
}

#[test]
fn a_loop_that_was_optimised_away_is_too_fast_to_be_true() {
    // 1 ns an operation, where the lock alone costs 15 ns.
    let mut record = honest();
    record.launches.truncate(2);
    record.point.roles[0].hold = Distribution::Constant { ns: 0 };
    record.point.roles[0].think = Distribution::Constant { ns: 0 };
    for slice in slices(&mut record) {
        slice.workers.iter_mut().for_each(|worker| {
            worker.ops = SPAN_NS;
            worker.ops_accounted = SPAN_NS;
        });
        (slice.expected, slice.observed) = (2 * SPAN_NS, 2 * SPAN_NS);
    }
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "floor".into()));
}

#[test]
fn a_clock_that_runs_slow_is_seen_by_the_schedulers_time() {
    // The span shrinks, so that throughput rises: work is more than the span offers.
    let mut record = honest();
    for slice in slices(&mut record) {
        slice.workers.iter_mut().for_each(|worker| worker.end_ns = worker.start_ns + SPAN_NS * 8 / 10);
    }
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "floor".into()));
}

#[test]
fn a_clock_that_runs_fast_or_jumps_is_seen_from_outside() {
    let suspect = (Status::Suspect, "clock".to_owned());
    // Twice as fast: the launch was over before its slices were.
    let mut record = honest();
    record.launches.iter_mut().for_each(|launch| launch.took_ns = Some(SPAN_NS * 7 / 10));
    assert_eq!(flagged(&record, &CONTEXT), suspect);
    // A jump between two slices is in no slice, but between start and answer.
    let mut record = honest();
    for result in record.launches.iter_mut().filter_map(|launch| launch.result.as_mut()) {
        let mut later = result.slices[0].clone();
        later.workers.iter_mut().for_each(|worker| {
            worker.start_ns += 10 * SPAN_NS;
            worker.end_ns += 10 * SPAN_NS;
        });
        result.slices.push(later);
        result.profile = None;
    }
    assert_eq!(flagged(&record, &CONTEXT), suspect);
    // Not timed from outside, by an older version: nothing is said.
    record.launches.iter_mut().for_each(|launch| launch.took_ns = None);
    assert_eq!(flagged(&record, &CONTEXT).0, Status::Ok);
}

#[test]
fn a_computer_that_became_faster_excuses_as_much_and_a_slower_one_nothing() {
    let in_time = |share: u64, work_speed_ratio| {
        let mut record = honest();
        for slice in slices(&mut record) {
            slice
                .workers
                .iter_mut()
                .for_each(|worker| worker.end_ns = worker.start_ns + SPAN_NS * share / 100);
        }
        for result in record.launches.iter_mut().filter_map(|launch| launch.result.as_mut()) {
            result.work_speed_ratio = work_speed_ratio;
        }
        flagged(&record, &CONTEXT)
    };
    let floor = (Status::Suspect, "floor".to_owned());
    assert_eq!(in_time(80, None), floor);
    assert_eq!(in_time(80, Some(0.8)), floor);
    assert_eq!(in_time(80, Some(1.2)).0, Status::Ok);
    assert_eq!(in_time(100, Some(0.8)).0, Status::Ok);
    // Nobody becomes a hundred times as fast.
    assert_eq!(in_time(50, Some(100.0)), floor);
}

#[test]
fn a_clock_that_runs_fast_leaves_time_unexplained() {
    let mut record = honest();
    for ledger in full(&mut record).ledger.as_mut().unwrap() {
        ledger.span_ns = SPAN_NS * 12 / 10;
    }
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "ledger".into()));
}

#[test]
fn a_residue_is_suspect_unless_the_hypervisor_took_the_time() {
    let mut record = honest();
    full(&mut record).ledger.as_mut().unwrap()[1].think_ns -= SPAN_NS / 10;
    let (status, rules) = flagged(&record, &CONTEXT);
    assert_eq!((status, rules.as_str()), (Status::Suspect, "ledger"));
    assert!(verdict(&record, "ledger").1.contains("worker 1"));
    record.launches[2].environment.steal_share = Some(0.10);
    assert_eq!(flagged(&record, &CONTEXT).0, Status::Ok);
}

#[test]
fn what_one_workers_account_lacks_was_stolen_but_not_what_it_slept_or_all_lack() {
    let mut record = honest();
    slices(&mut record).flat_map(|slice| &mut slice.workers).for_each(|w| w.accounted_ns = Some(SPAN_NS));
    full(&mut record).ledger.as_mut().unwrap()[1].think_ns -= SPAN_NS / 10;
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "ledger".into()));
    // Neither on a core nor ready for one, and never asleep: another machine had the core.
    let robbed = |record: &mut Record, launch: usize, voluntary_switches: u64| {
        let worker = &mut record.launches[launch].result.as_mut().unwrap().slices[0].workers[1];
        (worker.cpu_ns, worker.voluntary_switches) = (Some(SPAN_NS * 9 / 10), Some(voluntary_switches));
    };
    robbed(&mut record, 2, 0);
    assert_eq!(flagged(&record, &CONTEXT).0, Status::Ok);
    // A sleep that nobody reported.
    robbed(&mut record, 2, 1);
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "ledger".into()));
    // A clock that runs fast: every account lacks as much.
    slices(&mut record).flat_map(|slice| &mut slice.workers).for_each(|w| {
        (w.cpu_ns, w.voluntary_switches) = (Some(SPAN_NS * 9 / 10), Some(0));
    });
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "ledger".into()));
}

#[test]
fn more_than_one_holder_at_a_time_is_seen() {
    // Eight threads on eight cores hold for 300 of 1,050 ns: a lock cannot serve more than three such.
    let mut record = honest();
    record.launches.truncate(1);
    record.point.roles[0].threads = 8;
    for slice in slices(&mut record) {
        slice.workers = vec![worker(); 8];
        (slice.expected, slice.observed) = (8 * (OPS + 1), 8 * (OPS + 1));
    }
    assert_eq!(
        flagged(&record, &TruthContext { cores: 8, pinned: None }),
        (Status::Suspect, "exclusion".into())
    );
    record.point.locks = 4;
    assert_eq!(flagged(&record, &TruthContext { cores: 8, pinned: None }).0, Status::Ok);
}

#[test]
fn workers_that_ran_one_after_another_are_seen() {
    let mut record = honest();
    for slice in slices(&mut record) {
        slice.workers[1].start_ns += SPAN_NS / 5;
        slice.workers[1].end_ns += SPAN_NS / 5;
    }
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "overlap".into()));
    // Of many cores they may have had one alone: there they cannot overlap, nor do the work of two.
    for context in [TruthContext { cores: 1, pinned: None }, TruthContext { cores: 8, pinned: Some(1) }] {
        let checks = judge(&record, &context).2;
        let check = checks.into_iter().find(|check| check.rule == "overlap").unwrap();
        assert_eq!(check.verdict, Verdict::NotApplicable);
        assert_eq!(flagged(&record, &context), (Status::Suspect, "floor".into()));
    }
}

#[test]
fn a_driver_that_reports_less_than_it_does_is_seen() {
    let mut record = honest();
    full(&mut record).counts.acquires /= 2;
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "events".into()));
}

#[test]
fn waiters_that_contradict_the_waiting_times_are_seen() {
    for sampled in [1.0, 0.6] {
        let mut record = honest();
        full(&mut record).waiters.as_mut().unwrap().sampled_mean = Some(sampled);
        assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "little".into()));
    }
    // Both threads asleep nearly all the time, and the lock says that nobody waits.
    let mut record = honest();
    let profile = full(&mut record);
    for ledger in profile.ledger.as_mut().unwrap() {
        *ledger =
            Ledger { span_ns: SPAN_NS, park_ns: SPAN_NS / 2, hold_ns: SPAN_NS / 2, ..Ledger::default() };
    }
    let waiters = profile.waiters.as_mut().unwrap();
    (waiters.mean, waiters.sampled_mean) = (1.0, Some(0.2));
    assert_eq!(flagged(&record, &CONTEXT), (Status::Suspect, "little".into()));
}

#[test]
fn what_cannot_be_checked_is_not_applicable() {
    let mut record = honest();
    full(&mut record).waiters.as_mut().unwrap().samples = 99;
    assert_eq!(verdict(&record, "little").0, Verdict::NotApplicable);
    full(&mut record).primitive_reports = false;
    assert_eq!(verdict(&record, "ledger").0, Verdict::NotApplicable);
    record.launches.truncate(2);
    assert_eq!(verdict(&record, "probe-effect").0, Verdict::NotApplicable);
    assert_eq!(verdict(&record, "events").0, Verdict::NotApplicable);
    record.launches.clear();
    assert_eq!(judge(&record, &CONTEXT).0, Status::NotApplicable);
}

#[test]
fn a_starved_worker_is_named_and_is_no_error() {
    let mut record = honest();
    record.launches.truncate(1);
    slices(&mut record).next().unwrap().workers[1].ops = 0;
    let (verdict, detail) = verdict(&record, "starved");
    assert_eq!(verdict, Verdict::Holds);
    assert!(detail.contains("worker 1 (launch 0, slice 0)"), "{detail}");
    assert_eq!(judge(&record, &CONTEXT).0, Status::Ok);
}

#[test]
fn a_launch_that_failed_fails_the_cell_with_its_kind() {
    let mut record = honest();
    record.launches[1].result = None;
    record.launches[1].failure = Some(Failure {
        kind: FailureKind::Hang,
        detail: "no answer within 5 s".into(),
        stderr: String::new(),
    });
    let (status, reasons, _) = judge(&record, &CONTEXT);
    assert_eq!(status, Status::Failed);
    assert!(reasons[0].contains("launch 1: hang: no answer within 5 s"), "{reasons:?}");
}

#[test]
fn the_cost_of_looking_is_a_ratio_and_no_error() {
    let mut record = honest();
    let probed = &mut record.launches[2].result.as_mut().unwrap().slices[0];
    for worker in &mut probed.workers {
        worker.ops /= 2;
        worker.ops_accounted = worker.ops + 1;
    }
    full(&mut record).counts.acquires /= 2;
    let (verdict, detail) = verdict(&record, "probe-effect");
    assert_eq!(verdict, Verdict::Holds);
    assert!(detail.contains("full 0.500 of plain"), "{detail}");
}
