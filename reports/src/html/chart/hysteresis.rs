//! Throughput on the way up and on the way down of a ramp: a lock without memory draws one line, a loop is hysteresis.

use plotters::prelude::*;

use super::{
    Frame, Label, Margins, Named, chart, class_mark, label_column, log_range, log_ticks, room_for_names,
};
use crate::html::catalogue::Catalogue;
use crate::html::ink::Mark;
use crate::summary::{PhaseRate, Summary};
use crate::text::{fit, si};

/// Throughput by active threads, in the order of the phases.
type Branch = Vec<(u32, f64)>;

/// The way up, the peak included, and the way down, from the peak on.
fn branches(rates: &[PhaseRate]) -> (Branch, Branch) {
    let point = |rate: &PhaseRate| (rate.active, rate.throughput_per_s.median);
    let most = rates.iter().map(|rate| rate.active).max().unwrap_or(0);
    let first = rates.iter().position(|rate| rate.active == most).unwrap_or(0);
    let last = rates.iter().rposition(|rate| rate.active == most).unwrap_or(0);
    let up = rates.iter().take(first + 1).map(point).collect();
    let down = rates.iter().skip(last).map(point).collect();
    (up, down)
}

/// A cell with its two branches.
type Loop<'a> = (Named<'a>, Branch, Branch);

/// The chart of some cells, of one ramp; `None` when none went up and down.
pub(in crate::html) fn hysteresis(cells: &[&Summary], catalogue: &Catalogue, label: &str) -> Option<String> {
    let loops: Vec<Loop<'_>> = Named::by_implementation(cells, catalogue)
        .into_iter()
        .filter_map(|named| {
            let phases = named.cell.phases.as_ref().filter(|phases| !phases.ramp.is_empty())?;
            let (up, down) = branches(&phases.rates);
            Some((named, up, down))
        })
        .collect();
    let points =
        || loops.iter().flat_map(|(_, up, down)| up.iter().chain(down)).filter(|p| p.0 > 0 && p.1 > 0.0);
    let (low, high) = log_range(points().map(|p| p.1))?;
    let mut active: Vec<u32> = points().map(|p| p.0).collect();
    active.sort_unstable();
    active.dedup();
    let x_of = |threads: u32| f64::from(threads).log2();
    let marks: Vec<Mark> = loops
        .iter()
        .map(|(named, up, down)| {
            let values = |branch: &[(u32, f64)]| {
                let values: Vec<String> =
                    branch.iter().map(|(n, rate)| format!("{} at {n}", si(*rate))).collect();
                values.join(", ")
            };
            let title = format!("{}: up {}; down {}", named.name, values(up), values(down));
            Mark { series: named.series, title }
        })
        .collect();
    let frame = Frame {
        height: 160 + 15 * loops.len().max(14) as u32,
        margins: Margins { left: 60, right: room_for_names(cells.len()), top: 30, bottom: 50 },
        x: (x_of(active[0]) - 0.15, x_of(active[active.len() - 1]) + 0.15),
        y: (low.log10(), high.log10()),
        x_ticks: active.iter().map(|n| (x_of(*n), n.to_string())).collect(),
        y_ticks: log_ticks(low, high, si),
        x_name: "active threads".into(),
        y_name: "operations a second, median of the launches (logarithmic)".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut labels = Vec::new();
        for (index, (named, up, down)) in loops.iter().enumerate() {
            let ink = class_mark(named.colour, index as u16);
            let place = |branch: &[(u32, f64)]| -> Vec<(f64, f64)> {
                let drawn = branch.iter().filter(|(n, rate)| *n > 0 && *rate > 0.0);
                drawn.map(|(n, rate)| (x_of(*n), rate.log10())).collect()
            };
            let (up, down) = (place(up), place(down));
            if let Some(peak) = up.last().or(down.first()).filter(|_| cells.len() > 1) {
                labels.push(Label { y: plane.backend_coord(peak).1, text: fit(&named.name, 31), ink });
            }
            plane.draw_series([PathElement::new(up.clone(), ink.key().stroke_width(2))])?;
            plane.draw_series(up.iter().map(|p| Circle::new(*p, 4, ink.key().filled())))?;
            plane.draw_series([PathElement::new(down.clone(), ink.key())])?;
            plane.draw_series(down.iter().skip(1).map(|p| Circle::new(*p, 4, ink.key().stroke_width(2))))?;
        }
        let bounds = (30, frame.height as i32 - 50);
        label_column(root, plane.backend_coord(&(frame.x.1, frame.y.0)).0, bounds, labels)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Spread;

    #[test]
    fn branches_share_the_peak() {
        let rate = |active: u32, value: f64| PhaseRate {
            active,
            stalled: false,
            begin_ns: 0.0,
            end_ns: 1.0,
            throughput_per_s: Spread::of([value]).unwrap(),
        };
        let rates = [rate(1, 9.0), rate(2, 5.0), rate(4, 3.0), rate(2, 4.0), rate(1, 8.0)];
        let (up, down) = branches(&rates);
        assert_eq!(up, [(1, 9.0), (2, 5.0), (4, 3.0)]);
        assert_eq!(down, [(4, 3.0), (2, 4.0), (1, 8.0)]);
    }
}
