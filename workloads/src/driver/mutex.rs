//! The loop of the mutex family.
//!
//! One operation: think, ask, wait, raise the guarded counter by a load and a store, hold, look whether the counter is
//! still what it was left at, give back. The guarded data lie on lines of their own, so that no implementation is paid
//! or fined for the layout of what it guards.
//!
//! Only what is here is compiled anew for each lock.

use impls::card::ParamSource;
use impls::machine::{Atomic, Line, Machine, Ordering};
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::{Event, Probe};

use super::arena::Placed;
use super::control::{Control, nap_for};
use super::draw::Draw;
use super::stage::{self, Hands, Script, Subject};
use super::{Launch, Outcome, Witness, transfers};

/// What a lock guards. Atomics, relaxed: a lock that fails to exclude loses counts without undefined behaviour.
#[repr(C)]
pub(super) struct Guarded<M: Machine> {
    pub(super) counter: M::AtomicU64,
    /// Index of the last owner plus one; 0 for none.
    owner: M::AtomicU32,
    core: M::AtomicU32,
}

impl<M: Machine> Guarded<M> {
    pub(super) fn new() -> Self {
        let (counter, owner, core) = (M::AtomicU64::new(0), M::AtomicU32::new(0), M::AtomicU32::new(0));
        Guarded { counter, owner, core }
    }
}

/// The locks of one slice and what they guard.
struct Locks<M: Machine, L> {
    locks: Vec<Placed<L>>,
    guarded: Vec<Placed<Line<Guarded<M>>>>,
}

/// One worker's access to them.
struct LockHands<'a, M: Machine, L: RawMutex<M>> {
    subject: &'a Locks<M, L>,
    contexts: Vec<L::Context>,
}

/// Runs a launch of `I` on the machine `M`.
pub fn run<M: Machine, I: MutexImpl, S: ParamSource>(
    launch: &Launch<'_>,
    params: S,
    witness: &dyn Witness,
) -> Outcome<<M::Probe as Probe>::Slot> {
    launch_of::<M, I::Lock<M, S>>(launch, &|| I::build::<M, S>(params), witness)
}

/// Not generic over the source of parameters: implementations without parameters have one type for both sources.
fn launch_of<M: Machine, L: RawMutex<M>>(
    launch: &Launch<'_>,
    build: &(dyn Fn() -> L + Sync),
    witness: &dyn Witness,
) -> Outcome<<M::Probe as Probe>::Slot> {
    let make = |draw: &mut Draw| -> Box<dyn Subject<M>> {
        if !launch.point.take.is_one() {
            return transfers::subject(launch, build, draw);
        }
        let locks = launch.point.locks;
        Box::new(Locks::<M, L> {
            locks: (0..locks).map(|_| Placed::new(build(), draw)).collect(),
            guarded: (0..locks).map(|_| Placed::new(Line(Guarded::new()), draw)).collect(),
        })
    };
    stage::run::<M>(launch, uncontended_ns::<M, L>(launch, build), &make, witness)
}

impl<M: Machine, L: RawMutex<M>> Subject<M> for Locks<M, L> {
    fn hands(&self) -> Box<dyn Hands<M> + '_> {
        let contexts = self.locks.iter().map(|lock| lock.context()).collect();
        Box::new(LockHands { subject: self, contexts })
    }
    fn waiting(&self) -> u64 {
        waiting(&self.locks)
    }
    fn observed(&self) -> u64 {
        self.guarded.iter().map(|guarded| guarded.counter.load(Ordering::Acquire)).sum()
    }
    fn objects(&self) -> Vec<usize> {
        objects(&self.locks)
    }
}

/// Threads that wait for any of some locks, by their own count.
pub(super) fn waiting<M: Machine, L: RawMutex<M>>(locks: &[Placed<L>]) -> u64 {
    locks.iter().map(|lock| u64::from(lock.count().saturating_sub(1))).sum()
}

/// Where each of some locks lies: what probes call it.
pub(super) fn objects<L>(locks: &[Placed<L>]) -> Vec<usize> {
    locks.iter().map(|lock| core::ptr::from_ref(&**lock).addr()).collect()
}

impl<M: Machine, L: RawMutex<M>> Hands<M> for LockHands<'_, M, L> {
    /// The measured loop.
    #[inline(never)]
    fn operate(&mut self, script: &mut Script, control: &Control<M>, signal: u32) -> u64 {
        let mut done = 0;
        let mut intended_ns = 0;
        // What never changes is looked up here. Between giving back and asking again, and between getting and giving
        // back, a processor has some ns of its own: in a table's loads and stores another core would take the line away,
        // and an empty section is not as empty as it can be.
        let (think, hold, chooses) = (script.pace.steady(), script.hold.only(), script.pick.only().is_none());
        let (mut lock, mut context) = (&*self.subject.locks[0], &mut self.contexts[0]);
        let mut guarded = &*self.subject.guarded[0];
        while control.signal() == signal {
            if let Some(cycles) = think {
                M::work(cycles);
            } else if !stage::begin::<M>(&mut script.pace, control, signal, &mut intended_ns) {
                break;
            }
            if chooses {
                let pick = script.pick.step() as usize;
                (lock, context) = (&*self.subject.locks[pick], &mut self.contexts[pick]);
                guarded = &*self.subject.guarded[pick];
            }
            let object = core::ptr::from_ref(lock).addr();
            let hold = hold.unwrap_or_else(|| script.hold.step());
            M::event(Event::Request { intended_ns }, object);
            lock.lock(context);
            M::event(Event::Acquired, object);
            let mine = own::<M>(guarded, script.index, object);
            M::work(hold);
            disown::<M>(guarded, mine);
            M::event(Event::Releasing, object);
            lock.unlock(context);
            done += 1;
        }
        done
    }

    #[cold]
    fn stall(&mut self, script: &mut Script, length_ns: u64) {
        let (lock, context) = (&*self.subject.locks[0], &mut self.contexts[0]);
        let object = core::ptr::from_ref(lock).addr();
        M::event(Event::Request { intended_ns: 0 }, object);
        lock.lock(context);
        M::event(Event::Acquired, object);
        let guarded = &*self.subject.guarded[0];
        let mine = own::<M>(guarded, script.index, object);
        nap_for::<M>(length_ns);
        disown::<M>(guarded, mine);
        M::event(Event::Releasing, object);
        lock.unlock(context);
    }
}

/// The critical section's access to the guarded data: what it left the counter at.
#[inline(always)]
pub(super) fn own<M: Machine>(guarded: &Guarded<M>, worker: u32, object: usize) -> u64 {
    let mine = guarded.counter.load(Ordering::Relaxed) + 1;
    guarded.counter.store(mine, Ordering::Relaxed);
    if <M::Probe as Probe>::ON {
        // Who takes the lock again asks for no core: asking costs more than counting.
        let previous = M::unobserved(|| guarded.owner.load(Ordering::Relaxed));
        if previous != worker + 1 {
            take_over::<M>(guarded, previous, worker, object);
        }
    }
    mine
}

/// Tells whose the object was, and leaves the own name. Out of line: inlined, its call for the core would cost the loop
/// registers in every operation.
#[cold]
#[inline(never)]
fn take_over<M: Machine>(guarded: &Guarded<M>, previous: u32, worker: u32, object: usize) {
    let core = M::core();
    let other_core = M::unobserved(|| {
        let other_core = previous != 0 && guarded.core.load(Ordering::Relaxed) != core;
        guarded.owner.store(worker + 1, Ordering::Relaxed);
        guarded.core.store(core, Ordering::Relaxed);
        other_core
    });
    M::event(Event::Owner { previous_worker: previous.wrapping_sub(1), other_core }, object);
}

/// The end of the section. Whoever was alone in it finds the counter as it left it. Elsewhere the store takes back what
/// others counted meanwhile, as if the whole section lay between this thread's load and its store: every overlap shows,
/// not only one of those two instructions.
#[inline(always)]
pub(super) fn disown<M: Machine>(guarded: &Guarded<M>, mine: u64) {
    if guarded.counter.load(Ordering::Relaxed) != mine {
        guarded.counter.store(mine, Ordering::Relaxed);
    }
}

/// Cost of lock and unlock without anybody else: the fastest of several short loops, on a thread of the machine.
fn uncontended_ns<M: Machine, L: RawMutex<M>>(launch: &Launch<'_>, build: &(dyn Fn() -> L + Sync)) -> f64 {
    stage::alone::<M>(launch, &|| {
        // Not on the stack: where that lies in a line differs from build to build.
        let lock = Placed::new(build(), &mut Draw::new(launch.seed, u64::MAX));
        let mut context = lock.context();
        stage::fastest_ns::<M>(&mut |rounds| {
            for _ in 0..rounds {
                lock.lock(&mut context);
                lock.unlock(&mut context);
            }
        })
    })
}
