//! The surface over two knobs, and its cliff: the steepest step between neighbouring values.

use super::plan::TunePlan;

/// A score over two knobs, the others at history's values; with one knob a single row.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    /// Index of the knob along the columns.
    pub column: usize,
    /// Index of the knob along the rows, if there are two.
    pub row: Option<usize>,
    /// Values of the columns.
    pub columns: Vec<u64>,
    /// Values of the rows; one without a meaning if there is no second knob.
    pub rows: Vec<u64>,
    /// The score of each field, row by row; `None` where nothing was tried.
    pub fields: Vec<Vec<Option<f64>>>,
    /// The setting of each field.
    pub settings: Vec<Vec<Option<usize>>>,
}

/// Two neighbouring fields and the step from one to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cliff {
    /// Row and column of the higher field.
    pub high: (usize, usize),
    /// Row and column of the lower field.
    pub low: (usize, usize),
    /// By how much the score falls.
    pub drop: f64,
}

impl Surface {
    /// The surface over `column` and `row`. `scores` holds the score of each setting.
    pub fn of(plan: &TunePlan, column: usize, row: Option<usize>, scores: &[Option<f64>]) -> Surface {
        let columns = plan.knobs[column].values.clone();
        let rows = row.map_or_else(|| vec![0], |row| plan.knobs[row].values.clone());
        let default = &plan.settings[plan.default];
        let find = |y: u64, x: u64| {
            let mut wanted = default.clone();
            wanted[column] = x;
            if let Some(row) = row {
                wanted[row] = y;
            }
            plan.settings.iter().position(|setting| *setting == wanted)
        };
        let settings: Vec<Vec<Option<usize>>> =
            rows.iter().map(|y| columns.iter().map(|x| find(*y, *x)).collect()).collect();
        let score = |setting: &Option<usize>| scores.get((*setting)?).copied().flatten();
        let fields = settings.iter().map(|row| row.iter().map(score).collect()).collect();
        Surface { column, row, columns, rows, fields, settings }
    }

    /// The field, if it was tried.
    pub fn at(&self, row: usize, column: usize) -> Option<f64> {
        self.fields.get(row)?.get(column).copied().flatten()
    }

    /// All pairs of neighbours: right and below.
    pub fn neighbours(&self) -> impl Iterator<Item = ((usize, usize), (usize, usize))> {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let right = (0..rows).flat_map(move |y| (1..columns).map(move |x| ((y, x - 1), (y, x))));
        let below = (1..rows).flat_map(move |y| (0..columns).map(move |x| ((y - 1, x), (y, x))));
        right.chain(below)
    }

    /// The steepest step; `None` where nothing falls.
    pub fn cliff(&self) -> Option<Cliff> {
        let step = |(a, b): ((usize, usize), (usize, usize))| {
            let (at_a, at_b) = (self.at(a.0, a.1)?, self.at(b.0, b.1)?);
            let (high, low) = if at_a >= at_b { (a, b) } else { (b, a) };
            Some(Cliff { high, low, drop: (at_a - at_b).abs() })
        };
        let steepest = self.neighbours().filter_map(step).max_by(|a, b| a.drop.total_cmp(&b.drop));
        steepest.filter(|cliff| cliff.drop > 0.0)
    }
}
