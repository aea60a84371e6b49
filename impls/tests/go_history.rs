//! What each of Go's five mutexes does that its neighbours in history do not, defects included.

use std::cell::Cell;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::thread::{self, LocalKey};

use impls::card::{Defaults, ParamSource};
use impls::machine::Machine;
use impls::machine::os::{Os, cores_allowed};
use impls::mutex::go_2008_key::Go2008Key;
use impls::mutex::go_2012_woken::Go2012Woken;
use impls::mutex::go_2015_spinning::Go2015Spinning;
use impls::mutex::go_2016_starving::Go2016Starving;
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::{Clock, Event, Probe};
use impls::suite::until;
use impls::suite::watch::{Seen, Watched};
use impls::wait::go_spin::{SPIN_ROUNDS, Spinner, WOKEN};
use impls::wait::sema::LOOKS_BEFORE_SLEEP;

/// Lets two threads, 0 and 1, queue behind the caller, who unlocks and at once locks again. Thread 0 is woken for it;
/// if it lost that race, the order in which the two are served once the caller leaves.
fn service_after_a_lost_race<I: MutexImpl>() -> Option<Vec<usize>> {
    let lock = I::build::<Watched, _>(Defaults);
    let served = Mutex::new(Vec::new());
    let seen: [Seen; 2] = Default::default();
    let mut context = lock.context();
    lock.lock(&mut context);
    let lost = thread::scope(|scope| {
        for (i, seen) in seen.iter().enumerate() {
            let (lock, served) = (&lock, &served);
            scope.spawn(move || {
                Watched::observed(seen, || {
                    let mut context = lock.context();
                    lock.lock(&mut context);
                    served.lock().expect("no panic inside").push(i);
                    lock.unlock(&mut context);
                });
            });
            // Counted by the lock, and asleep.
            until(I::CARD.id, || lock.count() as usize == 2 + i && seen.is_waiting());
        }
        lock.unlock(&mut context);
        lock.lock(&mut context);
        let served = || served.lock().expect("no panic inside").len();
        until(I::CARD.id, || served() > 0 || seen[0].lost_races() == 1 && lock.count() == 3);
        let lost = served() == 0;
        until(I::CARD.id, || served() > 0 || seen[0].is_waiting());
        lock.unlock(&mut context);
        lost
    });
    lost.then(|| served.into_inner().expect("no panic inside"))
}

fn after_a_lost_race<I: MutexImpl>() -> Vec<usize> {
    let service = (0..1_000).find_map(|_| service_after_a_lost_race::<I>());
    service.expect("the caller is sometimes faster than a thread that has to wake up")
}

#[test]
fn until_2015_a_loser_queues_at_the_tail() {
    assert_eq!(after_a_lost_race::<Go2012Woken>(), [1, 0]);
    assert_eq!(after_a_lost_race::<Go2015Spinning>(), [1, 0]);
}

#[test]
fn since_2016_a_loser_keeps_its_turn() {
    assert_eq!(after_a_lost_race::<Go2016Starving>(), [0, 1]);
    assert_eq!(after_a_lost_race::<Go2019Fastpath>(), [0, 1]);
}

/// In 2008 the lock belongs to the waiter from the unlock on, though it still has to wake up.
#[test]
fn in_2008_no_newcomer_passes() {
    for _ in 0..20 {
        let lock = Go2008Key::build::<Watched, _>(Defaults);
        let (seen, served) = (Seen::default(), Mutex::new(false));
        lock.lock(&mut ());
        thread::scope(|scope| {
            scope.spawn(|| {
                Watched::observed(&seen, || {
                    lock.lock(&mut ());
                    *served.lock().expect("no panic inside") = true;
                    lock.unlock(&mut ());
                });
            });
            until("the waiter sleeps", || seen.is_waiting());
            lock.unlock(&mut ());
            until("the lock is free again", || lock.try_lock(&mut ()));
            assert!(*served.lock().expect("no panic inside"), "a newcomer passed the waiter");
            lock.unlock(&mut ());
        });
    }
}

/// From 2012 on an unlock wakes nobody while somebody woken has not yet had its try.
fn wakes_one_at_a_time<I: MutexImpl>() {
    const WAITERS: u32 = 3;
    let id = I::CARD.id;
    // An attempt counts only if the woken thread has not run yet.
    let attempt = || {
        let lock = I::build::<Watched, _>(Defaults);
        let seen: [Seen; WAITERS as usize] = Default::default();
        let mut context = lock.context();
        lock.lock(&mut context);
        thread::scope(|scope| {
            for seen in &seen {
                scope.spawn(|| {
                    Watched::observed(seen, || {
                        let mut context = lock.context();
                        lock.lock(&mut context);
                        lock.unlock(&mut context);
                    });
                });
            }
            until(id, || lock.count() == 1 + WAITERS && seen.iter().all(Seen::is_waiting));
            let ends = || seen.iter().map(|seen| seen.waits().1).sum::<u32>();
            let before = ends();
            let rounds = (0..3).filter(|_| {
                lock.unlock(&mut context);
                lock.try_lock(&mut context)
            });
            let rounds = rounds.count();
            let count = lock.count();
            let undisturbed = rounds == 3 && ends() == before;
            if rounds == 3 {
                lock.unlock(&mut context);
            }
            undisturbed.then_some(count)
        })
    };
    let count =
        (0..1_000).find_map(|_| attempt()).expect("three unlocks are sometimes faster than a wake-up");
    assert_eq!(count, WAITERS, "{id}: the holder, and all but one of {WAITERS} waiters");
}

#[test]
fn since_2012_one_woken_waiter_competes() {
    wakes_one_at_a_time::<Go2012Woken>();
    wakes_one_at_a_time::<Go2015Spinning>();
    wakes_one_at_a_time::<Go2016Starving>();
    wakes_one_at_a_time::<Go2019Fastpath>();
}

/// Adds up the rounds of spinning of a thread.
#[derive(Clone, Copy, Debug, Default)]
struct Rounds;

#[derive(Debug, Default)]
struct Spent(AtomicU32, AtomicBool);

impl Probe for Rounds {
    const ON: bool = true;
    type Slot = Spent;
    fn os_slot() -> &'static LocalKey<Cell<*const Spent>> {
        thread_local!(static SLOT: Cell<*const Spent> = const { Cell::new(ptr::null()) });
        &SLOT
    }
    fn event(spent: &Spent, event: Event, _: usize, _: &impl Clock) {
        match event {
            Event::SpinEnd { rounds } => {
                spent.0.fetch_add(rounds, Ordering::Relaxed);
            }
            Event::ParkBegin => spent.1.store(true, Ordering::Release),
            _ => {}
        }
    }
}

/// The rounds that a thread spins before it goes to sleep behind a holder that does not leave.
fn rounds_before_sleep<I: MutexImpl>() -> u32 {
    let lock = I::build::<Os<Rounds>, _>(Defaults);
    let spent = Spent::default();
    let mut context = lock.context();
    lock.lock(&mut context);
    thread::scope(|scope| {
        scope.spawn(|| {
            Os::<Rounds>::observed(&spent, || {
                let mut context = lock.context();
                lock.lock(&mut context);
                lock.unlock(&mut context);
            });
        });
        until(I::CARD.id, || spent.1.load(Ordering::Acquire));
        let rounds = spent.0.load(Ordering::Relaxed);
        lock.unlock(&mut context);
        rounds
    })
}

/// What the semaphore looks before it lets a thread sleep, in every version; not part of history.
fn looks() -> u32 {
    if cores_allowed() > 1 { LOOKS_BEFORE_SLEEP } else { 0 }
}

/// What history spins, where spinning can help.
fn budget() -> u32 {
    if cores_allowed() > 1 { Defaults.get(&SPIN_ROUNDS) as u32 } else { 0 }
}

#[test]
fn since_2015_a_thread_spins_four_rounds_before_it_sleeps() {
    assert_eq!(rounds_before_sleep::<Go2008Key>(), looks());
    assert_eq!(rounds_before_sleep::<Go2012Woken>(), looks());
    assert_eq!(rounds_before_sleep::<Go2015Spinning>(), budget() + looks());
    assert_eq!(rounds_before_sleep::<Go2016Starving>(), budget() + looks());
    assert_eq!(rounds_before_sleep::<Go2019Fastpath>(), budget() + looks());
}

#[test]
fn the_rounds_are_a_budget_between_two_sleeps_and_not_per_attempt() {
    const LOCKED: i32 = 1;
    const ONE_WAITER: i32 = 8;
    let (held, has_waiters) = (|state| state & LOCKED != 0, |state| state >= ONE_WAITER);
    let state = AtomicI32::new(LOCKED);
    let spent = Spent::default();
    let mut spinner = Spinner::default();
    Os::<Rounds>::observed(&spent, || {
        let spin = |spinner: &mut Spinner| {
            let old = state.load(Ordering::Relaxed);
            spinner.spin::<Os<Rounds>, _>(&state, old, Defaults, held, has_waiters);
            spent.0.load(Ordering::Relaxed)
        };
        assert_eq!(spin(&mut spinner), budget());
        assert_eq!((state.load(Ordering::Relaxed), spinner.awoke()), (LOCKED, false), "nobody to wake");
        // Another thread has queued, so the compare-exchange that follows a spin would fail: no new rounds.
        state.store(LOCKED + ONE_WAITER, Ordering::Relaxed);
        assert_eq!(spin(&mut spinner), budget());
        spinner.woke_up();
        assert_eq!(spin(&mut spinner), 2 * budget());
        // A newcomer that spins now does so on behalf of the waiter: unlock need not wake it.
        let mut newcomer = Spinner::default();
        assert_eq!(spin(&mut newcomer), 3 * budget());
        assert_eq!(newcomer.awoke(), budget() > 0);
        assert_eq!(state.load(Ordering::Relaxed) & WOKEN != 0, budget() > 0);
    });
}
