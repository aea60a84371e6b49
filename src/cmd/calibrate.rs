//! `calibrate`: this computer as a preset of the simulated machine.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use profiler::calibrate::{Calibration, FIRST_LINE, calibrate};
use record::store::write_atomically;

use super::print;
use crate::args::CalibrateArgs;
use crate::exit::Exit;

pub(super) fn command(args: &CalibrateArgs) -> Result<Exit> {
    if let Some(out) = &args.out {
        may_write(out, args.force)?;
    }
    let found = calibrate(&args.name, &mut |what| eprintln!("calibrate: {what}"))?;
    let Some(out) = &args.out else {
        eprintln!("{}", summary(&found));
        return print(&found.toml);
    };
    write_atomically(out, found.toml.as_bytes())?;
    let run = format!("synchroscope run --machine sim:{}", out.display());
    print(&format!("{}\n{}\nTry: {run}\n", out.display(), summary(&found)))
}

/// Looks at what is in the place of the file, before anything is measured.
fn may_write(out: &Path, force: bool) -> Result<()> {
    let shown = out.display();
    ensure!(
        out.extension().is_some_and(|extension| extension == "toml"),
        "--out {shown}: expected a name that ends in .toml, by which --machine sim:FILE.toml knows files"
    );
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("--out {shown}: there is no folder {}", folder.display());
    }
    ensure!(!out.is_dir(), "--out {shown}: a folder; expected a file");
    if !out.exists() || force {
        return Ok(());
    }
    let held = fs::read(out).with_context(|| format!("--out {shown}: cannot read what is there"))?;
    ensure!(
        held.starts_with(FIRST_LINE.as_bytes()),
        "--out {shown}: holds something that no calibration wrote; choose another name, or add --force"
    );
    Ok(())
}

fn summary(found: &Calibration) -> String {
    let preset = &found.preset;
    let mhz = preset.clock_mhz;
    let lines = match &preset.classes[..] {
        [] => String::new(),
        _ if preset.cores < 2 => String::new(),
        [only] => format!(", a line crosses in {}", only.name),
        [near, .., far] => format!(", a line crosses in {} to {}", near.name, far.name),
    };
    let wakes = preset.os.wake.iter().map(|wake| wake.latency_ns);
    let wakes = wakes.clone().min().zip(wakes.max());
    let wakes = wakes.filter(|_| preset.cores > 1).map_or_else(String::new, |(least, most)| {
        format!(", a wake takes {} to {} us", least / 1000, most.div_ceil(1000))
    });
    format!("sim:{}: {} cores at {mhz} MHz{lines}{wakes}", preset.name, preset.cores)
}
