//! Liars: locks, engines, clocks, drivers and probes that report what is not so. Each is flagged by a rule of truth, or
//! visible in the metric that exists for it; and no honest cell is accused.
//!
//! | liar | seen by |
//! |---|---|
//! | an unfair lock that starves one thread | Jain's index, the longest wait |
//! | a lock that yields instead of excluding once in 10,000 | rule `result` |
//! | a falsely shared counter | misses per operation |
//! | a probe that sleeps | rule `probe-effect` |
//! | an engine that doubles its count | rule `result`, before that the answer's check |
//! | an engine that doubles all its counts | rule `floor` |
//! | a driver that skips its critical section | rule `result` |
//! | a driver that skips it and says otherwise | rule `exclusion` |
//! | a clock that runs fast | rule `clock` |
//! | a clock that jumps ahead | rule `clock` |
//! | a clock that jumps back | the answer's check |

mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::thread::LocalKey;

use impls::card::Defaults;
use impls::machine::Machine;
use impls::machine::sim::preset::Preset;
use impls::machine::sim::{Setup, Sim, simulate};
use impls::mutex::MutexImpl;
use impls::mutex::clh::Clh;
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::mutex::mcs::Mcs;
use impls::mutex::semaphore_binary::SemaphoreBinary;
use impls::mutex::ticket::Ticket;
use impls::probe::{Clock, Event, NoProbe, Probe};
use impls::suite::mutants::liars::{SharesCounters, SpreadsCounters, Starves, YieldsAtTimes};
use profiler::truth::{TruthContext, judge};
use record::cell::{Check, FailureKind, ImplementationRole, Launch, Verdict};
use record::spec::{Choice, Distribution, Expect, Point, Role, Schedule};
use record::{
    Arrivals, Environment, Fingerprint, LaunchResult, LaunchSpec, PROTOCOL, ProbeMode, Record, Status, Tool,
};
use support::{Place, plain_suite, record_of};
use synchroscope::simulated::{self, Marks};
use workloads::driver::{self, Account, Witness};

const MACHINE: &str = "laptop-8";
const THREADS: u32 = 4;

fn point(hold_ns: u64, think_ns: u64) -> Point {
    Point {
        workload: "contended".into(),
        label: "contended".into(),
        family: "mutex".into(),
        roles: vec![Role {
            name: "worker".into(),
            threads: THREADS,
            hold: Distribution::Constant { ns: hold_ns },
            think: Distribution::Constant { ns: think_ns },
        }],
        locks: 1,
        choice: Choice::Uniform,
        arrivals: Arrivals::Closed,
        schedule: Schedule::Steady,
        expect: Expect::Counter,
    }
}

fn spec<I: MutexImpl>(seed: u64, point: Point, slice_ns: u64) -> LaunchSpec {
    LaunchSpec {
        protocol: PROTOCOL,
        implementation: I::CARD.id.to_owned(),
        params: Default::default(),
        tuned_shape: false,
        machine: format!("sim:{MACHINE}"),
        preset: None,
        probe: ProbeMode::Full,
        seed,
        cpus: Vec::new(),
        slices: 1,
        slice_ns,
        warmup_ns: 20_000,
        point,
    }
}

/// A record as the runner makes it, before it is judged.
fn record(id: &str, point: Point, results: Vec<(ProbeMode, LaunchResult)>) -> Record {
    let launch = |(index, (probe, result)): (usize, (ProbeMode, LaunchResult))| Launch {
        index: index as u32,
        probe,
        seed: index as u64,
        order: index as u32,
        started_unix_ms: 0,
        took_ns: None,
        environment: Environment::default(),
        disturbed: 0,
        result: Some(result),
        failure: None,
    };
    Record {
        schema: record::SCHEMA,
        cell: "cell".into(),
        implementation: id.to_owned(),
        arm: String::new(),
        params: Default::default(),
        machine: format!("sim:{MACHINE}"),
        point,
        role: ImplementationRole::Design,
        compare_waits: true,
        launches: results.into_iter().enumerate().map(launch).collect(),
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

/// Launches of `I` on the simulated machine, a seed each.
fn simulated<I: MutexImpl>(seeds: u64, point: &Point, slice_ns: u64) -> Record {
    let launch = |seed| {
        let spec = spec::<I>(seed, point.clone(), slice_ns);
        let result = simulated::mutex::<I>(&spec, Marks::default()).expect("a launch").result;
        synchroscope::engine::validate(&spec, &result).expect("an answer to its question");
        (ProbeMode::Full, result)
    };
    record(I::CARD.id, point.clone(), (1..=seeds).map(launch).collect())
}

fn judged(record: &Record) -> (Status, Vec<String>, Vec<Check>) {
    judge(record, &TruthContext { cores: 8 })
}

#[track_caller]
fn check(record: &Record, rule: &str) -> Check {
    let found = judged(record).2.into_iter().find(|check| check.rule == rule);
    found.unwrap_or_else(|| panic!("no rule `{rule}`"))
}

fn ops_per_worker(record: &Record) -> Vec<u64> {
    record.launches[0].result.as_ref().expect("a result").ops_per_worker()
}

/// Jain's index of the workers' operations: 1 when all have as many, 1/n when one has all.
fn jain(ops: &[u64]) -> f64 {
    let sum = ops.iter().sum::<u64>() as f64;
    let squares = ops.iter().map(|&ops| (ops as f64).powi(2)).sum::<f64>();
    sum * sum / (ops.len() as f64 * squares)
}

#[test]
fn a_lock_that_starves_one_thread_shows_in_fairness_and_the_longest_wait() {
    const SLICE_NS: u64 = 500_000;
    let wait_ns_max = |record: &Record| {
        let profile = record.launches[0].result.as_ref().and_then(|result| result.profile.as_ref());
        profile.expect("an observed launch").wait_ns_max[0]
    };
    let (liar, honest) =
        (simulated::<Starves>(1, &point(50, 0), SLICE_NS), simulated::<Ticket>(1, &point(50, 0), SLICE_NS));
    let (few, fair) = (ops_per_worker(&liar), ops_per_worker(&honest));
    // What the victim asked for while the others ran, it got when they had left.
    assert_eq!(few.iter().filter(|&&ops| ops <= 1).count(), 1, "{few:?}");
    assert!(jain(&few) < 0.8 && jain(&fair) > 0.99, "{few:?} {fair:?}");
    assert!(wait_ns_max(&liar) > SLICE_NS * 9 / 10, "{}", wait_ns_max(&liar));
    assert!(wait_ns_max(&honest) < SLICE_NS / 10, "{}", wait_ns_max(&honest));
    assert_eq!(check(&honest, "starved").detail, "every worker operated in every slice");
}

#[test]
fn a_lock_that_seldom_yields_instead_of_excluding_loses_counts() {
    let record = simulated::<YieldsAtTimes>(10, &point(500, 100), 20_000_000);
    let acquires = record.launches.iter().flat_map(|l| &l.result).map(LaunchResult::ops).min();
    assert!(acquires > Some(10_000), "only {acquires:?} acquisitions: the fault never came");
    let (status, reasons, _) = judged(&record);
    assert_eq!(status, Status::Failed);
    assert!(reasons.iter().any(|reason| reason.starts_with("result: ")), "{reasons:?}");
}

#[test]
fn falsely_shared_counters_show_in_misses() {
    let misses = |record: &Record| {
        let result = record.launches[0].result.as_ref().expect("a result");
        let misses = result.counters["cache_misses"].value().expect("a simulated machine counts them");
        misses as f64 / result.ops() as f64
    };
    let liar = misses(&simulated::<SharesCounters>(1, &point(50, 2_000), 1_000_000));
    let honest = misses(&simulated::<SpreadsCounters>(1, &point(50, 2_000), 1_000_000));
    assert!(liar > 1.3 * honest, "{liar} misses an operation, beside {honest}");
}

/// Sleeps at every acquire, on behalf of nobody.
#[derive(Clone, Copy, Debug, Default)]
struct SleepyProbe;

impl Probe for SleepyProbe {
    const ON: bool = true;
    type Slot = ();
    fn os_slot() -> &'static LocalKey<Cell<*const ()>> {
        thread_local!(static NEVER: Cell<*const ()> = const { Cell::new(std::ptr::null()) });
        &NEVER
    }
    fn event((): &(), event: Event, _: usize, _: &impl Clock) {
        if event == Event::Acquired {
            Sim::<NoProbe>::work(5_000);
        }
    }
}

struct NoAccount;

impl Witness for NoAccount {
    fn account(&self) -> Account {
        Account::default()
    }
}

/// One launch of the ticket lock, observed by `P`.
fn observed_by<P: Probe>() -> LaunchResult {
    let point = point(50, 500);
    let launch = driver::Launch {
        point: &point,
        slices: 1,
        slice_ns: 500_000,
        warmup_ns: 20_000,
        cpus: &[],
        seed: 1,
        can_count: false,
    };
    let preset = Rc::new(Preset::builtin(MACHINE).expect("a preset"));
    let setup = Setup { preset, observe: true, marks: 0, marks_from: 0 };
    let run = || driver::mutex::run::<Sim<P>, Ticket, Defaults>(&launch, Defaults, &NoAccount);
    let (outcome, _) = simulate(&setup, run);
    LaunchResult {
        protocol: PROTOCOL,
        implementation: Ticket::CARD.id.to_owned(),
        engine: "test".into(),
        clock: "simulated".into(),
        slices: outcome.slices,
        distributions: Vec::new(),
        profile: None,
        counters: Default::default(),
        uncontended_ns: Some(outcome.uncontended_ns),
        work_speed_ratio: None,
        simulated: None,
    }
}

#[test]
fn a_probe_that_sleeps_shows_in_the_certificate() {
    let ratio = |probed: LaunchResult| {
        let launches = vec![(ProbeMode::Off, observed_by::<NoProbe>()), (ProbeMode::Count, probed)];
        let certificate = check(&record(Ticket::CARD.id, point(50, 500), launches), "probe-effect").detail;
        let number = certificate.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
        number.unwrap_or_else(|| panic!("no ratio in {certificate:?}"))
    };
    assert!(ratio(observed_by::<SleepyProbe>()) < 0.5);
    assert!((ratio(observed_by::<NoProbe>()) - 1.0).abs() < 1e-9);
}

/// The answer of an engine with two threads: operations of each, when their slice ends, and the counter.
fn answer(id: &str, ops: u64, end_ns: u64, expected: u64, observed: u64) -> String {
    let worker = format!(r#"{{"role":0,"ops":{ops},"start_ns":5000000,"end_ns":{end_ns}}}"#);
    let slice = format!(r#"{{"workers":[{worker},{worker}],"expected":{expected},"observed":{observed}}}"#);
    format!(
        "cat >/dev/null\necho '{{\"protocol\":1,\"implementation\":\"mutex/{id}\",\"engine\":\"shell\",\
         \"clock\":\"none\",\"slices\":[{slice}]}}'\n"
    )
}

/// Engines that answer at once, over the launch protocol. A slice has 2 ms, an operation holds for 1 us.
#[test]
fn engines_that_lie_are_flagged() {
    const END: u64 = 7_000_000;
    // Of two threads that hold for 1 us each, one lock serves 2000 in 2 ms.
    let (honest, total) = (900, 1_800);
    let liars = [
        ("doubles-count", answer("doubles-count", 2 * honest, END, total, total), "claims 3600 operations"),
        (
            "doubles-all",
            answer("doubles-all", 2 * honest, END, 2 * total, 2 * total),
            "exclusion: more than one",
        ),
        (
            "skips-section",
            answer("skips-section", honest, END, total, 0),
            "result: launch 0, slice 0: the guarded",
        ),
        ("skips-and-says-so", answer("skips-and-says-so", 90_000, END, 180_000, 180_000), "floor: too fast"),
        (
            "fast-clock",
            answer("fast-clock", 900_000, END + 4_000_000_000, 1_800_000, 1_800_000),
            "clock: a clock",
        ),
        ("clock-jumps", answer("clock-jumps", honest, END + 600_000_000_000, total, total), "clock: a clock"),
        (
            "clock-jumps-back",
            answer("clock-jumps-back", honest, 4_000_000, total, total),
            "ends before it starts",
        ),
    ];
    let place = Place::new();
    let mut arguments = vec!["run".to_owned(), "suite.toml".into(), "--out".into(), "run".into()];
    let mut ids = Vec::new();
    let said = ("honest", answer("honest", honest, END, total, total), "");
    for (id, script, _) in liars.iter().chain([&said]) {
        let script_file = format!("{id}.sh");
        place.write(&script_file, script);
        let run = ["sh".to_owned(), place.path(&script_file).to_string_lossy().into_owned()];
        let file = format!("{id}.toml");
        let implementations = format!("[{{ id = \"mutex/{id}\", summary = \"a test\" }}]");
        place.write(
            &file,
            &format!(
                "name = \"{id}\"\nimplementations = {implementations}\nrun = {run:?}\nhint = \"none\"\n"
            ),
        );
        arguments.extend(["--engine".into(), file]);
        ids.push(format!("\"mutex/{id}\""));
    }
    let suite = plain_suite(&ids.join(", "), 1)
        .replace("workload = \"uncontended\"", "workload = \"contended\"\nthreads = 2\nhold_ns = 1000");
    place.write("suite.toml", &suite);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    place.run(&arguments).code(3);
    let run = place.load("run");
    for (id, _, words) in &liars {
        let record = record_of(&run, &format!("mutex/{id}"));
        assert!(matches!(record.status, Status::Suspect | Status::Failed), "{id} is believed: {record:?}");
        assert!(record.reasons.iter().any(|r| r.contains(words)), "{id}: {:?}", record.reasons);
    }
    // What was refused as an answer is a wrong result, not a crash.
    let failure = record_of(&run, "mutex/clock-jumps-back").launches[0].failure.as_ref();
    assert_eq!(failure.map(|failure| failure.kind), Some(FailureKind::WrongResult));
    let honest = record_of(&run, "mutex/honest");
    assert_eq!(honest.status, Status::Ok, "{:?}", honest.reasons);
    let clock = honest.checks.iter().find(|check| check.rule == "clock").expect("a rule");
    assert_eq!(clock.verdict, Verdict::Holds, "{clock:?}");
}

/// Twenty launches of each, on a machine without noise: a rule that doubts one of them is wrong.
#[test]
fn no_honest_cell_is_accused() {
    fn honest<I: MutexImpl>() {
        for think_ns in [0, 1_000] {
            let (status, reasons, checks) = judged(&simulated::<I>(20, &point(50, think_ns), 200_000));
            assert_eq!(status, Status::Ok, "{}: {reasons:?}", I::CARD.id);
            let applied = checks.iter().filter(|check| check.verdict == Verdict::Holds).count();
            assert!(applied >= 6, "{}: {checks:?}", I::CARD.id);
        }
    }
    honest::<Ticket>();
    honest::<Mcs>();
    honest::<Clh>();
    honest::<Go2019Fastpath>();
    honest::<SemaphoreBinary>();
    honest::<SpreadsCounters>();
}
