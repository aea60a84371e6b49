//! The report as a static site: a folder of pages that link to each other, or one file that holds them all.
//!
//! | module | does |
//! |---|---|
//! | `site`, `route`, `slug` | what all pages share; where each is; names that are safe |
//! | `shell` | the frame of a page: head, navigation, stamp |
//! | `writer`, `small` | folders: what may be replaced, what is stale; fewer bytes for the same page |
//! | `front` | findings, environment, Pareto front, overview |
//! | `workload`, `section`, `table`, `details` | all implementations on one workload |
//! | `proof` | what checkers found about one implementation |
//! | `implementation`, `card` | one implementation on all workloads |
//! | `lineage` | what each version bought and what it cost |
//! | `cell` | everything about one cell |
//! | `scale` | simulated machines: curves over cores, planes of hold and think, changed constants |
//! | `comparison` | two runs, or two implementations |
//! | `alone` | pages that are a report of their own: the next two, and `history` |
//! | `validation` | simulated against published curves: a page of its own |
//! | `tuning` | a search for better parameters: a page of its own |
//! | `prose` | documents and cards, from Markdown |
//! | `chart`, `ink`, `dress`, `pen`, `catalogue` | pictures, their colours, their form on a page, few bytes for it, who has which |

use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;
use record::store::Loaded;

use crate::summary::{Summary, summarise};

mod alone;
mod card;
mod catalogue;
mod cell;
mod chart;
mod comparison;
mod details;
mod dress;
mod environment;
mod figure;
mod front;
mod history;
mod implementation;
mod ink;
mod lineage;
mod matrix;
mod pen;
mod problems;
mod proof;
mod prose;
mod raw;
mod route;
mod scale;
mod section;
mod shell;
mod site;
mod slug;
mod small;
mod table;
mod tuning;
mod validation;
mod workload;
mod writer;

pub use history::{render_history, write_history};
use route::Route;
use site::{At, Page, Site};
pub use tuning::write_tuning;
pub use validation::{may_write, write_validation};

/// What the report is to hold.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Command line that makes this report, to be stamped on its pages.
    pub command: Vec<String>,
    /// Version and revision of the program that makes it.
    pub tool: String,
    /// Write into a folder that holds something else.
    pub force: bool,
    /// Write one file that holds all pages, instead of a folder of pages.
    pub single_file: bool,
    /// Pairs of implementations to compare, besides those that the report chooses itself.
    pub compare: Vec<(String, String)>,
}

/// A file of a report in memory.
#[derive(Clone, Debug)]
pub struct File {
    /// Its place below the folder of the report, with `/`.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// Renders all files of the report of `runs` in memory, the first page first, as templates make them. Links to raw files
/// are left out: they need a place.
pub fn render(runs: &[Loaded], options: &Options) -> Vec<File> {
    let cells = summaries(runs);
    let site = Site::new(runs, &cells, options, raw::Raw::default());
    if options.single_file {
        return vec![File { path: "index.html".into(), content: single(&site) }];
    }
    let pages = site.pages().into_par_iter().map(|route| File {
        path: site.routes.path(route).to_owned(),
        content: shell::document(&site, &page(&site, route)),
    });
    let mut files: Vec<File> = pages.collect();
    files.extend(
        shell::ASSETS.map(|(path, content)| File { path: path.to_owned(), content: content.to_owned() }),
    );
    files
}

/// Writes the report of `runs` into the folder `out` and returns the path of its first page.
///
/// # Errors
/// If `out` is a file, or a folder that holds anything but an earlier report and `force` is not set, or cannot be
/// written.
pub fn write_report(out: &Path, runs: &[Loaded], options: &Options) -> Result<PathBuf> {
    let mut folder = writer::Folder::open(out, options.force)?;
    let cells = summaries(runs);
    let raw = raw::Raw::place(out, runs, options.single_file);
    let site = Site::new(runs, &cells, options, raw);
    if options.single_file {
        folder.announce(["index.html".to_owned()])?;
        folder.write("index.html", small::small(&single(&site)).as_bytes())?;
    } else {
        let routes = site.pages();
        let pages = routes.iter().map(|route| site.routes.path(*route).to_owned());
        let assets = shell::ASSETS.iter().map(|(path, _)| (*path).to_owned());
        folder.announce(pages.chain(assets).chain(site.raw.copies().map(|copy| copy.to.clone())))?;
        for (path, content) in shell::ASSETS {
            folder.write(path, content.as_bytes())?;
        }
        // A page is forgotten once it is written: reports of thousands of cells stay small in memory.
        routes.par_iter().try_for_each(|route| {
            let html = small::small(&shell::document(&site, &page(&site, *route)));
            folder.write(site.routes.path(*route), html.as_bytes())
        })?;
        for copy in site.raw.copies() {
            folder.copy(&copy.from, &copy.to)?;
        }
    }
    folder.finish()?;
    Ok(out.join("index.html"))
}

fn summaries(runs: &[Loaded]) -> Vec<Summary> {
    let key = |at: usize| {
        let same = |other: &Loaded| {
            let (a, b) = (&runs[at].manifest, &other.manifest);
            a.shard.is_some()
                && b.shard.is_some()
                && a.suite == b.suite
                && a.seed == b.seed
                && a.tool == b.tool
        };
        // Shards of one run belong together.
        runs[..at].iter().position(same).unwrap_or(at)
    };
    let of_run = |(at, run): (usize, &Loaded)| {
        let mut cells = summarise(&run.records);
        cells.iter_mut().for_each(|cell| cell.run = key(at));
        cells
    };
    runs.iter().enumerate().flat_map(of_run).collect()
}

/// Renders a page.
fn page(site: &Site<'_>, route: Route) -> Page {
    let at = At { site, route };
    match route {
        Route::Front => front::page(&at),
        Route::Workload(index) => workload::page(&at, &site.workloads[index]),
        Route::Implementation(index) => implementation::page(&at, site.implementations[index]),
        Route::Cell(index) => {
            let cell = &site.cells[index];
            Page {
                route,
                title: format!("{} at {}", cell.name, cell.label),
                body: maud::html! {
                    (card::cell_stamp(&at, cell))
                    (cell::body(&at, cell, site.records[index]))
                    (raw::links(&at, index))
                },
            }
        }
        Route::Lineage(index) => lineage::page(&at, &site.lineages[index]),
        Route::Scale => scale::page(&at),
        Route::Phases => scale::phase_page(&at),
        Route::WhatIf => scale::sweep_page(&at),
        Route::Comparisons => comparison::index(&at),
        Route::Comparison(index) => comparison::page(&at, &site.comparisons[index]),
        Route::Methodology | Route::Bias | Route::Glossary => prose::page(&at),
    }
}

fn single(site: &Site<'_>) -> String {
    let sections: Vec<String> =
        site.pages().into_par_iter().map(|route| shell::section(site, &page(site, route))).collect();
    shell::single(site, &sections)
}
