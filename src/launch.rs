//! One launch, inside the child process: spec in, driver, probe, result out.

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use impls::card::{Capability, Card, Defaults, Tuned};
use impls::machine::Machine;
use impls::machine::os::{self, Os, clock};
use impls::mutex::MutexImpl;
use impls::probe::{NoProbe, Probe};
use profiler::counters::Counters;
use profiler::ledger::PARK_CPU_NS;
use profiler::probe::{Collect, CollectContext, CountProbe, FullProbe, SampleProbe, WatchProbe};
use record::{LaunchResult, LaunchSpec, PROTOCOL, ProbeMode, is_simulated};
use workloads::driver::{self, Account, Outcome, Witness};

use crate::Observatory;
use crate::simulated::{self, Marks};
use crate::timeline::{self, Begin};

/// Longest spec that a launch reads: far above any real one.
const SPEC_BYTES_MAX: u64 = 32 << 20;

/// Ends a launch that hangs, from the inside.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// When to give up; the parent waits a little longer.
    pub deadline: Option<Duration>,
}

/// The hidden command: reads one spec from stdin, writes one result to stdout.
pub(crate) fn command(observatory: &Observatory, watch: Watch, trace: Option<(&Path, Begin)>) -> Result<()> {
    let mut text = String::new();
    std::io::stdin().take(SPEC_BYTES_MAX).read_to_string(&mut text).context("cannot read the launch spec")?;
    let spec: LaunchSpec = serde_json::from_str(&text).context("the launch spec on stdin is not valid")?;
    ensure!(
        spec.protocol == PROTOCOL,
        "protocol {} is not known: this version speaks {PROTOCOL}",
        spec.protocol
    );
    ensure!(
        spec.machine == "os" || is_simulated(&spec.machine),
        "machine `{}` is not known: there are `os` and `sim:PRESET`",
        spec.machine
    );
    let planted = Observatory::planted(&spec.implementation);
    let Some(entry) = observatory.entry(&spec.implementation).or(planted.as_deref()) else {
        bail!("implementation `{}` is not known to this program", spec.implementation)
    };
    // A worker that panics leaves the others waiting for ever: the process ends at once, with the message.
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        default(info);
        // Last, since only the end of what a launch says is kept, and a backtrace may be long.
        eprintln!("{LAST_WORDS}{}", in_one_line(info.payload_as_str().unwrap_or("without a message")));
        std::process::exit(PANICKED);
    }));
    let result = match trace {
        Some((file, begin)) if is_simulated(&spec.machine) => {
            timeline::write(file, entry, &spec, begin)?.result
        }
        _ => entry.launch(&spec, &watch)?,
    };
    let mut stdout = std::io::stdout().lock();
    serde_json::to_writer(&mut stdout, &result).context("cannot write the result")?;
    stdout.write_all(b"\n").and_then(|()| stdout.flush()).context("cannot write the result")
}

/// Exit code of a launch that panicked: the one of Rust's own.
pub const PANICKED: i32 = 101;

/// Begins the last line of a launch of this program that panicked.
pub(crate) const LAST_WORDS: &str = "panic message: ";

/// A message of several lines, such as who waits for whom in a deadlock, in one.
fn in_one_line(message: &str) -> String {
    /// A deadlock of a thousand threads is told by the first few.
    const LINES: usize = 12;
    let mut lines = message.lines().map(str::trim);
    let told: Vec<&str> = lines.by_ref().take(LINES).collect();
    match lines.count() {
        0 => told.join("; "),
        left => format!("{}; and {left} more", told.join("; ")),
    }
}

/// Runs one launch of a mutex.
pub fn mutex<I: MutexImpl>(spec: &LaunchSpec, watch: &Watch) -> Result<LaunchResult> {
    if is_simulated(&spec.machine) {
        return Ok(simulated::mutex::<I>(spec, Marks::default())?.result);
    }
    check_params(&I::CARD, spec)?;
    if let Some(deadline) = watch.deadline {
        profiler::probe::watch::arm(deadline);
        return carry_out::<WatchProbe>(&I::CARD, spec, &drive::<Os<WatchProbe>, I>);
    }
    match spec.probe {
        ProbeMode::Off => carry_out::<NoProbe>(&I::CARD, spec, &drive::<Os<NoProbe>, I>),
        ProbeMode::Count => carry_out::<CountProbe>(&I::CARD, spec, &drive::<Os<CountProbe>, I>),
        ProbeMode::Sample => carry_out::<SampleProbe>(&I::CARD, spec, &drive::<Os<SampleProbe>, I>),
        ProbeMode::Full => carry_out::<FullProbe>(&I::CARD, spec, &drive::<Os<FullProbe>, I>),
    }
}

pub(crate) fn check_params(card: &Card, spec: &LaunchSpec) -> Result<()> {
    check_param_names(card, &spec.params)
}

/// Every parameter must be the implementation's.
pub(crate) fn check_param_names(card: &Card, params: &BTreeMap<String, u64>) -> Result<()> {
    for name in params.keys() {
        let known: Vec<&str> = card.params.iter().map(|param| param.name).collect();
        ensure!(
            known.contains(&name.as_str()),
            "{} has no parameter `{name}`; it has: {}",
            card.id,
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        );
    }
    Ok(())
}

/// The part of a launch that is compiled for each implementation, machine and probe.
pub(crate) fn drive<M: Machine, I: MutexImpl>(
    spec: &LaunchSpec,
    launch: &driver::Launch<'_>,
    witness: &dyn Witness,
) -> Outcome<<M::Probe as Probe>::Slot> {
    if spec.tuned_shape || !spec.params.is_empty() {
        driver::mutex::run::<M, I, Tuned>(launch, tuned(&spec.params), witness)
    } else {
        driver::mutex::run::<M, I, Defaults>(launch, Defaults, witness)
    }
}

/// [`drive`] for some implementation, observed by `P`.
pub(crate) type Drive<P> =
    dyn Fn(&LaunchSpec, &driver::Launch<'_>, &dyn Witness) -> Outcome<<P as Probe>::Slot>;

/// What `spec` asks of the driver, on any machine.
pub(crate) fn launch_of(spec: &LaunchSpec, can_count: bool) -> driver::Launch<'_> {
    driver::Launch {
        point: &spec.point,
        slices: spec.slices,
        slice_ns: spec.slice_ns,
        warmup_ns: spec.warmup_ns,
        cpus: &spec.cpus,
        seed: spec.seed,
        can_count,
    }
}

/// These parameters. A launch is the whole life of its process: they may live as long.
pub(crate) fn tuned(params: &BTreeMap<String, u64>) -> Tuned {
    let values = params.iter().map(|(name, &value)| (&*name.clone().leak(), value)).collect::<Vec<_>>();
    Tuned(values.leak())
}

/// The rest: what is compiled once for each probe.
fn carry_out<P: Collect>(card: &Card, spec: &LaunchSpec, drive: &Drive<P>) -> Result<LaunchResult> {
    let launch = launch_of(spec, card.offers(Capability::WaiterCount));
    let witness = OsWitness(Mutex::new(Counters::open()));
    let outcome = drive(spec, &launch, &witness);
    let work_speed_ratio = os::work_speed_ratio();
    let collected = P::collect(
        outcome.slots,
        &CollectContext {
            slices: &outcome.slices,
            role_of_worker: &spec.point.role_of_worker(),
            objects: &outcome.objects,
            primitive_reports: card.offers(Capability::Observable),
            park_cpu_ns: PARK_CPU_NS,
            sampled_waiters: outcome.waiters_sampled,
        },
    )?;
    let counters = witness.0.into_inner().unwrap_or_else(|e| e.into_inner()).read();
    Ok(LaunchResult {
        protocol: PROTOCOL,
        implementation: card.id.to_owned(),
        engine: format!("synchroscope {}", env!("CARGO_PKG_VERSION")),
        clock: match clock::source() {
            clock::Source::Tsc { hz } => format!("tsc at {hz} Hz"),
            clock::Source::Monotonic(reason) => format!("monotonic clock: {reason}"),
        },
        slices: outcome.slices,
        distributions: collected.distributions,
        profile: collected.profile,
        counters,
        uncontended_ns: Some(outcome.uncontended_ns),
        work_speed_ratio,
        simulated: None,
    })
}

/// What the operating system says of threads and slices.
struct OsWitness(Mutex<Counters>);

impl Witness for OsWitness {
    fn account(&self) -> Account {
        let account = profiler::account::thread_account();
        Account {
            cpu_ns: account.cpu_ns,
            run_delay_ns: account.run_delay_ns,
            voluntary_switches: account.voluntary_switches,
            involuntary_switches: account.involuntary_switches,
        }
    }
    fn slice_begins(&self) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).enable();
    }
    fn slice_ends(&self) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).disable();
    }
}
