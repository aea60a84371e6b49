//! The page of a cell: everything that its launches and its record show.

use maud::{Markup, html};
use record::Record;

use super::site::At;
use crate::summary::Summary;

/// What stands below the heading of the page.
pub(super) fn body(at: &At<'_, '_>, cell: &Summary, record: &Record) -> Markup {
    let _ = (at, record);
    html! { p { (cell.status.name()) } }
}
