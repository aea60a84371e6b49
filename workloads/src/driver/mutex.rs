//! The loop of the mutex family.
//!
//! One operation: think, ask, wait, raise the guarded counter by a load and a store, hold, give back. The guarded data
//! lie on lines of their own, so that no implementation is paid or fined for the layout of what it guards.

use std::sync::Mutex as Shared;

use impls::card::ParamSource;
use impls::machine::{Atomic, Line, Machine, Ordering};
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::{Event, Probe};
use record::result::Phase;
use record::{Arrivals, Distribution, Slice, Worker};

use super::arena::Placed;
use super::control::{self, Control, OPEN, STOP, nap};
use super::draw::{Draw, Table};
use super::{Account, Launch, Outcome, Witness};

/// The controller looks at the waiters so often, when a probe listens.
const SAMPLE_NS: u64 = 1_000_000;
/// An open loop polls the clock when the next arrival is so near; before that it sleeps.
const POLL_NS: u64 = 100_000;

/// What a lock guards. Atomics, relaxed: a lock that fails to exclude loses counts without undefined behaviour.
#[repr(C)]
struct Guarded<M: Machine> {
    counter: M::AtomicU64,
    /// Index of the last owner plus one; 0 for none.
    owner: M::AtomicU32,
    core: M::AtomicU32,
}

/// The objects of one slice.
struct Stage<M: Machine, L> {
    control: Control<M>,
    locks: Vec<Placed<L>>,
    guarded: Vec<Placed<Line<Guarded<M>>>>,
}

/// What one worker needs to know, drawn before it starts.
struct Script {
    index: u32,
    role: usize,
    hold: Table,
    pace: Pace,
    pick: Table,
}

/// When the next operation begins.
enum Pace {
    /// After so many cycles of work.
    Think(Table),
    /// So many ns after the last intended beginning.
    Arrive(Table),
}

/// What one worker brings back from one slice.
struct Report<Slot> {
    worker: Worker,
    /// Operations of each phase.
    ops: Vec<u64>,
    /// Operations in all, the unmeasured ones included.
    total: u64,
    slot: Slot,
}

/// Runs a launch of `I` on the machine `M`.
pub fn run<M: Machine, I: MutexImpl, S: ParamSource>(
    launch: &Launch<'_>,
    params: S,
    witness: &dyn Witness,
) -> Outcome<<M::Probe as Probe>::Slot> {
    let build = || I::build::<M, S>(params);
    let uncontended_ns = uncontended_ns::<M, _>(&build());
    let mut draw = Draw::new(launch.seed, 0);
    let stages: Vec<Stage<M, I::Lock<M, S>>> =
        (0..=launch.slices).map(|slice| stage(launch, slice, &mut draw, &build)).collect();
    let workers = launch.point.threads();
    let reports: Vec<Shared<Vec<Report<_>>>> = (0..workers).map(|_| Shared::default()).collect();
    let borders: Shared<Vec<Vec<u64>>> = Shared::default();
    let sampled = Shared::new((0_u64, 0_u64));
    M::run(workers + 1, launch.cpus, launch.seed, &|thread| {
        if thread == workers {
            for (index, stage) in stages.iter().enumerate() {
                let found = conduct(launch, stage, index > 0, witness, &sampled);
                borders.lock().unwrap_or_else(|e| e.into_inner()).push(found);
            }
            return;
        }
        let mut script = script::<M>(launch, thread);
        for stage in &stages {
            let report = work::<M, _>(&mut script, stage, launch, witness);
            reports[thread].lock().unwrap_or_else(|e| e.into_inner()).push(report);
        }
    });
    let reports = reports.into_iter().map(|r| r.into_inner().unwrap_or_else(|e| e.into_inner()));
    let mut reports: Vec<_> = reports.map(Vec::into_iter).collect();
    let borders = borders.into_inner().unwrap_or_else(|e| e.into_inner());
    let (sum, samples) = sampled.into_inner().unwrap_or_else(|e| e.into_inner());
    let mut outcome = Outcome {
        slices: Vec::new(),
        slots: Vec::new(),
        waiters_sampled: (samples > 0).then(|| (sum as f64 / samples as f64, samples)),
        uncontended_ns,
    };
    for (index, (stage, borders)) in stages.iter().zip(&borders).enumerate() {
        let of_slice: Vec<Report<_>> = reports.iter_mut().filter_map(Iterator::next).collect();
        if index > 0 {
            let observed = stage.guarded.iter().map(|g| g.counter.load(Ordering::Acquire)).sum();
            let (slice, slots) = assemble(launch, stage.control.plan(), borders, observed, of_slice);
            outcome.slices.push(slice);
            outcome.slots.push(slots);
        }
    }
    outcome
}

/// The objects of slice `index`; number 0 is the discarded one.
fn stage<M: Machine, L>(launch: &Launch<'_>, index: u32, draw: &mut Draw, build: &impl Fn() -> L) -> Stage<M, L> {
    let guarded = || {
        Line(Guarded {
            counter: M::AtomicU64::new(0),
            owner: M::AtomicU32::new(0),
            core: M::AtomicU32::new(0),
        })
    };
    let threads = launch.point.threads() as u32;
    let plan = match index {
        0 => control::phases(&record::Schedule::Steady, threads, launch.warmup_ns),
        _ => control::phases(&launch.point.schedule, threads, launch.slice_ns),
    };
    Stage {
        control: Control::new(plan),
        locks: (0..launch.point.locks).map(|_| Placed::new(build(), draw)).collect(),
        guarded: (0..launch.point.locks).map(|_| Placed::new(guarded(), draw)).collect(),
    }
}

fn script<M: Machine>(launch: &Launch<'_>, thread: usize) -> Script {
    let role = launch.point.role_of_worker()[thread];
    let spec = &launch.point.roles[role];
    let mut draw = Draw::new(launch.seed, thread as u64 + 1);
    let whole_ns = |ns: u64| u32::try_from(ns).unwrap_or(u32::MAX);
    let gap = |per_s: f64| (1e9 / per_s) as u64;
    Script {
        index: thread as u32,
        role,
        hold: Table::lengths(&spec.hold, &mut draw, M::work_cycles),
        pace: match launch.point.arrivals {
            Arrivals::Closed => Pace::Think(Table::lengths(&spec.think, &mut draw, M::work_cycles)),
            Arrivals::Fixed { per_thread_per_s } => {
                let gaps = Distribution::Constant { ns: gap(per_thread_per_s) };
                Pace::Arrive(Table::lengths(&gaps, &mut draw, whole_ns))
            }
            Arrivals::Poisson { per_thread_per_s } => {
                let gaps = Distribution::Exponential { mean_ns: gap(per_thread_per_s) };
                Pace::Arrive(Table::lengths(&gaps, &mut draw, whole_ns))
            }
        },
        pick: Table::choices(&launch.point.choice, launch.point.locks, &mut draw),
    }
}

/// The controller's part of a slice: when each phase began, and when the last ended.
fn conduct<M: Machine, L: RawMutex<M>>(
    launch: &Launch<'_>,
    stage: &Stage<M, L>,
    measured: bool,
    witness: &dyn Witness,
    sampled: &Shared<(u64, u64)>,
) -> Vec<u64> {
    let workers = launch.point.threads() as u32;
    if !measured {
        return stage.control.conduct(workers, 0, || {});
    }
    let samples = <M::Probe as Probe>::ON && launch.can_count;
    let sample = || {
        let waiting = |lock: &Placed<L>| u64::from(lock.count().saturating_sub(1));
        let waiting: u64 = stage.locks.iter().map(waiting).sum();
        let mut sampled = sampled.lock().unwrap_or_else(|e| e.into_inner());
        *sampled = (sampled.0 + waiting, sampled.1 + 1);
    };
    witness.slice_begins();
    let borders = stage.control.conduct(workers, if samples { SAMPLE_NS } else { 0 }, || {
        if samples {
            sample();
        }
    });
    witness.slice_ends();
    borders
}

/// One worker, one slice.
fn work<M: Machine, L: RawMutex<M>>(
    script: &mut Script,
    stage: &Stage<M, L>,
    launch: &Launch<'_>,
    witness: &dyn Witness,
) -> Report<<M::Probe as Probe>::Slot> {
    let control = &stage.control;
    let slot = <M::Probe as Probe>::Slot::default();
    let mut contexts: Vec<L::Context> = stage.locks.iter().map(|lock| lock.context()).collect();
    let mut ops = vec![0; control.plan().len()];
    let mut worker = Worker { role: script.role, ..Worker::default() };
    let mut total = 0;
    M::observed(&slot, || {
        control.arrive();
        let workers = launch.point.threads() as u32;
        let before = witness.account();
        M::event(Event::Begin { worker: script.index, workers }, 0);
        let mut signal = OPEN;
        control.run_once();
        loop {
            let done = match control.phase(signal) {
                Some(phase) if script.index >= phase.active => {
                    control.sit_out(signal);
                    0
                }
                phase => {
                    if phase.is_some_and(|phase| phase.stalled) && script.index == 0 {
                        let until_ns = control.since_ns() + phase.map_or(0, |phase| phase.length_ns);
                        stall::<M, L>(script, stage, &mut contexts, until_ns);
                        total += 1;
                    }
                    operate::<M, L>(script, stage, &mut contexts, signal)
                }
            };
            // The last operation ended its wait after the signal had changed, as a rule.
            total += done;
            let late = done.min(1);
            if let Some(of_phase) = signal.checked_sub(control::FIRST) {
                ops[of_phase as usize] += done - late;
            }
            if signal == OPEN {
                worker.start_ns = M::now_ns();
            }
            signal = control.signal();
            match signal.checked_sub(control::FIRST) {
                Some(next) if signal != STOP => ops[next as usize] += late,
                _ => break,
            }
        }
        worker.end_ns = M::now_ns();
        M::event(Event::End, 0);
        let account: Account = witness.account().since(before);
        worker.cpu_ns = account.cpu_ns;
        worker.run_delay_ns = account.run_delay_ns;
        worker.voluntary_switches = account.voluntary_switches;
        worker.involuntary_switches = account.involuntary_switches;
    });
    worker.ops = ops.iter().sum();
    worker.ops_accounted = total;
    control.finish();
    Report { worker, ops, total, slot }
}

/// Operations until the signal is no longer `signal`; their number. The measured loop.
#[inline(never)]
fn operate<M: Machine, L: RawMutex<M>>(
    script: &mut Script,
    stage: &Stage<M, L>,
    contexts: &mut [L::Context],
    signal: u32,
) -> u64 {
    let mut done = 0;
    let mut intended_ns = 0;
    while stage.control.signal() == signal {
        match &mut script.pace {
            Pace::Think(table) => M::work(table.next()),
            Pace::Arrive(table) => {
                intended_ns = await_arrival::<M>(&stage.control, signal, intended_ns, table.next());
                if intended_ns == 0 {
                    break;
                }
            }
        }
        let pick = script.pick.next() as usize;
        let (lock, guarded, context) = (&*stage.locks[pick], &stage.guarded[pick], &mut contexts[pick]);
        let object = core::ptr::from_ref(lock).addr();
        M::event(Event::Request { intended_ns }, object);
        lock.lock(context);
        M::event(Event::Acquired, object);
        own::<M>(guarded, script.index, object);
        M::work(script.hold.next());
        M::event(Event::Releasing, object);
        lock.unlock(context);
        done += 1;
    }
    done
}

/// The critical section's access to the guarded data.
#[inline(always)]
fn own<M: Machine>(guarded: &Guarded<M>, worker: u32, object: usize) {
    guarded.counter.store(guarded.counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    if <M::Probe as Probe>::ON {
        let (previous, core) = (guarded.owner.load(Ordering::Relaxed), M::core());
        let other_core = previous != 0 && guarded.core.load(Ordering::Relaxed) != core;
        guarded.owner.store(worker + 1, Ordering::Relaxed);
        guarded.core.store(core, Ordering::Relaxed);
        M::event(Event::Owner { previous_worker: previous.wrapping_sub(1), other_core }, object);
    }
}

/// Waits for the next intended beginning and returns it, or 0 if the phase ends first.
#[inline(never)]
fn await_arrival<M: Machine>(control: &Control<M>, signal: u32, last_ns: u64, gap_ns: u32) -> u64 {
    // The first arrival of a phase counts from the moment at which the worker entered it.
    let origin_ns = if last_ns == 0 { M::now_ns() } else { last_ns };
    let intended_ns = origin_ns + u64::from(gap_ns);
    loop {
        let now_ns = M::now_ns();
        if now_ns >= intended_ns {
            return intended_ns;
        }
        if control.signal() != signal {
            return 0;
        }
        if intended_ns - now_ns > POLL_NS {
            // Short naps, so that the end of a phase is noticed.
            let until_ns = (intended_ns - POLL_NS).min(now_ns + 10 * POLL_NS);
            nap::<M, _>(|| M::park_until(until_ns));
        } else {
            M::pause(1);
        }
    }
}

/// Takes a lock and sleeps with it until `until_ns`.
#[cold]
fn stall<M: Machine, L: RawMutex<M>>(
    script: &mut Script,
    stage: &Stage<M, L>,
    contexts: &mut [L::Context],
    until_ns: u64,
) {
    let (lock, context) = (&*stage.locks[0], &mut contexts[0]);
    let object = core::ptr::from_ref(lock).addr();
    M::event(Event::Request { intended_ns: 0 }, object);
    lock.lock(context);
    M::event(Event::Acquired, object);
    own::<M>(&stage.guarded[0], script.index, object);
    while M::now_ns() < until_ns {
        nap::<M, _>(|| M::park_until(until_ns));
    }
    M::event(Event::Releasing, object);
    lock.unlock(context);
}

/// Puts the workers' reports of one slice together.
fn assemble<Slot>(
    launch: &Launch<'_>,
    plan: &[control::PhasePlan],
    borders_ns: &[u64],
    observed: u64,
    reports: Vec<Report<Slot>>,
) -> (Slice, Vec<Slot>) {
    let expected = reports.iter().map(|report| report.total).sum();
    let phase = |(index, plan): (usize, &control::PhasePlan)| Phase {
        begin_ns: borders_ns[index],
        end_ns: borders_ns[index + 1],
        active: plan.active,
        stalled: plan.stalled,
        ops: reports.iter().map(|report| report.ops[index]).collect(),
    };
    let phases: Vec<Phase> = plan.iter().enumerate().map(phase).collect();
    let (first_ns, last_ns) = (borders_ns[0], borders_ns[borders_ns.len() - 1]);
    let own_times = reports.len() <= launch.cores && phases.len() == 1;
    let (workers, slots) = reports
        .into_iter()
        .map(|mut report| {
            if !own_times {
                (report.worker.start_ns, report.worker.end_ns) = (first_ns, last_ns);
            }
            (report.worker, report.slot)
        })
        .unzip();
    // One phase says nothing that the slice does not.
    let phases = if phases.len() > 1 { phases } else { Vec::new() };
    (Slice { workers, expected, observed, phases }, slots)
}

/// Cost of lock and unlock without anybody else: the fastest of several short loops.
fn uncontended_ns<M: Machine, L: RawMutex<M>>(lock: &L) -> f64 {
    /// A loop must take so long that a clock read does not matter.
    const LOOP_NS: u64 = 30_000;
    const LOOPS: u32 = 12;
    let mut context = lock.context();
    let mut timed = |rounds: u64| {
        let start_ns = M::now_ns();
        for _ in 0..rounds {
            lock.lock(&mut context);
            lock.unlock(&mut context);
        }
        M::now_ns() - start_ns
    };
    let mut rounds = 16;
    while timed(rounds) < LOOP_NS && rounds < 1 << 20 {
        rounds *= 2;
    }
    (0..LOOPS).map(|_| timed(rounds)).min().unwrap_or(0) as f64 / rounds as f64
}
