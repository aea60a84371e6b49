//! Liars: locks, engines, clocks, drivers and probes that report what is not so. Each is flagged by a rule of truth, or
//! visible in the metric that exists for it; and no honest cell is accused.
//!
//! The table in `docs/proof/liars.md` is made here; `SYNCHROSCOPE_GOLDEN=write cargo test --test liars` writes it anew.

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
use support::{Place, plain_suite, record_of, root};
use synchroscope::simulated::{self, Marks};
use workloads::driver::{self, Account, Witness};

/// A liar that was seen: what it does, and what shows it.
struct Seen {
    what: &'static str,
    by: String,
}

fn seen(what: &'static str, by: impl Into<String>) -> Vec<Seen> {
    vec![Seen { what, by: by.into() }]
}

#[test]
fn every_liar_is_seen() {
    let all = [starves(), yields_at_times(), shares_counters(), sleepy_probe(), engines()];
    let all: Vec<Seen> = all.into_iter().flatten().collect();
    assert!(all.len() >= 8);
    let mut table = format!(
        "<!-- Made by tests/liars.rs: do not edit. -->\n\n{} liars, and the rule of truth that flags each, or the metric that \
         shows it.\n\n| liar | seen by |\n|---|---|\n",
        all.len()
    );
    for Seen { what, by } in &all {
        table += &format!("| {what} | {by} |\n");
    }
    let file = root().join("docs/proof/liars.md");
    if std::env::var_os("SYNCHROSCOPE_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&file, &table).expect("the table can be written");
    }
    let stands = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stands == table,
        "docs/proof/liars.md is not what was seen; with SYNCHROSCOPE_GOLDEN=write it becomes:\n{table}"
    );
}

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
        take: record::Take::One,
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
    judge(record, &TruthContext { cores: 8, pinned: None })
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

fn starves() -> Vec<Seen> {
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
    seen("a lock that starves one thread", "Jain's index, the longest wait")
}

fn yields_at_times() -> Vec<Seen> {
    let record = simulated::<YieldsAtTimes>(10, &point(500, 100), 20_000_000);
    let acquires = record.launches.iter().flat_map(|l| &l.result).map(LaunchResult::ops).min();
    assert!(acquires > Some(10_000), "only {acquires:?} acquisitions: the fault never came");
    let (status, reasons, _) = judged(&record);
    assert_eq!(status, Status::Failed);
    assert!(reasons.iter().any(|reason| reason.starts_with("result: ")), "{reasons:?}");
    seen("a lock that yields instead of excluding, once in 10,000", "rule `result`")
}

fn shares_counters() -> Vec<Seen> {
    let misses = |record: &Record| {
        let result = record.launches[0].result.as_ref().expect("a result");
        let misses = result.counters["cache_misses"].value().expect("a simulated machine counts them");
        misses as f64 / result.ops() as f64
    };
    let liar = misses(&simulated::<SharesCounters>(1, &point(50, 2_000), 1_000_000));
    let honest = misses(&simulated::<SpreadsCounters>(1, &point(50, 2_000), 1_000_000));
    assert!(liar > 1.3 * honest, "{liar} misses an operation, beside {honest}");
    seen("a falsely shared counter", "misses per operation, beside the same lock without")
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

fn sleepy_probe() -> Vec<Seen> {
    let ratio = |probed: LaunchResult| {
        let launches = vec![(ProbeMode::Off, observed_by::<NoProbe>()), (ProbeMode::Count, probed)];
        let certificate = check(&record(Ticket::CARD.id, point(50, 500), launches), "probe-effect").detail;
        let number = certificate.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
        number.unwrap_or_else(|| panic!("no ratio in {certificate:?}"))
    };
    assert!(ratio(observed_by::<SleepyProbe>()) < 0.5);
    assert!((ratio(observed_by::<NoProbe>()) - 1.0).abs() < 1e-9);
    seen("a probe that sleeps", "rule `probe-effect`: the certificate of what looking costs")
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
fn engines() -> Vec<Seen> {
    const END: u64 = 7_000_000;
    // Not a rule of truth: what does not fit its question is refused before it is a record.
    const ANSWER: &str = "";
    // Of two threads that hold for 1 us each, one lock serves 2000 in 2 ms.
    let (honest, total) = (900, 1_800);
    // Name, what it does, its script, who sees it, and what that says.
    let liars = [
        (
            "doubles-count",
            "an engine that doubles its operations",
            answer("doubles-count", 2 * honest, END, total, total),
            ANSWER,
            "claims 3600 operations",
        ),
        (
            "doubles-all",
            "an engine that doubles operations and counter",
            answer("doubles-all", 2 * honest, END, 2 * total, 2 * total),
            "exclusion",
            "more than one",
        ),
        (
            "skips-section",
            "a driver that skips its critical section",
            answer("skips-section", honest, END, total, 0),
            "result",
            "launch 0, slice 0: the guarded",
        ),
        (
            "skips-and-says-so",
            "a driver that skips it, and counts as if it had not",
            answer("skips-and-says-so", 90_000, END, 180_000, 180_000),
            "floor",
            "too fast",
        ),
        (
            "fast-clock",
            "a clock that runs fast",
            answer("fast-clock", 900_000, END + 4_000_000_000, 1_800_000, 1_800_000),
            "clock",
            "a clock",
        ),
        (
            "clock-jumps",
            "a clock that jumps ahead",
            answer("clock-jumps", honest, END + 600_000_000_000, total, total),
            "clock",
            "a clock",
        ),
        (
            "clock-jumps-back",
            "a clock that jumps back",
            answer("clock-jumps-back", honest, 4_000_000, total, total),
            ANSWER,
            "ends before it starts",
        ),
    ];
    let place = Place::new();
    let mut arguments = vec!["run".to_owned(), "suite.toml".into(), "--out".into(), "run".into()];
    let mut ids = Vec::new();
    let said = ("honest", "", answer("honest", honest, END, total, total), "", "");
    for (id, _, script, ..) in liars.iter().chain([&said]) {
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
    let mut all = Vec::new();
    for (id, what, _, rule, words) in &liars {
        let record = record_of(&run, &format!("mutex/{id}"));
        assert!(matches!(record.status, Status::Suspect | Status::Failed), "{id} is believed: {record:?}");
        let told = |reason: &String| {
            reason.contains(words) && (*rule == ANSWER || reason.starts_with(&format!("{rule}: ")))
        };
        assert!(record.reasons.iter().any(told), "{id}: {:?}", record.reasons);
        let by = if *rule == ANSWER {
            "the check of an answer against its question".into()
        } else {
            format!("rule `{rule}`")
        };
        all.push(Seen { what, by });
    }
    // What was refused as an answer is a wrong result, not a crash.
    let failure = record_of(&run, "mutex/clock-jumps-back").launches[0].failure.as_ref();
    assert_eq!(failure.map(|failure| failure.kind), Some(FailureKind::WrongResult));
    let honest = record_of(&run, "mutex/honest");
    assert_eq!(honest.status, Status::Ok, "{:?}", honest.reasons);
    let clock = honest.checks.iter().find(|check| check.rule == "clock").expect("a rule");
    assert_eq!(clock.verdict, Verdict::Holds, "{clock:?}");
    all
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
