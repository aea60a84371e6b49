//! A series of ratios over runs: each with its interval, the levels that were found, and where they change.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Frame, Label, Margins, Tick, chart, label_column, round_step, write};
use crate::history::{Judged, Series};
use crate::html::environment::utc;
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::{change, fit, three_digits};

/// Revisions that are named under the axis.
const NAMED_MAX: usize = 6;
/// Letters of a revision in a picture.
const REVISION_MAX: usize = 11;
/// Names of changes that are close stand below each other.
const STAGGER: i32 = 15;
/// Colours of verdicts.
const BETTER: u8 = 0;
const WORSE: u8 = 1;
const SAME: u8 = 2;

/// The chart of one series; `label` is its text alternative.
pub(in crate::html) fn history(series: &Series<'_>, judged: &Judged, label: &str) -> String {
    let points = &series.points;
    let ends = points
        .iter()
        .flat_map(|p| [p.ln_ratio, p.ln_low.unwrap_or(p.ln_ratio), p.ln_high.unwrap_or(p.ln_ratio)]);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    // Of a series without spread the axis still shows what 3 % would be.
    let room = ((high - low) * 0.08).max(0.03);
    let y = (low - room, high + room);
    let last = points.len() - 1;
    let frame = Frame {
        height: 280,
        margins: Margins { left: 70, right: 150, top: 44, bottom: 50 },
        x: (-0.5, last as f64 + 0.5),
        y,
        x_ticks: revisions(series),
        y_ticks: ratios(y),
        x_name: "runs, oldest first".into(),
        y_name: format!("times {} (logarithmic)", fit(&series.of().reference, 40)),
    };
    let mut marks: Vec<Mark> = points
        .iter()
        .enumerate()
        .map(|(index, point)| {
            let interval = match (point.ln_low, point.ln_high) {
                (Some(low), Some(high)) => {
                    format!(" ({} to {})", three_digits(low.exp()), three_digits(high.exp()))
                }
                _ => String::new(),
            };
            let title = format!(
                "{}, {}: {}{interval}",
                fit(&point.revision, 40),
                utc(point.time_unix_ms),
                three_digits(point.ratio())
            );
            Mark { series: index, title }
        })
        .collect();
    let own = marks.len();
    marks.push(Mark { series: own, title: "level".into() });
    let level = own as u16;
    chart(&frame, &marks, label, |root, plane| {
        let of = |index: usize, colour: u8, palette: Palette| {
            Ink::Mark { palette, colour, mark: index as u16 }.key()
        };
        let line = |x: f64| vec![(x, y.0), (x, y.1)];
        if y.0 < 0.0 && 0.0 < y.1 {
            let ends = vec![(frame.x.0, 0.0), (frame.x.1, 0.0)];
            plane.draw_series([PathElement::new(ends, Ink::Muted.key())])?;
        }
        for (at, epoch) in &series.epochs {
            let x = *at as f64 - 0.5;
            plane.draw_series([PathElement::new(line(x), Ink::Muted.key().stroke_width(2))])?;
            let (px, py) = plane.backend_coord(&(x, y.1));
            let text = format!("accepted at {}", fit(&epoch.from_revision, REVISION_MAX));
            let (side, px) = beside(*at, points.len(), px);
            write(root, &text, (px, py - 7), side, VPos::Center, Ink::Muted)?;
        }
        for (index, found) in judged.changes.iter().enumerate() {
            let x = found.at as f64 - 0.5;
            let colour = colour(series, found.ratio, found.stands);
            let ink = Ink::Mark { palette: Palette::Verdict, colour, mark: level };
            plane.draw_series([PathElement::new(line(x), ink.key().stroke_width(2))])?;
            let (px, py) = plane.backend_coord(&(x, y.1));
            let text =
                format!("{} at {}", change(found.ratio), fit(&points[found.at].revision, REVISION_MAX));
            let (side, px) = beside(found.at, points.len(), px);
            write(root, &text, (px, py + 8 + STAGGER * (index % 3) as i32), side, VPos::Center, ink)?;
        }
        for (index, point) in points.iter().enumerate() {
            // What was judged stands out from what came before.
            let (palette, colour) =
                if index >= judged.from { (Palette::Class, 0) } else { (Palette::Grey, 0) };
            if let (Some(low), Some(high)) = (point.ln_low, point.ln_high) {
                let ends = vec![(index as f64, low), (index as f64, high)];
                plane.draw_series([PathElement::new(ends, of(index, colour, palette).stroke_width(1))])?;
            }
            let dot = Circle::new((index as f64, point.ln_ratio), 3, of(index, colour, palette).filled());
            plane.draw_series([dot])?;
        }
        let ink = Ink::Mark { palette: Palette::Class, colour: 5, mark: level };
        for one in &judged.levels {
            let ends = vec![(one.from as f64 - 0.5, one.ln), (one.to as f64 - 0.5, one.ln)];
            plane.draw_series([PathElement::new(ends, ink.key().stroke_width(2))])?;
        }
        let labels = judged.levels.last().map(|one| Label {
            y: plane.backend_coord(&(0.0, one.ln)).1,
            text: format!("now {}", three_digits(one.ln.exp())),
            ink,
        });
        let edge = plane.backend_coord(&(frame.x.1, y.0)).0;
        label_column(root, edge, (44, 230), labels.into_iter().collect())
    })
}

/// A text beside a line stays inside the picture: right of it in the left half.
fn beside(at: usize, of: usize, x: i32) -> (HPos, i32) {
    if at * 2 > of { (HPos::Right, x - 4) } else { (HPos::Left, x + 4) }
}

/// Better or worse where it still stands; what was taken back or is small is neither.
fn colour(series: &Series<'_>, ratio: f64, stands: bool) -> u8 {
    match (stands, (ratio > 1.0) == series.of().metric.more_is_better()) {
        (false, _) => SAME,
        (true, true) => BETTER,
        (true, false) => WORSE,
    }
}

fn revisions(series: &Series<'_>) -> Vec<Tick> {
    let n = series.points.len();
    let step = n.div_ceil(NAMED_MAX);
    let named = (0..n).step_by(step);
    named.map(|at| (at as f64, fit(&series.points[at].revision, REVISION_MAX))).collect()
}

/// Round ratios between the logarithms `low` and `high`, at their places.
fn ratios((low, high): (f64, f64)) -> Vec<Tick> {
    let (from, to) = (low.exp(), high.exp());
    let step = round_step((to - from) / 5.0);
    let first = (from / step).ceil() as i64;
    let ticks = (first..first + 8).map(|at| at as f64 * step).filter(|tick| *tick > 0.0 && *tick <= to);
    ticks.map(|tick| (tick.ln(), three_digits(tick))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_round() {
        let named = |low: f64, high: f64| {
            ratios((low.ln(), high.ln())).into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(named(0.93, 1.08), ["0.95", "1", "1.05"]);
        assert_eq!(named(1.8, 9.0), ["2", "4", "6", "8"]);
    }
}
