//! The report as one self-contained page, and its writer.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use record::store::{Loaded, write_atomically};

mod catalogue;
mod cell;
mod chart;
mod details;
mod environment;
mod figure;
mod ink;
mod page;
mod problems;
mod route;
mod section;
mod site;
mod slug;
mod table;

/// What the page is to hold.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Command line that makes this report, to be stamped on it.
    pub command: Vec<String>,
    /// Write into a folder that holds something else.
    pub force: bool,
    /// Write one file that holds all pages, instead of a folder of pages.
    pub single_file: bool,
}

/// A page in memory.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its place below the folder of the report.
    pub path: PathBuf,
    /// Its content.
    pub html: String,
}

/// Stands near the top of every page: tells our own pages from other people's files.
const GENERATOR: &str = "<meta name=\"generator\" content=\"synchroscope\">";

/// Renders the main page.
pub fn render(runs: &[Loaded], options: &Options) -> Page {
    Page { path: "index.html".into(), html: page::page(runs, options).into_string() }
}

/// Renders the report of `runs` into the folder `out` and returns the path of its main page.
///
/// # Errors
/// If `out` is a file, or a folder that holds anything but an earlier report and `force` is not set, or cannot be
/// written.
pub fn write_report(out: &Path, runs: &[Loaded], options: &Options) -> Result<PathBuf> {
    check_folder(out, options.force)?;
    let page = render(runs, options);
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let path = out.join(&page.path);
    write_atomically(&path, page.html.as_bytes())?;
    Ok(path)
}

fn check_folder(out: &Path, force: bool) -> Result<()> {
    if !out.exists() {
        return Ok(());
    }
    if !out.is_dir() {
        bail!("{} is a file: --out must name a folder", out.display());
    }
    if force {
        return Ok(());
    }
    for entry in std::fs::read_dir(out).with_context(|| format!("cannot read {}", out.display()))? {
        let path = entry.with_context(|| format!("cannot read {}", out.display()))?.path();
        if !is_ours(&path) {
            bail!(
                "{} holds {}, which is no report: --out must name a new folder or an earlier report, or add --force",
                out.display(),
                path.file_name().unwrap_or_default().to_string_lossy()
            );
        }
    }
    Ok(())
}

/// Whether a file is a page of ours: an earlier report may be replaced.
fn is_ours(path: &Path) -> bool {
    use std::io::Read as _;
    if path.extension().is_none_or(|e| e != "html") {
        return false;
    }
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(2048).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(GENERATOR)
}
