//! Where the cycles of each simulated thread went, exactly.
//!
//! Every cycle of a thread belongs to one *part*: what the machine charged (see [`Part`]), and work for the rest. It also
//! belongs to one *phase* of the driver's loop: thinking, waiting, holding. Both are kept as integers and add up to the
//! thread's time without remainder.

use std::collections::HashMap;

/// What a thread's cycles went into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// Instructions of its own: private work, hits, everything not named below.
    Work,
    /// A request waited until the line was free.
    Queue,
    /// A line was on its way from another core or from memory; or a request to a shared cache was, there and back.
    Transfer,
    /// A line was here, or near, and the copies of others were being taken away.
    Invalidation,
    /// Polling: pauses, and watching a word that did not change.
    Spin,
    /// Asleep, until somebody woke it or its time was over.
    Park,
    /// Ready, while another thread ran on its core.
    RunQueue,
    /// Woken, while its idle core started up.
    Wake,
    /// In the kernel on its own behalf: system calls, switches, queues at a futex bucket.
    Kernel,
    /// Of a wait by polling or sleeping: the holder was not on a core. Only in waits.
    HolderPreempted,
    /// Of a wait: from a wake-up to the moment at which it turned out that somebody else had been faster. Only in waits.
    LostRace,
}

/// Number of [`Part`]s.
pub const PARTS: usize = 11;

impl Part {
    /// All parts, in the order of their tables.
    pub const ALL: [Part; PARTS] = [
        Part::Work,
        Part::Queue,
        Part::Transfer,
        Part::Invalidation,
        Part::Spin,
        Part::Park,
        Part::RunQueue,
        Part::Wake,
        Part::Kernel,
        Part::HolderPreempted,
        Part::LostRace,
    ];

    /// The name in records, with the unit that it is counted in.
    pub fn name(self) -> &'static str {
        [
            "work_cycles",
            "queue_cycles",
            "transfer_cycles",
            "invalidation_cycles",
            "spin_cycles",
            "park_cycles",
            "run_queue_cycles",
            "wake_cycles",
            "kernel_cycles",
            "holder_preempted_cycles",
            "lost_race_cycles",
        ][self as usize]
    }
}

/// What a thread does, by the driver's reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Neither waiting nor holding.
    #[default]
    Think,
    /// From asking to having.
    Wait,
    /// From having to giving back.
    Hold,
}

/// Cycles by part.
pub type Parts = [u64; PARTS];

/// What one thread did in one stretch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadLedger {
    /// Cycles by phase and part: `cycles[phase][part]`.
    pub cycles: [Parts; 3],
    /// Length of the stretch, by its first and its last cycle.
    pub span: u64,
    /// Acquires.
    pub acquires: u64,
    /// The longest wait and when it began, in cycles.
    pub longest_wait: Option<(u64, u64)>,
}

impl ThreadLedger {
    /// All cycles.
    pub fn total(&self) -> u64 {
        self.cycles.iter().flatten().sum()
    }
}

/// The running account of one thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// Charged so far, over the thread's life; `Work` is not kept but follows from the time.
    charged: Parts,
    phase: Phase,
    /// What was charged, and when, at the beginning of the phase.
    at_begin: Parts,
    begin: u64,
    /// The same at the last wake-up within a wait.
    at_wake: Option<(Parts, u64)>,
    lost: Parts,
    preempted_at_begin: u64,
    /// What it asked for last.
    object: usize,
    /// What it holds, the innermost last.
    held: Vec<usize>,
    /// Whether it will ask for more while it holds.
    nested: bool,
    /// When the stretch began.
    stretch: u64,
    pub(super) ledger: ThreadLedger,
}

impl Account {
    /// Charges cycles to a part.
    #[inline(always)]
    pub(super) fn charge(&mut self, part: Part, cycles: u64) {
        self.charged[part as usize] += cycles;
    }

    /// What was charged to `part` so far.
    pub(super) fn charged(&self, part: Part) -> u64 {
        self.charged[part as usize]
    }

    fn spent(&self, from: &Parts, since: u64, now: u64) -> Parts {
        let mut spent: Parts = std::array::from_fn(|part| self.charged[part] - from[part]);
        spent[Part::Work as usize] = (now - since).saturating_sub(spent.iter().sum());
        spent
    }

    fn enter(&mut self, phase: Phase, now: u64) {
        (self.phase, self.begin, self.at_begin) = (phase, now, self.charged);
        (self.at_wake, self.lost) = (None, [0; PARTS]);
    }

    fn leave(&mut self, now: u64) -> Parts {
        let spent = self.spent(&self.at_begin, self.begin, now);
        for (sum, part) in self.ledger.cycles[self.phase as usize].iter_mut().zip(spent) {
            *sum += part;
        }
        spent
    }

    /// A stretch begins: what was before does not count.
    pub(super) fn begin(&mut self, now: u64) {
        self.ledger = ThreadLedger::default();
        self.stretch = now;
        self.held.clear();
        self.enter(Phase::Think, now);
    }

    /// It ends.
    pub(super) fn end(&mut self, now: u64) -> ThreadLedger {
        self.leave(now);
        self.enter(Phase::Think, now);
        self.ledger.span = now - self.stretch;
        std::mem::take(&mut self.ledger)
    }

    /// It keeps what it holds when it asks next.
    pub(super) fn nested(&mut self) {
        self.nested = true;
    }

    pub(super) fn request(&mut self, object: usize, now: u64, objects: &mut Objects) {
        // Of some objects there is nothing to give back.
        if !std::mem::take(&mut self.nested) {
            self.held.clear();
        }
        self.leave(now);
        self.enter(Phase::Wait, now);
        self.object = object;
        self.preempted_at_begin = objects.preempted(object, now);
    }

    pub(super) fn acquired(&mut self, thread: u32, now: u64, objects: &mut Objects) {
        let mut spent = self.spent(&self.at_begin, self.begin, now);
        for (part, &lost) in self.lost.iter().enumerate() {
            let moved = lost.min(spent[part]);
            spent[part] -= moved;
            spent[Part::LostRace as usize] += moved;
        }
        // What the holder's absence explains is part of what the waiter spent polling or asleep.
        let mut absent = objects.preempted(self.object, now).saturating_sub(self.preempted_at_begin);
        for part in [Part::Spin, Part::Park] {
            let moved = absent.min(spent[part as usize]);
            spent[part as usize] -= moved;
            spent[Part::HolderPreempted as usize] += moved;
            absent -= moved;
        }
        for (sum, part) in self.ledger.cycles[Phase::Wait as usize].iter_mut().zip(spent) {
            *sum += part;
        }
        let waited = now - self.begin;
        if self.ledger.longest_wait.is_none_or(|(longest, _)| waited > longest) {
            self.ledger.longest_wait = Some((waited, self.begin));
        }
        self.ledger.acquires += 1;
        self.enter(Phase::Hold, now);
        self.held.push(self.object);
        objects.taken(self.object, thread);
    }

    pub(super) fn releasing(&mut self, object: usize, now: u64, objects: &mut Objects) {
        self.leave(now);
        if let Some(place) = self.held.iter().rposition(|&held| held == object) {
            self.held.remove(place);
        }
        self.enter(if self.held.is_empty() { Phase::Think } else { Phase::Hold }, now);
        objects.given_back(object);
    }

    pub(super) fn woken(&mut self, now: u64) {
        if self.phase == Phase::Wait {
            self.at_wake = Some((self.charged, now));
        }
    }

    pub(super) fn lost_race(&mut self, now: u64) {
        if let Some((charged, since)) = self.at_wake.take() {
            let spent = self.spent(&charged, since, now);
            for (sum, part) in self.lost.iter_mut().zip(spent) {
                *sum += part;
            }
        }
    }

    /// What the thread waits for and since when, if it waits.
    pub(super) fn waits(&self) -> Option<(usize, u64)> {
        (self.phase == Phase::Wait).then_some((self.object, self.begin))
    }

    /// What it holds, the innermost last.
    pub(super) fn holds(&self) -> &[usize] {
        &self.held
    }
}

/// What threads ask for: who holds each, and for how long its holders were off their cores.
#[derive(Debug, Default)]
pub(super) struct Objects(HashMap<usize, Object>);

#[derive(Debug, Default)]
struct Object {
    /// In the order in which they were first asked for: addresses differ from host to host.
    number: u32,
    holder: Option<u32>,
    /// Cycles until `since`.
    preempted: u64,
    /// Since when its holder is off its core.
    since: Option<u64>,
}

impl Objects {
    fn of(&mut self, object: usize) -> &mut Object {
        let number = self.0.len() as u32;
        self.0.entry(object).or_insert_with(|| Object { number, ..Object::default() })
    }

    /// The number of an object, if anybody has asked for it.
    pub(super) fn number(&self, object: usize) -> Option<u32> {
        Some(self.0.get(&object)?.number)
    }

    fn preempted(&mut self, object: usize, now: u64) -> u64 {
        let object = self.of(object);
        object.preempted + object.since.map_or(0, |since| now.saturating_sub(since))
    }

    fn taken(&mut self, object: usize, thread: u32) {
        self.of(object).holder = Some(thread);
    }

    fn given_back(&mut self, object: usize) {
        self.of(object).holder = None;
    }

    /// The holder of `object` loses its core.
    pub(super) fn holder_leaves(&mut self, object: usize, now: u64) {
        self.of(object).since = Some(now);
    }

    /// It has one again.
    pub(super) fn holder_returns(&mut self, object: usize, now: u64) {
        let object = self.of(object);
        if let Some(since) = object.since.take() {
            object.preempted += now.saturating_sub(since);
        }
    }

    /// Who holds the object.
    pub(super) fn holder(&self, object: usize) -> Option<u32> {
        self.0.get(&object)?.holder
    }
}
