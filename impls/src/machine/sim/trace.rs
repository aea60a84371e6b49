//! What happened, step by step, for those who ask for it: the tape of a simulation.

use std::collections::BTreeMap;

use super::line::Grant;
use super::preset::{Op, Prior};
use crate::probe::Event;

/// Why a thread left its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// Its slice had ended and others waited.
    Preempted,
    /// It sleeps.
    Asleep,
    /// Its life has ended.
    Ended,
}

/// An operation that needed a line from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss {
    /// Serial number of the line, in the order of first touch.
    pub line: u32,
    /// The operation.
    pub op: Op,
    /// What the other caches held.
    pub prior: Prior,
    /// The core that had it last.
    pub from_core: u16,
    /// Cycles in the line's queue.
    pub queue_cycles: u64,
    /// Cycles of the request itself: a line on its way, or, on machines with a shared cache, the request there and back.
    pub transfer_cycles: u64,
    /// When it took effect, in cycles: before its thread goes on, where the answer comes from a shared cache.
    pub end: u64,
    /// Copies that it took away.
    pub invalidated: u32,
}

/// One step of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It runs on this core from now on.
    Core(u16),
    /// It left its core.
    Off(Away),
    /// It asks for a line.
    Miss(Miss),
    /// It operates on a word, in a run whose schedule is explored: elsewhere only misses are kept.
    Word {
        /// Serial number of the word's line.
        line: u32,
        /// The operation.
        op: Op,
    },
    /// It watches a word.
    Watch,
    /// It, or the primitive on its behalf, reports. The number tells objects apart, in the order in which they were first
    /// asked for; `u32::MAX` is one that nobody has asked for.
    Report(Event, u32),
}

/// A step, when, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, in cycles.
    pub time: u64,
    /// Index of the thread.
    pub thread: u32,
    /// What.
    pub step: Step,
}

/// The marks of a simulation, in the order in which they were made. A mark may lie after its successor in time: threads
/// run ahead as long as nobody can notice.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// The marks, at most as many as were asked for.
    pub marks: Vec<Mark>,
    /// Marks that did not fit.
    pub dropped: u64,
    /// Where each thread was when the first cycle that is kept began: on which core, or why not.
    pub at_begin: BTreeMap<u32, Step>,
    limit: usize,
    from: u64,
}

impl Tape {
    /// A tape for `limit` marks, none of which lies before `from`.
    pub(super) fn new(limit: usize, from: u64) -> Self {
        Tape { limit, from, ..Tape::default() }
    }

    #[inline]
    pub(super) fn push(&mut self, thread: u32, time: u64, step: Step) {
        if time < self.from {
            if matches!(step, Step::Core(_) | Step::Off(_)) {
                self.at_begin.insert(thread, step);
            }
            return;
        }
        if self.marks.len() < self.limit {
            self.marks.push(Mark { time, thread, step });
        } else {
            self.dropped += 1;
        }
    }
}

impl Miss {
    /// A request that was made at `asked`.
    pub(super) fn new(line: u32, op: Op, asked: u64, grant: &Grant) -> Self {
        Miss {
            line,
            op,
            prior: grant.prior,
            from_core: grant.from,
            queue_cycles: grant.queue_cycles(asked),
            transfer_cycles: grant.cycles(),
            end: grant.end,
            invalidated: grant.invalidated,
        }
    }

    /// When the thread that asked at `asked` goes on, in cycles.
    pub fn answered(&self, asked: u64) -> u64 {
        asked + self.queue_cycles + self.transfer_cycles
    }

    /// Whether the line stayed where it was, at a cache that all cores share.
    pub fn stayed(&self, asked: u64) -> bool {
        self.answered(asked) > self.end
    }
}
