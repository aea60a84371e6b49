//! A fresh place for each object under test.
//!
//! Where a lock lies relative to cache lines and pages changes its speed by more than most designs differ, and the
//! allocator would choose the same place in every slice. So each object gets an offset of its own, drawn at random: what
//! would be a bias between launches becomes noise within each.

use core::ops::Deref;
use core::ptr::NonNull;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

use super::draw::Draw;

/// Offsets vary within so many bytes.
const SPREAD: usize = 4096;

/// An object at a random, properly aligned offset in memory of its own.
pub struct Placed<T> {
    value: NonNull<T>,
    base: NonNull<u8>,
    layout: Layout,
}

// SAFETY: `Placed` owns its value as a `Box` does.
unsafe impl<T: Send> Send for Placed<T> {}
// SAFETY: as above; it gives out shared references only.
unsafe impl<T: Sync> Sync for Placed<T> {}

impl<T> Placed<T> {
    /// Places `value` at an offset drawn from `draw`.
    pub fn new(value: T, draw: &mut Draw) -> Self {
        let align = align_of::<T>();
        let offset = draw.below(SPREAD / align) * align;
        let layout = Layout::from_size_align(offset + size_of::<T>().max(1), align.max(64))
            .unwrap_or_else(|e| unreachable!("a small layout: {e}"));
        // SAFETY: the layout's size is not zero.
        let Some(base) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: offset + size of T lies within the allocation; offset is a multiple of T's alignment and the base is
        // aligned to at least as much; nobody else knows the memory yet.
        let value = unsafe {
            let place = base.add(offset).cast::<T>();
            place.write(value);
            place
        };
        Placed { value, base, layout }
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the value was written in `new` and lives until `drop`.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Drop for Placed<T> {
    fn drop(&mut self) {
        // SAFETY: the value is dropped once, here; the memory came from `alloc` with this layout.
        unsafe {
            self.value.drop_in_place();
            dealloc(self.base.as_ptr(), self.layout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn offsets_differ_and_alignment_holds() {
        let mut draw = Draw::new(1, 0);
        let offset = |placed: &Placed<u32>| placed.value.as_ptr().addr() - placed.base.as_ptr().addr();
        let offsets: HashSet<usize> = (0..50)
            .map(|i| {
                let placed = Placed::new(i, &mut draw);
                assert_eq!((*placed, placed.value.as_ptr().addr() % align_of::<u32>()), (i, 0));
                offset(&placed)
            })
            .collect();
        assert!(offsets.len() > 25);
    }
}
