//! Does the lock bear what goes wrong around it: a holder that is gone, a panic, a wake-up without a reason, a grant that
//! meets a deadline, a clock that steps back?

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::{build, is_lock, now_ns};
use crate::card::Capability;
use crate::machine::Machine;
use crate::machine::os::Os;
use crate::mutex::{MutexImpl, RawMutex};
use crate::suite::panic_text;
use crate::suite::simulated::examine;
use crate::suite::troubled::Trouble;

/// Seeds of each program: short here, since campaigns run more.
const SEEDS: u64 = 25;

/// A thread that ends while it holds takes nothing along: the lock stays held, is not corrupted, and whoever may unlock
/// for others frees it. Only a lock of the operating system is freed by its holder's end.
pub fn exit_while_holding<I: MutexImpl>() {
    if !is_lock::<I>() {
        return;
    }
    let (id, can) = (I::CARD.id, |capability| I::CARD.offers(capability));
    let lock = build::<I>();
    let holds_and_ends = || {
        let lock = &lock;
        let end = thread::scope(|scope| scope.spawn(|| lock.lock(&mut lock.context())).join());
        end.expect("a thread may end while it holds");
    };
    holds_and_ends();
    let mut context = lock.context();
    if can(Capability::CrossProcess) {
        // The system saw it go.
        assert!(lock.try_lock(&mut context), "{id}: its holder is gone, and so is the file that it held");
        return lock.unlock(&mut context);
    }
    assert!(!can(Capability::IsLocked) || lock.is_locked(), "{id}: the end of its holder released it");
    assert!(!can(Capability::TryLock) || !lock.try_lock(&mut context), "{id}: taken beside a holder");
    if can(Capability::Timeout) {
        assert!(!lock.lock_until(&mut context, now_ns() + 1_000_000), "{id}: taken beside a holder");
    }
    if can(Capability::ForeignUnlock) {
        for _ in 0..3 {
            lock.unlock(&mut context);
            lock.lock(&mut context);
            lock.unlock(&mut context);
            holds_and_ends();
        }
    }
}

/// Unlocks, also when its section panics.
struct Section<'a, L: RawMutex<Os>>(&'a L, &'a mut L::Context);

impl<L: RawMutex<Os>> Drop for Section<'_, L> {
    fn drop(&mut self) {
        self.0.unlock(self.1);
    }
}

/// A section that panics releases the lock as it unwinds, and the next one is alone.
pub fn panic_inside<I: MutexImpl>() {
    const ROUNDS: u64 = 30;
    const THREADS: usize = 3;
    if !is_lock::<I>() {
        return;
    }
    let lock = build::<I>();
    let counter = AtomicU64::new(0);
    <Os>::run(THREADS, &[], 1, &|_| {
        let mut context = lock.context();
        for round in 0..ROUNDS {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                lock.lock(&mut context);
                let _section = Section(&lock, &mut context);
                let count = counter.load(Ordering::Relaxed);
                <Os>::work(200);
                counter.store(count + 1, Ordering::Relaxed);
                if round % 2 == 0 {
                    // Without the hook: a hundred messages would hide the one that counts.
                    std::panic::resume_unwind(Box::new("inside"));
                }
            }));
            let said = outcome.err().map(|panic| panic_text(&*panic).to_owned());
            assert_eq!(said.as_deref(), (round % 2 == 0).then_some("inside"), "{}", I::CARD.id);
        }
    });
    assert_eq!(counter.into_inner(), THREADS as u64 * ROUNDS, "{}: sections left their count", I::CARD.id);
}

/// Interleavings by seed on simulated machines, grants that meet deadlines among them.
pub fn schedules<I: MutexImpl>() {
    none::<I>(Trouble::None);
}

/// The same, while one sleep in three ends for no reason.
pub fn spurious_wakes<I: MutexImpl>() {
    none::<I>(Trouble::SpuriousWakes);
}

/// The same, while one look at the clock in three shows a time that is past.
pub fn clock_goes_back<I: MutexImpl>() {
    none::<I>(Trouble::ClockGoesBack);
}

#[track_caller]
fn none<I: MutexImpl>(trouble: Trouble) {
    let found = examine::<I>(1..=SEEDS, trouble);
    assert!(found.is_empty(), "{}, trouble {trouble:?}: {found:#?}", I::CARD.id);
}
