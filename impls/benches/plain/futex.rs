//! Drepper's third mutex, plainly, over the kernel's futex; where there is none, it polls with yields.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Twin, unlock_of_unlocked};

/// Three states: free, held, held with sleepers.
#[repr(C, align(64))]
pub(crate) struct Drepper {
    word: AtomicU32,
}

impl Twin for Drepper {
    const ID: &'static str = "mutex/futex-drepper";
    type Context = ();
    fn new() -> Self {
        Drepper { word: AtomicU32::new(0) }
    }
    fn context(&self) {}

    #[inline]
    fn lock(&self, (): &mut ()) {
        if self.word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.lock_contended();
        }
    }

    #[inline]
    fn unlock(&self, (): &mut ()) {
        match self.word.swap(0, Ordering::Release) {
            0 => unlock_of_unlocked(Self::ID),
            1 => {}
            _ => self.wake_one(),
        }
    }
}

impl Drepper {
    #[cold]
    fn lock_contended(&self) {
        while self.word.swap(2, Ordering::Acquire) != 0 {
            wait(&self.word);
        }
    }

    #[cold]
    fn wake_one(&self) {
        wake(&self.word);
    }
}

#[cfg(target_os = "linux")]
fn wait(word: &AtomicU32) {
    // SAFETY: `word` is a live, aligned 32-bit word for the whole call, which only reads it; the null is no time-out.
    unsafe {
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 2, core::ptr::null::<libc::timespec>());
    }
}

#[cfg(target_os = "linux")]
fn wake(word: &AtomicU32) {
    // SAFETY: the kernel uses the address as a key and touches nothing.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1);
    }
}

#[cfg(not(target_os = "linux"))]
fn wait(_: &AtomicU32) {
    std::thread::yield_now();
}

#[cfg(not(target_os = "linux"))]
fn wake(_: &AtomicU32) {}
