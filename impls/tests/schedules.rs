//! Schedules on the simulated machine: campaigns find what is broken, under few switches, and pass what is not.

use std::rc::Rc;

use impls::card::Defaults;
use impls::machine::sim::explore::{Failure, How, Kind, Options, Outcome, Policy, campaign, replay};
use impls::machine::sim::trace::Step;
use impls::machine::sim::{Sim, explore};
use impls::machine::{Atomic, AtomicInt, Machine, Ordering, Waited};
use impls::mutex::mcs::Mcs;
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::{Event, NoProbe};

type S = Sim<NoProbe>;
type Word = <S as Machine>::AtomicU32;

const SC: Ordering = Ordering::SeqCst;

fn policies(schedules: u32) -> [Options; 2] {
    [Policy::Random, Policy::Pct { depth: 3 }].map(|policy| Options { policy, ..Options::new(schedules, 1) })
}

/// The failure that a campaign finds: its short schedule, as text, fails again in the same way, step by step.
#[track_caller]
fn found(options: &Options, program: impl Fn()) -> Failure {
    let Outcome::Failed(failure) = campaign(options, &program) else { panic!("{options:?} found nothing") };
    let schedule: explore::Schedule = failure.schedule.to_string().parse().unwrap();
    let [once, twice] = [0, 10_000].map(|marks| replay(options, &schedule, marks, &program));
    assert_eq!(once.failure, Some((failure.kind, failure.text.clone())), "{failure}");
    assert_eq!((once.choices_hash, once.steps), (twice.choices_hash, twice.steps));
    assert_eq!(once.steps, failure.shrunk.steps);
    assert!(failure.shrunk.switches <= failure.found.switches, "{failure}");
    assert!(failure.to_string().contains(&schedule.to_string()), "{failure}");
    // The seed alone leads to the same failure.
    let again = Options { seed: failure.seed, schedules: 1, ..options.clone() };
    let Outcome::Failed(again) = campaign(&again, &program) else {
        panic!("the seed does not replay: {failure}")
    };
    assert_eq!((again.kind, again.found, &again.schedule), (failure.kind, failure.found, &failure.schedule));
    *failure
}

/// A counter that is read and written in two steps.
fn lossy_counter() {
    let counter = Word::new(0);
    S::run(2, &[], 1, &|_| {
        for _ in 0..3 {
            let seen = counter.load(SC);
            counter.store(seen + 1, SC);
        }
    });
    assert_eq!(counter.load(SC), 6, "updates were lost");
}

/// Lines cost nothing whatever the machine, also where stores would go to a shared cache.
#[test]
fn schedules_do_not_depend_on_the_machine() {
    let preset = Rc::new(impls::machine::sim::preset::Preset::builtin("niagara-64").unwrap());
    for options in policies(200) {
        let there = found(&Options { preset: Rc::clone(&preset), ..options.clone() }, lossy_counter);
        let here = found(&options, lossy_counter);
        assert_eq!((there.number, there.schedule), (here.number, here.schedule));
    }
}

#[test]
fn a_lost_update_is_found_under_one_preemption() {
    for options in policies(200) {
        let failure = found(&options, lossy_counter);
        assert_eq!(failure.kind, Kind::Panic);
        assert!(failure.text.contains("updates were lost"), "{failure}");
        assert!(failure.shrunk.switches <= 2 && failure.shrunk.preemptions >= 1, "{failure}");
    }
}

/// A lock that announces its sleepers too late: the unlock between look and announcement wakes nobody.
struct Sleepy {
    locked: Word,
    sleepers: Word,
    wake_up: Word,
}

impl Sleepy {
    fn lock(&self) {
        while self.locked.swap(1, SC) == 1 {
            let seen = self.wake_up.load(SC);
            if self.locked.load(SC) == 1 {
                self.sleepers.fetch_add(1, SC);
                S::futex_wait(&self.wake_up, seen, None);
                self.sleepers.fetch_sub(1, SC);
            }
        }
    }
    fn unlock(&self) {
        self.locked.store(0, SC);
        if self.sleepers.load(SC) > 0 {
            self.wake_up.fetch_add(1, SC);
            S::futex_wake(&self.wake_up, 1);
        }
    }
}

fn lost_wake_up() {
    let lock = Sleepy { locked: Word::new(0), sleepers: Word::new(0), wake_up: Word::new(0) };
    let object = core::ptr::from_ref(&lock).addr();
    S::run(2, &[], 1, &|_| {
        for _ in 0..2 {
            S::event(Event::Request { intended_ns: 0 }, object);
            lock.lock();
            S::event(Event::Acquired, object);
            S::event(Event::Releasing, object);
            lock.unlock();
        }
    });
}

#[test]
fn a_lost_wake_up_is_found_and_says_who_waits() {
    for options in policies(500) {
        let failure = found(&options, lost_wake_up);
        assert_eq!(failure.kind, Kind::Deadlock);
        assert!(failure.text.contains("sleeps on a futex, waits for object 0"), "{failure}");
        assert!(failure.shrunk.switches <= 3, "{failure}");
    }
}

/// Two locks, taken in either order.
fn inversion() {
    let locks = [Mcs::build::<S, Defaults>(Defaults), Mcs::build::<S, Defaults>(Defaults)];
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
        let mut a = take(first);
        let mut b = take(second);
        second.unlock(&mut b);
        first.unlock(&mut a);
    });
}

#[test]
fn an_inversion_is_found_and_its_tape_ends_where_it_hangs() {
    for options in policies(300) {
        let failure = found(&options, inversion);
        assert_eq!(failure.kind, Kind::Deadlock);
        for thread in 0..2 {
            let other = 1 - thread;
            let line = failure.text.lines().find(|line| line.starts_with(&format!("  thread {thread} ")));
            let line = line.unwrap();
            assert!(
                line.contains("polls a word") && line.contains(&format!("held by thread {other}")),
                "{failure}"
            );
        }
        assert!(failure.shrunk.switches <= 3, "{failure}");
        let replayed = replay(&options, &failure.schedule, 10_000, inversion);
        let marks = replayed.unfinished.expect("a tape").marks;
        let acquired = marks.iter().filter(|mark| matches!(mark.step, Step::Report(Event::Acquired, _)));
        assert_eq!(acquired.map(|mark| mark.thread).collect::<std::collections::BTreeSet<_>>().len(), 2);
        assert_eq!(marks.iter().filter(|mark| mark.step == Step::Watch).count(), 2);
    }
}

/// Two that wait politely for each other's word, for ever.
fn livelock() {
    let words = [Word::new(0), Word::new(0)];
    S::run(2, &[], 1, &|index| {
        while words[1 - index].load(SC) == 0 {
            S::yield_now();
        }
        words[index].store(1, SC);
    });
}

#[test]
fn what_does_not_end_is_told_with_its_bound() {
    for options in policies(1) {
        let options = Options { most_steps: 2_000, most_shrinks: 20, ..options };
        let failure = found(&options, livelock);
        assert_eq!(failure.kind, Kind::Endless);
        assert!(failure.text.starts_with("no end after "), "{failure}");
        assert!(failure.text.contains("thread 0 can go on"), "{failure}");
        assert_eq!(failure.shrunk.switches, 0);
    }
}

/// Every outcome of a wait with a deadline is seen, and of one that may end for no reason.
#[test]
fn sleeps_end_in_every_way() {
    let outcomes = std::cell::RefCell::new(std::collections::BTreeSet::new());
    for spurious in [false, true] {
        let options = Options { spurious, ..Options::new(300, 7) };
        let outcome = campaign(&options, || {
            let (word, ended) = (Word::new(0), Word::new(0));
            S::run(2, &[], 1, &|index| {
                if index == 0 {
                    let deadline = S::now_ns() + 1_000_000;
                    let waited = S::futex_wait(&word, 0, Some(deadline));
                    assert!(waited == Waited::Woken || S::now_ns() >= deadline, "a time-out before its time");
                    let woken = word.load(SC) == 1;
                    ended.store(1 + u32::from(waited == Waited::TimedOut) + 2 * u32::from(woken), SC);
                } else {
                    word.store(1, SC);
                    S::futex_wake(&word, 1);
                }
            });
            outcomes.borrow_mut().insert((spurious, ended.load(SC)));
        });
        assert!(matches!(outcome, Outcome::Passed { .. }), "{outcome:?}");
    }
    // Woken for nothing, timed out too early to see the store, woken, timed out though the store was there.
    let expected = [(false, 2), (false, 3), (false, 4), (true, 1), (true, 2), (true, 3), (true, 4)];
    assert_eq!(outcomes.into_inner(), expected.into());
}

#[test]
fn a_schedule_names_time_outs_and_sleeps_that_end_for_no_reason() {
    let options = Options { spurious: true, ..Options::new(300, 1) };
    let failure = found(&options, || {
        let word = Word::new(0);
        S::run(2, &[], 1, &|index| {
            if index == 0 {
                S::futex_wait(&word, 0, None);
                assert_eq!(word.load(SC), 1, "nobody looked again");
            } else {
                word.store(1, SC);
                S::futex_wake(&word, 1);
            }
        });
    });
    let ends: Vec<How> = failure.schedule.0.iter().map(|switch| switch.how).collect();
    assert_eq!(ends, [How::Spurious], "{failure}");
    assert!(failure.schedule.to_string().ends_with("0?"), "{failure}");
}

#[test]
fn equal_seeds_try_equal_schedules() {
    let of = |seed| {
        let options = Options { seed, preset: Rc::clone(&Options::new(1, 1).preset), ..Options::new(400, 1) };
        match campaign(&options, lossy_counter) {
            Outcome::Failed(failure) => (failure.number, failure.schedule.to_string()),
            Outcome::Passed { .. } => panic!("nothing found"),
        }
    };
    assert_eq!(of(5), of(5));
    let different = (0..20).map(of).collect::<std::collections::BTreeSet<_>>();
    assert!(different.len() > 3, "{different:?}");
}
