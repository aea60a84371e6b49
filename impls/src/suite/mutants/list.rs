//! Mutants of the list locks MCS and CLH.
//!
//! Nodes are never freed: a lock that loses track of a node then leads nowhere, and not into memory that is gone.

use core::marker::PhantomData;
use core::ptr;

use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::RawMutex;
use crate::wait::spin;

/// A place in a list.
#[repr(C, align(64))]
pub struct Node<M: Machine> {
    /// MCS: whether the owner waits. CLH: whether the owner is not through.
    busy: M::AtomicU32,
    next: M::AtomicPtr<Node<M>>,
}

impl<M: Machine> Node<M> {
    /// A node that lives for ever.
    fn leaked() -> &'static Self {
        Box::leak(Box::new(Node { busy: M::AtomicU32::new(0), next: M::AtomicPtr::new(ptr::null_mut()) }))
    }
    fn from_raw(node: *mut Self) -> Option<&'static Self> {
        // SAFETY: null, or a node of `leaked`, which lives for ever and has no fields but atomics.
        unsafe { node.as_ref() }
    }
    fn as_raw(&'static self) -> *mut Self {
        ptr::from_ref(self).cast_mut()
    }
    fn await_idle(&self, object: usize) {
        if self.busy.load(Ordering::Acquire) != 0 {
            spin::spin_while::<M, _>(&self.busy, Ordering::Acquire, object, |busy| busy != 0);
        }
    }
}

/// The end of an MCS list.
#[repr(C, align(64))]
pub struct Tail<M: Machine>(M::AtomicPtr<Node<M>>);

impl<M: Machine> Tail<M> {
    /// Takes the list's only node off; whether it was the only one.
    fn take_off(&self, node: &'static Node<M>) -> bool {
        let free = ptr::null_mut();
        self.0.compare_exchange(node.as_raw(), free, Ordering::Release, Ordering::Relaxed).is_ok()
    }
}

/// The steps of MCS. Each mutant breaks one.
pub trait McsSteps: Send + Sync + 'static {
    /// No thread has linked itself behind `node` yet: frees the lock, or says who is behind.
    fn behind<M: Machine>(tail: &Tail<M>, node: &'static Node<M>) -> *mut Node<M> {
        if tail.take_off(node) {
            return ptr::null_mut();
        }
        node.next.spin_while(Ordering::Acquire, |next| next.is_null())
    }
}

/// Without a fault: by it a test knows that a mutant's fault is its own.
impl McsSteps for () {}

/// MCS with the steps of `K`.
#[repr(C)]
pub struct Mcs<M: Machine, K> {
    tail: Tail<M>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Mcs<M, K> {
    fn default() -> Self {
        Mcs { tail: Tail(M::AtomicPtr::new(ptr::null_mut())), steps: PhantomData }
    }
}

impl<M: Machine, K: McsSteps> RawMutex<M> for Mcs<M, K> {
    type Context = &'static Node<M>;
    fn context(&self) -> &'static Node<M> {
        Node::leaked()
    }
    fn lock(&self, node: &mut &'static Node<M>) {
        node.next.store(ptr::null_mut(), Ordering::Relaxed);
        node.busy.store(1, Ordering::Relaxed);
        if let Some(before) = Node::from_raw(self.tail.0.swap(node.as_raw(), Ordering::AcqRel)) {
            before.next.store(node.as_raw(), Ordering::Release);
            node.await_idle(ptr::from_ref(self).addr());
        }
    }
    fn unlock(&self, node: &mut &'static Node<M>) {
        let mut behind = node.next.load(Ordering::Acquire);
        if behind.is_null() {
            behind = K::behind(&self.tail, node);
        }
        if let Some(behind) = Node::from_raw(behind) {
            behind.busy.store(0, Ordering::Release);
        }
    }
    fn is_locked(&self) -> bool {
        !self.tail.0.load(Ordering::Relaxed).is_null()
    }
}

mutant! {
    /// Does not wait for a thread that is in the list but has not linked itself yet.
    ///
    /// Seen by: two threads, if unlock falls between the swap and the link.
    Unlinked of Mcs, "unlinked": "an MCS lock that does not wait for the link", Fifo, [IsLocked, Observable],
    "a waiter that links itself late waits for ever"
}
impl McsSteps for Unlinked {
    fn behind<M: Machine>(tail: &Tail<M>, node: &'static Node<M>) -> *mut Node<M> {
        tail.take_off(node);
        ptr::null_mut()
    }
}

mutant! {
    /// Clears the tail though a thread may have come behind.
    ///
    /// Seen by: two threads, if the swap falls between the two steps of unlock.
    ClearsTail of Mcs, "clears-tail": "an MCS lock that clears the tail by a plain store", Fifo,
    [IsLocked, Observable],
    "a waiter that comes during an unlock waits for ever"
}
impl McsSteps for ClearsTail {
    fn behind<M: Machine>(tail: &Tail<M>, _: &'static Node<M>) -> *mut Node<M> {
        tail.0.store(ptr::null_mut(), Ordering::Release);
        ptr::null_mut()
    }
}

/// The steps of CLH. The mutant breaks the one there is.
pub trait ClhSteps: Send + Sync + 'static {
    /// The node with which a thread goes on after it has left `mine` behind.
    fn next<M: Machine>(mine: &'static Node<M>, before: &'static Node<M>) -> &'static Node<M> {
        let _ = mine; // It belongs to the thread behind from now on.
        before
    }
}

/// Without a fault, as above.
impl ClhSteps for () {}

/// CLH with the steps of `K`.
#[repr(C, align(64))]
pub struct Clh<M: Machine, K> {
    tail: M::AtomicPtr<Node<M>>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Clh<M, K> {
    fn default() -> Self {
        Clh { tail: M::AtomicPtr::new(Node::<M>::leaked().as_raw()), steps: PhantomData }
    }
}

impl<M: Machine, K: ClhSteps> RawMutex<M> for Clh<M, K> {
    /// The node of the next turn, or of this one; and the one that was polled.
    type Context = (&'static Node<M>, &'static Node<M>);
    fn context(&self) -> Self::Context {
        let node = Node::leaked();
        (node, node)
    }
    fn lock(&self, (mine, before): &mut Self::Context) {
        mine.busy.store(1, Ordering::Relaxed);
        *before = Node::from_raw(self.tail.swap(mine.as_raw(), Ordering::AcqRel)).unwrap_or(mine);
        before.await_idle(ptr::from_ref(self).addr());
    }
    fn unlock(&self, (mine, before): &mut Self::Context) {
        mine.busy.store(0, Ordering::Release);
        *mine = K::next(mine, before);
    }
}

mutant! {
    /// Goes on with its own node, which the thread behind may still poll: the ABA of queues. The waiter does not see the
    /// node free in between, and then both wait for each other.
    ///
    /// Seen by: two threads, of which one comes back at once.
    OwnNode of Clh, "own-node": "a CLH lock whose threads reuse their own node", Fifo, [Observable],
    "a waiter misses its turn when the holder comes back at once"
}
impl ClhSteps for OwnNode {
    fn next<M: Machine>(mine: &'static Node<M>, _: &'static Node<M>) -> &'static Node<M> {
        mine
    }
}
