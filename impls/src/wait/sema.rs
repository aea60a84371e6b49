//! Go's semaphore, on which its mutexes sleep: a counter and a queue of parked threads.
//!
//! Source: Go, `src/runtime/sema.go` (`semacquire1`, `semrelease1`). Differs from upstream: the queue lies in the
//! semaphore and not in a table shared by all addresses, so there is no tree of addresses; and a hand-off cannot yield
//! straight to the waiter, since threads cannot be switched to by name. In place of that it *calls* the next in the queue.
//!
//! A release adds a token and wakes the head of the queue. The woken thread still has to take the token, and a thread
//! that just arrives may be faster; the loser queues again. With a *hand-off* the releaser takes the token in the name
//! of the thread that it wakes. A thread may ask to queue at the *front*: that is how a starving waiter keeps its turn.
//!
//! One hand-off is seldom alone, and a chain of them is as slow as one wake-up each: 20 us and more where the host has
//! to start a halted core. So a hand-off also wakes the thread that is the head now, the called one: it stays in the queue
//! and watches its node for as long as a wake-up takes, while the one before it has its turn. Then a link of the chain
//! costs a switch between threads that are ready. Without it 64 threads on two cores starve each other for good, each
//! waiting for longer than the threshold because all of them starve. The price, where sections are longer than the watch:
//! a wake-up in vain for each hand-off.
//!
//! ## State
//!
//! | word | meaning |
//! |---|---|
//! | `tokens` | releases that nobody has taken yet |
//! | `waiters` | threads in the queue, or about to be |
//! | `queue` | nodes on the waiters' stacks, linked both ways; under `latch` |
//! | `Node::state` | `QUEUED`, `CALLED`: linked; `WOKEN`, `GRANTED`: unlinked by a releaser |
//!
//! ## Invariants
//! 1. A node is linked from `enqueue` until a releaser or the waiter itself unlinks it, under the latch.
//! 2. A waiter leaves [`Semaphore::acquire`] only when its node is unlinked and, if a releaser did that, after the
//!    releaser's store to `Node::state`, which is the releaser's last access to the node.
//! 3. No lost wake-up: a waiter counts itself in `waiters` and then looks at `tokens`; a releaser adds to `tokens` and
//!    then looks at `waiters`. The two `SeqCst` fences order the four accesses, so at least one sees the other.
//! 4. `CALLED` is stored only under the latch, in a linked node; so it never overwrites what a releaser says later.
//!
//! ## Orderings
//! The token carries the happens-before edge: [`Semaphore::try_acquire`] is Acquire and pairs with the Release of
//! [`Semaphore::release`] and [`Semaphore::release_below`]. A hand-off carries it by the Release store to
//! `Node::state`, which pairs with the Acquire loads in `look` and `park`; the releaser's own Acquire of the token extends it to
//! earlier releases. The same pair orders the unlinking of a node before its owner takes it down. `CALLED` is a hint and
//! Relaxed: nothing is published with it.

use core::ptr::{self, NonNull};

use super::futex_lock::FutexLock;
use crate::machine::{Atomic, AtomicInt, DataCell, Machine, Ordering};
use crate::probe::{Event, Probe};

/// Where a waiter joins the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind all others.
    Back,
    /// Before all others: a waiter that has waited its turn once.
    Front,
}

/// What a release does for the thread that it wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Wakes it; it competes for the token.
    Compete,
    /// Takes the token in its name.
    HandOff,
}

/// Looks at its node that the head of the queue takes before it sleeps.
///
/// Go needs no such thing: an idle thread of its scheduler goes on looking for work, and finds the goroutine that a release
/// made ready. Here the waiter itself is that thread. Without it a release that follows at once pays for a call into the
/// kernel: with two threads and 500 ns sections a third of all processor time. Who is not the head would look in vain.
pub const LOOKS_BEFORE_SLEEP: u32 = 4;
/// Pauses between two looks of a thread that has just queued: all looks take about as long as a short section, and a
/// fraction of what a wake-up costs both sides.
const PAUSES_WHEN_QUEUED: u32 = 5;
/// Pauses between two looks of a thread that was called: all looks take about as long as a wake-up, for who holds the
/// token may just have been woken too.
const PAUSES_WHEN_CALLED: u32 = 80;

/// In the queue.
const QUEUED: u32 = 0;
/// In the queue, as its head, and told so: a hand-off to it is near.
const CALLED: u32 = 1;
/// Out of the queue, to compete for the token.
const WOKEN: u32 = 2;
/// Out of the queue, with the token.
const GRANTED: u32 = 3;

/// A waiter; lies on its stack while it waits.
#[repr(C, align(64))]
struct Node<M: Machine> {
    state: M::AtomicU32,
    /// When the releaser decided to wake, for the probe.
    woken_ns: M::AtomicU64,
    thread: M::Thread,
    /// The neighbours in the queue. Cells, so that a checker sees that the latch, and last `state`, order their use.
    next: M::Cell<*mut Node<M>>,
    previous: M::Cell<*mut Node<M>>,
}

impl<M: Machine> Node<M> {
    /// A node for the calling thread.
    fn new() -> Self {
        Node {
            state: M::AtomicU32::new(QUEUED),
            woken_ns: M::AtomicU64::new(0),
            thread: M::current(),
            next: M::Cell::new(ptr::null_mut()),
            previous: M::Cell::new(ptr::null_mut()),
        }
    }

    /// Notes for the probe that the decision to wake falls now.
    fn stamp(&self) {
        if <M::Probe as Probe>::ON {
            let now_ns = M::observer_ns();
            M::unobserved(|| self.woken_ns.store(now_ns, Ordering::Relaxed));
        }
    }
}

/// What a link points to.
///
/// # Safety
/// Nobody changes the link meanwhile: the latch is the caller's, or the node is unlinked and its owner's again.
unsafe fn link<M: Machine>(link: &M::Cell<*mut Node<M>>) -> *mut Node<M> {
    // SAFETY: the caller's promise.
    link.with(|node| unsafe { *node })
}

/// Points a link to `node`.
///
/// # Safety
/// The latch is the caller's.
unsafe fn set_link<M: Machine>(link: &M::Cell<*mut Node<M>>, node: *mut Node<M>) {
    // SAFETY: the caller's promise: nobody else reads or writes it meanwhile.
    link.with_mut(|link| unsafe { *link = node });
}

struct Queue<M: Machine> {
    head: *mut Node<M>,
    tail: *mut Node<M>,
}

/// A counting semaphore whose waiters sleep in order.
#[repr(C)]
pub struct Semaphore<M: Machine> {
    tokens: M::AtomicU32,
    waiters: M::AtomicU32,
    latch: FutexLock<M>,
    queue: M::Cell<Queue<M>>,
}

// SAFETY: the raw pointers in `queue` are followed only under `latch`, and lead to nodes that their owners keep alive
// while linked (Invariants 1 and 2). The rest of the semaphore is atomics.
unsafe impl<M: Machine> Send for Semaphore<M> {}
// SAFETY: as above; all shared access to `queue` goes through `latch`.
unsafe impl<M: Machine> Sync for Semaphore<M> {}

impl<M: Machine> Semaphore<M> {
    /// A semaphore with `tokens` tokens.
    pub fn new(tokens: u32) -> Self {
        Semaphore {
            tokens: M::AtomicU32::new(tokens),
            waiters: M::AtomicU32::new(0),
            latch: FutexLock::default(),
            queue: M::Cell::new(Queue { head: ptr::null_mut(), tail: ptr::null_mut() }),
        }
    }

    fn object(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Tokens that nobody has taken yet. Racy by nature: true at some moment of the call.
    pub fn tokens(&self) -> u32 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// Threads in the queue, or about to be. Racy by nature: true at some moment of the call.
    pub fn waiters(&self) -> u32 {
        self.waiters.load(Ordering::Relaxed)
    }

    /// Takes a token if there is one.
    #[inline]
    pub fn try_acquire(&self) -> bool {
        let mut tokens = self.tokens.load(Ordering::Relaxed);
        while tokens > 0 {
            let taken =
                self.tokens.compare_exchange_weak(tokens, tokens - 1, Ordering::Acquire, Ordering::Relaxed);
            match taken {
                Ok(_) => return true,
                Err(now) => tokens = now,
            }
        }
        false
    }

    /// Takes a token, asleep until there is one; queues at `place`.
    // Outlined, as a call into the runtime is in Go: inlined, its frame would burden the fast paths of its callers.
    #[inline(never)]
    pub fn acquire(&self, place: Place) {
        let acquired = self.acquire_by(place, None);
        debug_assert!(acquired);
    }

    /// As [`Semaphore::acquire`], but gives up at `deadline_ns`; whether a token was taken. A grant beats a deadline
    /// that passes at the same time.
    pub fn acquire_until(&self, place: Place, deadline_ns: u64) -> bool {
        self.acquire_by(place, Some(deadline_ns))
    }

    fn acquire_by(&self, place: Place, deadline_ns: Option<u64>) -> bool {
        if self.try_acquire() {
            return true;
        }
        loop {
            // The releaser and this thread both reach the node through this pointer only.
            let node = core::cell::UnsafeCell::new(Node::<M>::new());
            let node = node.get();
            // 1. Queue, unless a token appeared after all.
            self.latch.lock();
            self.waiters.fetch_add(1, Ordering::Relaxed);
            M::fence(Ordering::SeqCst); // Invariant 3, the waiter's half.
            if self.try_acquire() {
                self.waiters.fetch_sub(1, Ordering::Relaxed);
                self.latch.unlock();
                return true;
            }
            let next = self.enqueue(node, place);
            self.latch.unlock();
            // 2. Sleep until a releaser has unlinked the node, or the deadline made us do so.
            // SAFETY: `node` lives until the end of this turn of the loop, and `sleep` returns only once nobody else
            // reaches it (Invariant 2).
            let state = unsafe { self.sleep(node, next, deadline_ns) };
            // SAFETY: the node is unlinked and ours again (Invariant 2).
            let unlinked =
                unsafe { link::<M>(&(*node).next).is_null() && link::<M>(&(*node).previous).is_null() };
            assert!(unlinked, "semaphore: a waiter leaves a queue that still holds its node");
            // 3. Granted, or fast enough.
            if state == GRANTED || self.try_acquire() {
                return true;
            }
            if state == QUEUED {
                return false;
            }
            M::event(Event::LostRace, self.object());
        }
    }

    /// Adds a token; wakes the head of the queue, if there is one. Whether a thread was woken.
    // Outlined for the same reason as `acquire`.
    #[inline(never)]
    pub fn release(&self, grant: Grant) -> bool {
        self.tokens.fetch_add(1, Ordering::Release);
        self.serve(grant)
    }

    /// As [`Semaphore::release`], unless there are `limit` tokens already; whether a token was added.
    pub fn release_below(&self, limit: u32, grant: Grant) -> bool {
        let mut tokens = self.tokens.load(Ordering::Relaxed);
        while tokens < limit {
            let added =
                self.tokens.compare_exchange_weak(tokens, tokens + 1, Ordering::Release, Ordering::Relaxed);
            match added {
                Ok(_) => {
                    self.serve(grant);
                    return true;
                }
                Err(now) => tokens = now,
            }
        }
        false
    }

    /// A token was added: wakes the head of the queue, if there is one.
    #[inline]
    fn serve(&self, grant: Grant) -> bool {
        M::fence(Ordering::SeqCst); // Invariant 3, the releaser's half.
        if self.waiters.load(Ordering::Relaxed) == 0 {
            return false;
        }
        self.wake_head(grant)
    }

    #[cold]
    fn wake_head(&self, grant: Grant) -> bool {
        self.latch.lock();
        let head = self.queue.with(|queue| {
            // SAFETY: the latch is ours, so nobody changes the queue.
            unsafe { (*queue).head }
        });
        let Some(node) = NonNull::new(head) else {
            self.latch.unlock();
            return false;
        };
        self.unlink(head);
        let called = if grant == Grant::HandOff { self.call_head() } else { None };
        self.latch.unlock();
        let granted = grant == Grant::HandOff && self.try_acquire();
        // SAFETY: the node is unlinked by us and `state` does not say so yet, so its owner waits for us (Invariant 2).
        // The handle is cloned first: once the state is stored the owner may leave and the node is gone.
        let thread = unsafe {
            let node = node.as_ref();
            let thread = node.thread.clone();
            node.stamp();
            node.state.store(if granted { GRANTED } else { WOKEN }, Ordering::Release);
            thread
        };
        if granted {
            M::event(Event::HandOff, self.object());
        }
        M::unpark(&thread);
        M::event(Event::Wake, self.object());
        if let Some(called) = called {
            M::unpark(&called);
            M::event(Event::Wake, self.object());
        }
        true
    }

    /// Tells the head of the queue, unless it knows, that it is next; the thread to wake for that. The latch is the
    /// caller's.
    fn call_head(&self) -> Option<M::Thread> {
        self.queue.with(|queue| {
            // SAFETY: as in `enqueue`: the head is linked, hence alive.
            let head = unsafe { (*queue).head.as_ref()? };
            if head.state.load(Ordering::Relaxed) == CALLED {
                return None;
            }
            head.stamp();
            head.state.store(CALLED, Ordering::Relaxed);
            Some(head.thread.clone())
        })
    }

    /// Waits until the node is out of the queue, and returns its state: QUEUED if the deadline passed first. Who is next
    /// looks a few times before it parks, and again when it is called.
    ///
    /// # Safety
    /// `node` is the caller's, was queued by it, and lives until this returns.
    unsafe fn sleep(&self, node: *mut Node<M>, next: bool, deadline_ns: Option<u64>) -> u32 {
        // SAFETY: the caller keeps the node alive, and the field is an atomic.
        let state = unsafe { &(*node).state };
        let (mut known, mut pauses) = (QUEUED, if next { PAUSES_WHEN_QUEUED } else { 0 });
        loop {
            let mut now = self.look(state, known, pauses);
            if now == known {
                // SAFETY: the caller's promise.
                now = match unsafe { self.park(node, known, deadline_ns) } {
                    Some(now) => now,
                    None => return QUEUED,
                }
            }
            if now != CALLED {
                return now;
            }
            (known, pauses) = (CALLED, PAUSES_WHEN_CALLED);
        }
    }

    /// Looks at `state` a few times with `pauses` between, until it is no longer `known`; the state seen last. Without
    /// pauses looks once.
    fn look(&self, state: &M::AtomicU32, known: u32, pauses: u32) -> u32 {
        if pauses == 0 || !M::can_spin() {
            return state.load(Ordering::Acquire);
        }
        super::spin::reported::<M, _>(self.object(), |rounds| {
            loop {
                let now = state.load(Ordering::Acquire);
                if now != known || *rounds == LOOKS_BEFORE_SLEEP {
                    break now;
                }
                M::pause(pauses);
                *rounds += 1;
            }
        })
    }

    /// Sleeps until the node's state is no longer `known`, and returns it; none if the deadline passed first, and the
    /// node is unlinked.
    ///
    /// # Safety
    /// As for [`Semaphore::sleep`].
    unsafe fn park(&self, node: *mut Node<M>, known: u32, deadline_ns: Option<u64>) -> Option<u32> {
        // SAFETY: the caller keeps the node alive; the two fields are atomics.
        let (state, woken_ns) = unsafe { (&(*node).state, &(*node).woken_ns) };
        M::event(Event::ParkBegin, self.object());
        let outcome = loop {
            let now = state.load(Ordering::Acquire);
            if now != known {
                break Some(now);
            }
            match deadline_ns {
                None => M::park(),
                Some(deadline) if M::now_ns() < deadline => M::park_until(deadline),
                Some(_) => {
                    // Late: leave the queue, unless a releaser has unlinked the node and is about to say so.
                    self.latch.lock();
                    let linked = self.is_linked(node);
                    if linked {
                        self.unlink(node);
                    }
                    self.latch.unlock();
                    if linked {
                        break None;
                    }
                    M::yield_now();
                }
            }
        };
        let woken_ns =
            if <M::Probe as Probe>::ON { M::unobserved(|| woken_ns.load(Ordering::Relaxed)) } else { 0 };
        M::event(Event::ParkEnd { woken_ns }, self.object());
        outcome
    }

    /// Links the node; whether it is the head now. The latch is the caller's.
    fn enqueue(&self, node: *mut Node<M>, place: Place) -> bool {
        self.queue.with_mut(|queue| {
            // SAFETY: under the latch nobody else reaches the queue or the links of linked nodes, and every linked
            // node is alive (Invariants 1 and 2); `node` is the caller's own.
            unsafe {
                let queue = &mut *queue;
                match place {
                    Place::Back => {
                        set_link::<M>(&(*node).previous, queue.tail);
                        match queue.tail.as_ref() {
                            Some(tail) => set_link::<M>(&tail.next, node),
                            None => queue.head = node,
                        }
                        queue.tail = node;
                    }
                    Place::Front => {
                        set_link::<M>(&(*node).next, queue.head);
                        match queue.head.as_ref() {
                            Some(head) => set_link::<M>(&head.previous, node),
                            None => queue.tail = node,
                        }
                        queue.head = node;
                    }
                }
                queue.head == node
            }
        })
    }

    /// Unlinks a linked node. The latch is the caller's.
    fn unlink(&self, node: *mut Node<M>) {
        self.queue.with_mut(|queue| {
            // SAFETY: as in `enqueue`; the node and its neighbours are linked, hence alive.
            unsafe {
                let queue = &mut *queue;
                let node = &*node;
                let (previous, next) = (link::<M>(&node.previous), link::<M>(&node.next));
                match previous.as_ref() {
                    Some(previous) => set_link::<M>(&previous.next, next),
                    None => queue.head = next,
                }
                match next.as_ref() {
                    Some(next) => set_link::<M>(&next.previous, previous),
                    None => queue.tail = previous,
                }
                set_link::<M>(&node.next, ptr::null_mut());
                set_link::<M>(&node.previous, ptr::null_mut());
            }
        });
        self.waiters.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether the caller's node is still linked. The latch is the caller's.
    fn is_linked(&self, node: *mut Node<M>) -> bool {
        self.queue.with(|queue| {
            // SAFETY: as in `enqueue`.
            unsafe { !link::<M>(&(*node).previous).is_null() || (*queue).head == node }
        })
    }
}
