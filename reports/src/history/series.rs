//! Points of one kind in the order of time, and where changes were accepted.

use super::line::{Epoch, History, Point};

/// A series: everything but time, revision and ratio is the same for all of its points.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<'a> {
    /// In the order of time; never empty.
    pub points: Vec<&'a Point>,
    /// Accepted changes that fall on it: index of the first point of the new level, and the epoch.
    pub epochs: Vec<(usize, &'a Epoch)>,
}

impl Series<'_> {
    /// What all points share.
    pub fn of(&self) -> &Point {
        self.points[0]
    }

    /// Index of the first point that is judged together with the last: after the last accepted change.
    pub fn current(&self) -> usize {
        self.epochs.iter().map(|(at, _)| *at).max().unwrap_or(0)
    }
}

/// Points with the same key lie on one series.
fn key(point: &Point) -> impl Ord + use<'_> {
    (
        (point.source, &point.fingerprint, &point.machine, &point.reference),
        (&point.label, &point.point, &point.implementation, &point.params, point.metric),
    )
}

/// All series, by computer, machine, point, implementation and metric.
pub fn series(history: &History) -> Vec<Series<'_>> {
    let mut points: Vec<&Point> = history.points.iter().collect();
    // Stable: of one moment, the order in which they were added.
    points.sort_by(|a, b| key(a).cmp(&key(b)).then(a.time_unix_ms.cmp(&b.time_unix_ms)));
    let runs = points.chunk_by(|a, b| key(a).cmp(&key(b)).is_eq());
    runs.map(|points| Series { points: points.to_vec(), epochs: epochs(points, &history.epochs) }).collect()
}

fn epochs<'a>(points: &[&Point], all: &'a [Epoch]) -> Vec<(usize, &'a Epoch)> {
    let first = points[0];
    let meant = |epoch: &&Epoch| {
        epoch.implementation.as_ref().is_none_or(|id| *id == first.implementation)
            && epoch.label.as_ref().is_none_or(|label| *label == first.label)
            && epoch.metric.is_none_or(|metric| metric == first.metric)
    };
    let place = |epoch: &Epoch| {
        let named = points.iter().position(|point| point.revision == epoch.from_revision);
        named.or_else(|| points.iter().position(|point| point.time_unix_ms >= epoch.since_unix_ms))
    };
    let mut found: Vec<(usize, &Epoch)> =
        all.iter().filter(meant).filter_map(|epoch| Some((place(epoch)?, epoch))).collect();
    found.sort_by_key(|(at, _)| *at);
    found
}
