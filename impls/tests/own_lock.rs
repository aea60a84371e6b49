//! A user's own lock, brought in through `lock_api`, passes the battery by one line.

use std::sync::atomic::{AtomicBool, Ordering};

use impls::card::Card;
use impls::mutex::lock_api::{LockApi, LockApiMutex, card};

/// As a user would write it: no owner, no check, undefined when misused.
struct Flag(AtomicBool);

// SAFETY: the flag is set by one thread at a time, with Acquire, and cleared with Release.
unsafe impl lock_api::RawMutex for Flag {
    type Guard = lock_api::GuardSend;
    const INIT: Self = Flag(AtomicBool::new(false));
    fn lock(&self) -> Self::Guard {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            std::thread::yield_now();
        }
    }
    fn try_lock(&self) -> Option<Self::Guard> {
        (!self.0.swap(true, Ordering::Acquire)).then(lock_api::GuardSend::new)
    }
    unsafe fn unlock(&self, _: Self::Guard) {
        self.0.store(false, Ordering::Release);
    }
    fn is_locked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Mine;

impl LockApiMutex for Mine {
    const CARD: Card = card("mutex/mine", "a flag and a yield");
    type Raw = Flag;
}

mod mine {
    impls::mutex_battery!(impls::mutex::lock_api::LockApi<super::Mine>);
}

#[test]
fn a_guard_of_another_lock_is_refused() {
    use impls::card::Defaults;
    use impls::machine::os::Os;
    use impls::mutex::{MutexImpl, RawMutex};
    let build = || LockApi::<Mine>::build::<Os, _>(Defaults);
    let (first, second) = (build(), build());
    let mut context = first.context();
    first.lock(&mut context);
    let misuse = std::panic::AssertUnwindSafe(|| second.unlock(&mut context));
    assert!(std::panic::catch_unwind(misuse).is_err());
    assert!(first.is_locked(), "the refused unlock took the guard away");
    first.unlock(&mut context);
    assert!(!first.is_locked() && !second.is_locked());
}
