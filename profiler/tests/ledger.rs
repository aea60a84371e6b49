//! The ledger against honest and dishonest accounts, built from a made-up thread whose truth is known.

use profiler::ledger::{PARK_CPU_NS, Scheduled, Stamped, ledger};
use record::profile::Ledger;

/// What really happened to a thread, ns.
#[derive(Clone, Copy)]
struct Truth {
    think: u64,
    hold: u64,
    fast: u64,
    spin: u64,
    lost: u64,
    /// Sleeps, their length, and the delay of each wake-up of which a part is ready but not on a core.
    sleeps: u64,
    asleep_each: u64,
    wake_each: u64,
    ready_each: u64,
    /// Processor time of going to sleep and waking up.
    sleep_cpu_each: u64,
    /// Preemption, all of it in think.
    preempted: u64,
}

const BUSY: Truth = Truth {
    think: 400_000,
    hold: 300_000,
    fast: 50_000,
    spin: 200_000,
    lost: 50_000,
    sleeps: 0,
    asleep_each: 0,
    wake_each: 0,
    ready_each: 0,
    sleep_cpu_each: 0,
    preempted: 0,
};
const SLEEPY: Truth = Truth {
    sleeps: 30,
    asleep_each: 40_000,
    wake_each: 30_000,
    ready_each: 3_000,
    sleep_cpu_each: 3_000,
    ..BUSY
};
const CROWDED: Truth = Truth { preempted: 3_000_000, ready_each: 28_000, ..SLEEPY };

impl Truth {
    fn awake(&self) -> u64 {
        self.think + self.hold + self.fast + self.spin + self.lost
    }
    fn span(&self) -> u64 {
        self.awake() + self.preempted + self.sleeps * (self.asleep_each + self.wake_each)
    }
    fn scheduled(&self) -> Scheduled {
        Scheduled {
            cpu_ns: self.awake() + self.sleeps * self.sleep_cpu_each,
            run_delay_ns: self.preempted + self.sleeps * self.ready_each,
            park_cpu_ns: PARK_CPU_NS,
        }
    }
    /// Stamps by a clock that runs at `rate`.
    fn stamped(&self, rate: f64) -> Stamped {
        let by_clock = |ns: u64| (ns as f64 * rate) as u64;
        Stamped {
            think_ns: by_clock(self.think + self.preempted),
            hold_ns: by_clock(self.hold),
            wait_ns: by_clock(self.span() - self.think - self.preempted - self.hold),
            fast_ns: by_clock(self.fast),
            spin_ns: by_clock(self.spin),
            park_ns: by_clock(self.sleeps * self.asleep_each),
            wake_ns: by_clock(self.sleeps * self.wake_each),
            lost_ns: by_clock(self.lost),
            parks: self.sleeps,
            ..Stamped::default()
        }
    }
}

fn residue(ledger: &Ledger) -> f64 {
    1.0 - ledger.sum_ns() as f64 / ledger.span_ns as f64
}

#[test]
fn honest_accounts_add_up() {
    for (name, truth) in [("busy", BUSY), ("sleepy", SLEEPY), ("crowded", CROWDED)] {
        let ledger = ledger(truth.span(), &truth.stamped(1.0), Some(truth.scheduled()), true);
        assert!(residue(&ledger).abs() < 0.05, "{name}: {} in {ledger:?}", residue(&ledger));
        assert!(ledger.preempted_ns.abs_diff(truth.preempted) <= truth.span() / 20, "{name}: {ledger:?}");
        // The phases together are net of preemption; how it falls on each of them nobody knows.
        let awake = ledger.think_ns + ledger.hold_ns + ledger.fast_ns + ledger.spin_ns + ledger.lost_ns;
        assert!(awake.abs_diff(truth.awake()) <= truth.span() / 20, "{name}: {ledger:?}");
    }
}

#[test]
fn honest_sleeps_without_the_wakers_stamp_add_up() {
    for truth in [SLEEPY, CROWDED] {
        let mut stamped = truth.stamped(1.0);
        stamped.park_unsplit_ns = stamped.park_ns + stamped.wake_ns;
        (stamped.park_ns, stamped.wake_ns) = (0, 0);
        let ledger = ledger(truth.span(), &stamped, Some(truth.scheduled()), true);
        assert!(residue(&ledger).abs() < 0.05, "{} in {ledger:?}", residue(&ledger));
    }
}

#[test]
fn a_clock_that_runs_fast_leaves_a_residue() {
    let span = (BUSY.span() as f64 * 1.2) as u64;
    let ledger = ledger(span, &BUSY.stamped(1.2), Some(BUSY.scheduled()), true);
    assert!(residue(&ledger) > 0.15, "{} in {ledger:?}", residue(&ledger));
}

#[test]
fn a_clock_that_runs_slow_leaves_a_negative_residue() {
    let span = (BUSY.span() as f64 * 0.8) as u64;
    let ledger = ledger(span, &BUSY.stamped(0.8), Some(BUSY.scheduled()), true);
    assert!(residue(&ledger) < -0.15, "{} in {ledger:?}", residue(&ledger));
}

#[test]
fn a_lock_that_sleeps_in_secret_leaves_a_residue() {
    // A fifth of the span is sleep that the stamps call spinning: the scheduler saw neither core nor delay.
    let secret = BUSY.span() / 4;
    let mut stamped = BUSY.stamped(1.0);
    stamped.spin_ns += secret;
    stamped.wait_ns += secret;
    let ledger = ledger(BUSY.span() + secret, &stamped, Some(BUSY.scheduled()), true);
    assert!(residue(&ledger) > 0.15, "{} in {ledger:?}", residue(&ledger));
}

#[test]
fn a_driver_that_does_not_report_a_part_leaves_a_residue() {
    for scheduled in [None, Some(BUSY.scheduled())] {
        let mut stamped = BUSY.stamped(1.0);
        // Its stamps stop halfway, but it was on a core all the time.
        for part in [
            &mut stamped.think_ns,
            &mut stamped.hold_ns,
            &mut stamped.fast_ns,
            &mut stamped.spin_ns,
            &mut stamped.lost_ns,
        ] {
            *part /= 2;
        }
        let half = scheduled.map(|s| Scheduled { cpu_ns: s.cpu_ns / 2, ..s });
        let ledger = ledger(BUSY.span(), &stamped, half, true);
        assert!(residue(&ledger) > 0.4, "{} in {ledger:?}", residue(&ledger));
    }
}

/// Figures of honest launches beside other programs, as this project's own runs recorded them: each was once accused.
#[test]
fn honest_threads_beside_other_programs_are_not_accused() {
    let parts = |think: u64, hold: u64, fast: u64, lost: u64| Stamped {
        think_ns: think,
        hold_ns: hold,
        fast_ns: fast,
        lost_ns: lost,
        ..Stamped::default()
    };
    // Sleeps without the waker's stamp, and 9.65 ms off its core before the first stamp or after the last: of
    // `recursive-token`, 8 threads on 2 cores.
    let token = Stamped {
        wait_ns: 78_190_000,
        park_unsplit_ns: 74_340_000,
        parks: 27,
        ..parts(36_540_000, 3_500_000, 1_090_000, 2_760_000)
    };
    // 848 sleeps at 11 us of processor time each: of `go-2015-spinning`, the victim.
    let spinning = Stamped {
        wait_ns: 100_000_000,
        spin_ns: 2_100_000,
        park_ns: 63_710_000,
        wake_ns: 33_710_000,
        parks: 848,
        ..parts(1_150_000, 20_000, 0, 480_000)
    };
    // 528 sleeps at 19 us each, and others on the core for a third of the time: of `go-2019-fastpath`, the victim.
    let fastpath = Stamped {
        wait_ns: 94_240_000,
        spin_ns: 2_200_000,
        park_ns: 43_520_000,
        wake_ns: 48_270_000,
        parks: 528,
        ..parts(6_320_000, 180_000, 0, 250_000)
    };
    for (name, span_ns, stamped, cpu_ns, run_delay_ns) in [
        ("token", 127_880_000, token, 33_080_000, 94_240_000),
        ("spinning", 101_170_000, spinning, 13_150_000, 5_640_000),
        ("fastpath", 100_740_000, fastpath, 18_790_000, 38_270_000),
    ] {
        let ledger = ledger(
            span_ns,
            &stamped,
            Some(Scheduled { cpu_ns, run_delay_ns, park_cpu_ns: PARK_CPU_NS }),
            true,
        );
        assert!(residue(&ledger).abs() < 0.02, "{name}: {} in {ledger:?}", residue(&ledger));
    }
    // The same figures, but nobody kept the thread from its core: then it slept in secret, or its clock lies.
    let quiet = Scheduled { cpu_ns: 33_080_000, run_delay_ns: 0, park_cpu_ns: PARK_CPU_NS };
    let accused = ledger(127_880_000, &token, Some(quiet), true);
    assert!(residue(&accused) > 0.07, "{} in {accused:?}", residue(&accused));
    let quiet = Scheduled { cpu_ns: 28_790_000, run_delay_ns: 1_000_000, park_cpu_ns: PARK_CPU_NS };
    let accused = ledger(100_740_000, &fastpath, Some(quiet), true);
    assert!(residue(&accused) < -0.07, "{} in {accused:?}", residue(&accused));
}

/// Whoever lies beside other programs is excused as far as they explain it, and no further.
#[test]
fn liars_beside_other_programs_are_seen() {
    // A driver that stops reporting for a third of the time, in which it neither works nor is kept from its core.
    for preempted in [0, BUSY.awake() / 10] {
        let truth = Truth { preempted, ..BUSY };
        let span = truth.span() + truth.span() / 2;
        let silent = ledger(span, &truth.stamped(1.0), Some(truth.scheduled()), true);
        assert!(residue(&silent) > 0.2, "{preempted}: {} in {silent:?}", residue(&silent));
    }
    // A clock at half its rate, of a thread that sleeps two thirds of its time.
    let slow = ledger(SLEEPY.span() / 2, &SLEEPY.stamped(0.5), Some(SLEEPY.scheduled()), true);
    assert!(residue(&slow) < -0.1, "{} in {slow:?}", residue(&slow));
    // A lock that sleeps in secret, beside others that take a tenth of the time.
    let truth = Truth { preempted: BUSY.awake() / 10, ..BUSY };
    let secret = truth.span() / 4;
    let mut stamped = truth.stamped(1.0);
    (stamped.spin_ns, stamped.wait_ns) = (stamped.spin_ns + secret, stamped.wait_ns + secret);
    let sleeps = ledger(truth.span() + secret, &stamped, Some(truth.scheduled()), true);
    assert!(residue(&sleeps) > 0.1, "{} in {sleeps:?}", residue(&sleeps));
}

#[test]
fn without_reports_the_sleep_is_the_schedulers() {
    let truth = SLEEPY;
    let mut stamped = truth.stamped(1.0);
    // The probe saw no park: all waits look fast.
    stamped.fast_ns = stamped.wait_ns;
    (stamped.spin_ns, stamped.park_ns, stamped.wake_ns, stamped.lost_ns, stamped.parks) = (0, 0, 0, 0, 0);
    let scheduled = truth.scheduled();
    let ledger = ledger(truth.span(), &stamped, Some(scheduled), false);
    assert_eq!(ledger.park_ns, truth.span() - scheduled.cpu_ns - scheduled.run_delay_ns);
    assert_eq!(ledger.preempted_ns, scheduled.run_delay_ns);
    assert!(residue(&ledger).abs() < 0.01, "{} in {ledger:?}", residue(&ledger));
}

#[test]
fn without_an_account_nothing_is_scaled() {
    let ledger = ledger(BUSY.span(), &BUSY.stamped(1.0), None, true);
    assert_eq!((ledger.think_ns, ledger.preempted_ns), (BUSY.think, 0));
    assert_eq!(ledger.sum_ns(), BUSY.span());
}

/// A model's kernel may be busy for as long as its preset says: all of a sleep may be processor time there.
#[test]
fn sleeps_of_a_model_may_cost_all_that_they_take() {
    let stamped = Stamped {
        think_ns: 1_080_000,
        hold_ns: 6_000,
        wait_ns: 940_000,
        park_unsplit_ns: 906_000,
        fast_ns: 34_000,
        parks: 18,
        ..Stamped::default()
    };
    let span_ns = stamped.think_ns + stamped.hold_ns + stamped.wait_ns;
    let known = |park_cpu_ns| Scheduled { cpu_ns: span_ns - 50_000, run_delay_ns: 50_000, park_cpu_ns };
    let of = |park_cpu_ns| residue(&ledger(span_ns, &stamped, Some(known(park_cpu_ns)), true));
    assert!(of(u64::MAX).abs() < 0.001, "{}", of(u64::MAX));
    assert!(of(PARK_CPU_NS) < -0.05, "{}", of(PARK_CPU_NS));
}
