//! Charts: plotters draws, with key colours that the page turns into its own.
//!
//! Every axis is linear in what the chart gives it; charts that want a logarithm take it themselves and name the ticks.
//! Series carry their name at their end, moved apart where they would overlap.

mod dots;
mod fairness;
mod grid;
mod handoffs;
mod heatmap;
mod history;
mod hysteresis;
mod lanes;
mod launches;
mod ledger;
mod lineage;
mod multiples;
mod pareto;
mod parts;
mod percentiles;
mod phase;
mod published;
mod ratios;
mod recovery;
mod roles;
mod scaling;
mod streaks;
mod trade;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::catalogue::Catalogue;
use super::ink::{Ink, Mark, Palette, dress};
use crate::summary::Summary;

pub(super) use dots::dots;
pub(super) use fairness::fairness;
pub(super) use grid::{Edge, EdgeKind, Grid, GridField, grid};
pub(super) use handoffs::{Matrix, hand_offs};
pub(super) use heatmap::{HEAT_LEVELS, Heat, ROWS_MAX, heat_map};
pub(super) use history::history;
pub(super) use hysteresis::hysteresis;
pub(super) use lanes::{KINDS, lanes};
pub(super) use launches::launches;
pub(super) use ledger::{ledger, ledger_of};
pub(super) use lineage::lineage;
pub(super) use multiples::{Axes, Dot, Line, Panel, multiples};
pub(super) use pareto::{JAIN_STEPS, front, pareto};
pub(super) use parts::{parts, parts_of};
pub(super) use percentiles::{percentiles, percentiles_of};
pub(super) use phase::{COLOURS, Field, Plane as Phase, phases};
pub(super) use published::published;
pub(super) use ratios::ratios;
pub(super) use recovery::recovery;
pub(super) use roles::{Row, roles};
pub(super) use scaling::{scaling, scaling_of};
pub(super) use streaks::streaks;
pub(super) use trade::{Trade, trade};

/// Width of every chart, in its own units; the page scales it.
pub(super) const WIDTH: u32 = 900;
/// Size of text in plotters' measure; 1.24 of these are a pixel.
const FONT: u32 = 15;
/// Least distance of two labels, pixels.
const LABEL_STEP: i32 = 14;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// A value and its name on an axis.
type Tick = (f64, String);

/// Margins around the plane, pixels.
#[derive(Clone, Copy)]
struct Margins {
    left: u32,
    right: u32,
    top: u32,
    bottom: u32,
}

/// The frame of a chart: ranges, ticks, names.
struct Frame {
    height: u32,
    margins: Margins,
    x: (f64, f64),
    y: (f64, f64),
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    x_name: String,
    y_name: String,
}

/// A line or a bar of a chart: the cell, what it is called there, and how it looks.
pub(in crate::html) struct Named<'a> {
    /// The cell.
    pub(in crate::html) cell: &'a Summary,
    /// Its name in this chart.
    pub(in crate::html) name: String,
    /// Marks of equal numbers light up together.
    pub(in crate::html) series: usize,
    /// Which of the colours of the classes.
    pub(in crate::html) colour: usize,
}

impl<'a> Named<'a> {
    /// Implementations side by side, in the colours of their classes.
    fn by_implementation(cells: &[&'a Summary], catalogue: &Catalogue) -> Vec<Named<'a>> {
        let named = |cell: &&'a Summary| Named {
            cell,
            name: cell.name.clone(),
            series: catalogue.series(&cell.name),
            colour: catalogue.class(cell),
        };
        cells.iter().map(named).collect()
    }
}

/// Draws without a frame.
fn picture(height: u32, marks: &[Mark], label: &str, draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let drawn = draw(&root).and_then(|()| Ok(root.present()?));
        if let Err(error) = drawn {
            // A page with one chart less is worth more than no page.
            return format!(
                "<p>This chart could not be drawn: {}</p>",
                super::ink::escape(&error.to_string())
            );
        }
    }
    dress(&svg, marks, label)
}

/// Draws a chart and dresses it for the page.
fn chart(
    frame: &Frame,
    marks: &[Mark],
    label: &str,
    draw: impl FnOnce(&Area<'_>, &mut Plane<'_, '_>) -> Drawn,
) -> String {
    picture(frame.height, marks, label, |root| {
        let mut plane = plane(root, frame)?;
        draw(root, &mut plane)
    })
}

fn plane<'a, 'b>(root: &'a Area<'b>, frame: &Frame) -> Result<Plane<'a, 'b>, Box<dyn std::error::Error>> {
    let m = frame.margins;
    let mut plane = ChartBuilder::on(root)
        .margin_left(m.left)
        .margin_right(m.right)
        .margin_top(m.top)
        .margin_bottom(m.bottom)
        .build_cartesian_2d(frame.x.0..frame.x.1, frame.y.0..frame.y.1)?;
    let at = |plane: &Plane<'_, '_>, x: f64, y: f64| plane.backend_coord(&(x, y));
    for (x, name) in &frame.x_ticks {
        plane.draw_series([PathElement::new(vec![(*x, frame.y.0), (*x, frame.y.1)], Ink::Grid.key())])?;
        let (px, py) = at(&plane, *x, frame.y.0);
        write(root, name, (px, py + 6), HPos::Center, VPos::Top, Ink::Text)?;
    }
    for (y, name) in &frame.y_ticks {
        plane.draw_series([PathElement::new(vec![(frame.x.0, *y), (frame.x.1, *y)], Ink::Grid.key())])?;
        let (px, py) = at(&plane, frame.x.0, *y);
        write(root, name, (px - 6, py), HPos::Right, VPos::Center, Ink::Text)?;
    }
    let middle = (frame.x.0 + frame.x.1) / 2.0;
    let (px, _) = at(&plane, middle, frame.y.0);
    write(root, &frame.x_name, (px, frame.height as i32 - 6), HPos::Center, VPos::Bottom, Ink::Text)?;
    // Above the axis, level: nobody likes to turn the head.
    write(root, &frame.y_name, (8, 14), HPos::Left, VPos::Center, Ink::Text)?;
    Ok(plane)
}

/// Writes text at a pixel.
fn write(root: &Area<'_>, text: &str, at: (i32, i32), h: HPos, v: VPos, ink: Ink) -> Drawn {
    let style = ("sans-serif", FONT).into_font().color(&ink.key()).pos(Pos::new(h, v));
    root.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

/// Room right of the plane for the names of lines; a cell alone needs none.
fn room_for_names(cells: usize) -> u32 {
    if cells > 1 { 270 } else { 30 }
}

/// A name that wants to stand at some height.
struct Label {
    y: i32,
    text: String,
    ink: Ink,
}

/// Writes names in a column right of `x`, each as near to its height as the others allow, with a line to where it
/// belongs when it had to move.
fn label_column(root: &Area<'_>, x: i32, bounds: (i32, i32), mut labels: Vec<Label>) -> Drawn {
    labels.sort_by_key(|l| l.y);
    let wanted: Vec<i32> = labels.iter().map(|l| l.y).collect();
    for (label, y) in labels.iter().zip(spread(&wanted, bounds, LABEL_STEP)) {
        root.draw(&PathElement::new(vec![(x + 2, label.y), (x + 16, y)], label.ink.key().mix(0.6)))?;
        write(root, &label.text, (x + 19, y), HPos::Left, VPos::Center, label.ink)?;
    }
    Ok(())
}

/// Places ascending heights at least `step` apart inside `bounds`, close to where they were. Where all cannot fit the
/// step shrinks.
fn spread(wanted: &[i32], bounds: (i32, i32), step: i32) -> Vec<i32> {
    let room = bounds.1 - bounds.0;
    let gaps = i32::try_from(wanted.len()).unwrap_or(i32::MAX).saturating_sub(1).max(1);
    let step = step.min(room / gaps);
    let mut placed = wanted.to_vec();
    let mut least = bounds.0;
    for y in &mut placed {
        *y = (*y).max(least);
        least = *y + step;
    }
    let mut most = bounds.1;
    for y in placed.iter_mut().rev() {
        *y = (*y).min(most);
        most = *y - step;
    }
    placed
}

/// Ticks of a logarithmic axis over `low..high`: powers of ten, with 2 and 5 between when the range is short.
fn log_ticks(low: f64, high: f64, name: impl Fn(f64) -> String) -> Vec<Tick> {
    let decades = (high / low).log10();
    let steps: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let mut ticks = Vec::new();
    for exponent in low.log10().floor() as i32..=high.log10().ceil() as i32 {
        for step in steps {
            let value = step * 10f64.powi(exponent);
            if (low..=high).contains(&value) {
                ticks.push((value.log10(), name(value)));
            }
        }
    }
    // A range too short for these: equal steps.
    if ticks.len() < 3 && decades < 1.0 {
        let step = round_step((high - low) / 4.0);
        let first = (low / step).ceil() as i64;
        let values = (first..first + 8).map(|at| at as f64 * step).filter(|v| (low..=high).contains(v));
        ticks = values.map(|v| (v.log10(), name(v))).collect();
    }
    if ticks.len() < 2 {
        ticks = [low * 1.02, high / 1.02].map(|v| (v.log10(), name(v))).to_vec();
    }
    ticks
}

/// The least of 1, 2, 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let magnitude = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * magnitude);
    steps.into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// Round ticks of a linear axis from 0 to `high`.
fn linear_ticks(high: f64, name: impl Fn(f64) -> String) -> Vec<Tick> {
    let step = round_step(high / 5.0);
    (0..=10).map(|i| f64::from(i) * step).take_while(|v| *v <= high * 1.0001).map(|v| (v, name(v))).collect()
}

/// Round ticks from `low`, which is below 0, to `high`.
fn signed_ticks(low: f64, high: f64, name: impl Fn(f64) -> String) -> Vec<Tick> {
    let right = linear_ticks(high, &name);
    let step = right.get(1).map_or(high, |tick| tick.0);
    let left = (1..=10).map(|i| -f64::from(i) * step).take_while(|tick| *tick >= low);
    left.map(|tick| (tick, name(tick))).chain(right).collect()
}

/// The range of values widened a little, in logarithms; `None` without positive values.
fn log_range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|v| v.is_finite() && *v > 0.0)
        .fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
    (high > 0.0).then(|| (low / 1.15, high * 1.15))
}

/// The colour and shape of a class of design.
fn class_mark(class: usize, mark: u16) -> Ink {
    Ink::Mark { palette: Palette::Class, colour: class as u8, mark }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_move_apart_and_stay_inside() {
        assert_eq!(spread(&[10, 11, 50], (0, 100), 14), [10, 24, 50]);
        assert_eq!(spread(&[95, 96, 97], (0, 100), 14), [72, 86, 100]);
        let crowded = spread(&[5; 40], (0, 100), 14);
        assert!(crowded.iter().all(|y| (0..=100).contains(y)) && crowded.windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn ticks_are_round() {
        let values = |ticks: Vec<Tick>| ticks.into_iter().map(|t| t.1).collect::<Vec<_>>();
        assert_eq!(values(log_ticks(30.0, 700.0, |v| v.to_string())), ["50", "100", "200", "500"]);
        assert_eq!(values(log_ticks(15.7, 22.4, |v| v.to_string())), ["16", "18", "20", "22"]);
        assert_eq!(values(log_ticks(426.0, 564.0, |v| v.to_string())), ["450", "500", "550"]);
        assert_eq!(values(linear_ticks(24.0, |v| v.to_string())), ["0", "5", "10", "15", "20"]);
    }
}
