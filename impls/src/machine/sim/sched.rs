//! The operating system's scheduler: a queue a core, slices, wake-ups, and who moves where.
//!
//! A thread that wakes goes to the core that it ran on last if that is idle, else to the nearest idle one, else to the
//! shortest queue. An idle core needs time to start, the longer it was idle. A core that runs out of threads takes one
//! from the longest queue. Slices end only while somebody waits for the core. Pinned threads stay.

use std::collections::VecDeque;

use super::ledger::Part;
use super::preset::Preset;
use super::thread::{Life, Pending};
use super::trace::{Away, Step};
use super::world::{NO_LINE, NOBODY, World};

/// A core.
#[derive(Debug)]
pub(super) struct Core {
    /// The thread that runs on it, or is about to.
    pub(super) running: u32,
    queue: VecDeque<u32>,
    /// When the running thread got it.
    slice_begin: u64,
    idle_since: u64,
}

impl Default for Core {
    fn default() -> Self {
        Core { running: NOBODY, queue: VecDeque::new(), slice_begin: 0, idle_since: 0 }
    }
}

/// Costs of the operating system in cycles: divisions made once.
#[derive(Clone, Copy, Debug)]
pub(super) struct OsCycles {
    pub(super) slice: u64,
    pub(super) switch: u64,
    pub(super) syscall: u64,
    pub(super) futex_wait: u64,
    pub(super) futex_wake: u64,
    pub(super) wake_preempts_after: u64,
}

impl OsCycles {
    pub(super) fn new(preset: &Preset) -> Self {
        OsCycles {
            slice: preset.cycles(preset.os.slice_ns).max(1),
            switch: preset.cycles(preset.os.switch_ns),
            syscall: preset.cycles(preset.os.syscall_ns),
            futex_wait: preset.cycles(preset.os.futex_wait_ns),
            futex_wake: preset.cycles(preset.os.futex_wake_ns),
            wake_preempts_after: preset.cycles(preset.os.wake_preempts_after_ns),
        }
    }
}

impl World {
    fn real_cores(&self) -> usize {
        self.cores.len() - 1
    }

    /// Whether that is the seat beside all cores.
    pub(super) fn is_beside(&self, core: u16) -> bool {
        usize::from(core) == self.real_cores()
    }

    /// A thread begins its life at `time` on `core`.
    pub(super) fn admit(&mut self, thread: u32, core: u16, time: u64) {
        if self.guide.is_some() {
            self.threads[thread as usize].life = Life::Running;
            return;
        }
        self.threads[thread as usize].core = core;
        self.threads[thread as usize].since = time;
        if self.cores[usize::from(core)].running == NOBODY {
            self.occupy(thread, core, time);
        } else {
            self.enqueue(thread, core, time);
        }
    }

    /// The running thread moves to the seat beside all cores, and leaves its core to others.
    pub(super) fn stand_aside(&mut self) {
        let seat = self.real_cores() as u16;
        let (me, core, now) = (self.current, self.core, self.now);
        if self.cores[usize::from(seat)].running != NOBODY || core == seat || self.guide.is_some() {
            return;
        }
        self.cores[usize::from(seat)].running = me;
        self.threads[me as usize].core = seat;
        self.threads[me as usize].pinned = true;
        self.core = seat;
        self.vacate(core, now);
    }

    /// A thread gets a core that nobody runs on, and goes on there at `time`.
    fn occupy(&mut self, thread: u32, core: u16, time: u64) {
        let state = &mut self.threads[thread as usize];
        state.switches.migrations += u64::from(state.core != core);
        self.totals.migrations += u64::from(state.core != core);
        state.core = core;
        state.life = Life::Running;
        let debt = std::mem::take(&mut state.debt);
        let place = &mut self.cores[usize::from(core)];
        place.running = thread;
        place.slice_begin = time;
        if self.observe {
            for &object in self.threads[thread as usize].account.holds() {
                self.objects.holder_returns(object, time);
            }
        }
        self.mark(thread, time, Step::Core(core));
        self.note_placement(thread, core, time);
        self.push(thread, time + debt, Pending::Ahead);
        self.watch_slice(core, time);
    }

    fn enqueue(&mut self, thread: u32, core: u16, now: u64) {
        debug_assert!(self.events.of(thread).is_none(), "a thread that waits for a core has no event");
        self.threads[thread as usize].life = Life::Ready;
        self.cores[usize::from(core)].queue.push_back(thread);
        self.queued += 1;
        self.watch_slice(core, now);
    }

    fn actor(&self, core: u16) -> u32 {
        (self.threads.len() + usize::from(core)) as u32
    }

    /// Sees to it that the slice of a core for which others wait ends.
    fn watch_slice(&mut self, core: u16, now: u64) {
        let place = &self.cores[usize::from(core)];
        if place.queue.is_empty() || place.running == NOBODY {
            return;
        }
        let end = (place.slice_begin + self.os.slice).max(now);
        self.end_slice_at(core, end);
    }

    fn end_slice_at(&mut self, core: u16, end: u64) {
        let actor = self.actor(core);
        if self.events.of(actor).is_none_or(|set| set > end) {
            self.events.remove(actor);
            self.events.push(actor, end);
            self.horizon = self.horizon.min(end);
        }
    }

    /// The timer of a core went off.
    pub(super) fn slice_ended(&mut self, core: u16, now: u64) {
        let place = &self.cores[usize::from(core)];
        let running = place.running;
        if place.queue.is_empty() || running == NOBODY {
            return;
        }
        let begin = place.slice_begin;
        if begin >= now {
            // The thread is new on the core, or still on its way to it.
            return self.watch_slice(core, begin + 1);
        }
        let state = &mut self.threads[running as usize];
        match state.pending {
            // Its operation under way ends first.
            Pending::Operation => state.leave_core = true,
            // Its operation has taken effect, and the answer is on its way.
            _ if state.answered > now => {
                let answered = state.answered;
                self.end_slice_at(core, answered);
            }
            _ => self.preempt(running, now),
        }
    }

    /// A thread loses its core to the next in the queue.
    pub(super) fn preempt(&mut self, thread: u32, now: u64) {
        let core = self.threads[thread as usize].core;
        if self.cores[usize::from(core)].queue.is_empty() {
            // Nobody waits any more: it keeps the core.
            if self.events.of(thread).is_none() && self.threads[thread as usize].watched == NO_LINE {
                self.push(thread, now, Pending::Ahead);
            }
            return;
        }
        let watched = self.threads[thread as usize].watched;
        if watched != NO_LINE {
            self.lines.at(watched).watchers.retain(|&other| other != thread);
            self.stop_watching(thread, now);
        }
        let state = &mut self.threads[thread as usize];
        state.switches.involuntary += 1;
        state.since = now;
        state.debt = self.events.of(thread).map_or(0, |time| time - now);
        state.pending = Pending::Nothing;
        self.events.remove(thread);
        self.note_departure(thread, now, Away::Preempted);
        self.cores[usize::from(core)].running = NOBODY;
        self.enqueue(thread, core, now);
        self.vacate(core, now);
    }

    fn note_departure(&mut self, thread: u32, now: u64, why: Away) {
        self.mark(thread, now, Step::Off(why));
        if self.observe {
            for &object in self.threads[thread as usize].account.holds() {
                self.objects.holder_leaves(object, now);
            }
        }
    }

    /// A core is free: the next in its queue gets it, or one from the longest queue.
    fn vacate(&mut self, core: u16, now: u64) {
        self.cores[usize::from(core)].running = NOBODY;
        let next = match self.queued {
            0 => None,
            _ => self.cores[usize::from(core)].queue.pop_front().or_else(|| self.steal(core)),
        };
        let Some(thread) = next else {
            self.cores[usize::from(core)].idle_since = now;
            return;
        };
        self.queued -= 1;
        let switch = self.os.switch;
        self.totals.switches += 1;
        let state = &mut self.threads[thread as usize];
        state.account.charge(Part::RunQueue, now.saturating_sub(state.since));
        state.account.charge(Part::Kernel, switch);
        let moved = now.max(state.since);
        self.occupy(thread, core, moved + switch);
    }

    /// The first thread that may move from the longest queue.
    fn steal(&mut self, core: u16) -> Option<u32> {
        if usize::from(core) == self.real_cores() {
            return None;
        }
        let threads = &self.threads;
        let movable = |queue: &VecDeque<u32>| queue.iter().position(|&t| !threads[t as usize].pinned);
        let longest = (0..self.real_cores())
            .filter_map(|from| {
                let queue = &self.cores[from].queue;
                // The longest first; among equals the lowest number.
                movable(queue).map(|at| (queue.len(), usize::MAX - from, at))
            })
            .max()?;
        self.cores[usize::MAX - longest.1].queue.remove(longest.2)
    }

    /// The running thread sleeps; it wakes by [`World::wake`], at `deadline` at the latest.
    ///
    /// # Safety
    /// As [`World::switch`]. Nothing may happen between the decision to sleep and this call: the caller had its turn.
    pub(super) unsafe fn sleep(world: *mut World, life: Life, deadline: Option<u64>) {
        // SAFETY: the caller holds no reference, by contract; `w` is not used after the switch.
        let w = unsafe { &mut *world };
        if w.guide.is_some() {
            w.doze(life, deadline);
            // SAFETY: `w` is not used any more.
            return unsafe { World::switch(world) };
        }
        let (me, now, core) = (w.current, w.now, w.core);
        let state = w.thread();
        state.life = life;
        state.since = now;
        state.timed_out = false;
        state.leave_core = false;
        state.switches.voluntary += 1;
        if let Some(deadline) = deadline {
            w.push(me, deadline.max(now), Pending::Deadline);
        }
        w.note_departure(me, now, Away::Asleep);
        w.vacate(core, now);
        // SAFETY: `w` is not used any more.
        unsafe { World::switch(world) };
    }

    /// A thread's life ends.
    pub(super) fn retire(&mut self, thread: u32, now: u64) {
        let core = self.threads[thread as usize].core;
        self.threads[thread as usize].life = Life::Ended;
        self.mark(thread, now, Step::Off(Away::Ended));
        if self.guide.is_none() {
            self.vacate(core, now);
        }
    }

    /// The running thread lets others of its core go first.
    pub(super) fn yield_core(&mut self) -> bool {
        let queue = &self.cores[usize::from(self.core)].queue;
        if queue.is_empty() {
            return false;
        }
        let (me, now) = (self.current, self.now);
        self.preempt(me, now);
        true
    }

    /// Wakes a sleeping thread.
    pub(super) fn wake(&mut self, thread: u32, now: u64) {
        if self.guide.is_some() {
            return self.rouse(thread, now);
        }
        self.events.remove(thread);
        let state = &mut self.threads[thread as usize];
        debug_assert!(matches!(state.life, Life::Parked | Life::Futex), "thread {thread} does not sleep");
        state.pending = Pending::Nothing;
        state.account.charge(Part::Park, now.saturating_sub(state.since));
        state.since = now;
        let core = self.choose(thread);
        let place = &self.cores[usize::from(core)];
        if place.running == NOBODY {
            // Latencies of a kind vary by a quarter either way.
            let idle_ns = self.preset.ns(now.saturating_sub(place.idle_since));
            let typical = self.preset.cycles(self.preset.os.wake_latency_ns(idle_ns));
            let latency = typical - typical / 4 + self.draw(thread, typical / 2 + 1);
            let switch = self.os.switch;
            let account = &mut self.threads[thread as usize].account;
            account.charge(Part::Wake, latency);
            account.charge(Part::Kernel, switch);
            self.totals.switches += 1;
            self.occupy(thread, core, now + latency + switch);
            return;
        }
        let granularity = self.os.wake_preempts_after;
        let earliest = (place.slice_begin + granularity).max(now);
        self.enqueue(thread, core, now);
        self.end_slice_at(core, earliest);
    }

    /// The core for a thread that wakes.
    fn choose(&self, thread: u32) -> u16 {
        let state = &self.threads[thread as usize];
        let last = state.core;
        let idle = |core: usize| self.cores[core].running == NOBODY;
        if state.pinned || idle(usize::from(last)) {
            return last;
        }
        let nearest = (0..self.real_cores())
            .filter(|&core| idle(core))
            .min_by_key(|&core| (self.preset.class(usize::from(last), core), core));
        if let Some(core) = nearest {
            return core as u16;
        }
        let length = |core: usize| self.cores[core].queue.len();
        let shortest =
            (0..self.real_cores()).min_by_key(|&core| (length(core), core != usize::from(last), core));
        shortest.unwrap_or(usize::from(last)) as u16
    }
}
