//! Which cell stands against which.

use serde::Serialize;

use crate::summary::Summary;

/// A cell that is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unpaired {
    /// Name of the implementation.
    pub name: String,
    /// Name of the point.
    pub label: String,
    /// Why.
    pub reason: String,
}

impl Unpaired {
    fn of(cell: &Summary, reason: impl Into<String>) -> Unpaired {
        Unpaired { name: cell.name.clone(), label: cell.label.clone(), reason: reason.into() }
    }
}

type Pairs<'a> = (Vec<(&'a Summary, &'a Summary)>, Vec<Unpaired>);

/// Whether a cell goes by `wanted`: its name with parameters, or its id.
pub(crate) fn is_called(cell: &Summary, wanted: &str) -> bool {
    cell.name == wanted
        || (cell.implementation == wanted && cell.arm.is_empty())
        || (cell.implementation == wanted && cell.arm == "a")
}

fn same_point(a: &Summary, b: &Summary) -> bool {
    a.label == b.label && a.threads == b.threads && a.curve_key == b.curve_key && a.source == b.source
}

fn why_not(cell: &Summary) -> Option<String> {
    if cell.ranked() {
        return None;
    }
    let reasons =
        if cell.reasons.is_empty() { String::new() } else { format!(": {}", cell.reasons.join("; ")) };
    Some(match cell.throughput_per_s {
        None if cell.status == record::Status::Ok => "no plain launch".to_owned(),
        _ => format!("{}{reasons}", cell.status.name()),
    })
}

/// The same cells in two sets.
pub(crate) fn same_cells<'a>(a: &'a [Summary], b: &'a [Summary], across: bool) -> Pairs<'a> {
    let (mut pairs, mut unpaired) = (Vec::new(), Vec::new());
    let partner = |x: &Summary, y: &Summary| {
        x.name == y.name && same_point(x, y) && (across || x.fingerprint == y.fingerprint)
    };
    for x in a {
        match b.iter().find(|y| partner(x, y)) {
            None => unpaired.push(Unpaired::of(x, "only in A")),
            Some(y) => match (why_not(x), why_not(y)) {
                (None, None) => pairs.push((x, y)),
                (Some(reason), _) => unpaired.push(Unpaired::of(x, format!("A is {reason}"))),
                (None, Some(reason)) => unpaired.push(Unpaired::of(y, format!("B is {reason}"))),
            },
        }
    }
    let alone = b.iter().filter(|y| !a.iter().any(|x| partner(x, y)));
    unpaired.extend(alone.map(|y| Unpaired::of(y, "only in B")));
    (pairs, unpaired)
}

/// Two implementations in one set, at every point that holds both.
pub(crate) fn implementations<'a>(cells: &'a [Summary], a: &str, b: &str) -> Pairs<'a> {
    let (mut pairs, mut unpaired) = (Vec::new(), Vec::new());
    let partner = |x: &Summary, y: &Summary| same_point(x, y) && x.fingerprint == y.fingerprint;
    for x in cells.iter().filter(|c| is_called(c, a)) {
        match cells.iter().find(|y| is_called(y, b) && partner(x, y)) {
            None => unpaired.push(Unpaired::of(x, format!("no record of {b} at this point"))),
            Some(y) => match (why_not(x), why_not(y)) {
                (None, None) => pairs.push((x, y)),
                (Some(reason), _) => unpaired.push(Unpaired::of(x, reason)),
                (None, Some(reason)) => unpaired.push(Unpaired::of(y, reason)),
            },
        }
    }
    let alone = cells.iter().filter(|y| is_called(y, b));
    let alone = alone.filter(|y| !cells.iter().any(|x| is_called(x, a) && partner(x, y)));
    unpaired.extend(alone.map(|y| Unpaired::of(y, format!("no record of {a} at this point"))));
    (pairs, unpaired)
}
