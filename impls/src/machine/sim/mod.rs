//! The simulated machine: the same sources on a computer that is described by a preset.

pub mod preset;
