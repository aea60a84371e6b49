//! Machines with troubles that a primitive must bear: sleeps that end for no reason, and a clock that steps back.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::machine::{Machine, Ordering, Waited};
use crate::probe::{Event, Probe};

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// One sleep in three ends at once, for no reason.
    SpuriousWakes,
    /// One look at the clock in three shows a time that is past, by up to [`BACK_NS`].
    ClockGoesBack,
}

/// More than any threshold or deadline of the programs.
pub const BACK_NS: u32 = 3_000_000;

/// A trouble strikes once in so many times.
const ONE_IN: u32 = 3;

thread_local!(static NOW: Cell<Trouble> = const { Cell::new(Trouble::None) });

impl Trouble {
    /// Runs `body` with this trouble for the machines of the calling host thread: a whole simulation, or one thread.
    pub fn during<R>(self, body: impl FnOnce() -> R) -> R {
        /// Puts the former trouble back, also when the body panics.
        struct Restore(Trouble);
        impl Drop for Restore {
            fn drop(&mut self) {
                NOW.set(self.0);
            }
        }
        let _restore = Restore(NOW.replace(self));
        body()
    }

    /// Whether it happens now.
    fn strikes<M: Machine>(self) -> bool {
        NOW.get() == self && M::random().is_multiple_of(ONE_IN)
    }
}

/// The machine `M` with its troubles.
#[derive(Clone, Copy, Debug)]
pub struct Troubled<M>(PhantomData<M>);

impl<M: Machine> Machine for Troubled<M> {
    type Probe = M::Probe;
    type AtomicU32 = M::AtomicU32;
    type AtomicI32 = M::AtomicI32;
    type AtomicU64 = M::AtomicU64;
    type AtomicUsize = M::AtomicUsize;
    type AtomicPtr<P: 'static> = M::AtomicPtr<P>;
    type Cell<C: 'static> = M::Cell<C>;
    type Thread = M::Thread;

    fn current() -> M::Thread {
        M::current()
    }
    fn park() {
        if !Trouble::SpuriousWakes.strikes::<M>() {
            M::park();
        }
    }
    fn park_until(deadline_ns: u64) {
        if !Trouble::SpuriousWakes.strikes::<M>() {
            M::park_until(deadline_ns);
        }
    }
    fn unpark(thread: &M::Thread) {
        M::unpark(thread);
    }
    fn futex_wait(word: &M::AtomicU32, expected: u32, deadline_ns: Option<u64>) -> Waited {
        if Trouble::SpuriousWakes.strikes::<M>() {
            Waited::Woken
        } else {
            M::futex_wait(word, expected, deadline_ns)
        }
    }
    fn futex_wake(word: &M::AtomicU32, count: u32) {
        M::futex_wake(word, count);
    }
    fn now_ns() -> u64 {
        let now_ns = M::now_ns();
        if Trouble::ClockGoesBack.strikes::<M>() {
            return now_ns.saturating_sub(u64::from(M::random() % BACK_NS));
        }
        now_ns
    }

    fn fence(order: Ordering) {
        M::fence(order);
    }
    fn pause(rounds: u32) {
        M::pause(rounds);
    }
    fn yield_now() {
        M::yield_now();
    }
    fn can_spin() -> bool {
        M::can_spin()
    }
    fn work(cycles: u32) {
        M::work(cycles);
    }
    fn work_cycles(duration_ns: u64) -> u32 {
        M::work_cycles(duration_ns)
    }
    fn random() -> u32 {
        M::random()
    }
    fn thread_id() -> u64 {
        M::thread_id()
    }
    fn core() -> u32 {
        M::core()
    }
    fn node() -> u32 {
        M::node()
    }
    fn observed<R>(slot: &<M::Probe as Probe>::Slot, body: impl FnOnce() -> R) -> R {
        M::observed(slot, body)
    }
    fn event(event: Event, object: usize) {
        M::event(event, object);
    }
    fn stand_aside() {
        M::stand_aside();
    }
    fn observer_ns() -> u64 {
        M::observer_ns()
    }
    fn unobserved<R>(body: impl FnOnce() -> R) -> R {
        M::unobserved(body)
    }
    fn run(threads: usize, cpus: &[usize], seed: u64, body: &(dyn Fn(usize) + Sync)) {
        M::run(threads, cpus, seed, body);
    }
}
