//! The same claims in several processes.

use std::process::{Command, Stdio};

use serde::Deserialize;

use super::KIND;
use super::paired::Outcome;

/// What one process prints.
#[derive(Deserialize)]
struct Answer {
    kind: String,
    claims: Vec<Outcome>,
}

/// Runs this program `launches` times and puts the outcomes of each claim together.
pub(crate) fn run(launches: usize, sections: &[&str], blocks: usize) -> Result<Vec<Outcome>, String> {
    let answers = (0..launches).map(|_| launch(sections, blocks)).collect::<Result<Vec<_>, _>>()?;
    let claims = answers.iter().map(|answer| answer.claims.len()).min().unwrap_or(0);
    let of_claim =
        |claim: usize| Outcome::over(&answers.iter().map(|answer| &answer.claims[claim]).collect::<Vec<_>>());
    Ok((0..claims).filter_map(of_claim).collect())
}

fn launch(sections: &[&str], blocks: usize) -> Result<Answer, String> {
    let program = std::env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
    let output = Command::new(program)
        .args(["--bench", "--json", "--blocks", &blocks.to_string()])
        .args(sections)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot start this program again: {e}"))?;
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("a launch ended with {} and no table: {e}", output.status))?;
    if answer.kind == KIND { Ok(answer) } else { Err(format!("a launch answered with `{}`", answer.kind)) }
}
