//! What everybody did around the longest wait: a lane for each worker.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use record::profile::{Interval, IntervalKind, WorstStretch};

use super::{Frame, Margins, chart, signed_ticks, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::{fit, time};

/// The kinds with their colours among the parts of the ledger, and what they are.
pub(in crate::html) const KINDS: [(IntervalKind, u8, &str); 4] = [
    (IntervalKind::Awake, 3, "waits awake: polls, or is on its way"),
    (IntervalKind::Asleep, 4, "waits asleep"),
    (IntervalKind::Waking, 5, "is being woken"),
    (IntervalKind::Hold, 1, "holds"),
];

fn colour(kind: IntervalKind) -> u8 {
    KINDS.iter().find(|(of, ..)| *of == kind).map_or(0, |(_, colour, _)| *colour)
}

/// The chart of one stretch. `names` are those of the workers; `None` when the stretch has no length.
pub(in crate::html) fn lanes(
    stretch: &WorstStretch,
    names: &[String],
    series: usize,
    label: &str,
) -> Option<String> {
    let of_intervals = stretch.intervals.iter().map(|interval| interval.worker as usize + 1);
    let lanes = of_intervals.chain([names.len(), stretch.worker as usize + 1]).max().unwrap_or(0);
    if stretch.span_ns == 0 || lanes > LANES_MAX {
        return None;
    }
    // The clock of the chart begins when the longest wait does.
    let asked = stretch.wait_begin_ns as f64;
    let (from, to) = (-asked, stretch.span_ns as f64 - asked);
    let name = |worker: usize| names.get(worker).map_or_else(|| format!("worker {worker}"), Clone::clone);
    // One mark without a tooltip: the table below holds the lengths, and bars of equal colour become one outline.
    let marks = [Mark { series, title: String::new() }];
    let height = if lanes <= 16 { 24 } else { 14 };
    let frame = Frame {
        height: 72 + height * lanes as u32,
        margins: Margins { left: 150, right: 24, top: 22, bottom: 50 },
        x: (from, to),
        y: (lanes as f64, 0.0),
        x_ticks: signed_ticks(from, to.max(1.0), time),
        y_ticks: Vec::new(),
        x_name: "time since the longest wait began".into(),
        y_name: String::new(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        for worker in 0..lanes {
            let middle = worker as f64 + 0.5;
            plane.draw_series([PathElement::new(vec![(from, middle), (to, middle)], Ink::Grid.key())])?;
            let (x, y) = plane.backend_coord(&(from, middle));
            write(root, &fit(&name(worker), 20), (x - 8, y), HPos::Right, VPos::Center, Ink::Text)?;
        }
        let mut intervals: Vec<&Interval> = stretch.intervals.iter().collect();
        intervals.sort_by_key(|interval| colour(interval.kind));
        for interval in intervals {
            let top = f64::from(interval.worker);
            let ink = Ink::Mark { palette: Palette::Part, colour: colour(interval.kind), mark: 0 };
            // Holding is drawn lower than waiting: with one object no two holds share a moment.
            let inset = if interval.kind == IntervalKind::Hold { 0.12 } else { 0.26 };
            let [begin, end] =
                [interval.begin_ns, interval.end_ns].map(|ns| (ns as f64 - asked).clamp(from, to));
            let corners = [(begin, top + inset), (end, top + 1.0 - inset)];
            plane.draw_series([Rectangle::new(corners, ink.key().filled())])?;
        }
        let end = (stretch.wait_ns as f64).min(to);
        let frame_of_wait =
            [(0.0, f64::from(stretch.worker) + 0.04), (end, f64::from(stretch.worker) + 0.96)];
        plane.draw_series([Rectangle::new(frame_of_wait, Ink::Text.key().stroke_width(2))])?;
        Ok(())
    }))
}

/// More lanes than this are a wall.
const LANES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_stay_within_the_stretch() {
        let interval = |worker, kind, begin_ns, end_ns| Interval { worker, kind, begin_ns, end_ns };
        let stretch = WorstStretch {
            span_ns: 2_000,
            worker: 1,
            wait_begin_ns: 500,
            wait_ns: 1_000,
            intervals: vec![
                interval(0, IntervalKind::Hold, 0, 900),
                interval(1, IntervalKind::Asleep, 500, 1_500),
                // What an engine got wrong must not leave the picture.
                interval(2, IntervalKind::Awake, 1_900, 99_000),
            ],
            ..WorstStretch::default()
        };
        let svg = lanes(&stretch, &[], 0, "lanes").unwrap();
        let bars = crate::html::pen::read::bars(&svg);
        assert_eq!(bars.len(), 4, "three intervals and the frame: {bars:?}");
        assert!(bars.iter().all(|[from, _, width, _]| *from >= 150.0 && from + width <= 877.0), "{bars:?}");
    }

    #[test]
    fn ticks_reach_both_ways() {
        let ticks = signed_ticks(-1_000.0, 3_000.0, time);
        assert!(ticks.iter().any(|t| t.0 < 0.0) && ticks.iter().all(|t| (-1_000.0..=3_001.0).contains(&t.0)));
    }
}
