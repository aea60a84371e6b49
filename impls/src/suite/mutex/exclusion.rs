//! Does it exclude, publish what it guards, and let everyone through?

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{build, is_lock, now_ns};
use crate::card::ParamSource;
use crate::machine::Machine;
use crate::machine::os::{Os, cores_allowed};
use crate::mutex::{MutexImpl, RawMutex};
use crate::suite::told::Told;

/// How long the threads of one round compete, unless they are through before.
const ROUND_NS: u64 = 30_000_000;
/// Sections of one thread in one round, at most. Time ends a round: a thread that is through before the next one has
/// started competes with nobody.
const SECTIONS: u64 = 10_000_000;

/// Length of a section.
const SECTION_CYCLES: u32 = 100;

/// Threads increment a counter by a load and a store; a lock that excludes loses none.
pub fn exclusion<I: MutexImpl>() {
    if is_lock::<I>() {
        for threads in [2, 4, 8] {
            let lock = build::<I>();
            excludes(I::CARD.id, &lock, threads, SECTIONS, |lock, context| {
                lock.lock(context);
                true
            });
        }
    }
}

/// As [`exclusion`], with parameters from `source`.
pub fn exclusion_with<I: MutexImpl, S: ParamSource>(source: S, threads: usize, sections: u64) {
    let lock = Told::new(I::build::<Os, S>(source));
    excludes(I::CARD.id, &lock, threads, sections, |lock, context| {
        lock.lock(context);
        true
    });
}

/// Lets `threads` threads enter by `enter`, which may fail, and compares the guarded counter with what each has done.
pub(super) fn excludes<L: RawMutex<Os>>(
    id: &str,
    lock: &L,
    threads: usize,
    sections: u64,
    enter: impl Fn(&L, &mut L::Context) -> bool + Sync,
) {
    let (counter, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = Barrier::new(threads);
    <Os>::run(threads, &[], 1, &|_| {
        let mut context = lock.context();
        let mut entered = 0;
        start.wait();
        let end_ns = now_ns() + ROUND_NS;
        for _ in 0..sections {
            if enter(lock, &mut context) {
                // Not fetch_add: two threads in the section must lose a count. The work gives them time to meet.
                let count = counter.load(Ordering::Relaxed);
                <Os>::work(SECTION_CYCLES);
                counter.store(count + 1, Ordering::Relaxed);
                lock.unlock(&mut context);
                entered += 1;
            }
            if now_ns() >= end_ns {
                break;
            }
        }
        done.fetch_add(entered, Ordering::Relaxed);
    });
    let (counter, done) = (counter.into_inner(), done.into_inner());
    assert_eq!(counter, done, "{id}: of {done} sections by {threads} threads {counter} left their count");
}

/// Every section finds all words as the last one left them.
pub fn visibility<I: MutexImpl>() {
    if !is_lock::<I>() {
        return;
    }
    let lock = build::<I>();
    let words: [AtomicU64; 16] = Default::default();
    let end_ns = now_ns() + ROUND_NS;
    <Os>::run(3, &[], 1, &|_| {
        let mut context = lock.context();
        for _ in 0..SECTIONS {
            lock.lock(&mut context);
            let first = words[0].load(Ordering::Relaxed);
            // Written from the last to the first and read from the first to the last, so that a torn section shows.
            let torn = words.iter().any(|word| word.load(Ordering::Relaxed) != first);
            words.iter().rev().for_each(|word| word.store(first + 1, Ordering::Relaxed));
            lock.unlock(&mut context);
            assert!(!torn, "{}: a section saw half of another's writes", I::CARD.id);
            if now_ns() >= end_ns {
                break;
            }
        }
    });
}

/// Everyone gets through, also with more threads than cores and a holder that lets others run.
pub fn progress<I: MutexImpl>() {
    let lock = build::<I>();
    let done = AtomicU64::new(0);
    let threads = 2 * cores_allowed().min(4) + 2;
    <Os>::run(threads, &[], 1, &|_| {
        let mut context = lock.context();
        for _ in 0..20 {
            lock.lock(&mut context);
            <Os>::yield_now();
            lock.unlock(&mut context);
        }
        done.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(done.into_inner(), threads as u64);
}
