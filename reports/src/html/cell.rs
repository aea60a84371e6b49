//! The page of a cell: everything that its launches and its record show. What does not apply says why, in a line.

use maud::{Markup, html};
use record::cell::Status;
use record::{ProbeMode, Record};

use super::figure::titled;
use super::site::At;
use crate::summary::{Evidence, Summary};

mod cycles;
mod pictures;
mod tables;

/// A part of the page, or the reason why it is not there.
type Part = Result<Markup, String>;

/// What all parts look at.
struct Sight<'v> {
    at: At<'v, 'v>,
    cell: &'v Summary,
    record: &'v Record,
    evidence: Evidence<'v>,
    /// Names of the workers.
    workers: Vec<String>,
}

/// Id, title, the paragraph of the methodology, and what makes it.
type Section = (&'static str, &'static str, &'static str, fn(&Sight<'_>) -> Part);

const SECTIONS: [Section; 12] = [
    ("ledger", "Where the time went", "the-wait-ledger", pictures::ledger),
    ("waiters", "Waiters over time", "waiters", pictures::waiters),
    ("counts", "Spins, parks, wakes, hand-offs", "parks-wakes-lost-races-hand-offs", tables::counts),
    ("worst", "The worst stretch", "the-worst-stretch", pictures::worst),
    ("times", "Waits and holds by role", "wait-hold-wake", pictures::times),
    ("matrix", "Who follows whom", "hand-off-matrix-streaks-owner-and-core-changes", pictures::hand_offs),
    ("streaks", "Streaks", "hand-off-matrix-streaks-owner-and-core-changes", pictures::streaks),
    ("fairness", "Fairness against the window", "jains-index-and-windows", pictures::fairness),
    ("phases", "Phases of the load", "phases-ramp-and-stall", pictures::phases),
    ("launches", "Every launch", "throughput-and-span", pictures::launches),
    ("counters", "Counters", "counters", tables::counters),
    ("checks", "Checks", "rules-of-truth", tables::checks),
];

/// What stands below the heading of the page.
pub(super) fn body(at: &At<'_, '_>, cell: &Summary, record: &Record) -> Markup {
    let sight = Sight { at: *at, cell, record, evidence: Evidence::of(record), workers: workers(record) };
    html! {
        (verdict(cell))
        (tables::numbers(&sight))
        nav aria-label="On this page" {
            ul {
                @for (id, title, ..) in SECTIONS { li { a href=(at.here(id)) { (title) } } }
                li { a href=(at.here("raw")) { "Raw files" } }
            }
        }
        @for (id, title, method, part) in SECTIONS {
            section id=(at.id(id)) {
                h2 { (titled(at, title, method)) }
                @match part(&sight) {
                    Ok(content) => (content),
                    Err(reason) => { p .note { (reason) } }
                }
            }
        }
    }
}

fn verdict(cell: &Summary) -> Markup {
    html! {
        @if cell.status != Status::Ok {
            p .bad[cell.status == Status::Failed] .warn[cell.status != Status::Failed] {
                strong { (cell.status.name()) }
                ": shown, not ranked"
                @for reason in &cell.reasons { "; " (reason) }
                "."
            }
        }
        @for problem in &cell.problems { p .warn { (problem) } }
    }
}

/// Their numbers, with their roles where there are several.
fn workers(record: &Record) -> Vec<String> {
    let roles = &record.point.roles;
    let name = |(worker, role): (usize, usize)| match (roles.len(), roles.get(role)) {
        (2.., Some(role)) => format!("{worker} {}", role.name),
        _ => format!("worker {worker}"),
    };
    record.point.role_of_worker().into_iter().enumerate().map(name).collect()
}

impl Sight<'_> {
    /// The number by which all marks of this cell light up.
    fn series(&self) -> usize {
        self.at.site.catalogue.series(&self.cell.name)
    }

    /// A text alternative for a picture that its numbers stand beside. Of which cell the page says once.
    fn label(what: &str) -> String {
        format!("{what}; numbers below")
    }

    /// Why a probe did not tell something. `full`: whether it takes full timing.
    fn untold(&self, full: bool) -> String {
        let probed: Vec<_> = self.record.launches.iter().filter(|l| l.probe != ProbeMode::Off).collect();
        let results: Vec<_> = probed.iter().filter_map(|l| l.result.as_ref()).collect();
        if self.record.launches.is_empty() {
            "Nothing to show: no launch was made.".into()
        } else if probed.is_empty() {
            "Nothing to show: no launch was probed; --probe full makes such launches.".into()
        } else if results.is_empty() {
            "Nothing to show: the probed launches gave no result.".into()
        } else if results.iter().all(|r| r.profile.is_none()) {
            let engine = self.cell.engine.as_deref().unwrap_or("its engine");
            format!("Nothing to show: {engine} does not report it.")
        } else if full && probed.iter().all(|l| l.probe != ProbeMode::Full) {
            "Nothing to show: this takes full timing; --probe full brings it.".into()
        } else {
            "Nothing to show: the probed launches saw none of it, or the program that made the record did not keep it.".into()
        }
    }
}
