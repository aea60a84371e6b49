//! What threads do: workloads and suites, read from TOML, and the driver of each family.
//!
//! | module | holds |
//! |---|---|
//! | [`definition`] | a workload: roles, locks, arrivals, schedule, with axes that may take several values |
//! | [`points`] | a workload's points on a machine of so many cores |
//! | [`suite`] | a suite: which implementations meet which workloads, how often, how long |
//! | [`cells`] | a suite's plan: every implementation at every point |
//! | [`expected`] | how long a plan takes |
//! | [`simulated`] | how often and how long a simulated cell runs |
//! | [`embedded`] | the definitions and suites that the binary carries |
//! | [`axes`], [`pattern`] | the values of axes; globs |
//! | [`diagnose`] | errors in one line, with the nearest name |
//! | [`published`] | published curves, and the same experiments on a simulated machine |
//! | [`driver`] | the threads themselves, family by family |
//!
//! A new workload is one file in `workloads/defs`; a user's own suite may hold its own workloads.

pub mod axes;
mod cell_id;
pub mod cells;
pub mod definition;
pub mod driver;
pub mod embedded;
pub mod expected;
pub mod pattern;
pub mod points;
pub mod published;
pub mod simulated;
pub mod suite;

pub use axes::Count;
pub use cells::Overrides;
pub use definition::Workload;
pub use impls::text::diagnose::{self, Error, nearest};
use impls::text::reader;
pub use points::AxisOverrides;
pub use suite::Suite;
