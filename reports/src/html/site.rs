//! What all pages of a report share: the runs, their cells and groups, and the addresses of the pages.

use std::collections::BTreeMap;

use record::store::Loaded;
use record::{ImplementationCard, Proof, Record, WorkloadCard};

use super::Options;
use super::catalogue::Catalogue;
use super::comparison::{self, Pairing};
use super::lineage::{self, Lineage};
use super::raw::Raw;
use super::route::{Route, Routes};
use crate::group::{Group, PointCells, group};
use crate::noise;
use crate::scale;
use crate::summary::Summary;

/// All about a report.
pub(super) struct Site<'a> {
    /// The runs.
    pub(super) runs: &'a [Loaded],
    /// How it is made.
    pub(super) options: &'a Options,
    /// What the report is called.
    pub(super) title: String,
    /// The cells of all runs.
    pub(super) cells: &'a [Summary],
    /// The record of each cell, in the same order.
    pub(super) records: Vec<&'a Record>,
    /// The run of each cell, in the same order: an index into `runs`.
    pub(super) run_of: Vec<usize>,
    /// The cells by computer and point.
    pub(super) groups: Vec<Group<'a>>,
    /// Numbers and classes of the implementations.
    pub(super) catalogue: Catalogue,
    /// The workloads of each group.
    pub(super) workloads: Vec<WorkloadOf<'a>>,
    /// Permanent ids of all implementations, in alphabetical order.
    pub(super) implementations: Vec<&'a str>,
    /// The cards that the runs carry, by id.
    pub(super) cards: BTreeMap<&'a str, &'a ImplementationCard>,
    /// Families of designs that follow each other.
    pub(super) lineages: Vec<Lineage<'a>>,
    /// Pages about simulated machines, with their names: those that the runs hold something for.
    pub(super) scales: Vec<(Route, &'static str)>,
    /// What is compared.
    pub(super) comparisons: Vec<Pairing>,
    /// From which ratio on, above 1, a difference is worth talking about, point by point.
    pub(super) margins: noise::Margins,
    /// Raw files.
    pub(super) raw: Raw,
    /// Addresses.
    pub(super) routes: Routes,
}

/// A workload in one group.
pub(super) struct WorkloadOf<'a> {
    /// Index of the group.
    pub(super) group: usize,
    /// Its name.
    pub(super) name: &'a str,
    /// Indices of its points in the group.
    pub(super) points: Vec<usize>,
}

/// A page before it has its frame.
pub(super) struct Page {
    /// Which one.
    pub(super) route: Route,
    /// Its title, also its first heading.
    pub(super) title: String,
    /// What stands below that.
    pub(super) body: maud::Markup,
}

/// A page as the place where links begin.
#[derive(Clone, Copy)]
pub(super) struct At<'s, 'a> {
    /// The site.
    pub(super) site: &'s Site<'a>,
    /// The page.
    pub(super) route: Route,
}

impl<'a> Site<'a> {
    /// `cells` are the summaries of all records of `runs`, in order.
    pub(super) fn new(runs: &'a [Loaded], cells: &'a [Summary], options: &'a Options, raw: Raw) -> Site<'a> {
        let records: Vec<&Record> = runs.iter().flat_map(|run| &run.records).collect();
        let run_of =
            runs.iter().enumerate().flat_map(|(i, run)| run.records.iter().map(move |_| i)).collect();
        let groups = group(cells);
        let workloads = workloads(&groups);
        let mut implementations: Vec<&str> = cells.iter().map(|c| c.implementation.as_str()).collect();
        implementations.sort_unstable();
        implementations.dedup();
        let catalogues = || runs.iter().filter_map(|run| run.manifest.catalogue.as_ref());
        // Of several runs the first that describes something is believed.
        let cards: BTreeMap<&str, &ImplementationCard> = catalogues()
            .flat_map(|c| &c.implementations)
            .rev()
            .map(|card| (card.id.as_str(), card))
            .collect();
        let lineages = lineage::lineages(&cards, &implementations);
        let scales = [
            (Route::Scale, "Scaling", !scale::curves::loads(&groups).is_empty()),
            (Route::Phases, "Phases", !scale::grid::grids(&groups).is_empty()),
            (Route::WhatIf, "What if", !scale::sweep::sweeps(&groups).is_empty()),
        ];
        let scales = scales.into_iter().filter(|s| s.2).map(|(route, name, _)| (route, name)).collect();
        let comparisons = comparison::pairings(runs, &implementations, &lineages, cells, options);
        let mut routes = Routes::new(options.single_file);
        let group_id = |group: usize| {
            // The first group, nearly always the only one, needs no name.
            if group == 0 { String::new() } else { format!("@{}", group_id(&groups[group])) }
        };
        routes.add(
            "workloads",
            workloads
                .iter()
                .enumerate()
                .map(|(i, w)| (Route::Workload(i), format!("{}{}", w.name, group_id(w.group)))),
        );
        routes.add(
            "implementations",
            implementations.iter().enumerate().map(|(i, id)| (Route::Implementation(i), (*id).to_owned())),
        );
        routes.add("lineages", lineages.iter().enumerate().map(|(i, l)| (Route::Lineage(i), l.name.clone())));
        routes.add("compare", comparisons.iter().enumerate().map(|(i, c)| (Route::Comparison(i), c.slug())));
        routes.add("cells", cells.iter().enumerate().map(|(i, c)| (Route::Cell(i), c.cell.clone())));
        Site {
            runs,
            options,
            title: title(cells),
            cells,
            records,
            run_of,
            catalogue: Catalogue::new(cells),
            workloads,
            implementations,
            groups,
            cards,
            lineages,
            scales,
            comparisons,
            margins: noise::Margins::of(cells),
            raw,
            routes,
        }
    }

    /// All pages, the first first.
    pub(super) fn pages(&self) -> Vec<Route> {
        let mut pages = vec![Route::Front];
        pages.extend(self.scales.iter().map(|(route, _)| *route));
        pages.extend((0..self.workloads.len()).map(Route::Workload));
        pages.extend((0..self.implementations.len()).map(Route::Implementation));
        pages.extend((0..self.lineages.len()).map(Route::Lineage));
        if !self.workloads.is_empty() {
            pages.push(Route::Comparisons);
        }
        pages.extend((0..self.comparisons.len()).map(Route::Comparison));
        pages.extend((0..self.cells.len()).map(Route::Cell));
        pages.extend([Route::Methodology, Route::Bias, Route::Glossary]);
        pages
    }

    /// What checkers found about an implementation: of several runs the newest.
    pub(super) fn proof(&self, id: &str) -> Option<&'a Proof> {
        let all = self.runs.iter().filter_map(|run| run.verified.as_ref()?.of(id));
        all.max_by_key(|proof| proof.ended_unix_ms)
    }

    /// Whether any run holds what checkers found.
    pub(super) fn has_proofs(&self) -> bool {
        self.runs.iter().any(|run| run.verified.as_ref().is_some_and(|verified| !verified.reports.is_empty()))
    }

    /// What the runs say about a workload.
    pub(super) fn about(&self, workload: &str) -> Option<&'a WorkloadCard> {
        let catalogues = self.runs.iter().filter_map(|run| run.manifest.catalogue.as_ref());
        catalogues.flat_map(|c| &c.workloads).find(|card| card.name == workload)
    }

    /// The page of the workload of a point of a group.
    pub(super) fn workload_of(&self, group: usize, point: usize) -> Route {
        let holds = |w: &WorkloadOf<'_>| w.group == group && w.points.contains(&point);
        self.workloads.iter().position(holds).map_or(Route::Front, Route::Workload)
    }

    /// The index of a cell of this site, by its place in memory.
    pub(super) fn index_of(&self, cell: &Summary) -> usize {
        let offset = std::ptr::from_ref(cell).addr() - self.cells.as_ptr().addr();
        offset / size_of::<Summary>()
    }

    /// The points of a workload.
    pub(super) fn points_of(&self, workload: &WorkloadOf<'_>) -> impl Iterator<Item = &PointCells<'a>> {
        let group = &self.groups[workload.group];
        workload.points.iter().map(|&point| &group.points[point])
    }
}

fn title(cells: &[Summary]) -> String {
    let family = |c: &Summary| c.implementation.split('/').next().unwrap_or_default().to_owned();
    let mut families: Vec<String> = cells.iter().map(family).collect();
    families.sort_unstable();
    families.dedup();
    match families.as_slice() {
        [] => "Contention report".into(),
        some => format!("Contention report: {}", crate::text::fit(&some.join(", "), 60)),
    }
}

/// The group in words.
pub(super) fn group_title(site: &Site<'_>, index: usize) -> String {
    let group = &site.groups[index];
    let f = group.fingerprint;
    let place = match &group.source {
        crate::summary::Source::Measured => {
            format!("Measured on {}, {} cores [{}]", f.cpu_model, f.cores, f.id())
        }
        simulated => format!("{}: a model, no computer", simulated.name()),
    };
    let several = site.groups.iter().filter(|g| g.source == group.source && g.fingerprint == f).count() > 1;
    match site.runs.get(group.run) {
        Some(run) if several => format!(
            "{place}, run {} (suite {}, begun {})",
            group.run + 1,
            run.manifest.suite,
            super::environment::utc(run.manifest.started_unix_ms)
        ),
        _ => place,
    }
}

/// A short name of a group: the id of its computer, or the model's preset.
pub(super) fn group_id(group: &Group<'_>) -> String {
    match &group.source {
        crate::summary::Source::Measured => group.fingerprint.id(),
        simulated => simulated.name(),
    }
}

fn workloads<'a>(groups: &[Group<'a>]) -> Vec<WorkloadOf<'a>> {
    let mut all: Vec<WorkloadOf<'a>> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        for (at, point) in group.points.iter().enumerate() {
            match all.iter_mut().find(|w| w.group == index && w.name == point.workload) {
                Some(workload) => workload.points.push(at),
                None => all.push(WorkloadOf { group: index, name: point.workload, points: vec![at] }),
            }
        }
    }
    all
}

impl<'s, 'a> At<'s, 'a> {
    /// The address of another page.
    pub(super) fn link(&self, to: Route) -> String {
        self.site.routes.href(self.route, to, None)
    }

    /// The address of a part of a page.
    pub(super) fn link_part(&self, to: Route, part: &str) -> String {
        self.site.routes.href(self.route, to, Some(part))
    }

    /// The id of a part of this page.
    pub(super) fn id(&self, part: &str) -> String {
        self.site.routes.id(self.route, part)
    }

    /// The address of a part of this page.
    pub(super) fn here(&self, part: &str) -> String {
        self.link_part(self.route, part)
    }

    /// The address of a paragraph of the methodology, by the anchor of its heading.
    pub(super) fn method(&self, heading: &str) -> String {
        self.link_part(Route::Methodology, heading)
    }

    /// The address of the page of a cell.
    pub(super) fn cell(&self, cell: &Summary) -> String {
        self.link(Route::Cell(self.site.index_of(cell)))
    }

    /// The address of the page of an implementation.
    pub(super) fn implementation(&self, id: &str) -> Option<String> {
        let at = self.site.implementations.binary_search(&id).ok()?;
        Some(self.link(Route::Implementation(at)))
    }
}
