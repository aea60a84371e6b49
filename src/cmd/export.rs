//! `export`: a run in the format of another tool.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use record::Status;
use record::store::write_atomically;
use reports::export::{Export, File, Format, export};

use super::{print, report};
use crate::args::ExportArgs;
use crate::exit::Exit;

/// Names that criterion gives to folders of its own.
const RESERVED: [&str; 5] = ["", ".", "..", "change", "report"];

pub(super) fn command(args: &ExportArgs) -> Result<Exit> {
    let format = args.format;
    let baseline = baseline(args)?;
    let runs = report::load(std::slice::from_ref(&args.run))?;
    let records = &runs[0].records;
    let exported = export(&runs[0], format, &baseline)?;
    match (exported, &args.out) {
        (Export::Text(text), None) => {
            print(&text)?;
        }
        (Export::Text(content), Some(out)) => {
            free(out, format, args.force)?;
            write(out, content.as_bytes())?;
        }
        (Export::Bytes(_), None) => {
            bail!("--format {} is no text: name a file with --out FILE", format.name())
        }
        (Export::Bytes(content), Some(out)) => {
            free(out, format, args.force)?;
            write(out, &content)?;
        }
        (Export::Folder(_), None) => {
            bail!("--format {} makes a folder: name it with --out DIR", format.name())
        }
        (Export::Folder(files), Some(out)) => folder(out, &files, args.force)?,
    }
    let left_out = records.iter().filter(|record| record.status != Status::Ok).count();
    if left_out > 0 && !format.carries_status() {
        eprintln!("left out {left_out} of {} cells, which are not ok", records.len());
    }
    match &args.out {
        Some(out) => print(&format!("{}\n", out.display())),
        None => Ok(Exit::Fine),
    }
}

/// Whether a file may be written there.
fn free(out: &Path, format: Format, force: bool) -> Result<()> {
    let place = out.display();
    ensure!(!out.is_dir(), "{place} is a folder: --format {} writes a file", format.name());
    ensure!(force || !out.exists(), "{place} is there already: name another file, or add --force");
    Ok(())
}

/// The name of the baseline: as asked for, or that of the run's directory.
fn baseline(args: &ExportArgs) -> Result<String> {
    if args.format != Format::Criterion {
        ensure!(args.baseline.is_none(), "--baseline goes with --format criterion");
        return Ok(String::new());
    }
    let whole = args.run.canonicalize().unwrap_or_default();
    let own = || whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = args.baseline.clone().unwrap_or_else(own);
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
    ensure!(
        plain && !RESERVED.contains(&name.as_str()),
        "baseline `{name}`: expected letters, digits, `-`, `_`, `.` or `+`, and not `change` or `report`; --baseline names it"
    );
    Ok(name)
}

/// Writes all files, or none where one is there already: a criterion tree takes further baselines.
fn folder(out: &Path, files: &[File], force: bool) -> Result<()> {
    ensure!(!out.is_file(), "{} is a file: --out must name a folder", out.display());
    let there = files.iter().map(|file| out.join(&file.path)).find(|path| path.exists());
    if let Some(path) = there.filter(|_| !force) {
        bail!("{} is there already: name another folder or baseline, or add --force", path.display());
    }
    files.iter().try_for_each(|file| write(&out.join(&file.path), file.content.as_bytes()))
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let path = Path::new(".").join(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    write_atomically(&path, content)
}
