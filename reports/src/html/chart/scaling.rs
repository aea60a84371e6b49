//! Throughput against threads: one line an implementation, its name at its end.

use plotters::prelude::*;

use super::{Frame, Label, Margins, chart, class_mark, label_column, log_range, log_ticks};
use crate::group::PointCells;
use crate::html::catalogue::Catalogue;
use crate::html::ink::Mark;
use crate::summary::Summary;
use crate::text::{fit, si};

/// The chart of one curve: points that differ only in their number of threads. `None` with fewer than two of them.
pub(in crate::html) fn scaling(
    points: &[&PointCells<'_>],
    catalogue: &Catalogue,
    label: &str,
) -> Option<String> {
    let mut threads: Vec<usize> = points.iter().map(|p| p.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    if threads.len() < 2 {
        return None;
    }
    let ranked: Vec<(usize, &Summary)> =
        points.iter().flat_map(|p| p.ranked_locks().into_iter().map(move |c| (p.threads, c))).collect();
    let mut names: Vec<&str> = ranked.iter().map(|(_, c)| c.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let lines: Vec<(&Summary, Vec<(f64, f64)>)> = names
        .iter()
        .filter_map(|name| {
            let mut line: Vec<(usize, &Summary)> =
                ranked.iter().filter(|(_, c)| c.name == *name).copied().collect();
            line.sort_by_key(|(threads, _)| *threads);
            let place = |(threads, cell): &(usize, &Summary)| {
                Some(((*threads as f64).log2(), cell.throughput_per_s.as_ref()?.median))
            };
            Some((line.first()?.1, line.iter().filter_map(place).collect()))
        })
        .collect();
    let (low, high) = log_range(lines.iter().flat_map(|l| &l.1).map(|p| p.1))?;
    let marks: Vec<Mark> = lines
        .iter()
        .map(|(cell, line)| {
            let values: Vec<String> =
                line.iter().map(|(x, y)| format!("{} at {}", si(*y), x.exp2().round())).collect();
            Mark {
                series: catalogue.series(&cell.name),
                title: format!("{}: {}", cell.name, values.join(", ")),
            }
        })
        .collect();
    let x = ((threads[0] as f64).log2(), (threads[threads.len() - 1] as f64).log2());
    let frame = Frame {
        height: 160 + 15 * lines.len().max(16) as u32,
        margins: Margins { left: 60, right: 270, top: 30, bottom: 50 },
        x: (x.0 - 0.08, x.1 + 0.08),
        y: (low.log10(), high.log10()),
        x_ticks: threads.iter().map(|n| ((*n as f64).log2(), n.to_string())).collect(),
        y_ticks: log_ticks(low, high, si),
        x_name: "threads".into(),
        y_name: "operations a second, median of the launches (logarithmic)".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut labels = Vec::new();
        for (index, (cell, line)) in lines.iter().enumerate() {
            let ink = class_mark(catalogue.class(cell), index as u16);
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
