//! One launch on a simulated machine: the same driver and the same probe, on a computer that a preset describes.
//!
//! Looking costs a simulated thread nothing, so every launch is observed in full, whatever its spec asks for: one
//! instance of each lock serves, and what a spec with less than the full probe does not want is left out of the result.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};
use impls::card::{Capability, Card, Runs};
use impls::machine::sim::explore::quietly;
use impls::machine::sim::ledger::{Parts, Phase, ThreadLedger};
use impls::machine::sim::preset::{Error, Preset};
use impls::machine::sim::trace::Tape;
use impls::machine::sim::{self, Report, Setup, Sim, Totals};
use impls::mutex::MutexImpl;
use profiler::counters::CountedEvent;
use profiler::probe::{Collect, CollectContext, SimProbe};
use record::simulated::{CycleLedger, CycleParts};
use record::{LaunchResult, LaunchSpec, PROTOCOL, ProbeMode, Reading, Simulated, Tier, Worker};
use workloads::driver::{Account, Witness};

use crate::launch::{self, Drive, check_params};
use crate::registry::Entry;

/// What to keep of a simulation besides its result: marks, from a cycle on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// How many at most; 0: none.
    pub most: usize,
    /// Those of earlier cycles are left out.
    pub from_cycle: u64,
}

/// A launch and all that is known of it.
#[derive(Debug)]
pub struct Simulation {
    /// What a record keeps.
    pub result: LaunchResult,
    /// The machine.
    pub preset: Preset,
    /// The run of the launch's slices, the discarded one included.
    pub report: Report,
}

/// The machine of a spec.
pub fn preset_of(spec: &LaunchSpec) -> Result<Preset> {
    let name = spec.machine.strip_prefix("sim:").unwrap_or(&spec.machine);
    match &spec.preset {
        Some(text) => Ok(read_preset(name, text)?),
        None => Ok(Preset::builtin(name)?),
    }
}

/// How a simulated launch failed.
pub(crate) struct Failure {
    /// The panic's message, or who waits for whom.
    pub(crate) text: String,
    /// When anybody last got anywhere, in cycles.
    pub(crate) cycle: u64,
    /// Its marks, if any were asked for.
    pub(crate) tape: Option<Tape>,
}

/// Simulates a launch that may panic, or in which nobody may get anywhere any more.
pub(crate) fn attempt(
    entry: &dyn Entry,
    spec: &LaunchSpec,
    marks: Marks,
) -> Result<std::result::Result<Simulation, Failure>> {
    match quietly(|| catch_unwind(AssertUnwindSafe(|| entry.simulate(spec, marks)))) {
        Ok(simulation) => simulation.map(Ok),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let failed = sim::take_failed();
            Ok(Err(Failure {
                text: text.unwrap_or_else(|| "a panic without a message".to_owned()),
                cycle: failed.as_ref().map_or(0, |failed| failed.cycle),
                tape: failed.and_then(|failed| failed.tape),
            }))
        }
    }
}

/// A preset from its text. It names no other file: matrices are written out in it.
pub fn read_preset(name: &str, text: &str) -> Result<Preset, Error> {
    Preset::parse(name, text, &|_| Err("a preset in a run names no other file".into()))
}

/// Runs one launch of a mutex.
pub fn mutex<I: MutexImpl>(spec: &LaunchSpec, marks: Marks) -> Result<Simulation> {
    check_params(&I::CARD, spec)?;
    if let Runs::OsOnly(reason) = I::CARD.runs {
        bail!("{} runs on `os` only: {reason}", I::CARD.id);
    }
    carry_out(&I::CARD, spec, marks, &launch::drive::<Sim<SimProbe>, I>)
}

/// The rest: what is compiled once.
fn carry_out(card: &Card, spec: &LaunchSpec, marks: Marks, drive: &Drive<SimProbe>) -> Result<Simulation> {
    take_memory_by_the_page();
    let preset = preset_of(spec)?;
    if let Some(cpu) = spec.cpus.iter().find(|&&cpu| cpu >= preset.cores as usize) {
        bail!("core {cpu} does not exist on {}, which has {}", preset.name, preset.cores);
    }
    // The timeline is exact as it is; samples of the lock's own count would cost simulated time.
    let launch = launch::launch_of(spec, false);
    let witness = SimWitness::default();
    let setup = Setup {
        preset: Rc::new(preset.clone()),
        observe: true,
        marks: marks.most,
        marks_from: marks.from_cycle,
    };
    let (outcome, mut reports) = sim::simulate(&setup, || drive(spec, &launch, &witness));
    let hash = reports.iter().fold(0, |hash: u64, report| {
        (hash.rotate_left(29) ^ report.trace_hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    // The first run is that of the uncontended loops.
    let report = reports.pop().context("the simulation had no threads")?;
    let collected = SimProbe::collect(
        outcome.slots,
        &CollectContext {
            slices: &outcome.slices,
            role_of_worker: &spec.point.role_of_worker(),
            objects: &outcome.objects,
            primitive_reports: card.offers(Capability::Observable),
            // Who queues at a bucket of the kernel is on its core, for as long as that takes.
            park_cpu_ns: u64::MAX,
            sampled_waiters: None,
        },
    )?;
    let simulated = Simulated {
        preset: preset.name.clone(),
        preset_hash: record::host::short_hash(preset.to_toml().as_bytes()),
        clock_mhz: preset.clock_mhz,
        cores: preset.cores,
        trace_hash: format!("{hash:016x}"),
        ledger: ledger(&report, spec.point.threads())?,
    };
    let watched = spec.probe != ProbeMode::Off;
    let result = LaunchResult {
        protocol: PROTOCOL,
        implementation: card.id.to_owned(),
        engine: format!("synchroscope {}", env!("CARGO_PKG_VERSION")),
        clock: format!("simulated at {} MHz", preset.clock_mhz),
        counters: witness.counters(outcome.slices.iter().flat_map(|slice| &slice.workers)),
        slices: outcome.slices,
        distributions: if watched { collected.distributions } else { Vec::new() },
        profile: collected.profile.filter(|_| watched),
        uncontended_ns: Some(outcome.uncontended_ns),
        work_speed_ratio: None,
        simulated: Some(simulated),
    };
    Ok(Simulation { result, preset, report })
}

/// A thousand threads have books of a MB each, of which they write a few pages. So large blocks come from the system, which
/// hands out pages as they are touched, and not two MB at a time. Where that cannot be asked for, memory is wasted.
fn take_memory_by_the_page() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: both calls take integers, and change only where memory comes from later.
    unsafe {
        const LARGE: libc::c_int = 128 << 10;
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0);
    }
}

/// The ledgers of the measured slices: a thread's first stretch is the discarded one.
fn ledger(report: &Report, workers: usize) -> Result<CycleLedger> {
    let mut seen = vec![0_u32; workers];
    let mut sum = CycleLedger::default();
    for (thread, stretch) in &report.stretches {
        let seen = seen.get_mut(*thread as usize).context("a thread that is no worker reports a stretch")?;
        *seen += 1;
        if *seen > 1 {
            add(&mut sum, stretch);
        }
    }
    ensure!(seen.iter().all(|&n| n == seen[0]), "workers report different numbers of stretches");
    Ok(sum)
}

fn add(sum: &mut CycleLedger, more: &ThreadLedger) {
    sum.span_cycles += more.span;
    sum.acquires += more.acquires;
    for (parts, phase) in
        [(&mut sum.think, Phase::Think), (&mut sum.wait, Phase::Wait), (&mut sum.hold, Phase::Hold)]
    {
        add_parts(parts, &more.cycles[phase as usize]);
    }
}

/// In the order of [`sim::ledger::Part`].
fn add_parts(sum: &mut CycleParts, more: &Parts) {
    let [work, queue, transfer, invalidation, spin, park, run_queue, wake, kernel, preempted, lost] = *more;
    sum.work_cycles += work;
    sum.queue_cycles += queue;
    sum.transfer_cycles += transfer;
    sum.invalidation_cycles += invalidation;
    sum.spin_cycles += spin;
    sum.park_cycles += park;
    sum.run_queue_cycles += run_queue;
    sum.wake_cycles += wake;
    sum.kernel_cycles += kernel;
    sum.holder_preempted_cycles += preempted;
    sum.lost_race_cycles += lost;
}

/// What the simulated operating system says of threads and slices.
#[derive(Default)]
struct SimWitness(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    at_begin: Totals,
    sum: Totals,
}

impl SimWitness {
    fn with(&self, change: impl FnOnce(&mut Counted, Totals)) {
        let now = sim::totals().unwrap_or_default();
        change(&mut self.0.lock().unwrap_or_else(|e| e.into_inner()), now);
    }

    /// Under the names that the counters of a processor and of an operating system have, and three that neither has.
    fn counters<'a>(
        &self,
        workers: impl Iterator<Item = &'a Worker>,
    ) -> std::collections::BTreeMap<String, Reading> {
        let sum = self.0.lock().unwrap_or_else(|e| e.into_inner()).sum;
        let cpu_ns = workers.map(|worker| worker.cpu_ns).sum::<Option<u64>>();
        let of = |event: CountedEvent| match event {
            CountedEvent::CacheMisses => Some(sum.misses),
            CountedEvent::ContextSwitches => Some(sum.switches),
            CountedEvent::CpuMigrations => Some(sum.migrations),
            CountedEvent::FutexCalls => Some(sum.futex_calls),
            CountedEvent::TaskClockNs => cpu_ns,
            _ => None,
        };
        let reading = |value: Option<u64>| match value {
            Some(value) => Reading::Present { value, tier: Tier::Simulated, running_share: None },
            None => Reading::Absent { absent: "not part of the model".into() },
        };
        let named = CountedEvent::ALL.map(|event| (event.name(), of(event)));
        let own = [
            ("word_operations", Some(sum.operations)),
            ("line_transfers", Some(sum.transfers)),
            ("invalidations", Some(sum.invalidations)),
        ];
        named.into_iter().chain(own).map(|(name, value)| (name.to_owned(), reading(value))).collect()
    }
}

impl Witness for SimWitness {
    fn account(&self) -> Account {
        let account = sim::account().unwrap_or_default();
        Account {
            cpu_ns: Some(account.cpu_ns),
            run_delay_ns: Some(account.run_delay_ns),
            voluntary_switches: Some(account.voluntary_switches),
            involuntary_switches: Some(account.involuntary_switches),
        }
    }
    fn slice_begins(&self) {
        self.with(|counted, now| counted.at_begin = now);
    }
    fn slice_ends(&self) {
        self.with(|counted, now| {
            let Counted { at_begin, sum } = counted;
            sum.operations += now.operations - at_begin.operations;
            sum.misses += now.misses - at_begin.misses;
            sum.transfers += now.transfers - at_begin.transfers;
            sum.invalidations += now.invalidations - at_begin.invalidations;
            sum.switches += now.switches - at_begin.switches;
            sum.migrations += now.migrations - at_begin.migrations;
            sum.futex_calls += now.futex_calls - at_begin.futex_calls;
        });
    }
}
