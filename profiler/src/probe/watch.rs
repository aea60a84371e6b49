//! The probe of a launch that hung before: it notes what each worker is doing, and says so when time is up.
//!
//! Notes go to a static board, because whoever reads it is not the thread that wrote it and the writer may never run
//! again. Times come with every event, so this probe is for diagnosis and never for numbers.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::LocalKey;
use std::time::Duration;

use impls::machine::os::clock;
use impls::probe::{Clock, Event, Probe};
use impls::suite::wait_for::{self, Awaited, Thread};
use record::ProbeMode;

use super::{Collect, CollectContext, Collected};
use crate::lock_order::{self, Order};

/// Exit code of a launch that ended itself after it had named who hangs.
pub const HUNG: i32 = 86;

/// Workers that the board has room for; more are not named.
const WORKERS_MAX: usize = 256;

/// Locks that a worker holds at once, as far as the board has room.
const HELD_MAX: usize = 4;

const NOT_SEEN: u64 = 0;
const THINKS: u64 = 1;
const WAITS: u64 = 2;
const SPINS: u64 = 3;
const SLEEPS: u64 = 4;
const HOLDS: u64 = 5;
const RELEASES: u64 = 6;
const ENDED: u64 = 7;

/// A lock and since when; 0 for none.
struct Since {
    object: AtomicUsize,
    ns: AtomicU64,
}

impl Since {
    const fn nothing() -> Self {
        Since { object: AtomicUsize::new(0), ns: AtomicU64::new(0) }
    }
    fn set(&self, object: usize, ns: u64) {
        self.ns.store(ns, Ordering::Relaxed);
        self.object.store(object, Ordering::Relaxed);
    }
    fn is(&self, object: usize) -> bool {
        self.object.load(Ordering::Relaxed) == object
    }
    /// The lock, and how long ago, ns.
    fn get(&self, now_ns: u64) -> Option<(usize, u64)> {
        let object = self.object.load(Ordering::Relaxed);
        (object != 0).then(|| (object, now_ns.saturating_sub(self.ns.load(Ordering::Relaxed))))
    }
}

/// What one worker does. Relaxed all over: the reader wants a picture, and takes it when nothing has moved for seconds.
struct Note {
    state: AtomicU64,
    operations: AtomicU64,
    asked: Since,
    /// The one that it is giving back included, until something else is known of it.
    held: [Since; HELD_MAX],
    releasing: AtomicUsize,
}

impl Note {
    const fn new() -> Self {
        Note {
            state: AtomicU64::new(NOT_SEEN),
            operations: AtomicU64::new(0),
            asked: Since::nothing(),
            held: [const { Since::nothing() }; HELD_MAX],
            releasing: AtomicUsize::new(0),
        }
    }

    fn event(&self, event: Event, object: usize, now_ns: impl FnOnce() -> u64) {
        let was = self.state.load(Ordering::Relaxed);
        let waits = matches!(was, WAITS | SPINS | SLEEPS);
        if was == RELEASES
            && matches!(event, Event::Request { .. } | Event::Acquired | Event::Releasing | Event::End)
        {
            self.forget(self.releasing.load(Ordering::Relaxed));
        }
        let state = match event {
            Event::Begin { .. } => THINKS,
            Event::Request { .. } => {
                self.operations.fetch_add(1, Ordering::Relaxed);
                self.asked.set(object, now_ns());
                WAITS
            }
            // Polls and sleeps of an inner latch are part of what the thread is at.
            Event::SpinBegin if waits => SPINS,
            Event::ParkBegin if waits => SLEEPS,
            Event::ParkEnd { .. } | Event::SpinEnd { .. } if waits => WAITS,
            Event::Acquired => {
                if let Some(place) = self.held.iter().find(|held| held.is(0)) {
                    place.set(object, now_ns());
                }
                HOLDS
            }
            Event::Releasing => {
                self.releasing.store(object, Ordering::Relaxed);
                RELEASES
            }
            Event::End => ENDED,
            _ => return,
        };
        self.state.store(state, Ordering::Relaxed);
    }

    /// The innermost level of `object` is given back.
    fn forget(&self, object: usize) {
        if let Some(place) = self.held.iter().rev().find(|held| held.is(object)) {
            place.set(0, 0);
        }
    }

    /// For a person; `None` if the worker was never seen.
    fn thread(&self, worker: usize, now_ns: u64) -> Option<Thread> {
        let state = self.state.load(Ordering::Relaxed);
        let how = match state {
            SPINS => "polling",
            SLEEPS => "asleep",
            _ => "in the slow path",
        };
        let waits = matches!(state, WAITS | SPINS | SLEEPS);
        let asked = self.asked.get(now_ns).filter(|_| waits);
        let releasing = self.releasing.load(Ordering::Relaxed);
        let mut holds: Vec<(usize, u64)> = self.held.iter().filter_map(|held| held.get(now_ns)).collect();
        if state == RELEASES {
            holds.sort_by_key(|&(object, _)| object == releasing);
        }
        (state != NOT_SEEN).then(|| Thread {
            name: format!("worker {worker}"),
            operations: self.operations.load(Ordering::Relaxed),
            awaits: asked.map(|(object, for_ns)| Awaited { object, how, for_ns }),
            holds,
            releases: state == RELEASES,
        })
    }
}

static BOARD: [Note; WORKERS_MAX] = [const { Note::new() }; WORKERS_MAX];

/// Notes what each worker does.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatchProbe;

/// Where this worker's note is, and the orders in which it takes locks.
#[derive(Debug, Default)]
pub struct Slot {
    worker: Cell<usize>,
    order: Order,
}

impl Slot {
    /// The orders in which the thread took locks.
    pub fn order(&self) -> &Order {
        &self.order
    }
}

impl Probe for WatchProbe {
    const ON: bool = true;
    type Slot = Slot;
    fn os_slot() -> &'static LocalKey<Cell<*const Slot>> {
        thread_local!(static SLOT: Cell<*const Slot> = const { Cell::new(core::ptr::null()) });
        &SLOT
    }
    fn event(slot: &Slot, event: Event, object: usize, clock: &impl Clock) {
        match event {
            Event::Begin { worker, .. } => slot.worker.set(worker as usize),
            Event::Request { .. } => slot.order.request(object),
            Event::Acquired => slot.order.acquired(object),
            Event::Releasing => slot.order.releasing(object),
            _ => {}
        }
        if let Some(note) = BOARD.get(slot.worker.get()) {
            note.event(event, object, || clock.now_ns());
        }
    }
}

impl Collect for WatchProbe {
    const MODE: ProbeMode = ProbeMode::Count;
    /// There are no numbers; inversions of lock order go to stderr, whether or not they met this time.
    fn collect(slices: Vec<Vec<Slot>>, context: &CollectContext<'_>) -> anyhow::Result<Collected> {
        let orders: Vec<Vec<&Order>> =
            slices.iter().map(|slots| slots.iter().map(Slot::order).collect()).collect();
        for inversion in
            lock_order::lock_order(&orders, context.objects).iter().flat_map(|order| &order.inversions)
        {
            eprintln!("lock order inverted: {}", inversion.text());
        }
        Ok(Collected::default())
    }
}

/// Unless the process ends before, prints after `deadline` who holds and who waits, and ends it with [`HUNG`].
pub fn arm(deadline: Duration) {
    let watch = move || {
        // In short sleeps: while the process stands still its clock goes on, and nobody hangs for that.
        const NAP: Duration = Duration::from_millis(50);
        let mut left = deadline;
        while !left.is_zero() {
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
        eprintln!("{}", picture(&BOARD, clock::now_ns()));
        std::process::exit(HUNG);
    };
    // Without the thread the parent's time-out still ends the launch; only the names are lost.
    let _ = std::thread::Builder::new().name("watch".into()).spawn(watch);
}

/// One line: who holds what, who waits for it and how.
fn picture(board: &[Note], now_ns: u64) -> String {
    let threads = board.iter().enumerate().filter_map(|(worker, note)| note.thread(worker, now_ns));
    wait_for::picture(&threads.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Event = Event::Request { intended_ns: 0 };

    fn note(events: &[(Event, usize, u64)]) -> Note {
        let note = Note::new();
        note.event(Event::Begin { worker: 0, workers: 1 }, 0, || 0);
        for &(event, object, now_ns) in events {
            note.event(event, object, || now_ns);
        }
        note
    }

    #[test]
    fn names_holder_and_waiters() {
        const S: u64 = 1_000_000_000;
        let board = [
            note(&[(REQUEST, 64, 0), (Event::Acquired, 64, 0)]),
            // The sleep is on a word within the lock.
            note(&[(REQUEST, 64, S), (Event::ParkBegin, 72, S)]),
            Note::new(),
        ];
        assert_eq!(
            picture(&board, 3 * S),
            "lock 1 is held by worker 0 for 3.0 s, awaited by worker 1 (asleep, 2.0 s, in its operation 1)"
        );
    }

    #[test]
    fn a_lost_wake_up_has_no_holder() {
        let through =
            [(REQUEST, 64, 0), (Event::Acquired, 64, 0), (Event::Releasing, 64, 0), (Event::End, 0, 0)];
        let board = [note(&[(REQUEST, 64, 0), (Event::ParkBegin, 64, 0)]), note(&through)];
        let text = picture(&board, 1_500_000_000);
        assert!(text.starts_with("lock 1 is held by nobody, awaited by worker 0 (asleep, 1.5 s"), "{text}");
    }

    #[test]
    fn a_release_that_hangs_is_told_and_one_that_ended_is_not() {
        let hangs = [
            (REQUEST, 64, 0),
            (Event::Acquired, 64, 0),
            (Event::Releasing, 64, 0),
            (Event::SpinBegin, 64, 0),
        ];
        assert!(picture(&[note(&hangs)], 0).contains("being released by worker 0"));
        let ended = [&hangs[..3], &[(REQUEST, 128, 0)]].concat();
        assert!(!picture(&[note(&ended)], 0).contains("released"));
    }

    #[test]
    fn two_locks_in_both_orders_are_a_circle() {
        let takes =
            |first, second| note(&[(REQUEST, first, 0), (Event::Acquired, first, 0), (REQUEST, second, 0)]);
        let text = picture(&[takes(64, 128), takes(128, 64)], 0);
        assert!(text.contains("deadlock: worker 0 waits for lock 2 of worker 1"), "{text}");
    }
}
