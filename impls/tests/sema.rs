//! The semaphore on which Go's mutexes sleep: order, hand-off, time-outs, and no lost wake-up.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use impls::machine::Machine;
use impls::machine::os::Os;
use impls::suite::watch::{Seen, Watched};
use impls::suite::{LIMIT, until, within};
use impls::wait::sema::{Grant, Place, Semaphore};

/// Threads that queue one after the other at the places given; the order in which releases serve them.
fn order_of_service(places: &[Place], grant: Grant) -> Vec<usize> {
    let sema = Semaphore::<Watched>::new(0);
    let served = Mutex::new(Vec::new());
    let seen: Vec<_> = places.iter().map(|_| Seen::default()).collect();
    thread::scope(|scope| {
        for (i, (seen, &place)) in seen.iter().zip(places).enumerate() {
            let (sema, served) = (&sema, &served);
            scope.spawn(move || {
                Watched::observed(seen, || {
                    sema.acquire(place);
                    served.lock().expect("no panic inside").push(i);
                });
            });
            until("a waiter queues", || seen.is_waiting());
        }
        assert_eq!(sema.waiters() as usize, places.len());
        for n in 1..=places.len() {
            assert!(sema.release(grant), "release {n} woke nobody");
            until("a waiter is served", || served.lock().expect("no panic inside").len() == n);
        }
    });
    assert_eq!((sema.tokens(), sema.waiters()), (0, 0));
    served.into_inner().expect("no panic inside")
}

#[test]
fn serves_from_the_front_and_queues_at_either_end() {
    use Place::{Back, Front};
    for grant in [Grant::Compete, Grant::HandOff] {
        assert_eq!(order_of_service(&[Back, Back, Back], grant), [0, 1, 2]);
        assert_eq!(order_of_service(&[Back, Back, Front], grant), [2, 0, 1]);
        assert_eq!(order_of_service(&[Front, Front, Back, Front], grant), [3, 1, 0, 2]);
    }
}

#[test]
fn a_hand_off_leaves_nothing_for_others() {
    let sema = Semaphore::<Watched>::new(0);
    let (waiter, releaser) = (Seen::default(), Seen::default());
    const ROUNDS: u32 = 50;
    thread::scope(|scope| {
        scope.spawn(|| {
            Watched::observed(&waiter, || {
                for _ in 0..ROUNDS {
                    sema.acquire(Place::Back);
                }
            });
        });
        Watched::observed(&releaser, || {
            for _ in 0..ROUNDS {
                until("the waiter queues", || sema.waiters() == 1 && waiter.is_waiting());
                assert!(sema.release(Grant::HandOff));
                assert!(!sema.try_acquire(), "the token of a hand-off was taken by another thread");
            }
        });
    });
    assert_eq!((waiter.lost_races(), releaser.hand_offs()), (0, ROUNDS));
}

#[test]
fn a_hand_off_calls_the_next_which_keeps_its_place() {
    for (grant, called) in [(Grant::HandOff, 1), (Grant::Compete, 0)] {
        let sema = Semaphore::<Watched>::new(0);
        let seen: [Seen; 3] = Default::default();
        let served = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for (i, seen) in seen.iter().enumerate() {
                let (sema, served) = (&sema, &served);
                scope.spawn(move || {
                    Watched::observed(seen, || {
                        sema.acquire(Place::Back);
                        served.lock().expect("no panic inside").push(i);
                    });
                });
                until("a waiter sleeps", || seen.parks() == (1, 0));
            }
            sema.release(grant);
            until("the head is served", || served.lock().expect("no panic inside").len() == 1);
            // The second was awake, found nothing, and sleeps again; the third slept on.
            until("the called sleeps again", || seen[1].parks() == (1 + called, called));
            assert_eq!((seen[2].parks(), sema.waiters()), ((1, 0), 2));
            // Called once, it is not called again, and is served first.
            sema.release(grant);
            until("the second is served", || served.lock().expect("no panic inside").len() == 2);
            assert_eq!(seen[1].parks(), (1 + called, 1 + called));
            until("the third is called", || seen[2].parks() == (1 + called, called));
            sema.release(grant);
        });
        assert_eq!((served.into_inner().expect("no panic inside"), sema.tokens()), (vec![0, 1, 2], 0));
    }
}

#[test]
fn without_hand_off_a_newcomer_may_win_and_the_loser_queues_again() {
    let sema = Semaphore::<Watched>::new(0);
    let (seen, done) = (Seen::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            Watched::observed(&seen, || {
                while !done.load(Ordering::Relaxed) {
                    sema.acquire(Place::Back);
                }
            });
        });
        until("the woken waiter loses once", || {
            until("the waiter queues", || sema.waiters() == 1 && seen.is_waiting());
            let before = seen.lost_races();
            sema.release(Grant::Compete);
            if sema.try_acquire() {
                until("the loser queues again", || sema.waiters() == 1);
                return seen.lost_races() == before + 1;
            }
            false
        });
        done.store(true, Ordering::Relaxed);
        sema.release(Grant::Compete);
    });
    assert!(seen.lost_races() > 0);
}

#[test]
fn loses_no_wake_up() {
    const THREADS: u64 = 3;
    const ROUNDS: u64 = 10_000;
    for grant in [Grant::Compete, Grant::HandOff] {
        within(LIMIT, "every release serves an acquire", move || {
            let sema = Semaphore::<Os>::new(0);
            <Os>::run(2 * THREADS as usize, &[], 1, &|i| {
                for round in 0..ROUNDS {
                    match (i % 2, round % 2) {
                        (0, _) => drop(sema.release(grant)),
                        (_, 0) => sema.acquire(Place::Back),
                        (_, _) => sema.acquire(Place::Front),
                    }
                }
            });
            assert_eq!((sema.tokens(), sema.waiters()), (0, 0));
        });
    }
}

#[test]
fn a_grant_beats_a_time_out_and_none_is_lost() {
    const RELEASES: u64 = 20_000;
    for grant in [Grant::Compete, Grant::HandOff] {
        within(LIMIT, "tokens race with deadlines", move || {
            let sema = Semaphore::<Os>::new(0);
            let (taken, done) = (AtomicU64::new(0), AtomicBool::new(false));
            <Os>::run(4, &[], 1, &|i| {
                if i == 0 {
                    for n in 0..RELEASES {
                        sema.release(grant);
                        <Os>::pause((n % 64) as u32);
                    }
                    done.store(true, Ordering::Release);
                    return;
                }
                let mut mine = 0;
                while !done.load(Ordering::Acquire) {
                    let deadline_ns = <Os>::now_ns() + 500 * (i as u64) * (1 + mine % 8);
                    mine += u64::from(sema.acquire_until(Place::Back, deadline_ns));
                }
                taken.fetch_add(mine, Ordering::Relaxed);
            });
            // A refused thread that had been granted a token would have taken it along.
            assert_eq!(taken.into_inner() + u64::from(sema.tokens()), RELEASES);
            assert_eq!(sema.waiters(), 0, "a waiter that gave up is still queued");
        });
    }
}

#[test]
fn a_time_out_leaves_the_queue_from_any_place() {
    let sema = Semaphore::<Watched>::new(0);
    let served = Mutex::new(Vec::new());
    let seen: [Seen; 4] = Default::default();
    thread::scope(|scope| {
        for (i, seen) in seen.iter().enumerate() {
            let (sema, served) = (&sema, &served);
            scope.spawn(move || {
                Watched::observed(seen, || {
                    // The first and the third give up: the head, and one in the middle.
                    let patience = if i % 2 == 0 { Duration::from_millis(30) } else { LIMIT };
                    let deadline_ns = Watched::now_ns() + patience.as_nanos() as u64;
                    if sema.acquire_until(Place::Back, deadline_ns) {
                        served.lock().expect("no panic inside").push(i);
                    }
                });
            });
            until("a waiter queues", || seen.waits().0 > 0);
        }
        until("two give up", || sema.waiters() == 2);
        for n in 1..=2 {
            assert!(sema.release(Grant::Compete));
            until("a waiter is served", || served.lock().expect("no panic inside").len() == n);
        }
    });
    assert_eq!(served.into_inner().expect("no panic inside"), [1, 3]);
}

#[test]
fn a_limit_refuses_the_token_too_many() {
    let sema = Semaphore::<Os>::new(1);
    assert!(sema.release_below(2, Grant::Compete));
    assert!(!sema.release_below(2, Grant::Compete));
    assert_eq!(sema.tokens(), 2);
    assert!(sema.try_acquire() && sema.try_acquire() && !sema.try_acquire());
    assert!(!sema.acquire_until(Place::Back, 0), "a token out of nothing");
}
