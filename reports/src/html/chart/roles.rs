//! How waits and holds of each role are spread: histograms over the logarithm of time, one above the other.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Frame, Margins, chart, log_ticks, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::summary::{BINS_PER_DECADE, Percentiles};
use crate::text::{fit, si, time};

/// Pixels of a row.
const ROW: u32 = 86;

/// A row: its name, whether it is of waits, and the distribution.
pub(in crate::html) struct Row<'a> {
    /// Role and metric.
    pub(in crate::html) name: String,
    /// Which of the colours of the ledger's parts.
    pub(in crate::html) part: u8,
    /// What it shows.
    pub(in crate::html) times: &'a Percentiles,
}

fn edge_ns(bin: u32) -> f64 {
    10f64.powf(f64::from(bin) / f64::from(BINS_PER_DECADE))
}

/// The chart of some distributions; `None` without any.
pub(in crate::html) fn roles(rows: &[Row<'_>], series: usize, label: &str) -> Option<String> {
    let bins = || rows.iter().flat_map(|row| &row.times.bins);
    let (first, last) = (bins().map(|b| b.0).min()?, bins().map(|b| b.0).max()? + 1);
    // Without tooltips all bars of a row are one outline: a report holds hundreds of these pictures.
    let bars = rows.iter().map(|row| row.times.bins.len()).sum();
    let marks = vec![Mark { series, title: String::new() }; bars];
    let (low, high) = (edge_ns(first), edge_ns(last));
    let frame = Frame {
        height: 56 + ROW * rows.len() as u32,
        margins: Margins { left: 150, right: 24, top: 8, bottom: 48 },
        x: (low.log10(), high.log10()),
        y: (rows.len() as f64, 0.0),
        x_ticks: log_ticks(low, high, time),
        y_ticks: Vec::new(),
        x_name: "time (logarithmic); heights are logarithms of counts".into(),
        y_name: String::new(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut mark = 0;
        for (index, row) in rows.iter().enumerate() {
            let base = index as f64 + 0.97;
            let most = row.times.bins.iter().map(|b| b.1).max().unwrap_or(1) as f64;
            // One value has a height too.
            let height = |count: u64| (count as f64 * 2.0).ln() / (most * 2.0).ln().max(f64::EPSILON) * 0.84;
            for &(bin, count) in &row.times.bins {
                let ink = Ink::Mark { palette: Palette::Part, colour: row.part, mark };
                let corners =
                    [(edge_ns(bin).log10(), base - height(count)), (edge_ns(bin + 1).log10(), base)];
                plane.draw_series([Rectangle::new(corners, ink.key().filled())])?;
                mark += 1;
            }
            plane.draw_series([PathElement::new(
                vec![(frame.x.0, base), (frame.x.1, base)],
                Ink::Muted.key(),
            )])?;
            let (x, y) = plane.backend_coord(&(frame.x.0, base));
            write(root, &fit(&row.name, 20), (x - 8, y - 20), HPos::Right, VPos::Center, Ink::Text)?;
            write(root, &si(row.times.count as f64), (x - 8, y - 5), HPos::Right, VPos::Center, Ink::Muted)?;
        }
        Ok(())
    }))
}
