//! What could not be ranked, and why: nothing disappears. Cells stand under the rule of truth that they break, so that a
//! run on a busy computer, with dozens of suspects of one kind, still reads as a few lines.

use maud::{Markup, html};
use record::Status;

use super::figure::{method_link, scroll};
use super::site::At;
use crate::summary::Summary;
use crate::text::fit;

/// Groups of more cells than this are folded: their number says enough at first.
const OPEN_MAX: usize = 6;

/// The rules of truth, and what it means when they do not hold.
const RULES: [(&str, &str); 10] = [
    ("launches", "a launch gave no result"),
    ("result", "the guarded counters do not show what they must"),
    ("clock", "a launch was over sooner than its own clock says"),
    ("overlap", "not all workers ran at the same time"),
    ("floor", "operations cost less than their work and the lock alone"),
    ("exclusion", "the holds do not fit into the time that there was"),
    ("events", "probe and driver do not count the same acquires"),
    ("ledger", "the parts of the workers' time do not add up to its span"),
    ("cycles", "the cycles of a simulated launch do not add up"),
    ("little", "the lock's own count of waiters does not fit its waits"),
];

/// Cells that share a reason.
struct Because<'a> {
    /// The rule, or the reason itself where it is no rule's.
    key: &'a str,
    /// The cells, each with what the reason says of it.
    cells: Vec<(&'a Summary, &'a str)>,
}

/// Failed, suspect and not applicable cells, failed launches of ranked cells, and damaged files.
pub(super) fn problems(at: &At<'_, '_>) -> Markup {
    let (runs, cells) = (at.site.runs, at.site.cells);
    let sets = [
        ("Failed", of(cells, Status::Failed)),
        ("Suspect: shown, not ranked", of(cells, Status::Suspect)),
        ("Not applicable here", of(cells, Status::NotApplicable)),
        ("Without a plain launch", of(cells, Status::Ok)),
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
                @if !set.is_empty() { (grouped(at, title, set)) }
            }
            @if !partly.is_empty() {
                h3 { "Ranked, with remarks (" (partly.len()) ")" }
                (folded(partly.len(), html! { "All of them" }, html! {
                    ul { @for cell in &partly { li { a href=(at.cell(cell)) { (fit(&cell.name, 80)) } " at " (fit(&cell.label, 80)) ": " (remarks(cell)) } } }
                }))
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

/// A line for the top of the page, where cells that ran are not ranked: what is said below is not said of them.
pub(super) fn warning(at: &At<'_, '_>) -> Markup {
    let cells = at.site.cells;
    let [failed, suspect] = [Status::Failed, Status::Suspect].map(|status| of(cells, status));
    let kinds = [("failed", failed), ("suspect", suspect)];
    let unranked: usize = kinds.iter().map(|(_, set)| set.len()).sum();
    html! {
        @if unranked > 0 {
            p .warn id=(at.id("unranked")) {
                strong { (unranked) " of " (cells.len()) " cells are not ranked" } ": "
                @for (index, (kind, set)) in kinds.iter().filter(|(_, set)| !set.is_empty()).enumerate() {
                    @if index > 0 { "; " }
                    (set.len()) " " (kind)
                    @let rules: Vec<Because<'_>> = because(set).into_iter().filter(|b| meaning(b.key).is_some()).collect();
                    @if !rules.is_empty() {
                        " ("
                        @for (nth, rule) in rules.iter().enumerate() {
                            @if nth > 0 { ", " }
                            (rule.key) " " (rule.cells.len())
                        }
                        ")"
                    }
                }
                ". " a href=(at.here("not-ranked")) { "Which and why" }
            }
        }
    }
}

fn of(cells: &[Summary], status: Status) -> Vec<&Summary> {
    cells.iter().filter(|c| c.status == status && !c.ranked()).collect()
}

/// What it means that a rule does not hold; `None` of what is no rule.
fn meaning(key: &str) -> Option<&'static str> {
    RULES.iter().find(|(rule, _)| *rule == key).map(|(_, meaning)| *meaning)
}

/// The cells by reason, the most frequent first. Who has several reasons stands under each.
fn because<'a>(set: &[&'a Summary]) -> Vec<Because<'a>> {
    let mut all: Vec<Because<'a>> = Vec::new();
    for cell in set {
        let none = ["no reason given"];
        let reasons = cell.reasons.iter().map(String::as_str);
        let unsaid = none.into_iter().filter(|_| cell.reasons.is_empty());
        for reason in reasons.chain(unsaid) {
            let (key, detail) =
                reason.split_once(": ").filter(|(rule, _)| meaning(rule).is_some()).unwrap_or((reason, ""));
            match all.iter_mut().find(|because| because.key == key) {
                Some(because) => because.cells.push((cell, detail)),
                None => all.push(Because { key, cells: vec![(cell, detail)] }),
            }
        }
    }
    all.sort_by_key(|because| std::cmp::Reverse(because.cells.len()));
    all
}

fn grouped(at: &At<'_, '_>, title: &str, set: &[&Summary]) -> Markup {
    html! {
        h3 { (title) " (" (set.len()) ")" }
        @if set.iter().any(|cell| cell.reasons.len() > 1) {
            p .note { "A cell that breaks several rules stands under each of them. " (method_link(at, "rules-of-truth")) }
        }
        @for because in because(set) {
            @let count = because.cells.len();
            @let summary = html! {
                @match meaning(because.key) {
                    Some(meaning) => { (meaning) " (rule " code { (because.key) } ")" },
                    None => (because.key),
                }
                ": " (count) @if count == 1 { " cell" } @else { " cells" }
            };
            (folded(count, summary, scroll(title, table(at, &because))))
        }
    }
}

fn folded(count: usize, summary: Markup, content: Markup) -> Markup {
    html! { details open[count <= OPEN_MAX] { summary { (summary) } (content) } }
}

fn table(at: &At<'_, '_>, because: &Because<'_>) -> Markup {
    let told =
        because.cells.iter().any(|(cell, detail)| !detail.is_empty() || failures(cell).next().is_some());
    html! {
        table .sortable {
            thead { tr { th scope="col" { "implementation" } th scope="col" .l { "point" } @if told { th scope="col" .l { "what was seen" } } } }
            tbody {
                @for (cell, detail) in &because.cells {
                    tr {
                        th scope="row" { a href=(at.cell(cell)) { (fit(&cell.name, 80)) } }
                        td .l { (fit(&cell.label, 60)) }
                        @if told {
                            td .w {
                                (detail)
                                @for failure in failures(cell) { br; small { (failure) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What became of the launches that gave no result, equal ends together.
fn failures(cell: &Summary) -> impl Iterator<Item = String> {
    let mut ends: Vec<(&str, Vec<String>)> = Vec::new();
    for launch in &cell.launches {
        let Some(end) = launch.failure.as_deref() else { continue };
        match ends.iter_mut().find(|(other, _)| *other == end) {
            Some((_, launches)) => launches.push(launch.index.to_string()),
            None => ends.push((end, vec![launch.index.to_string()])),
        }
    }
    ends.into_iter().map(|(end, launches)| {
        format!("launch{} {}: {end}", if launches.len() == 1 { "" } else { "es" }, launches.join(", "))
    })
}

fn remarks(cell: &Summary) -> String {
    failures(cell).chain(cell.problems.iter().cloned()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_methodology_has_its_meaning() {
        let methodology = include_str!("../../../docs/METHODOLOGY.md");
        let (_, rules) = methodology.split_once("\n## Rules of truth\n").unwrap();
        // A row whose last column says what becomes of the cell: failed, or suspect.
        let rows = rules.lines().filter(|row| row.ends_with("| failed |") || row.ends_with("| suspect |"));
        let named: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
        assert!(named.len() > 8, "{named:?}");
        for rule in named {
            assert!(meaning(rule).is_some(), "no meaning for the rule {rule}");
        }
    }
}
