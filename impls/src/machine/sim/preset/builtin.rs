//! The presets that the binary carries, under the names of their files.

use super::{Error, Preset};
use crate::text::diagnose::unknown;

/// Name and text of each preset, and name and text of each matrix that one of them reads.
macro_rules! carried {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../../presets/", $name)))),*]
    };
}

const PRESETS: &[(&str, &str)] = carried! {
    "opteron-48.toml" "xeon-80.toml" "niagara-64.toml" "tilera-36.toml"
    "milan-128.toml" "genoa-192.toml" "bergamo-256.toml" "icelake-64.toml" "spr-36.toml"
    "graviton3-64.toml" "altra-80.toml" "laptop-8.toml" "vm-2.toml"
};

const MATRICES: &[(&str, &str)] = carried! {
    "matrices/milan-128.csv" "matrices/genoa-192.csv" "matrices/icelake-64.csv" "matrices/spr-36.csv"
    "matrices/graviton3-64.csv" "matrices/altra-80.csv"
};

fn name(file: &'static str) -> &'static str {
    file.strip_suffix(".toml").unwrap_or(file)
}

impl Preset {
    /// Names of all presets that the binary carries, the old machines first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|(file, _)| name(file))
    }

    /// The text of the file of a preset that the binary carries.
    pub fn builtin_text(wanted: &str) -> Option<&'static str> {
        PRESETS.iter().find(|(file, _)| name(file) == wanted).map(|(_, text)| *text)
    }

    /// A preset that the binary carries; the error names the nearest.
    pub fn builtin(wanted: &str) -> Result<Self, Error> {
        let Some(text) = Self::builtin_text(wanted) else {
            return Err(Error::about("machine", unknown("preset", wanted, Self::names())));
        };
        let read = |file: &str| {
            let found = MATRICES.iter().find(|(name, _)| *name == file);
            found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
        };
        Self::parse(&format!("presets/{wanted}.toml"), text, &read)
    }
}
