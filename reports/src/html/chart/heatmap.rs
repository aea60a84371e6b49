//! Waiting threads over time: a row for each slice of each launch, the colour tells how many.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Frame, Margins, chart, linear_ticks, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::summary::TimelineRow;
use crate::text::{three_digits, time};

/// Colours of a heat map: none, and eight steps.
pub(in crate::html) const HEAT_LEVELS: u8 = 9;
/// Rows drawn at most.
pub(in crate::html) const ROWS_MAX: usize = 48;
/// Columns drawn at most: two pixels each at full width.
const COLUMNS_MAX: usize = 300;

/// Which value has which colour: equal steps from 0 to the largest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::html) struct Heat {
    top: f64,
}

impl Heat {
    /// Up to the largest value of these rows; `None` when nobody ever waited.
    pub(in crate::html) fn of(rows: &[TimelineRow]) -> Option<Heat> {
        let values = rows.iter().flat_map(|row| &row.waiters).copied().filter(|v| v.is_finite());
        let top = values.fold(0.0, f64::max);
        (top > 0.0).then_some(Heat { top })
    }

    /// 0 for nothing, then 1 to 8.
    fn level(self, value: f64) -> u8 {
        let steps = f64::from(HEAT_LEVELS - 1);
        (value / self.top * steps).ceil().clamp(0.0, steps) as u8
    }

    /// The values of a level, in words.
    pub(in crate::html) fn range(self, level: u8) -> String {
        let edge = |level: u8| three_digits(self.top * f64::from(level) / f64::from(HEAT_LEVELS - 1));
        match level {
            0 => "0".into(),
            _ => format!("to {}", edge(level)),
        }
    }
}

/// A stretch of equal colour.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    from_ns: f64,
    to_ns: f64,
    level: u8,
}

/// Neighbours of equal colour as one, after so many entries were averaged that no row has too many.
fn runs(row: &TimelineRow, heat: Heat) -> Vec<Run> {
    let step = row.waiters.len().div_ceil(COLUMNS_MAX).max(1);
    let mut runs: Vec<Run> = Vec::new();
    for (column, values) in row.waiters.chunks(step).enumerate() {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let from_ns = (column * step) as f64 * row.bin_ns as f64;
        let to_ns = from_ns + values.len() as f64 * row.bin_ns as f64;
        let level = heat.level(mean);
        match runs.last_mut() {
            Some(last) if last.level == level => {
                last.to_ns = to_ns;
            }
            _ => runs.push(Run { from_ns, to_ns, level }),
        }
    }
    runs
}

/// The chart of one cell; `None` when nobody ever waited. `series` lights up with the cell.
pub(in crate::html) fn heat_map(rows: &[TimelineRow], series: usize, label: &str) -> Option<String> {
    let rows = &rows[..rows.len().min(ROWS_MAX)];
    let heat = Heat::of(rows)?;
    let longest_ns = rows.iter().map(|r| r.waiters.len() as f64 * r.bin_ns as f64).fold(0.0, f64::max);
    let name = |row: &TimelineRow| match row.slice {
        Some(slice) => format!("launch {}, slice {}", row.launch, slice + 1),
        None => format!("launch {}", row.launch),
    };
    let drawn: Vec<(String, Vec<Run>)> = rows.iter().map(|row| (name(row), runs(row, heat))).collect();
    // One mark without a tooltip: each row's numbers stand at its end, and fields of equal colour become one outline.
    let marks = [Mark { series, title: String::new() }];
    let numbers = |row: &TimelineRow| {
        let seen = || row.waiters.iter().copied().filter(|v| v.is_finite());
        let mean = seen().sum::<f64>() / seen().count().max(1) as f64;
        format!("{}, up to {}", three_digits(mean), three_digits(seen().fold(0.0, f64::max)))
    };
    let row_height = if rows.len() <= 16 { 22 } else { 14 };
    let frame = Frame {
        height: 62 + row_height * rows.len() as u32,
        margins: Margins { left: 150, right: 130, top: 12, bottom: 50 },
        x: (0.0, longest_ns),
        y: (rows.len() as f64, 0.0),
        x_ticks: linear_ticks(longest_ns, time),
        y_ticks: Vec::new(),
        x_name: "time since the slice began".into(),
        y_name: String::new(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        for level in 0..HEAT_LEVELS {
            let ink = Ink::Mark { palette: Palette::Heat, colour: level, mark: 0 };
            for (row, (_, runs)) in drawn.iter().enumerate() {
                let top = row as f64;
                for run in runs.iter().filter(|run| run.level == level) {
                    let corners = [(run.from_ns, top + 0.06), (run.to_ns, top + 0.94)];
                    plane.draw_series([Rectangle::new(corners, ink.key().filled())])?;
                }
            }
        }
        for (index, ((name, _), row)) in drawn.iter().zip(rows).enumerate() {
            let (x, y) = plane.backend_coord(&(0.0, index as f64 + 0.5));
            write(root, name, (x - 8, y), HPos::Right, VPos::Center, Ink::Text)?;
            let (x, y) = plane.backend_coord(&(longest_ns, index as f64 + 0.5));
            write(root, &numbers(row), (x + 8, y), HPos::Left, VPos::Center, Ink::Text)?;
        }
        Ok(())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(waiters: Vec<f64>) -> TimelineRow {
        TimelineRow { launch: 0, slice: Some(0), bin_ns: 1_000_000, waiters }
    }

    #[test]
    fn levels_cover_all_values() {
        let heat = Heat::of(&[row(vec![0.0, 4.0, 8.0])]).unwrap();
        assert_eq!([0.0, 0.001, 1.0, 1.001, 8.0, 9.0].map(|v| heat.level(v)), [0, 1, 1, 2, 8, 8]);
        assert_eq!((heat.range(0), heat.range(8)), ("0".into(), "to 8".into()));
        assert_eq!(Heat::of(&[row(vec![0.0, 0.0])]), None);
    }

    #[test]
    fn runs_cover_the_row_without_gaps() {
        for length in [1, 5, 299, 300, 301, 1_999] {
            let row = row((0..length).map(|i| f64::from(i % 7)).collect());
            let runs = runs(&row, Heat { top: 6.0 });
            assert!(runs.len() <= COLUMNS_MAX);
            assert_eq!((runs[0].from_ns, runs[runs.len() - 1].to_ns), (0.0, f64::from(length) * 1e6));
            assert!(runs.windows(2).all(|w| w[0].to_ns == w[1].from_ns && w[0].level != w[1].level));
        }
    }
}
