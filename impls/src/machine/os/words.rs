//! `std` atomics as machine atomics: each operation is the one of the same name.

use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::machine::{Atomic, AtomicInt, DataCell};

macro_rules! word {
    ($atomic:ty, $value:ty $(, $generic:ident)?) => {
        impl$(<$generic: 'static>)? Atomic<$value> for $atomic {
            #[inline(always)]
            fn new(value: $value) -> Self {
                <$atomic>::new(value)
            }
            #[inline(always)]
            fn load(&self, order: Ordering) -> $value {
                <$atomic>::load(self, order)
            }
            #[inline(always)]
            fn store(&self, value: $value, order: Ordering) {
                <$atomic>::store(self, value, order);
            }
            #[inline(always)]
            fn swap(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::swap(self, value, order)
            }
            #[inline(always)]
            fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                <$atomic>::compare_exchange(self, current, new, success, failure)
            }
            #[inline(always)]
            fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                <$atomic>::compare_exchange_weak(self, current, new, success, failure)
            }
            #[inline(always)]
            fn spin_while(&self, order: Ordering, mut busy: impl FnMut($value) -> bool) -> $value {
                loop {
                    let value = <$atomic>::load(self, order);
                    if !busy(value) {
                        return value;
                    }
                    spin_loop();
                }
            }
            #[inline(always)]
            fn swap_while(
                &self,
                value: $value,
                order: Ordering,
                mut busy: impl FnMut($value) -> bool,
            ) -> $value {
                loop {
                    let previous = <$atomic>::swap(self, value, order);
                    if !busy(previous) {
                        return previous;
                    }
                    spin_loop();
                }
            }
        }
    };
}

macro_rules! integer {
    ($($atomic:ty, $value:ty;)*) => {$(
        word!($atomic, $value);
        impl AtomicInt<$value> for $atomic {
            #[inline(always)]
            fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_add(self, value, order)
            }
            #[inline(always)]
            fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_sub(self, value, order)
            }
            #[inline(always)]
            fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_or(self, value, order)
            }
            #[inline(always)]
            fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                <$atomic>::fetch_and(self, value, order)
            }
        }
    )*};
}

integer! {
    AtomicU32, u32;
    AtomicI32, i32;
    AtomicU64, u64;
    AtomicUsize, usize;
}
word!(AtomicPtr<T>, *mut T, T);

/// Plain data; the primitive's protocol orders the accesses.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct OsCell<T>(UnsafeCell<T>);

impl<T: 'static> DataCell<T> for OsCell<T> {
    #[inline(always)]
    fn new(value: T) -> Self {
        OsCell(UnsafeCell::new(value))
    }
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }
    #[inline(always)]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}
