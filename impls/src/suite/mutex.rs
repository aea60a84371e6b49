//! The battery of the mutex family, generic over the implementation.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::card::{Defaults, Role};
use crate::machine::{Machine, os::Os};
use crate::mutex::{MutexImpl, RawMutex};

/// Threads increment a counter by a load and a store; a lock that excludes loses none.
pub fn exclusion<I: MutexImpl>() {
    const THREADS: usize = 4;
    const ROUNDS: u64 = 10_000;
    if I::CARD.role == Role::Floor {
        return;
    }
    let lock = I::build::<Os, Defaults>(Defaults);
    let counter = AtomicU64::new(0);
    <Os>::run(THREADS, &[], 1, &|_| {
        let mut context = lock.context();
        for _ in 0..ROUNDS {
            lock.lock(&mut context);
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            lock.unlock(&mut context);
        }
    });
    assert_eq!(counter.into_inner(), THREADS as u64 * ROUNDS);
}

/// The tests of one implementation.
#[cfg(test)]
macro_rules! battery {
    ($registration:ty) => {
        #[test]
        fn exclusion() {
            $crate::suite::mutex::exclusion::<$registration>();
        }
    };
}
#[cfg(test)]
pub(crate) use battery;
