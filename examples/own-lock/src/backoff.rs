//! A lock over `lock_api`, as a crate may have it already: a waiter polls ever more rarely, and then yields.

use std::sync::atomic::{AtomicBool, Ordering};

use synchroscope::impls::card::Card;
use synchroscope::impls::mutex::lock_api::{LockApiMutex, card};

/// The registration: `LockApi<Backoff>`.
pub struct Backoff;

impl LockApiMutex for Backoff {
    const CARD: Card = card("mutex/my-backoff", "polls ever more rarely, then yields");
    type Raw = RawBackoff;
}

/// The lock: true while it is held.
pub struct RawBackoff(AtomicBool);

/// Pauses between two polls, at most; from then on a waiter yields.
const PAUSES_MAX: u32 = 64;

// SAFETY: one thread at a time gets `true` from try_lock, until the holder stores `false`. The swap that takes the lock
// is Acquire and pairs with the Release store of `unlock`.
unsafe impl lock_api::RawMutex for RawBackoff {
    type Guard = lock_api::GuardSend;
    const INIT: Self = RawBackoff(AtomicBool::new(false));

    fn lock(&self) -> Self::Guard {
        let mut pauses = 1;
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            if pauses < PAUSES_MAX {
                (0..pauses).for_each(|_| std::hint::spin_loop());
                pauses *= 2;
            } else {
                std::thread::yield_now();
            }
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
