//! Who waits for whom, in words: from notes of what each thread does to a picture for a person, with its cycles named.

use std::fmt::Write as _;

/// What one thread does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// What a person calls it.
    pub name: String,
    /// Operations that it has begun.
    pub operations: u64,
    /// The lock that it waits for.
    pub awaits: Option<Awaited>,
    /// Locks that it holds, by address, and for how long, ns; the one that it is giving back included.
    pub holds: Vec<(usize, u64)>,
    /// Whether it is giving back the last of them.
    pub releases: bool,
}

/// A wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The lock, by address.
    pub object: usize,
    /// In which way, such as `asleep`.
    pub how: &'static str,
    /// For how long, ns.
    pub for_ns: u64,
}

/// One line: each lock with its holder and its waiters, then each cycle.
pub fn picture(threads: &[Thread]) -> String {
    let objects = objects(threads);
    let mut clauses: Vec<String> =
        objects.iter().enumerate().map(|(number, &object)| lock(threads, number, object)).collect();
    for cycle in cycles(threads) {
        let mut clause = "deadlock: ".to_owned();
        for (place, &index) in cycle.iter().enumerate() {
            let next = cycle[(place + 1) % cycle.len()];
            let awaited = threads[index].awaits.as_ref().map_or(0, |awaited| awaited.object);
            let number = objects.iter().position(|&object| object == awaited).unwrap_or(0) + 1;
            let link = if place == 0 { "" } else { ", " };
            let (name, holder) = (&threads[index].name, &threads[next].name);
            let _ = write!(clause, "{link}{name} waits for lock {number} of {holder}");
        }
        clauses.push(clause);
    }
    if clauses.is_empty() { "no thread holds or awaits a lock".to_owned() } else { clauses.join("; ") }
}

/// Addresses differ from run to run: locks are numbered in the order in which they are met.
fn objects(threads: &[Thread]) -> Vec<usize> {
    let mut objects = Vec::new();
    for thread in threads {
        let held = thread.holds.iter().map(|&(object, _)| object);
        for object in held.chain(thread.awaits.iter().map(|awaited| awaited.object)) {
            if !objects.contains(&object) {
                objects.push(object);
            }
        }
    }
    objects
}

fn lock(threads: &[Thread], number: usize, object: usize) -> String {
    let holders = threads.iter().filter_map(|thread| {
        let &(_, for_ns) = thread.holds.iter().find(|(held, _)| *held == object)?;
        let releases = thread.releases && thread.holds.last().is_some_and(|(last, _)| *last == object);
        let doing = if releases { "being released" } else { "held" };
        Some(format!("{doing} by {} for {}", thread.name, seconds(for_ns)))
    });
    let waiters = threads.iter().filter_map(|thread| {
        let awaited = thread.awaits.as_ref().filter(|awaited| awaited.object == object)?;
        let (how, time) = (awaited.how, seconds(awaited.for_ns));
        Some(format!("{} ({how}, {time}, in its operation {})", thread.name, thread.operations))
    });
    let list = |words: Vec<String>, by: &str, none: &str| {
        if words.is_empty() { none.to_owned() } else { words.join(by) }
    };
    let holders = list(holders.collect(), " and ", "held by nobody");
    let waiters = list(waiters.collect(), ", ", "nobody");
    format!("lock {} is {holders}, awaited by {waiters}", number + 1)
}

/// Circles of threads, each of which waits for a lock that the next one holds. A thread waits for one lock at a time, so
/// that it is in one circle at most; where two hold what one awaits, the first counts.
pub fn cycles(threads: &[Thread]) -> Vec<Vec<usize>> {
    let holder = |object: usize| {
        threads.iter().position(|thread| thread.holds.iter().any(|&(held, _)| held == object))
    };
    let next: Vec<Option<usize>> =
        threads.iter().map(|thread| holder(thread.awaits.as_ref()?.object)).collect();
    let mut cycles = Vec::new();
    for start in 0..threads.len() {
        let mut cycle = vec![start];
        let mut at = start;
        while let Some(then) = next[at] {
            if then == start {
                cycles.push(cycle);
                break;
            }
            // Told from its least member; and a walk that runs into another circle has no end of its own.
            if then < start || cycle.contains(&then) {
                break;
            }
            cycle.push(then);
            at = then;
        }
    }
    cycles
}

fn seconds(ns: u64) -> String {
    format!("{:.1} s", ns as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn thread(number: usize, holds: &[(usize, u64)], awaits: Option<usize>) -> Thread {
        Thread {
            name: format!("worker {number}"),
            operations: 7,
            awaits: awaits.map(|object| Awaited { object, how: "asleep", for_ns: 2 * S }),
            holds: holds.to_vec(),
            releases: false,
        }
    }

    #[test]
    fn names_holder_and_waiters() {
        assert_eq!(
            picture(&[thread(0, &[(64, 3 * S)], None), thread(1, &[], Some(64))]),
            "lock 1 is held by worker 0 for 3.0 s, awaited by worker 1 (asleep, 2.0 s, in its operation 7)"
        );
    }

    #[test]
    fn a_lost_wake_up_has_no_holder() {
        let text = picture(&[thread(0, &[], Some(64))]);
        assert!(text.starts_with("lock 1 is held by nobody, awaited by worker 0 (asleep, 2.0 s"), "{text}");
        assert!(!text.contains("deadlock"), "{text}");
    }

    #[test]
    fn a_circle_is_named_once() {
        let threads = [
            thread(0, &[], Some(64)),
            thread(1, &[(64, S)], Some(128)),
            thread(2, &[(128, S)], Some(64)),
            thread(3, &[(192, S)], Some(192)),
        ];
        assert_eq!(cycles(&threads), [vec![1, 2], vec![3]]);
        let text = picture(&threads);
        assert!(
            text.contains(
                "deadlock: worker 1 waits for lock 2 of worker 2, worker 2 waits for lock 1 of worker 1"
            ),
            "{text}"
        );
        assert!(text.contains("deadlock: worker 3 waits for lock 3 of worker 3"), "{text}");
        assert_eq!(text.matches("deadlock").count(), 2, "{text}");
    }

    #[test]
    fn a_release_that_hangs_is_told() {
        let mut threads = [thread(0, &[(64, S)], None)];
        threads[0].releases = true;
        assert!(picture(&threads).contains("being released by worker 0"));
        assert_eq!(picture(&[]), "no thread holds or awaits a lock");
    }
}
