//! Fairness against the size of the window through which one looks: a lock may be fair over a second and serve one
//! thread within each ms.

use plotters::prelude::*;

use super::{Frame, Label, Margins, Named, chart, class_mark, label_column, log_ticks, room_for_names};
use crate::html::catalogue::Catalogue;
use crate::html::ink::Mark;
use crate::summary::Summary;
use crate::text::{fit, time};

/// The chart of some cells, of one workload; `None` when none was seen through two windows.
pub(in crate::html) fn fairness(cells: &[&Summary], catalogue: &Catalogue, label: &str) -> Option<String> {
    let lines: Vec<(Named<'_>, &[(u64, f64)])> = Named::by_implementation(cells, catalogue)
        .into_iter()
        .filter_map(|named| {
            let windows = named.cell.profile.as_ref()?.windows.as_slice();
            (windows.len() > 1).then_some((named, windows))
        })
        .collect();
    let sizes = || lines.iter().flat_map(|(_, windows)| windows.iter()).map(|w| w.0 as f64);
    let (low, high) = (sizes().reduce(f64::min)?.max(1.0), sizes().reduce(f64::max)?);
    let marks: Vec<Mark> = lines
        .iter()
        .map(|(named, windows)| {
            let values: Vec<String> =
                windows.iter().map(|(ns, index)| format!("{index:.3} over {}", time(*ns as f64))).collect();
            let title = format!("{}: {}", named.name, values.join(", "));
            // A line alone has its own table beside it.
            Mark { series: named.series, title: if lines.len() > 1 { title } else { String::new() } }
        })
        .collect();
    let frame = Frame {
        height: 160 + 15 * lines.len().max(12) as u32,
        margins: Margins { left: 60, right: room_for_names(cells.len()), top: 30, bottom: 50 },
        x: ((low / 1.05).log10(), (high * 1.05).log10()),
        y: (0.0, 1.02),
        x_ticks: log_ticks(low / 1.05, high * 1.05, time),
        y_ticks: [0.0, 0.25, 0.5, 0.75, 1.0].map(|v: f64| (v, v.to_string())).to_vec(),
        x_name: "size of the window (logarithmic)".into(),
        y_name: "Jain's index: 1 is equal shares, 1/n is one worker alone".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut labels = Vec::new();
        for (index, (named, windows)) in lines.iter().enumerate() {
            let ink = class_mark(named.colour, index as u16);
            let line: Vec<(f64, f64)> =
                windows.iter().map(|(ns, j)| ((*ns as f64).max(1.0).log10(), *j)).collect();
            plane.draw_series([PathElement::new(line.clone(), ink.key().stroke_width(2))])?;
            plane.draw_series(line.iter().map(|p| Circle::new(*p, 3, ink.key().filled())))?;
            if let Some(last) = line.last().filter(|_| cells.len() > 1) {
                labels.push(Label { y: plane.backend_coord(last).1, text: fit(&named.name, 31), ink });
            }
        }
        let bounds = (30, frame.height as i32 - 50);
        label_column(root, plane.backend_coord(&(frame.x.1, frame.y.0)).0, bounds, labels)
    }))
}
