//! Where each page is, and how others lead there: a file in a folder, or a section of one file.

use std::collections::HashMap;

use super::slug::Slugs;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Route {
    /// The first one.
    Front,
    /// A workload of a group: an index into the site's workloads.
    Workload(usize),
    /// An implementation: an index into the site's implementations.
    Implementation(usize),
    /// A cell: an index into the site's cells.
    Cell(usize),
    /// A lineage: an index into the site's lineages.
    Lineage(usize),
    /// Simulated machines: curves over cores.
    Scale,
    /// Simulated machines: planes of hold and think.
    Phases,
    /// Simulated machines with one constant changed.
    WhatIf,
    /// Who beats whom, and the list of comparisons.
    Comparisons,
    /// One comparison: an index into the site's comparisons.
    Comparison(usize),
    /// What each number is.
    Methodology,
    /// What is known to favour one side.
    Bias,
    /// Words.
    Glossary,
}

/// The addresses of all pages.
pub(super) struct Routes {
    paths: HashMap<Route, String>,
    single_file: bool,
}

impl Routes {
    /// With the pages that every site has.
    pub(super) fn new(single_file: bool) -> Routes {
        let fixed = [
            (Route::Front, "index.html"),
            (Route::Scale, "scale.html"),
            (Route::Phases, "phases.html"),
            (Route::WhatIf, "what-if.html"),
            (Route::Comparisons, "comparisons.html"),
            (Route::Methodology, "methodology.html"),
            (Route::Bias, "bias.html"),
            (Route::Glossary, "glossary.html"),
        ];
        Routes { paths: fixed.map(|(route, path)| (route, path.to_owned())).into(), single_file }
    }

    /// Adds pages to a folder, each under a name made from its text.
    pub(super) fn add(&mut self, folder: &str, pages: impl IntoIterator<Item = (Route, String)>) {
        let mut slugs = Slugs::default();
        for (route, text) in pages {
            self.paths.insert(route, format!("{folder}/{}.html", slugs.take(&text)));
        }
    }

    /// The file of a page, below the folder of the report.
    pub(super) fn path(&self, route: Route) -> &str {
        self.paths.get(&route).map_or("index.html", String::as_str)
    }

    /// The id of a page's section in a single file.
    pub(super) fn section(&self, route: Route) -> String {
        self.path(route).trim_end_matches(".html").replace('/', "-")
    }

    /// The id, on its page, of a part of a page.
    pub(super) fn id(&self, route: Route, part: &str) -> String {
        if self.single_file { format!("{}--{part}", self.section(route)) } else { part.to_owned() }
    }

    /// How `from` links to `to`, and there to a part.
    pub(super) fn href(&self, from: Route, to: Route, part: Option<&str>) -> String {
        if self.single_file {
            return match part {
                Some(part) => format!("#{}", encoded(&self.id(to, part))),
                None => format!("#{}", encoded(&self.section(to))),
            };
        }
        let part = part.map_or_else(String::new, |part| format!("#{}", encoded(part)));
        if from == to && !part.is_empty() {
            return part;
        }
        format!("{}{}{part}", self.up(from), encoded(self.path(to)))
    }

    /// From a page to the folder of the report: empty, or `../`.
    pub(super) fn up(&self, from: Route) -> String {
        if self.single_file { String::new() } else { "../".repeat(self.path(from).matches('/').count()) }
    }
}

/// A path as an address holds it.
pub(super) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b'@' | b'+' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative() {
        let mut routes = Routes::new(false);
        routes.add("cells", [(Route::Cell(0), "mutex.mcs@contended-t2".to_owned())]);
        assert_eq!(
            routes.href(Route::Front, Route::Cell(0), Some("ledger")),
            "cells/mutex.mcs@contended-t2.html#ledger"
        );
        assert_eq!(routes.href(Route::Cell(0), Route::Front, None), "../index.html");
        assert_eq!(routes.href(Route::Cell(0), Route::Cell(0), Some("x")), "#x");
    }

    #[test]
    fn a_single_file_has_sections() {
        let mut routes = Routes::new(true);
        routes.add("cells", [(Route::Cell(0), "mutex.mcs@contended-t2".to_owned())]);
        assert_eq!(
            routes.href(Route::Front, Route::Cell(0), Some("ledger")),
            "#cells-mutex.mcs@contended-t2--ledger"
        );
        assert_eq!(routes.id(Route::Cell(0), "ledger"), "cells-mutex.mcs@contended-t2--ledger");
        assert_eq!(routes.href(Route::Cell(0), Route::Glossary, None), "#glossary");
    }

    #[test]
    fn addresses_hold_no_odd_letters() {
        assert_eq!(encoded("a b/ü#?%"), "a%20b/%C3%BC%23%3F%25");
    }
}
