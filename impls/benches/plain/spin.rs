//! The spin locks and the ticket lock, plainly.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Twin, unlock_of_unlocked};

/// Test-and-set.
#[repr(C, align(64))]
pub(crate) struct Tas {
    held: AtomicU32,
}

impl Twin for Tas {
    const ID: &'static str = "mutex/spin-tas";
    type Context = ();
    fn new() -> Self {
        Tas { held: AtomicU32::new(0) }
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if self.held.swap(1, Ordering::Acquire) != 0 {
            self.lock_contended();
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        if self.held.load(Ordering::Relaxed) == 0 {
            unlock_of_unlocked(Self::ID);
        }
        self.held.store(0, Ordering::Release);
    }
}

impl Tas {
    #[cold]
    fn lock_contended(&self) {
        while self.held.swap(1, Ordering::Acquire) != 0 {
            spin_loop();
        }
    }
}

/// Test-and-test-and-set with exponential, random back-off.
#[repr(C, align(64))]
pub(crate) struct Ttas {
    held: AtomicU32,
}

impl Twin for Ttas {
    const ID: &'static str = "mutex/spin-ttas-backoff";
    type Context = ();
    fn new() -> Self {
        Ttas { held: AtomicU32::new(0) }
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if !self.try_lock() {
            self.lock_contended();
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        if self.held.load(Ordering::Relaxed) == 0 {
            unlock_of_unlocked(Self::ID);
        }
        self.held.store(0, Ordering::Release);
    }
}

impl Ttas {
    #[inline]
    fn try_lock(&self) -> bool {
        self.held.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn lock_contended(&self) {
        // The address of a local differs between threads, which is all that the delays need.
        let mut bound = 1_u32;
        let mut random = (&raw const bound).addr() as u32 | 1;
        loop {
            while self.held.load(Ordering::Relaxed) != 0 {
                spin_loop();
            }
            if self.try_lock() {
                return;
            }
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            (0..1 + random % bound).for_each(|_| spin_loop());
            bound = (bound * 2).min(64);
        }
    }
}

/// The ticket lock.
#[repr(C, align(64))]
pub(crate) struct Ticket {
    next: AtomicU32,
    serving: AtomicU32,
}

impl Twin for Ticket {
    const ID: &'static str = "mutex/ticket";
    type Context = ();
    fn new() -> Self {
        Ticket { next: AtomicU32::new(0), serving: AtomicU32::new(0) }
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        let mine = self.next.fetch_add(1, Ordering::Relaxed);
        if self.serving.load(Ordering::Acquire) != mine {
            self.wait_for(mine);
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        let served = self.serving.load(Ordering::Relaxed);
        if self.next.load(Ordering::Relaxed) == served {
            unlock_of_unlocked(Self::ID);
        }
        self.serving.store(served.wrapping_add(1), Ordering::Release);
    }
}

impl Ticket {
    #[cold]
    fn wait_for(&self, mine: u32) {
        while self.serving.load(Ordering::Acquire) != mine {
            spin_loop();
        }
    }
}
