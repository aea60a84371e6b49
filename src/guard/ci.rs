//! What a job leaves behind for continuous integration: the same report in each form, and the step's summary.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use record::store::write_atomically;
use reports::guard::GuardReport;

/// Names the file of a step's summary, on GitHub.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Writes the report into `out`, as JUnit XML and as Markdown for a comment; the JSON is the command's.
pub(crate) fn keep(report: &GuardReport, out: &Path) -> Result<()> {
    write_atomically(&out.join("junit.xml"), report.to_junit()?.as_bytes())?;
    write_atomically(&out.join("comment.md"), report.to_markdown().as_bytes())
}

/// Appends the table to the step's summary, where there is one: other steps may have written theirs before.
pub(crate) fn summarise(report: &GuardReport) -> Result<()> {
    let Some(file) = std::env::var_os(STEP_SUMMARY).filter(|file| !file.is_empty()) else { return Ok(()) };
    let opened = OpenOptions::new().create(true).append(true).open(&file);
    opened.and_then(|mut file| file.write_all(report.to_markdown().as_bytes())).with_context(|| {
        format!("cannot append to {}, which {STEP_SUMMARY} names", Path::new(&file).display())
    })
}
