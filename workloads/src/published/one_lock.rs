//! All threads take one lock: acquire, read and write one line, release, pause for the maximum latency.

use std::rc::Rc;

use impls::card::Tuned;
use impls::machine::sim::Polling;
use impls::machine::sim::preset::{Op, Preset, Prior};
use impls::machine::{Atomic, Line, Machine, Ordering};
use impls::mutex::{self, MutexImpl, RawMutex};

use super::{S, Step};

/// The paper's ticket locks stay away for so many empty instructions for each thread before,
/// on x86.
const TICKET_BASE_INSTRUCTIONS: u64 = 512;
/// And for so many when they are next.
const TICKET_NEXT_INSTRUCTIONS: u64 = 128;
const HTICKET_NEXT_INSTRUCTIONS: u64 = 64;
/// On the Opteron, queue locks look again after so many pauses.
const QUEUE_PAUSES: u32 = 24;
/// The paper's test-and-test-and-set lock doubles its back-off up to so many cycles.
const TTAS_BACKOFF_CYCLES: u64 = 1000;
/// What the paper's loop has beside the lock and the line: two full fences, and the time of so many empty instructions for
/// its calls and counters. Its fastest lock runs 22 million times a second on one core of the Opteron, 95 cycles each, of
/// which ours takes about 32.
const LOOP_FENCES: u32 = 2;
const LOOP_INSTRUCTIONS: u32 = 10;

/// The series of the figure, by its name: operations per second in millions, or why this project has no such series.
///
/// The paper's library differs by platform, and so does this. On x86 the ticket lock backs off in proportion to the
/// distance; on the Opteron all locks but test-and-set prefetch the line for a write before each look. The array lock
/// reads its size from the line of its counter. The bound of the back-off of test-and-test-and-set only ever grows, so
/// that after a few lost races it is at its limit for good.
///
/// # Errors
/// The reason.
pub fn mops(
    preset: &Rc<Preset>,
    platform: &str,
    series: &str,
    threads: usize,
    seed: u64,
) -> Result<f64, &'static str> {
    let pauses = |cycles: u64| (cycles / u64::from(preset.local.pause.max(1))).max(1);
    // Cycles of an empty instruction in a loop, by the library's table of platforms.
    let empty = match platform {
        "Opteron" => 2,
        "Niagara" => 9,
        "Tilera" => 4,
        _ => 1,
    };
    let away = pauses(TICKET_BASE_INSTRUCTIONS * empty);
    let polling = |pauses: u64| match platform {
        "Opteron" => Polling::Exclusive { pauses: pauses as u32 },
        _ => Polling::Shared,
    };
    let queue = polling(u64::from(QUEUE_PAUSES));
    let x86 = matches!(platform, "Opteron" | "Xeon");
    let beside = LOOP_FENCES * preset.local.fence + LOOP_INSTRUCTIONS * empty as u32;
    let run = Run { preset, threads, seed, beside };
    Ok(match series {
        // The library's sets the flag by compare-and-swap.
        "TAS" => {
            let preset = &Rc::new(setting_by_cas(preset));
            Run { preset, ..run }.of::<mutex::spin_tas::SpinTas>(Polling::Shared, &[])
        }
        "TTAS" => {
            let limit = pauses(TTAS_BACKOFF_CYCLES);
            let params = [("backoff_first_pauses", limit), ("backoff_limit_pauses", limit)];
            run.of::<mutex::spin_ttas_backoff::SpinTtasBackoff>(polling(0), &params)
        }
        "TICKET" if x86 => {
            let next = pauses(TICKET_NEXT_INSTRUCTIONS * empty);
            run.of::<mutex::ticket::Ticket>(polling(next), &[("backoff_pauses", away)])
        }
        "TICKET" | "NAIVE_TICKET" => run.of::<mutex::ticket::Ticket>(Polling::Shared, &[]),
        "ARRAY" => run.of::<mutex::array::Array>(queue, &[("size_beside_next", 1)]),
        "MCS" => run.of::<mutex::mcs::Mcs>(queue, &[]),
        "CLH" => run.of::<mutex::clh::Clh>(queue, &[]),
        "HTICKET" => {
            let next = pauses(HTICKET_NEXT_INSTRUCTIONS * empty);
            // The figures have it on x86 alone: elsewhere there is one node, and the instructions are many cycles.
            run.of::<mutex::hticket::Hticket>(
                polling(next),
                &[("backoff_pauses", if x86 { away } else { 0 })],
            )
        }
        _ => return Err(lacking(series).unwrap_or("not a series of the paper")),
    })
}

/// The largest latency of an atomic on a line that another of these cores changed: what the experiment calls the maximum
/// latency across the involved cores. 0 for one core.
fn latency_max(preset: &Preset, cores: &[usize]) -> u32 {
    let pairs = cores.iter().flat_map(|&a| cores.iter().map(move |&b| (a, b))).filter(|(a, b)| a != b);
    pairs.map(|(a, b)| preset.miss_cycles(Op::Cas, Prior::Modified, preset.class(a, b))).max().unwrap_or(0)
}

/// This machine, where a test-and-set and a swap cost what a compare-and-swap does.
fn setting_by_cas(preset: &Preset) -> Preset {
    let mut changed = preset.clone();
    let cas = Op::Cas as usize;
    let costs_of_an_op = changed.miss.len() / Op::ALL.len();
    for op in [Op::Tas as usize, Op::Swap as usize] {
        changed.miss.copy_within(cas * costs_of_an_op..(cas + 1) * costs_of_an_op, op * costs_of_an_op);
        changed.local.hit[op] = changed.local.hit[cas];
    }
    changed
}

/// Why this project does not have a series of the figure, if it does not.
pub(super) fn lacking(series: &str) -> Option<&'static str> {
    match series {
        "HCLH" => Some("no hierarchical CLH lock here"),
        "MUTEX" => Some("a pthread mutex depends on a kernel whose costs the paper does not give"),
        _ => None,
    }
}

struct Run<'a> {
    preset: &'a Rc<Preset>,
    threads: usize,
    seed: u64,
    /// Cycles of the loop beside the lock and the line.
    beside: u32,
}

impl Run<'_> {
    fn of<I: MutexImpl>(&self, polling: Polling, params: &[(&'static str, u64)]) -> f64 {
        // A source of parameters lives for ever. There are a handful of different ones.
        let lock = I::build::<S, Tuned>(Tuned(params.to_vec().leak()));
        let guarded = Line(<S as Machine>::AtomicU64::new(0));
        let cores = super::cores(self.preset, self.threads);
        let pause = latency_max(self.preset, &cores);
        let (lock, guarded, beside) = (&lock, &guarded, self.beside);
        let step = |_| -> Step<'_> {
            let mut context = lock.context();
            Box::new(move || {
                lock.lock(&mut context);
                S::work(beside);
                let seen = guarded.load(Ordering::Relaxed);
                guarded.store(seen + 1, Ordering::Relaxed);
                lock.unlock(&mut context);
                S::work(pause);
            })
        };
        super::mops(self.preset, self.threads, self.seed, polling, &step)
    }
}
