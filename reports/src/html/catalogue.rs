//! What all charts and tables of a page share: a number for each implementation, and its class of design.

use std::collections::HashMap;

use record::cell::ImplementationRole;

use crate::summary::Summary;

/// Names of the classes, in the order of their colours.
pub(super) const CLASSES: [&str; 7] =
    ["Go's versions", "spinning", "queue of spinners", "other designs", "peers", "real Go", "floor"];

/// The numbers of the implementations on a page.
pub(super) struct Catalogue {
    series: HashMap<String, usize>,
}

impl Catalogue {
    /// Numbers the names in alphabetical order.
    pub(super) fn new(cells: &[Summary]) -> Catalogue {
        let mut names: Vec<&String> = cells.iter().map(|c| &c.name).collect();
        names.sort_unstable();
        names.dedup();
        Catalogue { series: names.into_iter().enumerate().map(|(i, name)| (name.clone(), i)).collect() }
    }

    /// The number of a name: marks and rows of equal numbers light up together.
    pub(super) fn series(&self, name: &str) -> usize {
        self.series.get(name).copied().unwrap_or(usize::MAX)
    }

    /// Index into [`CLASSES`]. Classes follow the naming of permanent ids; an unknown design is an `other`.
    pub(super) fn class(&self, cell: &Summary) -> usize {
        let design = cell.implementation.split_once('/').map_or(cell.implementation.as_str(), |(_, d)| d);
        match cell.role {
            ImplementationRole::Floor => 6,
            ImplementationRole::Peer if design.starts_with("engine-") => 5,
            ImplementationRole::Peer => 4,
            ImplementationRole::Design => match design {
                "mcs" | "clh" | "array" => 2,
                "ticket" | "hticket" => 1,
                d if d.starts_with("spin-") => 1,
                d if d.starts_with("go-") => 0,
                d if d.starts_with("engine-") => 5,
                _ => 3,
            },
        }
    }
}
