//! The simulated machine: exactness, progress, ledgers that sum, failures that end.

use std::rc::Rc;

use impls::card::{Defaults, Runs};
use impls::machine::sim::preset::{Op, Preset, Prior};
use impls::machine::sim::trace::{Away, Mark, Step};
use impls::machine::sim::{Report, Setup, Sim, clock_cycles, simulate};
use impls::machine::{Atomic, AtomicInt, Line, Machine, Ordering, Waited};
use impls::mutex::go_2016_starving::Go2016Starving;
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::mutex::mcs::Mcs;
use impls::mutex::{MutexImpl, MutexVisitor, RawMutex};
use impls::probe::{Event, NoProbe};

type S = Sim<NoProbe>;

fn setup(name: &str) -> Setup {
    Setup { preset: Rc::new(Preset::builtin(name).unwrap()), observe: true, marks: 0, marks_from: 0 }
}

/// Acquires of each thread on one lock, and the report.
fn locked<I: MutexImpl>(setup: &Setup, threads: usize, rounds: u64, seed: u64) -> (u64, Report) {
    let (count, mut reports) = simulate(setup, || {
        let lock = I::build::<S, Defaults>(Defaults);
        let counter = <S as Machine>::AtomicU64::new(0);
        let object = core::ptr::from_ref(&lock).addr();
        S::run(threads, &[], seed, &|index| {
            let mut context = lock.context();
            S::event(Event::Begin { worker: index as u32, workers: threads as u32 }, 0);
            for _ in 0..rounds {
                S::event(Event::Request { intended_ns: 0 }, object);
                lock.lock(&mut context);
                S::event(Event::Acquired, object);
                let seen = counter.load(Ordering::Relaxed);
                S::work(100);
                counter.store(seen + 1, Ordering::Relaxed);
                S::event(Event::Releasing, object);
                lock.unlock(&mut context);
                S::work(300);
            }
            S::event(Event::End, 0);
        });
        counter.load(Ordering::Relaxed)
    });
    (count, reports.remove(0))
}

/// Runs one lock: setup, threads, acquires of each, seed.
type Run = dyn Fn(&Setup, usize, u64, u64) -> (u64, Report);

struct Each<F>(F);

impl<F: FnMut(&str, &Run)> MutexVisitor for Each<F> {
    fn visit<I: MutexImpl>(&mut self) {
        if I::CARD.runs == Runs::AnyMachine && !I::CARD.id.ends_with("empty") {
            (self.0)(I::CARD.id, &locked::<I>);
        }
    }
}

#[test]
fn every_lock_excludes_and_every_ledger_sums() {
    for (preset, threads) in [("opteron-48", 8), ("opteron-48", 60), ("vm-2", 6), ("niagara-64", 64)] {
        let setup = setup(preset);
        impls::mutex::visit_all(&mut Each(|id: &str, run: &Run| {
            let (count, report) = run(&setup, threads, 50, 1);
            assert_eq!(count, threads as u64 * 50, "{id} on {preset}");
            assert_eq!(report.stretches.len(), threads, "{id} on {preset}");
            for (thread, ledger) in &report.stretches {
                assert_eq!(ledger.acquires, 50, "{id} on {preset}, thread {thread}");
                assert_eq!(ledger.total(), ledger.span, "{id} on {preset}: {ledger:?}");
            }
        }));
    }
}

/// Cycles from the first to the last of 1000 additions of each thread to one word, on the first cores in the preset's order.
fn adding(preset: &str, threads: usize) -> u64 {
    let setup = setup(preset);
    let cpus: Vec<usize> = setup.preset.order.iter().take(threads).map(|&core| usize::from(core)).collect();
    let end = std::sync::atomic::AtomicU64::new(0);
    let (sum, _) = simulate(&setup, || {
        let word = <S as Machine>::AtomicU64::new(0);
        S::run(threads, &cpus, 1, &|_| {
            for _ in 0..1000 {
                word.fetch_add(1, Ordering::Relaxed);
            }
            end.fetch_max(clock_cycles().unwrap(), Ordering::Relaxed);
        });
        word.load(Ordering::Relaxed)
    });
    assert_eq!(sum, threads as u64 * 1000);
    end.into_inner()
}

/// At a shared cache requests overlap on their way: few threads take as long as one, and many are limited by what a request
/// does there. Where a line is owned, transfers follow on each other.
#[test]
fn requests_to_a_shared_cache_overlap_on_their_way() {
    let tilera = Preset::builtin("tilera-36").unwrap();
    let (one_hop, most_hops) = (0, tilera.classes.len() as u8 - 1);
    let cycles = |op, class| u64::from(tilera.miss_cycles(op, Prior::Modified, class));
    let read = cycles(Op::Load, most_hops) * u64::from(tilera.read_occupancy_percent) / 100;
    let there = cycles(Op::Fai, most_hops) - cycles(Op::Load, most_hops) + read;
    for (threads, expected) in [
        (1, 1000 * cycles(Op::Fai, one_hop)),
        (2, 1000 * cycles(Op::Fai, one_hop)),
        (12, 12_000 * there),
        (36, 36_000 * there),
    ] {
        let found = adding("tilera-36", threads);
        let bounds = expected..=expected + expected / 50;
        assert!(bounds.contains(&found), "{threads} threads: {found} cycles, expected {bounds:?}");
    }
    // Six threads have six times as much to add, and the line to pass around besides.
    assert!(adding("opteron-48", 6) > 12 * adding("opteron-48", 1));
}

/// Every thread adds to one word again and again, for a million cycles: how often the luckiest did, and the unluckiest.
fn turns(preset: &Preset, threads: usize) -> (u64, u64) {
    let word = Line(<S as Machine>::AtomicU64::new(0));
    let done: Vec<_> = (0..threads).map(|_| std::sync::atomic::AtomicU64::new(0)).collect();
    let setup = Setup { preset: Rc::new(preset.clone()), ..setup("opteron-48") };
    simulate(&setup, || {
        let cpus: Vec<usize> = (0..threads).collect();
        S::run(threads, &cpus, 1, &|index| {
            while clock_cycles().unwrap() < 1_000_000 {
                word.fetch_add(1, Ordering::Relaxed);
                done[index].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
    });
    let done: Vec<u64> = done.into_iter().map(std::sync::atomic::AtomicU64::into_inner).collect();
    (done.iter().copied().max().unwrap(), done.iter().copied().min().unwrap())
}

/// In the order of arrival whoever asks again comes behind all who wait: all have as many turns, but for those who started
/// later. In any order some have more, and nobody is left out.
#[test]
fn lines_serve_in_the_order_of_arrival_or_in_any() {
    let opteron = Preset::builtin("opteron-48").unwrap();
    assert!(opteron.any_order);
    // An owner that keeps the line for a while may have several turns.
    let any = Preset { hold_window_cycles: 0, ..opteron };
    let arrival = Preset { any_order: false, ..any.clone() };
    for threads in [3, 12, 48] {
        let (most, least) = turns(&arrival, threads);
        assert!(most - least <= 3, "in the order of arrival, {threads} threads: {least} to {most} turns");
        let (most, least) = turns(&any, threads);
        assert!(
            most - least > 6 && least > most / 2,
            "in any order, {threads} threads: {least} to {most} turns"
        );
    }
}

/// What a simulation that fails says.
fn failure(body: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).expect_err("it must fail");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic with a text")).to_owned(),
    }
}

#[test]
fn a_panic_ends_the_simulation_and_nothing_else() {
    let text = failure(|| {
        let lock = Mcs::build::<S, Defaults>(Defaults);
        simulate(&setup("laptop-8"), || {
            S::run(6, &[], 1, &|index| {
                let mut context = lock.context();
                for round in 0..10 {
                    lock.lock(&mut context);
                    assert!(index != 3 || round < 5, "thread 3 gives up");
                    lock.unlock(&mut context);
                }
            });
        });
    });
    assert_eq!(text, "thread 3 gives up");
    // The host thread can simulate again.
    assert_eq!(locked::<Mcs>(&setup("laptop-8"), 4, 10, 1).0, 40);
}

#[test]
fn a_deadlock_is_told_at_once_and_says_who_waits_for_whom() {
    let text = failure(|| {
        let locks = [Mcs::build::<S, Defaults>(Defaults), Mcs::build::<S, Defaults>(Defaults)];
        simulate(&setup("laptop-8"), || {
            S::run(2, &[], 1, &|index| {
                let (first, second) = (&locks[index], &locks[1 - index]);
                let take = |lock: &<Mcs as MutexImpl>::Lock<S, Defaults>| {
                    let object = core::ptr::from_ref(lock).addr();
                    let mut context = lock.context();
                    S::event(Event::Request { intended_ns: 0 }, object);
                    lock.lock(&mut context);
                    S::event(Event::Acquired, object);
                    context
                };
                let (mut a, _) = (take(first), S::work(100_000));
                let mut b = take(second);
                second.unlock(&mut b);
                first.unlock(&mut a);
            });
        });
    });
    assert!(text.starts_with("deadlock after "), "{text}");
    assert!(text.contains("2 of 2 threads can never go on"), "{text}");
    for thread in 0..2 {
        let other = 1 - thread;
        let line = text.lines().find(|line| line.starts_with(&format!("  thread {thread} "))).unwrap();
        assert!(line.contains("polls a word") && line.contains(&format!("held by thread {other}")), "{text}");
    }
}

/// Threads that yield always have an event left, and so have pollers that share a core: that they get nowhere is told all
/// the same. Who works, or waits for a moment, gets somewhere.
#[test]
fn threads_that_go_in_circles_are_told() {
    for (threads, yields) in [(2, true), (12, false)] {
        let text = failure(|| {
            let lock = Mcs::build::<S, Defaults>(Defaults);
            let object = core::ptr::from_ref(&lock).addr();
            simulate(&setup("laptop-8"), || {
                let word = <S as Machine>::AtomicU32::new(0);
                S::run(threads, &[], 1, &|_| {
                    S::event(Event::Request { intended_ns: 0 }, object);
                    S::work(400_000_000);
                    let deadline_ns = S::now_ns() + 300_000_000;
                    while S::now_ns() < deadline_ns {
                        S::pause(1000);
                    }
                    if yields {
                        while word.load(Ordering::Relaxed) == 0 {
                            S::yield_now();
                        }
                    } else {
                        word.spin_while(Ordering::Relaxed, |value| value == 0);
                    }
                });
            });
        });
        let told: u64 =
            text.strip_prefix("livelock after ").unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!((500_000_000..3_000_000_000).contains(&told), "{text}");
        assert!(text.contains("waits for object 0") && text.contains("held by nobody"), "{text}");
    }
}

/// A sleeper whose deadline has passed is on its way already when the wake-up comes: it must not be sent on its way twice.
/// Deadlines lie where wake-ups do, and many share few cores, so that some are still queued when they are woken.
#[test]
fn a_core_runs_one_thread_at_a_time_though_deadlines_meet_wake_ups() {
    for seed in 1..=8 {
        let setup = Setup { marks: 1_000_000, ..setup("laptop-8") };
        let (timed_out, mut reports) = simulate(&setup, || {
            let word = <S as Machine>::AtomicU32::new(0);
            let timed_out = std::sync::atomic::AtomicU32::new(0);
            S::run(24, &[], seed, &|index| {
                for _ in 0..40 {
                    if index < 4 {
                        S::futex_wake(&word, u32::MAX);
                        S::work(1_000 + S::random() % 8_000);
                    } else {
                        let deadline = S::now_ns() + u64::from(S::random() % 4_000);
                        if S::futex_wait(&word, 0, Some(deadline)) == Waited::TimedOut {
                            timed_out.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
            timed_out.into_inner()
        });
        assert!((50..750).contains(&timed_out), "seed {seed}: {timed_out} of 800 waits timed out");
        let mut marks = reports.remove(0).tape.unwrap().marks;
        marks.sort_by_key(|mark| mark.time);
        let mut runs_on: Vec<Option<u16>> = vec![None; 24];
        for Mark { time, thread, step } in marks {
            match step {
                Step::Core(core) => {
                    let there = runs_on.iter().position(|&on| on == Some(core));
                    assert_eq!(there, None, "seed {seed}: core {core} has two threads at {time}");
                    let before = runs_on[thread as usize].replace(core);
                    assert_eq!(before, None, "seed {seed}: thread {thread} is on two cores at {time}");
                }
                Step::Off(Away::Preempted | Away::Asleep | Away::Ended) => {
                    let before = runs_on[thread as usize].take();
                    assert!(before.is_some(), "seed {seed}: thread {thread} leaves no core at {time}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn seeds_decide_and_nothing_else() {
    let once = |seed| move || locked::<Go2019Fastpath>(&setup("genoa-192"), 40, 30, seed).1.trace_hash;
    let here = once(1)();
    assert_eq!(here, once(1)());
    assert_ne!(here, once(2)());
    // Another host thread, with another heap behind it.
    let there = std::thread::spawn(move || {
        let ballast: Vec<Vec<u8>> = (0..1000).map(|i| vec![0; i * 7 % 999]).collect();
        let hash = once(1)();
        drop(ballast);
        hash
    });
    assert_eq!(here, there.join().unwrap());
}

/// Go's promise: once a waiter has set starvation mode, the lock goes to those who queue, and it queues in front. So at
/// most the section that runs and one hand-over pass before it has the lock.
#[test]
fn a_starving_waiter_is_served_next() {
    let mut periods = 0;
    for name in Preset::names() {
        let setup = Setup { marks: 2_000_000, ..setup(name) };
        for seed in 1..=3 {
            let threads = 4.min(setup.preset.cores as usize * 2);
            let (_, mut reports) = simulate(&setup, || {
                let lock = Go2016Starving::build::<S, Defaults>(Defaults);
                let object = core::ptr::from_ref(&lock).addr();
                let end = setup.preset.cycles(20_000_000);
                S::run(threads, &[], seed, &|_| {
                    while clock_cycles().unwrap() < end {
                        S::event(Event::Request { intended_ns: 0 }, object);
                        lock.lock(&mut ());
                        S::event(Event::Acquired, object);
                        S::work(20_000);
                        S::event(Event::Releasing, object);
                        lock.unlock(&mut ());
                        S::work(300);
                    }
                });
            });
            let mut marks = reports.remove(0).tape.unwrap().marks;
            marks.sort_by_key(|mark| mark.time);
            for (at, mark) in marks.iter().enumerate() {
                if !matches!(mark.step, Step::Report(Event::StarvingBegin, _)) {
                    continue;
                }
                let acquired = |m: &&Mark| matches!(m.step, Step::Report(Event::Acquired, _));
                let later: Vec<u32> = marks[at..].iter().filter(acquired).map(|m| m.thread).collect();
                // A period that the end of the run cuts proves nothing.
                let Some(passed) = later.iter().position(|&thread| thread == mark.thread) else { continue };
                periods += 1;
                assert!(passed <= 1, "{name}, seed {seed}: {passed} others at {} went first", mark.time);
            }
        }
    }
    assert!(periods > 20, "only {periods} periods of starvation were seen");
}
