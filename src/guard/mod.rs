//! `guard`: a verdict on a change.
//!
//! | module | holds |
//! |---|---|
//! | [`pairs`] | the engine: launches of two arms in paired blocks |

pub(crate) mod pairs;
