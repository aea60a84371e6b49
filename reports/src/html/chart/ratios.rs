//! Ratios with their intervals, row by row on a logarithmic axis: what is better, what is worse, and what nobody can tell.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Frame, Margins, chart, write};
use crate::compare::{Comparison, Row, Verdict};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::{change, fit};

/// More rows than this are a picture that nobody reads: the table holds them.
const ROWS_MAX: usize = 80;
/// Ratios beyond this factor are drawn at the edge.
const FACTOR_MAX: f64 = 100.0;

/// The chart of a comparison; `None` when no row has a ratio.
pub(in crate::html) fn ratios(comparison: &Comparison, label: &str) -> Option<String> {
    let rows: Vec<&Row> = comparison.rows.iter().filter(|r| r.ratio.is_some()).take(ROWS_MAX).collect();
    let ends = rows.iter().flat_map(|r| &r.ratio).flat_map(|r| [r.low, r.high, r.estimate]);
    let far = ends.filter(|v| v.is_finite() && *v > 0.0).map(|v| v.ln().abs()).fold(0.0, f64::max);
    if rows.is_empty() {
        return None;
    }
    let far = axis_end(far, comparison.margin_ratios.1.ln());
    let marks: Vec<Mark> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let title = row.ratio.as_ref().map_or_else(String::new, |r| change(r.estimate));
            Mark { series: index, title }
        })
        .collect();
    let frame = Frame {
        height: 90 + 20 * rows.len() as u32,
        margins: Margins { left: 290, right: 30, top: 26, bottom: 50 },
        x: (-far, far),
        y: (rows.len() as f64, 0.0),
        x_ticks: ticks(far),
        y_ticks: Vec::new(),
        x_name: "B against A (logarithmic)".into(),
        y_name: String::new(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        for (index, row) in rows.iter().enumerate() {
            let edge = row.margin_ratio.ln().min(far);
            let corner = |x: f64, row: usize| plane.backend_coord(&(x, row as f64));
            let band = [corner(-edge, index), corner(edge, index + 1)];
            root.draw(&Rectangle::new(band, Ink::Grid.key().mix(0.6).filled()))?;
        }
        for (index, row) in rows.iter().enumerate() {
            let Some(ratio) = &row.ratio else { continue };
            let y = index as f64 + 0.5;
            let place = |v: f64| v.max(f64::MIN_POSITIVE).ln().clamp(-far, far);
            let ink =
                Ink::Mark { palette: Palette::Verdict, colour: colour(row.verdict), mark: index as u16 };
            let (low, high) = (place(ratio.low), place(ratio.high));
            if ratio.reached {
                let bar = PathElement::new(vec![(low, y), (high, y)], ink.key().stroke_width(3));
                plane.draw_series([bar])?;
            } else {
                let dash = DashedLineSeries::new([(low, y), (high, y)], 4, 4, ink.key().stroke_width(1));
                plane.draw_series(dash)?;
            }
            plane.draw_series([Circle::new((place(ratio.estimate), y), 4, ink.key().filled())])?;
            let at = plane.backend_coord(&(-far, y));
            let name = format!("{}  {}", fit(&row.label, 26), row.quantity.name());
            write(root, &name, (at.0 - 8, at.1), HPos::Right, VPos::Center, Ink::Text)?;
        }
        Ok(())
    }))
}

/// Where the axis ends, as a logarithm: past the farthest end and the margin, but at a factor that can still be read.
/// The A/A spread of a busy computer makes margins that are wider than that.
fn axis_end(far: f64, margin: f64) -> f64 {
    (far * 1.1).max(margin * 3.0).min(FACTOR_MAX.ln())
}

fn colour(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Improved => 0,
        Verdict::Regressed => 1,
        Verdict::Equivalent => 2,
        Verdict::Inconclusive | Verdict::Contaminated => 3,
    }
}

/// Round ratios on both sides of 1.
fn ticks(far: f64) -> Vec<super::Tick> {
    let steps: &[f64] = match far {
        f if f < 0.25 => &[1.05, 1.1, 1.2],
        f if f < 0.8 => &[1.2, 1.5, 2.0],
        f if f < 2.5 => &[2.0, 5.0, 10.0],
        _ => &[5.0, 10.0, 50.0, 100.0],
    };
    let sides = steps.iter().filter(|s| s.ln() < far).flat_map(|s| [1.0 / s, *s]);
    let mut ticks = vec![(0.0, "the same".to_owned())];
    ticks.extend(sides.map(|ratio| (ratio.ln(), change(ratio))));
    ticks
}

#[cfg(test)]
mod tests {
    use super::axis_end;

    #[test]
    fn the_axis_ends_somewhere_whatever_the_margin() {
        assert_eq!(axis_end(0.1, 0.02), 0.1 * 1.1);
        assert_eq!(axis_end(0.0, 0.5), 1.5);
        assert_eq!([axis_end(9.0, 0.02), axis_end(0.1, 1.9)], [100.0_f64.ln(); 2]);
    }
}
