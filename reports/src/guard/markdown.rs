//! Markdown for the comment on a pull request and for a step summary: the worst rows in sight, all behind a fold.

use std::fmt::Write as _;

use super::{GuardReport, Row, words};
use crate::compare::Verdict;

/// Hidden in the text, so that a job finds the comment that it wrote last time.
pub const MARKER: &str = "<!-- synchroscope-guard -->";
/// A comment of GitHub holds fewer than 65,536 characters. Bytes, which are never fewer, so that nobody's way of counting
/// matters.
const BYTES_MAX: usize = 65_000;
/// Rows in sight.
const IN_SIGHT: usize = 12;
/// Up to where rows in sight may reach, and then controls and notes: the rest is for the fold.
const SIGHT_BYTES: usize = BYTES_MAX / 2;
const NOTES_BYTES: usize = BYTES_MAX * 3 / 4;
/// What the end of a text needs: the note on what is left out, and the fold's end.
const END_BYTES: usize = 400;
/// Longest reason in a table, in characters; the JSON has it whole.
const REASON_CHARS: usize = 300;

const HEAD: &str = "| verdict | implementation | point | machine | metric | baseline | candidate | change | tier | why |\n\
                    |---|---|---|---|---|---:|---:|---:|---|---|\n";

impl GuardReport {
    /// The report as Markdown, always shorter than a comment may be.
    pub fn to_markdown(&self) -> String {
        let rows = words::worst_first(self);
        let mut text = format!(
            "{MARKER}\n### synchroscope guard: {}\n\n{} against {}: {}.\n\n",
            escaped(self.verdict.name()),
            code(&limited_words(&self.candidate)),
            code(&limited_words(&self.baseline)),
            words::counts(self)
        );
        let in_sight: Vec<&Row> =
            rows.iter().copied().filter(|row| row.verdict != Verdict::Equivalent).take(IN_SIGHT).collect();
        if in_sight.is_empty() {
            text.push_str("No row moved.\n\n");
        } else {
            text.push_str(HEAD);
            for row in in_sight {
                push(&mut text, &line(row), SIGHT_BYTES);
            }
            text.push('\n');
        }
        for control in self.controls.iter().filter(|control| control.moved) {
            let told = format!(
                "- control moved: {}: {}\n",
                code(&limited_words(&control.name)),
                limited(&control.detail)
            );
            push(&mut text, &told, NOTES_BYTES);
        }
        for note in &self.notes {
            push(&mut text, &format!("- {}\n", limited(note)), NOTES_BYTES);
        }
        let _ = write!(
            text,
            "\n<details><summary>all {} rows, and how they came about</summary>\n\n{HEAD}",
            rows.len()
        );
        let end = format!(
            "\nCommand: {}. Computer {}, seed {}. {} of so many rows would be called moved if nothing had changed.\n",
            code(&limited_words(&self.command.join(" "))),
            code(&self.fingerprint),
            self.seed,
            crate::text::three_digits(self.expected_false_alarms)
        );
        let mut left_out = 0;
        for (done, row) in rows.iter().enumerate() {
            let line = line(row);
            if text.len() + line.len() + end.len() + END_BYTES > BYTES_MAX {
                left_out = rows.len() - done;
                break;
            }
            text.push_str(&line);
        }
        if left_out > 0 {
            let _ = writeln!(text, "\n{left_out} more rows do not fit: the JSON has all.");
        }
        text.push_str(&end);
        text.push_str("\n</details>\n");
        text
    }
}

/// Adds `more`, unless the text became longer than `most` bytes: the JSON has all.
fn push(text: &mut String, more: &str, most: usize) {
    if text.len() + more.len() <= most {
        text.push_str(more);
    }
}

fn line(row: &Row) -> String {
    let why = match &row.evidence {
        Some(evidence) => format!("{} ({})", limited(&row.reason), code(&limited_words(evidence))),
        None => limited(&row.reason),
    };
    let verdict = match row.verdict {
        Verdict::Regressed | Verdict::Contaminated => format!("**{}**", row.verdict.name()),
        verdict => verdict.name().to_owned(),
    };
    format!(
        "| {verdict} | {} | {} | {} | {} | {} | {} | {} | {} | {why} |\n",
        code(&limited_words(&row.implementation)),
        escaped(&limited_words(&row.label)),
        escaped(&limited_words(&row.machine)),
        words::metric(row),
        escaped(&words::value(row.metric, row.baseline)),
        escaped(&words::value(row.metric, row.candidate)),
        escaped(&words::change(row)),
        row.tier.name()
    )
}

fn limited(text: &str) -> String {
    escaped(&limited_words(text))
}

fn limited_words(text: &str) -> String {
    crate::text::fit(text, REASON_CHARS)
}

/// As code, whatever is in it: names of people and numbers of issues mean nothing there.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// Text that is text and nothing else, in a cell of a table too. An entity is never markup; behind what would call a
/// person or an issue stands a space without width, since those are looked for in the finished page.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '|' | '`' | '*' | '_' | '[' | ']' | '~' | '\\' | '$' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            '@' | '#' => {
                safe.push(c);
                safe.push('\u{200B}');
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
