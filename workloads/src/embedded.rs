//! The definitions and suites that the binary carries.

use std::path::Path;

use crate::definition::Workload;
use crate::diagnose::{Error, Result, unknown};
use crate::suite::Suite;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

impl Workload {
    /// The names of all embedded definitions, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        DEFINITIONS.iter().map(|(name, _)| *name)
    }

    /// An embedded definition; the error for an unknown name tells the nearest.
    pub fn embedded(name: &str) -> Result<Workload> {
        match DEFINITIONS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Workload::parse(&format!("workloads/defs/{name}.toml"), text),
            None => Err(Error::about("workload", unknown("workload", name, Workload::names()))),
        }
    }

    /// Every embedded definition, sorted by name.
    pub fn all() -> Result<Vec<Workload>> {
        Workload::names().map(Workload::embedded).collect()
    }

    /// The text of an embedded definition, comments included.
    pub fn embedded_text(name: &str) -> Option<&'static str> {
        DEFINITIONS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }
}

impl Suite {
    /// The names of all embedded suites, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SUITES.iter().map(|(name, _)| *name)
    }

    /// All embedded suites, by name.
    pub fn all() -> Result<Vec<Suite>> {
        Suite::names().map(Suite::embedded).collect()
    }

    /// An embedded suite; the error for an unknown name tells the nearest.
    pub fn embedded(name: &str) -> Result<Suite> {
        match SUITES.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Suite::parse(&format!("workloads/suites/{name}.toml"), text, Path::new(".")),
            None => Err(Error::about("suite", unknown("suite", name, Suite::names()))),
        }
    }
}
