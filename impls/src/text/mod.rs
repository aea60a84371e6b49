//! Texts that people write: TOML read by hand into checked values, and one-line errors with the nearest name.
//!
//! Presets of simulated machines, workloads and suites are all read with it, so that a mistake is told in one way.

pub mod diagnose;
pub mod reader;
