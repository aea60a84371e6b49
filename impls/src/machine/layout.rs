//! Where a primitive's words lie in memory.

use core::ops::Deref;

/// Keeps `T` on cache lines of its own, so that its neighbours neither slow it nor are slowed by it.
///
/// 64 bytes is the line of x86-64 and of most aarch64 cores. The prefetcher of some x86 parts works on pairs of lines;
/// padding to pairs would hide the layouts that this project wants to see, so it is left to the implementations.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct Line<T>(pub T);

impl<T> Deref for Line<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}
