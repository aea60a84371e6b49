//! One simulated computer while it runs: its clock, its threads, and the order in which they act.
//!
//! Each simulated thread is a coroutine with a clock of its own. It runs on until its clock reaches the next pending
//! event of anybody else (the *horizon*); there it leaves an event for itself and lets the other go first. So all
//! operations take effect in the order of time, and a thread that is alone runs without a switch. Ties are broken by
//! the order in which events were made, which the seed decides through phases and delays.
//!
//! ## Aliasing
//! Coroutines and the loop that resumes them share the world through one raw pointer. Every function here that may
//! switch takes that pointer and makes its references anew afterwards; no reference is held over a switch.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::events::Events;
use super::explore::Guide;
use super::kernel::Futexes;
use super::ledger::{Objects, Part};
use super::line::{LineIndex, Lines, Queued};
use super::preset::{Op, Preset};
use super::run::Stuck;
use super::sched::{Core, OsCycles};
use super::thread::{Pending, Thread, Totals};
use super::trace::{Miss, Step, Tape};
use crate::machine::{Line as Padded, random};

thread_local! {
    /// The world of the simulation that runs on this host thread; null outside of one, and while a thread acts for free.
    pub(super) static WORLD: Cell<*mut World> = const { Cell::new(std::ptr::null_mut()) };
}

pub(super) const NOBODY: u32 = u32::MAX;
/// So long nobody is quiet who will get somewhere, slices aside.
const QUIET_NS: u64 = 100_000_000;
/// So many times as long for those who look at the clock.
const MOST_PATIENT: u64 = 30;
pub(super) const NO_LINE: LineIndex = LineIndex::MAX;

/// The computer.
pub(super) struct World {
    /// Clock of the thread that runs, in cycles.
    pub(super) now: u64,
    /// It may act before this moment without asking.
    pub(super) horizon: u64,
    pub(super) current: u32,
    pub(super) core: u16,
    hit: [u64; super::preset::OPS],
    pub(super) os: OsCycles,
    hash: u64,
    pub(super) preset: Rc<Preset>,
    pub(super) lines: Lines,
    pub(super) events: Events,
    pub(super) threads: Vec<Thread>,
    pub(super) cores: Vec<Core>,
    /// Threads in all queues of cores.
    pub(super) queued: usize,
    /// The word in which each thread's token lies: a line of its own.
    pub(super) tokens: Vec<Padded<u64>>,
    pub(super) futexes: Futexes,
    pub(super) objects: Objects,
    pub(super) totals: Totals,
    /// The thread that the loop is to resume next, with the time of its event.
    pub(super) next: Option<(u64, u32)>,
    pub(super) tape: Option<Box<Tape>>,
    /// The driver's reports are followed: ledgers, and who waits for whom.
    pub(super) observe: bool,
    /// Cycles between two polls of a word that does not change.
    poll: u64,
    /// Who decides who goes next, if it is not the clock.
    pub(super) guide: Option<Rc<RefCell<Guide>>>,
    /// What reading the clock takes more than it costs.
    pub(super) clock_step: u64,
    /// When a thread last did private work, or told its driver's probe that it begins, asks, has, gives back or ends.
    pub(super) quiet_since: u64,
    /// When a thread last read the clock: whoever does may be waiting for a moment.
    pub(super) clock_read_at: u64,
    /// Where reports are followed, threads that only poll and yield for so long will do so for ever.
    patience: u64,
    moved: Vec<Queued>,
    /// Ledgers of the stretches that have ended.
    pub(super) stretches: Vec<(u32, super::ledger::ThreadLedger)>,
}

impl World {
    pub(super) fn new(preset: Rc<Preset>, threads: usize, observe: bool, tape: Option<Box<Tape>>) -> Self {
        let seats = preset.cores as usize + 1;
        let os = OsCycles::new(&preset);
        // Of many threads on one core, the one that could go on may be the last to have its slice.
        let patience =
            if observe { preset.cycles(QUIET_NS) + 4 * os.slice * threads as u64 } else { u64::MAX };
        World {
            now: 0,
            horizon: 0,
            current: NOBODY,
            core: 0,
            hit: preset.local.hit.map(u64::from),
            os,
            hash: 0xCBF2_9CE4_8422_2325,
            lines: Lines::new(&preset),
            events: Events::new(threads + seats),
            threads: Vec::with_capacity(threads),
            cores: (0..seats).map(|_| Core::default()).collect(),
            queued: 0,
            tokens: (0..threads).map(|_| Padded(0)).collect(),
            futexes: Futexes::default(),
            objects: Objects::default(),
            totals: Totals::default(),
            next: None,
            tape,
            observe,
            poll: u64::from(preset.local.pause + preset.local.hit[Op::Load as usize]).max(1),
            preset,
            guide: None,
            clock_step: 0,
            quiet_since: 0,
            clock_read_at: 0,
            patience,
            moved: Vec::new(),
            stretches: Vec::new(),
        }
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Adds a step to the trace hash. FNV's shape, eight bytes at a time.
    #[inline(always)]
    pub(super) fn note(&mut self, what: u64) {
        let step = (self.hash ^ what ^ self.now.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.hash = step ^ (step >> 29);
    }

    #[inline(always)]
    fn note_operation(&mut self, line: LineIndex, op: Op) {
        let serial = u64::from(self.lines.at(line).serial);
        self.totals.operations += 1;
        self.note(serial << 20 | u64::from(self.current) << 4 | op as u64);
    }

    /// In a guided run, where no operation misses, each is on the tape: a schedule speaks of them.
    #[cold]
    fn mark_guided(&mut self, line: LineIndex, op: Op) {
        if self.guide.is_some() {
            let line = self.lines.at(line).serial;
            self.mark(self.current, self.now, Step::Word { line, op });
        }
    }

    /// Adds to the trace hash that a thread gets a core at `time`.
    pub(super) fn note_placement(&mut self, thread: u32, core: u16, time: u64) {
        // Operations number fewer than 16: no operation on a word looks like this.
        self.note(u64::from(core) << 40 | u64::from(thread) << 4 | 15);
        self.note(time);
    }

    #[inline(always)]
    pub(super) fn thread(&mut self) -> &mut Thread {
        &mut self.threads[self.current as usize]
    }

    /// A draw of the thread's own generator.
    #[inline]
    pub(super) fn random(&mut self, thread: u32) -> u32 {
        random::draw(&mut self.threads[thread as usize].random)
    }

    /// A draw below `bound`.
    pub(super) fn draw(&mut self, thread: u32, bound: u64) -> u64 {
        (u64::from(self.random(thread)) * bound) >> 32
    }

    /// Charges the thread that runs, and lets its clock go on.
    #[inline(always)]
    pub(super) fn spend(&mut self, part: Part, cycles: u64) {
        self.now += cycles;
        if part != Part::Work {
            self.thread().account.charge(part, cycles);
        }
    }

    #[inline(always)]
    pub(super) fn mark(&mut self, thread: u32, time: u64, step: Step) {
        if let Some(tape) = &mut self.tape {
            tape.push(thread, time, step);
        }
    }

    /// Gives a thread an event.
    #[inline]
    pub(super) fn push(&mut self, thread: u32, time: u64, pending: Pending) {
        self.threads[thread as usize].pending = pending;
        self.events.push(thread, time);
        self.horizon = self.horizon.min(time);
    }

    /// The thread whose event has come runs on.
    #[inline]
    pub(super) fn run_at(&mut self, time: u64, thread: u32) {
        self.current = thread;
        self.now = time;
        let horizon = self.events.next_time();
        let state = &mut self.threads[thread as usize];
        state.pending = Pending::Nothing;
        self.core = state.core;
        // A thread that must leave its core may not do one more operation. One that is alone stops to be asked whether it
        // gets anywhere.
        let horizon = horizon.min(time.saturating_add(self.patience));
        self.horizon = if state.leave_core || self.guide.is_some() { 0 } else { horizon };
    }

    /// Takes events until one is a thread's to run. Those of cores and of sleepers are dealt with here.
    #[inline]
    pub(super) fn advance(&mut self) -> Option<(u64, u32)> {
        if self.guide.is_some() {
            return self.guided();
        }
        loop {
            let (time, actor) = self.events.pop()?;
            let Some(thread) = self.threads.get_mut(actor as usize) else {
                self.slice_ended((actor as usize - self.threads.len()) as u16, time);
                continue;
            };
            if thread.pending != Pending::Deadline {
                return Some((time, actor));
            }
            thread.pending = Pending::Nothing;
            thread.timed_out = true;
            self.quiet_since = self.quiet_since.max(time);
            self.wake(actor, time);
        }
    }

    /// Panics if nobody gets anywhere any more.
    fn check_progress(&self) {
        if self.goes_in_circles() {
            panic!("{}", self.stuck(Stuck::InCircles));
        }
    }

    /// Whether nobody gets anywhere any more, though some could go on: they poll or yield, and have done nothing else for
    /// long. Who sleeps until a deadline will do something then; who looks at the clock again and again, perhaps.
    fn goes_in_circles(&self) -> bool {
        let quiet_for = |since| self.now.saturating_sub(since);
        let timed = || {
            quiet_for(self.clock_read_at) <= self.patience
                && quiet_for(self.quiet_since) / MOST_PATIENT <= self.patience
        };
        quiet_for(self.quiet_since) > self.patience
            && self.guide.is_none()
            && !timed()
            && self.threads.iter().all(|thread| thread.pending != Pending::Deadline)
    }

    /// Puts the running thread aside until its event, or what somebody gives it, comes up.
    ///
    /// # Safety
    /// `world` is the world of this host thread, and the caller holds no reference into it.
    pub(super) unsafe fn switch(world: *mut World) {
        // SAFETY: nobody else uses the world until this function suspends.
        let w = unsafe { &mut *world };
        let me = w.current;
        match w.advance() {
            Some((time, thread)) if thread == me => w.run_at(time, me),
            next => {
                w.next = next;
                let yielder = w.thread().yielder;
                // SAFETY: the yielder lives on the coroutine's stack as long as the coroutine does, and this is that
                // coroutine: `current` is the thread that runs.
                unsafe { (*yielder).suspend(()) };
            }
        }
    }

    /// Lets everything that happens before the running thread's clock happen first.
    ///
    /// # Safety
    /// As [`World::switch`].
    #[inline]
    pub(super) unsafe fn turn(world: *mut World) {
        // SAFETY: the caller holds no reference, by contract.
        let w = unsafe { &mut *world };
        if w.now >= w.horizon {
            // SAFETY: as above.
            unsafe { World::turn_slow(world) };
        }
    }

    #[inline(never)]
    unsafe fn turn_slow(world: *mut World) {
        // SAFETY: the caller holds no reference, by contract; `switch` comes last.
        let w = unsafe { &mut *world };
        w.check_progress();
        let (me, now) = (w.current, w.now);
        if w.thread().leave_core {
            w.thread().leave_core = false;
            w.preempt(me, now);
        } else if w.guide.is_none() {
            w.push(me, now, Pending::Ahead);
        }
        // SAFETY: `w` is not used any more.
        unsafe { World::switch(world) };
    }

    /// An operation on a word: everything but its effect.
    ///
    /// # Safety
    /// As [`World::switch`].
    #[inline(always)]
    pub(super) unsafe fn operate(world: *mut World, address: usize, op: Op) {
        // SAFETY: the caller holds no reference, by contract.
        unsafe { World::turn(world) };
        // SAFETY: nothing else uses the world until the next switch, in `miss`.
        let w = unsafe { &mut *world };
        let line = w.lines.find(address, w.core);
        if w.lines.hits(line, w.core, op, w.now) {
            w.now += w.hit[op as usize];
            w.note_operation(line, op);
            // In a guided run it always is.
            if w.horizon == 0 {
                w.mark_guided(line, op);
            }
        } else {
            // SAFETY: `w` is not used any more.
            unsafe { World::miss(world, line, op) };
        }
    }

    /// An operation that the core's own copy does not serve.
    #[inline(never)]
    unsafe fn miss(world: *mut World, line: LineIndex, op: Op) {
        // SAFETY: by contract; `w` is not used after the switch.
        let w = unsafe { &mut *world };
        let (me, now) = (w.current, w.now);
        if w.lines.is_busy(line) {
            let queued = Queued { arrival: now, thread: me, op };
            w.lines.at(line).enqueue(queued);
            w.thread().granted = false;
            w.thread().pending = Pending::Operation;
        } else {
            let end = w.start(line, Queued { arrival: now, thread: me, op });
            if end < w.horizon {
                w.now = end;
                w.finish(line, op);
                return;
            }
            w.push(me, end, Pending::Operation);
        }
        // SAFETY: `w` is not used any more.
        unsafe { World::switch(world) };
        // SAFETY: the switch is over.
        unsafe { (*world).finish(line, op) };
    }

    /// The running thread's transaction has ended.
    fn finish(&mut self, line: LineIndex, op: Op) {
        let hold = self.draw(self.current, u64::from(self.preset.hold_window_cycles) + 1);
        self.lines.finish(line, self.core, op, self.now, hold);
        self.note_operation(line, op);
        self.serve(line);
        self.now = self.threads[self.current as usize].answered;
    }

    /// Starts a transaction on a line that is not taken; when it will end.
    fn start(&mut self, line: LineIndex, request: Queued) -> u64 {
        let Queued { arrival, thread, op } = request;
        let core = self.threads[thread as usize].core;
        let grant = self.lines.start(line, core, op, arrival, &self.preset);
        let account = &mut self.threads[thread as usize].account;
        account.charge(Part::Queue, grant.queue_cycles(arrival));
        let shared = grant.invalidated > 0 && grant.prior_is_shared();
        let part = if shared { Part::Invalidation } else { Part::Transfer };
        account.charge(part, grant.cycles());
        self.threads[thread as usize].answered = grant.end + u64::from(grant.back);
        self.totals.misses += 1;
        self.totals.transfers += u64::from(grant.from != core);
        self.totals.invalidations += u64::from(grant.invalidated);
        if self.tape.is_some() {
            let serial = self.lines.at(line).serial;
            self.mark(thread, arrival, Step::Miss(Miss::new(serial, op, arrival, &grant)));
        }
        if !matches!(op, Op::Load) && !self.lines.at(line).watchers.is_empty() {
            self.disturb(line, grant.start);
        }
        grant.end
    }

    /// The copies of a line go away at `start`: whoever watches it will look again, each at a random moment of its poll
    /// period.
    fn disturb(&mut self, line: LineIndex, start: u64) {
        let mut watchers = std::mem::take(&mut self.lines.at(line).watchers);
        let mut moved = std::mem::take(&mut self.moved);
        for &thread in &watchers {
            let arrival = start + self.draw(thread, self.poll);
            self.stop_watching(thread, arrival);
            self.threads[thread as usize].pending = Pending::Operation;
            self.threads[thread as usize].granted = false;
            moved.push(Queued { arrival, thread, op: Op::Load });
        }
        moved.sort_unstable_by_key(|q| (q.arrival, q.thread));
        watchers.clear();
        let line = self.lines.at(line);
        line.watchers = watchers;
        line.queue.extend(moved.drain(..));
        self.moved = moved;
    }

    /// A watcher stops at this moment: what it spent polling is charged.
    pub(super) fn stop_watching(&mut self, thread: u32, now: u64) {
        let poll = self.poll;
        let state = &mut self.threads[thread as usize];
        let watched = now.saturating_sub(state.since);
        state.account.charge(Part::Spin, watched);
        state.polls_skipped += watched / poll;
        state.watched = NO_LINE;
    }

    /// Starts what waits for the line, as far as that is certain: reads one after another, up to an exclusive request; where
    /// lines keep no order, one request.
    fn serve(&mut self, line: LineIndex) {
        while !self.lines.is_taken(line) {
            let next = if self.preset.any_order { self.any(line) } else { 0 };
            let Some(request) = self.lines.at(line).queue.remove(next) else { break };
            if request.arrival > self.lines.free_at(line).max(self.now) {
                // A watcher that will look later: others may come before it.
                self.push(request.thread, request.arrival, Pending::Ahead);
                continue;
            }
            self.threads[request.thread as usize].granted = true;
            let end = self.start(line, request);
            self.push(request.thread, end, Pending::Operation);
        }
    }

    /// Draws one of those who wait for the line, when the transaction before has ended: its place in the queue. The next may
    /// start a little later, and who arrives between is too late.
    fn any(&mut self, line: LineIndex) -> usize {
        let until = self.lines.free_at(line).max(self.now);
        let arrived = self.lines.at(line).arrived(until) as u64;
        if arrived > 1 { self.draw(self.current, arrived) as usize } else { 0 }
    }

    /// Waits until a word may have changed, and reads it: returns when the running thread may look at it again.
    ///
    /// # Safety
    /// As [`World::switch`].
    pub(super) unsafe fn watch(world: *mut World, address: usize) {
        // SAFETY: the caller holds no reference, by contract.
        unsafe { World::turn(world) };
        // SAFETY: `w` is not used after the next switch.
        let w = unsafe { &mut *world };
        w.check_progress();
        let (me, now) = (w.current, w.now);
        let line = w.lines.find(address, w.core);
        if !w.lines.hits(line, w.core, Op::Load, now) {
            // SAFETY: `w` is not used any more.
            unsafe { World::miss(world, line, Op::Load) };
            return;
        }
        w.thread().since = now;
        w.thread().granted = false;
        if let Some(start) = w.lines.ends_at(line) {
            let arrival = start + w.draw(me, w.poll);
            w.stop_watching(me, arrival);
            w.thread().pending = Pending::Operation;
            w.lines.at(line).enqueue(Queued { arrival, thread: me, op: Op::Load });
        } else {
            w.thread().watched = line;
            w.lines.at(line).watchers.push(me);
        }
        w.mark(me, now, Step::Watch);
        // SAFETY: `w` is not used any more.
        unsafe { World::switch(world) };
        // SAFETY: the switch is over.
        let w = unsafe { &mut *world };
        if w.thread().granted {
            w.finish(line, Op::Load);
        } else {
            // SAFETY: `w` is not used any more.
            unsafe { World::operate(world, address, Op::Load) };
        }
    }
}
