//! Small multiples of a lineage: the versions side by side in five quantities, every launch a dot.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use record::ProbeMode;
use record::cell::ImplementationRole;

use super::{Area, Drawn, WIDTH, class_mark, log_range, log_ticks, picture, write};
use crate::html::catalogue::Catalogue;
use crate::html::ink::{Ink, Mark};
use crate::summary::Summary;
use crate::text::{si, time};

const HEIGHT: u32 = 200;
const TOP: i32 = 34;
const BOTTOM: i32 = HEIGHT as i32 - 28;
/// Room for the names of a panel's axis.
const LEFT: i32 = 50;

/// A panel: its title and what it shows of a cell.
struct Panel {
    title: &'static str,
    values: fn(&Summary) -> Vec<f64>,
    text: fn(f64) -> String,
    /// Linear between 0 and 1 instead of logarithmic.
    index: bool,
}

fn spread(of: &Option<crate::summary::Spread>) -> Vec<f64> {
    of.as_ref().map_or_else(Vec::new, |s| s.values.clone())
}

const PANELS: [Panel; 5] = [
    Panel { title: "op/s", values: |c| spread(&c.throughput_per_s), text: si, index: false },
    Panel {
        title: "p99.9 wait",
        values: |c| if c.compare_waits { c.waits.p999_by_launch.clone() } else { Vec::new() },
        text: time,
        index: false,
    },
    Panel { title: "longest wait", values: longest, text: time, index: false },
    Panel { title: "CPU per op", values: |c| spread(&c.cpu_ns_per_op), text: time, index: false },
    Panel {
        title: "Jain's index",
        values: |c| spread(&c.jain_workers),
        text: |v| format!("{v:.2}"),
        index: true,
    },
];

/// The longest wait of each probed launch, over all roles.
fn longest(cell: &Summary) -> Vec<f64> {
    if !cell.compare_waits || cell.waits.probe == Some(ProbeMode::Off) {
        return Vec::new();
    }
    let of_launch = |roles: &Vec<Option<u64>>| roles.iter().flatten().max().map(|ns| *ns as f64);
    cell.waits.longest_by_launch.iter().filter_map(of_launch).collect()
}

/// The chart of one point: `cells` in the order of the lineage. `None` without any number.
pub(in crate::html) fn lineage(
    cells: &[&Summary],
    catalogue: &Catalogue,
    short: &dyn Fn(&Summary) -> String,
    label: &str,
) -> Option<String> {
    cells.iter().flat_map(|c| PANELS.iter().flat_map(|p| (p.values)(c))).next()?;
    let mut marks = Vec::new();
    for panel in &PANELS {
        for cell in cells {
            let values = (panel.values)(cell);
            let text = crate::stats::median(&values).map_or_else(
                || "not known".to_owned(),
                |median| format!("median {} of {}", (panel.text)(median), values.len()),
            );
            marks.push(Mark {
                series: catalogue.series(&cell.name),
                title: format!("{}: {} {text}", cell.name, panel.title),
            });
        }
    }
    // A dot belongs to its version too, but the line tells its numbers.
    let dots = cells.iter().map(|c| Mark { series: catalogue.series(&c.name), title: String::new() });
    let dots_from = marks.len();
    marks.extend(dots);
    Some(picture(HEIGHT, &marks, label, |root| {
        let width = WIDTH as i32 / PANELS.len() as i32;
        for (index, panel) in PANELS.iter().enumerate() {
            let left = index as i32 * width;
            draw(root, panel, cells, catalogue, short, left, width, [index * cells.len(), dots_from])?;
        }
        Ok(())
    }))
}

#[allow(clippy::too_many_arguments, reason = "one panel; a struct would only rename the list")]
fn draw(
    root: &Area<'_>,
    panel: &Panel,
    cells: &[&Summary],
    catalogue: &Catalogue,
    short: &dyn Fn(&Summary) -> String,
    left: i32,
    width: i32,
    [lines_from, dots_from]: [usize; 2],
) -> Drawn {
    write(root, panel.title, (left + 6, 14), HPos::Left, VPos::Center, Ink::Text)?;
    let all: Vec<f64> = cells.iter().flat_map(|c| (panel.values)(c)).collect();
    let range = if panel.index { Some((0.0, 1.0)) } else { log_range(all.iter().copied()) };
    let Some((low, high)) = range.filter(|_| !all.is_empty()) else {
        return write(
            root,
            "not known",
            (left + width / 2, (TOP + BOTTOM) / 2),
            HPos::Center,
            VPos::Center,
            Ink::Muted,
        );
    };
    let share = |v: f64| {
        if panel.index { v } else { (v.max(low) / low).ln() / (high / low).ln() }
    };
    let y = |v: f64| BOTTOM - (share(v) * f64::from(BOTTOM - TOP)).round() as i32;
    let right = left + width - 8;
    let ticks = if panel.index {
        [0.0, 0.5, 1.0].map(|v| (v, format!("{v}"))).to_vec()
    } else {
        thinned(log_ticks(low, high, panel.text))
            .into_iter()
            .map(|(log, name)| (10f64.powf(log), name))
            .collect()
    };
    for (value, name) in ticks {
        let at = y(value);
        root.draw(&PathElement::new(vec![(left + LEFT, at), (right, at)], Ink::Grid.key()))?;
        write(root, &name, (left + LEFT - 4, at), HPos::Right, VPos::Center, Ink::Muted)?;
    }
    let step = f64::from(right - left - LEFT) / cells.len() as f64;
    // All names, then all dots, then all medians: what is alike becomes one element.
    let versions: Vec<Version> = cells
        .iter()
        .enumerate()
        .map(|(index, cell)| Version {
            x: left + LEFT + ((index as f64 + 0.5) * step) as i32,
            ink: class_mark(catalogue.class(cell), (lines_from + index) as u16),
            dot: class_mark(catalogue.class(cell), (dots_from + index) as u16),
            peer: cell.role == ImplementationRole::Peer,
            values: (panel.values)(cell),
        })
        .collect();
    for (version, cell) in versions.iter().zip(cells) {
        let name_ink = if version.peer { version.ink } else { Ink::Text };
        write(root, &short(cell), (version.x, BOTTOM + 14), HPos::Center, VPos::Center, name_ink)?;
    }
    for Version { x, dot, peer, values, .. } in &versions {
        for at in values.iter().map(|value| (*x, y(*value))) {
            if *peer {
                let corners = [(at.0 - 3, at.1 - 3), (at.0 + 3, at.1 + 3)];
                root.draw(&Rectangle::new(corners, dot.key().stroke_width(1)))?;
            } else {
                root.draw(&Circle::new(at, 3, dot.key().mix(0.55).filled()))?;
            }
        }
    }
    let mut line = Vec::new();
    for version in &versions {
        let Some(median) = crate::stats::median(&version.values) else { continue };
        let (at, half) = (y(median), (step * 0.3) as i32);
        let ends = vec![(version.x - half, at), (version.x + half, at)];
        root.draw(&PathElement::new(ends, version.ink.key().stroke_width(3)))?;
        if !version.peer {
            line.push((version.x, at));
        }
    }
    root.draw(&PathElement::new(line, Ink::Muted.key()))?;
    Ok(())
}

/// A version in a panel.
struct Version {
    x: i32,
    ink: Ink,
    dot: Ink,
    peer: bool,
    values: Vec<f64>,
}

/// A small panel has room for few names.
fn thinned(ticks: Vec<super::Tick>) -> Vec<super::Tick> {
    let every = ticks.len().div_ceil(5).max(1);
    ticks.into_iter().step_by(every).collect()
}
