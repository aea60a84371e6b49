//! Who is served, who may unlock, how often may the owner lock?

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use super::{build, build_watched, is_lock};
use crate::card::{Capability, Fairness};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex};
use crate::suite::until;
use crate::suite::watch::{Seen, Watched};

/// Waiters are served in the order in which they came, each seen to wait before the next one comes.
pub fn fifo<I: MutexImpl>() {
    const WAITERS: usize = 5;
    if I::CARD.fairness != Fairness::Fifo {
        return;
    }
    let id = I::CARD.id;
    assert!(I::CARD.offers(Capability::Observable), "{id}: nobody can see whether a thread queues");
    let lock = build_watched::<I>();
    let served = Mutex::new(Vec::new());
    let seen: [Seen; WAITERS] = Default::default();
    let mut context = lock.context();
    lock.lock(&mut context);
    thread::scope(|scope| {
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
            until(id, || seen.is_waiting());
        }
        lock.unlock(&mut context);
    });
    let served = served.into_inner().expect("no panic inside");
    assert_eq!(served, (0..WAITERS).collect::<Vec<_>>(), "{id}: the order of service");
}

/// Another thread may unlock where the card says so; elsewhere that panics, and the lock stays held.
pub fn foreign_unlock<I: MutexImpl>() {
    if !is_lock::<I>() {
        return;
    }
    let id = I::CARD.id;
    let lock = build::<I>();
    let mut context = lock.context();
    lock.lock(&mut context);
    let foreign = thread::scope(|scope| {
        let unlock = || catch_unwind(AssertUnwindSafe(|| lock.unlock(&mut lock.context()))).is_ok();
        scope.spawn(unlock).join().expect("the panic was caught")
    });
    assert_eq!(foreign, I::CARD.offers(Capability::ForeignUnlock), "{id}: unlock by another thread");
    if !foreign {
        if I::CARD.offers(Capability::TryLock) {
            let entered = thread::scope(|scope| scope.spawn(|| lock.try_lock(&mut lock.context())).join());
            assert!(!entered.expect("a try does not panic"), "{id}: the refused unlock released the lock");
        }
        lock.unlock(&mut context);
    }
    // Free in either case.
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut context = lock.context();
            lock.lock(&mut context);
            lock.unlock(&mut context);
        });
    });
}

/// The owner locks as often as it likes, and is out after as many unlocks, not before.
pub fn recursion<I: MutexImpl>() {
    const DEPTH: usize = 5;
    if !I::CARD.offers(Capability::Recursive) {
        return;
    }
    let id = I::CARD.id;
    let lock = build::<I>();
    let mut context = lock.context();
    let other_enters = || {
        let attempt = || {
            let mut context = lock.context();
            let entered = lock.try_lock(&mut context);
            if entered {
                lock.unlock(&mut context);
            }
            entered
        };
        thread::scope(|scope| scope.spawn(attempt).join().expect("a try does not panic"))
    };
    for depth in 1..=DEPTH {
        if depth % 2 == 0 {
            assert!(lock.try_lock(&mut context), "{id}: the owner's try at depth {depth}");
        } else {
            lock.lock(&mut context);
        }
    }
    for left in (0..DEPTH).rev() {
        assert!(!other_enters(), "{id}: another thread entered at depth {}", left + 1);
        lock.unlock(&mut context);
    }
    assert!(other_enters(), "{id}: still held after as many unlocks as locks");
}
