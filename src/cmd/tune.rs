//! `tune`: the search for better parameters, its answer in the terminal, its page.

use std::fmt::Write as _;

use anyhow::Result;
use reports::compare::Verdict;
use reports::tune::TuneReport;
use reports::tune::race::Fate;

use super::report::stamped;
use super::{print, to_json};
use crate::Observatory;
use crate::args::TuneArgs;
use crate::exit::Exit;
use crate::tune::{Done, search};

pub(super) fn command(observatory: &Observatory, args: &TuneArgs) -> Result<Exit> {
    let (report, path) = match search(observatory, args)? {
        Done::Described(text) => return print(&text),
        Done::Found(report, path) => (report, path),
    };
    let page = reports::html::write_tuning(&path.join("report"), &report, &stamped())?;
    if args.json {
        print(&to_json(&report)?)?;
    } else {
        let mut text = reports::tune::text::text(&report);
        let _ = write!(text, "\nsearch  {}\nreport  {}\n", path.display(), page.display());
        print(&text)?;
    }
    Ok(verdict(&report, args.strict))
}

fn verdict(report: &TuneReport, strict: bool) -> Exit {
    let failed = report.settings.iter().any(|setting| matches!(setting.fate, Fate::Failed { .. }));
    let unsure = |verdict: Verdict| matches!(verdict, Verdict::Inconclusive | Verdict::Contaminated);
    let unsure = report.confirmation.iter().any(|confirmation| {
        confirmation.rows.iter().any(|row| unsure(row.verdict))
            || confirmation.controls.iter().any(|control| control.moved)
    });
    if failed || (strict && unsure) { Exit::CellFailed } else { Exit::Fine }
}
