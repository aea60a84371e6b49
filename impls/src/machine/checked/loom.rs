//! loom: every interleaving of a small program within bounds, under the memory model of C11.
//!
//! Limits, from its documentation and issues: at most four threads beside the conductor; seven stores of history a word;
//! `SeqCst` accesses count as `AcqRel` (a false alarm is possible, a missed fault is not; fences are exact); a weak
//! compare-exchange never fails without reason; no relaxed load reads from the future.

super::checked_machine! {
    /// The machine whose executions loom enumerates.
    Loom over loom; LoomCell
}

use super::Setting;
use crate::machine::DataCell;

/// Plain data; loom reports accesses that no ordering keeps apart.
#[derive(Debug)]
pub struct LoomCell<T>(::loom::cell::UnsafeCell<T>);

impl<T: 'static> DataCell<T> for LoomCell<T> {
    #[track_caller]
    fn new(value: T) -> Self {
        LoomCell(::loom::cell::UnsafeCell::new(value))
    }
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.0.with(f)
    }
    #[track_caller]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(f)
    }
}

/// How far an exploration goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most switches away from a thread that could go on; `None` for all interleavings.
    pub preemptions: Option<usize>,
    /// Most executions; the exploration then ends without a verdict on the rest.
    pub executions: usize,
    /// Most steps of one execution. More is a thread that polls for ever.
    pub steps: usize,
}

/// How far an exploration went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// Executions.
    pub executions: usize,
    /// Whether these are all within the bound of preemptions.
    pub complete: bool,
}

/// The threads of a run.
struct Crew {
    conductor: ::loom::thread::Thread,
    /// Words that the conductor writes while the threads run, unordered with their reads: loom explores what each read
    /// sees, which makes it a free choice. By thread, a word for each choice that the setting allows.
    choices: Vec<::loom::sync::atomic::AtomicU32>,
}

/// Choices of a thread.
fn choices_each() -> usize {
    scene::setting().timeouts + scene::setting().spurious
}

::loom::thread_local! {
    static CREW: RefCell<Option<Arc<Crew>>> = RefCell::new(None);
    static CHOSEN: Cell<usize> = Cell::new(0);
}

fn crew(threads: usize) -> Crew {
    let word = |_| ::loom::sync::atomic::AtomicU32::new(0);
    let choices = (0..threads * choices_each()).map(word).collect();
    Crew { conductor: ::loom::thread::current(), choices }
}

fn joined(crew: &Arc<Crew>) {
    CREW.with(|mine| *mine.borrow_mut() = Some(Arc::clone(crew)));
}

/// Orders what the thread did before whatever the conductor does next, as a join does. A join proper would cost: loom
/// tries every order of the ends.
fn left(crew: &Crew) {
    crew.conductor.unpark();
}

fn await_crew<T>(crew: &Crew, _: Vec<::loom::thread::JoinHandle<T>>) {
    for word in &crew.choices {
        word.store(1, Ordering::Relaxed);
    }
    while !scene::all_ended() {
        ::loom::thread::park();
    }
}

fn choose() -> bool {
    let nth = CHOSEN.with(|chosen| chosen.replace(chosen.get() + 1));
    // The conductor belongs to no crew, and has no choice.
    let crew = CREW.with(|crew| crew.borrow().clone());
    crew.is_some_and(|crew| crew.choices[(number() - 1) * choices_each() + nth].load(Ordering::Relaxed) == 1)
}

/// Runs `store` such that it comes last among the stores so far, which `peek` reads.
///
/// loom keeps the stores of a word in partial order, and would let a plain store slip in between the two halves of a
/// read-modify-write that was executed before it (its issue 254): an unlock that nobody ever sees. What is lost are
/// executions in which a later store is overwritten by an earlier one, without either thread having seen the other's.
fn store_last(peek: impl FnOnce(), store: impl FnOnce()) {
    // The thread may be preempted before the look, but not between the look and the store.
    peek();
    ::loom::stop_exploring();
    store();
    ::loom::explore();
}

fn skip() {
    ::loom::skip_branch();
}

fn yield_now() {
    scene::yields(number());
    ::loom::thread::yield_now();
}

/// Where a thread only takes time: loom may switch before every access anyway.
fn breathe() {}

/// Runs `program` in every execution within `bounds`. A failure panics, and the threads that it leaves behind borrow
/// from stacks that unwind: the panic hook must end the process.
pub fn explore(setting: Setting, bounds: Bounds, program: impl Fn() + Send + Sync + 'static) -> Explored {
    use std::sync::atomic::AtomicUsize;

    /// loom looks at its limits once in so many executions.
    const INTERVAL: usize = 100;
    let count = Arc::new(AtomicUsize::new(0));
    let mut model = ::loom::model::Builder::new();
    model.preemption_bound = bounds.preemptions;
    model.max_branches = bounds.steps;
    model.max_permutations = Some(bounds.executions);
    model.checkpoint_interval = INTERVAL;
    let counted = Arc::clone(&count);
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        scene::begin(setting);
        program();
    });
    let executions = count.load(Ordering::Relaxed);
    // The limit strikes in front of an execution whose number is a multiple of the interval.
    let cut = (executions + 1).is_multiple_of(INTERVAL) && executions + 1 >= bounds.executions;
    Explored { executions, complete: !cut }
}
