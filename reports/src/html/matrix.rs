//! Who beats whom: throughput of all pairs of implementations at one point of each workload.

use maud::{Markup, html};

use super::figure::{scroll, titled};
use super::front::headline_of;
use super::site::{At, group_title};
use crate::group::PointCells;
use crate::stats;
use crate::summary::{CONFIDENCE, Summary};
use crate::text::{change, fit};

/// More implementations than this are no matrix that one can read.
const SIDE_MAX: usize = 40;

/// One matrix for each workload, of its most telling point.
pub(super) fn matrices(at: &At<'_, '_>) -> Markup {
    let site = at.site;
    html! {
        @for (index, workload) in site.workloads.iter().enumerate() {
            @let point = headline_of(site.points_of(workload));
            @if let Some(point) = point.filter(|p| p.contenders().len() > 1) {
                h2 id=(at.id(&format!("who-{index}"))) {
                    (titled(at, &format!("Who beats whom: {}", fit(point.label, 60)), "who-beats-whom"))
                }
                @if site.groups.len() > 1 { p .note { (group_title(site, workload.group)) } }
                (matrix(at, point))
            }
        }
    }
}

fn matrix(at: &At<'_, '_>, point: &PointCells<'_>) -> Markup {
    let mut cells = point.contenders();
    let left_out = cells.len().saturating_sub(SIDE_MAX);
    cells.truncate(SIDE_MAX);
    let margin = cells.first().map(|cell| at.site.margins.at(&cell.label, &cell.source));
    let margin = margin.map_or_else(String::new, |margin| format!(" of {}", change(margin)));
    html! {
        (scroll("Throughput of the row against that of the column", html! {
            table .matrix {
                thead {
                    tr {
                        th scope="col" { "row against column" }
                        @for (column, cell) in cells.iter().enumerate() { th scope="col" title=(cell.name) { (column + 1) } }
                    }
                }
                tbody {
                    @for (row, cell) in cells.iter().enumerate() {
                        tr data-i=(at.site.catalogue.series(&cell.name)) {
                            th scope="row" { (row + 1) " " a href=(at.cell(cell)) { (fit(&cell.name, 40)) } }
                            @for other in &cells { (against(at, cell, other)) }
                        }
                    }
                }
            }
        }))
        p .note {
            "Throughput of the row against that of the column, fastest first. "
            span .v-better { "Faster" } " and " span .v-worse { "slower" }
            " where the interval lies beyond the margin" (margin) "; " span .v-same { "=" }
            " where it lies inside; " span .v-unknown { "?" } " where the launches cannot tell."
            @if left_out > 0 { " The " (left_out) " slowest are left out." }
        }
    }
}

fn against(at: &At<'_, '_>, row: &Summary, column: &Summary) -> Markup {
    if std::ptr::eq(row, column) {
        return html! { td {} };
    }
    let values = |c: &Summary| c.throughput_per_s.as_ref().map_or_else(Vec::new, |s| s.values.clone());
    let margin = at.site.margins.at(&row.label, &row.source);
    let ratio = stats::ratio(&values(column), &values(row), CONFIDENCE).ok().filter(|r| r.reached);
    match ratio {
        Some(r) if r.low > margin => html! { td .v-better { (short(r.estimate)) } },
        Some(r) if r.high < 1.0 / margin => html! { td .v-worse { (short(r.estimate)) } },
        Some(r) if r.low > 1.0 / margin && r.high < margin => html! { td .v-same { "=" } },
        _ => html! { td .v-unknown { "?" } },
    }
}

/// A difference in as few letters as a matrix has room for.
fn short(ratio: f64) -> String {
    match ratio {
        r if r >= 9.95 => format!("×{r:.0}"),
        r if r >= 2.0 => format!("×{r:.1}"),
        r if r > 0.1 => format!("{:+.0}%", (r - 1.0) * 100.0),
        r => format!("÷{:.0}", 1.0 / r),
    }
}
