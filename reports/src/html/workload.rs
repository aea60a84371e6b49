//! The page of a workload: all implementations on it, curve by curve and point by point.

use maud::{Markup, html};
use rayon::prelude::*;

use super::site::{At, Page, WorkloadOf, group_title};
use super::{prose, section};
use crate::group::PointCells;
use crate::text::fit;

/// The page.
pub(super) fn page(at: &At<'_, '_>, workload: &WorkloadOf<'_>) -> Page {
    let site = at.site;
    let group = &site.groups[workload.group];
    let points: Vec<(usize, &PointCells<'_>)> =
        workload.points.iter().map(|&index| (index, &group.points[index])).collect();
    let rendered: Vec<Markup> =
        points.par_iter().map(|(index, point)| section::section(at, group, point, *index)).collect();
    let body = html! {
        p .trail { (group_title(site, workload.group)) }
        @if let Some(about) = site.about(workload.name) {
            p { strong { (about.summary) } }
            @if !about.analysis.is_empty() { div .prose { (prose::render(at, &about.analysis, 2)) } }
        }
        @if points.len() > 1 {
            nav aria-label="Points" {
                ul { @for (index, point) in &points { li { a href=(at.here(&format!("p{index}"))) { (fit(point.label, 60)) } } } }
            }
        }
        @for (nth, ((_, point), rendered)) in points.iter().zip(&rendered).enumerate() {
            @if points[..nth].iter().all(|(_, earlier)| earlier.curve_key != point.curve_key) {
                (section::curve(at, group, point))
            }
            (rendered)
        }
    };
    Page { route: at.route, title: fit(workload.name, 80), body }
}
