//! Does a wait end in time, and leave no trace?

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::exclusion::excludes;
use super::{build, build_watched, now_ns};
use crate::card::Capability;
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};
use crate::suite::until;
use crate::suite::watch::{Seen, Watched};

const MS: u64 = 1_000_000;

/// False in time while held, true when freed or free, and the lock works afterwards.
pub fn time_out<I: MutexImpl>() {
    if !I::CARD.offers(Capability::Timeout) {
        return;
    }
    let id = I::CARD.id;
    let lock = build_watched::<I>();
    let mut context = lock.context();
    // 1. A free lock is taken, even when the deadline has passed: a grant beats a time-out.
    assert!(lock.lock_until(&mut context, 0), "{id}: a free lock refused for a deadline");
    // 2. A held one is refused, at the deadline and not before. How late is the scheduler's affair.
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut context = lock.context();
            assert!(!lock.lock_until(&mut context, 0), "{id}: a held lock taken at a past deadline");
            let deadline_ns = now_ns() + 5 * MS;
            assert!(!lock.lock_until(&mut context, deadline_ns), "{id}: a held lock taken");
            assert!(now_ns() >= deadline_ns, "{id}: gave up before the deadline");
        });
    });
    // 3. One that is freed in time is taken.
    let seen = Seen::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            Watched::observed(&seen, || {
                let mut context = lock.context();
                assert!(
                    lock.lock_until(&mut context, now_ns() + 15_000 * MS),
                    "{id}: not taken though freed before the deadline"
                );
                lock.unlock(&mut context);
            });
        });
        until(id, || seen.waits().0 > 0);
        lock.unlock(&mut context);
    });
    // 4. Nothing of this is left.
    lock.lock(&mut context);
    lock.unlock(&mut context);
    if I::CARD.offers(Capability::IsLocked) {
        assert!(!lock.is_locked(), "{id}: held by nobody");
    }
}

/// Short deadlines race with unlocks: nobody enters who was refused, and no wake-up is lost with one who gave up.
pub fn time_out_stress<I: MutexImpl>() {
    if !I::CARD.offers(Capability::Timeout) {
        return;
    }
    let lock = build::<I>();
    let turn = AtomicU32::new(0);
    excludes(I::CARD.id, &lock, 4, u64::MAX, |lock, context| {
        // Some wait for long: they hang if the one before gave up and took its wake-up along.
        match turn.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => {
                lock.lock(context);
                true
            }
            n => lock.lock_until(context, now_ns() + u64::from(n) * 5_000),
        }
    });
    let mut context = lock.context();
    assert!(lock.lock_until(&mut context, 0), "{}: everyone has left, and it is held", I::CARD.id);
    lock.unlock(&mut context);
}
