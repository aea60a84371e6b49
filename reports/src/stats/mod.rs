//! Statistics over a handful of launches: rank-based, exact where the number is small, honest about what it can reach.
//!
//! Nothing here resamples: with 5 to 20 launches the exact distributions are cheap, and a bootstrap of 5 values would
//! promise more than they hold.

mod order;
mod paired;
mod proportion;
mod ratio;
mod shift;
mod sign_flip;

pub use order::{MedianInterval, jain, median, median_interval, quantile};
pub use paired::{Centre, centre, detectable_beyond, holm, sign_flip_interval, student_interval};
pub use proportion::clopper_pearson;
pub use ratio::{Ratio, RatioError, minimal_detectable_ratio, ratio};
pub use shift::{Shift, hodges_lehmann, mann_whitney_lower_tail, shift};
pub use sign_flip::{SignFlip, sign_flip};
