//! A page that is a report of its own: a history, a search for parameters, a validation. With it stand its data and the
//! documents that explain it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::route::Route;
use super::site::{At, Page, Site};
use super::{Options, raw, shell, small, writer};

/// The documents that a page alone takes along.
const DOCUMENTS: [Route; 3] = [Route::Methodology, Route::Bias, Route::Glossary];

/// A file beside a page: its name, and what is in it.
pub(super) type Data<'d> = (&'static str, &'d [u8]);

/// Writes `page` into the folder `out`, with its data and the documents, and returns its path.
///
/// # Errors
/// As those of [`super::write_report`].
pub(super) fn write(
    out: &Path,
    options: &Options,
    title: &str,
    (name, content): Data<'_>,
    page: impl Fn(&At<'_, '_>) -> Page,
) -> Result<PathBuf> {
    let mut folder = writer::Folder::open(out, options.force)?;
    let site = site(options, title);
    let routes = || std::iter::once(Route::Front).chain(DOCUMENTS);
    let paths = routes().map(|route| site.routes.path(route).to_owned());
    let assets = shell::ASSETS.iter().map(|(path, _)| (*path).to_owned());
    folder.announce(paths.chain(assets).chain([name.to_owned()]))?;
    for (path, content) in shell::ASSETS {
        folder.write(path, content.as_bytes())?;
    }
    folder.write(name, content)?;
    for route in routes() {
        let page = match route {
            Route::Front => page(&At { site: &site, route }),
            _ => super::page(&site, route),
        };
        let document = small::small(&shell::document(&site, &page));
        folder.write(site.routes.path(route), document.as_bytes())?;
    }
    folder.finish()?;
    Ok(out.join("index.html"))
}

/// Renders `page` in memory, as its template makes it.
pub(super) fn render(options: &Options, title: &str, page: impl Fn(&At<'_, '_>) -> Page) -> String {
    let site = site(options, title);
    shell::document(&site, &page(&At { site: &site, route: Route::Front }))
}

fn site<'o>(options: &'o Options, title: &str) -> Site<'o> {
    let mut site = Site::new(&[], &[], options, raw::Raw::default());
    site.title = title.into();
    site
}
