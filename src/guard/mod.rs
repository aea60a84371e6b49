//! `guard`: a verdict on a change.
//!
//! | module | holds |
//! |---|---|
//! | [`arms`] | what `--baseline` and `--candidate` name |
//! | [`identity`] | what a program says of itself |
//! | [`revision`] | a git revision becomes a binary |
//! | [`plan`] | cells, controls and time of a job |
//! | [`pairs`] | the engine: launches of two arms in paired blocks |
//! | [`exact`] | simulated cycles and counted instructions: no clock, no noise |
//! | [`ci`] | the report in the forms of continuous integration |
//! | [`memory`] | `--history`: ratios to a pinned baseline, kept and judged as a series |
//! | [`measured`] | a job, carried out: screened, confirmed, held against its controls |
//! | [`self_test`], [`planted`] | guard, measured: faults that it must find, copies that it must not accuse |

pub(crate) mod arms;
pub(crate) mod ci;
pub(crate) mod exact;
pub(crate) mod identity;
pub(crate) mod measured;
pub(crate) mod memory;
pub(crate) mod pairs;
pub(crate) mod plan;
pub(crate) mod planted;
pub(crate) mod revision;
pub(crate) mod self_test;
