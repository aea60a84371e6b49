//! The driver on this computer: counts add up, schedules cut, times make sense. No absolute times.

use impls::card::{Capability, Defaults};
use impls::machine::os::{Os, cores_allowed};
use impls::mutex::MutexImpl;
use impls::mutex::empty::Empty;
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::probe::NoProbe;
use record::spec::Expect;
use record::{Arrivals, Choice, Distribution, Point, Role, Schedule};
use workloads::driver::{Account, Launch, Outcome, Witness, mutex};

struct Nobody;
impl Witness for Nobody {
    fn account(&self) -> Account {
        Account::default()
    }
}

fn role(name: &str, threads: u32, hold_ns: u64) -> Role {
    let constant = |ns| Distribution::Constant { ns };
    Role { name: name.into(), threads, hold: constant(hold_ns), think: constant(0) }
}

fn point(roles: Vec<Role>) -> Point {
    Point {
        workload: "test".into(),
        label: "test".into(),
        family: "mutex".into(),
        roles,
        locks: 1,
        choice: Choice::Uniform,
        take: record::Take::One,
        arrivals: Arrivals::Closed,
        schedule: Schedule::Steady,
        expect: Expect::Counter,
    }
}

fn launch<I: MutexImpl>(point: &Point) -> Outcome<()> {
    let launch = Launch {
        point,
        slices: 2,
        slice_ns: 10_000_000,
        warmup_ns: 1_000_000,
        cpus: &[],
        seed: 1,
        can_count: I::CARD.offers(Capability::WaiterCount),
    };
    mutex::run::<Os<NoProbe>, I, Defaults>(&launch, Defaults, &Nobody)
}

#[test]
fn counts_add_up_on_every_kind_of_load() {
    let base = point(vec![role("all", 2, 0)]);
    let loads = [
        base.clone(),
        Point { locks: 16, choice: Choice::Zipf { exponent: 1.0 }, ..base.clone() },
        Point { arrivals: Arrivals::Poisson { per_thread_per_s: 20_000.0 }, ..base.clone() },
        Point { arrivals: Arrivals::Fixed { per_thread_per_s: 20_000.0 }, ..base.clone() },
        Point { schedule: Schedule::Ramp { active: vec![1, 2, 1] }, ..base.clone() },
        Point { schedule: Schedule::Bursts { on_ns: 2_000_000, off_ns: 2_000_000 }, ..base.clone() },
        Point { schedule: Schedule::Stall { stall_ns: 2_000_000, phase_ns: 1_000_000 }, ..base.clone() },
        point(vec![role("short", 3, 0), role("long", 1, 20_000)]),
        point(vec![role("all", 8, 100)]),
    ];
    for load in loads {
        let outcome = launch::<Go2019Fastpath>(&load);
        assert_eq!(outcome.slices.len(), 2, "{load:?}");
        for slice in &outcome.slices {
            assert_eq!(slice.expected, slice.observed, "{load:?}");
            assert!(slice.ops() > 0 && slice.ops() <= slice.expected, "{load:?}");
            assert_eq!(slice.workers.len(), load.threads());
            let of_phases: u64 = slice.phases.iter().flat_map(|phase| &phase.ops).sum();
            assert!(slice.phases.is_empty() || of_phases == slice.ops(), "{load:?}");
        }
    }
}

#[test]
fn an_open_loop_keeps_its_rate() {
    let open =
        Point { arrivals: Arrivals::Fixed { per_thread_per_s: 10_000.0 }, ..point(vec![role("all", 1, 0)]) };
    let outcome = launch::<Go2019Fastpath>(&open);
    let (ops, span_ns) = (outcome.slices[0].ops() as f64, outcome.slices[0].span_ns() as f64);
    let rate = ops * 1e9 / span_ns;
    assert!((5_000.0..12_000.0).contains(&rate), "{rate} for 10000");
}

#[test]
fn idle_phases_are_idle() {
    let bursts = Point {
        schedule: Schedule::Bursts { on_ns: 2_500_000, off_ns: 2_500_000 },
        ..point(vec![role("all", 1, 0)])
    };
    for phase in &launch::<Go2019Fastpath>(&bursts).slices[0].phases {
        let ops: u64 = phase.ops.iter().sum();
        // The operation that ends when the phase begins may fall into it.
        assert!(if phase.active == 0 { ops <= 1 } else { ops > 100 }, "{phase:?}");
    }
}

#[test]
fn without_a_lock_counts_get_lost_and_the_driver_sees_it() {
    if cores_allowed() < 2 {
        return;
    }
    let lost = (0..5).any(|_| {
        let outcome = launch::<Empty>(&point(vec![role("all", 2, 0)]));
        outcome.slices.iter().any(|slice| slice.observed < slice.expected)
    });
    assert!(lost);
}
