//! The search for better parameters: trials in, what each setting gains over the default out, and an answer that may be
//! "keep the default".
//!
//! | module | does |
//! |---|---|
//! | [`plan`], [`trial`] | what is searched, and what each launch of the search measured: plain data |
//! | [`gains`] | trials to logarithmic gains over the default of the same block |
//! | [`pareto`] | who is beaten by whom, exactly or with a probability over resampled blocks |
//! | [`screen`] | who may race, after the simulated machines |
//! | [`race`] | who stays in the race, and why somebody leaves it |
//! | [`regret`] | one number a workload, and the setting whose worst regret is smallest |
//! | [`effects`], [`surface`] | what each knob does alone; the steepest step between neighbours |
//! | `knobs` | whether a knob does anything |
//! | [`judge`] | who may be chosen, who is on the front, who is picked |
//! | [`outcome`] | everything that a search found, as one document |
//! | [`snippet`], [`text`] | the answer as TOML and Rust; the table in the terminal |
//!
//! Words: a *knob* is a parameter that the search turns, a *setting* a value for each knob, a *scenario* a point of a
//! workload on one machine. A *gain* is the logarithm of a ratio to the default, positive where the setting is better.

pub mod effects;
pub mod gains;
pub mod judge;
mod knobs;
pub mod outcome;
pub mod pareto;
pub mod plan;
pub mod race;
pub mod regret;
pub mod screen;
pub mod snippet;
pub mod surface;
pub mod text;
pub mod trial;

pub use outcome::{Answer, TuneReport, conclude};
pub use plan::{Knob, Prefer, Scenario, TunePlan};
pub use trial::{Numbers, Phase, Shape, Trial};
