//! Go's mutexes of 2008, 2012 and 2015, plainly.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use super::sema::Sema;
use super::{Twin, several_cores, unlock_of_unlocked};

const LOCKED: i32 = 1;
const WOKEN: i32 = 2;
const WAITER_SHIFT: u32 = 2;
const ONE_WAITER: i32 = 1 << WAITER_SHIFT;

/// 2008: a counter of everyone concerned.
#[repr(C, align(64))]
pub(crate) struct Key {
    key: AtomicU32,
    sema: Sema,
}

impl Twin for Key {
    const ID: &'static str = "mutex/go-2008-key";
    type Context = ();
    fn new() -> Self {
        Key { key: AtomicU32::new(0), sema: Sema::new() }
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if self.key.fetch_add(1, Ordering::Acquire) != 0 {
            self.sema.acquire(false);
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        match self.key.fetch_sub(1, Ordering::Release) {
            1 => {}
            0 => self.restore(),
            _ => self.sema.release(false),
        }
    }
}

impl Key {
    #[cold]
    fn restore(&self) -> ! {
        if self.key.fetch_add(1, Ordering::Relaxed) == 0 {
            self.sema.release(false);
        }
        unlock_of_unlocked(Self::ID)
    }
}

/// What 2012 and 2015 share: the word, the semaphore, and all of unlock.
#[repr(C, align(64))]
struct Word {
    state: AtomicI32,
    sema: Sema,
}

impl Word {
    fn new() -> Self {
        Word { state: AtomicI32::new(0), sema: Sema::new() }
    }

    #[inline(always)]
    fn lock_free(&self) -> bool {
        self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn unlock(&self, id: &'static str) {
        let new = self.state.fetch_sub(LOCKED, Ordering::Release) - LOCKED;
        if new != 0 {
            self.unlock_contended(new, id);
        }
    }

    /// The slow path of lock; before each attempt to change the word, `spin` may wait for a better state.
    #[inline(always)]
    fn lock_contended(&self, mut spin: impl FnMut(i32, &mut bool) -> i32, mut slept: impl FnMut()) {
        let mut awoke = false;
        let mut old = self.state.load(Ordering::Relaxed);
        loop {
            old = spin(old, &mut awoke);
            let mut new = if old & LOCKED == 0 { old | LOCKED } else { old + ONE_WAITER };
            if awoke {
                new &= !WOKEN;
            }
            match self.state.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed) {
                Err(now) => old = now,
                Ok(_) if old & LOCKED == 0 => return,
                Ok(_) => {
                    self.sema.acquire(false);
                    awoke = true;
                    slept();
                    old = self.state.load(Ordering::Relaxed);
                }
            }
        }
    }

    #[cold]
    fn unlock_contended(&self, new: i32, id: &'static str) {
        if (new + LOCKED) & LOCKED == 0 {
            let restored = self.state.fetch_add(LOCKED, Ordering::Relaxed) + LOCKED;
            self.wake_one(restored);
            unlock_of_unlocked(id);
        }
        self.wake_one(new);
    }

    fn wake_one(&self, mut old: i32) {
        while old >> WAITER_SHIFT != 0 && old & (LOCKED | WOKEN) == 0 {
            let new = (old - ONE_WAITER) | WOKEN;
            match self.state.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return self.sema.release(false),
                Err(now) => old = now,
            }
        }
    }
}

/// 2012: woken waiters compete.
#[repr(C, align(64))]
pub(crate) struct Woken(Word);

impl Twin for Woken {
    const ID: &'static str = "mutex/go-2012-woken";
    type Context = ();
    fn new() -> Self {
        Woken(Word::new())
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if !self.0.lock_free() {
            self.lock_contended();
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        self.0.unlock(Self::ID);
    }
}

impl Woken {
    #[cold]
    fn lock_contended(&self) {
        self.0.lock_contended(|old, _| old, || {});
    }
}

/// 2015: a few rounds of spinning before a thread queues.
#[repr(C, align(64))]
pub(crate) struct Spinning(Word);

impl Twin for Spinning {
    const ID: &'static str = "mutex/go-2015-spinning";
    type Context = ();
    fn new() -> Self {
        Spinning(Word::new())
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if !self.0.lock_free() {
            self.lock_contended();
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        self.0.unlock(Self::ID);
    }
}

impl Spinning {
    #[cold]
    fn lock_contended(&self) {
        let rounds = std::cell::Cell::new(0);
        let state = &self.0.state;
        let spin = |mut old: i32, awoke: &mut bool| {
            while old & LOCKED != 0 && rounds.get() < 4 && several_cores() {
                if !*awoke && old & WOKEN == 0 && old >> WAITER_SHIFT != 0 {
                    let set = state.compare_exchange(old, old | WOKEN, Ordering::Relaxed, Ordering::Relaxed);
                    *awoke = set.is_ok();
                }
                (0..30).for_each(|_| spin_loop());
                rounds.set(rounds.get() + 1);
                old = state.load(Ordering::Relaxed);
            }
            old
        };
        self.0.lock_contended(spin, || rounds.set(0));
    }
}
