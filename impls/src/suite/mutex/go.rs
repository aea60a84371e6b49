//! The scenarios of Go's own mutex tests, and the promise of starvation mode.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{build, build_watched, now_ns};
use crate::card::{Capability, Fairness};
use crate::machine::Machine;
use crate::machine::os::Os;
use crate::mutex::{MutexImpl, RawMutex};
use crate::suite::until;
use crate::suite::watch::{Seen, Watched};

/// Ten threads lock and unlock as fast as they can, with a try in between where there is one.
pub fn hammer<I: MutexImpl>() {
    let lock = build::<I>();
    let end_ns = now_ns() + 40_000_000;
    <Os>::run(10, &[], 1, &|_| {
        let mut context = lock.context();
        for i in 0..1_000 {
            if i % 3 == 0 && I::CARD.offers(Capability::TryLock) {
                if lock.try_lock(&mut context) {
                    lock.unlock(&mut context);
                }
            } else {
                lock.lock(&mut context);
                lock.unlock(&mut context);
            }
            if now_ns() >= end_ns {
                break;
            }
        }
    });
}

/// One thread holds the lock nearly all the time; another gets it again and again within a time.
pub fn fairness<I: MutexImpl>() {
    const HOLD: Duration = Duration::from_micros(100);
    const PATIENCE: Duration = Duration::from_secs(10);
    if !matches!(I::CARD.fairness, Fairness::Fifo | Fairness::BoundedBarging) {
        return;
    }
    let lock = build::<I>();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut context = lock.context();
            while !stop.load(Ordering::Relaxed) {
                lock.lock(&mut context);
                thread::sleep(HOLD);
                lock.unlock(&mut context);
            }
        });
        let mut context = lock.context();
        let start = Instant::now();
        for _ in 0..10 {
            thread::sleep(HOLD);
            lock.lock(&mut context);
            lock.unlock(&mut context);
        }
        stop.store(true, Ordering::Relaxed);
        let took = start.elapsed();
        assert!(took < PATIENCE, "{}: ten times the lock took {took:?}", I::CARD.id);
    });
}

/// Runs `then` while the lock is in starvation mode, held by the caller, with one waiter asleep at the head of the
/// queue. `then` must unlock. It is also told how often the waiter has had the lock.
///
/// The waiter sleeps longer than 1 ms, is woken, and must find the lock taken again: a race that the caller wins in the
/// end, since the waiter needs a wake-up to run.
pub(super) fn while_starving<L: RawMutex<Watched>>(
    id: &str,
    lock: &L,
    then: impl FnOnce(&mut L::Context, &AtomicU32),
) {
    let (seen, served, stop) = (Seen::default(), AtomicU32::new(0), AtomicBool::new(false));
    let mut context = lock.context();
    lock.lock(&mut context);
    thread::scope(|scope| {
        scope.spawn(|| {
            Watched::observed(&seen, || {
                let mut context = lock.context();
                while !stop.load(Ordering::Relaxed) {
                    lock.lock(&mut context);
                    served.fetch_add(1, Ordering::Relaxed);
                    lock.unlock(&mut context);
                }
            });
        });
        until(id, || {
            until(id, || lock.count() == 2 && seen.is_waiting());
            thread::sleep(Duration::from_millis(2));
            lock.unlock(&mut context);
            lock.lock(&mut context);
            // Wait for what the waiter makes of it: it starves, or has had the lock and came again, without starving.
            let start = Instant::now();
            while !lock.is_starving() && start.elapsed() < Duration::from_millis(20) {
                thread::yield_now();
            }
            lock.is_starving()
        });
        until(id, || seen.is_waiting());
        assert!(seen.starving().0 > 0, "{id}: nobody reported the beginning of starvation");
        stop.store(true, Ordering::Relaxed);
        then(&mut context, &served);
    });
}

/// Once a waiter starves, it gets the lock after the section that is running: no newcomer passes, by lock or by try.
pub fn starvation_promise<I: MutexImpl>() {
    if !I::CARD.offers(Capability::IsStarving) {
        return;
    }
    let id = I::CARD.id;
    let lock = build_watched::<I>();
    while_starving(id, &lock, |context, served| {
        let before = served.load(Ordering::Relaxed);
        let passed = || served.load(Ordering::Relaxed) == before;
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut context = lock.context();
                lock.lock(&mut context);
                assert!(!passed(), "{id}: a newcomer that queued passed the starving waiter");
                lock.unlock(&mut context);
            });
            until(id, || lock.count() == 3);
            lock.unlock(context);
            for _ in 0..100 {
                if lock.try_lock(context) {
                    let passed = passed();
                    lock.unlock(context);
                    assert!(!passed, "{id}: a try passed the starving waiter");
                }
            }
            lock.lock(context);
            let passed = passed();
            lock.unlock(context);
            assert!(!passed, "{id}: the last owner passed the starving waiter");
        });
    });
    until(id, || lock.count() == 0);
    assert!(!lock.is_starving(), "{id}: the last waiter leaves the mode");
}
