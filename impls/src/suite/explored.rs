//! Every mutex under explored schedules: two operations of two to four threads, by each door that its card has.
//!
//! What [`campaign`] finds is short: the schedule that it ends with can be replayed, and drawn.

use crate::card::{Capability, Card, Defaults, Role, Runs};
use crate::machine::sim::Sim;
use crate::machine::sim::explore::{Options, Outcome, campaign, replay};
use crate::machine::sim::preset::Preset;
use crate::machine::sim::trace::Tape;
use crate::machine::{Atomic, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex};
use crate::probe::Event;
use crate::suite::troubled::Troubled;

/// The machine of `simulated`, so that a lock is compiled for one of them only.
type S = Troubled<Sim>;
type Lock<I> = <I as MutexImpl>::Lock<S, Defaults>;
type Context<I> = <Lock<I> as RawMutex<S>>::Context;

/// How a program's second operation enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enter {
    /// By `lock`, as the first.
    Lock,
    /// By `try_lock`.
    Try,
    /// By `lock_until`, with a deadline that some schedules meet.
    Until,
    /// Two levels deep.
    Twice,
}

impl Enter {
    const ALL: [Enter; 4] = [Enter::Lock, Enter::Try, Enter::Until, Enter::Twice];

    fn name(self) -> &'static str {
        match self {
            Enter::Lock => "lock",
            Enter::Try => "try",
            Enter::Until => "until",
            Enter::Twice => "twice",
        }
    }

    fn applies(self, card: &Card) -> bool {
        match self {
            Enter::Lock => true,
            Enter::Try => card.offers(Capability::TryLock),
            Enter::Until => card.offers(Capability::Timeout),
            Enter::Twice => card.offers(Capability::Recursive),
        }
    }

    fn enter<I: MutexImpl>(self, lock: &Lock<I>, context: &mut Context<I>) -> bool {
        match self {
            Enter::Lock => lock.lock(context),
            Enter::Try => return lock.try_lock(context),
            Enter::Until => return lock.lock_until(context, S::now_ns() + 100_000),
            Enter::Twice => {
                lock.lock(context);
                lock.lock(context);
                lock.unlock(context);
            }
        }
        true
    }
}

/// Threads, how much longer each look at the clock takes, and whether sleeps may end for no reason.
const SETTINGS: [(usize, u64, bool); 4] = [(2, 0, false), (3, 0, true), (3, 600_000, false), (4, 0, false)];

/// One campaign: what was run, and what came of it.
#[derive(Clone, Debug)]
pub struct Explored {
    /// How the second operation of a thread enters.
    pub enter: Enter,
    /// How many threads there are.
    pub threads: usize,
    /// Schedules, seed, idle wake-ups, clock.
    pub options: Options,
    /// Passed, or a failure under a short schedule.
    pub outcome: Outcome,
    /// The marks of that short schedule, if they were asked for.
    pub tape: Option<Tape>,
}

impl Explored {
    /// A name that is a safe part of a file's: `until-3-idle`.
    pub fn name(&self) -> String {
        let mut name = format!("{}-{}", self.enter.name(), self.threads);
        if self.options.spurious {
            name += "-idle";
        }
        if self.options.clock_step_ns > 0 {
            name += "-late";
        }
        name
    }

    /// What was asked, in a few words.
    pub fn asks(&self) -> String {
        let door = match self.enter {
            Enter::Lock => "two sections each",
            Enter::Try => "a try and a section each",
            Enter::Until => "a wait with a deadline and a section each",
            Enter::Twice => "two levels and a section each",
        };
        let idle = if self.options.spurious { ", sleeps that end for no reason" } else { "" };
        let late = if self.options.clock_step_ns > 0 { ", long waits" } else { "" };
        format!("{} threads, {door}{idle}{late}", self.threads)
    }

    /// The machine whose costs are the clock's ticks.
    pub fn preset(&self) -> &Preset {
        &self.options.preset
    }
}

/// Every campaign that the card of `I` allows, `schedules` each, from `seed` on; of a failure that many marks are kept.
/// None of a lock that does not run on simulated machines, or of the floor.
pub fn explore<I: MutexImpl>(schedules: u32, seed: u64, marks: usize) -> Vec<Explored> {
    if I::CARD.runs != Runs::AnyMachine || I::CARD.role == Role::Floor {
        return Vec::new();
    }
    let doors = Enter::ALL.into_iter().filter(|enter| enter.applies(&I::CARD));
    let cases = doors.flat_map(|enter| SETTINGS.map(|setting| (enter, setting)));
    let explored = cases.map(|(enter, (threads, clock_step_ns, spurious))| {
        let options = Options { clock_step_ns, spurious, ..Options::new(schedules, seed) };
        let program = || sections::<I>(threads, enter);
        let outcome = campaign(&options, program);
        let tape = match &outcome {
            Outcome::Failed(failure) if marks > 0 => {
                let replayed = replay(&options, &failure.schedule, marks, program);
                // A deadlock's run has no end, and so no report.
                let ended = || replayed.reports.into_iter().find_map(|report| report.tape);
                replayed.unfinished.or_else(ended)
            }
            _ => None,
        };
        Explored { enter, threads, options, outcome, tape }
    });
    explored.collect()
}

/// Two operations of each thread: one enters by `lock`, one by `enter`.
fn sections<I: MutexImpl>(threads: usize, enter: Enter) {
    let lock = I::build::<S, Defaults>(Defaults);
    let object = core::ptr::from_ref(&lock).addr();
    let word = <S as Machine>::AtomicU32::new;
    let (inside, counter, entered) = (word(0), word(0), std::sync::atomic::AtomicU32::new(0));
    S::run(threads, &[], 1, &|index| {
        let mut context = lock.context();
        for round in 0..2 {
            S::event(Event::Request { intended_ns: 0 }, object);
            // Some come by the other door first.
            let door = if (index + round) % 2 == 0 { enter } else { Enter::Lock };
            if !door.enter::<I>(&lock, &mut context) {
                continue;
            }
            S::event(Event::Acquired, object);
            assert_eq!(inside.swap(1, Ordering::Relaxed), 0, "two are inside");
            let seen = counter.load(Ordering::Relaxed);
            counter.store(seen + 1, Ordering::Relaxed);
            inside.store(0, Ordering::Relaxed);
            entered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            S::event(Event::Releasing, object);
            lock.unlock(&mut context);
        }
    });
    assert_eq!(counter.load(Ordering::Relaxed), entered.into_inner(), "counts were lost");
}
