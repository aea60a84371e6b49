//! The implementations that this binary can launch: the built-in ones, a user's own, and engines.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use impls::card::{Card, Role};
use impls::mutex::{MutexImpl, MutexVisitor};
use impls::suite::explored::{Explored, explore};
use impls::suite::planted::NoFastPath;
use impls::suite::simulated::{Wrong, examine};
use impls::suite::troubled::Trouble;
use impls::suite::{battery, models};
use record::cell::ImplementationRole;
use record::{LaunchResult, LaunchSpec};

use crate::engine::{self, Engine};
use crate::guard::exact::planted::Planted;
use crate::simulated::{self, Marks, Simulation};
use crate::uncontended::Shape;
use crate::{args, cmd, exit, launch, uncontended};

/// An implementation that this process can launch itself.
pub trait Entry: Send + Sync {
    /// Its card.
    fn card(&self) -> &Card;
    /// Runs one launch in this process.
    fn launch(&self, spec: &LaunchSpec, watch: &launch::Watch) -> Result<LaunchResult>;
    /// Runs one launch on a simulated machine, and keeps `marks` of it.
    fn simulate(&self, spec: &LaunchSpec, marks: Marks) -> Result<Simulation>;
    /// Takes and gives it back so often, alone, after `begin` was called; what the counter that it guards shows.
    fn uncontended(&self, operations: u64, shape: &Shape, begin: &mut dyn FnMut()) -> u64;
    /// In a process that [`models::run`] started, plays the check asked for and ends the process; elsewhere nothing.
    fn serve_model(&self);
    /// In a process that [`battery::run`] started, plays the test asked for and ends the process; elsewhere nothing.
    fn serve_battery(&self, again: &[&str]);
    /// Runs short programs under that many explored schedules each, from `seed` on; keeps `marks` of what fails.
    fn explore(&self, schedules: u32, seed: u64, marks: usize) -> Vec<Explored>;
    /// Runs the short programs of the simulator with each seed; what went wrong.
    fn examine(&self, seeds: RangeInclusive<u64>, trouble: Trouble) -> Vec<Wrong>;
}

struct MutexEntry<I: MutexImpl> {
    card: Card,
    implementation: PhantomData<I>,
}

impl<I: MutexImpl> MutexEntry<I> {
    fn boxed() -> Box<dyn Entry> {
        Box::new(MutexEntry::<I> { card: I::CARD, implementation: PhantomData })
    }
}

impl<I: MutexImpl> Entry for MutexEntry<I> {
    fn card(&self) -> &Card {
        &self.card
    }
    fn launch(&self, spec: &LaunchSpec, watch: &launch::Watch) -> Result<LaunchResult> {
        launch::mutex::<I>(spec, watch)
    }
    fn simulate(&self, spec: &LaunchSpec, marks: Marks) -> Result<Simulation> {
        simulated::mutex::<I>(spec, marks)
    }
    fn uncontended(&self, operations: u64, shape: &Shape, begin: &mut dyn FnMut()) -> u64 {
        uncontended::mutex::<I>(operations, shape, begin)
    }
    fn serve_model(&self) {
        models::serve::<I>();
    }
    fn serve_battery(&self, again: &[&str]) {
        battery::serve::<I>(again);
    }
    fn explore(&self, schedules: u32, seed: u64, marks: usize) -> Vec<Explored> {
        explore::<I>(schedules, seed, marks)
    }
    fn examine(&self, seeds: RangeInclusive<u64>, trouble: Trouble) -> Vec<Wrong> {
        examine::<I>(seeds, trouble)
    }
}

struct Collector(Vec<Box<dyn Entry>>);

impl MutexVisitor for Collector {
    fn visit<I: MutexImpl>(&mut self) {
        self.0.push(MutexEntry::<I>::boxed());
    }
}

/// Everything that can be measured, and the command line over it.
pub struct Observatory {
    entries: Vec<Box<dyn Entry>>,
    /// So many of them are built in; what follows is a user's own.
    built_in: usize,
    engines: Vec<Engine>,
}

impl Default for Observatory {
    fn default() -> Self {
        Observatory::new()
    }
}

impl Observatory {
    /// With the built-in implementations.
    pub fn new() -> Self {
        let mut collector = Collector(Vec::new());
        impls::mutex::visit_all(&mut collector);
        Observatory { built_in: collector.0.len(), entries: collector.0, engines: Vec::new() }
    }

    /// Adds a mutex.
    ///
    /// # Panics
    /// If its id is taken, or is not `mutex/NAME`.
    #[must_use]
    pub fn mutex<I: MutexImpl>(mut self) -> Self {
        let id = I::CARD.id;
        assert!(
            id.strip_prefix("mutex/").is_some_and(|name| !name.is_empty() && !name.contains(['/', ' '])),
            "`{id}` is not an id: expected `mutex/NAME`"
        );
        assert!(self.entry(id).is_none(), "the id `{id}` is registered twice");
        self.entries.push(MutexEntry::<I>::boxed());
        self
    }

    /// Runs the command line of this process.
    pub fn main(mut self) -> ExitCode {
        let args = match args::Args::try_parse() {
            Ok(args) => args,
            Err(error) if error.use_stderr() => {
                eprintln!("{}", args::one_line(&error));
                return ExitCode::from(exit::ERROR);
            }
            Err(help_or_version) => help_or_version.exit(),
        };
        let outcome = self.load_engines(&args.engines).and_then(|()| cmd::dispatch(&self, args));
        match outcome {
            Ok(exit) => exit.into(),
            Err(error) => {
                // A reader that closed the pipe early is no error worth a word.
                let broken = error.chain().any(|cause| {
                    cause
                        .downcast_ref::<std::io::Error>()
                        .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
                });
                if !broken {
                    eprintln!("error: {error:#}");
                }
                ExitCode::from(exit::ERROR)
            }
        }
    }

    fn load_engines(&mut self, files: &[PathBuf]) -> Result<()> {
        if std::env::var_os("SYNCHROSCOPE_MUTANTS").is_some() {
            self.entries.push(MutexEntry::<impls::suite::mutants::MutantDeadlock>::boxed());
            self.entries.push(MutexEntry::<impls::suite::mutants::MutantPanic>::boxed());
            self.entries.push(MutexEntry::<impls::suite::mutants::MutantOverlap>::boxed());
            self.entries.push(MutexEntry::<impls::suite::mutants::owner::FirstUnlock>::boxed());
            self.entries.push(MutexEntry::<Planted<false>>::boxed());
            self.entries.push(MutexEntry::<Planted<true>>::boxed());
        }
        if std::env::var_os("SYNCHROSCOPE_PLANTED").is_some() {
            self.entries.push(MutexEntry::<impls::suite::tunable::PlantedBest>::boxed());
            self.entries.push(MutexEntry::<impls::suite::tunable::PlantedNothing>::boxed());
        }
        for engine in engine::find(files)? {
            for implementation in &engine.implementations {
                if self.row(&implementation.id).is_some() {
                    bail!("{}: the id `{}` is taken", engine.file.display(), implementation.id);
                }
            }
            self.engines.push(engine);
        }
        Ok(())
    }

    /// The entry with this id.
    pub fn entry(&self, id: &str) -> Option<&dyn Entry> {
        self.entries.iter().find(|entry| entry.card().id == id).map(|entry| &**entry)
    }

    /// The engine that runs the implementation with this id.
    pub fn engine(&self, id: &str) -> Option<&Engine> {
        self.engines.iter().find(|engine| engine.implementations.iter().any(|i| i.id == id))
    }

    /// Whether the waits of the implementation with this id may stand beside those of threads.
    pub(crate) fn waits_compare(&self, id: &str) -> bool {
        self.engine(id).is_none_or(|engine| engine.waits_compare(id))
    }

    /// All entries, in the order of registration.
    pub fn entries(&self) -> impl Iterator<Item = &dyn Entry> {
        self.entries.iter().map(|entry| &**entry)
    }

    /// The entry of a slower twin that `guard --self-test` plants: in no list, launched only by who names it.
    pub(crate) fn planted(id: &str) -> Option<Box<dyn Entry>> {
        (id == NoFastPath::CARD.id).then(MutexEntry::<NoFastPath>::boxed)
    }

    /// Ids of the implementations that a user's crate registered.
    pub fn own_ids(&self) -> Vec<&str> {
        let own = self.entries().skip(self.built_in).map(|entry| entry.card().id);
        own.filter(|id| !id.starts_with("mutex/mutant-")).collect()
    }

    /// All engines.
    pub fn engines(&self) -> &[Engine] {
        &self.engines
    }

    /// The names of the parameters of each entry that has any.
    pub fn params(&self) -> BTreeMap<String, Vec<String>> {
        let names = |card: &Card| card.params.iter().map(|param| param.name.to_owned()).collect();
        self.entries().map(|entry| (entry.card().id.to_owned(), names(entry.card()))).collect()
    }

    /// Ids of everything, entries first.
    pub fn ids(&self) -> Vec<&str> {
        let engines = self.engines.iter().flat_map(|engine| &engine.implementations);
        self.entries().map(|entry| entry.card().id).chain(engines.map(|i| i.id.as_str())).collect()
    }

    /// What the implementation with this id stands for; `None` if there is none.
    pub fn row(&self, id: &str) -> Option<ImplementationRole> {
        match self.entry(id) {
            Some(entry) => Some(match entry.card().role {
                Role::Design => ImplementationRole::Design,
                Role::Peer => ImplementationRole::Peer,
                Role::Floor => ImplementationRole::Floor,
            }),
            None => self.engine(id).map(|_| ImplementationRole::Peer),
        }
    }
}
