//! Who is fastest at a point, and who cannot be told from it.

use crate::group::{PointCells, rate};
use crate::summary::Summary;

use super::{Ahead, ahead};

/// The fastest locks of a point.
#[derive(Clone, Debug)]
pub struct Fastest<'a> {
    /// The one with the largest median, then those that it is not ahead of beyond spread and margin.
    pub cells: Vec<&'a Summary>,
    /// Its median over that of the fastest that it is ahead of; `None` if it is ahead of nobody, or of those who did nothing.
    pub lead: Option<f64>,
}

impl<'a> Fastest<'a> {
    /// The one with the largest median.
    pub fn first(&self) -> &'a Summary {
        self.cells[0]
    }

    /// Whether several share the place: a zone of indifference.
    pub fn shared(&self) -> bool {
        self.cells.len() > 1
    }
}

/// The fastest of a point; `None` without two locks, or where the fastest has too few seeds to tell. A lock with too few
/// seeds counts as one that cannot be told from the fastest.
pub fn fastest<'a>(point: &PointCells<'a>) -> Option<Fastest<'a>> {
    let ranked = point.contenders();
    let (first, others) = ranked.split_first().filter(|(_, others)| !others.is_empty())?;
    let best = first.throughput_per_s.as_ref()?;
    if best.values.len() < super::SEEDS_MIN {
        return None;
    }
    let behind =
        |cell: &&&Summary| cell.throughput_per_s.as_ref().and_then(|s| ahead(best, s)) == Some(Ahead::First);
    let mut cells = vec![*first];
    cells.extend(others.iter().filter(|cell| !behind(cell)));
    let lead =
        others.iter().find(behind).map(|cell| best.median / rate(cell)).filter(|lead| lead.is_finite());
    Some(Fastest { cells, lead })
}
