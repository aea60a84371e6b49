//! Polling, with its report to the probe.

use crate::machine::{Atomic, Machine, Ordering};
use crate::probe::Event;

/// Awaits a change of `word`: [`Atomic::spin_while`], reported as one spin of the primitive at `object`.
#[inline]
#[track_caller]
pub fn spin_while<M: Machine, T: Copy>(
    word: &impl Atomic<T>,
    order: Ordering,
    object: usize,
    mut busy: impl FnMut(T) -> bool,
) -> T {
    // No closure around the await: the ordering is named by our caller, which only a direct call tells a checker.
    M::event(Event::SpinBegin, object);
    let mut rounds = 0;
    let value = word.spin_while(order, |value| count_if(busy(value), &mut rounds));
    M::event(Event::SpinEnd { rounds }, object);
    value
}

/// Awaits by writing: [`Atomic::swap_while`], reported as one spin of the primitive at `object`.
#[inline]
#[track_caller]
pub fn swap_while<M: Machine, T: Copy>(
    word: &impl Atomic<T>,
    value: T,
    order: Ordering,
    object: usize,
    mut busy: impl FnMut(T) -> bool,
) -> T {
    M::event(Event::SpinBegin, object);
    let mut rounds = 0;
    let previous = word.swap_while(value, order, |was| count_if(busy(was), &mut rounds));
    M::event(Event::SpinEnd { rounds }, object);
    previous
}

/// Runs `wait` as one spin of the primitive at `object`; `wait` counts its rounds.
#[inline]
pub fn reported<M: Machine, R>(object: usize, wait: impl FnOnce(&mut u32) -> R) -> R {
    M::event(Event::SpinBegin, object);
    let mut rounds = 0;
    let result = wait(&mut rounds);
    M::event(Event::SpinEnd { rounds }, object);
    result
}

#[inline(always)]
fn count_if(busy: bool, rounds: &mut u32) -> bool {
    *rounds = rounds.wrapping_add(u32::from(busy));
    busy
}
