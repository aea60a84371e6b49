//! How fast the simulator is: operations on words that it carries out per second of this computer's time.
//!
//! Every mutex on 1 to 128 cores of `genoa-192`, each for at least 10 ms of virtual time after a warm-up. Polls that the
//! simulator did not carry out, since it knew their outcome, do not count.
//!
//! `cargo bench -p synchroscope-impls --bench simulated [-- FILTER]` prints a table; `--json` prints it for machines.

use std::io::Write as _;
use std::rc::Rc;
use std::time::Instant;

use impls::card::{Defaults, Runs};
use impls::machine::Machine;
use impls::machine::sim::preset::Preset;
use impls::machine::sim::{Setup, Sim, clock_cycles, simulate, totals};
use impls::mutex::{MutexImpl, MutexVisitor, RawMutex, visit_all};
use impls::probe::NoProbe;

type S = Sim<NoProbe>;

const CORES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// Holding and thinking, in cycles.
const SECTION: u32 = 100;
const THINK: u32 = 300;
/// What the project promises on one core of a computer of today, in millions per second.
const MEAN_MIN: f64 = 12.0;
const LEAST_MIN: f64 = 5.0;
const WARM_UP_NS: u64 = 1_000_000;
const VIRTUAL_NS: u64 = 10_000_000;

/// Millions of operations per second of host time.
fn speed<I: MutexImpl>(preset: &Rc<Preset>, cores: usize) -> f64 {
    let setup = Setup { preset: Rc::clone(preset), observe: false, marks: 0, marks_from: 0 };
    let (warm, end) = (preset.cycles(WARM_UP_NS), preset.cycles(WARM_UP_NS + VIRTUAL_NS));
    let begun = std::cell::Cell::new(None);
    let begun = Shared(&begun);
    let lock = I::build::<S, Defaults>(Defaults);
    let (_, reports) = simulate(&setup, || {
        S::run(cores, &[], 1, &|_| {
            let mut context = lock.context();
            let mut operate = |until: u64| {
                while clock_cycles().is_some_and(|now| now < until) {
                    lock.lock(&mut context);
                    S::work(SECTION);
                    lock.unlock(&mut context);
                    S::work(THINK);
                }
            };
            operate(warm);
            // The first that is warm starts the clock: a thread that others keep out may be warm much later.
            if begun.get().get().is_none() {
                begun.get().set(Some((Instant::now(), totals().map_or(0, |t| t.operations))));
            }
            operate(end);
        });
    });
    let Some((start, before)) = begun.get().get() else { unreachable!("threads run past the warm-up") };
    let seconds = start.elapsed().as_secs_f64();
    (reports[0].totals.operations - before) as f64 / seconds / 1e6
}

/// A cell that the closure of the simulated threads may hold: they all run on one host thread.
struct Shared<'a>(&'a std::cell::Cell<Option<(Instant, u64)>>);

// SAFETY: simulated threads run on the host thread that called `run`, one after another; nobody else has the cell.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    fn get(&self) -> &'a std::cell::Cell<Option<(Instant, u64)>> {
        self.0
    }
}

struct Table {
    preset: Rc<Preset>,
    filter: String,
    rows: Vec<(&'static str, Vec<f64>)>,
}

impl MutexVisitor for Table {
    fn visit<I: MutexImpl>(&mut self) {
        if I::CARD.runs == Runs::AnyMachine
            && !I::CARD.id.ends_with("/empty")
            && I::CARD.id.contains(&self.filter)
        {
            let row = CORES.iter().map(|&cores| speed::<I>(&self.preset, cores)).collect();
            self.rows.push((I::CARD.id, row));
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let json = arguments.iter().any(|a| a == "--json");
    let filter = arguments.into_iter().find(|a| !a.starts_with("--")).unwrap_or_default();
    let preset = Preset::builtin("genoa-192").unwrap_or_else(|error| panic!("{error}"));
    let mut table = Table { preset: Rc::new(preset), filter, rows: Vec::new() };
    visit_all(&mut table);
    let all = || table.rows.iter().flat_map(|row| row.1.iter().copied());
    let count = all().count().max(1) as f64;
    let mean = (all().map(f64::ln).sum::<f64>() / count).exp();
    let least = all().fold(f64::INFINITY, f64::min);
    let mut out = std::io::stdout().lock();
    let mut text = String::new();
    if json {
        let rows: Vec<String> = table.rows.iter().map(|(id, row)| format!("\"{id}\":{row:?}")).collect();
        text += &format!(
            "{{\"cores\":{CORES:?},\"mops\":{{{}}},\"geometric_mean\":{mean},\"least\":{least}}}\n",
            rows.join(",")
        );
    } else {
        text += &format!("{:26}", "simulated operations, M/s");
        CORES.iter().for_each(|cores| text += &format!("{cores:>8}"));
        for (id, row) in &table.rows {
            text += &format!("\n{id:26}");
            row.iter().for_each(|mops| text += &format!("{mops:8.1}"));
        }
        let verdict = |met: bool| if met { "met" } else { "missed" };
        text += &format!("\ngeometric mean {mean:.1}, target >= {MEAN_MIN} {}", verdict(mean >= MEAN_MIN));
        text += &format!("\nleast {least:.1}, target >= {LEAST_MIN} {}\n", verdict(least >= LEAST_MIN));
    }
    out.write_all(text.as_bytes()).unwrap_or_else(|error| panic!("cannot print: {error}"));
}
