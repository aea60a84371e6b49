//! Words of the simulated machine: those of `std` in memory, with the machine told of each access.
//!
//! A simulation runs on one host thread, so a read-modify-write needs no locked instruction: it is a load and a store.
//! Outside of a simulation words are plain memory and cost nothing; only one thread may use them then.

use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::cell::UnsafeCell;

use super::explore::Word;
use super::preset::Op;
use super::world::{WORLD, World};
use crate::machine::{Atomic, AtomicInt, DataCell};

/// Charges an access, and waits for its turn.
#[inline(always)]
fn access(address: usize, op: Op) {
    let world = WORLD.get();
    if !world.is_null() {
        // SAFETY: the pointer is set for the time in which the world's threads run on this host thread, and words hold
        // no reference into it.
        unsafe { World::operate(world, address, op) };
    }
}

/// Waits until a word may have changed from what it was seen to hold.
fn watch<T: Copy>(place: *const (), seen: T) {
    let world = WORLD.get();
    assert!(!world.is_null(), "a word is awaited outside of a simulation: nobody can change it");
    // SAFETY: as in `access`; whoever waits borrows the word, an atomic of this size.
    if unsafe { (*world).guide.is_some() } {
        // SAFETY: as above.
        return unsafe { World::await_change(world, Word::new(place, size_of::<T>(), bits(seen))) };
    }
    // SAFETY: as in `access`.
    unsafe { World::watch(world, place.addr()) };
}

/// The bits of an integer or a pointer.
fn bits<T: Copy>(value: T) -> u64 {
    // SAFETY: words have 4 or 8 bytes, all of which are initialised, and any bits are an integer.
    unsafe {
        match size_of::<T>() {
            4 => u64::from(core::mem::transmute_copy::<T, u32>(&value)),
            _ => core::mem::transmute_copy::<T, u64>(&value),
        }
    }
}

/// Before a round of a loop that swaps `value` in and got `previous`: in a guided run, if that is the same, nothing comes
/// of it until somebody else writes the word.
fn swap_again<T: Copy>(place: *const (), value: T, previous: T) {
    let world = WORLD.get();
    poll();
    // SAFETY: as in `watch`.
    if !world.is_null() && bits(value) == bits(previous) && unsafe { (*world).guide.is_some() } {
        // SAFETY: as in `watch`.
        unsafe { World::await_change(world, Word::new(place, size_of::<T>(), bits(value))) };
    }
}

/// Forgets the line of a word that goes away.
#[inline]
fn forget(address: usize) {
    let world = WORLD.get();
    if !world.is_null() {
        // SAFETY: as in `access`; the reference ends with the call, which does not switch.
        unsafe { (*world).lines.forget(address) };
    }
}

/// One polling hint, by the machine's cost.
fn poll() {
    let world = WORLD.get();
    if !world.is_null() {
        // SAFETY: as in `forget`.
        let w = unsafe { &mut *world };
        let pause = u64::from(w.preset.local.pause);
        w.spend(super::ledger::Part::Spin, pause);
    }
}

macro_rules! word {
    ($name:ident, $atomic:ty, $value:ty, $doc:literal $(, $generic:ident)?) => {
        #[doc = $doc]
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $name$(<$generic>)?($atomic);

        impl$(<$generic>)? $name$(<$generic>)? {
            #[inline(always)]
            fn address(&self) -> usize {
                core::ptr::from_ref(self).addr()
            }
            #[inline(always)]
            fn read(&self) -> $value {
                self.0.load(Ordering::Relaxed)
            }
            #[inline(always)]
            fn write(&self, value: $value) {
                self.0.store(value, Ordering::Relaxed);
            }
        }

        impl$(<$generic>)? Drop for $name$(<$generic>)? {
            #[inline]
            fn drop(&mut self) {
                forget(self.address());
            }
        }

        impl$(<$generic: 'static>)? Atomic<$value> for $name$(<$generic>)? {
            fn new(value: $value) -> Self {
                Self(<$atomic>::new(value))
            }
            #[inline(always)]
            fn load(&self, _: Ordering) -> $value {
                access(self.address(), Op::Load);
                self.read()
            }
            #[inline(always)]
            fn store(&self, value: $value, _: Ordering) {
                access(self.address(), Op::Store);
                self.write(value);
            }
            #[inline(always)]
            fn swap(&self, value: $value, _: Ordering) -> $value {
                access(self.address(), Op::Swap);
                let previous = self.read();
                self.write(value);
                previous
            }
            #[inline(always)]
            fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                _: Ordering,
                _: Ordering,
            ) -> Result<$value, $value> {
                access(self.address(), Op::Cas);
                let found = self.read();
                if found == current {
                    self.write(new);
                    return Ok(found);
                }
                Err(found)
            }
            fn spin_while(&self, _: Ordering, mut busy: impl FnMut($value) -> bool) -> $value {
                let mut value = self.load(Ordering::Relaxed);
                while busy(value) {
                    watch(core::ptr::from_ref(self).cast(), value);
                    value = self.read();
                }
                value
            }
            fn poll_while(
                &self,
                _: Ordering,
                mut busy: impl FnMut($value) -> bool,
                mut between: impl FnMut($value),
            ) -> $value {
                loop {
                    let value = self.load(Ordering::Relaxed);
                    if !busy(value) {
                        return value;
                    }
                    between(value);
                }
            }
            fn swap_while(
                &self,
                value: $value,
                _: Ordering,
                mut busy: impl FnMut($value) -> bool,
            ) -> $value {
                loop {
                    // Test and set: some machines have a cheaper instruction for it than for a swap.
                    access(self.address(), Op::Tas);
                    let previous = self.read();
                    self.write(value);
                    if !busy(previous) {
                        return previous;
                    }
                    swap_again(core::ptr::from_ref(self).cast(), value, previous);
                }
            }
        }
    };
}

macro_rules! integer {
    ($($name:ident, $atomic:ty, $value:ty, $doc:literal;)*) => {$(
        word!($name, $atomic, $value, $doc);
        impl $name {
            #[inline(always)]
            fn modify(&self, change: impl FnOnce($value) -> $value) -> $value {
                access(self.address(), Op::Fai);
                let previous = self.read();
                self.write(change(previous));
                previous
            }
        }
        impl AtomicInt<$value> for $name {
            #[inline(always)]
            fn fetch_add(&self, value: $value, _: Ordering) -> $value {
                self.modify(|v| v.wrapping_add(value))
            }
            #[inline(always)]
            fn fetch_sub(&self, value: $value, _: Ordering) -> $value {
                self.modify(|v| v.wrapping_sub(value))
            }
            #[inline(always)]
            fn fetch_or(&self, value: $value, _: Ordering) -> $value {
                self.modify(|v| v | value)
            }
            #[inline(always)]
            fn fetch_and(&self, value: $value, _: Ordering) -> $value {
                self.modify(|v| v & value)
            }
        }
    )*};
}

integer! {
    SimU32, AtomicU32, u32, "A simulated 32-bit word.";
    SimI32, AtomicI32, i32, "A simulated signed 32-bit word.";
    SimU64, AtomicU64, u64, "A simulated 64-bit word.";
    SimUsize, AtomicUsize, usize, "A simulated word of the size of a pointer.";
}
word!(SimPtr, AtomicPtr<T>, *mut T, "A simulated pointer.", T);

impl SimU32 {
    /// The word as it is, without an access.
    pub(super) fn peek(&self) -> u32 {
        self.read()
    }
    pub(super) fn place(&self) -> usize {
        self.address()
    }
}

/// Simulated plain data: an access costs as one to a word at its beginning.
#[derive(Debug)]
#[repr(transparent)]
pub struct SimCell<T>(UnsafeCell<T>);

impl<T: 'static> DataCell<T> for SimCell<T> {
    fn new(value: T) -> Self {
        SimCell(UnsafeCell::new(value))
    }
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        access(self.0.get().addr(), Op::Load);
        f(self.0.get())
    }
    #[inline(always)]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        access(self.0.get().addr(), Op::Store);
        f(self.0.get())
    }
}

impl<T> Drop for SimCell<T> {
    fn drop(&mut self) {
        forget(self.0.get().addr());
    }
}
