//! The pages of comparisons: two runs, or two implementations, at every point that holds both.

use maud::{Markup, html};
use record::cell::ImplementationRole;
use record::store::Loaded;

use super::figure::{figure, method_link, scroll};
use super::lineage::Lineage;
use super::route::Route;
use super::site::{At, Page};
use super::table::number;
use super::{Options, card, chart, matrix};
use crate::compare::{self, Comparison, Quantity, Row, Verdict};
use crate::noise::margins_text;
use crate::summary::Summary;
use crate::text::{change, command_line, fit, si, three_digits, time};

/// What stands against what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pairing {
    /// Two runs of the report, by their index.
    Runs(usize, usize),
    /// Two implementations, by their ids or names.
    Implementations(String, String),
}

impl Pairing {
    /// The text that the page's name is made of.
    pub(super) fn slug(&self) -> String {
        match self {
            Pairing::Runs(a, b) => format!("runs-{}-{}", a + 1, b + 1),
            Pairing::Implementations(a, b) => format!("{a}@{b}"),
        }
    }

    /// Whether it compares these implementations, in this order.
    pub(super) fn is_of(&self, a: &str, b: &str) -> bool {
        matches!(self, Pairing::Implementations(x, y) if x == a && y == b)
    }

    fn title(&self, at: &At<'_, '_>) -> String {
        let run = |index: usize| {
            let run = &at.site.runs[index];
            format!("run {} ({})", index + 1, fit(&run.path.display().to_string(), 60))
        };
        match self {
            Pairing::Runs(a, b) => format!("{} against {}", run(*b), run(*a)),
            Pairing::Implementations(a, b) => format!("{} against {}", fit(b, 60), fit(a, 60)),
        }
    }
}

/// What a report compares: later runs with the first, what the command line asks for, each version of a lineage with the one
/// before, and the peers of a family, or all of it if nothing in it follows anything, with its reference.
pub(super) fn pairings(
    runs: &[Loaded],
    implementations: &[&str],
    lineages: &[Lineage<'_>],
    cells: &[Summary],
    options: &Options,
) -> Vec<Pairing> {
    let mut all: Vec<Pairing> = (1..runs.len()).map(|run| Pairing::Runs(0, run)).collect();
    let mut add = |a: &str, b: &str| {
        let pairing = Pairing::Implementations(a.into(), b.into());
        if a != b && !all.contains(&pairing) {
            all.push(pairing);
        }
    };
    options.compare.iter().for_each(|(a, b)| add(a, b));
    lineages.iter().flat_map(|l| &l.steps).for_each(|(a, b)| add(a, b));
    for id in implementations {
        let family = id.split('/').next().unwrap_or(id);
        let of_family: Vec<&str> =
            implementations.iter().copied().filter(|other| other.split('/').next() == Some(family)).collect();
        // In a family whose designs follow each other the question that is left is how they stand beside peers.
        let in_lineage = lineages.iter().any(|l| l.members.iter().any(|member| of_family.contains(member)));
        let peer = || cells.iter().any(|c| c.implementation == *id && c.role == ImplementationRole::Peer);
        if let Some(reference) = reference(&of_family, lineages, cells).filter(|_| !in_lineage || peer()) {
            add(reference, id);
        }
    }
    all
}

/// What the others of a family are held against: the implementation that the suite measured twice, or else the last design
/// of a lineage, or else the first peer.
fn reference<'a>(family: &[&'a str], lineages: &[Lineage<'a>], cells: &[Summary]) -> Option<&'a str> {
    let is = |id: &str, what: fn(&Summary) -> bool| cells.iter().any(|c| c.implementation == id && what(c));
    let peer = |c: &Summary| c.role == ImplementationRole::Peer;
    let twice = family.iter().find(|id| is(id, |c| c.arm == "b"));
    let design = |id: &&&str| !is(id, peer);
    let last = || {
        lineages
            .iter()
            .flat_map(|l| l.members.iter().rev().filter(|id| family.contains(id)).find(design))
            .next()
    };
    twice.or_else(last).or_else(|| family.iter().find(|id| is(id, peer))).copied()
}

fn compared(at: &At<'_, '_>, pairing: &Pairing) -> Result<Comparison, String> {
    let site = at.site;
    let options = compare::Options::default();
    let of_run = |run: usize| {
        let first = site.run_of.partition_point(|r| *r < run);
        let end = site.run_of.partition_point(|r| *r <= run);
        &site.cells[first..end]
    };
    match pairing {
        Pairing::Runs(a, b) => {
            let name = |run: usize| format!("run {}", run + 1);
            compare::between(&name(*a), &name(*b), of_run(*a), of_run(*b), &options)
                .map_err(|error| format!("{error:#}"))
        }
        Pairing::Implementations(a, b) => {
            let runs: Vec<&[Summary]> = (0..site.runs.len()).map(of_run).collect();
            Ok(compare::implementations(&runs, a, b, &options))
        }
    }
}

/// The page of one comparison.
pub(super) fn page(at: &At<'_, '_>, pairing: &Pairing) -> Page {
    let body = match compared(at, pairing) {
        Err(reason) => html! { p .warn { "Not compared: " (reason) } },
        Ok(comparison) => html! {
            (names(at, pairing))
            (summary(at, &comparison))
            (intervals(at, &comparison))
            (table(at, &comparison))
            (unpaired(&comparison))
        },
    };
    Page { route: at.route, title: pairing.title(at), body }
}

fn names(at: &At<'_, '_>, pairing: &Pairing) -> Markup {
    html! {
        dl .facts {
            @match pairing {
                Pairing::Runs(a, b) => {
                    @for (side, run) in [("A", *a), ("B", *b)] {
                        @let m = &at.site.runs[run].manifest;
                        dt { (side) }
                        dd { "run " (run + 1) ": suite " (m.suite) ", begun " (super::environment::utc(m.started_unix_ms)) ", " code { (command_line(&m.command)) } }
                    }
                }
                Pairing::Implementations(a, b) => {
                    dt { "A" } dd { (card::name_link(at, a)) }
                    dt { "B" } dd { (card::name_link(at, b)) }
                }
            }
        }
    }
}

fn summary(at: &At<'_, '_>, comparison: &Comparison) -> Markup {
    let count = |verdict| comparison.count(verdict);
    html! {
        @if comparison.rows.is_empty() {
            p { "Nothing to compare: no ranked cell is on both sides." }
        } @else {
            p {
                "Of " (comparison.rows.len()) " numbers B is "
                strong { "better in " (count(Verdict::Improved)) } ", "
                strong { "worse in " (count(Verdict::Regressed)) } ", and the same within "
                (margins_text(comparison.margin_ratios)) " in " (count(Verdict::Equivalent)) "; in "
                strong { (count(Verdict::Inconclusive)) " the launches cannot tell" }
                @match count(Verdict::Contaminated) { 0 => {}, n => { ", and " (n) " differences are not trusted" } }
                ". " (method_link(at, "comparing"))
            }
        }
        @for note in &comparison.notes { p .warn { (fit(note, 300)) } }
    }
}

fn intervals(at: &At<'_, '_>, comparison: &Comparison) -> Markup {
    let label =
        "Ratios of B to A with their intervals, quantity by quantity; the table below holds the numbers";
    html! {
        @if let Some(svg) = chart::ratios(comparison, label) {
            (figure(at, "Ratios B/A with intervals", "comparing", &svg, key(), html! {
                "Dots: estimates; bars: intervals at " (three_digits(comparison.confidence * 100.0))
                " % over launches; dashed: so few launches give no such interval. The band is the margin: inside it nobody \
                 need care."
            }))
        }
    }
}

fn key() -> Markup {
    html! {
        ul .key {
            @for (class, verdict) in [("better", "better"), ("worse", "worse"), ("same", "the same"), ("unknown", "cannot tell")] {
                li { i class={ "bv-" (class) } {} (verdict) }
            }
        }
    }
}

/// The class that a verdict is coloured by.
pub(super) fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Improved => "better",
        Verdict::Regressed => "worse",
        Verdict::Equivalent => "same",
        Verdict::Inconclusive | Verdict::Contaminated => "unknown",
    }
}

fn shown(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Throughput => si(value),
        Quantity::WaitP99 | Quantity::CpuPerOp => time(value),
        Quantity::Jain => format!("{value:.3}"),
    }
}

fn table(at: &At<'_, '_>, comparison: &Comparison) -> Markup {
    let several =
        |side: fn(&Row) -> &str| comparison.rows.iter().any(|r| side(r) != side(&comparison.rows[0]));
    let named = !comparison.rows.is_empty() && (several(|r| &r.a) || several(|r| &r.b));
    html! {
        @if !comparison.rows.is_empty() {
            h2 id=(at.id("ratios")) { "Ratios" }
            (scroll("Ratios", html! {
                table .sortable {
                    thead {
                        tr {
                            th scope="col" { "point" }
                            @if named { th scope="col" .l { "cell" } }
                            th scope="col" .l { "quantity" }
                            @for heading in ["A", "B", "B against A", "from", "to", "visible from"] { th scope="col" { (heading) } }
                            th scope="col" .l { "verdict" }
                        }
                    }
                    tbody { @for row in &comparison.rows { (ratio(row, named)) } }
                }
            }))
            p .note {
                "B against A: the median of all ratios between launches, with its interval at "
                (three_digits(comparison.confidence * 100.0)) " %. Visible from: the smallest true difference that such launches \
                 would show nine times in ten. Rows are not corrected for their number."
            }
        }
    }
}

fn ratio(row: &Row, named: bool) -> Markup {
    let r = row.ratio.as_ref();
    // One launch a side gives a ratio, but nothing from which to which.
    let interval = r.filter(|r| r.launches_a + r.launches_b > 2);
    let of = |f: fn(&crate::stats::Ratio) -> f64| number(interval.map(f), change, None);
    html! {
        tr {
            th scope="row" { (fit(&row.label, 60)) }
            @if named { td .l { (fit(&row.a, 60)) @if row.a != row.b { " → " (fit(&row.b, 60)) } } }
            td .l { (row.quantity.name()) }
            (number(row.median_a, |v| shown(row.quantity, v), None))
            (number(row.median_b, |v| shown(row.quantity, v), None))
            (number(r.map(|r| r.estimate), change, None)) (of(|r| r.low)) (of(|r| r.high))
            (number(row.minimal_detectable_ratio, change, None))
            td class={ "l v-" (class(row.verdict)) } {
                (row.verdict.name())
                @if let Some(note) = &row.note { " " small { (note) } }
            }
        }
    }
}

fn unpaired(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.unpaired.is_empty() {
            details {
                summary { "Not compared (" (comparison.unpaired.len()) ")" }
                ul { @for u in &comparison.unpaired { li { (fit(&u.name, 60)) " at " (fit(&u.label, 60)) ": " (fit(&u.reason, 160)) } } }
            }
        }
    }
}

/// The page that lists all comparisons, with who beats whom.
pub(super) fn index(at: &At<'_, '_>) -> Page {
    let body = html! {
        p {
            "Ratios with intervals over launches. Where the launches cannot tell, the pages say so. "
            (method_link(at, "comparing"))
        }
        @if !at.site.comparisons.is_empty() {
            h2 id=(at.id("pages")) { "Side by side" }
            ul .columns {
                @for (index, pairing) in at.site.comparisons.iter().enumerate() {
                    li { a href=(at.link(Route::Comparison(index))) { (pairing.title(at)) } }
                }
            }
            p .note {
                "Two others: " code { "synchroscope report DIR --compare A B" } ", or in the terminal "
                code { "synchroscope compare A B" } "."
            }
        }
        (matrix::matrices(at))
    };
    Page { route: at.route, title: "Comparisons".into(), body }
}
