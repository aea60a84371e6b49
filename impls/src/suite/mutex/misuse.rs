//! Is each trap named, and does the lock survive it?

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use super::{build, is_lock};
use crate::card::Capability;
use crate::machine::os::Os;
use crate::mutex::{MutexImpl, RawMutex};
use crate::suite::child::dies_with;
use crate::suite::panic_text;

/// What the card does not claim panics, naming the operation, so that nobody measures what is not there.
pub fn unclaimed<I: MutexImpl>() {
    let lock = build::<I>();
    let mut context = lock.context();
    let refuses = |capability: Capability, operation: &str, call: &mut dyn FnMut(&super::Lock<I>)| {
        if I::CARD.offers(capability) {
            return;
        }
        let id = I::CARD.id;
        let panic = catch_unwind(AssertUnwindSafe(|| call(&lock)));
        let Err(panic) = panic else { panic!("{id}: {operation} works, but the card does not claim it") };
        let text = panic_text(&*panic);
        assert!(text.contains(operation), "{id}: {operation} panics without its name: {text}");
    };
    refuses(Capability::TryLock, "try_lock", &mut |lock| {
        lock.try_lock(&mut context);
    });
    refuses(Capability::Timeout, "lock_until", &mut |lock| {
        lock.lock_until(&mut lock.context(), 0);
    });
    refuses(Capability::WaiterCount, "count", &mut |lock| {
        lock.count();
    });
    refuses(Capability::IsLocked, "is_locked", &mut |lock| {
        lock.is_locked();
    });
    refuses(Capability::IsWoken, "is_woken", &mut |lock| {
        lock.is_woken();
    });
    refuses(Capability::IsStarving, "is_starving", &mut |lock| {
        lock.is_starving();
    });
    refuses(Capability::StateText, "state_text", &mut |lock| {
        lock.state_text();
    });
}

/// After misuse that was caught, the lock is as it was: it still excludes, and still opens.
pub fn survives_misuse<I: MutexImpl>() {
    if !is_lock::<I>() {
        return;
    }
    let lock = build::<I>();
    let mut context = lock.context();
    for _ in 0..3 {
        if I::CARD.offers(Capability::DetectsUnlocked) {
            assert!(panics(|| lock.unlock(&mut context)), "{}: unlock of unlocked", I::CARD.id);
        }
        lock.lock(&mut context);
        if I::CARD.offers(Capability::DetectsReentry) {
            assert!(panics(|| lock.lock(&mut context)), "{}: lock by the holder", I::CARD.id);
        }
        lock.unlock(&mut context);
    }
    super::exclusion::excludes(I::CARD.id, &lock, 2, 100_000, |lock, context| {
        lock.lock(context);
        true
    });
}

fn panics(misuse: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(misuse)).is_err()
}

/// A process that unlocks what is not locked dies, and says why.
pub fn unlock_of_unlocked<I: MutexImpl>(test: &'static str) {
    if I::CARD.offers(Capability::DetectsUnlocked) {
        dies_with(test, &[I::CARD.id, "unlock of unlocked mutex"], || {
            let lock = build::<I>();
            let mut context = lock.context();
            lock.lock(&mut context);
            lock.unlock(&mut context);
            lock.unlock(&mut context);
        });
    }
}

/// A process in which another than the owner unlocks dies, and names both.
pub fn unlock_by_another<I: MutexImpl>(test: &'static str) {
    if I::CARD.offers(Capability::DetectsForeign) {
        dies_with(test, &[I::CARD.id, "unlock by ", "but the owner is "], || {
            let lock = build::<I>();
            lock.lock(&mut lock.context());
            let foreign = || lock.unlock(&mut lock.context());
            thread::scope(|scope| scope.spawn(foreign).join().expect("dies here"));
        });
    }
}

/// A process in which the holder locks again dies, and says why, instead of waiting for itself.
pub fn lock_again<I: MutexImpl>(test: &'static str) {
    if I::CARD.offers(Capability::DetectsReentry) {
        dies_with(test, &[I::CARD.id, "the context that already holds one"], || {
            let lock = build::<I>();
            let mut context = <super::Lock<I> as RawMutex<Os>>::context(&lock);
            lock.lock(&mut context);
            lock.lock(&mut context);
        });
    }
}
