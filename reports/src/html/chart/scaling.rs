//! Throughput against threads: one line an implementation, its name at its end.

use plotters::prelude::*;

use super::{Frame, Label, Margins, Named, chart, class_mark, label_column, log_range, log_ticks};
use crate::group::PointCells;
use crate::html::catalogue::Catalogue;
use crate::html::ink::Mark;
use crate::summary::Summary;
use crate::text::{fit, si};

/// A line: what it is, and the throughput at each number of threads.
type Line<'a> = (Named<'a>, Vec<(f64, f64)>);

/// The chart of one curve: points that differ only in their number of threads, all implementations. `None` with fewer
/// than two of them.
pub(in crate::html) fn scaling(
    points: &[&PointCells<'_>],
    catalogue: &Catalogue,
    label: &str,
) -> Option<String> {
    let ranked: Vec<&Summary> = points.iter().flat_map(|p| p.contenders()).collect();
    // Where one arm of a control stands for a lock at some point, it is a dot on that lock's line.
    let mut names: Vec<String> = ranked.iter().map(|c| c.name_without_arm()).collect();
    names.sort_unstable();
    names.dedup();
    let line = |name: &String| {
        let cells: Vec<&Summary> = ranked.iter().filter(|c| c.name_without_arm() == *name).copied().collect();
        let named = Named::by_implementation(&cells, catalogue).into_iter().next()?;
        Some((Named { name: name.clone(), ..named }, line(&cells)))
    };
    draw(names.iter().filter_map(line).collect(), label)
}

/// The chart of one implementation: a line for each curve that it has several points of, and each of its variants.
pub(in crate::html) fn scaling_of(cells: &[&Summary], label: &str) -> Option<String> {
    let mut curves: Vec<((&str, String), Vec<&Summary>)> = Vec::new();
    for cell in cells {
        let of = (cell.curve_key.as_str(), cell.name_without_arm());
        match curves.iter_mut().find(|(other, _)| *other == of) {
            Some((_, cells)) => cells.push(cell),
            None => curves.push((of, vec![cell])),
        }
    }
    let lines = curves.into_iter().enumerate().map(|(index, ((_, variant), cells))| {
        // Of a label like contended/t8/h500 what does not change along the curve; then what sets a variant apart.
        let place: Vec<&str> =
            cells[0].label.split('/').filter(|part| *part != format!("t{}", cells[0].threads)).collect();
        let params = variant.strip_prefix(&cells[0].implementation).unwrap_or_default();
        let name = format!("{}{params}", place.join("/"));
        let named = Named { cell: cells[0], name, series: BY_CURVE + index, colour: index % COLOURS };
        (named, line(&cells))
    });
    draw(lines.filter(|(_, line)| line.len() > 1).collect(), label)
}

/// Curves of one implementation light up apart from the implementations.
const BY_CURVE: usize = 1_000_000;
/// Colours that differ enough.
const COLOURS: usize = 7;

fn line(cells: &[&Summary]) -> Vec<(f64, f64)> {
    let place =
        |cell: &&Summary| Some(((cell.threads as f64).log2(), cell.throughput_per_s.as_ref()?.median));
    let mut line: Vec<(f64, f64)> = cells.iter().filter_map(place).collect();
    line.sort_by(|a, b| a.0.total_cmp(&b.0));
    line
}

fn draw(lines: Vec<Line<'_>>, label: &str) -> Option<String> {
    let mut threads: Vec<f64> = lines.iter().flat_map(|(_, line)| line).map(|p| p.0).collect();
    threads.sort_by(f64::total_cmp);
    threads.dedup();
    if threads.len() < 2 {
        return None;
    }
    let (low, high) = log_range(lines.iter().flat_map(|l| &l.1).map(|p| p.1))?;
    let marks: Vec<Mark> = lines
        .iter()
        .map(|(cell, line)| {
            let values: Vec<String> =
                line.iter().map(|(x, y)| format!("{} at {}", si(*y), x.exp2().round())).collect();
            Mark { series: cell.series, title: format!("{}: {}", cell.name, values.join(", ")) }
        })
        .collect();
    let x = (threads[0], threads[threads.len() - 1]);
    let frame = Frame {
        height: 160 + 15 * lines.len().max(16) as u32,
        margins: Margins { left: 60, right: 270, top: 30, bottom: 50 },
        x: (x.0 - 0.08, x.1 + 0.08),
        y: (low.log10(), high.log10()),
        x_ticks: threads.iter().map(|log| (*log, log.exp2().round().to_string())).collect(),
        y_ticks: log_ticks(low, high, si),
        x_name: "threads".into(),
        y_name: "operations a second, median of the launches (logarithmic)".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut labels = Vec::new();
        for (index, (cell, line)) in lines.iter().enumerate() {
            let ink = class_mark(cell.colour, index as u16);
            let line: Vec<(f64, f64)> = line.iter().map(|(x, y)| (*x, y.log10())).collect();
            plane.draw_series([PathElement::new(line.clone(), ink.key().stroke_width(2))])?;
            plane.draw_series(line.iter().map(|p| Circle::new(*p, 3, ink.key().filled())))?;
            if let Some(last) = line.last() {
                labels.push(Label { y: plane.backend_coord(last).1, text: fit(&cell.name, 31), ink });
            }
        }
        let bounds = (30, frame.height as i32 - 50);
        label_column(root, plane.backend_coord(&(frame.x.1, frame.y.0)).0, bounds, labels)
    }))
}
