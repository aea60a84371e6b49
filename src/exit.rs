//! Exit codes: one meaning each.

use std::process::ExitCode;

/// How a command ended, apart from errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Fine.
    Fine,
    /// Some cell failed; or, under `--strict`, was suspect.
    CellFailed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::CellFailed => 3,
        })
    }
}

/// Usage or tool error.
pub(crate) const ERROR: u8 = 2;
