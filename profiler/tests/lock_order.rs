//! Two locks that threads take in both orders are reported, though the threads never meet.

use impls::card::Defaults;
use impls::machine::Machine;
use impls::machine::os::Os;
use impls::mutex::go_2019_fastpath::Go2019Fastpath;
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::Event;
use profiler::lock_order::{Order, lock_order};
use profiler::probe::WatchProbe;
use record::profile::{Inversion, OrderStep};

type M = Os<WatchProbe>;
type Lock = <Go2019Fastpath as MutexImpl>::Lock<M, Defaults>;
type Slot = profiler::probe::watch::Slot;

fn lock() -> Lock {
    Go2019Fastpath::build::<M, Defaults>(Defaults)
}

fn object(lock: &Lock) -> usize {
    std::ptr::from_ref(lock).addr()
}

/// Takes the locks in this order and gives them back, with a driver's reports.
fn take(locks: &[&Lock]) {
    for lock in locks {
        M::event(Event::Request { intended_ns: 0 }, object(lock));
        lock.lock(&mut ());
        M::event(Event::Acquired, object(lock));
    }
    for lock in locks.iter().rev() {
        M::event(Event::Releasing, object(lock));
        lock.unlock(&mut ());
    }
}

/// What threads leave behind that run one after the other, each with its own sequence of orders.
fn observed(threads: &[&[&[&Lock]]]) -> Vec<Inversion> {
    numbered(threads, &[])
}

/// The same, of locks with numbers.
fn numbered(threads: &[&[&[&Lock]]], objects: &[&Lock]) -> Vec<Inversion> {
    let slots: Vec<Slot> = threads.iter().map(|_| Slot::default()).collect();
    for (orders, slot) in threads.iter().zip(&slots) {
        let body = || orders.iter().for_each(|order| take(order));
        // One at a time, so that there is nothing to deadlock.
        M::observed(slot, body);
    }
    let orders: Vec<&Order> = slots.iter().map(Slot::order).collect();
    let objects = objects.iter().map(|lock| object(lock)).collect();
    lock_order(&[orders], &[objects]).map_or_else(Vec::new, |order| order.inversions)
}

#[test]
fn two_locks_in_both_orders_by_two_threads_are_reported_without_a_deadlock() {
    let (a, b) = (lock(), lock());
    let found = observed(&[&[&[&a, &b]], &[&[&b, &a]]]);
    assert_eq!(found.len(), 1, "{found:?}");
    let step = |worker, holds, asks, times| OrderStep { worker, holds, asks, operation: 1, times };
    assert_eq!(found[0].circle, [step(0, 1, 2, 1), step(1, 2, 1, 1)]);
    // With their own numbers, and how often.
    let found = numbered(&[&[&[&a, &b], &[&a, &b]], &[&[&b, &a]]], &[&lock(), &b, &a]);
    assert_eq!(found[0].circle, [step(0, 3, 2, 2), step(1, 2, 3, 1)]);
    assert_eq!(
        found[0].text(),
        "worker 0 takes lock 3 and then lock 2 (operation 1, 2 times), worker 1 takes lock 2 and then lock 3 (operation 1)"
    );
}

#[test]
fn what_cannot_deadlock_is_not_reported() {
    let (a, b, gate) = (lock(), lock(), lock());
    // The same order, and one thread alone in both orders.
    assert_eq!(observed(&[&[&[&a, &b]], &[&[&a, &b]]]), []);
    assert_eq!(observed(&[&[&[&a, &b], &[&b, &a]]]), []);
    // One after the other, never both.
    assert_eq!(observed(&[&[&[&a], &[&b]], &[&[&b], &[&a]]]), []);
    // A third lock around both keeps the threads apart, unless it was forgotten once.
    assert_eq!(observed(&[&[&[&gate, &a, &b]], &[&[&gate, &b, &a]]]), []);
    assert_eq!(observed(&[&[&[&gate, &a, &b], &[&a, &b]], &[&[&gate, &b, &a]]]).len(), 1);
}

#[test]
fn longer_circles_are_found() {
    let (a, b, c) = (lock(), lock(), lock());
    let found = observed(&[&[&[&a, &b]], &[&[&b, &c]], &[&[&c, &a]]]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].circle.len(), 3);
    // Without the third thread it is no circle.
    assert_eq!(observed(&[&[&[&a, &b]], &[&[&b, &c]]]), []);
}

/// All orders of many locks by many threads: circles everywhere, found at once and listed in part.
#[test]
fn many_contradictions_are_found_quickly() {
    const LOCKS: usize = 64;
    const THREADS: usize = 16;
    let orders: Vec<Order> = (0..THREADS).map(|_| Order::default()).collect();
    for order in &orders {
        for held in 0..LOCKS {
            for asked in (0..LOCKS).filter(|&asked| asked != held) {
                order.nested(held + 1, asked + 1);
            }
        }
    }
    let found = lock_order(&[orders.iter().collect()], &[]).expect("pairs");
    assert_eq!(found.pairs, (LOCKS * (LOCKS - 1)) as u64);
    assert_eq!(found.inversions.len() as u64 + found.omitted, (LOCKS * (LOCKS - 1) / 2) as u64);
    assert!(found.inversions.iter().all(|inversion| inversion.circle.len() == 2));
    // In ascending order there is none, in however many steps one may go up.
    let orders: Vec<Order> = (0..THREADS).map(|_| Order::default()).collect();
    for order in &orders {
        for held in 0..LOCKS {
            (held + 1..LOCKS).for_each(|asked| order.nested(held + 1, asked + 1));
        }
    }
    let found = lock_order(&[orders.iter().collect()], &[]).expect("pairs");
    assert_eq!((found.inversions.len(), found.omitted), (0, 0));
}
