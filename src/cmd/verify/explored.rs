//! Explored schedules: a campaign for each program, and the timeline of a schedule that fails.

use std::path::Path;

use anyhow::{Context, Result};
use impls::machine::sim::explore::{Failure, Kind, Outcome};
use impls::suite::explored::Explored;
use record::Checked;
use record::store::write_atomically;
use serde_json::json;

use super::tell;
use crate::args::VerifyArgs;
use crate::registry::Entry;
use crate::timeline;

const SHORT_SCHEDULES: u32 = 200;
const DEEP_SCHEDULES: u32 = 20_000;
/// A shrunk schedule has some hundred steps.
const MARKS_MAX: usize = 20_000;

/// What came of each campaign. With `--trace`, a timeline of each that failed is written.
pub(super) fn checks(entry: &dyn Entry, args: &VerifyArgs) -> Result<Vec<Checked>> {
    let id = entry.card().id;
    let schedules = args.schedules.unwrap_or(if args.deep { DEEP_SCHEDULES } else { SHORT_SCHEDULES });
    let marks = if args.trace.is_some() { MARKS_MAX } else { 0 };
    let explored = entry.explore(schedules, args.seed, marks);
    let check = |explored: &Explored| {
        let (passed, finding) = match &explored.outcome {
            Outcome::Passed { schedules, steps } => (true, format!("{schedules} schedules, {steps} steps")),
            Outcome::Failed(failure) => (false, found(id, explored, failure, args)?),
        };
        Ok(tell(
            id,
            Checked {
                by: "schedules".to_owned(),
                program: explored.name(),
                asks: explored.asks(),
                bounds: format!("{schedules} schedules from seed {}, half random, half PCT", args.seed),
                passed,
                finding,
            },
        ))
    };
    explored.iter().map(check).collect()
}

/// A failure in a line, and where its timeline is.
fn found(id: &str, explored: &Explored, failure: &Failure, args: &VerifyArgs) -> Result<String> {
    let how = match failure.kind {
        Kind::Panic => "panic",
        Kind::Deadlock => "deadlock",
        Kind::Endless => "no end",
    };
    let text = failure.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let again = format!("verify {id} --seed {} --schedules 1", failure.seed);
    let mut line = format!(
        "{how}: {text}; seed {} (again: `{again}`); shortest schedule `{}` ({})",
        failure.seed, failure.schedule, failure.shrunk
    );
    if let (Some(folder), Some(tape)) = (&args.trace, &explored.tape) {
        let file = folder.join(format!("{}.{}.trace.json", id.replace('/', "."), explored.name()));
        let about = json!({
            "implementation": id,
            "program": explored.asks(),
            "machine": format!("sim:{}", explored.preset().name),
            "seed": failure.seed.to_string(),
            "schedule": failure.schedule.to_string(),
            "failure": format!("{how}: {text}"),
        });
        write(&file, &timeline::of_tape(tape, explored.preset(), explored.threads, 0, about))?;
        line += &format!("; timeline {}", file.display());
    }
    Ok(line)
}

fn write(file: &Path, trace: &serde_json::Value) -> Result<()> {
    let text = serde_json::to_vec(trace).context("cannot encode a timeline")?;
    write_atomically(file, &text)
}
