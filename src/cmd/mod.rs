//! The commands, a file each.

mod calibrate;
mod catalogue;
mod compare;
mod doctor;
mod explain;
mod export;
mod guard;
mod history;
mod list;
mod merge;
mod report;
mod run;
mod tune;
mod validate;
mod verify;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::args::{Args, Command, RunArgs};
use crate::exit::Exit;
use crate::guard::identity;
use crate::timeline::Begin;
use crate::{Observatory, launch, uncontended};

pub(crate) use run::{tool, unix_ms};

/// Runs the command that was asked for.
pub(crate) fn dispatch(observatory: &Observatory, args: Args) -> Result<Exit> {
    match args.command {
        None => run::command(observatory, &RunArgs { seed: 1, patience: 5.0, ..RunArgs::default() }),
        Some(Command::List(args)) => list::command(observatory, &args),
        Some(Command::Doctor(args)) => doctor::command(&args),
        Some(Command::Run(args)) => run::command(observatory, &args),
        Some(Command::Explain(args)) => explain::command(observatory, &args),
        Some(Command::Report(args)) => report::command(&args),
        Some(Command::Compare(args)) => compare::command(&args),
        Some(Command::Tune(args)) => tune::command(observatory, &args),
        Some(Command::Export(args)) => export::command(&args),
        Some(Command::History(command)) => history::command(&command),
        Some(Command::Guard(args)) => guard::command(observatory, &args),
        Some(Command::Merge(args)) => merge::command(&args),
        Some(Command::Validate(args)) => validate::command(&args),
        Some(Command::Verify(args)) => verify::command(observatory, &args),
        Some(Command::Calibrate(args)) => calibrate::command(&args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "synchroscope", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
        Some(Command::Launch { identify: true, .. }) => print(&to_json(&identity::own(observatory))?),
        Some(Command::Launch { watch_ms, trace, trace_begin, .. }) => {
            let watch = launch::Watch { deadline: watch_ms.map(Duration::from_millis) };
            let begin = if trace_begin { Begin::Launch } else { Begin::Measured };
            launch::command(observatory, watch, trace.as_deref().map(|file| (file, begin)))?;
            Ok(Exit::Fine)
        }
        Some(Command::Uncontended { implementation, operations, params, tuned_shape }) => {
            let shape = uncontended::Shape::new(params, tuned_shape);
            print(&to_json(&uncontended::run(observatory, &implementation, operations, &shape)?)?)
        }
    }
}

/// Writes a result to stdout.
fn print(text: &str) -> Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to stdout")?;
    Ok(Exit::Fine)
}

/// JSON for a command's `--json`, on lines of its own.
fn to_json(value: &impl serde::Serialize) -> Result<String> {
    let mut json = serde_json::to_string_pretty(value).context("cannot write JSON")?;
    json.push('\n');
    Ok(json)
}

/// This program's command line, as a report quotes it.
pub(crate) fn command_line() -> Vec<String> {
    let mut words: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(program) = words.first_mut() {
        // The path says where a binary lay once; the name is what one types.
        let name = std::path::Path::new(program.as_str()).file_name();
        *program = name.map_or_else(|| "synchroscope".into(), |name| name.to_string_lossy().into_owned());
    }
    words
}
