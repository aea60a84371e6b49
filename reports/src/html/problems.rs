//! What could not be ranked, and why: nothing disappears.

use maud::{Markup, html};
use record::Status;

use super::site::At;
use crate::summary::Summary;
use crate::text::fit;

/// Failed, suspect and not applicable cells, failed launches of ranked cells, and damaged files.
pub(super) fn problems(at: &At<'_, '_>) -> Markup {
    let (runs, cells) = (at.site.runs, at.site.cells);
    let of = |status: Status| -> Vec<&Summary> {
        cells.iter().filter(|c| c.status == status && !c.ranked()).collect()
    };
    let sets = [
        ("Failed", of(Status::Failed)),
        ("Suspect: shown, not ranked", of(Status::Suspect)),
        ("Not applicable here", of(Status::NotApplicable)),
        ("Without a plain launch", of(Status::Ok)),
    ];
    let damaged: Vec<_> = runs.iter().flat_map(|r| &r.damaged).collect();
    let partly: Vec<&Summary> = cells
        .iter()
        .filter(|c| !c.problems.is_empty() || (c.ranked() && c.launches.iter().any(|l| l.failure.is_some())))
        .collect();
    let missing: usize =
        runs.iter().map(|r| r.manifest.cells.len().saturating_sub(r.records.len() + r.damaged.len())).sum();
    let nothing =
        sets.iter().all(|s| s.1.is_empty()) && damaged.is_empty() && partly.is_empty() && missing == 0;
    html! {
        section id=(at.id("not-ranked")) {
            h2 { "Not ranked" }
            @if nothing { p { "Every planned cell ran, and every check holds." } }
            @for (title, set) in &sets {
                @if !set.is_empty() { (table(at, title, set)) }
            }
            @if !partly.is_empty() {
                h3 { "Ranked, with remarks" }
                ul { @for cell in partly { li { strong { (cell.name) } " at " (fit(&cell.label, 80)) ": " (remarks(cell)) } } }
            }
            @if missing > 0 {
                p .warn id=(at.id("missing")) { (missing) " planned cells have no record: the run was stopped, or is a shard." }
            }
            @if !damaged.is_empty() {
                h3 id=(at.id("damaged")) { "Damaged records (" (damaged.len()) ")" }
                ul { @for (path, reason) in damaged { li { code { (path.display()) } ": " (reason) } } }
            }
        }
    }
}

fn table(at: &At<'_, '_>, title: &str, set: &[&Summary]) -> Markup {
    html! {
        h3 { (title) " (" (set.len()) ")" }
        div .scroll tabindex="0" role="group" aria-label=(title) {
            table {
                thead { tr { th scope="col" { "implementation" } th scope="col" .l { "point" } th scope="col" .l { "why" } } }
                tbody {
                    @for cell in set {
                        tr {
                            th scope="row" { a href=(at.cell(cell)) { (fit(&cell.name, 80)) } }
                            td .l { (fit(&cell.label, 60)) }
                            td .w { (reasons(cell)) }
                        }
                    }
                }
            }
        }
    }
}

fn reasons(cell: &Summary) -> Markup {
    html! {
        @if cell.reasons.is_empty() && cell.launches.iter().all(|l| l.failure.is_none()) { "no reason given" }
        @for (index, reason) in cell.reasons.iter().enumerate() {
            @if index > 0 { br; }
            (reason)
        }
        @for launch in &cell.launches {
            @if let Some(failure) = &launch.failure { br; small { "launch " (launch.index) ": " (failure) } }
        }
    }
}

fn remarks(cell: &Summary) -> String {
    let failures = cell
        .launches
        .iter()
        .filter_map(|l| Some(format!("launch {} failed: {}", l.index, l.failure.as_ref()?)));
    failures.chain(cell.problems.iter().cloned()).collect::<Vec<_>>().join("; ")
}
