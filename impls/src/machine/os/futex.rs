//! The futex of the kernel, process-private.

use core::sync::atomic::AtomicU32;
use std::time::Duration;

use crate::machine::Waited;

/// Sleeps while `word` holds `expected`; returns at a wake, a signal, or after `timeout`.
#[cfg(target_os = "linux")]
pub(super) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) -> Waited {
    let timespec = timeout.map(|t| libc::timespec {
        tv_sec: t.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: t.subsec_nanos().into(),
    });
    let timespec = timespec.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: `word` is a live, aligned 32-bit word for the whole call, and `timespec` is null or points to one that
    // lives as long. The kernel reads both and writes neither.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            timespec,
        )
    };
    let timed_out = result < 0 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ETIMEDOUT);
    if timed_out { Waited::TimedOut } else { Waited::Woken }
}

/// Wakes at most `count` sleepers of `word`.
#[cfg(target_os = "linux")]
pub(super) fn wake(word: &AtomicU32, count: u32) {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    // SAFETY: the kernel uses the address of `word` as a key; it neither reads nor writes the word.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, count);
    }
}

/// Elsewhere a wait is a short sleep: callers re-check the word, so this is correct, and slow.
#[cfg(not(target_os = "linux"))]
pub(super) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) -> Waited {
    use core::sync::atomic::Ordering;
    const NAP: Duration = Duration::from_micros(50);
    if word.load(Ordering::Relaxed) != expected {
        return Waited::Woken;
    }
    std::thread::sleep(timeout.map_or(NAP, |t| t.min(NAP)));
    if timeout.is_some_and(|t| t <= NAP) { Waited::TimedOut } else { Waited::Woken }
}

/// Elsewhere sleepers wake by themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn wake(_: &AtomicU32, _: u32) {}
