//! Stacks of simulated threads: one mapping each, a guard page below, and tops that do not share cache sets.
//!
//! Stacks of one size at equal offsets would put the hot top of each into the same few sets of the first two caches: a
//! simulation of a hundred threads would run from the third. So tops are shifted by a few lines each, within the page
//! that is touched anyway.
//!
//! Mapping a stack costs more than a short simulation spends on it, and host threads that map at a time wait for each other.
//! So each host thread keeps some for its next simulation.

use std::cell::RefCell;
use std::num::NonZeroUsize;

use corosensei::stack::{DefaultStack, Stack, StackPointer};

/// Usable bytes; pages that are not touched cost nothing. Panics with a backtrace need more than 16 KiB, and code that is
/// not optimised needs more of everything.
const SIZE: usize = if cfg!(debug_assertions) { 256 << 10 } else { 64 << 10 };
/// Tops differ by so many bytes, in so many steps: together less than a page, of which the rest must do for most threads.
const SHIFT: usize = 192;
const SHIFTS: usize = 11;

/// So many stacks a host thread keeps: enough for most machines, and few of the mappings that a process may have.
const SPARES: usize = 128;

thread_local!(static SPARE: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) });

/// A stack.
pub(super) struct ThreadStack {
    /// Always there, but when it has been given back.
    stack: Option<DefaultStack>,
    shift: usize,
}

impl ThreadStack {
    /// The stack of the simulated thread `index`.
    ///
    /// # Panics
    /// If the system grants no more mappings.
    pub(super) fn new(index: usize) -> Self {
        let stack = SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| {
            DefaultStack::new(SIZE).unwrap_or_else(|error| {
                panic!("cannot map a stack for simulated thread {index}: {error} (vm.max_map_count limits their number)")
            })
        });
        ThreadStack { stack: Some(stack), shift: index % SHIFTS * SHIFT }
    }

    fn mapped(&self) -> &DefaultStack {
        self.stack.as_ref().unwrap_or_else(|| unreachable!("it is given back in `drop` alone"))
    }
}

impl Drop for ThreadStack {
    fn drop(&mut self) {
        // Where the host thread itself ends, there may be nobody to keep it: then it is unmapped here.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARES {
                spare.extend(self.stack.take());
            }
        });
    }
}

// SAFETY: base and limit are those of a stack that meets the contract; the base is lowered by less than the size, and
// SHIFT is a multiple of the alignment that every platform asks of it.
unsafe impl Stack for ThreadStack {
    fn base(&self) -> StackPointer {
        let base = self.mapped().base().get() - self.shift;
        NonZeroUsize::new(base).unwrap_or_else(|| unreachable!("a stack does not end at address 0"))
    }
    fn limit(&self) -> StackPointer {
        self.mapped().limit()
    }
    #[cfg(windows)]
    fn teb_fields(&self) -> corosensei::stack::StackTebFields {
        self.mapped().teb_fields()
    }
    #[cfg(windows)]
    fn update_teb_fields(&mut self, limit: usize, bytes: usize) {
        if let Some(stack) = &mut self.stack {
            stack.update_teb_fields(limit, bytes);
        }
    }
}
