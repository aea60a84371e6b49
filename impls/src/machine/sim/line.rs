//! Cache lines: who holds which copy until when, and what a request costs.
//!
//! ## Model
//! A line is a single server. A request that cannot be met by the requester's own copy becomes a *transaction*, and
//! transactions of one line are served one at a time, in the order of arrival. On machines that keep no order (`any_order`) the
//! next is drawn from those who wait whenever one has ended.
//! * An exclusive transaction (store, atomic) takes `miss_cycles` from its start; it takes all copies away at its start
//!   and takes effect at its end. It occupies the line meanwhile, and its owner keeps it for a random part of the
//!   hold window after that.
//! * A read takes `miss_cycles` and occupies the line for a share of them, which may exceed them. It leaves the owner a
//!   copy that it may only read.
//! * Whoever *watches* a line (awaits a change of a word) costs nothing until its copy is taken. Then it reads again, at a
//!   random moment of its poll period.
//!
//! What a transaction costs depends on the state that the ones before it leave. In the order of arrival, reads can be
//! scheduled ahead of time, one after another; an exclusive transaction blocks what comes after it until it has ended. So
//! at most one lies ahead, and copies end at one known moment.
//!
//! On machines whose directory lies at a line's home (`by_home`), a miss travels from the requester to the home, to the
//! owner and back. The published costs are those of homes at one end of the way; a home elsewhere adds a detour, which a
//! request spends while it waits, if it waits.
//!
//! On machines whose stores and atomics act at a cache that all cores share (`shared_cache`), no core owns a line. A request
//! travels there and back, and occupies the line only in between: others may be on their way meanwhile. It takes effect at
//! the cache, and its thread goes on when the answer is back.
//!
//! Lines have no capacity: a copy stays until it is taken. A line that nobody has touched belongs to its first toucher.

use std::collections::VecDeque;

use super::distances::Distances;
use super::index::Index;
use super::preset::{Op, Preset, Prior};

/// A word's cache line, as an index into [`Lines`].
pub(super) type LineIndex = u32;

/// A request, or a watcher's next look, that waits for the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) arrival: u64,
    pub(super) thread: u32,
    pub(super) op: Op,
}

/// One line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Number in the order of first touch: the name of the line in traces, the same on every host.
    pub(super) serial: u32,
    /// The core that last had the line to itself, or got it last.
    owner: u16,
    /// The core that touched it first: the line's home is there.
    home: u16,
    state: State,
    /// Copies may be read before this moment.
    read_until: u64,
    /// The owner may write before this moment.
    write_until: u64,
    /// The next transaction starts at this moment at the earliest.
    free_at: u64,
    /// An exclusive transaction is under way.
    taken: bool,
    /// Transactions that have been scheduled and have not ended.
    in_flight: u32,
    /// Cores that have a copy.
    copies: u32,
    /// Nodes that have a copy, by number modulo 64.
    nodes: u64,
    pub(super) queue: VecDeque<Queued>,
    pub(super) watchers: Vec<u32>,
}

impl Line {
    /// Puts a request behind those that arrived before it.
    #[inline]
    pub(super) fn enqueue(&mut self, request: Queued) {
        if self.queue.back().is_none_or(|last| last.arrival <= request.arrival) {
            self.queue.push_back(request);
            return;
        }
        // A watcher's next look may lie ahead.
        let behind = self.queue.iter().rposition(|q| q.arrival <= request.arrival).map_or(0, |at| at + 1);
        self.queue.insert(behind, request);
    }

    /// How many of those in the queue have arrived at this moment. Looks that lie ahead may be out of order where a poll takes
    /// longer than a miss; whoever is counted by mistake is put off until it arrives.
    pub(super) fn arrived(&self, now: u64) -> usize {
        self.queue.partition_point(|request| request.arrival <= now)
    }
}

/// What copies exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    Modified,
    Owned,
    #[default]
    Exclusive,
    Shared,
}

impl From<State> for Prior {
    fn from(state: State) -> Prior {
        match state {
            State::Modified => Prior::Modified,
            State::Owned => Prior::Owned,
            State::Exclusive => Prior::Exclusive,
            State::Shared => Prior::Shared,
        }
    }
}

/// For how many of its `cost` cycles a request occupies a line at a shared cache: a read for its share, all others for what
/// they cost beyond a read besides, both at the farthest distance. The rest is the way there and back.
fn occupancy(op: Op, prior: Prior, others: u32, cost: u32, preset: &Preset) -> u32 {
    let share = |cycles: u32| (u64::from(cycles) * u64::from(preset.read_occupancy_percent) / 100) as u32;
    let farthest = (preset.classes.len() - 1) as u8;
    let read = preset.miss_cycles(Op::Load, prior, farthest);
    let occupied = match op {
        Op::Load => share(cost),
        _ => {
            let whole = preset.miss_cycles(op, prior, farthest) + preset.sharing_cycles(others);
            whole.saturating_sub(read) + share(read)
        }
    };
    occupied.min(cost)
}

/// When a transaction starts and ends, and what it found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Cycles on the way to a shared cache, before `start`, and back, after `end`; 0 elsewhere.
    pub(super) there: u32,
    pub(super) back: u32,
    pub(super) prior: Prior,
    /// Copies of other cores that it takes away.
    pub(super) invalidated: u32,
    /// The core that it comes from.
    pub(super) from: u16,
}

impl Grant {
    /// Cycles in the line's queue of a request that was made at `asked`.
    pub(super) fn queue_cycles(&self, asked: u64) -> u64 {
        self.start - u64::from(self.there) - asked
    }

    /// Cycles that were spent on this request, besides those in the queue.
    pub(super) fn cycles(&self) -> u64 {
        self.end - self.start + u64::from(self.there) + u64::from(self.back)
    }

    /// Whether several cores may have had copies.
    pub(super) fn prior_is_shared(&self) -> bool {
        matches!(self.prior, Prior::Shared | Prior::Owned)
    }
}

/// All lines of a simulation.
pub(super) struct Lines {
    lines: Vec<Line>,
    /// Bit per core that has a copy, `words` words a line.
    copies: Vec<u64>,
    words: usize,
    index: Index,
    free: Vec<LineIndex>,
    touched: u32,
    /// Until when the owner of a line that nobody else wants may write it: for ever, or never where no core owns any.
    owned_until: u64,
    /// Whether each transaction ends before the next is chosen.
    any_order: bool,
    costs: Distances,
}

impl Lines {
    /// No lines, on this machine.
    pub(super) fn new(preset: &Preset) -> Self {
        Lines {
            lines: Vec::new(),
            copies: Vec::new(),
            words: (preset.cores as usize + 1).div_ceil(64),
            index: Index::default(),
            free: Vec::new(),
            touched: 0,
            owned_until: if preset.shared_cache { 0 } else { u64::MAX },
            any_order: preset.any_order,
            costs: Distances::new(preset),
        }
    }

    /// From now on no operation on a fresh line misses: all threads act on one core, and it owns them, whatever the machine.
    pub(super) fn belong_to_all(&mut self) {
        self.owned_until = u64::MAX;
    }

    #[inline(always)]
    pub(super) fn at(&mut self, line: LineIndex) -> &mut Line {
        &mut self.lines[line as usize]
    }

    /// The line of a word, made when `core` is the first to touch it.
    #[inline(always)]
    pub(super) fn find(&mut self, address: usize, core: u16) -> LineIndex {
        let key = address / 64;
        self.index.first(key).unwrap_or_else(|| self.search(key, core))
    }

    #[cold]
    #[inline(never)]
    fn search(&mut self, key: usize, core: u16) -> LineIndex {
        if let Some(line) = self.index.find(key) {
            return line;
        }
        let line = self.create(core);
        self.index.insert(key, line);
        line
    }

    fn create(&mut self, core: u16) -> LineIndex {
        let fresh = Line {
            serial: self.touched,
            owner: core,
            home: core,
            read_until: u64::MAX,
            write_until: self.owned_until,
            ..Line::default()
        };
        self.touched += 1;
        let line = match self.free.pop() {
            Some(line) => {
                self.lines[line as usize] = fresh;
                line
            }
            None => {
                self.lines.push(fresh);
                self.copies.resize(self.lines.len() * self.words, 0);
                (self.lines.len() - 1) as LineIndex
            }
        };
        self.only(line, core);
        line
    }

    /// A word of this address goes away: what comes to lie there later is a new line. So line numbers do not depend on
    /// which addresses the allocator gives again.
    pub(super) fn forget(&mut self, address: usize) {
        let key = address / 64;
        let Some(index) = self.index.find(key) else { return };
        let line = &self.lines[index as usize];
        if line.in_flight > 0 || !line.queue.is_empty() || !line.watchers.is_empty() {
            return;
        }
        self.free.push(index);
        self.index.remove(key);
    }

    /// Other hardware threads of the core's physical core.
    pub(super) fn siblings(&self, core: u16) -> &[u16] {
        &self.costs.siblings[usize::from(core)]
    }

    #[inline(always)]
    fn has_copy(&self, line: LineIndex, core: u16) -> bool {
        self.copies[line as usize * self.words + usize::from(core) / 64] >> (core % 64) & 1 == 1
    }

    /// Whether the core's own copy does for `op` at this moment.
    #[inline(always)]
    pub(super) fn hits(&mut self, index: LineIndex, core: u16, op: Op, now: u64) -> bool {
        let line = &mut self.lines[index as usize];
        if line.owner == core && now < line.write_until {
            if !matches!(op, Op::Load) && line.state == State::Exclusive {
                line.state = State::Modified;
            }
            return true;
        }
        matches!(op, Op::Load) && now < line.read_until && self.has_copy(index, core)
    }

    /// Whether no transaction may start before one that is under way has ended.
    #[inline(always)]
    pub(super) fn is_taken(&self, line: LineIndex) -> bool {
        let line = &self.lines[line as usize];
        line.taken || (self.any_order && line.in_flight > 0)
    }

    /// When the next transaction may start.
    #[inline(always)]
    pub(super) fn free_at(&self, line: LineIndex) -> u64 {
        self.lines[line as usize].free_at
    }

    /// When today's copies end, if that is known.
    #[inline(always)]
    pub(super) fn ends_at(&self, line: LineIndex) -> Option<u64> {
        let line = &self.lines[line as usize];
        line.taken.then_some(line.read_until)
    }

    /// Whether a request must queue.
    #[inline(always)]
    pub(super) fn is_busy(&self, line: LineIndex) -> bool {
        self.is_taken(line) || !self.lines[line as usize].queue.is_empty()
    }

    /// Nobody but `core` has a copy any more.
    fn only(&mut self, index: LineIndex, core: u16) {
        let bits = &mut self.copies[index as usize * self.words..][..self.words];
        bits.fill(0);
        bits[usize::from(core) / 64] = 1 << (core % 64);
        let line = &mut self.lines[index as usize];
        line.copies = 1;
        line.nodes = self.costs.node_bit(core);
        line.owner = core;
    }

    /// Starts a transaction of `core` that arrived at `arrival`, on a line that is not taken: when it will start and end.
    pub(super) fn start(
        &mut self,
        index: LineIndex,
        core: u16,
        op: Op,
        arrival: u64,
        preset: &Preset,
    ) -> Grant {
        let mine = self.has_copy(index, core);
        let line = &self.lines[index as usize];
        let others = line.copies - u32::from(mine);
        let prior = line.state.into();
        let from = line.owner;
        let free_at = line.free_at;
        let mut cost = self.cost(index, core, op, others, preset);
        let (mut there, mut back) = (0, 0);
        if preset.shared_cache {
            let way = cost - occupancy(op, prior, others, cost, preset);
            (there, back) = (way / 2, way - way / 2);
            cost -= way;
        }
        let start = (arrival + u64::from(there)).max(free_at);
        if preset.by_home && others > 0 {
            let waited = u32::try_from(start - arrival).unwrap_or(u32::MAX);
            cost += self.detour(index, core, preset).saturating_sub(waited);
        }
        let end = start + u64::from(cost);
        let line = &mut self.lines[index as usize];
        line.in_flight += 1;
        if matches!(op, Op::Load) {
            line.write_until = line.write_until.min(start);
            line.free_at = match preset.read_occupancy_percent {
                _ if preset.shared_cache => end,
                100 => end,
                share => start + u64::from(cost) * u64::from(share) / 100,
            };
            line.state = match line.state {
                State::Modified | State::Owned if preset.owned_state => State::Owned,
                _ => State::Shared,
            };
            line.nodes |= self.costs.node_bit(core);
            if !mine {
                line.copies += 1;
                self.copies[index as usize * self.words + usize::from(core) / 64] |= 1 << (core % 64);
            }
            Grant { start, end, there, back, prior, invalidated: 0, from }
        } else {
            line.read_until = start;
            line.write_until = line.write_until.min(start);
            line.taken = true;
            Grant { start, end, there, back, prior, invalidated: others, from }
        }
    }

    /// A transaction of `core` has ended, at this moment.
    pub(super) fn finish(&mut self, index: LineIndex, core: u16, op: Op, now: u64, hold: u64) {
        self.lines[index as usize].in_flight -= 1;
        if matches!(op, Op::Load) {
            return;
        }
        self.only(index, core);
        let owned_until = self.owned_until;
        let line = &mut self.lines[index as usize];
        line.state = State::Modified;
        line.read_until = u64::MAX;
        line.write_until = owned_until;
        line.taken = false;
        line.free_at = now + hold;
    }

    /// What a request costs, given who has copies.
    fn cost(&self, index: LineIndex, core: u16, op: Op, others: u32, preset: &Preset) -> u32 {
        let line = &self.lines[index as usize];
        let to_owner = self.costs.class(core, line.owner);
        let prior = Prior::from(line.state);
        if others == 0 && !preset.shared_cache {
            // Nobody else has it: the copy became stale by the clock only, by a transaction that came to nothing.
            return preset.local.hit[op as usize];
        }
        match (op, prior) {
            (_, Prior::Modified | Prior::Exclusive) => preset.miss_cycles(op, prior, to_owner),
            // The owner answers, whoever else has a copy.
            (Op::Load, Prior::Owned) => preset.miss_cycles(op, prior, to_owner),
            (Op::Load, _) => preset.miss_cycles(op, prior, self.nearest(index, core, to_owner)),
            _ => {
                let class = self.farthest(index, core, to_owner);
                preset.miss_cycles(op, prior, class) + preset.sharing_cycles(others)
            }
        }
    }

    /// What the way by the home takes more than the way to the owner and back. A leg is half of what a round trip adds to
    /// the cost of the nearest class.
    fn detour(&self, index: LineIndex, core: u16, preset: &Preset) -> u32 {
        let line = &self.lines[index as usize];
        let trip = |a: u16, b: u16| {
            let class = if a == b { 0 } else { self.costs.class(a, b) };
            preset.miss_cycles(Op::Load, Prior::Modified, class)
        };
        let by_home = trip(core, line.home) + trip(line.home, line.owner);
        let direct = trip(core, line.owner) + preset.miss_cycles(Op::Load, Prior::Modified, 0);
        by_home.saturating_sub(direct) / 2
    }

    /// The nearest copy, as well as the line knows: a sibling's, one in the same node, or the owner's.
    fn nearest(&self, index: LineIndex, core: u16, to_owner: u8) -> u8 {
        let costs = &self.costs;
        if let Some(&sibling) = costs.siblings[usize::from(core)].iter().find(|&&o| self.has_copy(index, o)) {
            return costs.class(core, sibling);
        }
        let node = usize::from(costs.node_of[usize::from(core)]);
        let same_node = self.lines[index as usize].nodes & costs.node_bit(core) != 0;
        if same_node && costs.nodes > 1 {
            to_owner.min(costs.near[usize::from(core) * costs.nodes + node])
        } else {
            to_owner
        }
    }

    /// The farthest copy, by nodes: the line does not keep the order in which the copies came.
    fn farthest(&self, index: LineIndex, core: u16, to_owner: u8) -> u8 {
        let (line, costs) = (&self.lines[index as usize], &self.costs);
        if costs.nodes == 1 || line.copies <= 2 {
            return to_owner;
        }
        let there = (0..costs.nodes).filter(|node| line.nodes >> (node % 64) & 1 == 1);
        there.map(|node| costs.far[usize::from(core) * costs.nodes + node]).fold(to_owner, u8::max)
    }
}
