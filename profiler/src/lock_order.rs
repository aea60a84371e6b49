//! Lock-order inversions: two threads that take the same locks in orders that contradict each other will wait for each
//! other one day. The orders show it on any day.
//!
//! Each thread notes which lock it asked for while it held which: an edge. A circle of edges by different threads is an
//! inversion, unless a further lock was always held around all of them: that one keeps the threads apart.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The longest circle that is looked for.
const CIRCLE_MAX: usize = 4;

/// What one thread has asked for, in which order.
#[derive(Debug, Default)]
pub struct Order {
    held: RefCell<Vec<usize>>,
    /// From the lock held to the lock asked for: the other locks that were held every time.
    edges: RefCell<BTreeMap<(usize, usize), BTreeSet<usize>>>,
}

impl Order {
    /// The thread asks for `object`.
    pub fn request(&self, object: usize) {
        let held = self.held.borrow();
        if held.is_empty() || held.contains(&object) {
            return; // Alone, or one more level of what it has.
        }
        let mut edges = self.edges.borrow_mut();
        for &holds in held.iter() {
            let around: BTreeSet<usize> = held.iter().copied().filter(|&other| other != holds).collect();
            edges
                .entry((holds, object))
                .and_modify(|always| always.retain(|o| around.contains(o)))
                .or_insert(around);
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
}

/// Threads that may come to wait for each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inversion {
    /// Each thread, and the two locks that it takes, the first held while it asks for the second. The second lock is the
    /// first of the next thread.
    pub circle: Vec<(usize, usize, usize)>,
}

impl Inversion {
    /// In words, with `name` for threads and locks numbered as they come.
    pub fn text(&self, name: impl Fn(usize) -> String) -> String {
        let number = |lock: usize| self.circle.iter().position(|step| step.1 == lock).map_or(0, |n| n + 1);
        let steps = self.circle.iter().map(|&(thread, first, second)| {
            format!("{} takes lock {} and then lock {}", name(thread), number(first), number(second))
        });
        steps.collect::<Vec<_>>().join(", ")
    }
}

/// The inversions among `threads`, the shortest first, each set of locks once.
pub fn inversions(threads: &[&Order]) -> Vec<Inversion> {
    let mut steps = Vec::new();
    for (thread, order) in threads.iter().enumerate() {
        for (&(first, second), around) in order.edges.borrow().iter() {
            steps.push(Step { thread, first, second, around: around.clone() });
        }
    }
    let mut found = Vec::new();
    let mut known: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    for length in 2..=CIRCLE_MAX {
        for start in &steps {
            close(&steps, &mut vec![start], length, &mut |circle| {
                let locks: BTreeSet<usize> = circle.iter().map(|step| step.first).collect();
                if known.insert(locks) {
                    let circle = circle.iter().map(|step| (step.thread, step.first, step.second)).collect();
                    found.push(Inversion { circle });
                }
            });
        }
    }
    found
}

/// One edge of one thread.
struct Step {
    thread: usize,
    first: usize,
    second: usize,
    around: BTreeSet<usize>,
}

/// Extends `path` to circles of `length` steps, each by another thread and without a lock around all of them.
fn close<'s>(steps: &'s [Step], path: &mut Vec<&'s Step>, length: usize, found: &mut impl FnMut(&[&Step])) {
    let last = path[path.len() - 1];
    if path.len() == length {
        let guarded = path[0].around.iter().any(|lock| path.iter().all(|step| step.around.contains(lock)));
        if last.second == path[0].first && !guarded {
            found(path);
        }
        return;
    }
    for step in steps.iter().filter(|step| step.first == last.second) {
        let fresh = path.iter().all(|other| other.thread != step.thread && other.first != step.first);
        if fresh {
            path.push(step);
            close(steps, path, length, found);
            path.pop();
        }
    }
}
