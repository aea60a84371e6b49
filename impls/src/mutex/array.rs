//! The array lock: draw a number, and poll the slot of that number.
//!
//! - **Source**: T. E. Anderson, "The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors", IEEE
//!   TPDS 1(1), 1990.
//! - **Delta**: against `ticket`: unlock writes a line that one waiter reads, not all. Against `mcs`: the lines lie in the
//!   lock, so a thread brings nothing but its number.
//! - **Idea**: a fetch-and-add gives every thread a number, and the number a slot on a line of its own, where the thread
//!   that unlocks before it leaves word.
//! - **Differs from upstream**: a slot holds the number that was called and not a flag. So more threads than slots share
//!   lines instead of breaking the lock, and nothing must be reset. `try_lock` and `is_locked` are ours, as is the choice
//!   where unlock gets the number of slots from.
//! - **Fairness**: FIFO, from the moment of the fetch-and-add.
//! - **Cost**: an add and a store uncontended, and a line that another core had each time the slots come round.
//! - **Pathology**: with more threads than cores the next in turn is often not running, and nobody else may go. Each lock
//!   takes 8 KiB.
//!
//! ## State
//!
//! | word | meaning |
//! |---|---|
//! | `next` | the number that the next thread draws |
//! | `slots` | the number of slots, beside `next`; read if a parameter says so |
//! | `called[k]` | the highest number that was called of those with slot k; number 0 is called from the start |
//!
//! ## Invariants
//! 1. Numbers are called in order, each by the holder of the one before: a slot is written by the holder alone.
//! 2. Numbers wrap; a slot is unambiguous while fewer than 2^32 threads wait.
//!
//! ## Orderings
//! The load that finds its own number is Acquire and pairs with the Release store of `unlock`. Drawing is Relaxed: a
//! number protects nothing. A try draws only a number that has been called, which it knows from an Acquire load.

use crate::card::{Capability, Card, Defaults, Fairness, Param, ParamSource, Role, Runs};
use crate::machine::{Atomic, AtomicInt, Line, Machine, Ordering};
use crate::mutex::{Held, MutexImpl, RawMutex};
use crate::wait::spin;

/// Slots. More than the threads of most machines; a power of two, so that numbers wrap without a seam.
const SLOTS: usize = 128;

/// Whether unlock reads the number of slots from the line of `next`, as locks do whose size is chosen when they are made.
pub static SIZE_BESIDE_NEXT: Param = Param {
    name: "size_beside_next",
    default: 0,
    min: 0,
    max: 1,
    origin: "the number of slots is a constant; 1 is the layout of the library of David, Guerraoui, Trigonakis, SOSP 2013",
};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine, S: ParamSource = Defaults> {
    head: Line<Head<M>>,
    called: Box<[Line<M::AtomicU32>]>,
    params: S,
}

/// What every thread that comes writes to, on a line of its own.
#[repr(C)]
struct Head<M: Machine> {
    next: M::AtomicU32,
    /// Never written after the lock was made. Read if [`SIZE_BESIDE_NEXT`] says so.
    slots: M::AtomicU32,
}

/// What a thread that holds remembers.
#[derive(Debug, Default)]
pub struct Context {
    number: u32,
    held: Held,
}

/// The registration.
pub struct Array;

impl MutexImpl for Array {
    const CARD: Card = Card {
        id: "mutex/array",
        summary: "draw a number and poll the slot of that number",
        year: 1990,
        source: "T. E. Anderson, IEEE TPDS 1(1), 1990",
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
        params: &[SIZE_BESIDE_NEXT],
        follows: None,
        pathologies: &["with more threads than cores every hand-over waits for the scheduler"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        // A slot begins with a number of its own that was called long ago: the one before its first.
        let before = |slot: usize| (slot as u32).wrapping_sub(SLOTS as u32);
        let first = |slot: usize| if slot == 0 { 0 } else { before(slot) };
        Mutex {
            head: Line(Head { next: M::AtomicU32::new(0), slots: M::AtomicU32::new(SLOTS as u32) }),
            called: (0..SLOTS).map(|slot| Line(M::AtomicU32::new(first(slot)))).collect(),
            params,
        }
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = Context;
    fn context(&self) -> Context {
        Context::default()
    }

    #[inline]
    fn lock(&self, context: &mut Context) {
        context.held.check_free(Array::CARD.id);
        let mine = self.head.next.fetch_add(1, Ordering::Relaxed);
        if self.slot(mine).load(Ordering::Acquire) != mine {
            self.wait_for(mine);
        }
        context.number = mine;
        context.held.taken(self);
    }

    #[inline]
    fn try_lock(&self, context: &mut Context) -> bool {
        context.held.check_free(Array::CARD.id);
        let mine = self.head.next.load(Ordering::Relaxed);
        if self.slot(mine).load(Ordering::Acquire) != mine {
            return false;
        }
        let drawn = mine.wrapping_add(1);
        let taken =
            self.head.next.compare_exchange(mine, drawn, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if taken {
            context.number = mine;
            context.held.taken(self);
        }
        taken
    }

    #[inline]
    fn unlock(&self, context: &mut Context) {
        context.held.give_back(self, Array::CARD.id);
        let next = context.number.wrapping_add(1);
        if self.params.get(&SIZE_BESIDE_NEXT) == 1 {
            // Relaxed: it never changes, and the value is known. What counts is the line, which who comes takes away.
            let _ = self.head.slots.load(Ordering::Relaxed);
        }
        self.slot(next).store(next, Ordering::Release);
    }

    fn is_locked(&self) -> bool {
        let next = self.head.next.load(Ordering::Relaxed);
        self.slot(next).load(Ordering::Relaxed) != next
    }
}

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    #[inline(always)]
    fn slot(&self, number: u32) -> &M::AtomicU32 {
        &self.called[number as usize % SLOTS]
    }

    #[cold]
    fn wait_for(&self, mine: u32) {
        let (called, object) = (self.slot(mine), core::ptr::from_ref(self).addr());
        spin::spin_while::<M, _>(called, Ordering::Acquire, object, |called| called != mine);
    }
}
