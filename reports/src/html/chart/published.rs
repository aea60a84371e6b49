//! A published curve as marks, the simulated one as a line with the spread of its seeds.

use plotters::prelude::*;
use record::validation::PointAgreement;

use super::{Frame, Label, Margins, chart, class_mark, label_column, linear_ticks, log_range, log_ticks};
use crate::html::ink::Mark;
use crate::text::three_digits;

/// Numbers, and colours, of the two curves.
const PUBLISHED: usize = 0;
const SIMULATED: usize = 1;

/// The chart of one series, its points in the order of threads; `None` without points.
pub(in crate::html) fn published(points: &[&PointAgreement], seeds: u32, label: &str) -> Option<String> {
    let values = points.iter().flat_map(|p| [p.published_mops, p.simulated_min_mops, p.simulated_max_mops]);
    let (low, high) = log_range(values)?;
    let most = points.iter().map(|point| point.threads).max()? as f64;
    let told = |mops: fn(&PointAgreement) -> f64| {
        let told = points.iter().map(|point| format!("{} at {}", three_digits(mops(point)), point.threads));
        told.collect::<Vec<_>>().join(", ")
    };
    let marks = [
        Mark { series: PUBLISHED, title: format!("published: {}", told(|point| point.published_mops)) },
        Mark { series: SIMULATED, title: format!("simulated: {}", told(|point| point.simulated_mops)) },
    ];
    let frame = Frame {
        height: 260,
        margins: Margins { left: 60, right: 270, top: 30, bottom: 50 },
        x: (0.0, most * 1.02),
        y: (low.log10(), high.log10()),
        x_ticks: linear_ticks(most, three_digits),
        y_ticks: log_ticks(low, high, three_digits),
        x_name: "threads".into(),
        y_name: "millions of operations a second (logarithmic)".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let ink = |curve: usize| class_mark(curve, curve as u16);
        let at = |point: &PointAgreement, mops: f64| (point.threads as f64, mops.log10());
        // Where seeds gave nothing at all a logarithm has no place.
        let shown = || points.iter().filter(|point| point.simulated_min_mops > 0.0);
        let spread = |point: &&&PointAgreement| {
            let ends = vec![at(point, point.simulated_min_mops), at(point, point.simulated_max_mops)];
            PathElement::new(ends, ink(SIMULATED).key().stroke_width(1))
        };
        plane.draw_series(shown().map(|point| spread(&point)))?;
        let line: Vec<(f64, f64)> = shown().map(|point| at(point, point.simulated_mops)).collect();
        plane.draw_series([PathElement::new(line.clone(), ink(SIMULATED).key().stroke_width(2))])?;
        let marks: Vec<(f64, f64)> = points
            .iter()
            .filter(|point| point.published_mops > 0.0)
            .map(|point| at(point, point.published_mops))
            .collect();
        plane.draw_series(marks.iter().map(|mark| Circle::new(*mark, 3, ink(PUBLISHED).key().filled())))?;
        let named = [
            (PUBLISHED, marks.last(), "published".to_owned()),
            (SIMULATED, line.last(), format!("simulated, median of {seeds} seeds")),
        ];
        let label = |(curve, end, text): (usize, Option<&(f64, f64)>, String)| {
            end.map(|end| Label { y: plane.backend_coord(end).1, text, ink: ink(curve) })
        };
        let labels = named.into_iter().filter_map(label).collect();
        label_column(root, plane.backend_coord(&(frame.x.1, frame.y.0)).0, (30, 210), labels)
    }))
}
