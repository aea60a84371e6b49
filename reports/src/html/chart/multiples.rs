//! Small multiples: the same axes for each machine, a line for each implementation, its name at its end.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{
    Area, Drawn, Label, Tick, WIDTH, class_mark, label_column, linear_ticks, log_range, log_ticks, picture,
    write,
};
use crate::html::ink::{Ink, Mark};
use crate::text::fit;

/// One machine.
pub(in crate::html) struct Panel {
    /// What stands above it.
    pub(in crate::html) title: String,
    /// The implementations.
    pub(in crate::html) lines: Vec<Line>,
}

/// One implementation.
pub(in crate::html) struct Line {
    /// Its name.
    pub(in crate::html) name: String,
    /// Lines of equal numbers light up together.
    pub(in crate::html) series: usize,
    /// Its class of design.
    pub(in crate::html) colour: usize,
    /// Its values, in the order of the axis; above 0 where the axis beside is logarithmic.
    pub(in crate::html) dots: Vec<Dot>,
}

/// A value and its spread over seeds.
#[derive(Clone, Copy, Debug)]
pub(in crate::html) struct Dot {
    /// Place on the axis below: cores, or the value of a constant.
    pub(in crate::html) at: u64,
    /// The median.
    pub(in crate::html) median: f64,
    /// The smallest.
    pub(in crate::html) min: f64,
    /// The largest.
    pub(in crate::html) max: f64,
}

/// What the panels have in common.
pub(in crate::html) struct Axes {
    /// Name of the axis below.
    pub(in crate::html) x_name: &'static str,
    /// Name of the axis beside.
    pub(in crate::html) y_name: &'static str,
    /// How a value reads.
    pub(in crate::html) text: fn(f64) -> String,
    /// Linear from 0 to 1 instead of logarithmic.
    pub(in crate::html) is_index: bool,
}

const LEFT: i32 = 56;
const TOP: i32 = 44;
const BOTTOM: i32 = 48;
/// Ticks nearer than this have no room for their names, pixels.
const TICK_STEP: i32 = 30;
/// Pixels of a letter of a label, at most.
const LETTER: i32 = 7;

/// Where everything is, in pixels and values.
struct Plan<'c> {
    axes: &'c Axes,
    x: (f64, f64),
    y: (f64, f64),
    columns: i32,
    height: i32,
    y_ticks: Vec<Tick>,
    places: Vec<u64>,
    label_width: i32,
}

/// Draws the panels, two beside each other; `None` without values at two places.
pub(in crate::html) fn multiples(panels: &[Panel], axes: &Axes, label: &str) -> Option<String> {
    let dots = || panels.iter().flat_map(|p| &p.lines).flat_map(|l| &l.dots);
    let mut places: Vec<u64> = dots().map(|dot| dot.at).collect();
    places.sort_unstable();
    places.dedup();
    let (first, last) = (*places.first()?, *places.last()?);
    if first == last {
        return None;
    }
    let (low, high) =
        if axes.is_index { (0.0, 1.0) } else { log_range(dots().flat_map(|d| [d.median, d.min, d.max]))? };
    let y_ticks = if axes.is_index { linear_ticks(1.0, axes.text) } else { log_ticks(low, high, axes.text) };
    let y = if axes.is_index { (0.0, 1.02) } else { (low.log10(), high.log10()) };
    let most = panels.iter().map(|p| p.lines.len()).max().unwrap_or(0) as i32;
    let longest = panels.iter().flat_map(|p| &p.lines).map(|l| l.name.chars().count()).max().unwrap_or(0);
    let columns = if panels.len() == 1 { 1 } else { 2 };
    let plan = Plan {
        axes,
        x: (place(first), place(last)),
        y,
        columns,
        height: TOP + BOTTOM + (most * super::LABEL_STEP).max(180),
        y_ticks,
        places,
        label_width: 22 + LETTER * (longest as i32).min(if columns == 1 { 28 } else { 18 }),
    };
    let mut marks = Vec::new();
    for panel in panels {
        for line in &panel.lines {
            let values: Vec<String> =
                line.dots.iter().map(|dot| format!("{} at {}", (axes.text)(dot.median), dot.at)).collect();
            marks.push(Mark {
                series: line.series,
                title: format!("{}, {}: {}", line.name, panel.title, values.join(", ")),
            });
        }
    }
    let rows =
        (panels.len() as i32).div_euclid(plan.columns) + i32::from(panels.len() as i32 % plan.columns != 0);
    Some(picture((rows * plan.height) as u32, &marks, label, |root| {
        let mut mark = 0;
        for (index, panel) in panels.iter().enumerate() {
            draw(root, &plan, panel, index as i32, mark)?;
            mark += panel.lines.len();
        }
        Ok(())
    }))
}

/// The axis below is logarithmic; 0 stands half a step left of 1.
fn place(at: u64) -> f64 {
    if at == 0 { -1.0 } else { (at as f64).log2() }
}

fn draw(root: &Area<'_>, plan: &Plan<'_>, panel: &Panel, index: i32, first_mark: usize) -> Drawn {
    let width = WIDTH as i32 / plan.columns;
    let (left, top) = (index % plan.columns * width, index / plan.columns * plan.height);
    let (from, to) = (left + LEFT, left + width - plan.label_width);
    let (above, below) = (top + TOP, top + plan.height - BOTTOM);
    let share = |value: f64, range: (f64, f64)| (value - range.0) / (range.1 - range.0);
    let x = |at: u64| from + 6 + (share(place(at), plan.x) * f64::from(to - from - 12)).round() as i32;
    let y = |value: f64| {
        let value = if plan.axes.is_index { value } else { value.max(f64::MIN_POSITIVE).log10() };
        let value = value.clamp(plan.y.0, plan.y.1);
        below - (share(value, plan.y) * f64::from(below - above)).round() as i32
    };
    write(root, &fit(&panel.title, 60), (left + 8, top + 12), HPos::Left, VPos::Center, Ink::Text)?;
    write(root, plan.axes.y_name, (left + 8, top + 28), HPos::Left, VPos::Center, Ink::Muted)?;
    for (value, name) in &plan.y_ticks {
        let at = below - (share(*value, plan.y) * f64::from(below - above)).round() as i32;
        root.draw(&PathElement::new(vec![(from, at), (to, at)], Ink::Grid.key()))?;
        write(root, name, (from - 5, at), HPos::Right, VPos::Center, Ink::Text)?;
    }
    let mut free = i32::MIN;
    for &tick in &plan.places {
        let at = x(tick);
        root.draw(&PathElement::new(vec![(at, above), (at, below)], Ink::Grid.key()))?;
        if at >= free {
            write(root, &tick.to_string(), (at, below + 6), HPos::Center, VPos::Top, Ink::Text)?;
            free = at + TICK_STEP;
        }
    }
    let middle = ((from + to) / 2, below + 34);
    write(root, plan.axes.x_name, middle, HPos::Center, VPos::Center, Ink::Muted)?;
    let mut labels = Vec::new();
    // A small machine's lines end early, and their names stand there.
    let mut end_of_lines = from;
    for (nth, line) in panel.lines.iter().enumerate() {
        let ink = class_mark(line.colour, (first_mark + nth) as u16);
        let track: Vec<(i32, i32)> = line.dots.iter().map(|dot| (x(dot.at), y(dot.median))).collect();
        for dot in &line.dots {
            let (high, low) = (y(dot.max), y(dot.min));
            if low - high > 7 {
                root.draw(&PathElement::new(vec![(x(dot.at), high), (x(dot.at), low)], ink.key()))?;
            }
        }
        for at in &track {
            root.draw(&Circle::new(*at, 2, ink.key().filled()))?;
        }
        if let Some((right, end)) = track.last() {
            end_of_lines = end_of_lines.max(*right);
            let room = ((plan.label_width - 22) / LETTER) as usize;
            labels.push(Label { y: *end, text: fit(&line.name, room), ink });
        }
        root.draw(&PathElement::new(track, ink.key().stroke_width(2)))?;
    }
    label_column(root, end_of_lines, (above, below), labels)
}
