//! The spin locks and the ticket lock, plainly.

use std::hint::spin_loop;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Twin, reentry, unlock_of_unlocked};

/// Test-and-set.
#[repr(C, align(64))]
pub(crate) struct Tas {
    held: AtomicU32,
}

impl Twin for Tas {
    const ID: &'static str = "mutex/spin-tas";
    /// Address of the lock that the context holds; 0 for none.
    type Context = usize;
    fn new() -> Self {
        Tas { held: AtomicU32::new(0) }
    }
    fn context(&self) -> usize {
        0
    }

    #[inline]
    fn lock(&self, held: &mut usize) {
        if *held != 0 {
            reentry(Self::ID);
        }
        if self.held.swap(1, Ordering::Acquire) != 0 {
            self.lock_contended();
        }
        *held = ptr::from_ref(self).addr();
    }

    #[inline]
    fn unlock(&self, held: &mut usize) {
        if *held != ptr::from_ref(self).addr() {
            unlock_of_unlocked(Self::ID);
        }
        *held = 0;
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
    /// Address of the lock that the context holds; 0 for none.
    type Context = usize;
    fn new() -> Self {
        Ttas { held: AtomicU32::new(0) }
    }
    fn context(&self) -> usize {
        0
    }

    #[inline]
    fn lock(&self, held: &mut usize) {
        if *held != 0 {
            reentry(Self::ID);
        }
        if !self.try_lock() {
            self.lock_contended();
        }
        *held = ptr::from_ref(self).addr();
    }

    #[inline]
    fn unlock(&self, held: &mut usize) {
        if *held != ptr::from_ref(self).addr() {
            unlock_of_unlocked(Self::ID);
        }
        *held = 0;
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

/// What a thread that holds remembers.
#[derive(Default)]
pub(crate) struct Drawn {
    number: u32,
    held: usize,
}

impl Twin for Ticket {
    const ID: &'static str = "mutex/ticket";
    type Context = Drawn;
    fn new() -> Self {
        Ticket { next: AtomicU32::new(0), serving: AtomicU32::new(0) }
    }
    fn context(&self) -> Drawn {
        Drawn::default()
    }

    #[inline]
    fn lock(&self, drawn: &mut Drawn) {
        if drawn.held != 0 {
            reentry(Self::ID);
        }
        let mine = self.next.fetch_add(1, Ordering::Relaxed);
        if self.serving.load(Ordering::Acquire) != mine {
            self.wait_for(mine);
        }
        drawn.number = mine;
        drawn.held = ptr::from_ref(self).addr();
    }

    #[inline]
    fn unlock(&self, drawn: &mut Drawn) {
        if drawn.held != ptr::from_ref(self).addr() {
            unlock_of_unlocked(Self::ID);
        }
        drawn.held = 0;
        self.serving.store(drawn.number.wrapping_add(1), Ordering::Release);
    }
}

impl Ticket {
    #[cold]
    #[inline(never)]
    fn wait_for(&self, mine: u32) {
        while self.serving.load(Ordering::Acquire) != mine {
            spin_loop();
        }
    }
}
