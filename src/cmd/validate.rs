//! `validate`: published curves, simulated.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use impls::text::reader::Source;
use indicatif::{ProgressBar, ProgressDrawTarget};
use workloads::published::agree::{Asked, plan};
use workloads::published::curves::embedded;

use super::report::stamped;
use super::{print, to_json};
use crate::args::ValidateArgs;
use crate::exit::Exit;
use crate::machines::Machines;

/// Plain lines come so often.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(super) fn command(args: &ValidateArgs) -> Result<Exit> {
    let preset = args.preset.as_deref().map(|text| Machines::one("--preset", text)).transpose()?;
    let sources = match &args.curves[..] {
        [] => embedded().into(),
        files => files.iter().map(|file| Source::read(file)).collect::<Result<Vec<_>, _>>()?,
    };
    let plan = plan(&sources, &Asked { bench: args.bench, preset, seeds: args.seeds })?;
    let options = reports::html::Options { force: args.force, ..stamped() };
    if let Some(out) = &args.out {
        // A folder that cannot be had is better known before than after a minute of simulation.
        reports::html::may_write(out, &options)?;
    }
    let bar = Bar::new();
    let validation = plan.run(&|done, of| bar.advance(done, of));
    bar.finish();
    if let Some(out) = &args.out {
        let page = reports::html::write_validation(out, &validation, &options)?;
        eprintln!("{}", page.display());
    }
    print(&if args.json { to_json(&validation)? } else { reports::validation::text(&validation) })
}

/// How far it is, on stderr: a bar on a terminal, plain lines elsewhere.
struct Bar {
    bar: Option<ProgressBar>,
    last_line: Mutex<Instant>,
}

impl Bar {
    fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = terminal.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
        Self { bar, last_line: Mutex::new(Instant::now()) }
    }

    /// Called by several threads at a time.
    fn advance(&self, done: usize, of: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        } else if let Ok(mut last) = self.last_line.lock()
            && last.elapsed() >= LINE_EVERY
        {
            *last = Instant::now();
            eprintln!("{done} of {of} simulations");
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
