//! A simulated launch as a timeline for Perfetto.
use crate::simulated::Simulation;
use anyhow::Result;
use record::LaunchSpec;
use std::path::Path;
/// Marks kept.
pub(crate) const MARKS_MAX: usize = 400_000;
pub(crate) fn write(_file: &Path, _spec: &LaunchSpec, _simulation: &Simulation) -> Result<()> {
    Ok(())
}
