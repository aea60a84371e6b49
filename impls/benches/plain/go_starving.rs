//! Go's mutexes of 2016 and 2019, plainly: the same algorithm, whole or with its slow paths outlined.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use super::sema::Sema;
use super::{Twin, several_cores, unlock_of_unlocked};

const LOCKED: i32 = 1;
const WOKEN: i32 = 2;
const STARVING: i32 = 4;
const WAITER_SHIFT: u32 = 3;
const ONE_WAITER: i32 = 1 << WAITER_SHIFT;
const STARVATION: Duration = Duration::from_millis(1);

#[repr(C)]
struct Starving {
    state: AtomicI32,
    sema: Sema,
}

#[cold]
#[inline(never)]
fn inconsistent(id: &str, state: i32) -> ! {
    panic!("{id}: inconsistent state {state:#b}")
}

impl Starving {
    fn new() -> Self {
        Starving { state: AtomicI32::new(0), sema: Sema::new() }
    }

    #[inline(always)]
    fn lock_free(&self) -> bool {
        self.state.compare_exchange(0, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline(always)]
    fn lock_contended(&self, id: &'static str) {
        let mut waiting_since: Option<Instant> = None;
        let (mut starving, mut awoke, mut rounds) = (false, false, 0);
        let mut old = self.state.load(Ordering::Relaxed);
        loop {
            while old & (LOCKED | STARVING) == LOCKED && rounds < 4 && several_cores() {
                if !awoke && old & WOKEN == 0 && old >> WAITER_SHIFT != 0 {
                    let set =
                        self.state.compare_exchange(old, old | WOKEN, Ordering::Relaxed, Ordering::Relaxed);
                    awoke = set.is_ok();
                }
                (0..30).for_each(|_| spin_loop());
                rounds += 1;
                old = self.state.load(Ordering::Relaxed);
            }
            let mut new = old;
            if old & STARVING == 0 {
                new |= LOCKED;
            }
            if old & (LOCKED | STARVING) != 0 {
                new += ONE_WAITER;
            }
            if starving && old & LOCKED != 0 {
                new |= STARVING;
            }
            if awoke {
                if new & WOKEN == 0 {
                    inconsistent(id, new);
                }
                new &= !WOKEN;
            }
            if let Err(now) = self.state.compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed) {
                old = now;
                continue;
            }
            if old & (LOCKED | STARVING) == 0 {
                return;
            }
            let front = waiting_since.is_some();
            let since = *waiting_since.get_or_insert_with(Instant::now);
            self.sema.acquire(front);
            starving |= since.elapsed() > STARVATION;
            old = self.state.load(Ordering::Relaxed);
            if old & STARVING != 0 {
                if old & (LOCKED | WOKEN) != 0 || old >> WAITER_SHIFT == 0 {
                    inconsistent(id, old);
                }
                let last = old >> WAITER_SHIFT == 1;
                let leave = if !starving || last { STARVING } else { 0 };
                self.state.fetch_add(LOCKED - ONE_WAITER - leave, Ordering::Relaxed);
                return;
            }
            (awoke, rounds) = (true, 0);
        }
    }

    #[inline(always)]
    fn release(&self) -> i32 {
        self.state.fetch_sub(LOCKED, Ordering::Release) - LOCKED
    }

    #[inline(always)]
    fn wake(&self, new: i32, id: &'static str) {
        if (new + LOCKED) & LOCKED == 0 {
            let restored = self.state.fetch_add(LOCKED, Ordering::Relaxed) + LOCKED;
            self.wake_one(restored);
            unlock_of_unlocked(id);
        }
        if new & STARVING != 0 {
            self.sema.release(true);
        } else {
            self.wake_one(new);
        }
    }

    #[inline(always)]
    fn wake_one(&self, mut old: i32) {
        while old >> WAITER_SHIFT != 0 && old & (LOCKED | WOKEN | STARVING) == 0 {
            let new = (old - ONE_WAITER) | WOKEN;
            match self.state.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return self.sema.release(false),
                Err(now) => old = now,
            }
        }
    }
}

/// 2016: fast and slow path are one function, which is not inlined.
#[repr(C, align(64))]
pub(crate) struct Whole(Starving);

impl Twin for Whole {
    const ID: &'static str = "mutex/go-2016-starving";
    type Context = ();
    fn new() -> Self {
        Whole(Starving::new())
    }
    fn context(&self) {}

    #[inline(never)]
    fn lock(&self, (): &mut ()) {
        if !self.0.lock_free() {
            self.0.lock_contended(Self::ID);
        }
    }

    #[inline(never)]
    fn unlock(&self, (): &mut ()) {
        let new = self.0.release();
        if new != 0 {
            self.0.wake(new, Self::ID);
        }
    }
}

/// 2019: the slow paths are outlined.
#[repr(C, align(64))]
pub(crate) struct Outlined(Starving);

impl Twin for Outlined {
    const ID: &'static str = "mutex/go-2019-fastpath";
    type Context = ();
    fn new() -> Self {
        Outlined(Starving::new())
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if !self.0.lock_free() {
            self.lock_slow();
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        let new = self.0.release();
        if new != 0 {
            self.unlock_slow(new);
        }
    }
}

impl Outlined {
    #[cold]
    #[inline(never)]
    fn lock_slow(&self) {
        self.0.lock_contended(Self::ID);
    }

    #[cold]
    #[inline(never)]
    fn unlock_slow(&self, new: i32) {
        self.0.wake(new, Self::ID);
    }
}
