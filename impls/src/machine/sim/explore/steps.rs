//! The world's side of a schedule: what can go on, and what a choice does.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::super::ledger::Part;
use super::super::thread::Life;
use super::super::trace::{Away, Step};
use super::super::world::{NO_LINE, NOBODY, World};
use super::guide::{Choice, Guide, Place};
use super::schedule::How;

/// What the guide knows of a thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Steps so far, over all runs of the program.
    pub(super) steps: u64,
    /// The word that it awaits.
    awaited: Option<Word>,
    /// When its sleep ends at the latest, cycles.
    deadline: Option<u64>,
}

/// A word that is awaited, and what it held.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Word {
    place: *const (),
    bytes: usize,
    seen: u64,
}

impl Word {
    /// The atomic word at `place`, which was seen to hold what is not enough to go on.
    ///
    /// # Safety
    /// `place` points to an atomic of 4 or 8 `bytes` that lives until whoever awaits it has gone on.
    pub(in super::super) unsafe fn new(place: *const (), bytes: usize, seen: u64) -> Self {
        Word { place, bytes, seen }
    }

    fn holds(self) -> u64 {
        // SAFETY: by the contract of `new` an atomic of this size is there.
        unsafe {
            match self.bytes {
                4 => u64::from((*self.place.cast::<AtomicU32>()).load(Ordering::Relaxed)),
                _ => (*self.place.cast::<AtomicU64>()).load(Ordering::Relaxed),
            }
        }
    }
}

impl World {
    /// A run of so many threads begins. The first has the turn.
    pub(in super::super) fn begin_guided(&mut self, threads: usize) {
        if let Some(guide) = &self.guide {
            let known = &mut guide.borrow_mut().threads;
            known.resize(known.len().max(threads), Progress::default());
            self.current = 0;
            self.lines.belong_to_all();
        }
    }

    /// The running thread is about to yield or to pause: in a guided run others should go first.
    pub(in super::super) fn yields(&self) {
        if let Some(guide) = &self.guide {
            guide.borrow_mut().yields = true;
        }
    }

    /// Whether the thread may be picked. Only in a guided run.
    pub(in super::super) fn can_go_on(&self, guide: &Guide, thread: u32) -> bool {
        self.threads[thread as usize].life == Life::Running
            && guide.threads[thread as usize].awaited.is_none_or(|word| word.holds() != word.seen)
    }

    /// Who goes next, and when, by the guide.
    pub(in super::super) fn guided(&mut self) -> Option<(u64, u32)> {
        let shared = self.guide.clone()?;
        let mut shared = shared.borrow_mut();
        let guide = &mut *shared;
        if guide.stuck.is_some() {
            return None;
        }
        let mut options = std::mem::take(&mut guide.options);
        options.clear();
        for (index, thread) in self.threads.iter().enumerate() {
            let index = index as u32;
            let option = |how, deadline| Choice { thread: index, how, deadline };
            if self.can_go_on(guide, index) {
                options.push(option(How::Run, 0));
            } else if matches!(thread.life, Life::Parked | Life::Futex) {
                let deadline = guide.threads[index as usize].deadline;
                options.extend(deadline.map(|deadline| option(How::Expire, deadline)));
                if guide.spurious {
                    options.push(option(How::Spurious, 0));
                }
            }
        }
        guide.options = options;
        let before = self.current;
        let stays = self.can_go_on(guide, before);
        let yields = std::mem::take(&mut guide.yields);
        if guide.options.is_empty() && self.threads.iter().all(|thread| thread.life == Life::Ended) {
            return None;
        }
        let chosen = guide.choose(Place { thread: before, stays, yields })?;
        let Choice { thread, how, deadline } = chosen;
        guide.threads[thread as usize].awaited = None;
        guide.threads[thread as usize].deadline = None;
        if how == How::Expire {
            self.now = self.now.max(deadline);
        }
        let now = self.now;
        if how != How::Run {
            self.threads[thread as usize].timed_out = how == How::Expire;
            self.rouse(thread, now);
        }
        self.threads[thread as usize].watched = NO_LINE;
        if thread != before {
            if self.threads[before as usize].life == Life::Running {
                self.mark(before, now, Step::Off(Away::Preempted));
            }
            self.mark(thread, now, Step::Core(self.seat(thread)));
        }
        Some((now, thread))
    }

    /// The core that a thread of a guided run is said to be on: each has its own.
    pub(in super::super) fn seat(&self, thread: u32) -> u16 {
        (thread % self.preset.cores) as u16
    }

    /// The core that the running thread is on, as it is told.
    pub(in super::super) fn place(&self) -> u16 {
        if self.guide.is_some() && self.current != NOBODY { self.seat(self.current) } else { self.core }
    }

    /// A sleep ends: the thread can go on.
    pub(in super::super) fn rouse(&mut self, thread: u32, now: u64) {
        let state = &mut self.threads[thread as usize];
        debug_assert!(matches!(state.life, Life::Parked | Life::Futex), "thread {thread} does not sleep");
        state.life = Life::Running;
        state.account.charge(Part::Park, now.saturating_sub(state.since));
        state.since = now;
    }

    /// The running thread sleeps.
    pub(in super::super) fn doze(&mut self, life: Life, deadline: Option<u64>) {
        let (me, now) = (self.current, self.now);
        if let Some(guide) = &self.guide {
            guide.borrow_mut().threads[me as usize].deadline = deadline;
        }
        let state = self.thread();
        (state.life, state.since, state.timed_out) = (life, now, false);
        state.switches.voluntary += 1;
        self.mark(me, now, Step::Off(Away::Asleep));
    }

    /// Waits until a word holds something else than it was seen to hold.
    ///
    /// # Safety
    /// As [`World::switch`].
    pub(in super::super) unsafe fn await_change(world: *mut World, word: Word) {
        // SAFETY: the caller holds no reference, by contract; `w` is not used after the switch.
        let w = unsafe { &mut *world };
        let (me, now) = (w.current, w.now);
        if let Some(guide) = &w.guide {
            guide.borrow_mut().threads[me as usize].awaited = Some(word);
        }
        // For the wait-for graph.
        w.thread().watched = w.lines.find(word.place.addr(), 0);
        w.mark(me, now, Step::Watch);
        // SAFETY: `w` is not used any more.
        unsafe { World::switch(world) };
    }
}
