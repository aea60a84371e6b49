//! Locks that look right in any short program, and show only in what the observatory measures.
//!
//! | liar | visible in |
//! |---|---|
//! | [`Starves`] | fairness, the longest wait |
//! | [`YieldsAtTimes`] | the rule `result`: lost counts |
//! | [`SharesCounters`] | misses per operation, beside [`SpreadsCounters`], which does the same without fault |

use core::marker::PhantomData;

use super::card;
use crate::card::{Capability, Card, Fairness, ParamSource};
use crate::machine::{Atomic, AtomicInt, Line, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex};
use crate::wait::spin;

const FREE: u32 = 0;
const HELD: u32 = 1;

/// A liar's card and its constructor.
macro_rules! liar {
    ($(#[$doc:meta])* $registration:ident, $lock:ty, $id:literal: $summary:literal, $fault:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $registration;

        impl MutexImpl for $registration {
            const CARD: Card = card(
                concat!("mutex/liar-", $id),
                $summary,
                Fairness::Unordered,
                &[Capability::ForeignUnlock, Capability::Observable],
                &[],
                &[$fault],
            );
            type Lock<M: Machine, S: ParamSource> = $lock;
            fn build<M: Machine, S: ParamSource>(_: S) -> $lock {
                <$lock>::default()
            }
        }
    };
}

/// A test-and-set word, sound by itself.
#[repr(C, align(64))]
struct Word<M: Machine>(M::AtomicU32);

impl<M: Machine> Default for Word<M> {
    fn default() -> Self {
        Word(M::AtomicU32::new(FREE))
    }
}

impl<M: Machine> Word<M> {
    fn try_lock(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
    fn await_free(&self) {
        let object = core::ptr::from_ref(self).addr();
        spin::spin_while::<M, _>(&self.0, Ordering::Relaxed, object, |word| word != FREE);
    }
    fn lock(&self) {
        while !self.try_lock() {
            self.await_free();
        }
    }
    fn unlock(&self) {
        self.0.store(FREE, Ordering::Release);
    }
}

/// Tickets: everybody waits for its turn, so that no luck decides who is treated badly.
#[repr(C, align(64))]
pub struct Tickets<M: Machine> {
    next: M::AtomicU32,
    serving: M::AtomicU32,
}

impl<M: Machine> Default for Tickets<M> {
    fn default() -> Self {
        Tickets { next: M::AtomicU32::new(0), serving: M::AtomicU32::new(0) }
    }
}

impl<M: Machine> Tickets<M> {
    fn draw(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
    fn wait(&self, mine: u32) {
        let object = core::ptr::from_ref(self).addr();
        spin::spin_while::<M, _>(&self.serving, Ordering::Acquire, object, |serving| serving != mine);
    }
    fn unlock(&self) {
        self.serving.fetch_add(1, Ordering::Release);
    }
}

/// A lock with one victim.
#[repr(C)]
pub struct Partial<M: Machine> {
    tickets: Tickets<M>,
    /// Thread that had the lock first; 0 for none yet.
    victim: Line<M::AtomicU64>,
}

impl<M: Machine> Default for Partial<M> {
    fn default() -> Self {
        Partial { tickets: Tickets::default(), victim: Line(M::AtomicU64::new(0)) }
    }
}

/// The victim enters when nobody else drew a number during so many pauses: far longer than a section.
const PATIENCE_PAUSES: u32 = 2_000;

liar! {
    /// Whoever has it first never has it again while another thread wants it.
    Starves, Partial<M>, "starves": "a lock that starves the thread that came first", "starves one thread"
}

impl<M: Machine> RawMutex<M> for Partial<M> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        let me = M::thread_id();
        if self.victim.0.load(Ordering::Relaxed) == me {
            let mut seen = self.tickets.next.load(Ordering::Relaxed);
            loop {
                M::pause(PATIENCE_PAUSES);
                let now = self.tickets.next.load(Ordering::Relaxed);
                if now == seen {
                    break;
                }
                seen = now;
            }
        }
        let mine = self.tickets.draw();
        self.tickets.wait(mine);
        if mine == 0 {
            self.victim.0.store(me, Ordering::Relaxed);
        }
    }
    fn unlock(&self, (): &mut ()) {
        self.tickets.unlock();
    }
}

/// Numbers of which one does not wait.
const SELDOM: u32 = 10_000;

liar! {
    /// Once in ten thousand times it yields where it ought to wait.
    YieldsAtTimes, Hasty<M>, "yields-at-times": "a lock that seldom yields instead of excluding",
    "breaks exclusion once in 10,000 acquisitions"
}

/// A lock that does not always wait.
#[repr(C)]
pub struct Hasty<M: Machine>(Tickets<M>);

impl<M: Machine> Default for Hasty<M> {
    fn default() -> Self {
        Hasty(Tickets::default())
    }
}

impl<M: Machine> RawMutex<M> for Hasty<M> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        let mine = self.0.draw();
        if (mine + 1).is_multiple_of(SELDOM) {
            M::yield_now();
        } else {
            self.0.wait(mine);
        }
    }
    fn unlock(&self, (): &mut ()) {
        self.0.unlock();
    }
}

/// Counters of threads, by the last digits of their numbers.
const COUNTERS: usize = 8;

/// Where each thread counts what it does.
pub trait Counters<M: Machine>: Default + Send + Sync + 'static {
    /// The counter of one thread.
    fn of(&self, thread: usize) -> &M::AtomicU64;
}

/// All on one line or two.
#[repr(C, align(64))]
pub struct Packed<M: Machine>([M::AtomicU64; COUNTERS]);
/// A line each.
#[repr(C)]
pub struct Spread<M: Machine>([Line<M::AtomicU64>; COUNTERS]);

impl<M: Machine> Default for Packed<M> {
    fn default() -> Self {
        Packed(core::array::from_fn(|_| M::AtomicU64::new(0)))
    }
}
impl<M: Machine> Default for Spread<M> {
    fn default() -> Self {
        Spread(core::array::from_fn(|_| Line(M::AtomicU64::new(0))))
    }
}
impl<M: Machine> Counters<M> for Packed<M> {
    fn of(&self, thread: usize) -> &M::AtomicU64 {
        &self.0[thread]
    }
}
impl<M: Machine> Counters<M> for Spread<M> {
    fn of(&self, thread: usize) -> &M::AtomicU64 {
        &self.0[thread].0
    }
}

/// A lock whose threads count for themselves, before they ask and after they have left.
#[repr(C)]
pub struct SelfCounting<M: Machine, C> {
    word: Word<M>,
    counters: C,
    machine: PhantomData<M>,
}

impl<M: Machine, C: Counters<M>> Default for SelfCounting<M, C> {
    fn default() -> Self {
        SelfCounting { word: Word::default(), counters: C::default(), machine: PhantomData }
    }
}

liar! {
    /// Counters of different threads lie on one line, which then travels with every count.
    SharesCounters, SelfCounting<M, Packed<M>>, "shares-counters": "a lock whose threads count side by side",
    "false sharing"
}
liar! {
    /// The honest twin of [`SharesCounters`].
    SpreadsCounters, SelfCounting<M, Spread<M>>, "spreads-counters": "a lock whose threads count far apart",
    "none: the twin of a liar"
}

impl<M: Machine, C: Counters<M>> SelfCounting<M, C> {
    fn count(&self) {
        let counter = self.counters.of(M::thread_id() as usize % COUNTERS);
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

impl<M: Machine, C: Counters<M>> RawMutex<M> for SelfCounting<M, C> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        self.count();
        self.word.lock();
    }
    fn unlock(&self, (): &mut ()) {
        self.word.unlock();
        self.count();
    }
}
