//! Every launch as a dot: how far the launches of one cell lie apart says more than their median.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use record::ProbeMode;

use super::{Frame, Margins, chart, class_mark, linear_ticks, log_range, log_ticks, write};
use crate::group::PointCells;
use crate::html::catalogue::Catalogue;
use crate::html::ink::{Ink, Mark};
use crate::summary::{LaunchDot, Summary};
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
        let of = |plain: bool| {
            let launches = cell.launches.iter().filter(move |l| (l.probe == ProbeMode::Off) == plain);
            launches.filter_map(|launch| Some((launch, launch.throughput_per_s?)))
        };
        let mut add = |launches: Vec<(&LaunchDot, f64)>| {
            let Some((first, _)) = launches.first() else { return };
            let plain = first.probe == ProbeMode::Off;
            let ink = class_mark(catalogue.class(cell), marks.len() as u16);
            dots.extend(launches.iter().map(|(_, rate)| (row, plain, *rate, ink)));
            let told: Vec<String> = launches.iter().map(|(launch, rate)| told(launch, *rate)).collect();
            let title = format!("{}, probe {}: op/s {}", cell.name, first.probe.name(), told.join(", "));
            marks.push(Mark { series: catalogue.series(&cell.name), title });
        };
        // The plain dots of a row share one tooltip; a hollow one has its own.
        add(of(true).collect());
        of(false).for_each(|launch| add(vec![launch]));
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
        // All lines, then all names, then all medians: what is alike becomes one element.
        let middle = |row: usize| row as f64 + 0.5;
        for row in 0..cells.len() {
            let ends = vec![(frame.x.0, middle(row)), (frame.x.1, middle(row))];
            plane.draw_series([PathElement::new(ends, Ink::Grid.key())])?;
        }
        for (row, cell) in cells.iter().enumerate() {
            let at = plane.backend_coord(&(frame.x.0, middle(row)));
            write(root, &fit(&cell.name, 30), (at.0 - 8, at.1), HPos::Right, VPos::Center, Ink::Text)?;
        }
        for (row, cell) in cells.iter().enumerate() {
            if let Some(spread) = &cell.throughput_per_s {
                let (x, y) = (place(spread.median), middle(row));
                let bar = PathElement::new(vec![(x, y - 0.4), (x, y + 0.4)], Ink::Text.key().stroke_width(2));
                plane.draw_series([bar])?;
            }
        }
        for (row, plain, rate, ink) in dots {
            let at = (place(rate), middle(row));
            let style = if plain { ink.key().filled() } else { ink.key().stroke_width(2) };
            plane.draw_series([Circle::new(at, 4, style)])?;
        }
        Ok(())
    }))
}

/// A launch in its row's tooltip.
fn told(launch: &LaunchDot, rate: f64) -> String {
    let steal = launch.steal_share.filter(|share| *share > 0.0);
    let steal =
        steal.map_or_else(String::new, |share| format!(" with steal {}", crate::text::percent(share)));
    format!("{} in launch {}{steal}", si(rate), launch.index)
}
