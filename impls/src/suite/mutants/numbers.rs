//! Mutants of the ticket lock.

use core::marker::PhantomData;

use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::RawMutex;
use crate::wait::spin;

/// The two counters.
#[repr(C, align(64))]
pub struct Numbers<M: Machine> {
    next: M::AtomicU32,
    serving: M::AtomicU32,
}

impl<M: Machine> Numbers<M> {
    fn await_call(&self, called: impl Fn(u32) -> bool) {
        let object = core::ptr::from_ref(self).addr();
        if !called(self.serving.load(Ordering::Acquire)) {
            spin::spin_while::<M, _>(&self.serving, Ordering::Acquire, object, |serving| !called(serving));
        }
    }
}

/// The steps of the lock. Each mutant breaks one.
pub trait Steps: Send + Sync + 'static {
    /// Waits until `mine` is called.
    fn wait<M: Machine>(numbers: &Numbers<M>, mine: u32) {
        numbers.await_call(|serving| serving == mine);
    }
    /// A try: the number drawn, if it is being served.
    fn try_draw<M: Machine>(numbers: &Numbers<M>) -> Option<u32> {
        let mine = numbers.serving.load(Ordering::Acquire);
        let drawn = mine.wrapping_add(1);
        let taken = numbers.next.compare_exchange(mine, drawn, Ordering::Relaxed, Ordering::Relaxed);
        taken.is_ok().then_some(mine)
    }
}

/// Without a fault: by it a test knows that a mutant's fault is its own.
impl Steps for () {}

/// The lock with the steps of `K`.
#[repr(C)]
pub struct Mutex<M: Machine, K> {
    numbers: Numbers<M>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Mutex<M, K> {
    fn default() -> Self {
        let numbers = Numbers { next: M::AtomicU32::new(0), serving: M::AtomicU32::new(0) };
        Mutex { numbers, steps: PhantomData }
    }
}

impl<M: Machine, K: Steps> RawMutex<M> for Mutex<M, K> {
    /// The number that holds.
    type Context = u32;
    fn context(&self) -> u32 {
        0
    }
    fn lock(&self, number: &mut u32) {
        *number = self.numbers.next.fetch_add(1, Ordering::Relaxed);
        K::wait(&self.numbers, *number);
    }
    fn unlock(&self, number: &mut u32) {
        self.numbers.serving.store(number.wrapping_add(1), Ordering::Release);
    }
    fn try_lock(&self, number: &mut u32) -> bool {
        let drawn = K::try_draw(&self.numbers);
        *number = drawn.unwrap_or(*number);
        drawn.is_some()
    }
}

mutant! {
    /// A try draws a number first, and keeps it to itself when it is not being served.
    ///
    /// Seen by: a try that fails, and a lock after it.
    DropsNumber of Mutex, "drops-number": "a ticket lock whose failed try leaves a number behind", Fifo,
    [TryLock, Observable],
    "everybody waits for a number that nobody holds"
}
impl Steps for DropsNumber {
    fn try_draw<M: Machine>(numbers: &Numbers<M>) -> Option<u32> {
        let mine = numbers.next.fetch_add(1, Ordering::Relaxed);
        (numbers.serving.load(Ordering::Acquire) == mine).then_some(mine)
    }
}

mutant! {
    /// Numbers of one bit: the third thread has the holder's.
    ///
    /// Seen by: three threads at once.
    Narrow of Mutex, "narrow": "a ticket lock whose numbers wrap after two", Fifo, [TryLock, Observable],
    "breaks exclusion among three threads"
}
impl Steps for Narrow {
    fn wait<M: Machine>(numbers: &Numbers<M>, mine: u32) {
        numbers.await_call(|serving| serving % 2 == mine % 2);
    }
}

mutant! {
    /// Enters when the thread before is served, and not when it has left.
    ///
    /// Seen by: two threads at once.
    EntersEarly of Mutex, "enters-early": "a ticket lock that returns before the one before has left", Fifo,
    [TryLock, Observable],
    "breaks exclusion"
}
impl Steps for EntersEarly {
    fn wait<M: Machine>(numbers: &Numbers<M>, mine: u32) {
        numbers.await_call(|serving| mine.wrapping_sub(serving) <= 1);
    }
}
