//! The page of what would be if: throughput against one constant of a machine, and where the fastest changes.

use maud::{Markup, html};

use super::{dot, lead, line};
use crate::html::chart::{Axes, Dot, Panel, multiples};
use crate::html::figure::{figure, scroll};
use crate::html::section::class_key;
use crate::html::site::{At, Page};
use crate::html::table::sort_value;
use crate::scale::short;
use crate::scale::sweep::{Line, Sweep, sweeps};
use crate::scale::winner::{Fastest, fastest};
use crate::summary::Summary;
use crate::text::{fit, si};

/// Points drawn of one sweep: those with the most threads.
const PANELS_MAX: usize = 6;

const AXES: Axes = Axes {
    x_name: "value of the constant (logarithmic)",
    y_name: "operations a second",
    text: si,
    is_index: false,
};

/// The page.
pub(in crate::html) fn page(at: &At<'_, '_>) -> Page {
    let sweeps = sweeps(&at.site.groups);
    let body = html! {
        (lead(at, "The same machine with one constant changed: which designs depend on it, and where the fastest changes."))
        @for (index, sweep) in sweeps.iter().enumerate() {
            section id=(at.id(&format!("w{index}"))) {
                h2 { (fit(&sweep.base, 60)) ": what if " code { (sweep.key) } " were other?" }
                (flips(at, sweep))
                (picture(at, sweep))
                @for line in &sweep.lines { (table(at, sweep, line)) }
            }
        }
    };
    Page { route: at.route, title: "What if".into(), body }
}

/// Stretches of values with one result, in words.
fn flips(at: &At<'_, '_>, sweep: &Sweep<'_, '_>) -> Markup {
    html! {
        ul .findings {
            @for line in &sweep.lines {
                @let stretches = stretches(line);
                li {
                    (fit(line.label, 60)) ": "
                    @if stretches.is_empty() { "too few seeds to tell who is fastest." }
                    @for (nth, stretch) in stretches.iter().enumerate() {
                        @if nth > 0 { "; " }
                        @if stretch.from == stretch.to { "at " (stretch.from) } @else { "from " (stretch.from) " to " (stretch.to) }
                        " "
                        @for (nth, cell) in stretch.fastest.cells.iter().take(3).enumerate() {
                            @if nth > 0 { " ≈ " }
                            a href=(at.cell(cell)) { (fit(short(&cell.name), 40)) }
                        }
                        @if stretch.fastest.cells.len() > 3 { " and " (stretch.fastest.cells.len() - 3) " more" }
                    }
                    @if stretches.len() == 1 && stretches[0].from != stretches[0].to { ": the constant does not decide" }
                    @if !stretches.is_empty() { "." }
                }
            }
        }
    }
}

struct Stretch<'a> {
    from: u64,
    to: u64,
    fastest: Fastest<'a>,
}

/// Values in order, those with the same fastest together: the same names, whatever their order.
fn stretches<'a>(line: &Line<'_, 'a>) -> Vec<Stretch<'a>> {
    let set = |found: &Fastest<'a>| {
        let mut names: Vec<&'a str> = found.cells.iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        names
    };
    let mut stretches: Vec<Stretch<'a>> = Vec::new();
    for (value, point) in &line.points {
        let Some(found) = fastest(point) else { continue };
        match stretches.last_mut() {
            Some(last) if set(&last.fastest) == set(&found) => last.to = *value,
            _ => stretches.push(Stretch { from: *value, to: *value, fastest: found }),
        }
    }
    stretches
}

/// The designs that are ranked somewhere on a line, in alphabetical order.
fn names<'a>(line: &Line<'_, 'a>) -> Vec<&'a str> {
    let cells = line.points.iter().flat_map(|(_, point)| point.contenders());
    let mut names: Vec<&str> = cells.map(|c| c.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn cells<'a>(line: &Line<'_, 'a>, name: &str) -> Vec<(u64, &'a Summary)> {
    let cell = |(value, point): &(u64, &crate::group::PointCells<'a>)| {
        Some((*value, point.cells.iter().copied().find(|c| c.ranked() && c.name == name)?))
    };
    line.points.iter().filter_map(cell).collect()
}

fn picture(at: &At<'_, '_>, sweep: &Sweep<'_, '_>) -> Markup {
    let mut drawn: Vec<&Line<'_, '_>> = sweep.lines.iter().collect();
    drawn.sort_by_key(|line| std::cmp::Reverse(line.threads));
    drawn.truncate(PANELS_MAX);
    drawn.sort_by_key(|line| line.threads);
    let panel = |l: &&Line<'_, '_>| {
        let of = |name: &&str| {
            let cells = cells(l, name);
            let dots: Vec<Dot> = cells
                .iter()
                .filter_map(|(value, c)| Some(dot(*value, c.throughput_per_s.as_ref()?)))
                .collect();
            let dots: Vec<Dot> = dots.into_iter().filter(|dot| dot.median > 0.0).collect();
            let (_, first) = cells.first().filter(|_| !dots.is_empty())?;
            Some(line(at, name, dots, first))
        };
        Panel { title: fit(l.label, 60), lines: names(l).iter().filter_map(of).collect() }
    };
    let panels: Vec<Panel> = drawn.iter().map(panel).collect();
    let label = format!(
        "Throughput against {} of {}, simulated; the tables below hold the numbers",
        sweep.key, sweep.base
    );
    let shown: Vec<&Summary> =
        drawn.iter().flat_map(|l| &l.points).flat_map(|(_, p)| p.contenders()).collect();
    html! {
        @if let Some(svg) = multiples(&panels, &AXES, &label) {
            (figure(at, &format!("Throughput against {}", sweep.key), "crossovers-and-zones-of-indifference", &svg,
                class_key(&shown, &at.site.catalogue), html! {
                "simulated; medians over seeds, upright lines from the smallest to the largest. Each value is a machine of its own. "
                @if sweep.lines.len() > PANELS_MAX { "Drawn are the " (PANELS_MAX) " points with the most threads." }
            }))
        }
    }
}

fn table(at: &At<'_, '_>, sweep: &Sweep<'_, '_>, line: &Line<'_, '_>) -> Markup {
    let label = format!("{} by {}, in numbers", line.label, sweep.key);
    html! {
        details {
            summary { (fit(&label, 120)) }
            (scroll(&label, html! {
                table .sortable {
                    caption { "Operations a second, median over seeds; simulated. Columns: " (sweep.key) "." }
                    thead { tr { th scope="col" { "implementation" } @for (value, _) in &line.points { th scope="col" { (value) } } } }
                    tbody {
                        @for name in names(line) {
                            @let cells = cells(line, name);
                            tr data-i=(at.site.catalogue.series(name)) {
                                th scope="row" { (fit(name, 60)) }
                                @for (value, _) in &line.points {
                                    @let rate = cells.iter().find(|(v, _)| v == value).and_then(|(_, c)| Some((*c, c.throughput_per_s.as_ref()?)));
                                    @match rate {
                                        None => td data-v="" { "-" },
                                        Some((cell, s)) => td data-v=(sort_value(s.median)) { a href=(at.cell(cell)) { (si(s.median)) } },
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
