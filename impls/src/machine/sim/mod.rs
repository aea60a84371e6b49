//! The simulated machine: the same sources on a computer that is described by a preset.
//!
//! Deterministic to the last cycle: a run depends on the program, the preset, the seed, and nothing else. It is a model
//! and no oracle: `docs/SIMULATION.md` says what it gets right, by how much, and what it leaves out.
//!
//! | module | holds |
//! |---|---|
//! | [`preset`] | a machine as data |
//! | `world` | the order in which threads act |
//! | `events` | what happens next |
//! | `line`, `index`, `distances` | cache lines and what requests cost |
//! | `sched` | the scheduler of the simulated operating system |
//! | `kernel` | futexes and parking |
//! | [`ledger`] | where each thread's cycles went |
//! | [`trace`] | step by step, on demand |
//! | `words`, `thread`, `stack` | words, and simulated threads with their stacks |
//! | `run` | a simulation from beginning to end |
//! | [`explore`] | many schedules in place of the clock's |
//!
//! A simulation runs on one host thread; several may run side by side on several.

mod distances;
mod events;
pub mod explore;
mod index;
mod kernel;
pub mod ledger;
mod line;
pub mod preset;
mod run;
mod sched;
mod stack;
mod thread;
pub mod trace;
mod words;
mod world;

use core::marker::PhantomData;

use self::ledger::Part;
use self::preset::Op;
use self::world::{WORLD, World};
use super::{Machine, Ordering, Waited};
use crate::probe::{Event, NoProbe, Probe};

pub use self::run::{
    Failed, Report, Setup, ThreadAccount, account, clock_cycles, simulate, take_failed, totals,
};
pub use self::thread::Totals;
pub use self::words::{SimCell, SimI32, SimPtr, SimU32, SimU64, SimUsize};

/// A simulated computer, observed by `P`. Which one, [`simulate`] says. Probes cost no simulated time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sim<P: Probe = NoProbe>(PhantomData<P>);

/// A simulated thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimThread(u32);

/// The world, for an operation that makes sense inside a simulation only.
fn world(operation: &str) -> *mut World {
    let world = WORLD.get();
    assert!(!world.is_null(), "{operation} of the simulated machine outside of a simulation");
    world
}

/// A short look at the world, if there is one.
fn look<R>(look: impl FnOnce(&mut World) -> R) -> Option<R> {
    // SAFETY: the pointer is null or that of the world whose threads run on this host thread; the reference ends with
    // the closure, and closures here do not switch.
    unsafe { WORLD.get().as_mut() }.map(look)
}

impl<P: Probe> Machine for Sim<P> {
    type Probe = P;
    type AtomicU32 = SimU32;
    type AtomicI32 = SimI32;
    type AtomicU64 = SimU64;
    type AtomicUsize = SimUsize;
    type AtomicPtr<T: 'static> = SimPtr<T>;
    type Cell<T: 'static> = SimCell<T>;
    type Thread = SimThread;

    fn current() -> SimThread {
        SimThread(look(|w| w.current).unwrap_or(world::NOBODY))
    }
    fn park() {
        // SAFETY: the world of this host thread, and no reference into it is held here.
        unsafe { World::park(world("park"), None) };
    }
    fn park_until(deadline_ns: u64) {
        let world = world("park_until");
        let deadline = look(|w| w.preset.cycles(deadline_ns));
        // SAFETY: as in `park`.
        unsafe { World::park(world, deadline) };
    }
    fn unpark(thread: &SimThread) {
        // SAFETY: as in `park`.
        unsafe { World::unpark(world("unpark"), thread.0) };
    }

    fn futex_wait(word: &SimU32, expected: u32, deadline_ns: Option<u64>) -> Waited {
        let deadline = deadline_ns.and_then(|ns| look(|w| w.preset.cycles(ns)));
        // SAFETY: as in `park`.
        unsafe { World::futex_wait(world("futex_wait"), word.place(), || word.peek() == expected, deadline) }
    }
    fn futex_wake(word: &SimU32, count: u32) {
        // SAFETY: as in `park`.
        unsafe { World::futex_wake(world("futex_wake"), word.place(), count) };
    }

    fn fence(_: Ordering) {
        look(|w| w.spend(Part::Work, u64::from(w.preset.local.fence)));
    }
    fn pause(rounds: u32) {
        let guided = look(|w| {
            w.spend(Part::Spin, u64::from(w.preset.local.pause) * u64::from(rounds));
            w.guide.is_some()
        });
        if guided == Some(true) {
            look(|w| w.yields());
            // SAFETY: as in `park`.
            unsafe { World::turn(world("pause")) };
        }
    }
    fn yield_now() {
        let world = world("yield_now");
        look(|w| {
            w.spend(Part::Kernel, w.os.syscall);
            w.yields();
        });
        // SAFETY: as in `park`; the reference ends before the switch.
        unsafe {
            World::turn(world);
            if (*world).yield_core() {
                World::switch(world);
            }
        }
    }
    fn can_spin() -> bool {
        look(|w| w.preset.cores > 1).unwrap_or(false)
    }
    fn now_ns() -> u64 {
        look(|w| {
            w.spend(Part::Work, u64::from(w.preset.local.clock_read) + w.clock_step);
            w.clock_read_at = w.clock_read_at.max(w.now);
            w.preset.ns(w.now)
        })
        .unwrap_or(0)
    }
    fn work(cycles: u32) {
        look(|w| {
            let cycles = u64::from(cycles);
            let slowed = w.shares_its_core();
            let percent = if slowed { u64::from(w.preset.sibling_work_percent) } else { 100 };
            w.spend(Part::Work, cycles * percent / 100);
            w.quiet_since = w.quiet_since.max(w.now);
        });
    }
    fn work_cycles(duration_ns: u64) -> u32 {
        let cycles =
            look(|w| w.preset.cycles(duration_ns)).or_else(|| run::preset(|p| p.cycles(duration_ns)));
        cycles.map_or(0, |cycles| u32::try_from(cycles).unwrap_or(u32::MAX))
    }
    fn random() -> u32 {
        look(|w| w.random(w.current)).unwrap_or(0)
    }
    fn thread_id() -> u64 {
        look(|w| u64::from(w.current) + 1).unwrap_or(u64::MAX)
    }
    fn core() -> u32 {
        look(|w| u32::from(w.place())).unwrap_or(0)
    }
    fn node() -> u32 {
        look(|w| w.preset.node_of_core.get(usize::from(w.place())).map_or(0, |&node| u32::from(node)))
            .unwrap_or(0)
    }

    fn observed<R>(slot: &P::Slot, body: impl FnOnce() -> R) -> R {
        /// Puts the previous slot back, also when the body panics.
        struct Restore(*const ());
        impl Drop for Restore {
            fn drop(&mut self) {
                look(|w| w.thread().slot = self.0);
            }
        }
        let slot = core::ptr::from_ref(slot).cast();
        let _restore = Restore(look(|w| std::mem::replace(&mut w.thread().slot, slot)).unwrap_or_default());
        body()
    }
    #[inline]
    fn event(event: Event, object: usize) {
        let Some((event, now_ns, slot)) = look(|w| w.report(event, object)).flatten() else { return };
        if P::ON && !slot.is_null() {
            // SAFETY: `observed` set the pointer to a slot of this machine's probe, which is borrowed until `observed`
            // takes it back; it belongs to the simulated thread that runs, so nobody else uses it now.
            P::event(unsafe { &*slot.cast::<P::Slot>() }, event, object, &|| now_ns);
        }
    }

    fn stand_aside() {
        look(World::stand_aside);
    }
    fn observer_ns() -> u64 {
        look(|w| w.preset.ns(w.now)).unwrap_or(0)
    }
    fn unobserved<R>(body: impl FnOnce() -> R) -> R {
        /// Puts the world back, also when the body panics.
        struct Restore(*mut World);
        impl Drop for Restore {
            fn drop(&mut self) {
                WORLD.set(self.0);
            }
        }
        let _restore = Restore(WORLD.replace(core::ptr::null_mut()));
        body()
    }

    fn run(threads: usize, cpus: &[usize], seed: u64, body: &(dyn Fn(usize) + Sync)) {
        run::run(threads, cpus, seed, body);
    }
}

impl World {
    /// Whether another hardware thread of the same physical core has something to run.
    fn shares_its_core(&self) -> bool {
        self.preset.sibling_work_percent != 100
            && self
                .lines
                .siblings(self.core)
                .iter()
                .any(|&c| self.cores[usize::from(c)].running != world::NOBODY)
    }

    /// Follows a report of the driver or of a primitive: what the probe is to see, and when. Nothing if nobody listens.
    #[inline]
    fn report(&mut self, event: Event, object: usize) -> Option<(Event, u64, *const ())> {
        if !self.observe {
            return None;
        }
        let (me, now) = (self.current, self.now);
        let mut event = event;
        if matches!(
            event,
            Event::Begin { .. } | Event::Request { .. } | Event::Acquired | Event::Releasing | Event::End
        ) {
            self.quiet_since = self.quiet_since.max(now);
        }
        let account = &mut self.threads[me as usize].account;
        match &mut event {
            Event::Begin { .. } => account.begin(now),
            Event::End => {
                let ledger = account.end(now);
                self.stretches.push((me, ledger));
            }
            Event::Request { .. } => account.request(object, now, &mut self.objects),
            Event::Acquired => account.acquired(me, now, &mut self.objects),
            Event::Nested { .. } => account.nested(),
            Event::Releasing => account.releasing(object, now, &mut self.objects),
            Event::ParkEnd { .. } => account.woken(now),
            Event::LostRace => account.lost_race(now),
            // The driver awaits words too: its polls are no part of the spin.
            Event::SpinBegin => self.threads[me as usize].polls_skipped = 0,
            // Polls that the machine did not make, since it knew their outcome, count all the same.
            Event::SpinEnd { rounds } => {
                let skipped = std::mem::take(&mut self.threads[me as usize].polls_skipped);
                *rounds = rounds.saturating_add(u32::try_from(skipped).unwrap_or(u32::MAX));
            }
            _ => {}
        }
        if let Some(tape) = &mut self.tape {
            let number = self.objects.number(object).unwrap_or(u32::MAX);
            tape.push(me, now, trace::Step::Report(event, number));
        }
        let slot = self.threads[me as usize].slot;
        Some((event, self.preset.ns(now), slot))
    }
}

const _: () = assert!(preset::OPS == Op::ALL.len());
