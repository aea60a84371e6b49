//! Annotations of GitHub: workflow commands on stdout.
//!
//! GitHub shows ten of each level for a step and drops the others without a word, so that the tenth says how many more
//! there are.

use super::{GuardReport, Row, words};
use crate::compare::Verdict;

/// What GitHub shows of one level for a step.
const MOST: usize = 10;

impl GuardReport {
    /// The report as workflow commands, a line each: errors for regressions, warnings for what could not be decided,
    /// notices for improvements, and a notice with the whole.
    pub fn to_github(&self) -> String {
        let rows = words::worst_first(self);
        let mut lines = Vec::new();
        for (level, verdicts) in [
            ("error", &[Verdict::Regressed][..]),
            ("warning", &[Verdict::Contaminated, Verdict::Inconclusive]),
            ("notice", &[Verdict::Improved]),
        ] {
            let of_level: Vec<&Row> =
                rows.iter().copied().filter(|row| verdicts.contains(&row.verdict)).collect();
            // One notice is the headline's.
            let most = if level == "notice" { MOST - 1 } else { MOST };
            let shown = if of_level.len() > most { most - 1 } else { of_level.len() };
            lines.extend(
                of_level[..shown].iter().map(|row| command(level, &words::name(row), &words::finding(row))),
            );
            if shown < of_level.len() {
                let more = of_level.len() - shown;
                let text = format!("{more} more rows like these: the step summary and the JSON have all");
                lines.push(command(level, "synchroscope guard", &text));
            }
        }
        lines.push(command("notice", "synchroscope guard", &words::headline(self)));
        lines.join("\n") + "\n"
    }
}

/// One workflow command.
fn command(level: &str, title: &str, message: &str) -> String {
    format!("::{level} title={}::{}", property(title), data(message))
}

/// As GitHub's own toolkit escapes what a command says.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property ends at a colon or a comma besides.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
