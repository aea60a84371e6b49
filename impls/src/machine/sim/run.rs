//! A simulation from beginning to end: its setup, its threads, its report, and how it fails.
//!
//! A panic of a simulated thread ends the simulation and goes on in the caller. A simulation in which nobody can go on
//! is a deadlock: it panics at once, and says who waits for whom. So does one in which threads poll and yield for ever, as
//! soon as that is certain. In both cases the other threads are not unwound but
//! forgotten, stacks and all: their locks are in the middle of something, and unwinding would run code of theirs.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use corosensei::{Coroutine, CoroutineResult};

use super::explore::{Guide, Kind};
use super::ledger::{Part, ThreadLedger};
use super::preset::Preset;
use super::stack::ThreadStack;
use super::thread::{Life, Pending, Switches, Thread, Totals};
use super::trace::Tape;
use super::world::{NO_LINE, WORLD, World};
use crate::machine::random;

/// What to simulate on.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The machine.
    pub preset: Rc<Preset>,
    /// Whether reports of driver and primitives are followed: needed by probes, ledgers and the wait-for graph.
    pub observe: bool,
    /// Marks to keep of each run; 0: none.
    pub marks: usize,
    /// Marks are kept from this cycle on.
    pub marks_from: u64,
}

/// What one run of threads brought.
#[derive(Clone, Debug)]
pub struct Report {
    /// Hash over every operation on words and every placement of a thread on a core: equal for equal programs, presets
    /// and seeds, on every host.
    pub trace_hash: u64,
    /// Length, in cycles.
    pub cycles: u64,
    /// Sums over all threads.
    pub totals: Totals,
    /// The ledger of each stretch of each thread, in the order in which they ended: thread and ledger.
    pub stretches: Vec<(u32, ThreadLedger)>,
    /// Step by step, if asked for.
    pub tape: Option<Tape>,
}

/// What a simulated thread has used, by the simulated scheduler's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadAccount {
    /// Time on a core, ns.
    pub cpu_ns: u64,
    /// Time ready but not on a core, ns; starting up an idle core included.
    pub run_delay_ns: u64,
    /// Context switches that it asked for.
    pub voluntary_switches: u64,
    /// Context switches that it suffered.
    pub involuntary_switches: u64,
}

struct Current {
    setup: Setup,
    guide: Option<Rc<RefCell<Guide>>>,
    reports: Vec<Report>,
}

thread_local!(static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) });

/// Runs `body`, in which [`super::Sim`] is the machine that `setup` describes, and returns what it returns with a report
/// of each [`super::Machine::run`] in it.
///
/// # Panics
/// If a simulation on this host thread is under way, or if `body` panics.
pub fn simulate<R>(setup: &Setup, body: impl FnOnce() -> R) -> (R, Vec<Report>) {
    simulate_guided(setup, None, body)
}

/// [`simulate`], where not the clock but `guide` decides who goes next.
pub(super) fn simulate_guided<R>(
    setup: &Setup,
    guide: Option<Rc<RefCell<Guide>>>,
    body: impl FnOnce() -> R,
) -> (R, Vec<Report>) {
    /// Takes the setup away, also when the body panics.
    struct Clear;
    impl Drop for Clear {
        fn drop(&mut self) {
            CURRENT.with_borrow_mut(|current| *current = None);
        }
    }
    CURRENT.with_borrow_mut(|current| {
        assert!(current.is_none(), "a simulation inside of a simulation");
        *current = Some(Current { setup: setup.clone(), guide, reports: Vec::new() });
    });
    let _clear = Clear;
    let result = body();
    let reports = CURRENT.with_borrow_mut(|current| current.as_mut().map(|c| std::mem::take(&mut c.reports)));
    (result, reports.unwrap_or_default())
}

/// A look at the preset of the simulation that is set up.
pub(super) fn preset<R>(look: impl FnOnce(&Preset) -> R) -> Option<R> {
    CURRENT.with_borrow(|current| current.as_ref().map(|c| look(&c.setup.preset)))
}

/// What the calling simulated thread has used so far; `None` outside of a simulation.
pub fn account() -> Option<ThreadAccount> {
    super::look(|w| {
        let now = w.now;
        let preset = Rc::clone(&w.preset);
        let state = w.thread();
        let charged = |part| state.account.charged(part);
        let delay = charged(Part::RunQueue) + charged(Part::Wake);
        ThreadAccount {
            cpu_ns: preset.ns(now.saturating_sub(delay + charged(Part::Park))),
            run_delay_ns: preset.ns(delay),
            voluntary_switches: state.switches.voluntary,
            involuntary_switches: state.switches.involuntary,
        }
    })
}

/// The clock of the calling simulated thread in cycles, read for free; `None` outside of a simulation.
pub fn clock_cycles() -> Option<u64> {
    super::look(|w| w.now)
}

/// Sums over all threads so far; `None` outside of a simulation.
pub fn totals() -> Option<Totals> {
    super::look(|w| w.totals)
}

type Routine = Coroutine<(), (), (), ThreadStack>;

/// See [`crate::machine::Machine::run`].
pub(super) fn run(threads: usize, cpus: &[usize], seed: u64, body: &(dyn Fn(usize) + Sync)) {
    let current = CURRENT.with_borrow(|current| current.as_ref().map(|c| (c.setup.clone(), c.guide.clone())));
    let Some((setup, guide)) = current else {
        panic!("no machine to simulate on: call this inside of `sim::simulate`")
    };
    assert!(WORLD.get().is_null(), "a simulation inside of a simulated thread");
    let cores = setup.preset.cores as usize;
    if let Some(cpu) = cpus.iter().find(|&&cpu| cpu >= cores) {
        panic!("cannot run on cpu {cpu}: {} has {cores}", setup.preset.name);
    }
    let tape = (setup.marks > 0).then(|| Box::new(Tape::new(setup.marks, setup.marks_from)));
    let mut world = Box::new(World::new(Rc::clone(&setup.preset), threads, setup.observe, tape));
    world.clock_step = guide.as_ref().map_or(0, |guide| guide.borrow().clock_step);
    world.guide = guide;
    world.begin_guided(threads);
    world.threads.extend((0..threads).map(|index| Thread::new(seed, index, !cpus.is_empty())));
    for index in 0..threads {
        let core = match cpus {
            [] => setup.preset.order[index % cores],
            cpus => cpus[index % cpus.len()] as u16,
        };
        // Threads do not start in the same cycle: the seed decides who comes first.
        let delay = world.draw(index as u32, START_CYCLES);
        world.admit(index as u32, core, delay);
    }
    let world = Box::into_raw(world);
    let mut routines: Vec<Routine> = (0..threads).map(|index| routine(index, world, body)).collect();
    WORLD.set(world);
    let outcome = catch_unwind(AssertUnwindSafe(|| drive(world, &mut routines)));
    WORLD.set(std::ptr::null_mut());
    // SAFETY: the pointer came from a box, and no thread runs any more that could use it.
    let mut world = unsafe { Box::from_raw(world) };
    let stuck = outcome.is_ok() && world.threads.iter().any(|thread| thread.life != Life::Ended);
    if outcome.is_err() || stuck {
        // Stacks may hold what other memory points to: they stay for ever, as said above.
        std::mem::forget(routines);
    }
    // Of a guided run always: the program behind it may fail yet, and then there is no report.
    if outcome.is_err() || stuck || world.guide.is_some() {
        let cycle = if world.observe { world.quiet_since } else { world.now };
        FAILED.set(Some(Failed { cycle, tape: world.tape.as_deref().cloned() }));
    }
    if let Err(panic) = outcome {
        std::mem::forget(world);
        resume_unwind(panic);
    }
    if stuck {
        let text = world.stuck(Stuck::Still);
        std::mem::forget(world);
        panic!("{text}");
    }
    let report = Report {
        trace_hash: world.hash(),
        cycles: world.now,
        totals: world.totals,
        stretches: std::mem::take(&mut world.stretches),
        tape: world.tape.take().map(|tape| *tape),
    };
    CURRENT.with_borrow_mut(|current| {
        if let Some(current) = current {
            current.reports.push(report);
        }
    });
}

/// Threads start within so many cycles of each other.
const START_CYCLES: u64 = 1000;

impl Thread {
    fn new(seed: u64, index: usize, pinned: bool) -> Self {
        Thread {
            yielder: std::ptr::null(),
            core: 0,
            pinned,
            life: Life::Ready,
            pending: Pending::Nothing,
            leave_core: false,
            debt: 0,
            since: 0,
            watched: NO_LINE,
            granted: false,
            answered: 0,
            token: false,
            timed_out: false,
            random: random::seeded(seed, index),
            slot: std::ptr::null(),
            account: super::ledger::Account::default(),
            switches: Switches::default(),
            polls_skipped: 0,
        }
    }
}

/// The coroutine of a thread. It stays asleep until it is first resumed.
fn routine(index: usize, world: *mut World, body: &(dyn Fn(usize) + Sync)) -> Routine {
    // SAFETY: `run` returns only when the coroutine has ended or is never resumed again, so that the closure does not
    // use the reference after its lifetime.
    let body: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(body) };
    Coroutine::with_stack(ThreadStack::new(index), move |yielder, ()| {
        // SAFETY: the world outlives its threads, and nobody holds a reference into it while a thread is resumed.
        unsafe { (&mut (*world).threads)[index].yielder = yielder };
        body(index);
        // SAFETY: as above; the reference is made anew after the switch.
        unsafe {
            World::turn(world);
            let (me, now) = ((*world).current, (*world).now);
            (*world).retire(me, now);
        }
    })
}

/// Resumes threads until no event is left.
fn drive(world: *mut World, routines: &mut [Routine]) {
    loop {
        // SAFETY: no thread runs at this moment; the reference ends before one is resumed.
        let w = unsafe { &mut *world };
        let Some((time, thread)) = w.next.take().or_else(|| w.advance()) else { return };
        w.run_at(time, thread);
        match routines[thread as usize].resume(()) {
            CoroutineResult::Yield(()) | CoroutineResult::Return(()) => {}
        }
    }
}

impl World {
    /// Who waits for whom, for a person. Called when nobody gets anywhere.
    pub(super) fn stuck(&self, stuck: Stuck) -> String {
        let left = || self.threads.iter().enumerate().filter(|(_, thread)| thread.life != Life::Ended);
        let guide = self.guide.as_ref().map(|guide| guide.borrow());
        let endless = guide.as_ref().is_some_and(|guide| guide.stuck == Some(Kind::Endless));
        let (what, how) = match stuck {
            Stuck::InCircles => ("livelock", "poll or yield for ever, or wait for those who do"),
            Stuck::Still if endless => ("no end", "have not ended"),
            Stuck::Still => ("deadlock", "can never go on"),
        };
        let mut text = format!("{what} after {} ns: {} of ", self.preset.ns(self.now), left().count());
        let _ = write!(text, "{} threads {how}", self.threads.len());
        for (index, thread) in left() {
            let how = match thread.life {
                Life::Parked => "is parked",
                Life::Futex => "sleeps on a futex",
                _ if guide.as_ref().is_some_and(|guide| self.can_go_on(guide, index as u32)) => "can go on",
                _ if thread.watched != NO_LINE => "polls a word that nobody writes",
                _ if stuck == Stuck::InCircles => "goes round in circles",
                _ => "stands still",
            };
            let beside = if self.is_beside(thread.core) { " (beside the cores)" } else { "" };
            let _ = write!(text, "\n  thread {index}{beside} {how}");
            let number = |object| self.objects.number(object).unwrap_or(u32::MAX);
            if let Some((object, since)) = thread.account.waits() {
                let _ =
                    write!(text, ", waits for object {} since {} ns", number(object), self.preset.ns(since));
                match self.objects.holder(object) {
                    Some(holder) => {
                        let _ = write!(text, ", held by thread {holder}");
                    }
                    None => text.push_str(", held by nobody"),
                }
            }
            for &object in thread.account.holds() {
                let _ = write!(text, ", holds object {}", number(object));
            }
        }
        text
    }
}

/// How a simulation gets nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// No event is left.
    Still,
    /// Events never end.
    InCircles,
}

/// What is left of a run that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// When anybody last got anywhere, in cycles.
    pub cycle: u64,
    /// Step by step until it failed, if that was asked for.
    pub tape: Option<Tape>,
}

thread_local!(static FAILED: RefCell<Option<Failed>> = const { RefCell::new(None) });

/// Takes what is left of the last run on this host thread that panicked, in which nobody got anywhere any more, or whose
/// schedule was explored.
pub fn take_failed() -> Option<Failed> {
    FAILED.take()
}
