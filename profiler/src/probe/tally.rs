//! The counters that every probe keeps.
//!
//! The frequent events cost an increment or a store each; whatever happens rarely is out of line.

use std::cell::Cell;

use impls::probe::{Clock, Event};

use crate::lock_order::Order;

/// Workers up to which the hand-off matrix is kept.
pub(super) const MATRIX_WORKERS: usize = 64;
/// Buckets of streak lengths: powers of two.
const STREAKS: usize = 48;

/// The operation under way has polled.
pub(super) const SPUN: u32 = 1;
/// It has slept.
pub(super) const PARKED: u32 = 2;
/// It is timed; set by the sampling probe only.
pub(super) const TIMED: u32 = 4;

/// What one thread counts in one slice. In this order: what every operation touches lies together, in front.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Tally {
    /// What happened to the operation under way: [`SPUN`], [`PARKED`], [`TIMED`]. Between two operations it may tell of
    /// an inner lock of unlock, which is nobody's wait: `request` clears it.
    pub(super) marks: Cell<u32>,
    pub(super) worker: Cell<u32>,
    pub(super) acquires: Cell<u64>,
    pub(super) slow_acquires: Cell<u64>,
    pub(super) spins: Cell<u64>,
    pub(super) spin_rounds: Cell<u64>,
    pub(super) spin_rounds_useful: Cell<u64>,
    /// Rounds of this operation since it last slept: useful if it acquires now.
    rounds_pending: Cell<u64>,
    pub(super) failed_cas: Cell<u64>,
    pub(super) parks: Cell<u64>,
    pub(super) wakes: Cell<u64>,
    pub(super) lost_races: Cell<u64>,
    pub(super) hand_offs: Cell<u64>,
    pub(super) starving: Starving,
    pub(super) owner_changes: Cell<u64>,
    pub(super) core_changes: Cell<u64>,
    /// Acquires before the streak under way began: its length is a difference, so that going on costs no store.
    streak_from: Cell<u64>,
    streaks: [Cell<u64>; STREAKS],
    /// Acquires after this worker itself; counted when a streak ends.
    pub(super) after_self: Cell<u64>,
    /// Acquires right after each other worker.
    after: [Cell<u64>; MATRIX_WORKERS],
    /// What it asked for while it held something. Last: most workloads never touch it.
    pub(super) order: Order,
}

/// Starvation mode as one worker saw it begin and end. Another worker may end what this one began, so single stamps
/// mean nothing: only sums over all workers do.
#[derive(Debug, Default)]
pub(super) struct Starving {
    pub(super) begins: Cell<u64>,
    pub(super) ends: Cell<u64>,
    pub(super) begin_ns_sum: Cell<u64>,
    pub(super) end_ns_sum: Cell<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        let zero = Cell::<u64>::default;
        Tally {
            marks: Cell::new(0),
            worker: Cell::new(u32::MAX),
            acquires: zero(),
            slow_acquires: zero(),
            spins: zero(),
            spin_rounds: zero(),
            spin_rounds_useful: zero(),
            rounds_pending: zero(),
            failed_cas: zero(),
            parks: zero(),
            wakes: zero(),
            lost_races: zero(),
            hand_offs: zero(),
            starving: Starving::default(),
            owner_changes: zero(),
            core_changes: zero(),
            streak_from: zero(),
            streaks: std::array::from_fn(|_| zero()),
            after_self: zero(),
            after: std::array::from_fn(|_| zero()),
            order: Order::default(),
        }
    }
}

#[inline(always)]
pub(super) fn add(cell: &Cell<u64>, amount: u64) {
    cell.set(cell.get().wrapping_add(amount));
}

impl Tally {
    #[inline(always)]
    pub(super) fn request(&self) {
        // A load where nothing is marked: the lock's atomic that follows waits for every store.
        if self.marks.get() != 0 {
            self.marks.set(0);
        }
    }

    #[inline(always)]
    pub(super) fn acquired(&self) {
        add(&self.acquires, 1);
        if self.marks.get() != 0 {
            self.acquired_slowly();
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn acquired_slowly(&self) {
        let marks = self.marks.get();
        if marks & (SPUN | PARKED) != 0 {
            add(&self.slow_acquires, 1);
        }
        if marks & SPUN != 0 {
            add(&self.spin_rounds_useful, self.rounds_pending.replace(0));
        }
    }

    /// Takes note of who had the object before. `acquires` tells how many this thread has made, this one included.
    #[inline(always)]
    pub(super) fn owner(&self, previous_worker: u32, other_core: bool, acquires: impl FnOnce() -> u64) {
        if previous_worker != self.worker.get() {
            self.owner_changed(previous_worker, other_core, acquires());
        }
    }

    #[inline(never)]
    fn owner_changed(&self, previous_worker: u32, other_core: bool, acquires: u64) {
        self.end_streak(acquires.wrapping_sub(1));
        add(&self.core_changes, u64::from(other_core));
        if previous_worker != u32::MAX {
            add(&self.owner_changes, 1);
            if let Some(count) = self.after.get(previous_worker as usize) {
                add(count, 1);
            }
        }
    }

    /// The streak ends with this acquire; the next one begins the next.
    fn end_streak(&self, acquires: u64) {
        let length = acquires.wrapping_sub(self.streak_from.replace(acquires));
        if let Some(power) = length.checked_ilog2() {
            add(&self.streaks[(power as usize).min(STREAKS - 1)], 1);
            add(&self.after_self, length - 1);
        }
    }

    /// Takes note of every event without a method of its own. `object` is 0 where the driver itself sleeps: that is
    /// nobody's park.
    #[cold]
    #[inline(never)]
    pub(super) fn rare(&self, event: Event, object: usize, clock: &dyn Clock) {
        match event {
            Event::Begin { worker, .. } => self.worker.set(worker),
            Event::End => self.end_streak(self.acquires.get()),
            Event::SpinBegin => {
                if self.marks.get() & (SPUN | PARKED) == 0 {
                    self.rounds_pending.set(0);
                }
                self.mark(SPUN);
                add(&self.spins, 1);
            }
            Event::SpinEnd { rounds } => {
                add(&self.spin_rounds, rounds.into());
                add(&self.rounds_pending, rounds.into());
            }
            Event::ParkBegin if object != 0 => {
                self.mark(PARKED);
                self.rounds_pending.set(0);
                add(&self.parks, 1);
            }
            Event::Nested { held } => self.order.nested(held, object),
            Event::Wake => add(&self.wakes, 1),
            Event::LostRace => add(&self.lost_races, 1),
            Event::HandOff => add(&self.hand_offs, 1),
            Event::StarvingBegin => {
                add(&self.starving.begins, 1);
                add(&self.starving.begin_ns_sum, clock.now_ns());
            }
            Event::StarvingEnd => {
                add(&self.starving.ends, 1);
                add(&self.starving.end_ns_sum, clock.now_ns());
            }
            Event::FailedCas => add(&self.failed_cas, 1),
            // The frequent ones have methods of their own; a park's end counts nothing.
            Event::Request { .. }
            | Event::Acquired
            | Event::Prepare
            | Event::Owner { .. }
            | Event::Releasing
            | Event::ParkBegin
            | Event::ParkEnd { .. } => {}
        }
    }

    fn mark(&self, mark: u32) {
        self.marks.set(self.marks.get() | mark);
    }

    /// Acquires right after each worker, `me` included.
    pub(super) fn after(&self, me: usize) -> Vec<u64> {
        let mut row: Vec<u64> = self.after.iter().map(Cell::get).collect();
        if let Some(own) = row.get_mut(me) {
            *own = self.after_self.get();
        }
        row
    }

    /// Streaks by power of two of their length, without empty buckets at the end.
    pub(super) fn streaks(&self) -> Vec<u64> {
        let used = self.streaks.iter().rposition(|count| count.get() > 0).map_or(0, |last| last + 1);
        self.streaks[..used].iter().map(Cell::get).collect()
    }
}
