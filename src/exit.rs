//! Exit codes: one meaning each.

use std::process::ExitCode;

/// How a command ended, apart from errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Fine.
    Fine,
    /// A regression was found.
    Regressed,
    /// Some cell failed; or, under `--strict`, was suspect, inconclusive or contaminated.
    CellFailed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Regressed => 1,
            Exit::CellFailed => 3,
        })
    }
}

/// Usage or tool error.
pub(crate) const ERROR: u8 = 2;
