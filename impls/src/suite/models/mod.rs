//! The shipped sources under model checkers: each check in a process of its own, since none outlives a failure.
//!
//! A parent starts the process with a [`Spec`], the process plays it with [`serve`] and prints its [`Verdict`], which the
//! parent reads. Tests start their own binary again; `synchroscope verify` starts itself.

mod child;
pub mod programs;

pub use child::{Limits, ordering, run, serve};

use std::fmt;
use std::str::FromStr;

use crate::machine::checked::loom::{self, Bounds, Loom};
use crate::machine::checked::shuttle::{self, Scheduler, Shuttle};
use crate::machine::checked::sites::{self, Mutation, Site};
use crate::mutex::MutexImpl;
use programs::Program;

/// Which checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checker {
    /// Every execution within bounds, under the memory model of C11.
    Loom,
    /// Schedules drawn with equal probability, sequentially consistent.
    ShuttleRandom,
    /// Schedules drawn by priorities, sequentially consistent.
    ShuttlePct,
}

impl Checker {
    /// All of them.
    pub const ALL: [Checker; 3] = [Checker::Loom, Checker::ShuttleRandom, Checker::ShuttlePct];

    /// Its name, for people and commands.
    pub fn name(self) -> &'static str {
        match self {
            Checker::Loom => "loom",
            Checker::ShuttleRandom => "shuttle-random",
            Checker::ShuttlePct => "shuttle-pct",
        }
    }
}

/// How much is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// For each change: a few seconds an implementation.
    Short,
    /// For a campaign: more preemptions, many more executions.
    Deep,
}

/// Executions of loom after which the short form stops without a verdict on the rest.
const SHORT_EXECUTIONS: usize = 20_000;
const DEEP_EXECUTIONS: usize = 5_000_000;
const SHORT_SCHEDULES: usize = 300;
const DEEP_SCHEDULES: usize = 20_000;
/// Steps of one execution; a correct program takes some hundred.
const STEPS: usize = 3_000;
/// Orderings that a fault may need under PCT: two for most lock faults, one more for a late third thread.
const PCT_DEPTH: usize = 3;
const SEED: u64 = 1;

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// By which checker.
    pub checker: Checker,
    /// Of which program, by name.
    pub program: String,
    /// How far.
    pub depth: Depth,
    /// With this ordering weakened.
    pub mutation: Option<Mutation>,
    /// Whether the sites that ran are wanted.
    pub sites: bool,
}

impl Spec {
    /// The short check of `program` by `checker`.
    pub fn short(checker: Checker, program: &Program) -> Self {
        let program = program.name.to_owned();
        Spec { checker, program, depth: Depth::Short, mutation: None, sites: false }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let depth = if self.depth == Depth::Deep { "deep" } else { "short" };
        write!(f, "{} {} {depth}", self.checker.name(), self.program)?;
        if self.sites {
            f.write_str(" sites")?;
        }
        // Last, and to the end of the line: a path may hold spaces.
        self.mutation.as_ref().map_or(Ok(()), |mutation| write!(f, " weaken {mutation}"))
    }
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no check: CHECKER PROGRAM short|deep [sites] [weaken MUTATION]");
        let (head, mutation) = match text.split_once(" weaken ") {
            Some((head, mutation)) => (head, Some(mutation.parse()?)),
            None => (text, None),
        };
        let mut words = head.split(' ');
        let mut word = || words.next().ok_or_else(wrong);
        let checker = word()?;
        let checker = Checker::ALL.into_iter().find(|c| c.name() == checker).ok_or_else(wrong)?;
        let program = Program::named(word()?).ok_or_else(wrong)?.name.to_owned();
        let depth = match word()? {
            "short" => Depth::Short,
            "deep" => Depth::Deep,
            _ => return Err(wrong()),
        };
        let sites = match words.next() {
            None => false,
            Some("sites") => true,
            Some(_) => return Err(wrong()),
        };
        Ok(Spec { checker, program, depth, mutation, sites })
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing wrong.
    Passed {
        /// Executions, or schedules.
        executions: usize,
        /// Whether these are all within the bound of preemptions.
        complete: bool,
    },
    /// What is wrong, in a line.
    Failed(String),
}

impl Verdict {
    /// Whether a fault was found.
    pub fn failed(&self) -> bool {
        matches!(self, Verdict::Failed(_))
    }
}

/// A verdict and the sites that ran, if they were wanted.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was found.
    pub verdict: Verdict,
    /// Orderings that ran, with their names (`AcqRel`).
    pub sites: Vec<(Site, String)>,
}

/// The bounds of a check, in words.
pub fn bounds(checker: Checker, program: &Program, depth: Depth) -> String {
    let deep = depth == Depth::Deep;
    let schedules = if deep { DEEP_SCHEDULES } else { SHORT_SCHEDULES };
    match checker {
        Checker::Loom => {
            let executions = if deep { DEEP_EXECUTIONS } else { SHORT_EXECUTIONS };
            format!(
                "at most {} preemptions, {executions} executions",
                program.preemptions + usize::from(deep)
            )
        }
        Checker::ShuttleRandom => format!("{schedules} random schedules"),
        Checker::ShuttlePct => format!("{schedules} schedules by priorities, depth {PCT_DEPTH}"),
    }
}

/// Plays `spec` on `I`. A fault panics, and the caller's panic hook must end the process: see [`child`].
fn play<I: MutexImpl>(spec: &Spec) -> Verdict {
    let program = Program::named(&spec.program).expect("a spec names a program");
    if let Some(mutation) = &spec.mutation {
        sites::weaken(mutation.clone());
    }
    let deep = spec.depth == Depth::Deep;
    let schedules = if deep { DEEP_SCHEDULES } else { SHORT_SCHEDULES };
    let draw = |scheduler| {
        let body = || program.run::<I, Shuttle>();
        shuttle::explore(program.setting, scheduler, SEED, schedules, STEPS, body);
        Verdict::Passed { executions: schedules, complete: false }
    };
    match spec.checker {
        Checker::Loom => {
            let preemptions = Some(program.preemptions + usize::from(deep));
            let executions = if deep { DEEP_EXECUTIONS } else { SHORT_EXECUTIONS };
            let bounds = Bounds { preemptions, executions, steps: STEPS };
            let explored = loom::explore(program.setting, bounds, || program.run::<I, Loom>());
            Verdict::Passed { executions: explored.executions, complete: explored.complete }
        }
        Checker::ShuttleRandom => draw(Scheduler::Random),
        Checker::ShuttlePct => draw(Scheduler::Pct { depth: PCT_DEPTH }),
    }
}
