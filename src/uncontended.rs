//! One lock, taken and given back by one thread so many times, and nothing else: what a counter of instructions counts.
//!
//! `uncontended --implementation ID --operations N` is hidden. Whoever counts the whole process runs two lengths and takes
//! the difference, which leaves the loop; the processor's own counter is read around the loop, where there is one.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail, ensure};
use impls::card::Defaults;
use impls::machine::os::Os;
use impls::mutex::{MutexImpl, RawMutex};
use profiler::counters::{CountedEvent, Counters};
use record::Reading;
use serde::{Deserialize, Serialize};

use crate::Observatory;
use crate::launch;

/// Version of the JSON of [`Loop`].
const VERSION: u32 = 1;

/// What one call says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Loop {
    /// [`VERSION`].
    pub(crate) version: u32,
    /// What ran.
    pub(crate) implementation: String,
    /// How often it was taken and given back.
    pub(crate) operations: u64,
    /// Instructions in user mode from the first operation to the last, by the processor's counter.
    pub(crate) instructions: Reading,
}

/// Where the implementation takes its parameters from.
#[derive(Clone, Debug)]
pub struct Shape {
    params: BTreeMap<String, u64>,
    tuned: bool,
}

impl Shape {
    /// With these parameters; `tuned`: read at run time even if there are none.
    pub(crate) fn new(params: impl IntoIterator<Item = (String, u64)>, tuned: bool) -> Shape {
        let params: BTreeMap<String, u64> = params.into_iter().collect();
        Shape { tuned: tuned || !params.is_empty(), params }
    }
}

/// Runs the loop and says what the processor counted.
pub(crate) fn run(
    observatory: &Observatory,
    implementation: &str,
    operations: u64,
    shape: &Shape,
) -> Result<Loop> {
    let Some(entry) = observatory.entry(implementation) else {
        match observatory.engine(implementation) {
            Some(engine) => bail!("{implementation} is of the engine {}: another program's", engine.name),
            None => bail!("implementation `{implementation}` is not known to this program"),
        }
    };
    launch::check_param_names(entry.card(), &shape.params)?;
    let mut counters = Counters::open();
    let counted = entry.uncontended(operations, shape, &mut || counters.enable());
    counters.disable();
    ensure!(
        counted == operations,
        "{implementation}: the counter shows {counted} after {operations} operations of one thread"
    );
    let name = CountedEvent::Instructions.name();
    let instructions = counters.read().remove(name).with_context(|| format!("no counter {name}"))?;
    Ok(Loop { version: VERSION, implementation: implementation.to_owned(), operations, instructions })
}

/// The loop of a mutex; `begin` is called before it. What the guarded counter shows afterwards.
pub(crate) fn mutex<I: MutexImpl>(operations: u64, shape: &Shape, begin: &mut dyn FnMut()) -> u64 {
    if shape.tuned {
        run_loop(&I::build::<Os, _>(launch::tuned(&shape.params)), operations, begin)
    } else {
        run_loop(&I::build::<Os, _>(Defaults), operations, begin)
    }
}

/// Not generic over the source of parameters: implementations without parameters have one type for both sources.
#[inline(never)]
fn run_loop<L: RawMutex<Os>>(lock: &L, operations: u64, begin: &mut dyn FnMut()) -> u64 {
    let (lock, mut context) = (black_box(lock), lock.context());
    let counter = AtomicU64::new(0);
    let counter = black_box(&counter);
    begin();
    for _ in 0..operations {
        lock.lock(&mut context);
        // As in the driver: a load and a store, so that a lock cannot be optimised away.
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        lock.unlock(&mut context);
    }
    counter.load(Ordering::Relaxed)
}

/// Reads `NAME=VALUE`, as the command line gives a parameter.
pub(crate) fn param(text: &str) -> Result<(String, u64), String> {
    let parsed = text.split_once('=').and_then(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    parsed.ok_or_else(|| format!("`{text}`: expected NAME=VALUE with a whole number, such as spin_rounds=8"))
}
