//! Measured matrices: N x N one-way times in ns, as the tools that measure core to core write them.
//!
//! A cell is row, column; the lower triangle suffices, and the diagonal may be empty. Where both cells of a pair are
//! filled they may differ by [`TOLERANCE_PERCENT`], and their mean counts. Many values become few classes: a class
//! spans 4 %, so that none is off by more than 2 %.

use super::{Error, MOST_CLASSES};
use crate::text::reader::{Item, Source, cells};

/// By how much the two cells of a pair may differ, in percent of the smaller.
pub(super) const TOLERANCE_PERCENT: u64 = 25;
/// The span of a class, in percent of its smallest value.
const SPAN_PERCENT: u64 = 4;
/// The longest time that counts as a transfer, in ns.
const LONGEST_NS: f64 = 1e6;

/// A time in picoseconds: measured values have decimals, and the model has none.
pub(super) type Picoseconds = u64;

struct Row {
    line: usize,
    /// What precedes the column in the key of an error.
    prefix: String,
    cells: Vec<Option<Picoseconds>>,
}

/// The cells of a file or of a list in a preset.
pub(super) struct Grid {
    file: String,
    rows: Vec<Row>,
}

/// A symmetric table of times: `size` rows, of which the diagonal may be absent.
pub(super) struct Folded {
    pub(super) size: usize,
    pub(super) times: Vec<Option<Picoseconds>>,
}

/// Few classes instead of many times: one time for each class, ascending, and the class of each cell.
pub(super) struct Quantised {
    pub(super) transfer: Vec<Picoseconds>,
    pub(super) class: Vec<u8>,
}

fn picoseconds(ns: f64) -> Option<Picoseconds> {
    (0.0..=LONGEST_NS).contains(&ns).then(|| (ns * 1000.0).round() as Picoseconds)
}

const EXPECTED: &str = "a time in ns, at most 1000000, or nothing";

impl Grid {
    /// Reads the text of a CSV file.
    pub(super) fn csv(file: &str, text: &str) -> Result<Self, Error> {
        let mut rows = Vec::new();
        for (number, line) in Source::new(file, text).text.trim_end().lines().enumerate() {
            let mut row = Row { line: number + 1, prefix: "column ".to_owned(), cells: Vec::new() };
            for cell in cells(line) {
                let time = if cell.is_empty() {
                    None
                } else {
                    let time = cell.parse().ok().and_then(picoseconds).ok_or_else(|| {
                        let key = format!("column {}", row.cells.len() + 1);
                        let shown: String = cell.chars().take(40).collect();
                        Error::at(file, row.line, &key, format!("expected {EXPECTED}, found `{shown}`"))
                    })?;
                    Some(time)
                };
                row.cells.push(time);
            }
            rows.push(row);
        }
        Ok(Self { file: file.to_owned(), rows })
    }

    /// Reads a list of rows that stands in a preset.
    pub(super) fn list(file: &str, list: &Item<'_>) -> Result<Self, Error> {
        let mut rows = Vec::new();
        for row in list.items() {
            if !row.is_list() {
                return Err(row.expected("a row: a list of times in ns"));
            }
            let mut cells = Vec::new();
            for cell in row.items() {
                let ns =
                    cell.number("a time in ns, at most 1000000", |ns| (0.0..=LONGEST_NS).contains(&ns))?;
                cells.push(picoseconds(ns));
            }
            rows.push(Row { line: row.line(), prefix: format!("{}, column ", row.key), cells });
        }
        Ok(Self { file: file.to_owned(), rows })
    }

    fn wrong(&self, row: usize, column: usize, message: impl std::fmt::Display) -> Error {
        let place = &self.rows[row];
        Error::at(&self.file, place.line, &format!("{}{}", place.prefix, column + 1), message)
    }

    fn cell(&self, row: usize, column: usize) -> Option<Picoseconds> {
        self.rows[row].cells.get(column).copied().flatten()
    }

    /// One time for each pair of different rows, and for each diagonal cell if `diagonal` says that they count.
    pub(super) fn fold(&self, size: usize, diagonal: bool) -> Result<Folded, Error> {
        if self.rows.len() != size {
            let found = self.rows.len();
            let message = format!("expected {size} rows, one for each core or cluster, found {found}");
            let line = self.rows.get(size).or(self.rows.last()).map_or(0, |row| row.line);
            return Err(Error::at(&self.file, line, "", message));
        }
        let mut times = vec![None; size * size];
        for row in 0..size {
            if self.rows[row].cells.len() > size {
                let found = self.rows[row].cells.len();
                let message = format!("expected {size} columns, as many as rows, found {found}");
                return Err(self.wrong(row, size, message));
            }
            for column in 0..=row {
                if row == column && !diagonal {
                    continue;
                }
                let time = self.pair(row, column)?;
                times[row * size + column] = Some(time);
                times[column * size + row] = Some(time);
            }
        }
        Ok(Folded { size, times })
    }

    fn pair(&self, row: usize, column: usize) -> Result<Picoseconds, Error> {
        let given = |row, column| {
            let time = self.cell(row, column);
            if time == Some(0) { Err(self.wrong(row, column, "expected more than 0 ns")) } else { Ok(time) }
        };
        let time = match (given(row, column)?, given(column, row)?) {
            (Some(there), Some(back)) => {
                let (less, more) = (there.min(back), there.max(back));
                if more * 100 > less * (100 + TOLERANCE_PERCENT) {
                    let ns = |time: Picoseconds| time as f64 / 1000.0;
                    let place = &self.rows[column];
                    return Err(self.wrong(
                        row,
                        column,
                        format_args!(
                            "asymmetric: {} ns here, {} ns in line {}, {}{}; expected within {TOLERANCE_PERCENT} %",
                            ns(there),
                            ns(back),
                            place.line,
                            place.prefix,
                            row + 1,
                        ),
                    ));
                }
                (there + back).div_ceil(2)
            }
            (Some(time), None) | (None, Some(time)) => time,
            (None, None) => {
                let mirrored = if row == column { "" } else { ", nor in the cell mirrored at the diagonal" };
                return Err(self.wrong(
                    row,
                    column,
                    format_args!("expected a time in ns, found none{mirrored}"),
                ));
            }
        };
        Ok(time)
    }
}

impl Folded {
    /// Gathers the times into classes; `None` if they are too many for the range.
    pub(super) fn quantise(&self) -> Option<Quantised> {
        let mut sorted: Vec<Picoseconds> = self.times.iter().flatten().copied().collect();
        sorted.sort_unstable();
        sorted.dedup();
        // Smallest and greatest time of each class.
        let mut spans: Vec<(Picoseconds, Picoseconds)> = Vec::new();
        for time in sorted {
            match spans.last_mut() {
                Some((least, most)) if time * 100 <= *least * (100 + SPAN_PERCENT) => *most = time,
                _ => spans.push((time, time)),
            }
        }
        if spans.is_empty() || spans.len() > MOST_CLASSES {
            return None;
        }
        let class = |time: &Option<Picoseconds>| {
            time.map_or(0, |time| spans.partition_point(|(_, most)| *most < time) as u8)
        };
        Some(Quantised {
            transfer: spans.iter().map(|(least, most)| (least + most).div_ceil(2)).collect(),
            class: self.times.iter().map(class).collect(),
        })
    }
}
