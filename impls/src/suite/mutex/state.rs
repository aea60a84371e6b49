//! Do `try_lock`, and what a lock tells about itself, tell the truth?

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::exclusion::excludes;
use super::{build, build_watched};
use crate::card::Capability;
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};
use crate::suite::until;
use crate::suite::watch::{Seen, Watched};

/// Fails while another thread holds the lock, leaves no trace, and succeeds when it is free.
pub fn try_lock<I: MutexImpl>() {
    if !I::CARD.offers(Capability::TryLock) {
        return;
    }
    let id = I::CARD.id;
    let lock = build::<I>();
    let other = || thread::scope(|scope| scope.spawn(|| lock.try_lock(&mut lock.context())).join());
    let mut context = lock.context();
    assert!(lock.try_lock(&mut context), "{id}: a try on a free lock failed");
    for _ in 0..3 {
        assert!(!other().expect("a try does not panic"), "{id}: a try on a held lock succeeded");
    }
    if I::CARD.offers(Capability::WaiterCount) {
        assert_eq!(lock.count(), 1, "{id}: a failed try is counted");
    }
    lock.unlock(&mut context);
    assert!(lock.try_lock(&mut context), "{id}: a try on a freed lock failed");
    lock.unlock(&mut context);
    lock.lock(&mut context);
    lock.unlock(&mut context);
}

/// What came in by a try is alone, too.
pub fn try_lock_excludes<I: MutexImpl>() {
    if I::CARD.offers(Capability::TryLock) {
        excludes(I::CARD.id, &build::<I>(), 4, u64::MAX, |lock, context| lock.try_lock(context));
    }
}

/// `count` is the holder and the known number of waiters, and 0 in the end.
pub fn count<I: MutexImpl>() {
    if !I::CARD.offers(Capability::WaiterCount) {
        return;
    }
    let id = I::CARD.id;
    let lock = build::<I>();
    assert_eq!(lock.count(), 0, "{id}: a new lock");
    let mut context = lock.context();
    lock.lock(&mut context);
    assert_eq!(lock.count(), 1, "{id}: a holder");
    thread::scope(|scope| {
        for waiters in 1..=3 {
            scope.spawn(|| {
                let mut context = lock.context();
                lock.lock(&mut context);
                lock.unlock(&mut context);
            });
            until(id, || lock.count() == 1 + waiters);
        }
        // Nobody leaves the queue, or is counted twice, while the holder stays.
        thread::sleep(Duration::from_millis(3));
        assert_eq!(lock.count(), 4, "{id}: a holder and three waiters");
        lock.unlock(&mut context);
    });
    assert_eq!(lock.count(), 0, "{id}: everybody has left");
}

/// True while held, false otherwise, whoever asks.
pub fn is_locked<I: MutexImpl>() {
    if !I::CARD.offers(Capability::IsLocked) {
        return;
    }
    let id = I::CARD.id;
    let lock = build::<I>();
    let seen_by_other =
        || thread::scope(|scope| scope.spawn(|| lock.is_locked()).join().expect("asking does not panic"));
    let mut context = lock.context();
    for _ in 0..2 {
        assert!(!lock.is_locked() && !seen_by_other(), "{id}: free");
        lock.lock(&mut context);
        assert!(lock.is_locked() && seen_by_other(), "{id}: held");
        lock.unlock(&mut context);
    }
    assert!(!lock.is_locked(), "{id}: freed");
}

/// True between the unlock that wakes a waiter and that waiter's next step, false when nobody competes.
pub fn is_woken<I: MutexImpl>() {
    if !I::CARD.offers(Capability::IsWoken) {
        return;
    }
    let id = I::CARD.id;
    let lock = build_watched::<I>();
    let mut context = lock.context();
    let (seen, stop) = (Seen::default(), AtomicBool::new(false));
    assert!(!lock.is_woken(), "{id}: a new lock");
    lock.lock(&mut context);
    assert!(!lock.is_woken(), "{id}: no waiter");
    thread::scope(|scope| {
        scope.spawn(|| {
            Watched::observed(&seen, || {
                let mut context = lock.context();
                while !stop.load(Ordering::Relaxed) {
                    lock.lock(&mut context);
                    lock.unlock(&mut context);
                }
            });
        });
        // The moment is short, and the waiter may be faster than the question; but not every time.
        until(id, || {
            until(id, || lock.count() == 2 && seen.is_waiting());
            lock.unlock(&mut context);
            let woken = lock.is_woken();
            if woken {
                stop.store(true, Ordering::Relaxed);
            } else {
                lock.lock(&mut context);
            }
            woken
        });
    });
    assert!(!lock.is_woken() && lock.count() == 0, "{id}: everybody has left");
}

/// True once a waiter that has waited too long has met a held lock, false before and after.
pub fn is_starving<I: MutexImpl>() {
    if !I::CARD.offers(Capability::IsStarving) {
        return;
    }
    let id = I::CARD.id;
    let lock = build_watched::<I>();
    assert!(!lock.is_starving(), "{id}: a new lock");
    super::go::while_starving(id, &lock, |context, _| {
        assert!(lock.is_starving() && lock.is_locked(), "{id}: a waiter was passed after 1 ms");
        lock.unlock(context);
    });
    assert!(!lock.is_starving(), "{id}: the last waiter leaves the mode");
    assert_eq!(lock.count(), 0, "{id}: everybody has left");
}

/// The text changes with the state.
pub fn state_text<I: MutexImpl>() {
    if !I::CARD.offers(Capability::StateText) {
        return;
    }
    let lock = build::<I>();
    let mut context = lock.context();
    let free = lock.state_text();
    lock.lock(&mut context);
    let held = lock.state_text();
    lock.unlock(&mut context);
    assert_eq!(lock.state_text(), free);
    assert_ne!(held, free);
    assert!(!held.is_empty() && !free.is_empty(), "{}: the state is shown as nothing", I::CARD.id);
}

/// A thread that waits reports a wait, from its beginning to its end; one that need not wait reports none.
pub fn observable<I: MutexImpl>() {
    if !I::CARD.offers(Capability::Observable) {
        return;
    }
    let id = I::CARD.id;
    let lock = build_watched::<I>();
    let (holder, waiter) = (Seen::default(), Seen::default());
    Watched::observed(&holder, || {
        let mut context = lock.context();
        lock.lock(&mut context);
        thread::scope(|scope| {
            scope.spawn(|| {
                Watched::observed(&waiter, || {
                    let mut context = lock.context();
                    lock.lock(&mut context);
                    assert!(!waiter.is_waiting(), "{id}: a wait without end");
                    lock.unlock(&mut context);
                });
            });
            until(id, || waiter.is_waiting());
            lock.unlock(&mut context);
        });
    });
    assert_eq!(holder.waits(), (0, 0), "{id}: waits of a thread that did not wait");
    let (begun, ended) = waiter.waits();
    assert!(begun > 0 && begun == ended, "{id}: {begun} waits begun, {ended} ended");
}
