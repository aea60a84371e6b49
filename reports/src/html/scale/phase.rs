//! The page of planes: hold against think, each field in the colour of the fastest.

use maud::{Markup, html};

use super::lead;
use crate::html::chart::{COLOURS, Field, Phase as Drawn, phases};
use crate::html::figure::{figure, scroll};
use crate::html::site::{At, Page};
use crate::scale::grid::{Grid, Plane, grids};
use crate::scale::short;
use crate::scale::winner::{Fastest, fastest};
use crate::text::{change, fit, si, time};

/// Names in a field of indifference.
const NAMES_MAX: usize = 2;

/// The page.
pub(in crate::html) fn page(at: &At<'_, '_>) -> Page {
    let grids = grids(&at.site.groups);
    let body = html! {
        (lead(at, "Who is fastest, by the work inside the lock (hold) and outside it (think), for each number of threads."))
        @for (index, grid) in grids.iter().enumerate() {
            section id=(at.id(&format!("g{index}"))) {
                h2 { (grid.preset) ": " (fit(grid.workload, 60)) }
                (picture(at, grid))
                @for plane in &grid.planes { (table(at, grid, plane)) }
            }
        }
    };
    Page { route: at.route, title: "Who wins where".into(), body }
}

/// The fastest at a place of a plane.
fn field<'a>(plane: &Plane<'_, 'a>, hold: usize, think: usize) -> Option<Fastest<'a>> {
    let (.., point) = plane.points.iter().find(|(h, t, _)| (*h, *t) == (hold, think))?;
    fastest(point)
}

/// Those who win alone somewhere, most fields first: their place is their colour.
fn winners<'a>(grid: &Grid<'_, 'a>) -> Vec<&'a str> {
    let mut wins: Vec<(&str, usize)> = Vec::new();
    for point in grid.planes.iter().flat_map(|p| &p.points) {
        if let Some(found) = fastest(point.2).filter(|found| !found.shared()) {
            let name = found.first().name.as_str();
            match wins.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => wins.push((name, 1)),
            }
        }
    }
    wins.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    wins.into_iter().map(|(name, _)| name).collect()
}

fn names(found: &Fastest<'_>) -> String {
    let shown: Vec<&str> = found.cells.iter().take(NAMES_MAX).map(|c| short(&c.name)).collect();
    match found.cells.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(" ≈ "),
        more => format!("{} +{more}", shown.join(" ≈ ")),
    }
}

fn picture(at: &At<'_, '_>, grid: &Grid<'_, '_>) -> Markup {
    let winners = winners(grid);
    let drawn_field = |plane: &Plane<'_, '_>, hold: usize, think: usize| {
        let found = field(plane, hold, think)?;
        let first = found.first();
        let rate = first.throughput_per_s.as_ref().map_or_else(String::new, |s| si(s.median));
        let lead = found.lead.map_or_else(String::new, |lead| format!(", {} before the next", change(lead)));
        let place = winners.iter().position(|name| *name == first.name).unwrap_or(0);
        Some(Field {
            name: names(&found),
            colour: place % COLOURS,
            shared: found.shared(),
            series: at.site.catalogue.series(&first.name),
            title: format!(
                "hold {}, think {}, {} threads: {}, {rate} operations a second{lead}",
                time(grid.holds_ns[hold] as f64),
                time(grid.thinks_ns[think] as f64),
                plane.threads,
                found.cells.iter().map(|c| short(&c.name)).collect::<Vec<_>>().join(" ≈ "),
            ),
        })
    };
    let drawn: Vec<Drawn> = grid
        .planes
        .iter()
        .map(|plane| Drawn {
            title: threads(plane.threads),
            rows: (0..grid.holds_ns.len())
                .map(|hold| (0..grid.thinks_ns.len()).map(|think| drawn_field(plane, hold, think)).collect())
                .collect(),
        })
        .collect();
    let lengths = |ns: &[u64]| ns.iter().map(|ns| time(*ns as f64)).collect::<Vec<_>>();
    let label = format!(
        "The fastest by hold and think on {}, simulated, for {}; the tables below hold the numbers",
        grid.preset,
        drawn.iter().map(|p| p.title.as_str()).collect::<Vec<_>>().join(", ")
    );
    let svg = phases(&drawn, &lengths(&grid.thinks_ns), &lengths(&grid.holds_ns), &label);
    let key = html! {
        ul .key {
            @for (index, name) in winners.iter().enumerate() {
                li { i class={ "bp" (index % COLOURS + 1) } {} (fit(short(name), 40)) }
            }
            li { i .bp0 {} "hatched: several share the place" }
        }
    };
    figure(
        at,
        "Phase diagram: the fastest by hold and think",
        "crossovers-and-zones-of-indifference",
        &svg,
        key,
        html! {
            "simulated; throughput, medians over seeds. Hatched fields are zones of indifference: whoever is named, and "
            "as many more as stand after the plus, overlaps with the fastest over its seeds or lies within 3 % of it."
        },
    )
}

fn threads(n: usize) -> String {
    if n == 1 { "1 thread".into() } else { format!("{n} threads") }
}

fn table(at: &At<'_, '_>, grid: &Grid<'_, '_>, plane: &Plane<'_, '_>) -> Markup {
    let label = format!("{}, {}, in numbers", grid.preset, threads(plane.threads));
    html! {
        details {
            summary { (label) }
            (scroll(&label, html! {
                table {
                    caption {
                        "The fastest with its throughput, operations a second, and its lead on the first that it is surely ahead of; "
                        "simulated. Rows: hold. Columns: think."
                    }
                    thead { tr { th scope="col" { "hold" } @for ns in &grid.thinks_ns { th scope="col" .l { (time(*ns as f64)) } } } }
                    tbody {
                        @for (hold, ns) in grid.holds_ns.iter().enumerate() {
                            tr {
                                th scope="row" { (time(*ns as f64)) }
                                @for think in 0..grid.thinks_ns.len() {
                                    td .l {
                                        @match field(plane, hold, think) {
                                            None => "-",
                                            Some(found) => {
                                                @for (nth, cell) in found.cells.iter().enumerate() {
                                                    @if nth > 0 { br; }
                                                    a href=(at.cell(cell)) { (fit(short(&cell.name), 30)) }
                                                    @if let Some(rate) = &cell.throughput_per_s { " " (si(rate.median)) }
                                                }
                                                @if let Some(lead) = found.lead { br; small { (change(lead)) " before the next" } }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }))
        }
    }
}
