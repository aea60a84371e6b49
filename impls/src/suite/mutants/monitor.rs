//! Mutants of a queue under a latch: unlock hands the lock to the first in line.

use core::marker::PhantomData;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::machine::{Atomic, DataCell, Machine, Ordering};
use crate::mutex::RawMutex;
use crate::probe::Event;
use crate::wait::futex_lock::FutexLock;

/// A thread in line.
pub struct Waiter<M: Machine> {
    granted: M::AtomicU32,
    thread: M::Thread,
}

impl<M: Machine> Waiter<M> {
    fn is_granted(&self) -> bool {
        self.granted.load(Ordering::Acquire) != 0
    }
}

/// What the latch guards.
pub struct State<M: Machine> {
    held: bool,
    line: VecDeque<Arc<Waiter<M>>>,
    /// Tries that failed, for the mutant that counts them.
    failed_tries: u32,
}

impl<M: Machine> State<M> {
    fn take(&mut self) -> bool {
        !std::mem::replace(&mut self.held, true)
    }
    /// Hands the lock to `next`, or frees it.
    fn pass_to(&mut self, next: Option<Arc<Waiter<M>>>) -> Option<Arc<Waiter<M>>> {
        match &next {
            Some(next) => next.granted.store(1, Ordering::Release),
            None => self.held = false,
        }
        next
    }
}

/// The latch and what it guards.
#[repr(C, align(64))]
pub struct Monitor<M: Machine> {
    latch: FutexLock<M>,
    state: M::Cell<State<M>>,
}

// SAFETY: what the cell holds may be sent: a flag, a number, and shared waiters made of atomics and a thread's handle.
unsafe impl<M: Machine> Send for Monitor<M> {}
// SAFETY: all access to the cell is in `enter`, under the latch.
unsafe impl<M: Machine> Sync for Monitor<M> {}

impl<M: Machine> Monitor<M> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
    fn enter<R>(&self, change: impl FnOnce(&mut State<M>) -> R) -> R {
        self.latch.lock();
        let result = self.state.with_mut(|state| {
            // SAFETY: the latch is held, so nobody else reaches the state.
            change(unsafe { &mut *state })
        });
        self.latch.unlock();
        result
    }
}

/// The steps of the lock. Each mutant breaks one.
pub trait Steps: Send + Sync + 'static {
    /// Takes the lock, or joins the line; whether it was taken.
    fn take_or_join<M: Machine>(monitor: &Monitor<M>, me: &Arc<Waiter<M>>) -> bool {
        monitor.enter(|state| {
            let taken = state.take();
            if !taken {
                state.line.push_back(Arc::clone(me));
            }
            taken
        })
    }
    /// Sleeps until granted, or until the deadline; whether it was granted.
    fn sleep<M: Machine>(monitor: &Monitor<M>, me: &Arc<Waiter<M>>, deadline_ns: Option<u64>) -> bool {
        while !me.is_granted() {
            match deadline_ns {
                None => M::park(),
                Some(deadline) if M::now_ns() < deadline => M::park_until(deadline),
                Some(_) => return Self::leave(monitor, me),
            }
        }
        true
    }
    /// The deadline has passed: leaves the line; whether the lock was granted in the meantime.
    fn leave<M: Machine>(monitor: &Monitor<M>, me: &Arc<Waiter<M>>) -> bool {
        monitor.enter(|state| {
            let place = state.line.iter().position(|waiter| Arc::ptr_eq(waiter, me));
            place.and_then(|place| state.line.remove(place)).is_none()
        })
    }
    /// Passes the lock on or frees it; the thread to wake.
    fn pass_on<M: Machine>(state: &mut State<M>) -> Option<Arc<Waiter<M>>> {
        let next = state.line.pop_front();
        state.pass_to(next)
    }
    /// A try.
    fn try_lock<M: Machine>(state: &mut State<M>) -> bool {
        state.take()
    }
}

/// Without a fault: by it a test knows that a mutant's fault is its own.
impl Steps for () {}

/// The lock with the steps of `K`.
#[repr(C)]
pub struct Mutex<M: Machine, K> {
    monitor: Monitor<M>,
    steps: PhantomData<K>,
}

impl<M: Machine, K> Default for Mutex<M, K> {
    fn default() -> Self {
        let state = State { held: false, line: VecDeque::new(), failed_tries: 0 };
        let monitor = Monitor { latch: FutexLock::default(), state: M::Cell::new(state) };
        Mutex { monitor, steps: PhantomData }
    }
}

impl<M: Machine, K: Steps> Mutex<M, K> {
    fn lock_by(&self, deadline_ns: Option<u64>) -> bool {
        let me = Arc::new(Waiter { granted: M::AtomicU32::new(0), thread: M::current() });
        if K::take_or_join(&self.monitor, &me) {
            return true;
        }
        M::event(Event::ParkBegin, self.monitor.object());
        let granted = K::sleep(&self.monitor, &me, deadline_ns);
        M::event(Event::ParkEnd { woken_ns: 0 }, self.monitor.object());
        granted
    }
}

impl<M: Machine, K: Steps> RawMutex<M> for Mutex<M, K> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        self.lock_by(None);
    }
    fn unlock(&self, (): &mut ()) {
        if let Some(waiter) = self.monitor.enter(K::pass_on) {
            M::unpark(&waiter.thread);
            M::event(Event::Wake, self.monitor.object());
        }
    }
    fn try_lock(&self, (): &mut ()) -> bool {
        self.monitor.enter(K::try_lock)
    }
    fn lock_until(&self, (): &mut (), deadline_ns: u64) -> bool {
        self.lock_by(Some(deadline_ns))
    }
    fn count(&self) -> u32 {
        self.monitor.enter(|state| u32::from(state.held) + state.line.len() as u32 + state.failed_tries)
    }
    fn is_locked(&self) -> bool {
        self.monitor.enter(|state| state.held)
    }
}

mutant! {
    /// Serves the one that came last.
    ///
    /// Seen by: two waiters that come one after the other.
    Lifo of Mutex, "lifo": "a queue lock that serves the youngest waiter", Fifo,
    [TryLock, Timeout, WaiterCount, IsLocked, Observable],
    "the first in line waits for all who come later"
}
impl Steps for Lifo {
    fn pass_on<M: Machine>(state: &mut State<M>) -> Option<Arc<Waiter<M>>> {
        let next = state.line.pop_back();
        state.pass_to(next)
    }
}

mutant! {
    /// Hands over to a waiter, and frees the lock for everybody else.
    ///
    /// Seen by: three threads: one hands over, one is granted, one comes new.
    HandsOverAndFrees of Mutex, "hands-over-and-frees": "a queue lock that grants and releases at once", Fifo,
    [TryLock, Timeout, WaiterCount, IsLocked, Observable],
    "a newcomer enters beside the one that was granted"
}
impl Steps for HandsOverAndFrees {
    fn pass_on<M: Machine>(state: &mut State<M>) -> Option<Arc<Waiter<M>>> {
        let next = state.line.pop_front();
        state.held = false;
        state.pass_to(next)
    }
}

mutant! {
    /// Looks at the deadline first: who is granted too late leaves without passing the grant on.
    ///
    /// Seen by: two threads, if the grant meets the deadline.
    DropsGrant of Mutex, "drops-grant": "a queue lock whose late waiter drops the grant", Fifo,
    [TryLock, Timeout, WaiterCount, IsLocked, Observable],
    "the lock belongs to a thread that has left"
}
impl Steps for DropsGrant {
    fn sleep<M: Machine>(monitor: &Monitor<M>, me: &Arc<Waiter<M>>, deadline_ns: Option<u64>) -> bool {
        loop {
            match deadline_ns {
                Some(deadline) if M::now_ns() >= deadline => {
                    Self::leave(monitor, me);
                    return false;
                }
                _ if me.is_granted() => return true,
                Some(deadline) => M::park_until(deadline),
                None => M::park(),
            }
        }
    }
}

mutant! {
    /// Who gives up stays in line, and is granted the lock after it has left.
    ///
    /// Seen by: two threads: one holds, one gives up.
    LeavesGhost of Mutex, "leaves-ghost": "a queue lock whose late waiter stays in line", Fifo,
    [TryLock, Timeout, WaiterCount, IsLocked, Observable],
    "the lock is handed to a thread that has left"
}
impl Steps for LeavesGhost {
    fn leave<M: Machine>(_: &Monitor<M>, me: &Arc<Waiter<M>>) -> bool {
        me.is_granted()
    }
}

mutant! {
    /// Looks and joins the line in two steps: whoever unlocks in between finds nobody.
    ///
    /// Seen by: two threads, if the unlock falls between the two steps.
    QueuesBlind of Mutex, "queues-blind": "a queue lock that does not look again before it sleeps", Fifo,
    [TryLock, WaiterCount, IsLocked, Observable],
    "a waiter sleeps for ever beside a free lock"
}
impl Steps for QueuesBlind {
    fn take_or_join<M: Machine>(monitor: &Monitor<M>, me: &Arc<Waiter<M>>) -> bool {
        let taken = monitor.enter(State::take);
        if !taken {
            monitor.enter(|state| state.line.push_back(Arc::clone(me)));
        }
        taken
    }
}

mutant! {
    /// Grants the lock to the first in line and wakes the last.
    ///
    /// Seen by: three threads, of which two sleep.
    WakesWrong of Mutex, "wakes-wrong": "a queue lock that wakes another than it grants to", Fifo,
    [TryLock, WaiterCount, IsLocked, Observable],
    "the new owner sleeps for ever"
}
impl Steps for WakesWrong {
    fn pass_on<M: Machine>(state: &mut State<M>) -> Option<Arc<Waiter<M>>> {
        let next = state.line.pop_front();
        let next = state.pass_to(next);
        state.line.back().map(Arc::clone).or(next)
    }
}

mutant! {
    /// Counts a failed try as a waiter, for ever.
    ///
    /// Seen by: a look at the count after a try that failed.
    CountsTries of Mutex, "counts-tries": "a queue lock whose count includes those who only tried", Fifo,
    [TryLock, Timeout, WaiterCount, IsLocked, Observable],
    "count tells of waiters that are not there"
}
impl Steps for CountsTries {
    fn try_lock<M: Machine>(state: &mut State<M>) -> bool {
        let taken = state.take();
        state.failed_tries += u32::from(!taken);
        taken
    }
}
