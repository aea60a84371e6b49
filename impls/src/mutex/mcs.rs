//! The MCS lock: waiters form a list, and each polls a word of its own.
//!
//! - **Source**: J. M. Mellor-Crummey and M. L. Scott, "Algorithms for Scalable Synchronization on Shared-Memory
//!   Multiprocessors", ACM TOCS 9(1), 1991.
//! - **Delta**: against `ticket`: unlock writes a line that one waiter reads, not all.
//! - **Idea**: a thread swaps its node into `tail`. If there was a node before, it links itself behind and polls its
//!   own; unlock writes to the node behind.
//! - **Differs from upstream**: `try_lock` and `is_locked` are ours.
//! - **Fairness**: FIFO, from the moment of the swap.
//! - **Cost**: a swap and a CAS uncontended. Contended, two line transfers a hand-over, whatever the number of waiters.
//! - **Pathology**: with more threads than cores the next in line is often not running, and nobody else may go.
//!
//! ## State
//!
//! ```text
//! tail ------------------------------+
//!                                    v
//! [holder] --next--> [waiter] --> [waiter]      tail is null: free
//! waiting 0          waiting 1    waiting 1
//! ```
//!
//! ## Invariants
//! 1. A node is in the list from its owner's swap until its owner's unlock, and in one list at a time: the context
//!    notes the lock that it holds, and refuses another.
//! 2. Others reach a node through `tail` or the `next` of the node before. The thread behind writes `next` once, before
//!    the owner leaves `unlock`; the thread before writes `waiting` once, before the owner leaves `lock`. So nobody
//!    reaches a node whose context holds nothing.
//! 3. A node that is held when its context is dropped is leaked, for a thread behind may still write to it.
//!
//! ## Orderings
//! The swap is AcqRel: Release publishes the node to the thread that comes behind; Acquire pairs with the Release CAS of
//! an unlock that left `tail` null. `next` is stored with Release and loaded with Acquire, for the same publication.
//! The load that finds `waiting` 0 is Acquire and pairs with the Release store of `unlock`.

use core::ptr::{self, NonNull};

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::{Held, MutexImpl, RawMutex, misuse};
use crate::wait::spin;

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine> {
    tail: M::AtomicPtr<Node<M>>,
}

/// A thread's place in the list.
#[repr(C, align(64))]
pub struct Node<M: Machine> {
    waiting: M::AtomicU32,
    next: M::AtomicPtr<Node<M>>,
}

/// A thread's node, reached by pointer only, since its neighbours in the list reach it as well.
pub struct Context<M: Machine> {
    node: NonNull<Node<M>>,
    held: Held,
}

/// The registration.
pub struct Mcs;

impl MutexImpl for Mcs {
    const CARD: Card = Card {
        id: "mutex/mcs",
        summary: "a list of waiters, each polling a word of its own",
        year: 1991,
        source: "J. M. Mellor-Crummey and M. L. Scott, ACM TOCS 9(1), 1991",
        role: Role::Design,
        fairness: Fairness::Fifo,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::IsLocked,
            Capability::DetectsUnlocked,
            Capability::DetectsReentry,
            Capability::Observable,
        ],
        params: &[],
        follows: Some("mutex/ticket"),
        pathologies: &["with more threads than cores every hand-over waits for the scheduler"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex { tail: M::AtomicPtr::new(ptr::null_mut()) }
    }
}

impl<M: Machine> Context<M> {
    fn new() -> Self {
        let node = Node { waiting: M::AtomicU32::new(0), next: M::AtomicPtr::new(ptr::null_mut()) };
        Context { node: NonNull::from(Box::leak(Box::new(node))), held: Held::default() }
    }

    /// The node, on its way into a list.
    #[inline]
    fn fresh_node(&self) -> &Node<M> {
        self.held.check_free(Mcs::CARD.id);
        // SAFETY: the node lives as long as the context, and all its fields are atomics.
        let node = unsafe { self.node.as_ref() };
        // Relaxed: the swap or CAS that follows publishes both.
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.waiting.store(1, Ordering::Relaxed);
        node
    }
}

impl<M: Machine> Drop for Context<M> {
    fn drop(&mut self) {
        if self.held.is_free() {
            // SAFETY: the node came from a box in `new`, and nobody else reaches it (Invariant 2).
            drop(unsafe { Box::from_raw(self.node.as_ptr()) });
        }
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = Context<M>;
    fn context(&self) -> Context<M> {
        Context::new()
    }

    #[inline]
    fn lock(&self, context: &mut Context<M>) {
        let node = context.fresh_node();
        let before = self.tail.swap(context.node.as_ptr(), Ordering::AcqRel);
        if let Some(before) = NonNull::new(before) {
            // SAFETY: the node before stays in the list, hence alive, until its owner has seen our link
            // (Invariants 1 and 2).
            unsafe { before.as_ref() }.next.store(context.node.as_ptr(), Ordering::Release);
            self.wait(node);
        }
        context.held.taken(self);
    }

    #[inline]
    fn try_lock(&self, context: &mut Context<M>) -> bool {
        context.fresh_node();
        let free = ptr::null_mut();
        let node = context.node.as_ptr();
        let taken = self.tail.compare_exchange(free, node, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if taken {
            context.held.taken(self);
        }
        taken
    }

    #[inline]
    fn unlock(&self, context: &mut Context<M>) {
        context.held.check_taken(self, Mcs::CARD.id);
        // SAFETY: the node lives as long as the context, and all its fields are atomics.
        let node = unsafe { context.node.as_ref() };
        let mut behind = node.next.load(Ordering::Acquire);
        if behind.is_null() {
            let (mine, free) = (context.node.as_ptr(), ptr::null_mut());
            match self.tail.compare_exchange(mine, free, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return context.held.given_back(),
                // Held was a lock that went away without an unlock, and this one lies in its place.
                Err(tail) if tail.is_null() => misuse::unlock_of_unlocked(Mcs::CARD.id),
                Err(_) => {}
            }
            behind = self.await_link(node);
        }
        // SAFETY: `behind` was linked by a thread that waits for this store, so its node is alive. The store is the
        // last access to it.
        unsafe { (*behind).waiting.store(0, Ordering::Release) };
        context.held.given_back();
    }

    fn is_locked(&self) -> bool {
        !self.tail.load(Ordering::Relaxed).is_null()
    }
}

impl<M: Machine> Mutex<M> {
    #[inline(always)]
    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    #[cold]
    fn wait(&self, node: &Node<M>) {
        spin::spin_while::<M, _>(&node.waiting, Ordering::Acquire, self.address(), |waiting| waiting != 0);
    }

    /// A thread is in the list behind `node` but has not linked itself yet. Not a wait for the lock, so unreported.
    #[cold]
    fn await_link(&self, node: &Node<M>) -> *mut Node<M> {
        node.next.spin_while(Ordering::Acquire, |next| next.is_null())
    }
}
