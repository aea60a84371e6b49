//! A plane of hold and think for each number of threads: each field in the colour of the fastest, hatched where several
//! share the place.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Area, Drawn, WIDTH, picture, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::fit;

/// Colours of winners: those of the palette that stand apart from the grey of indifference.
pub(in crate::html) const COLOURS: usize = 8;

/// A plane.
pub(in crate::html) struct Plane {
    /// What stands above it.
    pub(in crate::html) title: String,
    /// Its fields, row by row from the top; `None` where nothing is known.
    pub(in crate::html) rows: Vec<Vec<Option<Field>>>,
}

/// What a field shows.
#[derive(Clone)]
pub(in crate::html) struct Field {
    /// The name of the fastest, or of those that share the place.
    pub(in crate::html) name: String,
    /// Which of [`COLOURS`].
    pub(in crate::html) colour: usize,
    /// Whether several share the place.
    pub(in crate::html) shared: bool,
    /// Fields of equal numbers light up together.
    pub(in crate::html) series: usize,
    /// Its tooltip.
    pub(in crate::html) title: String,
}

const LEFT: i32 = 96;
const TOP: i32 = 34;
const ROW: i32 = 34;
const BOTTOM: i32 = 44;
/// Distance of the hatching's lines, pixels.
const HATCH: i32 = 9;
/// Pixels of a letter, on average.
const LETTER: f64 = 6.8;

/// Draws the planes one below the other. `columns` and `rows` name the lengths of think and hold.
pub(in crate::html) fn phases(planes: &[Plane], columns: &[String], rows: &[String], label: &str) -> String {
    let height = TOP + BOTTOM + ROW * rows.len() as i32;
    let fields = planes.iter().flat_map(|p| p.rows.iter().flatten().flatten());
    let marks: Vec<Mark> =
        fields.map(|field| Mark { series: field.series, title: field.title.clone() }).collect();
    picture((height * planes.len() as i32) as u32, &marks, label, |root| {
        let mut mark = 0;
        for (index, plane) in planes.iter().enumerate() {
            draw(root, plane, index as i32 * height, columns, rows, &mut mark)?;
        }
        Ok(())
    })
}

fn draw(
    root: &Area<'_>,
    plane: &Plane,
    top: i32,
    columns: &[String],
    rows: &[String],
    mark: &mut u16,
) -> Drawn {
    write(root, &plane.title, (LEFT, top + 16), HPos::Left, VPos::Center, Ink::Text)?;
    write(root, "hold", (LEFT - 8, top + 16), HPos::Right, VPos::Center, Ink::Muted)?;
    let step = (WIDTH as i32 - LEFT - 10) / columns.len().max(1) as i32;
    let below = top + TOP + ROW * rows.len() as i32;
    for (column, name) in columns.iter().enumerate() {
        let x = LEFT + column as i32 * step + step / 2;
        write(root, name, (x, below + 12), HPos::Center, VPos::Center, Ink::Text)?;
    }
    let middle = LEFT + step * columns.len() as i32 / 2;
    write(root, "think", (middle, below + 30), HPos::Center, VPos::Center, Ink::Muted)?;
    for (row, (name, fields)) in rows.iter().zip(&plane.rows).enumerate() {
        let y = top + TOP + row as i32 * ROW;
        write(root, name, (LEFT - 8, y + ROW / 2), HPos::Right, VPos::Center, Ink::Text)?;
        for (column, field) in fields.iter().enumerate() {
            let x = LEFT + column as i32 * step;
            let (from, to) = ((x + 1, y + 1), (x + step - 1, y + ROW - 1));
            let Some(field) = field else {
                let at = (x + step / 2, y + ROW / 2);
                write(root, "too few seeds", at, HPos::Center, VPos::Center, Ink::Muted)?;
                continue;
            };
            let of = |colour: usize| Ink::Mark { palette: Palette::Part, colour: colour as u8, mark: *mark };
            let (fill, text) =
                if field.shared { (0, TEXT) } else { (field.colour + 1, field.colour + 1 + TEXT) };
            root.draw(&Rectangle::new([from, to], of(fill).key().filled()))?;
            if field.shared {
                hatch(root, from, to)?;
            }
            let room = (f64::from(step - 8) / LETTER) as usize;
            let name = fit(&field.name, room);
            let at = (x + step / 2, y + ROW / 2);
            if field.shared {
                // The lines would run through the letters.
                let half = (name.chars().count() as f64 * LETTER / 2.0) as i32 + 4;
                let plate = [(at.0 - half, at.1 - 8), (at.0 + half, at.1 + 8)];
                root.draw(&Rectangle::new(plate, of(0).key().filled()))?;
            }
            write(root, &name, at, HPos::Center, VPos::Center, of(text))?;
            *mark += 1;
        }
    }
    Ok(())
}

/// From a colour of the ledger's palette to the text on it.
const TEXT: usize = 16;

fn hatch(root: &Area<'_>, from: (i32, i32), to: (i32, i32)) -> Drawn {
    let height = to.1 - from.1;
    let mut start = from.0 - height + HATCH;
    while start < to.0 {
        // A line that rises by one pixel a pixel, cut off at the sides.
        let (left, right) = (start.max(from.0), (start + height).min(to.0));
        let line = vec![(left, to.1 - (left - start)), (right, to.1 - (right - start))];
        root.draw(&PathElement::new(line, Ink::Muted.key()))?;
        start += HATCH;
    }
    Ok(())
}
