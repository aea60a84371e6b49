//! Raw files beside the pages: linked where they are if the report lies in its run's own folder, copied otherwise.

use std::path::{Component, Path, PathBuf};

use maud::{Markup, html};
use record::store::Loaded;

use super::figure::titled;
use super::route::encoded;
use super::site::At;
use super::slug::Slugs;

/// A file to copy into the report.
pub(super) struct Copy {
    /// Where it is.
    pub(super) from: PathBuf,
    /// Its place below the folder of the report.
    pub(super) to: String,
}

/// Where the raw files of each run are.
#[derive(Default)]
pub(super) struct Raw {
    /// For each run, the way from the folder of the report to the run's: `..`, or a folder of copies.
    folders: Vec<String>,
    copies: Vec<Copy>,
}

impl Raw {
    /// Finds a place for the files of `runs` of a report in `out`.
    pub(super) fn place(out: &Path, runs: &[Loaded], single_file: bool) -> Raw {
        // One file has nothing beside it.
        if single_file {
            return Raw::default();
        }
        let mut raw = Raw::default();
        let mut slugs = Slugs::default();
        for run in runs {
            if let Some(up) = way_up(out, &run.path) {
                raw.folders.push(up);
                continue;
            }
            let name = run.path.file_name().unwrap_or_default().to_string_lossy();
            let folder = format!("raw/{}", slugs.take(&name));
            let mut copy = |from: PathBuf, name: &str| {
                if from.is_file() {
                    raw.copies.push(Copy { from, to: format!("{folder}/{name}") });
                }
            };
            copy(run.path.join("run.json"), "run.json");
            copy(run.path.join("verified.json"), "verified.json");
            for record in &run.records {
                for ending in ["json", "hlog"] {
                    let name = format!("cells/{}.{ending}", record.cell);
                    copy(run.path.join(&name), &name);
                }
            }
            raw.folders.push(folder);
        }
        raw
    }

    /// The files to copy.
    pub(super) fn copies(&self) -> impl Iterator<Item = &Copy> {
        self.copies.iter()
    }
}

/// `..` as often as needed, if `out` lies in `run`.
fn way_up(out: &Path, run: &Path) -> Option<String> {
    let (out, run) = (std::path::absolute(out).ok()?, std::path::absolute(run).ok()?);
    let below = out.strip_prefix(&run).ok()?;
    let plain = below.components().all(|part| matches!(part, Component::Normal(_)));
    let depth = below.components().count();
    (plain && depth > 0).then(|| vec![".."; depth].join("/"))
}

/// The raw files of a cell, to download.
pub(super) fn links(at: &At<'_, '_>, cell: usize) -> Markup {
    let site = at.site;
    let id = &site.cells[cell].cell;
    let names = [
        ("record, JSON", format!("cells/{id}.json")),
        ("histograms, HdrHistogram log", format!("cells/{id}.hlog")),
    ];
    html! {
        section id=(at.id("raw")) {
            h2 { (titled(at, "Raw files", "the-numbers")) }
            @match site.raw.folders.get(site.run_of[cell]) {
                Some(folder) => {
                    ul {
                        @for (what, name) in &names {
                            li { a href={ (site.routes.up(at.route)) (encoded(folder)) "/" (encoded(name)) } download="" { (what) } }
                        }
                    }
                }
                None => {
                    p .note {
                        "In the folder of the run: "
                        @for (index, (_, name)) in names.iter().enumerate() {
                            @if index > 0 { " and " }
                            code { (name) }
                        }
                        "."
                    }
                }
            }
        }
    }
}
