//! All threads take one lock: acquire, read and write one line, release, pause for the maximum latency.

use std::rc::Rc;

use impls::card::Tuned;
use impls::machine::sim::preset::{Op, Preset, Prior};
use impls::machine::{Atomic, Line, Machine, Ordering};
use impls::mutex::{self, MutexImpl, RawMutex};

use super::{S, Step};

type Word = <S as Machine>::AtomicU64;

/// The paper's ticket locks stay away for so many empty instructions for each thread before,
/// on x86.
const TICKET_BASE_INSTRUCTIONS: u64 = 512;
/// The paper's test-and-test-and-set lock doubles its back-off up to so many cycles.
const TTAS_BACKOFF_CYCLES: u64 = 1000;
/// What the paper's loop has beside the lock and the line: two full fences, and the time of so many empty instructions for
/// its calls and counters. Its fastest lock runs 22 million times a second on one core of the Opteron, 95 cycles each, of
/// which ours takes about 35.
const LOOP_FENCES: u32 = 2;
const LOOP_INSTRUCTIONS: u32 = 10;

/// The series of the figure, by its name: operations per second in millions, or why this project has no such series.
///
/// The paper's library differs by platform, and so does this. On x86 the ticket lock backs off in proportion to the
/// distance. The array lock reads its size from the line of its counter. The bound of the back-off of
/// test-and-test-and-set only ever grows, so that after a few lost races it is at its limit for good.
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
    let x86 = matches!(platform, "Opteron" | "Xeon");
    let beside = LOOP_FENCES * preset.local.fence + LOOP_INSTRUCTIONS * empty as u32;
    let run = Run { preset, threads, seed, beside };
    Ok(match series {
        // The library's sets the flag by compare-and-swap.
        "TAS" => {
            let preset = &Rc::new(setting_by_cas(preset));
            Run { preset, ..run }.of::<mutex::spin_tas::SpinTas>(&[])
        }
        "TTAS" => {
            let limit = pauses(TTAS_BACKOFF_CYCLES);
            let params = [("backoff_first_pauses", limit), ("backoff_limit_pauses", limit)];
            run.of::<mutex::spin_ttas_backoff::SpinTtasBackoff>(&params)
        }
        "TICKET" if x86 => run.of::<mutex::ticket::Ticket>(&[("backoff_pauses", away)]),
        "TICKET" | "NAIVE_TICKET" => run.of::<mutex::ticket::Ticket>(&[]),
        "ARRAY" => run.of::<mutex::array::Array>(&[("size_beside_next", 1)]),
        "MCS" => run.of::<mutex::mcs::Mcs>(&[]),
        "CLH" => run.of::<mutex::clh::Clh>(&[]),
        // The figures have it on x86 alone: elsewhere there is one node, and the instructions are many cycles.
        "HTICKET" => run.of::<mutex::hticket::Hticket>(&[("backoff_pauses", if x86 { away } else { 0 })]),
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

/// What shares a line in the paper's loop, which keeps a record of 64 bytes for each thread where the allocator's blocks begin
/// at multiples of 16: the counter of one thread, and the number of the thread before it, which that one reads in each
/// section. Nobody writes beside the number of the last thread.
struct Records {
    counter: Word,
    number_before: Word,
}

impl Records {
    fn new() -> Self {
        Records { counter: Word::new(0), number_before: Word::new(1) }
    }
}

impl Run<'_> {
    fn of<I: MutexImpl>(&self, params: &[(&'static str, u64)]) -> f64 {
        // A source of parameters lives for ever. There are a handful of different ones.
        let lock = I::build::<S, Tuned>(Tuned(params.to_vec().leak()));
        let guarded = Line(Word::new(0));
        let records: Vec<Line<Records>> = (0..=self.threads).map(|_| Line(Records::new())).collect();
        let cores = super::cores(self.preset, self.threads);
        let pause = latency_max(self.preset, &cores);
        let (lock, guarded, records, beside) = (&lock, &guarded, &records, self.beside);
        let step = |index: usize| -> Step<'_> {
            let mut context = lock.context();
            let mut done = 0;
            Box::new(move || {
                lock.lock(&mut context);
                S::work(beside);
                let number = records[index + 1].number_before.load(Ordering::Relaxed);
                let seen = guarded.load(Ordering::Relaxed);
                guarded.store(seen + number, Ordering::Relaxed);
                lock.unlock(&mut context);
                S::work(pause);
                done += 1;
                records[index].counter.store(done, Ordering::Relaxed);
            })
        };
        super::mops(self.preset, self.threads, self.seed, &step)
    }
}
