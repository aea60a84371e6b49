//! All threads take one lock: acquire, read and write one line, release, pause for the maximum latency.

use std::rc::Rc;

use impls::card::Tuned;
use impls::machine::sim::Polling;
use impls::machine::sim::preset::{Op, Preset};
use impls::machine::{Atomic, Line, Machine, Ordering};
use impls::mutex::{self, MutexImpl, RawMutex};

use super::{S, Step};

/// The paper's ticket lock stays away for so many empty instructions for each thread before it, on x86 only.
const TICKET_BASE_INSTRUCTIONS: u64 = 512;
/// And for so many when it is next.
const TICKET_NEXT_INSTRUCTIONS: u64 = 128;
/// The paper's test-and-test-and-set lock doubles its back-off up to so many cycles.
const TTAS_BACKOFF_CYCLES: u64 = 1000;
/// Instructions of the paper's loop and library calls that ours lacks: its fastest lock runs 22 million times a second
/// on one core at 2.1 GHz, 95 cycles each, of which ours takes about 32.
const LOOP_CYCLES: u32 = 60;

/// The series of the figure, by its name: operations per second in millions, or why this project has no such series.
///
/// The paper's library differs by platform, and so does this. On x86 the ticket lock backs off in proportion to the
/// distance; on the Opteron it and the test-and-test-and-set lock prefetch the line for a write before they look.
/// Not simulated: on the Opteron the library's queue locks (array, MCS, CLH) and its hierarchical ticket lock prefetch
/// as well, which here makes the queues too fast; and the hierarchical lock backs off, for which ours has no parameter.
/// `docs/SIMULATION.md` has the numbers.
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
    let empty = if platform == "Opteron" { 2 } else { 1 };
    let polling = |pauses: u64| match platform {
        "Opteron" => Polling::Exclusive { pauses: pauses as u32 },
        _ => Polling::Shared,
    };
    let x86 = matches!(platform, "Opteron" | "Xeon");
    let run = Run { preset, threads, seed };
    Ok(match series {
        "TAS" => run.of::<mutex::spin_tas::SpinTas>(Polling::Shared, &[]),
        "TTAS" => {
            let limit = pauses(TTAS_BACKOFF_CYCLES);
            let params = [("backoff_first_pauses", 1), ("backoff_limit_pauses", limit)];
            run.of::<mutex::spin_ttas_backoff::SpinTtasBackoff>(polling(0), &params)
        }
        "TICKET" if x86 => {
            let params = [("backoff_pauses", pauses(TICKET_BASE_INSTRUCTIONS * empty))];
            run.of::<mutex::ticket::Ticket>(polling(pauses(TICKET_NEXT_INSTRUCTIONS * empty)), &params)
        }
        "TICKET" | "NAIVE_TICKET" => run.of::<mutex::ticket::Ticket>(Polling::Shared, &[]),
        "ARRAY" => run.of::<mutex::array::Array>(Polling::Shared, &[]),
        "MCS" => run.of::<mutex::mcs::Mcs>(Polling::Shared, &[]),
        "CLH" => run.of::<mutex::clh::Clh>(Polling::Shared, &[]),
        "HTICKET" => run.of::<mutex::hticket::Hticket>(Polling::Shared, &[]),
        _ => return Err(lacking(series).unwrap_or("not a series of the paper")),
    })
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
}

impl Run<'_> {
    fn of<I: MutexImpl>(&self, polling: Polling, params: &[(&'static str, u64)]) -> f64 {
        // A source of parameters lives for ever. There are a handful of different ones.
        let lock = I::build::<S, Tuned>(Tuned(params.to_vec().leak()));
        let guarded = Line(<S as Machine>::AtomicU64::new(0));
        let cores = super::cores(self.preset, self.threads);
        let pause = super::latency_max(self.preset, &cores, Op::Cas);
        let (lock, guarded) = (&lock, &guarded);
        let step = |_| -> Step<'_> {
            let mut context = lock.context();
            Box::new(move || {
                lock.lock(&mut context);
                S::work(LOOP_CYCLES);
                let seen = guarded.load(Ordering::Relaxed);
                guarded.store(seen + 1, Ordering::Relaxed);
                lock.unlock(&mut context);
                S::work(pause);
            })
        };
        super::mops(self.preset, self.threads, self.seed, polling, &step)
    }
}
