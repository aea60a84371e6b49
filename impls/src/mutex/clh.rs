//! The CLH lock: waiters form a list that nobody links, and each polls the word of the thread before.
//!
//! - **Source**: T. S. Craig, University of Washington TR 93-02-02, 1993; P. Magnusson, A. Landin and E. Hagersten,
//!   "Queue Locks on Cache Coherent Multiprocessors", IPPS 1994.
//! - **Delta**: against `mcs`: no `next`, so unlock is a single store and never waits for a link; in return nodes
//!   circulate: a thread goes on with the node of the thread before it.
//! - **Idea**: a thread swaps its node into `tail` and gets the node before, on which it polls. Unlock clears its own
//!   node, which from then on belongs to the thread behind.
//! - **Fairness**: FIFO, from the moment of the swap.
//! - **Cost**: a swap and a store, uncontended and in the end contended as well. Polling happens on a line that another
//!   thread allocated: on machines without coherent caches, or with distant nodes, dearer than MCS.
//! - **Pathology**: with more threads than cores the next in line is often not running, and nobody else may go.
//!
//! ## State
//!
//! ```text
//! tail --> [last waiter's] . . polls . .> [holder's] . . (the holder keeps the one before, to go on with)
//!           busy 1                         busy 1
//! ```
//! The lock is free when the node at `tail` is not busy. An unlocked lock that nobody used holds one such node.
//!
//! ## Invariants
//! 1. A node belongs to one context, or to the one lock at whose `tail` it is, and polling it is at most one thread.
//! 2. The node before a holder's is nobody else's: its former owner has left it and no `tail` leads to it.
//! 3. Nodes are freed by their last owner: a context that holds nothing, or a lock whose tail is not busy. What is left
//!    busy by a forgotten unlock is leaked.
//!
//! ## Orderings
//! The swap is AcqRel: Release publishes our busy node to the thread behind, Acquire receives the one before. The load
//! that finds `busy` 0 is Acquire and pairs with the Release store of `unlock`.

use core::ptr::{self, NonNull};

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::{Held, MutexImpl, RawMutex};
use crate::wait::spin;

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine> {
    tail: M::AtomicPtr<Node<M>>,
}

/// A place in the list.
#[repr(C, align(64))]
pub struct Node<M: Machine> {
    busy: M::AtomicU32,
}

/// The node that a thread queues with next, or, while it holds the lock, the two of its turn.
pub struct Context<M: Machine> {
    node: NonNull<Node<M>>,
    /// While held: the node that was polled, to go on with.
    before: NonNull<Node<M>>,
    held: Held,
}

/// The registration.
pub struct Clh;

impl MutexImpl for Clh {
    const CARD: Card = Card {
        id: "mutex/clh",
        summary: "a list of waiters, each polling the word of the thread before",
        year: 1993,
        source: "T. S. Craig, UW TR 93-02-02, 1993; Magnusson, Landin, Hagersten, IPPS 1994",
        role: Role::Design,
        fairness: Fairness::Fifo,
        runs: Runs::AnyMachine,
        can: &[Capability::DetectsUnlocked, Capability::DetectsReentry, Capability::Observable],
        params: &[],
        follows: Some("mutex/mcs"),
        pathologies: &["with more threads than cores every hand-over waits for the scheduler"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex { tail: M::AtomicPtr::new(new_node::<M>().as_ptr()) }
    }
}

fn new_node<M: Machine>() -> NonNull<Node<M>> {
    NonNull::from(Box::leak(Box::new(Node { busy: M::AtomicU32::new(0) })))
}

impl<M: Machine> Drop for Context<M> {
    fn drop(&mut self) {
        if self.held.is_free() {
            // SAFETY: the node came from a box and is this context's alone (Invariant 1).
            drop(unsafe { Box::from_raw(self.node.as_ptr()) });
        }
        // Held: `node` may be polled still, and is leaked with `before` (Invariant 3).
    }
}

impl<M: Machine> Drop for Mutex<M> {
    fn drop(&mut self) {
        // Relaxed, both: whoever drops the lock has it to itself, so every use of it happened before.
        let tail = self.tail.load(Ordering::Relaxed);
        // SAFETY: the node at the tail is alive (Invariant 3), and nobody else uses the lock any more. If it is not
        // busy, its context has gone on with another node, so it is the lock's alone and came from a box.
        unsafe {
            if (*tail).busy.load(Ordering::Relaxed) == 0 {
                drop(Box::from_raw(tail));
            }
        }
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = Context<M>;
    fn context(&self) -> Context<M> {
        let node = new_node();
        Context { node, before: node, held: Held::default() }
    }

    #[inline]
    fn lock(&self, context: &mut Context<M>) {
        context.held.check_free(Clh::CARD.id);
        // SAFETY: the node is this context's (Invariant 1), hence alive.
        unsafe { context.node.as_ref() }.busy.store(1, Ordering::Relaxed);
        let before = self.tail.swap(context.node.as_ptr(), Ordering::AcqRel);
        // SAFETY: `tail` is never null, and a node that was at a tail is freed by whoever swapped it out: by us.
        let before = unsafe { NonNull::new_unchecked(before) };
        // SAFETY: as above; it stays alive until we unlock and go on with it.
        let busy = &unsafe { before.as_ref() }.busy;
        if busy.load(Ordering::Acquire) != 0 {
            self.wait(busy);
        }
        context.before = before;
        context.held.taken(self);
    }

    #[inline]
    fn unlock(&self, context: &mut Context<M>) {
        context.held.give_back(self, Clh::CARD.id);
        let mine = core::mem::replace(&mut context.node, context.before);
        // SAFETY: the node is ours until this store, which is the last access to it; the thread behind, or the lock,
        // owns it afterwards.
        unsafe { (*mine.as_ptr()).busy.store(0, Ordering::Release) };
    }
}

impl<M: Machine> Mutex<M> {
    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[cold]
    fn wait(&self, busy: &M::AtomicU32) {
        spin::spin_while::<M, _>(busy, Ordering::Acquire, self.address(), |busy| busy != 0);
    }
}
