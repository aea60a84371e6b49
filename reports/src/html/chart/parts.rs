//! One bar whose parts sum to the whole, and the parts in ns: the wait ledger of one cell.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use record::profile::Ledger;

use super::{Frame, Margins, chart, linear_ticks, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::{percent, time};

/// Parts with a larger share are named inside the bar.
const NAMED_SHARE: f64 = 0.06;

/// A part of the ledger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::html) struct Part {
    /// What the time went into.
    pub(in crate::html) name: &'static str,
    /// How much; the last part, unexplained, is below 0 where the others explain more than there was.
    pub(in crate::html) ns: i128,
    /// Its share of the whole.
    pub(in crate::html) share: f64,
}

/// The parts of a ledger, in the order of the bar. They add up to its span.
pub(in crate::html) fn parts_of(ledger: &Ledger) -> Vec<Part> {
    let named = [
        ("think", ledger.think_ns),
        ("hold", ledger.hold_ns),
        ("fast path", ledger.fast_ns),
        ("spin", ledger.spin_ns),
        ("park", ledger.park_ns),
        ("wake", ledger.wake_ns),
        ("slow path", ledger.lost_ns),
        ("preempted", ledger.preempted_ns),
    ];
    let explained: i128 = named.iter().map(|(_, ns)| i128::from(*ns)).sum();
    let rest = ("unexplained", i128::from(ledger.span_ns) - explained);
    let share = |ns: i128| if ledger.span_ns == 0 { 0.0 } else { ns as f64 / ledger.span_ns as f64 };
    let all = named.into_iter().map(|(name, ns)| (name, i128::from(ns))).chain([rest]);
    all.map(|(name, ns)| Part { name, ns, share: share(ns) }).collect()
}

/// The bar; `None` of a ledger without time. Where more is explained than there was, it is as long as what is explained.
pub(in crate::html) fn parts(ledger: &Ledger, series: usize, label: &str) -> Option<String> {
    let parts = parts_of(ledger);
    let whole_ns: f64 = parts.iter().map(|part| part.ns.max(0) as f64).sum();
    if whole_ns <= 0.0 {
        return None;
    }
    // The table below holds the numbers: tooltips would repeat it.
    let marks = vec![Mark { series, title: String::new() }; parts.len()];
    let frame = Frame {
        height: 110,
        margins: Margins { left: 24, right: 24, top: 8, bottom: 48 },
        x: (0.0, whole_ns),
        y: (1.0, 0.0),
        x_ticks: linear_ticks(whole_ns, time),
        y_ticks: Vec::new(),
        x_name: "time of all workers together".into(),
        y_name: String::new(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let ink = |colour: usize, index: usize| Ink::Mark {
            palette: Palette::Part,
            colour: colour as u8,
            mark: index as u16,
        };
        let mut from = 0.0;
        let mut middles = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let to = from + part.ns.max(0) as f64;
            if to > from {
                let corners = [(from, 0.05), (to, 0.95)];
                plane.draw_series([Rectangle::new(corners, ink(index, index).key().filled())])?;
            }
            if (to - from) / whole_ns >= NAMED_SHARE {
                middles.push((index, part, (from + to) / 2.0));
            }
            from = to;
        }
        for (index, part, middle) in middles {
            let (x, y) = plane.backend_coord(&(middle, 0.5));
            // Colours from 16 on are the text on the part of that number.
            write(root, part.name, (x, y - 8), HPos::Center, VPos::Center, ink(16 + index, index))?;
            let share = percent((part.share * 100.0).round() / 100.0);
            write(root, &share, (x, y + 8), HPos::Center, VPos::Center, ink(16 + index, index))?;
        }
        Ok(())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_span() {
        let mut ledger =
            Ledger { span_ns: 1_000, think_ns: 500, spin_ns: 300, wake_ns: 150, ..Ledger::default() };
        let sum = |ledger: &Ledger| parts_of(ledger).iter().map(|part| part.ns).sum::<i128>();
        assert_eq!((sum(&ledger), parts_of(&ledger)[8].ns), (1_000, 50));
        ledger.hold_ns = 100;
        assert_eq!((sum(&ledger), parts_of(&ledger)[8].ns), (1_000, -50));
        let svg = parts(&ledger, 0, "ledger").unwrap();
        // The bars stand side by side and fill the plane.
        let widths: f64 = crate::html::pen::read::bars(&svg).iter().map(|[_, _, width, _]| width).sum();
        assert!((widths - f64::from(super::super::WIDTH - 48)).abs() <= 4.0, "{widths}");
        assert!(parts(&Ledger::default(), 0, "").is_none());
    }
}
