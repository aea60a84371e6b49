//! Every launch of one cell as a dot, in the order in which they were made: a drift shows, a mean would hide it.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use record::ProbeMode;

use super::{Frame, Margins, chart, class_mark, linear_ticks, write};
use crate::html::catalogue::Catalogue;
use crate::html::ink::{Ink, Mark};
use crate::summary::Summary;
use crate::text::si;

/// The chart of one cell; `None` when no launch gave a result.
pub(in crate::html) fn dots(cell: &Summary, catalogue: &Catalogue, label: &str) -> Option<String> {
    let high = cell.launches.iter().filter_map(|l| l.throughput_per_s).fold(0.0, f64::max) * 1.12;
    if high <= 0.0 {
        return None;
    }
    // The table below tells of each launch: tooltips would repeat it.
    let marks =
        vec![Mark { series: catalogue.series(&cell.name), title: String::new() }; cell.launches.len()];
    let count = cell.launches.len();
    let step = count.div_ceil(24).max(1);
    let frame = Frame {
        height: 260,
        margins: Margins { left: 70, right: 110, top: 30, bottom: 52 },
        x: (-0.5, count as f64 - 0.5),
        y: (0.0, high),
        x_ticks: (0..count).step_by(step).map(|i| (i as f64, cell.launches[i].index.to_string())).collect(),
        y_ticks: linear_ticks(high, si),
        x_name: "launch".into(),
        y_name: "operations a second".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        if let Some(spread) = &cell.throughput_per_s {
            let line = PathElement::new(
                vec![(frame.x.0, spread.median), (frame.x.1, spread.median)],
                Ink::Text.key(),
            );
            plane.draw_series([line])?;
            let (x, y) = plane.backend_coord(&(frame.x.1, spread.median));
            write(
                root,
                &format!("median {}", si(spread.median)),
                (x + 6, y),
                HPos::Left,
                VPos::Center,
                Ink::Text,
            )?;
        }
        for (place, launch) in cell.launches.iter().enumerate() {
            let ink = class_mark(catalogue.class(cell), place as u16);
            let x = place as f64;
            match launch.throughput_per_s {
                Some(rate) => {
                    let plain = launch.probe == ProbeMode::Off;
                    let style = if plain { ink.key().filled() } else { ink.key().stroke_width(2) };
                    plane.draw_series([Circle::new((x, rate), 5, style)])?;
                }
                None => plane.draw_series([Cross::new((x, 0.0), 5, ink.key().stroke_width(2))]).map(drop)?,
            }
        }
        Ok(())
    }))
}
