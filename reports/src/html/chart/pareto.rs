//! Throughput against the p99.9 wait: who is not beaten on both. Fairness is colour, processor time is size.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Area, Drawn, Frame, Margins, Plane, WIDTH, chart, log_range, log_ticks, write};
use crate::group::{PointCells, rate};
use crate::html::catalogue::Catalogue;
use crate::html::ink::{Ink, Mark, Palette};
use crate::summary::Summary;
use crate::text::{fit, si, time};

/// Lower bounds of the steps of fairness, as the legend names them.
pub(in crate::html) const JAIN_STEPS: [f64; 3] = [0.5, 0.8, 0.95];

/// Width of a letter, pixels; generous, so that labels surely do not touch.
const LETTER: i32 = 7;

struct Dot<'a> {
    cell: &'a Summary,
    rate: f64,
    tail_ns: f64,
    on_front: bool,
}

/// The cells of a point that no other beats in both throughput and p99.9 wait, fastest first; and those that are
/// beaten. Cells without waits, and the floor, take no part.
pub(in crate::html) fn front<'a>(point: &PointCells<'a>) -> (Vec<&'a Summary>, Vec<&'a Summary>) {
    let tail = |c: &Summary| c.wait().map_or(u64::MAX, |w| w.p999_ns);
    let cells: Vec<&Summary> = point.contenders().into_iter().filter(|c| c.wait().is_some()).collect();
    let beaten = |c: &&Summary| {
        cells
            .iter()
            .any(|o| rate(o) >= rate(c) && tail(o) <= tail(c) && (rate(o) > rate(c) || tail(o) < tail(c)))
    };
    cells.iter().copied().partition(|c| !beaten(c))
}

/// The chart of one point; `None` when fewer than two cells take part.
pub(in crate::html) fn pareto(point: &PointCells<'_>, catalogue: &Catalogue, label: &str) -> Option<String> {
    let (on_front, beaten) = front(point);
    let dot = |cell, on_front| -> Option<Dot<'_>> {
        let cell: &Summary = cell;
        Some(Dot { cell, rate: rate(cell), tail_ns: cell.wait()?.p999_ns.max(1) as f64, on_front })
    };
    // The front is drawn last: above the others.
    let mut dots: Vec<Dot<'_>> = beaten.iter().filter_map(|c| dot(*c, false)).collect();
    dots.extend(on_front.iter().filter_map(|c| dot(*c, true)));
    if dots.len() < 2 {
        return None;
    }
    let x = log_range(dots.iter().map(|d| d.rate))?;
    let y = log_range(dots.iter().map(|d| d.tail_ns))?;
    let marks: Vec<Mark> = dots.iter().map(|d| mark(d, catalogue)).collect();
    let frame = Frame {
        height: 480,
        margins: Margins { left: 70, right: 40, top: 34, bottom: 50 },
        x: ((x.0 / 1.15).log10(), (x.1 * 1.25).log10()),
        y: ((y.0 / 2.2).log10(), (y.1 * 1.3).log10()),
        x_ticks: log_ticks(x.0 / 1.15, x.1 * 1.25, si),
        y_ticks: log_ticks(y.0 / 2.2, y.1 * 1.3, time),
        x_name: "operations a second (logarithmic) → better".into(),
        y_name: "p99.9 wait (logarithmic), lower is better".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut path: Vec<(f64, f64)> = Vec::new();
        for d in dots.iter().filter(|d| d.on_front) {
            let (x, y) = (d.rate.log10(), d.tail_ns.log10());
            // Fastest first: a step down, then to the left.
            if let Some((last_x, _)) = path.last().copied() {
                path.push((last_x.min(x), path[path.len() - 1].1));
            }
            path.push((x, y));
        }
        plane.draw_series([PathElement::new(path, Ink::Muted.key().stroke_width(1))])?;
        for (index, d) in dots.iter().enumerate() {
            let at = (d.rate.log10(), d.tail_ns.log10());
            let (ink, size) = (ink(d, index as u16), radius(d.cell, &dots));
            let style = if d.on_front { ink.key().filled() } else { ink.key().stroke_width(2) };
            plane.draw_series([Circle::new(at, size, style)])?;
        }
        names(root, plane, &dots)
    }))
}

fn ink(dot: &Dot<'_>, mark: u16) -> Ink {
    if !dot.on_front {
        return Ink::Mark { palette: Palette::Grey, colour: 0, mark };
    }
    let jain = dot.cell.jain_workers.as_ref().map_or(0.0, |j| j.median);
    let colour = JAIN_STEPS.iter().filter(|s| jain >= **s).count() as u8;
    Ink::Mark { palette: Palette::Step, colour, mark }
}

fn mark(dot: &Dot<'_>, catalogue: &Catalogue) -> Mark {
    let jain = dot.cell.jain_workers.as_ref().map_or_else(|| "-".into(), |j| format!("{:.3}", j.median));
    let cpu = dot.cell.cpu_ns_per_op.as_ref().map_or_else(|| "not known".into(), |c| time(c.median));
    let beaten = if dot.on_front { "" } else { ", dominated" };
    Mark {
        series: catalogue.series(&dot.cell.name),
        title: format!(
            "{}: {} op/s, p99.9 {}, Jain {jain}, CPU per op {cpu}{beaten}",
            dot.cell.name,
            si(dot.rate),
            time(dot.tail_ns)
        ),
    }
}

/// Area in proportion to the processor time per operation, within limits.
fn radius(cell: &Summary, dots: &[Dot<'_>]) -> u32 {
    let cpu = |c: &Summary| c.cpu_ns_per_op.as_ref().map(|s| s.median);
    let most = dots.iter().filter_map(|d| cpu(d.cell)).fold(0.0, f64::max);
    match cpu(cell) {
        Some(ns) if most > 0.0 => (4.0 + 9.0 * (ns / most).sqrt()).round() as u32,
        _ => 5,
    }
}

/// Names beside the dots where there is room: those on the front first, for which farther places are tried too; the others
/// have tooltips.
fn names(root: &Area<'_>, plane: &Plane<'_, '_>, dots: &[Dot<'_>]) -> Drawn {
    let place = |d: &Dot<'_>| plane.backend_coord(&(d.rate.log10(), d.tail_ns.log10()));
    let mut taken: Vec<[i32; 4]> = dots
        .iter()
        .map(|d| {
            let ((x, y), r) = (place(d), radius(d.cell, dots) as i32);
            [x - r, y - r, x + r, y + r]
        })
        .collect();
    // Nor on the line that joins the front.
    let front: Vec<(i32, i32)> = dots.iter().filter(|d| d.on_front).map(place).collect();
    for pair in front.windows(2) {
        let ((from_x, from_y), (to_x, to_y)) = (pair[0], pair[1]);
        let (left, top, low) = (from_x.min(to_x), from_y.min(to_y), from_y.max(to_y));
        taken.push([left, from_y - 1, from_x, from_y + 1]);
        taken.push([left - 1, top, left + 1, low]);
    }
    // A little below the plane stand the names of the ticks.
    let floor = plane.plotting_area().get_y_axis_pixel_range().end + 5;
    for (index, d) in dots.iter().enumerate().rev() {
        let (x, y) = place(d);
        let r = radius(d.cell, dots) as i32 + 4;
        let text = fit(&d.cell.name, 34);
        let width = text.chars().count() as i32 * LETTER;
        let free = |b: &[i32; 4]| {
            let inside = b[0] >= 0 && b[2] <= WIDTH as i32 && b[1] >= 26 && b[3] <= floor;
            inside && taken.iter().all(|t| b[0] >= t[2] || b[2] <= t[0] || b[1] >= t[3] || b[3] <= t[1])
        };
        // Right, left, above, below; then over a corner; who is on the front is named even a little way off.
        let near = [(x + r, y), (x - r - width, y), (x - width / 2, y - r - 7), (x - width / 2, y + r + 7)];
        let corners = [-1, 1].into_iter().flat_map(|side| {
            let up = y + side * (r + 7);
            [(x, up), (x - width, up)]
        });
        let far = (1..=3).flat_map(|step| {
            let ups = [y - r - 7 - 15 * step, y + r + 7 + 15 * step];
            ups.into_iter().flat_map(move |up| [(x - width / 2, up), (x - width, up), (x + r, up)])
        });
        let areas = near.into_iter().chain(corners).chain(far.filter(|_| d.on_front));
        let mut areas = areas.map(|(left, middle)| [left, middle - 7, left + width, middle + 7]);
        let Some(area) = areas.find(free) else { continue };
        taken.push(area);
        let ink = if d.on_front {
            Ink::Mark { palette: Palette::Step, colour: 9, mark: index as u16 }
        } else {
            Ink::Mark { palette: Palette::Grey, colour: 1, mark: index as u16 }
        };
        // A line leads to a name that stands off.
        let edge = if area[3] < y { area[3] } else { area[1] };
        if (edge - y).abs() > r + 8 && !(area[1]..=area[3]).contains(&y) {
            let ends = vec![(x, y + (edge - y).signum() * r), (x.clamp(area[0], area[2]), edge)];
            root.draw(&PathElement::new(ends, Ink::Muted.key()))?;
        }
        // Beside its dot a text stands against it, whatever its true width.
        let (from, h) = match area {
            [left, ..] if left >= x => (left, HPos::Left),
            [.., right, _] if right <= x => (right, HPos::Right),
            [left, _, right, _] => ((left + right) / 2, HPos::Center),
        };
        write(root, &text, (from, (area[1] + area[3]) / 2), h, VPos::Center, ink)?;
    }
    Ok(())
}
