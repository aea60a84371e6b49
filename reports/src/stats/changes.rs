//! Change points that two detectors agree on.

use super::divisive::divisive;
use super::potts::potts;

/// Level of the t test: at 1e-3 a series without a change, but with neighbours alike (AR(1) of 0.3), is called changed in
/// one case of ten; at 1e-4 in one of a hundred.
pub const CHANGE_P_MAX: f64 = 1e-4;
/// Values that a level must have to be one: fewer are a spell, and one is an outlier.
pub const SEGMENT_MIN: usize = 5;
/// How far apart the two may place a change.
pub const AGREE_WITHIN: usize = 2;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Index of the first value of the new level, as the t test has it.
    pub at: usize,
    /// The same, as the Potts functional has it.
    pub second: usize,
    /// Two-sided p of Student's t test between the two levels.
    pub p: f64,
}

/// Changes of level that E-divisive means and the Potts functional both see, within two places of each other.
pub fn changes(values: &[f64]) -> Vec<Change> {
    let votes = divisive(values, CHANGE_P_MAX, SEGMENT_MIN);
    if votes.is_empty() {
        return Vec::new();
    }
    let seconds = potts(values, SEGMENT_MIN);
    let agreed = votes.into_iter().filter_map(|vote| {
        let near = seconds.iter().copied().filter(|second| second.abs_diff(vote.at) <= AGREE_WITHIN);
        let second = near.min_by_key(|second| second.abs_diff(vote.at))?;
        Some(Change { at: vote.at, second, p: vote.p })
    });
    agreed.collect()
}
