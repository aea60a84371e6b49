//! A launch around any family's loop: slices, workers, the controller, and what each brings back.
//!
//! Nothing here depends on the type of the object under test, so it is compiled once for each machine.

use std::sync::Mutex as Shared;

use impls::machine::Machine;
use impls::probe::{Event, Probe};
use record::result::Phase;
use record::{Arrivals, Distribution, Slice, Sum, Take, Worker};

use super::control::{self, Control, OPEN, PhasePlan, STOP, nap};
use super::draw::{Draw, Table};
use super::{Account, Launch, Outcome, Witness};

/// The controller looks at the waiters so often, when a probe listens.
const SAMPLE_NS: u64 = 1_000_000;
/// An open loop polls the clock when the next arrival is so near; before that it sleeps.
const POLL_NS: u64 = 100_000;

/// The objects under test of one slice.
pub trait Subject<M: Machine>: Sync {
    /// One worker's access to them.
    fn hands(&self) -> Box<dyn Hands<M> + '_>;
    /// Threads that wait, by the objects' own count. Called only if the implementation can count.
    fn waiting(&self) -> u64;
    /// What the guarded counters show.
    fn observed(&self) -> u64;
    /// What the objects guard together, where operations move amounts between them.
    fn sum(&self) -> Option<Sum> {
        None
    }
    /// Where each object lies: what probes call it.
    fn objects(&self) -> Vec<usize>;
}

/// What a worker can do with them.
pub trait Hands<M: Machine> {
    /// Operates until the signal is no longer `signal`; how often.
    fn operate(&mut self, script: &mut Script, control: &Control<M>, signal: u32) -> u64;
    /// One operation that sleeps for `length_ns` while it holds.
    fn stall(&mut self, script: &mut Script, length_ns: u64);
}

/// What one worker needs to know, drawn before it starts.
pub struct Script {
    /// Its index.
    pub index: u32,
    /// Index of its role.
    pub role: usize,
    /// Work while holding, in cycles.
    pub hold: Table,
    /// When the next operation begins.
    pub pace: Pace,
    /// Which object it takes, or which two ([`super::draw::pair`]).
    pub pick: Table,
}

/// When the next operation begins.
pub enum Pace {
    /// After so many cycles of work.
    Think(Table),
    /// So many ns after the last intended beginning.
    Arrive(Table),
}

impl Pace {
    /// The cycles of work before each operation, if they are always the same.
    pub fn steady(&self) -> Option<u32> {
        match self {
            Pace::Think(table) => table.only(),
            Pace::Arrive(_) => None,
        }
    }
}

/// What one worker brings back from one slice.
struct Report<Slot> {
    worker: Worker,
    /// Operations of each phase.
    ops: Vec<u64>,
    slot: Slot,
}

/// One slice.
struct Stage<M: Machine> {
    control: Control<M>,
    subject: Box<dyn Subject<M>>,
}

/// Runs a launch: `make` makes the objects of a slice.
pub fn run<M: Machine>(
    launch: &Launch<'_>,
    uncontended_ns: f64,
    make: &dyn Fn(&mut Draw) -> Box<dyn Subject<M>>,
    witness: &dyn Witness,
) -> Outcome<<M::Probe as Probe>::Slot> {
    let workers = launch.point.threads();
    let mut draw = Draw::new(launch.seed, 0);
    let stages: Vec<Stage<M>> = (0..=launch.slices)
        .map(|index| Stage { control: Control::new(plan(launch, index)), subject: make(&mut draw) })
        .collect();
    let reports: Vec<Shared<Vec<Report<_>>>> = (0..workers).map(|_| Shared::default()).collect();
    let borders: Shared<Vec<Vec<u64>>> = Shared::default();
    let sampled = Shared::new((0_u64, 0_u64));
    M::run(workers + 1, launch.cpus, launch.seed, &|thread| {
        if thread == workers {
            M::stand_aside();
            for (index, stage) in stages.iter().enumerate() {
                let found = conduct(launch, stage, index > 0, witness, &sampled);
                held(&borders).push(found);
            }
            return;
        }
        let mut script = script::<M>(launch, thread);
        for stage in &stages {
            let report = work::<M>(&mut script, stage, launch, witness);
            held(&reports[thread]).push(report);
        }
    });
    let mut reports: Vec<_> = reports.iter().map(|r| std::mem::take(&mut *held(r)).into_iter()).collect();
    let (sum, samples) = *held(&sampled);
    let mut outcome = Outcome {
        slices: Vec::new(),
        slots: Vec::new(),
        objects: Vec::new(),
        waiters_sampled: (samples > 0).then(|| (sum as f64 / samples as f64, samples)),
        uncontended_ns,
    };
    let taken = u64::from(launch.point.take.count());
    for (index, (stage, borders)) in stages.iter().zip(held(&borders).iter()).enumerate() {
        let of_slice: Vec<Report<_>> = reports.iter_mut().filter_map(Iterator::next).collect();
        // The first is the discarded one.
        if index > 0 {
            let (mut slice, slots) = assemble(stage.control.plan(), borders, of_slice);
            slice.expected *= taken;
            (slice.observed, slice.sum) = (stage.subject.observed(), stage.subject.sum());
            outcome.slices.push(slice);
            outcome.slots.push(slots);
            outcome.objects.push(stage.subject.objects());
        }
    }
    outcome
}

/// What a mutex of this module holds; a panic elsewhere has ended the process already.
fn held<T>(shared: &Shared<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The phases of slice `index`; number 0 is the discarded one.
fn plan(launch: &Launch<'_>, index: u32) -> Vec<PhasePlan> {
    let threads = launch.point.threads() as u32;
    match index {
        0 => control::phases(&record::Schedule::Steady, threads, launch.warmup_ns),
        _ => control::phases(&launch.point.schedule, threads, launch.slice_ns),
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
        pick: match launch.point.take {
            Take::One => Table::choices(&launch.point.choice, launch.point.locks, &mut draw),
            Take::Two { order } => Table::pairs(&launch.point.choice, launch.point.locks, order, &mut draw),
        },
    }
}

/// The controller's part of a slice: when each phase began, and when the last ended.
fn conduct<M: Machine>(
    launch: &Launch<'_>,
    stage: &Stage<M>,
    measured: bool,
    witness: &dyn Witness,
    sampled: &Shared<(u64, u64)>,
) -> Vec<u64> {
    let (control, workers) = (&stage.control, launch.point.threads() as u32);
    control.open(workers);
    let samples = <M::Probe as Probe>::ON && launch.can_count;
    let borders = if measured {
        witness.slice_begins();
        let borders = control.lead(if samples { SAMPLE_NS } else { 0 }, || {
            let waiting = stage.subject.waiting();
            let mut sampled = held(sampled);
            *sampled = (sampled.0 + waiting, sampled.1 + 1);
        });
        witness.slice_ends();
        borders
    } else {
        control.lead(0, || {})
    };
    control.close(workers);
    borders
}

/// One worker, one slice.
fn work<M: Machine>(
    script: &mut Script,
    stage: &Stage<M>,
    launch: &Launch<'_>,
    witness: &dyn Witness,
) -> Report<<M::Probe as Probe>::Slot> {
    let control = &stage.control;
    let slot = <M::Probe as Probe>::Slot::default();
    let mut hands = stage.subject.hands();
    let mut ops = vec![0; control.plan().len()];
    let mut worker = Worker { role: script.role, ..Worker::default() };
    M::observed(&slot, || {
        M::event(Event::Prepare, 0);
        control.arrive();
        let (before, begin_ns) = account::<M>(witness);
        M::event(Event::Begin { worker: script.index, workers: launch.point.threads() as u32 }, 0);
        control.run_once();
        let mut signal = OPEN;
        loop {
            let done = match control.phase(signal) {
                Some(phase) if script.index >= phase.active => {
                    control.sit_out(signal);
                    0
                }
                Some(phase) if phase.stalled && script.index == 0 => {
                    hands.stall(script, phase.length_ns);
                    1 + hands.operate(script, control, signal)
                }
                _ => hands.operate(script, control, signal),
            };
            worker.ops_accounted += done;
            // The last operation ended its wait after the signal had changed, as a rule: it counts for what follows.
            let late = done.min(1);
            if let Some(of_phase) = signal.checked_sub(control::FIRST) {
                ops[of_phase as usize] += done - late;
            } else {
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
        let (after, end_ns) = account::<M>(witness);
        let account = after.since(before);
        worker.accounted_ns = account.cpu_ns.map(|_| end_ns - begin_ns);
        worker.cpu_ns = account.cpu_ns;
        worker.run_delay_ns = account.run_delay_ns;
        worker.voluntary_switches = account.voluntary_switches;
        worker.involuntary_switches = account.involuntary_switches;
    });
    worker.ops = ops.iter().sum();
    drop(hands);
    control.finish();
    Report { worker, ops, slot }
}

/// The calling thread's account, and when it was read. A thread that loses its core between the two reads again: what
/// the account covers and how long that was must belong together.
fn account<M: Machine>(witness: &dyn Witness) -> (Account, u64) {
    const TIGHT_NS: u64 = 30_000;
    const ATTEMPTS: u32 = 8;
    let mut attempt = 0;
    loop {
        let before_ns = M::now_ns();
        let account = witness.account();
        let after_ns = M::now_ns();
        attempt += 1;
        if after_ns - before_ns <= TIGHT_NS || attempt == ATTEMPTS {
            return (account, before_ns + (after_ns - before_ns) / 2);
        }
    }
}

/// The time before an operation: thought over, or waited for. Whether the phase goes on; `intended_ns` is then the beginning
/// that an open loop meant.
#[inline(always)]
pub fn begin<M: Machine>(pace: &mut Pace, control: &Control<M>, signal: u32, intended_ns: &mut u64) -> bool {
    match pace {
        Pace::Think(table) => {
            M::work(table.step());
            true
        }
        Pace::Arrive(table) => {
            *intended_ns = await_arrival::<M>(control, signal, *intended_ns, table.step());
            *intended_ns != 0
        }
    }
}

/// Waits for the next intended beginning and returns it, or 0 if the phase ends first.
#[inline(never)]
fn await_arrival<M: Machine>(control: &Control<M>, signal: u32, last_ns: u64, gap_ns: u32) -> u64 {
    // The first arrival of a phase counts from the moment at which the worker entered it, a random part of a gap later:
    // workers with fixed gaps would all arrive together otherwise.
    let (origin_ns, gap_ns) = match last_ns {
        0 => (M::now_ns(), (u64::from(gap_ns) * u64::from(M::random())) >> 32),
        last_ns => (last_ns, u64::from(gap_ns)),
    };
    let intended_ns = origin_ns + gap_ns;
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

/// Puts the workers' reports of one slice together; what the guarded data show is left open.
fn assemble<Slot>(plan: &[PhasePlan], borders_ns: &[u64], reports: Vec<Report<Slot>>) -> (Slice, Vec<Slot>) {
    let phase = |(index, plan): (usize, &PhasePlan)| Phase {
        begin_ns: borders_ns[index],
        end_ns: borders_ns[index + 1],
        active: plan.active,
        stalled: plan.stalled,
        ops: reports.iter().map(|report| report.ops[index]).collect(),
    };
    // One phase says nothing that the slice does not.
    let phases = if plan.len() > 1 { plan.iter().enumerate().map(phase).collect() } else { Vec::new() };
    // The slice lasts from the first sight of its first signal to the first sight of its end. Who sees either later was
    // in an operation, which is counted where it ends.
    let first =
        |time: fn(&Worker) -> u64| reports.iter().map(|report| time(&report.worker)).min().unwrap_or(0);
    let (start_ns, end_ns) = match (first(|worker| worker.start_ns), first(|worker| worker.end_ns)) {
        (start_ns, end_ns) if start_ns < end_ns => (start_ns, end_ns),
        // Nobody had a core between the two signals, or whoever had one waited for somebody without: nobody saw the slice.
        // It was there all the same, and nothing came of it.
        _ => (borders_ns[0], borders_ns[borders_ns.len() - 1].max(borders_ns[0] + 1)),
    };
    let expected = reports.iter().map(|report| report.worker.ops_accounted).sum();
    let timed = |report: Report<Slot>| (Worker { start_ns, end_ns, ..report.worker }, report.slot);
    let (workers, slots) = reports.into_iter().map(timed).unzip();
    (Slice { workers, expected, observed: 0, sum: None, phases }, slots)
}

/// Runs `body` on a single thread of the machine, on the first of the launch's cores: some machines exist only while
/// their threads run.
pub fn alone<M: Machine>(launch: &Launch<'_>, body: &(dyn Fn() -> f64 + Sync)) -> f64 {
    let result = Shared::new(0.0);
    M::run(1, launch.cpus, launch.seed, &|_| {
        let found = body();
        *held(&result) = found;
    });
    *held(&result)
}

/// The time that one round of `repeat` takes: the fastest of several short loops, for what disturbs can only slow down.
pub fn fastest_ns<M: Machine>(repeat: &mut dyn FnMut(u64)) -> f64 {
    /// A loop must take so long that a clock read does not matter.
    const LOOP_NS: u64 = 30_000;
    const LOOPS: u32 = 12;
    let mut timed = |rounds: u64| {
        let start_ns = M::now_ns();
        repeat(rounds);
        M::now_ns() - start_ns
    };
    let mut rounds = 16;
    while timed(rounds) < LOOP_NS && rounds < 1 << 20 {
        rounds *= 2;
    }
    (0..LOOPS).map(|_| timed(rounds)).min().unwrap_or(0) as f64 / rounds as f64
}
