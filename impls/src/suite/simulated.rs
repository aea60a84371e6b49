//! Short programs on simulated machines, with one seed after another: what a lock did wrong, if anything.
//!
//! The seed moves every thread by fractions of a section, so that a few hundred of them meet most interleavings of two or
//! three steps; and each that fails can be had again. The memory of these machines does not reorder: a lock whose fault
//! is an ordering passes.
//!
//! | program | asks | of |
//! |---|---|---|
//! | `contend` | do all get through, alone, and leave nothing behind? | all |
//! | `tries` | the same, entering by a try | those with a try |
//! | `timed` | the same, entering by a deadline that races with unlocks | those with a time-out |
//! | `pair` | the same of two threads that come back at once | all |
//! | `levels` | the same, two levels deep | recursive ones |
//! | `line` | are waiters served in the order in which they came? | first come, first served |
//! | `looks` | are answers true, and deadlines kept, while another thread holds? | those that answer |

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Mutex;

use super::mutants::Fault;
use super::panic_text;
use super::troubled::{Trouble, Troubled};
use crate::card::{Capability, Card, Defaults, Fairness, Role, Runs};
use crate::machine::sim::preset::Preset;
use crate::machine::sim::{Setup, Sim, clock_cycles, simulate};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex};
use crate::probe::Event;

/// The machine of the programs: what troubles it is decided for each run, so that a lock is compiled for it once.
type S = Troubled<Sim>;

/// One thing that a lock did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Its kind.
    pub fault: Fault,
    /// The program that showed it.
    pub program: &'static str,
    /// The preset on which it ran.
    pub preset: &'static str,
    /// The seed that shows it again.
    pub seed: u64,
    /// What happened.
    pub text: String,
}

/// Runs every program that the card of `I` allows, on two machines under `trouble`, with each seed until something is
/// wrong. A lock that does not run on simulated machines, and the floor, pass.
pub fn examine<I: MutexImpl>(seeds: RangeInclusive<u64>, trouble: Trouble) -> Vec<Wrong> {
    if I::CARD.runs != Runs::AnyMachine || I::CARD.role == Role::Floor {
        return Vec::new();
    }
    let mut found = Vec::new();
    // One with a core for each thread, one with a core for two or three.
    for preset in ["laptop-8", "vm-2"] {
        let machine = Preset::builtin(preset).expect("a preset of this crate");
        let setup = Setup { preset: Rc::new(machine), observe: true, marks: 0, marks_from: 0 };
        for (program, applies, run) in Programs::<I>::ALL {
            // Arrivals in a known order need a core each.
            let staged = matches!(*program, "line" | "looks");
            // How late a time-out is cannot be told by a clock that steps back.
            let told = *program != "looks" || trouble != Trouble::ClockGoesBack;
            if !applies(&I::CARD) || staged && preset == "vm-2" || !told {
                continue;
            }
            let mut wrong = Vec::new();
            for seed in seeds.clone() {
                let notes = Notes::default();
                let simulation = || simulate(&setup, || run(seed, &notes));
                let outcome = catch_unwind(AssertUnwindSafe(|| trouble.during(simulation)));
                if let Err(panic) = outcome {
                    let text = panic_text(&*panic);
                    let hang = text.starts_with("deadlock after") || text.starts_with("livelock after");
                    notes.add(if hang { Fault::Hang } else { Fault::Panic }, text.to_owned());
                }
                for (fault, text) in notes.take() {
                    wrong.push(Wrong { fault, program, preset, seed, text });
                }
                if !wrong.is_empty() {
                    break;
                }
            }
            found.append(&mut wrong);
        }
    }
    found
}

/// What a program noticed while it ran.
#[derive(Default)]
struct Notes(Mutex<Vec<(Fault, String)>>);

impl Notes {
    fn add(&self, fault: Fault, text: String) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).push((fault, text));
    }
    fn expect(&self, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.add(Fault::Answer, text());
        }
    }
    fn take(self) -> Vec<(Fault, String)> {
        self.0.into_inner().unwrap_or_else(|e| e.into_inner())
    }
}

/// Name, the cards that it is for, and the program, given a seed.
type Program = (&'static str, fn(&Card) -> bool, fn(u64, &Notes));

/// The programs for one implementation.
struct Programs<I>(core::marker::PhantomData<I>);

impl<I: MutexImpl> Programs<I> {
    const ALL: &[Program] = &[
        ("contend", |_| true, |seed, notes| sections::<I>(seed, notes, &Scene::<I>::lock)),
        (
            "tries",
            |card| card.offers(Capability::TryLock),
            |seed, notes| sections::<I>(seed, notes, &Scene::<I>::try_or_lock),
        ),
        (
            "timed",
            |card| card.offers(Capability::Timeout),
            |seed, notes| sections::<I>(seed, notes, &Scene::<I>::lock_by_deadline),
        ),
        ("pair", |_| true, pair::<I>),
        ("levels", |card| card.offers(Capability::Recursive), levels::<I>),
        ("line", |card| card.fairness == Fairness::Fifo, line::<I>),
        ("looks", |_| true, looks::<I>),
    ];
}

type Lock<I> = <I as MutexImpl>::Lock<S, Defaults>;
type Context<I> = <Lock<I> as RawMutex<S>>::Context;

/// A lock and the counter that it guards.
struct Scene<I: MutexImpl> {
    lock: Lock<I>,
    counter: <S as Machine>::AtomicU64,
    entered: <S as Machine>::AtomicU64,
}

impl<I: MutexImpl> Scene<I> {
    fn new() -> Self {
        let words = || <S as Machine>::AtomicU64::new(0);
        Scene { lock: I::build::<S, Defaults>(Defaults), counter: words(), entered: words() }
    }
    fn object(&self) -> usize {
        core::ptr::from_ref(&self.lock).addr()
    }

    /// Enters by `enter`, with the reports by which a deadlock is told.
    fn enter(&self, context: &mut Context<I>, enter: impl FnOnce(&mut Context<I>) -> bool) -> bool {
        S::event(Event::Request { intended_ns: 0 }, self.object());
        let entered = enter(context);
        if entered {
            S::event(Event::Acquired, self.object());
        }
        entered
    }
    fn leave(&self, context: &mut Context<I>) {
        S::event(Event::Releasing, self.object());
        self.lock.unlock(context);
    }
    /// A section: not an atomic addition, so that two threads in it lose a count.
    fn section(&self, work_cycles: u32) {
        let count = self.counter.load(Ordering::Relaxed);
        S::work(work_cycles);
        self.counter.store(count + 1, Ordering::Relaxed);
    }

    fn lock(&self, context: &mut Context<I>, _: u32) -> bool {
        self.lock.lock(context);
        true
    }
    fn try_or_lock(&self, context: &mut Context<I>, turn: u32) -> bool {
        match turn % 3 {
            0 => self.lock(context, turn),
            _ => self.lock.try_lock(context),
        }
    }
    fn lock_by_deadline(&self, context: &mut Context<I>, turn: u32) -> bool {
        match turn % 3 {
            0 => self.lock(context, turn),
            // From shorter than a system call to longer than a queue of sections.
            n => self.lock.lock_until(context, S::now_ns() + u64::from(S::random() % (4_000 * n))),
        }
    }

    /// What must hold when all have left.
    fn idle(&self, notes: &Notes, entered: u64) {
        let (id, can, lock) = (I::CARD.id, |capability| I::CARD.offers(capability), &self.lock);
        let count = self.counter.load(Ordering::Relaxed);
        if count != entered {
            let text = format!("{id}: of {entered} sections {count} left their count");
            notes.add(Fault::Exclusion, text);
        }
        let after = |what: &str| format!("{id}: {what} when all have left");
        notes.expect(!can(Capability::IsLocked) || !lock.is_locked(), || after("held"));
        notes.expect(!can(Capability::IsWoken) || !lock.is_woken(), || after("woken"));
        notes.expect(!can(Capability::IsStarving) || !lock.is_starving(), || after("starving"));
        if can(Capability::WaiterCount) {
            let count = lock.count();
            notes.expect(count == 0, || format!("{id}: {count} counted when all have left"));
        }
    }
}

/// A way to enter, which may fail; the number tells ways apart where there are several.
type Enter<I> = dyn Fn(&Scene<I>, &mut Context<I>, u32) -> bool + Sync;

/// Threads enter in some way and meet in sections of random length.
fn sections<I: MutexImpl>(seed: u64, notes: &Notes, enter: &Enter<I>) {
    const THREADS: usize = 4;
    const ROUNDS: u32 = 5;
    let scene = Scene::<I>::new();
    // From sections of nothing but two accesses to such that all threads queue.
    let longest_cycles = [1, 200, 1_000, 5_000][seed as usize % 4];
    S::run(THREADS, &[], seed, &|thread| {
        let mut context = scene.lock.context();
        for turn in 0..ROUNDS {
            let way = turn + thread as u32;
            if scene.enter(&mut context, |context| enter(&scene, context, way)) {
                scene.section(S::random() % longest_cycles);
                scene.leave(&mut context);
                scene.entered.fetch_add(1, Ordering::Relaxed);
            }
            S::work(S::random() % 1_000);
        }
        // Whatever the others did: a lock can still be had.
        scene.enter(&mut context, |context| scene.lock(context, 0));
        scene.leave(&mut context);
    });
    scene.idle(notes, scene.entered.load(Ordering::Relaxed));
}

/// Two threads, two sections each and nothing between them: whoever misses the last unlock is woken by no later one.
fn pair<I: MutexImpl>(seed: u64, notes: &Notes) {
    let scene = Scene::<I>::new();
    S::run(2, &[], seed, &|_| {
        let mut context = scene.lock.context();
        S::work(S::random() % 3_000);
        for _ in 0..2 {
            scene.enter(&mut context, |context| scene.lock(context, 0));
            scene.section(0);
            scene.leave(&mut context);
        }
    });
    scene.idle(notes, 4);
}

/// As [`sections`], two levels deep: the counter is touched between the inner unlock and the outer one.
fn levels<I: MutexImpl>(seed: u64, notes: &Notes) {
    const THREADS: usize = 3;
    const ROUNDS: u64 = 3;
    let scene = Scene::<I>::new();
    S::run(THREADS, &[], seed, &|_| {
        let mut context = scene.lock.context();
        for _ in 0..ROUNDS {
            scene.enter(&mut context, |context| scene.lock(context, 0));
            scene.lock.lock(&mut context);
            scene.lock.unlock(&mut context);
            scene.section(S::random() % 1_000);
            scene.leave(&mut context);
            S::work(S::random() % 1_000);
        }
    });
    scene.idle(notes, THREADS as u64 * ROUNDS);
}

/// The programs below know when each thread does what, on cores of their own, in cycles.
const STEP_CYCLES: u32 = 50_000;

/// Threads come one after the other while the first holds.
fn line<I: MutexImpl>(seed: u64, notes: &Notes) {
    const THREADS: u32 = 5;
    let scene = Scene::<I>::new();
    // Simulated threads share this host thread, and none is switched while it writes its name.
    let served = Mutex::new(Vec::new());
    S::run(THREADS as usize, &[], seed, &|thread| {
        let mut context = scene.lock.context();
        S::work(thread as u32 * STEP_CYCLES);
        scene.enter(&mut context, |context| scene.lock(context, 0));
        served.lock().unwrap_or_else(|e| e.into_inner()).push(thread);
        scene.section(if thread == 0 { THREADS * STEP_CYCLES } else { 100 });
        scene.leave(&mut context);
    });
    let served = served.into_inner().unwrap_or_else(|e| e.into_inner());
    if !served.is_sorted() {
        notes.add(Fault::Order, format!("{}: served in the order {served:?}", I::CARD.id));
    }
    scene.idle(notes, u64::from(THREADS));
}

/// Works until so many steps have passed since the beginning.
fn await_step(step: u32) {
    let now = clock_cycles().unwrap_or(0);
    let left = (u64::from(step) * u64::from(STEP_CYCLES)).saturating_sub(now);
    S::work(u32::try_from(left).unwrap_or(u32::MAX));
}

/// One holds, one waits, and one looks at all that can be looked at, when nothing changes.
fn looks<I: MutexImpl>(seed: u64, notes: &Notes) {
    /// How late a thread with a core of its own may wake up.
    const LATE_NS: u64 = 1_000_000;
    let scene = Scene::<I>::new();
    let (id, can) = (I::CARD.id, |capability| I::CARD.offers(capability));
    let look = |who: &str, threads: u32| {
        let lock = &scene.lock;
        notes.expect(!can(Capability::IsLocked) || lock.is_locked(), || format!("{id}: free with {who}"));
        if can(Capability::WaiterCount) {
            let count = lock.count();
            notes.expect(count == threads, || format!("{id}: {count} counted with {who}"));
        }
    };
    S::run(3, &[], seed, &|thread| {
        let mut context = scene.lock.context();
        match thread {
            0 => {
                scene.enter(&mut context, |context| scene.lock(context, 0));
                await_step(400);
                scene.section(0);
                scene.leave(&mut context);
            }
            1 => {
                await_step(60);
                scene.enter(&mut context, |context| scene.lock(context, 0));
                scene.section(0);
                scene.leave(&mut context);
            }
            _ => {
                await_step(2);
                look("a holder", 1);
                for _ in 0..3 {
                    if can(Capability::TryLock) && scene.lock.try_lock(&mut context) {
                        notes.add(Fault::Exclusion, format!("{id}: a try took a held lock"));
                    }
                }
                look("a holder, after three tries", 1);
                if can(Capability::Timeout) {
                    let deadline_ns = S::now_ns() + 100_000;
                    if scene.lock.lock_until(&mut context, deadline_ns) {
                        notes.add(Fault::Exclusion, format!("{id}: a held lock was taken at a deadline"));
                    }
                    let now_ns = S::now_ns();
                    notes.expect(now_ns >= deadline_ns, || format!("{id}: gave up before the deadline"));
                    let late_ns = now_ns.saturating_sub(deadline_ns);
                    notes.expect(late_ns < LATE_NS, || {
                        format!("{id}: came back {late_ns} ns after the deadline")
                    });
                    look("a holder, after a time-out", 1);
                }
                await_step(100);
                look("a holder and a waiter", 2);
            }
        }
    });
    scene.idle(notes, 2);
}
