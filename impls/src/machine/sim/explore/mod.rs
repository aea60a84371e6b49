//! Schedules: the same sources under many interleavings, a failure under a short one.
//!
//! A campaign runs a program again and again. Instead of the thread whose clock is lowest, a policy picks who goes next
//! at each operation on a word, at each look at a futex or token, at each yield and pause. Random walks find what many
//! schedules show; PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010: random priorities that change at few
//! random steps) finds bugs of small depth with a probability that it states.
//!
//! * A thread that awaits a word is not picked before the word holds another value.
//! * Time is a choice too: any sleeper with a deadline may be picked, and then the clock goes on to its deadline. So both
//!   outcomes of a time-out are explored. If nobody else can go on, the next deadline comes by itself.
//! * If nobody can go on at all the schedule ends at once as a deadlock, with the wait-for graph. One that does not end
//!   within [`Options::most_steps`] is a failure too.
//! * Operations take effect one after another: this finds wrong interleavings and no missing orderings.
//!
//! Lines cost nothing here and cores are as many as threads: it is the machine's scheduler that is explored, not its
//! speed. A failure is replayed with [`replay`], from the text of its [`Schedule`].
//!
//! | module | holds |
//! |---|---|
//! | `guide` | who goes next: policies, and the record of what they chose |
//! | `schedule` | a schedule as a list of switches, and as text |
//! | `shrink` | fewer switches that fail as well |
//! | `steps` | the world's side: what can go on, and what a choice does |

mod guide;
mod schedule;
mod shrink;
mod steps;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Once;

use super::preset::Preset;
use super::run::{Report, Setup, simulate_guided, take_failed};

pub use self::schedule::{How, Schedule, Switch};

pub(super) use self::guide::Guide;
use self::guide::Plan;
pub(super) use self::steps::Word;

/// How schedules are picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Random walks, each with its own willingness to switch.
    Random,
    /// Random priorities that change at `depth - 1` random steps.
    Pct {
        /// How many ordering constraints a bug may need; 1 and more.
        depth: u32,
    },
    /// Half random walks, half PCT of depths 1 to 4: the seed of a schedule says which.
    Mixed,
}

/// A campaign.
#[derive(Clone, Debug)]
pub struct Options {
    /// The machine: its costs of operations are the clock's ticks.
    pub preset: Rc<Preset>,
    /// How schedules are picked.
    pub policy: Policy,
    /// How many schedules are tried.
    pub schedules: u32,
    /// Seed of the first schedule; the following ones count up from it.
    pub seed: u64,
    /// A schedule with more steps than this has failed: nothing ends.
    pub most_steps: u64,
    /// Sleeps on futexes and in `park` may end for no reason, a few times in each schedule.
    pub spurious: bool,
    /// Each reading of the clock takes so much longer, ns: brings what happens after a long wait into short schedules.
    pub clock_step_ns: u64,
    /// Runs that shrinking a failure may take.
    pub most_shrinks: u32,
}

impl Options {
    /// So many schedules from this seed, half random walks and half PCT, on a computer of eight cores.
    ///
    /// # Panics
    /// Never: the preset is part of the binary.
    pub fn new(schedules: u32, seed: u64) -> Self {
        let preset = Preset::builtin("laptop-8").unwrap_or_else(|error| panic!("{error}"));
        Options {
            preset: Rc::new(preset),
            policy: Policy::Mixed,
            schedules,
            seed,
            most_steps: 20_000,
            spurious: false,
            clock_step_ns: 0,
            most_shrinks: 500,
        }
    }
}

/// How a schedule failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A thread panicked, or the program did after its threads had ended.
    Panic,
    /// Nobody could ever go on.
    Deadlock,
    /// It did not end within [`Options::most_steps`].
    Endless,
}

/// The size of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Switches to another thread than would have gone on by itself.
    pub switches: usize,
    /// Those of them that took the turn from a thread that could have gone on.
    pub preemptions: usize,
    /// Steps until it failed.
    pub steps: u64,
}

/// A failure.
#[derive(Clone, Debug)]
pub struct Failure {
    /// How it failed.
    pub kind: Kind,
    /// What it said: the panic's message, or who waits for whom.
    pub text: String,
    /// The seed of the schedule that failed: with this as [`Options::seed`] the first schedule fails.
    pub seed: u64,
    /// Which schedule of the campaign it was, from 0.
    pub number: u32,
    /// A short schedule that fails in the same way.
    pub schedule: Schedule,
    /// The schedule as it was found.
    pub found: Size,
    /// The short one.
    pub shrunk: Size,
}

/// What a campaign brought.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// No schedule failed.
    Passed {
        /// Schedules that were tried.
        schedules: u32,
        /// Steps of all of them.
        steps: u64,
    },
    /// One failed, and the campaign ended with it.
    Failed(Box<Failure>),
}

/// One schedule, run again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// How it failed and what it said; `None` if it did not.
    pub failure: Option<(Kind, String)>,
    /// Steps.
    pub steps: u64,
    /// A hash over its choices: equal for equal schedules.
    pub choices_hash: u64,
    /// Reports of the runs that ended, with tapes if marks were asked for.
    pub reports: Vec<Report>,
    /// The marks of the last run, if it or what came after it failed, and marks were asked for.
    pub unfinished: Option<super::trace::Tape>,
}

/// Runs `program`, which uses the simulated machine, under many schedules.
///
/// The program must do the same each time: its only differences come from the schedule.
///
/// # Panics
/// If a simulation on this host thread is under way.
pub fn campaign(options: &Options, program: impl Fn()) -> Outcome {
    let program: &dyn Fn() = &program;
    // Without any switch that nobody needs: how long schedules are about, for PCT.
    let first = run(options, Plan::Follow(Schedule::default()), 0, program);
    let mut steps = first.steps;
    if let Some((kind, text)) = first.failure.clone() {
        return Outcome::Failed(shrink::shrink(options, program, (options.seed, 0), first, kind, text));
    }
    for number in 0..options.schedules {
        let seed = options.seed.wrapping_add(u64::from(number));
        let tried = run(options, Plan::random(options.policy, seed, first.steps), 0, program);
        steps += tried.steps;
        if let Some((kind, text)) = tried.failure.clone() {
            return Outcome::Failed(shrink::shrink(options, program, (seed, number), tried, kind, text));
        }
    }
    Outcome::Passed { schedules: options.schedules + 1, steps }
}

/// Runs `program` under one schedule, and keeps at most `marks` marks of what happened.
///
/// # Panics
/// If a simulation on this host thread is under way.
pub fn replay(options: &Options, schedule: &Schedule, marks: usize, program: impl Fn()) -> Replayed {
    let tried = run(options, Plan::Follow(schedule.clone()), marks, &program);
    Replayed {
        failure: tried.failure,
        steps: tried.steps,
        choices_hash: tried.choices_hash,
        reports: tried.reports,
        unfinished: tried.unfinished,
    }
}

/// One schedule that was run.
struct Tried {
    failure: Option<(Kind, String)>,
    steps: u64,
    choices_hash: u64,
    /// What it did, as a schedule.
    schedule: Schedule,
    preemptions: usize,
    reports: Vec<Report>,
    unfinished: Option<super::trace::Tape>,
}

impl Tried {
    fn size(&self) -> Size {
        Size { switches: self.schedule.0.len(), preemptions: self.preemptions, steps: self.steps }
    }
}

fn run(options: &Options, plan: Plan, marks: usize, program: &dyn Fn()) -> Tried {
    let setup = Setup { preset: Rc::clone(&options.preset), observe: true, marks, marks_from: 0 };
    let clock_step = options.preset.cycles(options.clock_step_ns);
    let guide = Rc::new(RefCell::new(Guide::new(plan, options.most_steps, options.spurious, clock_step)));
    let ended = quietly(|| {
        catch_unwind(AssertUnwindSafe(|| simulate_guided(&setup, Some(Rc::clone(&guide)), program)))
    });
    let mut guide = guide.borrow_mut();
    let (failure, reports) = match ended {
        Ok(((), reports)) => (None, reports),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let kind = guide.stuck.unwrap_or(Kind::Panic);
            (Some((kind, text.unwrap_or_else(|| "a panic without a text".to_owned()))), Vec::new())
        }
    };
    let failed = failure.is_some();
    Tried {
        failure,
        steps: guide.steps,
        choices_hash: guide.choices_hash,
        schedule: Schedule(std::mem::take(&mut guide.made)),
        preemptions: guide.preemptions,
        reports,
        unfinished: take_failed().and_then(|run| run.tape).filter(|_| failed),
    }
}

thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });

/// Runs `body`, whose panics on this host thread say nothing on stderr: shrinking makes hundreds of them.
pub fn quietly<R>(body: impl FnOnce() -> R) -> R {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                before(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = body();
    QUIET.set(before);
    result
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { switches, preemptions, steps } = self;
        write!(f, "{switches} switches, {preemptions} of them preemptions, {steps} steps")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.kind {
            Kind::Panic => "panics",
            Kind::Deadlock => "comes to a deadlock",
            Kind::Endless => "does not end",
        };
        writeln!(f, "schedule {} of seed {} {how} ({})", self.number, self.seed, self.found)?;
        writeln!(f, "{}", self.text)?;
        write!(f, "shrunk to {}; replay: `{}`", self.shrunk, self.schedule)
    }
}
