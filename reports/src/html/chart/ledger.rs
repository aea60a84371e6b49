//! Where the workers' time went: one bar an implementation, which sums to all their time.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Frame, Margins, Named, chart, write};
use crate::group::PointCells;
use crate::html::catalogue::Catalogue;
use crate::html::ink::{Ink, Mark, Palette};
use crate::summary::Shares;
use crate::text::{fit, percent};

/// Parts with a larger share are labelled inside the bar.
const LABELLED_SHARE: f64 = 0.08;

/// The chart of one point, all implementations; `None` when no cell was fully timed.
pub(in crate::html) fn ledger(point: &PointCells<'_>, catalogue: &Catalogue, label: &str) -> Option<String> {
    let axis = "share of all workers' time, fastest on top";
    ledger_of(Named::by_implementation(&point.contenders(), catalogue), axis, label)
}

/// The chart of some cells, named `axis` below; `None` when none was fully timed.
pub(in crate::html) fn ledger_of(cells: Vec<Named<'_>>, axis: &str, label: &str) -> Option<String> {
    let bars: Vec<(Named<'_>, Shares)> = cells
        .into_iter()
        .filter_map(|named| Some((named.cell.profile.as_ref()?.ledger?, named)))
        .map(|(s, n)| (n, s))
        .collect();
    if bars.is_empty() {
        return None;
    }
    let parts = bars.iter().flat_map(|(cell, shares)| {
        shares.parts().map(|(part, share)| Mark {
            series: cell.series,
            // Whose bar it is stands beside it.
            title: format!("{part} {}", percent(share)),
        })
    });
    let marks: Vec<Mark> = parts.collect();
    let rows = bars.len() as f64;
    let frame = Frame {
        height: 80 + 22 * bars.len() as u32,
        margins: Margins { left: 250, right: 30, top: 24, bottom: 46 },
        x: (0.0, 1.0),
        // Rows count downwards.
        y: (rows, 0.0),
        x_ticks: [0.0, 0.25, 0.5, 0.75, 1.0].map(|v| (v, percent(v))).to_vec(),
        y_ticks: Vec::new(),
        x_name: axis.into(),
        y_name: String::new(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        for (row, (_, shares)) in bars.iter().enumerate() {
            let top = row as f64;
            let mut from = 0.0;
            for (part, (_, share)) in shares.parts().into_iter().enumerate() {
                // A residue below 0 has no width: the table shows it.
                let to = (from + share.max(0.0)).min(1.0);
                let mark = (row * shares.parts().len() + part) as u16;
                let ink = Ink::Mark { palette: Palette::Part, colour: part as u8, mark };
                if to > from {
                    plane.draw_series([Rectangle::new(
                        [(from, top + 0.12), (to, top + 0.88)],
                        ink.key().filled(),
                    )])?;
                }
                if to - from >= LABELLED_SHARE {
                    let at = plane.backend_coord(&((from + to) / 2.0, top + 0.5));
                    // Colours from 16 on are the text on the part of that number.
                    let ink = Ink::Mark { palette: Palette::Part, colour: 16 + part as u8, mark };
                    write(root, &percent(share.round_to_percent()), at, HPos::Center, VPos::Center, ink)?;
                }
                from = to;
            }
        }
        for (row, (cell, _)) in bars.iter().enumerate() {
            let at = plane.backend_coord(&(0.0, row as f64 + 0.5));
            write(root, &fit(&cell.name, 30), (at.0 - 8, at.1), HPos::Right, VPos::Center, Ink::Text)?;
        }
        Ok(())
    }))
}

trait RoundToPercent {
    fn round_to_percent(self) -> f64;
}

impl RoundToPercent for f64 {
    /// Inside a bar there is no room for decimals.
    fn round_to_percent(self) -> f64 {
        (self * 100.0).round() / 100.0
    }
}
