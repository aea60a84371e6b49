//! How designs scale on simulated machines: who is ahead where, and where that changes.
//!
//! A simulated launch has no noise; seeds vary the model's own chaos. So a design is *ahead* of another at a point if each of
//! its launches beats each of the other's, and their medians differ by more than [`MARGIN`]. Anything less is a tie.
//!
//! | module | does |
//! |---|---|
//! | [`curves`] | points that differ only in their threads, preset by preset |
//! | [`crossover`] | where one design overtakes another |
//! | [`winner`] | who is fastest at a point, and who cannot be told from it |
//! | [`grid`] | points that differ in hold and think |
//! | [`sweep`] | machines that differ in one constant |

pub mod crossover;
pub mod curves;
pub mod grid;
pub mod sweep;
pub mod winner;

use crate::noise::MARGIN_MIN;
use crate::summary::{Source, Spread};

/// The ratio of medians, above 1, that a difference must exceed.
pub const MARGIN: f64 = 1.0 + MARGIN_MIN;

/// Fewer seeds show no spread that one could rely on.
pub const SEEDS_MIN: usize = 3;

/// Which of two designs has more throughput at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// The first, beyond spread and margin.
    First,
    /// The second, beyond spread and margin.
    Second,
    /// The seeds overlap, or the medians lie within the margin.
    Neither,
}

/// Who is ahead; `None` if one of them has fewer than [`SEEDS_MIN`] launches.
pub fn ahead(first: &Spread, second: &Spread) -> Option<Ahead> {
    if first.values.len() < SEEDS_MIN || second.values.len() < SEEDS_MIN {
        return None;
    }
    let beats = |a: &Spread, b: &Spread| a.min > b.max && a.median > b.median * MARGIN;
    Some(match (beats(first, second), beats(second, first)) {
        (true, _) => Ahead::First,
        (_, true) => Ahead::Second,
        _ => Ahead::Neither,
    })
}

/// The name of the preset, if the numbers are simulated.
pub fn preset(source: &Source) -> Option<&str> {
    match source {
        Source::Simulated(preset) => Some(preset),
        Source::Measured => None,
    }
}

/// A design's name without its family.
pub fn short(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, design)| design)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn spread(values: &[f64]) -> Spread {
        Spread::of(values.iter().copied()).unwrap()
    }

    #[test]
    fn ahead_needs_seeds_apart_and_a_margin() {
        let a = spread(&[100.0, 101.0, 102.0]);
        assert_eq!(ahead(&a, &spread(&[90.0, 91.0, 92.0])), Some(Ahead::First));
        assert_eq!(ahead(&spread(&[90.0, 91.0, 92.0]), &a), Some(Ahead::Second));
        assert_eq!(ahead(&a, &spread(&[80.0, 81.0, 100.5])), Some(Ahead::Neither), "one seed overlaps");
        assert_eq!(ahead(&a, &spread(&[98.5, 99.0, 99.5])), Some(Ahead::Neither), "apart, but by 2 %");
        assert_eq!(ahead(&a, &spread(&[1.0, 1.0])), None, "two seeds are no spread");
    }
}
