//! The history of a project: ratios to a pinned reference, run after run, and the changes of level in them.
//!
//! | module | does |
//! |---|---|
//! | `line` | what a line of the store holds; damaged lines are named, the others kept |
//! | `run` | the points of a run: each cell against the reference, launch by launch |
//! | `criterion` | the points of a tree that criterion left |
//! | `guarded` | the points of a job of `guard` |
//! | `series` | points of one kind in the order of time, and where changes were accepted |
//! | `judge` | changes of level, noise, and a verdict for each series |
//! | `check`, `text` | all series as a report of `guard`, and as a table |
//!
//! Times of different days are never compared: a computer is not the same one a week later. What is kept is how many times
//! an implementation is the reference, both measured in one run; and points of different computers never share a series.

mod check;
mod criterion;
mod guarded;
mod judge;
mod line;
mod run;
mod series;
mod text;

pub use check::{Rules, check};
pub use criterion::{Imported, Scope, criterion_points};
pub use guarded::{Cell, Job, points_of_guard};
pub use judge::{FALSE_SHARE, Found, Judged, Level, WINDOW, judge};
pub use line::{Damaged, Epoch, History, Line, Point, SCHEMA, Source, read};
pub use run::{LeftOut, Taken, points_of_run, run_id};
pub use series::{Series, series};
pub(crate) use text::rank;
pub use text::text;
