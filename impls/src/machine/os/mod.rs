//! The `os` machine: the threads, the futexes and the clock of this computer.
//!
//! Atomics are those of `std`, parking is `std::thread::park`, and everything inlines: an uncontended lock and unlock
//! costs the same instructions as the algorithm written plainly (`benches/` and `scripts/speed` show it).

pub mod clock;
mod futex;
mod threads;
mod words;

use core::marker::PhantomData;
use core::sync::atomic::{self, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use super::{Machine, Waited};
use crate::probe::{Event, NoProbe, Probe};
pub use threads::{cores_allowed, cpus_allowed, work_speed_ratio};
pub use words::OsCell;

/// This computer, observed by `P`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Os<P: Probe = NoProbe>(PhantomData<P>);

impl<P: Probe> Machine for Os<P> {
    type Probe = P;
    type AtomicU32 = AtomicU32;
    type AtomicI32 = AtomicI32;
    type AtomicU64 = AtomicU64;
    type AtomicUsize = AtomicUsize;
    type AtomicPtr<T: 'static> = AtomicPtr<T>;
    type Cell<T: 'static> = OsCell<T>;
    type Thread = Thread;

    fn current() -> Thread {
        std::thread::current()
    }
    fn park() {
        std::thread::park();
    }
    fn park_until(deadline_ns: u64) {
        let left = deadline_ns.saturating_sub(Self::now_ns());
        if left > 0 {
            std::thread::park_timeout(Duration::from_nanos(left));
        }
    }
    fn unpark(thread: &Thread) {
        thread.unpark();
    }

    fn futex_wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> Waited {
        let timeout =
            deadline_ns.map(|deadline| Duration::from_nanos(deadline.saturating_sub(Self::now_ns())));
        futex::wait(word, expected, timeout)
    }
    fn futex_wake(word: &AtomicU32, count: u32) {
        futex::wake(word, count);
    }

    #[inline(always)]
    fn fence(order: Ordering) {
        atomic::fence(order);
    }
    #[inline(always)]
    fn pause(rounds: u32) {
        for _ in 0..rounds {
            core::hint::spin_loop();
        }
    }
    #[inline]
    fn yield_now() {
        std::thread::yield_now();
    }
    #[inline]
    fn can_spin() -> bool {
        cores_allowed() > 1
    }
    #[inline(always)]
    fn now_ns() -> u64 {
        clock::now_ns()
    }
    #[inline(always)]
    fn work(cycles: u32) {
        threads::work(cycles);
    }
    fn work_cycles(duration_ns: u64) -> u32 {
        threads::work_cycles(duration_ns)
    }
    #[inline]
    fn random() -> u32 {
        threads::random()
    }
    #[inline]
    fn thread_id() -> u64 {
        threads::thread_id()
    }
    #[inline]
    fn core() -> u32 {
        threads::core()
    }
    #[inline]
    fn node() -> u32 {
        threads::node()
    }

    fn observed<R>(slot: &P::Slot, body: impl FnOnce() -> R) -> R {
        /// Puts the previous slot back, also when the body panics.
        struct Restore<S: 'static>(&'static std::thread::LocalKey<std::cell::Cell<*const S>>, *const S);
        impl<S> Drop for Restore<S> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let local = P::os_slot();
        let _restore = Restore(local, local.replace(slot));
        body()
    }
    #[inline(always)]
    fn event(event: Event, object: usize) {
        if P::ON {
            let slot = P::os_slot().get();
            if !slot.is_null() {
                // SAFETY: the pointer is set by `observed` alone, to a slot that is borrowed until `observed` takes
                // the pointer back; it lies in a thread-local, so no other thread reaches the slot through it.
                P::event(unsafe { &*slot }, event, object, &clock::OsClock);
            }
        }
    }

    fn run(threads: usize, cpus: &[usize], seed: u64, body: &(dyn Fn(usize) + Sync)) {
        threads::run(threads, cpus, seed, body);
    }
}
