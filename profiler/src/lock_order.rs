//! Lock-order inversions: two threads that take the same locks in orders that contradict each other will wait for each
//! other one day. The orders show it on any day.
//!
//! Each thread notes which lock it asked for while it held which: an edge. A circle of edges by different threads is an
//! inversion, unless a further lock was always held around all of them: that one keeps the threads apart.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use record::profile::{Inversion, LockOrder, OrderStep};

/// The longest circle that is looked for.
const CIRCLE_MAX: usize = 4;
/// The search ends after so many steps. Circles of two are found by then in anything that a slice can hold.
const VISITS_MAX: u32 = 4_000_000;
/// Circles that a record lists.
const LISTED_MAX: usize = 16;

/// What one thread has asked for, in which order.
#[derive(Debug, Default)]
pub struct Order {
    held: RefCell<Vec<usize>>,
    operation: Cell<u64>,
    /// By the lock held and the lock asked for.
    edges: RefCell<BTreeMap<(usize, usize), Edge>>,
}

/// One lock held, and another one asked for.
#[derive(Debug, Clone)]
struct Edge {
    /// The other locks that were held every time.
    around: BTreeSet<usize>,
    /// The operation that did so first.
    operation: u64,
    times: u64,
}

impl Order {
    /// The thread asks for `object`.
    pub fn request(&self, object: usize) {
        let held = self.held.borrow();
        if held.is_empty() {
            self.operation.set(self.operation.get() + 1);
            return;
        }
        if held.contains(&object) {
            return; // One more level of what it has.
        }
        for &holds in held.iter() {
            let around: BTreeSet<usize> = held.iter().copied().filter(|&other| other != holds).collect();
            self.edge(holds, object, &around);
        }
    }

    /// The thread has `object`.
    pub fn acquired(&self, object: usize) {
        self.held.borrow_mut().push(object);
    }

    /// The thread gives `object` back.
    pub fn releasing(&self, object: usize) {
        let mut held = self.held.borrow_mut();
        if let Some(place) = held.iter().rposition(|&holds| holds == object) {
            held.remove(place);
        }
    }

    /// All that an operation reports to a probe which does not follow every lock: holding `held` and nothing else, the
    /// thread asks for `object`.
    pub fn nested(&self, held: usize, object: usize) {
        self.operation.set(self.operation.get() + 1);
        self.edge(held, object, &BTreeSet::new());
    }

    fn edge(&self, holds: usize, object: usize, around: &BTreeSet<usize>) {
        let mut edges = self.edges.borrow_mut();
        let edge = edges.entry((holds, object)).or_insert_with(|| Edge {
            around: around.clone(),
            operation: self.operation.get(),
            times: 0,
        });
        edge.times += 1;
        edge.around.retain(|lock| around.contains(lock));
    }
}

/// The orders of all threads, slice by slice, in the terms of a record; `None` if nobody held two locks at once.
///
/// `objects` are the addresses of the locks in each slice, by number: in every slice they lie elsewhere.
pub fn lock_order(slices: &[Vec<&Order>], objects: &[Vec<usize>]) -> Option<LockOrder> {
    let mut pairs: BTreeSet<(u64, u64)> = BTreeSet::new();
    let mut known: BTreeSet<BTreeSet<u64>> = BTreeSet::new();
    let mut found: Vec<Inversion> = Vec::new();
    for (slice, threads) in slices.iter().enumerate() {
        let names = Names::new(objects.get(slice).map_or(&[], Vec::as_slice));
        for order in threads {
            pairs.extend(order.edges.borrow().keys().map(|&(held, asked)| (names.of(held), names.of(asked))));
        }
        for circle in circles(threads) {
            let circle: Vec<OrderStep> = circle.iter().map(|step| step.told(&names)).collect();
            if known.insert(circle.iter().map(|step| step.holds).collect()) {
                found.push(Inversion { slice: slice as u32, circle });
            }
        }
    }
    found.sort_by_key(|inversion| inversion.circle.len());
    let omitted = found.len().saturating_sub(LISTED_MAX) as u64;
    found.truncate(LISTED_MAX);
    let pairs = pairs.len() as u64;
    (pairs > 0).then_some(LockOrder { pairs, inversions: found, omitted })
}

/// Numbers of locks, from 1; those that nobody has numbered get theirs as they come.
struct Names(RefCell<BTreeMap<usize, u64>>);

impl Names {
    fn new(objects: &[usize]) -> Self {
        Names(RefCell::new(objects.iter().copied().zip(1..).collect()))
    }
    fn of(&self, object: usize) -> u64 {
        let mut names = self.0.borrow_mut();
        let next = names.len() as u64 + 1;
        *names.entry(object).or_insert(next)
    }
}

/// One edge of one thread.
#[derive(Clone)]
struct Step {
    thread: usize,
    first: usize,
    second: usize,
    edge: Edge,
}

impl Step {
    fn told(&self, names: &Names) -> OrderStep {
        OrderStep {
            worker: self.thread as u32,
            holds: names.of(self.first),
            asks: names.of(self.second),
            operation: self.edge.operation,
            times: self.edge.times,
        }
    }
}

/// The circles among the edges of `threads`, the shortest first, each set of locks once. Of an edge that lies on a circle
/// no longer one is looked for: who mends the first mends the others with it.
fn circles(threads: &[&Order]) -> Vec<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for (thread, order) in threads.iter().enumerate() {
        let edges = order.edges.borrow();
        steps.extend(edges.iter().map(|(&(first, second), edge)| {
            let edge = edge.clone();
            Step { thread, first, second, edge }
        }));
    }
    let mut found: Vec<Vec<Step>> = Vec::new();
    let mut known: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut visits = VISITS_MAX;
    for length in 2..=CIRCLE_MAX {
        keep_what_may_close(&mut steps);
        let mut after: BTreeMap<usize, Vec<&Step>> = BTreeMap::new();
        for step in &steps {
            after.entry(step.first).or_default().push(step);
        }
        let mut on_circles: BTreeSet<(usize, usize)> = BTreeSet::new();
        for start in &steps {
            close(&after, &mut vec![start], length, &mut visits, &mut |circle| {
                on_circles.extend(circle.iter().map(|step| (step.first, step.second)));
                if known.insert(circle.iter().map(|step| step.first).collect()) {
                    found.push(circle.iter().map(|&step| step.clone()).collect());
                }
            });
        }
        steps.retain(|step| !on_circles.contains(&(step.first, step.second)));
    }
    found
}

/// Leaves out, again and again, edges that lead from nowhere or to nowhere: none of them lies on a circle.
fn keep_what_may_close(steps: &mut Vec<Step>) {
    loop {
        let left: BTreeSet<usize> = steps.iter().map(|step| step.first).collect();
        let reached: BTreeSet<usize> = steps.iter().map(|step| step.second).collect();
        let before = steps.len();
        steps.retain(|step| reached.contains(&step.first) && left.contains(&step.second));
        if steps.len() == before {
            return;
        }
    }
}

/// Extends `path` to circles of `length` steps, each by another thread and without a lock around all of them.
fn close<'s>(
    after: &BTreeMap<usize, Vec<&'s Step>>,
    path: &mut Vec<&'s Step>,
    length: usize,
    visits: &mut u32,
    found: &mut impl FnMut(&[&Step]),
) {
    if *visits == 0 {
        return;
    }
    *visits -= 1;
    let last = path[path.len() - 1];
    if path.len() == length {
        let around = |lock: &usize| path.iter().all(|step| step.edge.around.contains(lock));
        if last.second == path[0].first && !path[0].edge.around.iter().any(around) {
            found(path);
        }
        return;
    }
    for step in after.get(&last.second).into_iter().flatten() {
        let fresh = path.iter().all(|other| other.thread != step.thread && other.first != step.first);
        if fresh {
            path.push(step);
            close(after, path, length, visits, found);
            path.pop();
        }
    }
}
