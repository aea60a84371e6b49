//! Every launch as a dot: how far the launches of one cell lie apart says more than their median.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use record::ProbeMode;

use super::{Frame, Margins, chart, class_mark, linear_ticks, log_range, log_ticks, write};
use crate::group::PointCells;
use crate::html::catalogue::Catalogue;
use crate::html::ink::{Ink, Mark};
use crate::summary::Summary;
use crate::text::{fit, si};

/// Ranges wider than this are drawn logarithmically.
const LINEAR_RANGE_MAX: f64 = 12.0;

/// The chart of one point; `None` when no launch gave a result.
pub(in crate::html) fn launches(
    point: &PointCells<'_>,
    catalogue: &Catalogue,
    label: &str,
) -> Option<String> {
    let cells: Vec<&Summary> = point.ranked_locks();
    let all = || cells.iter().flat_map(|c| &c.launches).filter_map(|l| l.throughput_per_s);
    let (low, high) = log_range(all())?;
    let logarithmic = high / low > LINEAR_RANGE_MAX;
    let place = |v: f64| if logarithmic { v.max(low).log10() } else { v };
    let mut marks = Vec::new();
    let mut dots = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        for launch in &cell.launches {
            let Some(rate) = launch.throughput_per_s else { continue };
            let steal = launch.steal_share.filter(|s| *s > 0.0);
            let steal = steal.map_or_else(String::new, |s| format!(", steal {}", crate::text::percent(s)));
            dots.push((row, launch.probe, rate, class_mark(catalogue.class(cell), marks.len() as u16)));
            marks.push(Mark {
                series: catalogue.series(&cell.name),
                title: format!(
                    "{}, launch {}, probe {}: {} op/s{steal}",
                    cell.name,
                    launch.index,
                    launch.probe.name(),
                    si(rate)
                ),
            });
        }
    }
    let frame = Frame {
        height: 90 + 20 * cells.len() as u32,
        margins: Margins { left: 250, right: 30, top: 24, bottom: 56 },
        x: if logarithmic { (low.log10(), high.log10()) } else { (0.0, high) },
        y: (cells.len() as f64, 0.0),
        x_ticks: if logarithmic { log_ticks(low, high, si) } else { linear_ticks(high, si) },
        y_ticks: Vec::new(),
        x_name: format!("operations a second{}", if logarithmic { " (logarithmic)" } else { "" }),
        y_name: String::new(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        for (row, cell) in cells.iter().enumerate() {
            let y = row as f64 + 0.5;
            plane.draw_series([PathElement::new(vec![(frame.x.0, y), (frame.x.1, y)], Ink::Grid.key())])?;
            let at = plane.backend_coord(&(frame.x.0, y));
            write(root, &fit(&cell.name, 30), (at.0 - 8, at.1), HPos::Right, VPos::Center, Ink::Text)?;
            if let Some(spread) = &cell.throughput_per_s {
                let x = place(spread.median);
                let bar = PathElement::new(vec![(x, y - 0.4), (x, y + 0.4)], Ink::Text.key().stroke_width(2));
                plane.draw_series([bar])?;
            }
        }
        for (row, probe, rate, ink) in dots {
            let at = (place(rate), row as f64 + 0.5);
            let style = if probe == ProbeMode::Off { ink.key().filled() } else { ink.key().stroke_width(2) };
            plane.draw_series([Circle::new(at, 4, style)])?;
        }
        Ok(())
    }))
}
