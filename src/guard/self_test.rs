//! Guard, measured: planted slow-downs that it must find, and copies that it must not accuse.

use anyhow::{Result, bail};

use crate::Observatory;
use crate::args::GuardArgs;

pub(crate) fn run(_: &Observatory, _: &GuardArgs) -> Result<String> {
    bail!("soon")
}
