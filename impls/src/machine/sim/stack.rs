//! Stacks of simulated threads: one mapping each, a guard page below, and tops that do not share cache sets.
//!
//! Stacks of one size at equal offsets would put the hot top of each into the same few sets of the first two caches: a
//! simulation of a hundred threads would run from the third. So tops are shifted by a few lines each, within the page
//! that is touched anyway.

use std::num::NonZeroUsize;

use corosensei::stack::{DefaultStack, Stack, StackPointer};

/// Usable bytes; pages that are not touched cost nothing. Panics with a backtrace need more than 16 KiB, and code that is
/// not optimised needs more of everything.
const SIZE: usize = if cfg!(debug_assertions) { 256 << 10 } else { 64 << 10 };
/// Tops differ by so many bytes, in so many steps: together less than a page, of which the rest must do for most threads.
const SHIFT: usize = 192;
const SHIFTS: usize = 11;

/// A stack.
pub(super) struct ThreadStack {
    stack: DefaultStack,
    shift: usize,
}

impl ThreadStack {
    /// The stack of the simulated thread `index`.
    ///
    /// # Panics
    /// If the system grants no more mappings.
    pub(super) fn new(index: usize) -> Self {
        let stack = DefaultStack::new(SIZE).unwrap_or_else(|error| {
            panic!("cannot map a stack for simulated thread {index}: {error} (vm.max_map_count limits their number)")
        });
        ThreadStack { stack, shift: index % SHIFTS * SHIFT }
    }
}

// SAFETY: base and limit are those of a stack that meets the contract; the base is lowered by less than the size, and
// SHIFT is a multiple of the alignment that every platform asks of it.
unsafe impl Stack for ThreadStack {
    fn base(&self) -> StackPointer {
        let base = self.stack.base().get() - self.shift;
        NonZeroUsize::new(base).unwrap_or_else(|| unreachable!("a stack does not end at address 0"))
    }
    fn limit(&self) -> StackPointer {
        self.stack.limit()
    }
    #[cfg(windows)]
    fn teb_fields(&self) -> corosensei::stack::StackTebFields {
        self.stack.teb_fields()
    }
    #[cfg(windows)]
    fn update_teb_fields(&mut self, limit: usize, bytes: usize) {
        self.stack.update_teb_fields(limit, bytes);
    }
}
