//! Who is fastest at each number of cores, and where one design overtakes another: in words first, all pairs behind a fold.

use maud::{Markup, html};

use super::machine;
use crate::html::figure::scroll;
use crate::html::site::At;
use crate::html::table::sort_value;
use crate::scale::crossover::{Lost, Pair, lost, pairs};
use crate::scale::curves::{Curve, Load};
use crate::scale::winner::fastest;
use crate::scale::{Ahead, SEEDS_MIN, short};
use crate::text::{change, fit, three_digits};

/// Sentences about one machine.
const SAID_MAX: usize = 10;
/// Names of one sentence.
const NAMES_MAX: usize = 6;

/// A row for each machine, a column for each number of cores.
pub(super) fn fastest_table(at: &At<'_, '_>, load: &Load<'_, '_>) -> Markup {
    let mut cores: Vec<usize> = load.curves.iter().flat_map(|c| &c.points).map(|p| p.threads).collect();
    cores.sort_unstable();
    cores.dedup();
    scroll(
        "Who is fastest at each number of cores",
        html! {
            table {
                caption { "Who is fastest, simulated; several names: the seeds cannot tell them apart. Columns: cores." }
                thead { tr { th scope="col" { "machine" } @for n in &cores { th scope="col" .l { (n) } } } }
                tbody {
                    @for curve in &load.curves {
                        tr {
                            th scope="row" { (machine(load, curve, at)) }
                            @for n in &cores {
                                td .l {
                                    @let found = curve.points.iter().find(|p| p.threads == *n).map(|p| fastest(p));
                                    @match found {
                                        None => "-",
                                        Some(None) => "too few seeds",
                                        Some(Some(found)) => {
                                            @for (nth, cell) in found.cells.iter().take(3).enumerate() {
                                                @if nth > 0 { br; }
                                                a href=(at.cell(cell)) { (fit(short(&cell.name), 30)) }
                                            }
                                            @if found.cells.len() > 3 { br; small { "and " (found.cells.len() - 3) " more" } }
                                            @if let Some(lead) = found.lead { " " small { (change(lead)) } }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        },
    )
}

/// One machine: sentences, and the pairs behind a fold.
pub(super) fn of_curve(at: &At<'_, '_>, load: &Load<'_, '_>, curve: &Curve<'_, '_>) -> Markup {
    let pairs = pairs(curve);
    let all = lost(&pairs);
    let name = machine(load, curve, at);
    let losers = losers(&all);
    html! {
        h4 { (name) }
        @if pairs.is_empty() {
            p { "No two designs have " (SEEDS_MIN) " seeds at two numbers of cores: nothing can be said. Take more with --seeds." }
        } @else if all.is_empty() {
            p { "Nobody overtakes anybody beyond spread and margin." }
        } @else {
            ul .findings {
                @for sentence in losers.iter().take(SAID_MAX) {
                    li {
                        (short(sentence[0].loser)) " loses to "
                        @for (nth, lost) in sentence.iter().take(NAMES_MAX).enumerate() {
                            @if nth > 0 { ", " }
                            strong { (short(lost.winner)) }
                            " from " (cores(lost.crossing.estimate))
                            @if nth == 0 { " cores" }
                            @if nth == 0 {
                                " " small { "(ahead at " (lost.crossing.ahead_at) ", behind at " (lost.crossing.behind_at) ")" }
                            }
                        }
                        @if sentence.len() > NAMES_MAX { ", and to " (sentence.len() - NAMES_MAX) " more" }
                        "."
                    }
                }
            }
            p .note {
                @if losers.len() > SAID_MAX { "Said are the " (SAID_MAX) " designs with the largest swings of " (losers.len()) ". " }
                "simulated; " (all.len()) " crossovers among " (pairs.len())
                " pairs. Before and after, every seed of one design beats every seed of the other, by 3 % or more of the medians."
            }
        }
        @if !pairs.is_empty() { (table(at, &name, &pairs)) }
    }
}

/// Crossings of equal losers together, those with the largest swing first; within a sentence in the order of the cores.
fn losers<'a>(all: &[Lost<'a>]) -> Vec<Vec<Lost<'a>>> {
    let mut sentences: Vec<Vec<Lost<'a>>> = Vec::new();
    for lost in all {
        match sentences.iter_mut().find(|s| s[0].loser == lost.loser) {
            Some(sentence) => sentence.push(*lost),
            None => sentences.push(vec![*lost]),
        }
    }
    for sentence in &mut sentences {
        // The most telling ones, then by cores.
        sentence[..].sort_by(|a, b| b.crossing.swing.total_cmp(&a.crossing.swing));
        let told = sentence.len().min(NAMES_MAX);
        sentence[..told].sort_by(|a, b| a.crossing.estimate.total_cmp(&b.crossing.estimate));
    }
    sentences
}

/// A number of cores between two that were run.
fn cores(estimate: f64) -> String {
    if estimate < 9.5 { three_digits((estimate * 10.0).round() / 10.0) } else { format!("{estimate:.0}") }
}

fn table(at: &At<'_, '_>, name: &str, pairs: &[Pair<'_>]) -> Markup {
    let label = format!("All pairs on {name}");
    html! {
        details {
            summary { (label) }
            (scroll(&label, html! {
                table .sortable {
                    caption {
                        "Throughput of the first against the second, simulated. A crossover lies between the last number of cores at \
                         which one is surely ahead and the first at which the other is; its place is where the medians cross."
                    }
                    thead {
                        tr {
                            th scope="col" { "first" }
                            th scope="col" .l { "second" }
                            th scope="col" { "fewest cores" }
                            th scope="col" { "most cores" }
                            th scope="col" .l { "ahead" }
                            th scope="col" { "first crossover" }
                            th scope="col" .l { "all crossovers" }
                        }
                    }
                    tbody { @for pair in pairs { (row(at, pair)) } }
                }
            }))
        }
    }
}

fn row(at: &At<'_, '_>, pair: &Pair<'_>) -> Markup {
    let (first, last) = (&pair.standings[0], &pair.standings[pair.standings.len() - 1]);
    let places = |ahead: Ahead| pair.standings.iter().filter(|s| s.ahead == ahead).count();
    let (a, b) = (places(Ahead::First), places(Ahead::Second));
    html! {
        tr data-i=(at.site.catalogue.series(pair.first)) {
            th scope="row" { (fit(short(pair.first), 40)) }
            td .l { (fit(short(pair.second), 40)) }
            td data-v=(sort_value(first.ratio)) { (change(first.ratio)) }
            td data-v=(sort_value(last.ratio)) { (change(last.ratio)) }
            td .l { "first at " (a) ", second at " (b) " of " (pair.standings.len()) }
            td data-v=(pair.crossings.first().map_or_else(String::new, |c| sort_value(c.estimate))) {
                (pair.crossings.first().map_or_else(|| "-".into(), |c| cores(c.estimate)))
            }
            td .l {
                @if pair.crossings.is_empty() { "none" }
                @for (nth, crossing) in pair.crossings.iter().enumerate() {
                    @if nth > 0 { "; " }
                    @let loser = if crossing.first_loses { pair.first } else { pair.second };
                    (short(loser)) " loses between " (crossing.ahead_at) " and " (crossing.behind_at)
                }
            }
        }
    }
}
