//! Throughput before, during and after a stall, as a share of what it was before.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{
    Frame, Label, Margins, Named, chart, class_mark, label_column, linear_ticks, room_for_names,
    signed_ticks, write,
};
use crate::html::catalogue::Catalogue;
use crate::html::ink::{Ink, Mark};
use crate::stats;
use crate::summary::{PhaseRate, RECOVERED_PHASES, RECOVERED_SHARE, Summary};
use crate::text::{fit, percent, time};

/// Phases drawn before the stall.
const BEFORE: usize = 6;
/// Phases drawn after it: what has not recovered by then is off the chart, and its recovery stands in the table.
const AFTER: usize = 40;
/// Shares drawn at most: a phase after a stall may serve what came meanwhile.
const SHARE_MAX: f64 = 2.0;

/// Of each phase around the stall: its middle, in ns since the stall's end, and its throughput over that before.
fn curve(rates: &[PhaseRate]) -> Option<Vec<(f64, f64)>> {
    let stalled = rates.iter().position(|rate| rate.stalled)?;
    let before: Vec<f64> = rates[..stalled].iter().map(|rate| rate.throughput_per_s.median).collect();
    let before = stats::median(&before).filter(|rate| *rate > 0.0)?;
    let end_ns = rates[stalled].end_ns;
    let drawn = rates.iter().skip(stalled.saturating_sub(BEFORE)).take(BEFORE.min(stalled) + 1 + AFTER);
    let place = |rate: &PhaseRate| {
        ((rate.begin_ns + rate.end_ns) / 2.0 - end_ns, rate.throughput_per_s.median / before)
    };
    Some(drawn.map(place).collect())
}

/// Medians of neighbours, each side of the stall for itself: what a phase alone shows is mostly chance.
fn smooth(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let stall = curve.iter().rposition(|(x, _)| *x < 0.0).unwrap_or(0);
    let reach = RECOVERED_PHASES / 2;
    let around = |index: usize| match index {
        _ if index < stall => index.saturating_sub(reach)..(index + reach + 1).min(stall),
        _ if index == stall => index..index + 1,
        _ => (index - reach).max(stall + 1)..(index + reach + 1).min(curve.len()),
    };
    let median = |index: usize| {
        let values: Vec<f64> = curve[around(index)].iter().map(|(_, y)| *y).collect();
        stats::median(&values).unwrap_or(curve[index].1)
    };
    (0..curve.len()).map(|index| (curve[index].0, median(index))).collect()
}

/// When the stall began, in ns before its end.
fn stall_ns(rates: &[PhaseRate]) -> f64 {
    rates.iter().find(|rate| rate.stalled).map_or(0.0, |rate| rate.end_ns - rate.begin_ns)
}

/// The chart of some cells, of one workload with a stall; `None` when none shows one.
pub(in crate::html) fn recovery(cells: &[&Summary], catalogue: &Catalogue, label: &str) -> Option<String> {
    let curves: Vec<(Named<'_>, Vec<(f64, f64)>)> = Named::by_implementation(cells, catalogue)
        .into_iter()
        .filter_map(|named| {
            let curve = curve(&named.cell.phases.as_ref()?.rates)?;
            Some((named, curve))
        })
        .collect();
    let times = || curves.iter().flat_map(|(_, curve)| curve).map(|p| p.0);
    let (from, to) = (times().reduce(f64::min)?, times().reduce(f64::max)?.max(1.0));
    let stall_ns = curves
        .iter()
        .filter_map(|(named, _)| named.cell.phases.as_ref())
        .map(|phases| stall_ns(&phases.rates))
        .fold(0.0, f64::max);
    let top =
        curves.iter().flat_map(|(_, curve)| curve).map(|p| p.1).fold(1.1, f64::max).min(SHARE_MAX) * 1.03;
    let marks: Vec<Mark> = curves
        .iter()
        .map(|(named, _)| {
            let recovery = named.cell.phases.as_ref().and_then(|phases| phases.recovery.as_ref());
            let words = recovery.map_or_else(String::new, |recovery| {
                let after = recovery.recovery_ns.as_ref();
                let after =
                    after.map_or("not recovered".into(), |s| format!("recovered after {}", time(s.median)));
                match recovery.not_recovered {
                    0 => format!(": {after}"),
                    slices => format!(": {after}, {slices} slices did not recover"),
                }
            });
            Mark { series: named.series, title: format!("{}{words}", named.name) }
        })
        .collect();
    let frame = Frame {
        height: 160 + 15 * curves.len().max(12) as u32,
        margins: Margins { left: 60, right: room_for_names(cells.len()), top: 30, bottom: 50 },
        x: (from, to),
        y: (0.0, top),
        x_ticks: signed_ticks(from, to, time),
        y_ticks: linear_ticks(top, percent),
        x_name: "time since the stall ended".into(),
        y_name: "throughput, as a share of that before the stall".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let shade = [((-stall_ns).max(from), 0.0), (0.0, top)];
        plane.draw_series([Rectangle::new(shade, Ink::Grid.key().filled())])?;
        let (x, y) = plane.backend_coord(&(-stall_ns / 2.0, top));
        write(root, "stall", (x, y + 4), HPos::Center, VPos::Top, Ink::Muted)?;
        let recovered = vec![(from, RECOVERED_SHARE), (to, RECOVERED_SHARE)];
        plane.draw_series([PathElement::new(recovered, Ink::Muted.key())])?;
        let mut labels = Vec::new();
        for (index, (named, curve)) in curves.iter().enumerate() {
            let ink = class_mark(named.colour, index as u16);
            let within =
                |points: &[(f64, f64)]| points.iter().map(|(x, y)| (*x, y.min(top))).collect::<Vec<_>>();
            let line = within(&smooth(curve));
            plane.draw_series([PathElement::new(line.clone(), ink.key().stroke_width(2))])?;
            let phases = within(curve);
            plane.draw_series(phases.iter().map(|p| Circle::new(*p, 2, ink.key().mix(0.4).filled())))?;
            if let Some(last) = line.last().filter(|_| cells.len() > 1) {
                labels.push(Label { y: plane.backend_coord(last).1, text: fit(&named.name, 31), ink });
            }
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
    fn time_counts_from_the_end_of_the_stall() {
        let rate = |begin_ns: f64, end_ns: f64, value: f64, stalled| PhaseRate {
            active: 4,
            stalled,
            begin_ns,
            end_ns,
            throughput_per_s: Spread::of([value]).unwrap(),
        };
        let rates = [
            rate(0.0, 10.0, 8.0, false),
            rate(10.0, 12.0, 1.0, true),
            rate(12.0, 14.0, 4.0, false),
            rate(14.0, 16.0, 8.0, false),
        ];
        assert_eq!(curve(&rates).unwrap(), [(-7.0, 1.0), (-1.0, 0.125), (1.0, 0.5), (3.0, 1.0)]);
        assert_eq!(stall_ns(&rates), 2.0);
        // One quick phase after a stall is no recovery, and the stall itself is not smoothed away.
        let after = [(-2.0, 1.0), (-1.0, 0.1), (1.0, 0.25), (3.0, 1.75), (5.0, 0.5), (7.0, 1.0)];
        let smoothed: Vec<f64> = smooth(&after).iter().map(|p| p.1).collect();
        assert_eq!(smoothed, [1.0, 0.1, 1.0, 0.5, 1.0, 0.75]);
        assert!(curve(&rates[..1]).is_none());
    }
}
