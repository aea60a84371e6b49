//! The hierarchical ticket lock: a ticket lock for each memory node under one for all.
//!
//! - **Source**: T. David, R. Guerraoui, V. Trigonakis, "Everything You Always Wanted to Know About Synchronization but
//!   Were Afraid to Ask", SOSP 2013; the construction is the cohort lock of D. Dice, V. J. Marathe and N. Shavit, PPoPP
//!   2012.
//! - **Delta**: against `ticket`: the lock stays within a node while somebody there waits, so that it and what it guards
//!   travel between nodes less often.
//! - **Idea**: a thread takes its node's ticket lock and then the one for all. Unlock passes both to the next of the same
//!   node, up to [`PASSES_MAX`] times, and then gives the one for all to another node.
//! - **Differs from upstream**: the proportional back-off is a parameter that is off; there are `NODES` local locks,
//!   whatever the machine.
//! - **Fairness**: FIFO within a node; between nodes FIFO by turns of at most [`PASSES_MAX`] + 1.
//! - **Cost**: two adds, a swap and two stores uncontended.
//! - **Pathology**: as `ticket` with more threads than cores; a turn of one node makes the others wait a hundred sections.
//!
//! ## State
//!
//! | word | meaning |
//! |---|---|
//! | `global.next`, `global.serving` | a ticket lock between nodes |
//! | `local[n].next`, `local[n].serving` | a ticket lock within node n |
//! | `local[n].passes` | how often the lock for all was passed on within the node; 0: the next must take it |
//!
//! ## Invariants
//! 1. Who holds the lock for all holds a local lock, and the local lock's holder alone reads and writes `passes`.
//! 2. `passes` is not 0 exactly while the lock for all belongs to the node and not to a thread.
//!
//! ## Orderings
//! Every load that finds its own number is Acquire and pairs with a Release store in `unlock`: that of `local.serving`
//! within a node, that of `global.serving` between nodes. `passes` is Relaxed: the local lock orders it. Drawing is
//! Relaxed: a number protects nothing.

use crate::card::{Capability, Card, Defaults, Fairness, Param, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Line, Machine, Ordering};
use crate::mutex::{Held, MutexImpl, RawMutex};
use crate::wait::spin;

/// Local locks; nodes with higher numbers share.
const NODES: usize = 16;
/// How often a node may keep the lock: the number of local tickets of the published implementation.
pub const PASSES_MAX: u32 = 128;

/// Pauses between two looks for each thread of the node that stands before, and a quarter of them for each node; 0:
/// awaits each change.
pub static BACKOFF_PAUSES: Param = Param {
    name: "backoff_pauses",
    default: 0,
    min: 0,
    max: 1 << 16,
    origin: "none; the published implementation stays away for 512 empty instructions, and the constant depends on the \
             section's length",
};

/// A ticket lock.
#[repr(C, align(64))]
struct Tickets<M: Machine> {
    next: M::AtomicU32,
    serving: M::AtomicU32,
    passes: M::AtomicU32,
}

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults> {
    global: Line<Tickets<M>>,
    local: [Line<Tickets<M>>; NODES],
    params: S,
}

/// What a thread that holds remembers: it may leave the node before it unlocks.
#[derive(Debug, Default)]
pub struct Context {
    node: usize,
    held: Held,
}

/// The registration.
pub struct Hticket;

impl MutexImpl for Hticket {
    const CARD: Card = Card {
        id: "mutex/hticket",
        summary: "a ticket lock for each memory node under one for all",
        year: 2013,
        source: "T. David, R. Guerraoui, V. Trigonakis, SOSP 2013; D. Dice, V. J. Marathe, N. Shavit, PPoPP 2012",
        role: Role::Design,
        fairness: Fairness::BoundedBarging,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::IsLocked,
            Capability::DetectsUnlocked,
            Capability::DetectsReentry,
            Capability::Observable,
        ],
        params: &[BACKOFF_PAUSES],
        follows: Some("mutex/ticket"),
        pathologies: &[
            "with more threads than cores every hand-over waits for the scheduler",
            "other nodes wait for up to 129 sections of one node",
        ],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        Mutex { global: Line(Tickets::new()), local: core::array::from_fn(|_| Line(Tickets::new())), params }
    }
}

impl<M: Machine> Tickets<M> {
    fn new() -> Self {
        let word = || M::AtomicU32::new(0);
        Tickets { next: word(), serving: word(), passes: word() }
    }

    #[inline]
    fn lock(&self, object: usize, backoff_pauses: u32) {
        let mine = self.next.fetch_add(1, Ordering::Relaxed);
        if self.serving.load(Ordering::Acquire) != mine {
            self.wait_for(mine, object, backoff_pauses);
        }
    }

    #[cold]
    fn wait_for(&self, mine: u32, object: usize, backoff_pauses: u32) {
        if backoff_pauses == 0 {
            spin::spin_while::<M, _>(&self.serving, Ordering::Acquire, object, |serving| serving != mine);
            return;
        }
        spin::reported::<M, _>(object, |rounds| {
            let before = |serving: u32| mine.wrapping_sub(serving);
            // Relaxed: the call that lets us in is awaited below.
            self.serving.poll_while(
                Ordering::Relaxed,
                |serving| before(serving) > 1,
                |serving| {
                    *rounds += 1;
                    M::pause(backoff_pauses.saturating_mul(before(serving)));
                },
            );
            self.serving.spin_while(Ordering::Acquire, |serving| {
                *rounds += 1;
                serving != mine
            });
        });
    }

    #[inline]
    fn try_lock(&self) -> bool {
        let mine = self.serving.load(Ordering::Acquire);
        self.next.compare_exchange(mine, mine.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn unlock(&self) {
        // Relaxed: the holder alone writes the word.
        let served = self.serving.load(Ordering::Relaxed);
        self.serving.store(served.wrapping_add(1), Ordering::Release);
    }

    /// Whether somebody waits behind the holder. Racy by nature; asked by the holder, a yes stays true.
    #[inline]
    fn has_waiter(&self) -> bool {
        let behind = self.serving.load(Ordering::Relaxed).wrapping_add(1);
        self.next.load(Ordering::Relaxed) != behind
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = Context;
    fn context(&self) -> Context {
        Context::default()
    }

    #[inline]
    fn lock(&self, context: &mut Context) {
        context.held.check_free(Hticket::CARD.id);
        let node = M::node() as usize % NODES;
        let local = &self.local[node];
        let pauses = self.params.get(&BACKOFF_PAUSES) as u32;
        local.lock(self.address(), pauses);
        if local.passes.load(Ordering::Relaxed) == 0 {
            self.global.lock(self.address(), pauses / 4);
        }
        context.node = node;
        context.held.taken(self);
    }

    #[inline]
    fn try_lock(&self, context: &mut Context) -> bool {
        context.held.check_free(Hticket::CARD.id);
        let node = M::node() as usize % NODES;
        let local = &self.local[node];
        if !local.try_lock() {
            return false;
        }
        if local.passes.load(Ordering::Relaxed) == 0 && !self.global.try_lock() {
            // Who queued behind this attempt meanwhile takes the lock for all itself: `passes` is still 0.
            local.unlock();
            return false;
        }
        context.node = node;
        context.held.taken(self);
        true
    }

    #[inline]
    fn unlock(&self, context: &mut Context) {
        context.held.give_back(self, Hticket::CARD.id);
        let local = &self.local[context.node];
        // Who waits has the line, and the first access fetches it. A swap does so for writing: a load would let the line
        // come shared, to be fetched once more for the stores below.
        let passes = local.passes.swap(0, Ordering::Relaxed);
        if passes < PASSES_MAX && local.has_waiter() {
            local.passes.store(passes + 1, Ordering::Relaxed);
        } else {
            self.global.unlock();
        }
        local.unlock();
    }

    fn is_locked(&self) -> bool {
        // Between two threads of a node the lock for all stays taken, as it should.
        let serving = self.global.serving.load(Ordering::Relaxed);
        self.global.next.load(Ordering::Relaxed) != serving
    }
}

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    #[inline(always)]
    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
}
