//! The world that a primitive lives in.
//!
//! Every primitive of this crate is written once, generic over [`Machine`]. On [`os::Os`] it compiles to the same
//! instructions as the algorithm written over `std` atomics; other machines simulate, or check, the same source.
//! Machines are types without values: every operation is an associated function, so a primitive carries no handle.
//!
//! Three rules for those who write a primitive:
//! * An unbounded poll goes through [`Atomic::spin_while`], [`Atomic::poll_while`] or [`Atomic::swap_while`]: only the
//!   author knows which loop waits for another thread, and a machine that simulates or explores must know it. Bounded
//!   spins call [`Machine::pause`].
//! * Where an algorithm needs sequential consistency between two words, it uses [`Machine::fence`]: checkers treat
//!   `SeqCst` accesses as weaker than the language does.
//! * Sleeping goes through the mechanisms of [`crate::wait`], never through [`Machine::park`] directly.

pub mod checked;
mod layout;
pub mod os;
mod random;
pub mod sim;

pub use core::sync::atomic::Ordering;
pub use layout::Line;

use crate::probe::{Event, Probe};

/// An atomic word of a machine. The operations are those of `std::sync::atomic`.
pub trait Atomic<T: Copy>: Send + Sync + 'static {
    /// A word that holds `value`. Not `const`: model checkers allocate here.
    fn new(value: T) -> Self;
    /// Reads the word.
    fn load(&self, order: Ordering) -> T;
    /// Writes the word.
    fn store(&self, value: T, order: Ordering);
    /// Writes the word and returns what it held.
    fn swap(&self, value: T, order: Ordering) -> T;
    /// Writes `new` if the word holds `current`; the error is what it held instead.
    fn compare_exchange(&self, current: T, new: T, success: Ordering, failure: Ordering) -> Result<T, T>;
    /// As [`Atomic::compare_exchange`], but it may fail without reason.
    fn compare_exchange_weak(
        &self,
        current: T,
        new: T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<T, T> {
        self.compare_exchange(current, new, success, failure)
    }
    /// Awaits a change: reads the word until `busy` answers false for it, and returns the value read last.
    ///
    /// A thread that can only go on when another thread writes the word waits here. Natively each round is one pause.
    fn spin_while(&self, order: Ordering, busy: impl FnMut(T) -> bool) -> T;
    /// As [`Atomic::spin_while`], with `between` run between two looks: a pause of the caller's own length.
    #[inline(always)]
    #[track_caller]
    fn poll_while(&self, order: Ordering, mut busy: impl FnMut(T) -> bool, mut between: impl FnMut(T)) -> T {
        loop {
            let value = self.load(order);
            if !busy(value) {
                return value;
            }
            between(value);
        }
    }
    /// Awaits by writing: swaps `value` in until `busy` answers false for what came out, and returns that.
    ///
    /// The test-and-set loop. Every round takes the cache line for itself, which is its point and its cost.
    fn swap_while(&self, value: T, order: Ordering, busy: impl FnMut(T) -> bool) -> T;
}

/// An atomic integer of a machine.
pub trait AtomicInt<T: Copy>: Atomic<T> {
    /// Adds, wrapping, and returns the previous value.
    fn fetch_add(&self, value: T, order: Ordering) -> T;
    /// Subtracts, wrapping, and returns the previous value.
    fn fetch_sub(&self, value: T, order: Ordering) -> T;
    /// Sets bits and returns the previous value.
    fn fetch_or(&self, value: T, order: Ordering) -> T;
    /// Keeps the bits in `value` and returns the previous value.
    fn fetch_and(&self, value: T, order: Ordering) -> T;
}

/// Data that a primitive protects by its own protocol. A checker sees each access and reports those that overlap.
pub trait DataCell<T>: 'static {
    /// A cell that holds `value`.
    fn new(value: T) -> Self;
    /// Reads through the pointer that `f` is given.
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R;
    /// Reads and writes through the pointer that `f` is given.
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R;
}

/// How a futex wait ended. A machine may also return for no reason, so that callers always re-check the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Woken, or for no reason, or the word did not hold the expected value.
    Woken,
    /// The deadline has passed.
    TimedOut,
}

/// The operations that a primitive may use, and the driver that exercises it.
pub trait Machine: Copy + Send + Sync + 'static {
    /// Who listens to what primitives and drivers report.
    type Probe: Probe;
    /// 32-bit word, the size that a futex needs.
    type AtomicU32: AtomicInt<u32>;
    /// 32-bit signed word.
    type AtomicI32: AtomicInt<i32>;
    /// 64-bit word.
    type AtomicU64: AtomicInt<u64>;
    /// Pointer-sized word.
    type AtomicUsize: AtomicInt<usize>;
    /// Pointer word.
    type AtomicPtr<T: 'static>: Atomic<*mut T>;
    /// Plain data under a primitive's own protocol.
    type Cell<T: 'static>: DataCell<T>;
    /// A handle by which any thread wakes this one.
    type Thread: Clone + Send + Sync + 'static;

    /// The calling thread.
    fn current() -> Self::Thread;
    /// Sleeps until the calling thread's token is there, and takes it. May return without.
    fn park();
    /// As [`Machine::park`], but returns at the latest at `deadline_ns` of [`Machine::now_ns`].
    fn park_until(deadline_ns: u64);
    /// Leaves a token for `thread` and wakes it.
    fn unpark(thread: &Self::Thread);

    /// Sleeps while `word` holds `expected`, until a wake or the deadline.
    fn futex_wait(word: &Self::AtomicU32, expected: u32, deadline_ns: Option<u64>) -> Waited;
    /// Wakes at most `count` threads that sleep on `word`.
    fn futex_wake(word: &Self::AtomicU32, count: u32);

    /// A fence between this thread's earlier and later accesses.
    fn fence(order: Ordering);
    /// Tells the processor `rounds` times that this thread is polling.
    fn pause(rounds: u32);
    /// Lets another thread run on this core.
    fn yield_now();
    /// Whether another core could release what the caller would spin for.
    fn can_spin() -> bool;
    /// A clock that never goes back, the same for all threads, in ns since an arbitrary origin.
    fn now_ns() -> u64;
    /// Private work of about `cycles` cycles that touches no memory.
    fn work(cycles: u32);
    /// How many cycles of [`Machine::work`] take `duration_ns` when nothing disturbs.
    fn work_cycles(duration_ns: u64) -> u32;
    /// A draw of the calling thread's own generator, seeded by [`Machine::run`].
    fn random() -> u32;
    /// Number of the calling thread, from 1; never 0, not used again while the thread lives.
    fn thread_id() -> u64;
    /// The core that the calling thread runs on at this moment.
    fn core() -> u32;
    /// The memory node that the calling thread runs on at this moment.
    fn node() -> u32;

    /// Hands `slot` to the probe of the calling thread for the duration of `body`.
    fn observed<R>(slot: &<Self::Probe as Probe>::Slot, body: impl FnOnce() -> R) -> R;
    /// Reports to the probe of the calling thread; nothing at all when no one listens.
    /// `object` is the address of the primitive concerned.
    fn event(event: Event, object: usize);

    /// The calling thread only conducts the others: a machine that can gives it a place of its own, where it takes
    /// nobody's core.
    fn stand_aside() {}
    /// The clock, for a stamp that serves an observer alone: where reading the clock costs simulated time, this does not.
    #[inline(always)]
    fn observer_ns() -> u64 {
        Self::now_ns()
    }
    /// Runs `body`, whose accesses serve an observer alone: a machine that counts cycles charges nothing for them. They
    /// must not wait.
    #[inline(always)]
    fn unobserved<R>(body: impl FnOnce() -> R) -> R {
        body()
    }

    /// Runs `body(0)` to `body(threads - 1)` at once, each on a thread of this machine, and returns when all ended.
    ///
    /// A thread `i` runs on core `cpus[i % cpus.len()]` only; with no `cpus` the scheduler decides. A panic of any
    /// body is raised again here once all have ended.
    fn run(threads: usize, cpus: &[usize], seed: u64, body: &(dyn Fn(usize) + Sync));
}
