//! The small programs that checkers explore, for the mutex family.
//!
//! Each is a few threads with a section or two around plain data. What must hold is the same in all: the checker finds
//! no two accesses that overlap or that no ordering keeps apart, nobody waits for ever, no section's increment is lost,
//! and the lock is idle and usable when all are through.

use std::sync::atomic::{AtomicU64, Ordering as Std};

use crate::card::{Capability, Card, Runs, Tuned};
use crate::machine::checked::Setting;
use crate::machine::{Atomic, DataCell, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex};

/// A program, for any mutex that can run it.
#[derive(Debug)]
pub struct Program {
    /// Its name, for people and commands.
    pub name: &'static str,
    /// What it asks, in a few words.
    pub asks: &'static str,
    /// What it assumes of the world.
    pub setting: Setting,
    /// Threads beside the conductor.
    pub threads: usize,
    /// Most preemptions of an execution, in the short form.
    pub preemptions: usize,
    /// What the lock must be able to do.
    needs: &'static [Capability],
    /// Whether it asks anything of a lock that reads no such parameter.
    needs_param: Option<&'static str>,
    params: Tuned,
    body: Body,
}

/// What its threads do.
#[derive(Clone, Copy, Debug)]
enum Body {
    /// Each enters so many times.
    Sections(u32),
    /// The last tries once before it enters; the others enter.
    Try,
    /// The second waits until a deadline; the others enter.
    Timed,
    /// Two levels in, two out.
    Recursive,
    /// The first locks, the second unlocks; then both enter.
    Foreign,
    /// The last asks how many hold or wait, while the others enter twice.
    Count,
}

const STILL: Setting = Setting { clock_step_ns: 0, can_spin: false, timeouts: 0, spurious: 0 };
const FAR_NS: u64 = 1_000_000_000;
/// One round of spinning shows what a thousand would.
const PARAMS: Tuned = Tuned(&[("spin_rounds", 1), ("pauses_per_round", 1)]);
const BACKING_OFF: Tuned = Tuned(&[("backoff_pauses", 1)]);

const fn program(name: &'static str, asks: &'static str, threads: usize, body: Body) -> Program {
    let preemptions = if threads == 2 { 3 } else { 2 };
    Program {
        name,
        asks,
        setting: STILL,
        threads,
        preemptions,
        needs: &[],
        needs_param: None,
        params: PARAMS,
        body,
    }
}

/// All programs of the family.
pub static PROGRAMS: &[Program] = &[
    program("pair", "two threads, a section each", 2, Body::Sections(1)),
    program("again", "two threads, two sections each", 2, Body::Sections(2)),
    program("trio", "three threads, a section each", 3, Body::Sections(1)),
    Program {
        needs: &[Capability::TryLock],
        ..program("try", "a thread tries while another holds", 2, Body::Try)
    },
    Program {
        setting: Setting { timeouts: 1, ..STILL },
        needs: &[Capability::Timeout],
        ..program("timed", "a wait ends by grant or by deadline", 2, Body::Timed)
    },
    Program {
        setting: Setting { timeouts: 1, ..STILL },
        needs: &[Capability::Timeout],
        ..program("timed-trio", "a wait that times out passes on the wake that it was given", 3, Body::Timed)
    },
    Program {
        setting: Setting { spurious: 1, ..STILL },
        ..program("spurious", "sleeps that end for no reason", 2, Body::Sections(1))
    },
    Program {
        setting: Setting { clock_step_ns: 2_000_000, ..STILL },
        needs_param: Some("starvation_ns"),
        ..program("starving", "every wait is long enough to starve", 2, Body::Sections(2))
    },
    Program {
        setting: Setting { clock_step_ns: 2_000_000, ..STILL },
        needs_param: Some("starvation_ns"),
        ..program("starving-trio", "two starve at once", 3, Body::Sections(1))
    },
    Program {
        setting: Setting { can_spin: true, ..STILL },
        needs_param: Some("spin_rounds"),
        ..program("spinning", "a newcomer spins before it sleeps", 2, Body::Sections(1))
    },
    Program {
        setting: Setting { can_spin: true, ..STILL },
        needs_param: Some("spin_rounds"),
        ..program("spinning-trio", "a newcomer spins while another sleeps", 3, Body::Sections(1))
    },
    Program {
        needs_param: Some("backoff_pauses"),
        params: BACKING_OFF,
        ..program("backing-off", "waiters look again when their turn may have come", 3, Body::Sections(1))
    },
    Program {
        needs: &[Capability::Recursive],
        ..program("recursive", "the owner enters twice", 2, Body::Recursive)
    },
    Program {
        needs: &[Capability::ForeignUnlock],
        ..program("foreign", "one thread locks, another unlocks", 2, Body::Foreign)
    },
    Program {
        needs: &[Capability::WaiterCount],
        ..program("count", "a thread counts the others while they enter", 2, Body::Count)
    },
];

impl Program {
    /// The program of that name.
    pub fn named(name: &str) -> Option<&'static Program> {
        PROGRAMS.iter().find(|program| program.name == name)
    }

    /// Whether it asks anything of the implementation that `card` describes.
    pub fn applies_to(&self, card: &Card) -> bool {
        matches!(card.runs, Runs::AnyMachine)
            && self.needs.iter().all(|need| card.can.contains(need))
            && self.needs_param.is_none_or(|name| card.params.iter().any(|param| param.name == name))
    }

    /// Runs it once, by the thread that conducts.
    pub(super) fn run<I: MutexImpl, M: Machine>(&self) {
        let stage = Stage::<M, I::Lock<M, Tuned>> {
            lock: I::build::<M, Tuned>(self.params),
            data: M::Cell::new(0),
            turn: M::AtomicU32::new(0),
            sections: AtomicU64::new(0),
            can: I::CARD.can,
        };
        M::run(self.threads, &[], 1, &|index| self.play(index, &stage));
        stage.check_idle();
        // The conductor enters last: a lock that was left held, or a lost increment, shows here.
        let mut context = stage.lock.context();
        stage.enter(&mut context);
        let seen = stage.data.with(|data| {
            // SAFETY: the machine found no access that overlaps this one, or it would have ended the program.
            unsafe { *data }
        });
        stage.leave(&mut context);
        let entered = stage.sections.load(Std::Relaxed);
        assert_eq!(seen, entered, "{entered} sections left their count at {seen}");
    }

    fn play<M: Machine, L: RawMutex<M>>(&self, index: usize, stage: &Stage<M, L>) {
        let mut context = stage.lock.context();
        let context = &mut context;
        match self.body {
            Body::Sections(rounds) => (0..rounds).for_each(|_| stage.visit(context)),
            Body::Try => {
                if index + 1 == self.threads && stage.lock.try_lock(context) {
                    stage.section();
                    stage.leave(context);
                }
                stage.visit(context);
            }
            Body::Timed if index == 1 => {
                if stage.lock.lock_until(context, FAR_NS) {
                    stage.section();
                    stage.leave(context);
                }
            }
            Body::Timed => stage.visit(context),
            Body::Recursive => {
                stage.enter(context);
                stage.enter(context);
                stage.leave(context);
                stage.section();
                stage.leave(context);
            }
            Body::Foreign => {
                if index == 0 {
                    stage.enter(context);
                    stage.turn.store(1, Ordering::Release);
                } else {
                    stage.turn.spin_while(Ordering::Acquire, |turn| turn == 0);
                    stage.section();
                    stage.leave(context);
                }
                stage.visit(context);
            }
            Body::Count if index + 1 == self.threads => {
                // A lock that reads two words may count a thread twice that left and came back meanwhile.
                let (count, entries) = (stage.lock.count() as usize, 2 * (self.threads - 1));
                assert!(count <= entries, "count() is {count}, of {entries} entries in all");
            }
            Body::Count => (0..2).for_each(|_| stage.visit(context)),
        }
    }
}

/// What the threads of a program share.
struct Stage<M: Machine, L: RawMutex<M>> {
    lock: L,
    data: M::Cell<u64>,
    turn: M::AtomicU32,
    /// How many sections there were. Not a word of the machine: it must order nothing.
    sections: AtomicU64,
    can: &'static [Capability],
}

// SAFETY: `data` is reached under the lock that is checked, which is the question; the machine ends the program at the
// first access that overlaps another. The rest is `Sync` itself.
unsafe impl<M: Machine, L: RawMutex<M>> Sync for Stage<M, L> {}

impl<M: Machine, L: RawMutex<M>> Stage<M, L> {
    fn enter(&self, context: &mut L::Context) {
        self.lock.lock(context);
    }

    fn leave(&self, context: &mut L::Context) {
        self.lock.unlock(context);
    }

    fn visit(&self, context: &mut L::Context) {
        self.enter(context);
        self.section();
        self.leave(context);
    }

    /// Increments what the lock guards, by a read and a write: two threads in the section meet there.
    fn section(&self) {
        // SAFETY: see `Sync` above: the machine sees the access, and ends the program if it is not exclusive.
        let was = self.data.with(|data| unsafe { *data });
        M::work(1);
        // SAFETY: as above.
        self.data.with_mut(|data| unsafe { *data = was + 1 });
        self.sections.fetch_add(1, Std::Relaxed);
    }

    /// What the lock tells of itself when nobody uses it.
    fn check_idle(&self) {
        let can = |capability| self.can.contains(&capability);
        if can(Capability::WaiterCount) {
            assert_eq!(self.lock.count(), 0, "all threads are through, but count() is not 0");
        }
        assert!(
            !can(Capability::IsLocked) || !self.lock.is_locked(),
            "all threads are through, but it is locked"
        );
        assert!(
            !can(Capability::IsWoken) || !self.lock.is_woken(),
            "all threads are through, but one counts as woken"
        );
        let starving = can(Capability::IsStarving) && self.lock.is_starving();
        assert!(!starving, "all threads are through, but it is in starvation mode");
    }
}
