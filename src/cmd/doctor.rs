//! `doctor`: what this computer can measure.

use anyhow::Result;

use super::{print, to_json};
use crate::args::DoctorArgs;
use crate::exit::Exit;

pub(super) fn command(args: &DoctorArgs) -> Result<Exit> {
    let doctor = profiler::doctor::examine();
    print(&if args.json { to_json(&doctor)? } else { doctor.to_string() })
}
