//! The probe of a launch that hung before: it notes what each worker is doing, and says so when time is up.
//!
//! Notes go to a static board, because whoever reads it is not the thread that wrote it and the writer may never run
//! again. Times come with every event, so this probe is for diagnosis and never for numbers.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::LocalKey;
use std::time::Duration;

use impls::machine::os::clock;
use impls::probe::{Clock, Event, Probe};
use record::ProbeMode;

use super::{Collect, CollectContext, Collected};

/// Exit code of a launch that ended itself after it had named who hangs.
pub const HUNG: i32 = 86;

/// Workers that the board has room for; more are not named.
const WORKERS_MAX: usize = 256;

const NOT_SEEN: u64 = 0;
const THINKS: u64 = 1;
const WAITS: u64 = 2;
const SPINS: u64 = 3;
const SLEEPS: u64 = 4;
const HOLDS: u64 = 5;
const RELEASES: u64 = 6;
const ENDED: u64 = 7;

struct Note {
    state: AtomicU64,
    since_ns: AtomicU64,
    object: AtomicUsize,
}

static BOARD: [Note; WORKERS_MAX] = [const {
    Note { state: AtomicU64::new(NOT_SEEN), since_ns: AtomicU64::new(0), object: AtomicUsize::new(0) }
}; WORKERS_MAX];

/// Notes what each worker does.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatchProbe;

/// Where this worker's note is.
#[derive(Debug, Default)]
pub struct Slot {
    worker: Cell<usize>,
}

impl Probe for WatchProbe {
    const ON: bool = true;
    type Slot = Slot;
    fn os_slot() -> &'static LocalKey<Cell<*const Slot>> {
        thread_local!(static SLOT: Cell<*const Slot> = const { Cell::new(core::ptr::null()) });
        &SLOT
    }
    fn event(slot: &Slot, event: Event, object: usize, clock: &impl Clock) {
        if let Event::Begin { worker, .. } = event {
            slot.worker.set(worker as usize);
        }
        let state = match event {
            Event::Begin { .. } => THINKS,
            Event::Request { .. } | Event::ParkEnd { .. } | Event::SpinEnd { .. } => WAITS,
            Event::SpinBegin => SPINS,
            Event::ParkBegin => SLEEPS,
            Event::Acquired => HOLDS,
            Event::Releasing => RELEASES,
            Event::End => ENDED,
            _ => return,
        };
        let Some(note) = BOARD.get(slot.worker.get()) else { return };
        // Relaxed: the reader wants a picture, and takes it when nothing has moved for seconds.
        let waiting = |state| matches!(state, WAITS | SPINS | SLEEPS);
        let was = note.state.swap(state, Ordering::Relaxed);
        if !(waiting(was) && waiting(state)) {
            note.since_ns.store(clock.now_ns(), Ordering::Relaxed);
            note.object.store(object, Ordering::Relaxed);
        }
    }
}

impl Collect for WatchProbe {
    const MODE: ProbeMode = ProbeMode::Count;
    fn collect(_: Vec<Vec<Slot>>, _: &CollectContext<'_>) -> anyhow::Result<Collected> {
        Ok(Collected::default())
    }
}

/// Unless the process ends before, prints after `deadline` who holds and who waits, and ends it with [`HUNG`].
pub fn arm(deadline: Duration) {
    let watch = move || {
        std::thread::sleep(deadline);
        eprintln!("{}", picture(&BOARD, clock::now_ns()));
        std::process::exit(HUNG);
    };
    // Without the thread the parent's time-out still ends the launch; only the names are lost.
    let _ = std::thread::Builder::new().name("watch".into()).spawn(watch);
}

/// One line: who holds what, who waits for it and how.
fn picture(board: &[Note], now_ns: u64) -> String {
    let mut objects = Vec::new();
    let mut seen = Vec::new();
    for (worker, note) in board.iter().enumerate() {
        let state = note.state.load(Ordering::Relaxed);
        if state == NOT_SEEN {
            continue;
        }
        let object = note.object.load(Ordering::Relaxed);
        if matches!(state, WAITS | SPINS | SLEEPS | HOLDS | RELEASES) && !objects.contains(&object) {
            objects.push(object);
        }
        seen.push((worker, state, object, now_ns.saturating_sub(note.since_ns.load(Ordering::Relaxed))));
    }
    let mut text = String::new();
    for (number, &object) in objects.iter().enumerate() {
        let of = |wanted: &'static [u64]| seen.iter().filter(move |s| s.2 == object && wanted.contains(&s.1));
        let holder = match of(&[HOLDS, RELEASES]).next() {
            Some((worker, state, _, for_ns)) => {
                let doing = if *state == HOLDS { "held" } else { "being released" };
                format!("{doing} by worker {worker} for {}", seconds(*for_ns))
            }
            None => "held by nobody".to_owned(),
        };
        let waiters: Vec<String> = of(&[WAITS, SPINS, SLEEPS])
            .map(|(worker, state, _, for_ns)| {
                let how = match *state {
                    SPINS => "polling",
                    SLEEPS => "asleep",
                    _ => "in the slow path",
                };
                format!("worker {worker} ({how}, {})", seconds(*for_ns))
            })
            .collect();
        let waiters = if waiters.is_empty() { "nobody".to_owned() } else { waiters.join(", ") };
        let separator = if number == 0 { "" } else { "; " };
        let _ = write!(text, "{separator}lock {} is {holder}, awaited by {waiters}", number + 1);
    }
    if text.is_empty() {
        text.push_str("no worker holds or awaits a lock");
    }
    text
}

fn seconds(ns: u64) -> String {
    format!("{:.1} s", ns as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(state: u64, since_ns: u64, object: usize) -> Note {
        Note {
            state: AtomicU64::new(state),
            since_ns: AtomicU64::new(since_ns),
            object: AtomicUsize::new(object),
        }
    }

    #[test]
    fn names_holder_and_waiters() {
        let board = [note(HOLDS, 0, 64), note(SLEEPS, 1_000_000_000, 64), note(NOT_SEEN, 0, 0)];
        let expected = "lock 1 is held by worker 0 for 3.0 s, awaited by worker 1 (asleep, 2.0 s)";
        assert_eq!(picture(&board, 3_000_000_000), expected);
    }

    #[test]
    fn a_lost_wake_up_has_no_holder() {
        let board = [note(SLEEPS, 0, 64), note(ENDED, 0, 0)];
        assert_eq!(
            picture(&board, 1_500_000_000),
            "lock 1 is held by nobody, awaited by worker 0 (asleep, 1.5 s)"
        );
    }
}
