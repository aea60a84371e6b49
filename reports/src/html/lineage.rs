//! The page of a lineage: designs that follow each other, as small multiples; what each bought and what it cost.

use std::collections::BTreeMap;

use maud::{Markup, html};
use record::ImplementationCard;
use record::cell::ImplementationRole;

use super::figure::{figure, method_link, scroll};
use super::route::Route;
use super::site::{At, Page, group_title};
use super::{card, chart};
use crate::compare::{self, Quantity, Row, Verdict};
use crate::group::PointCells;
use crate::summary::Summary;
use crate::text::{change, fit};

/// Designs that follow each other.
pub(super) struct Lineage<'a> {
    /// Its name: the first and the last of them.
    pub(super) name: String,
    /// Ids of its members, each after the one that it follows.
    pub(super) members: Vec<&'a str>,
    /// Pairs of members of which the second follows the first.
    pub(super) steps: Vec<(&'a str, &'a str)>,
}

/// Follows longer than this go in a circle.
const STEPS_MAX: usize = 64;

/// Steps from the root of a lineage, year, and id: the order in which members stand.
type Member<'a> = (usize, Option<u16>, &'a str);

/// The lineages that the cards declare, of those implementations that there are records of.
pub(super) fn lineages<'a>(
    cards: &BTreeMap<&'a str, &'a ImplementationCard>,
    implementations: &[&'a str],
) -> Vec<Lineage<'a>> {
    let follows = |id: &str| cards.get(id).and_then(|card| card.follows.as_deref());
    let depth_and_root = |id: &'a str| {
        let (mut root, mut depth) = (id, 0);
        while let Some(earlier) = follows(root).filter(|_| depth < STEPS_MAX) {
            (root, depth) = (earlier, depth + 1);
        }
        (root, depth)
    };
    let mut by_root: BTreeMap<&str, Vec<Member<'a>>> = BTreeMap::new();
    for id in implementations {
        let (root, depth) = depth_and_root(id);
        let year = cards.get(id).and_then(|card| card.year);
        by_root.entry(root).or_default().push((depth, year, id));
    }
    by_root.retain(|_, members| members.len() > 1);
    let lineage = |(root, mut members): (&str, Vec<Member<'a>>)| {
        members.sort_unstable();
        let members: Vec<&str> = members.into_iter().map(|(.., id)| id).collect();
        let step = |id: &&'a str| Some((*members.iter().find(|m| follows(id) == Some(**m))?, *id));
        Lineage {
            name: root.to_owned(),
            steps: members.iter().filter_map(step).collect(),
            members: members.clone(),
        }
    };
    by_root.into_iter().map(lineage).collect()
}

/// The page.
pub(super) fn page(at: &At<'_, '_>, lineage: &Lineage<'_>) -> Page {
    let site = at.site;
    let (first, last) = (years(at, lineage).min(), years(at, lineage).max());
    let span = match (first, last) {
        (Some(first), Some(last)) if first < last => format!(", {first} to {last}"),
        _ => String::new(),
    };
    let body = html! {
        p {
            "Each version changes the one before it. What a change bought and what it cost stands below, as far as the launches "
            "tell; the pictures show every launch. " (method_link(at, "lineages"))
        }
        (members(at, lineage))
        @for (index, group) in site.groups.iter().enumerate() {
            @let points: Vec<&PointCells<'_>> =
                group.points.iter().filter(|p| of_lineage(p, lineage).len() > 1).collect();
            @if !points.is_empty() {
                @if site.groups.len() > 1 { h2 { (group_title(site, index)) } }
                h2 id=(at.id(&format!("steps-{index}"))) { "What each version bought, and what it cost" }
                (steps(at, lineage, &points))
                h2 id=(at.id(&format!("multiples-{index}"))) { "Small multiples" }
                @for point in &points {
                    @let label = format!("Versions side by side at {}", fit(point.label, 80));
                    @let cells = of_lineage(point, lineage);
                    @if let Some(svg) = chart::lineage(&cells, &site.catalogue, &|c| short(at, lineage, &c.implementation), &label) {
                        (figure(at, &fit(point.label, 80), "lineages", &svg, html! {}, html! {
                            "Dots: plain launches (waits: probed ones); bars: medians. Below: years; letters and hollow squares: programs as they ship. "
                            a href=(at.link(site.workload_of(index, position(at, index, point)))) { "all implementations" }
                        }))
                    }
                }
            }
        }
    };
    Page { route: at.route, title: format!("Lineage of {}{span}", fit(&lineage.name, 80)), body }
}

fn position(at: &At<'_, '_>, group: usize, point: &PointCells<'_>) -> usize {
    at.site.groups[group].points.iter().position(|p| std::ptr::eq(p, point)).unwrap_or(0)
}

fn years<'l>(at: &'l At<'_, '_>, lineage: &'l Lineage<'_>) -> impl Iterator<Item = u16> + 'l {
    lineage.members.iter().filter_map(|id| at.site.cards.get(id)?.year)
}

/// What stands below a picture: the year of a version, a letter for each program that has none.
fn short(at: &At<'_, '_>, lineage: &Lineage<'_>, id: &str) -> String {
    let year = |id: &str| at.site.cards.get(id).and_then(|card| card.year);
    let without = || lineage.members.iter().filter(|id| year(id).is_none());
    match year(id) {
        Some(year) => format!("{:02}", year % 100),
        None => without()
            .position(|other| *other == id)
            .map_or_else(String::new, |nth| char::from(b'A' + (nth % 26) as u8).to_string()),
    }
}

/// The ranked cells of the members at a point, in the order of the lineage. Of an A/A pair the first arm stands for both.
fn of_lineage<'c>(point: &PointCells<'c>, lineage: &Lineage<'_>) -> Vec<&'c Summary> {
    let ranked = |id: &&&str| {
        let mut cells = point.cells.iter().filter(|c| c.ranked() && c.implementation == **id && c.arm != "b");
        cells.next().copied()
    };
    lineage.members.iter().filter_map(|id| ranked(&id)).collect()
}

fn members(at: &At<'_, '_>, lineage: &Lineage<'_>) -> Markup {
    scroll(
        "Members",
        html! {
            table {
                thead { tr { th scope="col" { "version" } th scope="col" { "year" } th scope="col" .l { "idea" } th scope="col" .l { "source" } } }
                tbody {
                    @for id in &lineage.members {
                        @let known = at.site.cards.get(id);
                        tr {
                            th scope="row" { (card::name_link(at, id)) }
                            td { (known.and_then(|c| c.year).map_or_else(|| format!("today ({})", short(at, lineage, id)), |y| y.to_string())) }
                            td .w { (known.map_or("", |c| c.summary.as_str())) }
                            td .w { @if let Some(card) = known { (card::source(card)) } }
                        }
                    }
                }
            }
        },
    )
}

fn steps(at: &At<'_, '_>, lineage: &Lineage<'_>, points: &[&PointCells<'_>]) -> Markup {
    html! {
        @for (earlier, later) in &lineage.steps {
            @let rows = rows(at, points, earlier, later);
            @let of = |verdict: Verdict| rows.iter().filter(move |r| r.verdict == verdict).collect::<Vec<_>>();
            @let peer = points.iter().flat_map(|p| &p.cells).any(|c| c.implementation == *later && c.role == ImplementationRole::Peer);
            h3 {
                (card::name_link(at, earlier)) @if peer { " beside " } @else { " → " } (card::name_link(at, later))
            }
            @if let Some(card) = at.site.cards.get(later) { p .note { (card.summary) } }
            @if rows.is_empty() {
                p { "No point holds both." }
            } @else {
                dl .facts {
                    dt { @if peer { "better" } @else { "bought" } }
                    dd { (said(&of(Verdict::Improved))) }
                    dt { @if peer { "worse" } @else { "cost" } }
                    dd { (said(&of(Verdict::Regressed))) }
                    dt { "the same" }
                    dd { (of(Verdict::Equivalent).len()) " of " (rows.len()) " numbers, within the margin" }
                    dt { "cannot tell" }
                    dd {
                        (of(Verdict::Inconclusive).len() + of(Verdict::Contaminated).len()) " of " (rows.len())
                        @let pairing = at.site.comparisons.iter().position(|p| p.is_of(earlier, later));
                        @if let Some(index) = pairing { "; " a href=(at.link(Route::Comparison(index))) { "all ratios with intervals" } }
                    }
                }
            }
        }
    }
}

/// All quantities at all points of a step, as the comparison judges them.
fn rows(at: &At<'_, '_>, points: &[&PointCells<'_>], earlier: &str, later: &str) -> Vec<Row> {
    let cell = |point: &PointCells<'_>, id: &str| -> Option<usize> {
        let cells = point.cells.iter().filter(|c| c.ranked() && c.implementation == id && c.arm != "b");
        cells.map(|c| at.site.index_of(c)).next()
    };
    let pair = |point: &&PointCells<'_>| {
        let (a, b) = (cell(point, earlier)?, cell(point, later)?);
        Some((&at.site.cells[a], &at.site.cells[b]))
    };
    let pairs: Vec<_> = points.iter().filter_map(pair).collect();
    compare::rows(&pairs, at.site.cells)
}

fn said(rows: &[&Row]) -> Markup {
    let quantity = |row: &Row| match row.quantity {
        Quantity::Throughput => "throughput",
        Quantity::WaitP99 => "p99 wait",
        Quantity::CpuPerOp => "processor time per operation",
        Quantity::Jain => "fairness (Jain)",
    };
    html! {
        @if rows.is_empty() { "nothing that the launches show" }
        @for (index, row) in rows.iter().enumerate() {
            @if index > 0 { "; " }
            @if let Some(ratio) = &row.ratio {
                (quantity(row)) " " strong { (change(ratio.estimate)) }
                " (" (change(ratio.low)) " to " (change(ratio.high)) ") at " (fit(&row.label, 40))
            }
        }
    }
}
