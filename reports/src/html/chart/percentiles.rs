//! Waits against percentiles on the 1/(1-p) scale, where each nine has the same room.

use plotters::prelude::*;

use super::{Frame, Label, Margins, Named, chart, class_mark, label_column, log_range, log_ticks};
use crate::group::PointCells;
use crate::html::catalogue::Catalogue;
use crate::html::ink::Mark;
use crate::summary::Summary;
use crate::text::{fit, time};

/// The chart of one point, all implementations; `None` when no cell has waits.
pub(in crate::html) fn percentiles(
    point: &PointCells<'_>,
    catalogue: &Catalogue,
    label: &str,
) -> Option<String> {
    percentiles_of(Named::by_implementation(&point.contenders(), catalogue), label)
}

/// The chart of some cells; `None` when none has waits.
pub(in crate::html) fn percentiles_of(mut cells: Vec<Named<'_>>, label: &str) -> Option<String> {
    cells.retain(|named| named.cell.wait().is_some());
    let curve = |cell: &Summary| -> Vec<(f64, f64)> {
        let points = cell.wait().map_or(&[][..], |w| &w.curve);
        // From the median on: below there is nothing that a lock could be blamed for.
        let late = points.iter().filter(|(inverse, _)| *inverse >= 1.99);
        late.map(|(inverse, ns)| (inverse.log10(), (*ns).max(1) as f64)).collect()
    };
    let curves: Vec<Vec<(f64, f64)>> = cells.iter().map(|c| curve(c.cell)).collect();
    let (low, high) = log_range(curves.iter().flatten().map(|p| p.1))?;
    let last = curves.iter().flatten().map(|p| p.0).fold(1.0, f64::max);
    let marks: Vec<Mark> = cells
        .iter()
        .map(|cell| {
            let w = cell.cell.wait();
            let text = w.map_or_else(String::new, |w| {
                let at = [w.p50_ns, w.p99_ns, w.p999_ns, w.max_ns].map(|ns| time(ns as f64));
                format!("{}: p50 {}, p99 {}, p99.9 {}, max {}", cell.name, at[0], at[1], at[2], at[3])
            });
            Mark { series: cell.series, title: text }
        })
        .collect();
    let name = |nines: u32| match nines {
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        n => format!("99.{} %", "9".repeat(n as usize - 2)),
    };
    let mut x_ticks = vec![(2f64.log10(), "50 %".to_owned())];
    x_ticks.extend((1..=last.floor() as u32).map(|n| (f64::from(n), name(n))));
    let frame = Frame {
        height: 160 + 15 * cells.len().max(16) as u32,
        margins: Margins { left: 70, right: 270, top: 30, bottom: 50 },
        x: (2f64.log10(), last + 0.05),
        y: (low.log10(), high.log10()),
        x_ticks,
        y_ticks: log_ticks(low, high, time),
        x_name: "percentile of the waits (each nine has the same room)".into(),
        y_name: "wait (logarithmic)".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut labels = Vec::new();
        for (index, (cell, curve)) in cells.iter().zip(&curves).enumerate() {
            let ink = class_mark(cell.colour, index as u16);
            let line: Vec<(f64, f64)> = curve.iter().map(|(x, y)| (*x, y.log10())).collect();
            let Some(end) = line.last().copied() else { continue };
            plane.draw_series([PathElement::new(line, ink.key().stroke_width(2))])?;
            plane.draw_series([Circle::new(end, 3, ink.key().filled())])?;
            labels.push(Label { y: plane.backend_coord(&end).1, text: fit(&cell.name, 31), ink });
        }
        let bounds = (30, frame.height as i32 - 50);
        label_column(root, plane.backend_coord(&(frame.x.1, frame.y.0)).0, bounds, labels)
    }))
}
