//! Simulated machines from one core to all: the page of curves and crossovers. Its sisters show planes of hold and think, and
//! machines with one constant changed.

use maud::{Markup, html};

use super::chart::{Axes, Dot, Line, Panel, multiples};
use super::figure::{figure, scroll};
use super::section::class_key;
use super::site::{At, Page};
use crate::scale::curves::{Curve, Load, loads};
use crate::scale::short;
use crate::summary::{Spread, Summary};
use crate::text::{fit, si, three_digits, time};

mod crossings;
mod phase;
mod sweep;

pub(super) use phase::page as phase_page;
pub(super) use sweep::page as sweep_page;

/// Panels of one picture; more are left to a narrower report.
const PANELS_MAX: usize = 8;

/// A quantity against cores.
struct Quantity {
    title: &'static str,
    method: &'static str,
    values: fn(&Summary) -> Option<Spread>,
    axes: Axes,
}

const QUANTITIES: [Quantity; 3] = [
    Quantity {
        title: "Throughput",
        method: "throughput-and-span",
        values: |c| c.throughput_per_s.clone(),
        axes: Axes { x_name: "cores", y_name: "operations a second", text: si, is_index: false },
    },
    Quantity {
        title: "p99 of the wait",
        method: "wait-hold-wake",
        values: |c| Spread::of(c.waits.p99_by_launch.iter().map(|(ns, _)| *ns).filter(|_| c.compare_waits)),
        axes: Axes { x_name: "cores", y_name: "99 % wait no longer", text: time, is_index: false },
    },
    Quantity {
        title: "Fairness",
        method: "jains-index-and-windows",
        values: |c| c.jain_workers.clone(),
        axes: Axes {
            x_name: "cores",
            y_name: "Jain's index over workers",
            text: three_digits,
            is_index: true,
        },
    },
];

/// What every page of this room says first.
fn lead(at: &At<'_, '_>, what: &str) -> Markup {
    html! {
        p {
            (what) " All numbers here are " strong { "simulated" } ": they come from a model of the named machine, not from a \
             computer. Believe who is ahead and where that changes before you believe a value. "
            (super::figure::method_link(at, "crossovers-and-zones-of-indifference"))
        }
    }
}

/// The page.
pub(super) fn page(at: &At<'_, '_>) -> Page {
    let loads = loads(&at.site.groups);
    let body = html! {
        (lead(at, "Every design from one core to all cores of a machine, one thread on each."))
        @if loads.len() > 1 {
            nav aria-label="Loads" {
                ul { @for (index, load) in loads.iter().enumerate() { li { a href=(at.here(&format!("s{index}"))) { (title(load)) } } } }
            }
        }
        @for (index, load) in loads.iter().enumerate() {
            section id=(at.id(&format!("s{index}"))) {
                h2 { (title(load)) }
                (crossings::fastest_table(at, load))
                @for quantity in &QUANTITIES { (pictures(at, load, quantity)) }
                h3 { "Crossovers" }
                @for curve in &load.curves { (crossings::of_curve(at, load, curve)) }
            }
        }
    };
    Page { route: at.route, title: "Scaling on simulated machines".into(), body }
}

fn title(load: &Load<'_, '_>) -> String {
    let sections = load.curves.iter().flat_map(|c| &c.points).next().map_or("", |p| p.work);
    let sections = sections.split_once(", ").map_or(sections, |(_, rest)| rest);
    format!("{}: {sections}", fit(&load.label, 60))
}

/// A machine's name, and its run where several runs hold it.
fn machine(load: &Load<'_, '_>, curve: &Curve<'_, '_>, at: &At<'_, '_>) -> String {
    let several = load.curves.iter().filter(|c| c.preset == curve.preset).count() > 1;
    let run = at.site.groups[curve.group].run + 1;
    if several { format!("{}, run {run}", curve.preset) } else { curve.preset.to_owned() }
}

fn line(at: &At<'_, '_>, name: &str, dots: Vec<Dot>, cell: &Summary) -> Line {
    Line {
        name: short(name).to_owned(),
        series: at.site.catalogue.series(name),
        colour: at.site.catalogue.class(cell),
        dots,
    }
}

fn dot(at: u64, spread: &Spread) -> Dot {
    Dot { at, median: spread.median, min: spread.min, max: spread.max }
}

fn pictures(at: &At<'_, '_>, load: &Load<'_, '_>, quantity: &Quantity) -> Markup {
    let panel = |curve: &Curve<'_, '_>| {
        let of = |name: &&str| {
            let cells = curve.of(name);
            let dots: Vec<Dot> = cells
                .iter()
                .filter_map(|(threads, cell)| Some(dot(*threads as u64, &(quantity.values)(cell)?)))
                .filter(|dot| quantity.axes.is_index || dot.median > 0.0)
                .collect();
            let (_, first) = cells.first().filter(|_| !dots.is_empty())?;
            Some(line(at, name, dots, first))
        };
        Panel { title: machine(load, curve, at), lines: curve.names().iter().filter_map(of).collect() }
    };
    let panels: Vec<Panel> = load.curves.iter().take(PANELS_MAX).map(panel).collect();
    let label = format!(
        "{} against cores of {}, simulated; the tables below hold the numbers",
        quantity.title,
        panels.iter().map(|p| p.title.as_str()).collect::<Vec<_>>().join(", ")
    );
    let cells: Vec<&Summary> =
        load.curves.iter().flat_map(|c| &c.points).flat_map(|p| p.contenders()).collect();
    let name = format!("{} against cores", quantity.title);
    html! {
        @if let Some(svg) = multiples(&panels, &quantity.axes, &label) {
            (figure(at, &name, quantity.method, &svg, class_key(&cells, &at.site.catalogue), html! {
                "simulated; medians over seeds, upright lines from the smallest to the largest. "
                @if quantity.axes.is_index { "1: every worker got the same. " } @else { "Both axes logarithmic; a median of 0 stands in the tables only. " }
                "Point at a name to follow its line."
                @if load.curves.len() > PANELS_MAX { " Drawn are the first " (PANELS_MAX) " machines of " (load.curves.len()) "." }
            }))
            @for curve in &load.curves { (numbers(at, load, curve, quantity)) }
        }
    }
}

/// The numbers behind a panel.
fn numbers(at: &At<'_, '_>, load: &Load<'_, '_>, curve: &Curve<'_, '_>, quantity: &Quantity) -> Markup {
    let name = format!("{} on {}", quantity.title, machine(load, curve, at));
    let text = quantity.axes.text;
    html! {
        details {
            summary { (name) ", in numbers" }
            (scroll(&name, html! {
                table .sortable {
                    caption { (name) ", simulated: median over seeds, and below the smallest and the largest. Columns: cores." }
                    thead {
                        tr {
                            th scope="col" { "implementation" }
                            @for point in &curve.points { th scope="col" { (point.threads) } }
                        }
                    }
                    tbody {
                        @for id in curve.names() {
                            @let cells = curve.of(id);
                            tr data-i=(at.site.catalogue.series(id)) {
                                th scope="row" { (fit(id, 60)) }
                                @for point in &curve.points {
                                    @let cell = cells.iter().find(|(threads, _)| *threads == point.threads).map(|(_, cell)| *cell);
                                    @match cell.and_then(|c| Some((c, (quantity.values)(c)?))) {
                                        None => td data-v="" { "-" },
                                        Some((cell, spread)) => td data-v=(super::table::sort_value(spread.median)) {
                                            a href=(at.cell(cell)) { (text(spread.median)) }
                                            @if text(spread.min) != text(spread.max) {
                                                br; small { (text(spread.min)) "–" (text(spread.max)) }
                                            }
                                        },
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
