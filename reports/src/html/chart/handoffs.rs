//! Who follows whom: a row for each worker that had the object, a column for each that had it next. Of few workers a table
//! with coloured cells shows it, of many a picture.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::heatmap::HEAT_LEVELS;
use super::{Frame, Margins, WIDTH, chart, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::{percent, si};

/// Workers up to which a table has room for all numbers.
const TABLE_MAX: usize = 12;
/// Workers up to which rows have totals beside them.
const TOTALS_MAX: usize = 32;

/// Acquires by worker j right after worker i, with what they add up to.
pub(in crate::html) struct Matrix {
    /// `[i][j]`.
    pub(in crate::html) counts: Vec<Vec<u64>>,
    /// Sum of each row: how often somebody followed this worker.
    pub(in crate::html) given: Vec<u64>,
    /// Sum of each column: how often this worker followed somebody.
    pub(in crate::html) taken: Vec<u64>,
    /// Sum of all.
    pub(in crate::html) total: u64,
    /// How often a worker followed itself.
    pub(in crate::html) own: u64,
    least: u64,
    most: u64,
}

impl Matrix {
    /// `None` when it is empty, no square, or all zero.
    pub(in crate::html) fn of(counts: Vec<Vec<u64>>) -> Option<Matrix> {
        let workers = counts.len();
        if counts.iter().any(|row| row.len() != workers) {
            return None;
        }
        let given: Vec<u64> = counts.iter().map(|row| row.iter().sum()).collect();
        let taken: Vec<u64> = (0..workers).map(|j| counts.iter().map(|row| row[j]).sum()).collect();
        let own = (0..workers).map(|i| counts[i][i]).sum();
        let used = || counts.iter().flatten().copied().filter(|count| *count > 0);
        let (least, most) = (used().min()?, used().max()?);
        let total = given.iter().sum();
        Some(Matrix { counts, given, taken, total, own, least, most })
    }

    /// 0 for never, then 1 to 8 in steps of equal ratio.
    pub(in crate::html) fn level(&self, count: u64) -> u8 {
        let steps = HEAT_LEVELS - 1;
        let decades = (self.most as f64 / self.least as f64).ln();
        match count {
            0 => 0,
            _ if decades == 0.0 => steps,
            _ => {
                let share = (count as f64 / self.least as f64).ln() / decades;
                1 + (share * f64::from(steps)).floor().clamp(0.0, f64::from(steps - 1)) as u8
            }
        }
    }

    /// Whether a table shows it whole.
    pub(in crate::html) fn is_table(&self) -> bool {
        self.counts.len() <= TABLE_MAX
    }

    /// The counts of a level, in words.
    pub(in crate::html) fn range(&self, level: u8) -> String {
        let ratio = self.most as f64 / self.least as f64;
        let edge = |level: u8| self.least as f64 * ratio.powf(f64::from(level) / f64::from(HEAT_LEVELS - 1));
        match level {
            0 => "never".into(),
            _ => format!("to {}", si(edge(level))),
        }
    }
}

/// The chart of one matrix. `names` are those of the workers.
pub(in crate::html) fn hand_offs(matrix: &Matrix, names: &[String], series: usize, label: &str) -> String {
    let workers = matrix.counts.len();
    let name = |worker: usize| names.get(worker).map_or_else(|| worker.to_string(), Clone::clone);
    let mut marks = Vec::new();
    for (i, row) in matrix.counts.iter().enumerate() {
        for (j, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0) {
            let share = percent(count as f64 / matrix.total as f64);
            let who = if i == j { "itself again".into() } else { name(j) };
            let title = format!("after {}: {who}, {count} times, {share}", name(i));
            marks.push(Mark { series, title });
        }
    }
    let side = (480 / workers as u32).clamp(8, 46);
    let plane_side = side * workers as u32;
    let left = 130;
    let frame = Frame {
        height: plane_side + 96,
        margins: Margins { left, right: WIDTH - left - plane_side, top: 44, bottom: 52 },
        x: (0.0, workers as f64),
        y: (workers as f64, 0.0),
        x_ticks: Vec::new(),
        y_ticks: Vec::new(),
        x_name: String::new(),
        y_name: "the owner before (rows), and the one after it (columns)".into(),
    };
    // Where fields are small only every eighth worker is named.
    let named = |worker: usize| side >= 15 || worker.is_multiple_of(8);
    chart(&frame, &marks, label, |root, plane| {
        // Fields of one colour after each other.
        let mut fields: Vec<(u8, u16, usize, usize)> = Vec::new();
        for (i, row) in matrix.counts.iter().enumerate() {
            for (j, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0) {
                fields.push((matrix.level(count), fields.len() as u16, i, j));
            }
        }
        fields.sort_unstable();
        let ink = |colour, mark| Ink::Mark { palette: Palette::Heat, colour, mark };
        for &(level, mark, i, j) in &fields {
            let (x, y) = (j as f64, i as f64);
            let corners = [(x + 0.02, y + 0.02), (x + 0.98, y + 0.98)];
            plane.draw_series([Rectangle::new(corners, ink(level, mark).key().filled())])?;
        }
        for worker in 0..workers {
            let middle = worker as f64 + 0.5;
            let (x, y) = plane.backend_coord(&(0.0, middle));
            if named(worker) {
                write(root, &worker.to_string(), (x - 8, y), HPos::Right, VPos::Center, Ink::Text)?;
            }
        }
        for worker in (0..workers).filter(|worker| named(*worker)) {
            let (x, y) = plane.backend_coord(&(worker as f64 + 0.5, 0.0));
            write(root, &worker.to_string(), (x, y - 4), HPos::Center, VPos::Bottom, Ink::Text)?;
        }
        for worker in (0..workers).filter(|_| workers <= TOTALS_MAX) {
            let (x, y) = plane.backend_coord(&(workers as f64, worker as f64 + 0.5));
            let total = si(matrix.given[worker] as f64);
            write(root, &total, (x + 8, y), HPos::Left, VPos::Center, Ink::Muted)?;
        }
        let (x, y) = plane.backend_coord(&(workers as f64, workers as f64));
        let total = format!("total {}", si(matrix.total as f64));
        write(root, &total, (x + 8, y + 6), HPos::Left, VPos::Top, Ink::Text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_those_of_the_counts() {
        let matrix = Matrix::of(vec![vec![5, 1, 0], vec![2, 8, 3], vec![0, 4, 1_000]]).unwrap();
        assert_eq!((matrix.total, matrix.own), (1_023, 1_013));
        assert_eq!((matrix.given.clone(), matrix.taken.clone()), (vec![6, 13, 1_004], vec![7, 13, 1_003]));
        assert_eq!(matrix.given.iter().sum::<u64>(), matrix.taken.iter().sum::<u64>());
        assert_eq!([0, 1, 2, 1_000].map(|count| matrix.level(count)), [0, 1, 1, 8]);
        assert_eq!(matrix.range(0), "never");
        assert!(Matrix::of(vec![vec![0; 2]; 2]).is_none() && Matrix::of(vec![vec![1], vec![]]).is_none());
    }

    #[test]
    fn every_field_that_counted_is_drawn() {
        for workers in [1, 2, 12, 13, 64] {
            let counts: Vec<Vec<u64>> =
                (0..workers).map(|i| (0..workers).map(|j| (i * j) % 5).collect()).collect();
            let used = counts.iter().flatten().filter(|count| **count > 0).count();
            let Some(matrix) = Matrix::of(counts) else { continue };
            let svg = hand_offs(&matrix, &[], 0, "who follows whom");
            assert_eq!(crate::html::pen::read::bars(&svg).len(), used);
            assert!(svg.contains("total"));
        }
    }
}
