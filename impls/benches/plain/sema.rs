//! Go's semaphore, plainly: tokens, a queue of parked threads, and a hand-off.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;

/// A counting semaphore whose waiters sleep in order.
pub(super) struct Sema(Mutex<State>);

struct State {
    tokens: u32,
    queue: VecDeque<Waiter>,
}

struct Waiter {
    thread: Thread,
    woken: Arc<AtomicBool>,
    /// Set with `woken`: whether the releaser took the token in the waiter's name.
    granted: Arc<AtomicBool>,
}

impl Sema {
    pub(super) fn new() -> Self {
        Sema(Mutex::new(State { tokens: 0, queue: VecDeque::new() }))
    }

    /// Takes a token, asleep until there is one; queues at the front if `front`.
    #[cold]
    #[inline(never)]
    pub(super) fn acquire(&self, front: bool) {
        loop {
            let (woken, granted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
            {
                let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if state.tokens > 0 {
                    state.tokens -= 1;
                    return;
                }
                let thread = std::thread::current();
                let waiter = Waiter { thread, woken: Arc::clone(&woken), granted: Arc::clone(&granted) };
                if front {
                    state.queue.push_front(waiter);
                } else {
                    state.queue.push_back(waiter);
                }
            }
            while !woken.load(Ordering::Acquire) {
                std::thread::park();
            }
            if granted.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Adds a token and wakes the head of the queue; with `hand_off` the token is the head's.
    #[cold]
    #[inline(never)]
    pub(super) fn release(&self, hand_off: bool) {
        let waiter = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.tokens += 1;
            let waiter = state.queue.pop_front();
            if hand_off && waiter.is_some() {
                state.tokens -= 1;
            }
            waiter
        };
        if let Some(waiter) = waiter {
            waiter.granted.store(hand_off, Ordering::Relaxed);
            waiter.woken.store(true, Ordering::Release);
            waiter.thread.unpark();
        }
    }
}
