//! A grid of fields: a surface over two knobs with its iso-lines and its cliff, or regrets of settings by scenario.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Area, Drawn, WIDTH, picture, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::fit;

/// What is drawn.
pub(in crate::html) struct Grid {
    /// Names of the columns.
    pub(in crate::html) columns: Vec<String>,
    /// Names of the rows, from the top.
    pub(in crate::html) rows: Vec<String>,
    /// What the columns are.
    pub(in crate::html) column_name: String,
    /// What the rows are.
    pub(in crate::html) row_name: String,
    /// Row by row; `None` where nothing is known.
    pub(in crate::html) fields: Vec<Vec<Option<GridField>>>,
    /// Lines between neighbouring fields.
    pub(in crate::html) edges: Vec<Edge>,
    /// Pixels for the names of the rows.
    pub(in crate::html) left: i32,
}

/// One field.
pub(in crate::html) struct GridField {
    /// Its step of the heat palette, 0 to 8.
    pub(in crate::html) level: u8,
    /// What stands in it, where there is room.
    pub(in crate::html) text: String,
    /// Its tooltip.
    pub(in crate::html) title: String,
    /// Fields of equal numbers light up together.
    pub(in crate::html) series: usize,
    /// Whether it has a frame: the default, or what was picked.
    pub(in crate::html) framed: bool,
}

/// A line between two neighbouring fields, each row and column.
pub(in crate::html) struct Edge {
    /// One side.
    pub(in crate::html) a: (usize, usize),
    /// The other.
    pub(in crate::html) b: (usize, usize),
    /// What it is.
    pub(in crate::html) kind: EdgeKind,
}

/// What a line between fields says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::html) enum EdgeKind {
    /// Part of an iso-line.
    Iso,
    /// The steepest step of the grid.
    Cliff,
}

const TOP: i32 = 30;
const ROW: i32 = 30;
const BOTTOM: i32 = 48;
/// Pixels of a letter, generously.
const LETTER: f64 = 7.4;
/// From this step on a field is deep and its text light.
const DEEP: u8 = 5;
/// Widest field.
const STEP_MAX: i32 = 150;

/// Draws the grid.
pub(in crate::html) fn grid(grid: &Grid, label: &str) -> String {
    let height = TOP + BOTTOM + ROW * grid.rows.len() as i32;
    let fields = grid.fields.iter().flatten().flatten();
    let marks: Vec<Mark> =
        fields.map(|field| Mark { series: field.series, title: field.title.clone() }).collect();
    picture(height as u32, &marks, label, |root| draw(root, grid))
}

fn draw(root: &Area<'_>, grid: &Grid) -> Drawn {
    let step = ((WIDTH as i32 - grid.left - 10) / grid.columns.len().max(1) as i32).min(STEP_MAX);
    let place = |row: usize, column: usize| (grid.left + column as i32 * step, TOP + row as i32 * ROW);
    write(root, &grid.row_name, (grid.left - 8, 14), HPos::Right, VPos::Center, Ink::Muted)?;
    let below = TOP + ROW * grid.rows.len() as i32;
    for (column, name) in grid.columns.iter().enumerate() {
        let x = grid.left + column as i32 * step + step / 2;
        let room = (f64::from(step) / LETTER) as usize;
        write(root, &fit(name, room.max(3)), (x, below + 14), HPos::Center, VPos::Center, Ink::Text)?;
    }
    let middle = grid.left + step * grid.columns.len() as i32 / 2;
    write(root, &grid.column_name, (middle, below + 34), HPos::Center, VPos::Center, Ink::Muted)?;
    let mut mark = 0_u16;
    for (row, (name, fields)) in grid.rows.iter().zip(&grid.fields).enumerate() {
        let (_, y) = place(row, 0);
        let room = (f64::from(grid.left - 12) / LETTER) as usize;
        write(root, &fit(name, room), (grid.left - 8, y + ROW / 2), HPos::Right, VPos::Center, Ink::Text)?;
        for (column, field) in fields.iter().enumerate() {
            let (x, y) = place(row, column);
            let (from, to) = ((x + 1, y + 1), (x + step - 1, y + ROW - 1));
            let Some(field) = field else {
                write(root, "·", (x + step / 2, y + ROW / 2), HPos::Center, VPos::Center, Ink::Muted)?;
                continue;
            };
            let of = |colour: u8| Ink::Mark { palette: Palette::Heat, colour, mark };
            root.draw(&Rectangle::new([from, to], of(field.level).key().filled()))?;
            if field.framed {
                let frame = vec![from, (to.0, from.1), to, (from.0, to.1), from];
                root.draw(&PathElement::new(frame, Ink::Text.key().stroke_width(3)))?;
            }
            let room = (f64::from(step - 6) / LETTER) as usize;
            if field.text.chars().count() <= room {
                let text = if field.level >= DEEP { 17 } else { 16 };
                let at = (x + step / 2, y + ROW / 2);
                write(root, &field.text, at, HPos::Center, VPos::Center, of(text))?;
            }
            mark += 1;
        }
    }
    for edge in &grid.edges {
        let (a, b) = (edge.a.min(edge.b), edge.a.max(edge.b));
        let (x, y) = place(b.0, b.1);
        // The border that the later field shares with the earlier one: its left, or its top.
        let line = if a.0 == b.0 { vec![(x, y), (x, y + ROW)] } else { vec![(x, y), (x + step, y)] };
        let style = match edge.kind {
            EdgeKind::Iso => Ink::Text.key().stroke_width(2),
            EdgeKind::Cliff => {
                Ink::Mark { palette: Palette::Verdict, colour: 1, mark: u16::MAX }.key().stroke_width(5)
            }
        };
        root.draw(&PathElement::new(line, style))?;
    }
    Ok(())
}
