//! What settings trade: throughput against the p99 wait, both as ratios to the default of the same blocks.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Frame, Margins, chart, log_range, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::{change, percent};

/// A setting in one scenario.
pub(in crate::html) struct Trade {
    /// Its name.
    pub(in crate::html) name: String,
    /// Dots of equal numbers light up together.
    pub(in crate::html) series: usize,
    /// Throughput by the default's: estimate, low, high.
    pub(in crate::html) throughput: (f64, f64, f64),
    /// p99 wait by the default's: estimate, low, high.
    pub(in crate::html) wait: (f64, f64, f64),
    /// Probability that it belongs to the front.
    pub(in crate::html) membership: f64,
    /// Whether it is named in the picture.
    pub(in crate::html) named: bool,
}

/// Width of a letter, pixels; generous, so that labels surely do not touch.
const LETTER: i32 = 7;

/// Lower bounds of the steps of membership.
pub(in crate::html) const MEMBERSHIP_STEPS: [f64; 3] = [0.05, 0.5, 0.95];

/// Draws one scenario; `None` of fewer than two settings.
pub(in crate::html) fn trade(trades: &[Trade], label: &str) -> Option<String> {
    if trades.len() < 2 {
        return None;
    }
    let x = log_range(trades.iter().flat_map(|t| [t.throughput.0, t.throughput.1, t.throughput.2, 1.0]))?;
    let y = log_range(trades.iter().flat_map(|t| [t.wait.0, t.wait.1, t.wait.2, 1.0]))?;
    let marks: Vec<Mark> = trades.iter().map(mark).collect();
    let frame = Frame {
        height: 420,
        margins: Margins { left: 74, right: 60, top: 34, bottom: 50 },
        x: (x.0.log10(), x.1.log10()),
        y: (y.0.log10(), y.1.log10()),
        x_ticks: ticks(x),
        y_ticks: ticks(y),
        x_name: "throughput by the default's (logarithmic) → better".into(),
        y_name: "p99 wait by the default's (logarithmic), lower is better".into(),
    };
    Some(chart(&frame, &marks, label, |root, plane| {
        let mut taken: Vec<[i32; 4]> = Vec::new();
        for (index, trade) in trades.iter().enumerate() {
            let at = (trade.throughput.0.log10(), trade.wait.0.log10());
            let ink = ink(trade, index as u16);
            let level = vec![(trade.throughput.1.log10(), at.1), (trade.throughput.2.log10(), at.1)];
            let upright = vec![(at.0, trade.wait.1.log10()), (at.0, trade.wait.2.log10())];
            plane.draw_series([PathElement::new(level, ink.key()), PathElement::new(upright, ink.key())])?;
            let filled = trade.membership >= MEMBERSHIP_STEPS[0];
            let style = if filled { ink.key().filled() } else { ink.key().stroke_width(2) };
            plane.draw_series([Circle::new(at, if trade.named { 6 } else { 4 }, style)])?;
            let (px, py) = plane.backend_coord(&at);
            taken.push([px - 6, py - 6, px + 6, py + 6]);
        }
        for (index, trade) in trades.iter().enumerate().filter(|(_, trade)| trade.named) {
            let (px, py) = plane.backend_coord(&(trade.throughput.0.log10(), trade.wait.0.log10()));
            let width = LETTER * trade.name.chars().count() as i32;
            let free = |[left, top]: &[i32; 2]| {
                let own = [*left, *top, left + width, top + 14];
                let inside = *left > 76 && left + width < super::WIDTH as i32 - 4 && *top > 24 && *top < 360;
                inside
                    && taken.iter().all(|t| own[2] < t[0] || own[0] > t[2] || own[3] < t[1] || own[1] > t[3])
            };
            let places = [
                [px + 10, py - 7],
                [px - 10 - width, py - 7],
                [px + 8, py - 24],
                [px + 8, py + 10],
                [px - width / 2, py - 24],
                [px - width / 2, py + 12],
            ];
            // Where none is free the tooltip tells.
            if let Some([left, top]) = places.iter().find(|place| free(place)) {
                taken.push([*left, *top, left + width, top + 14]);
                let ink = Ink::Mark { palette: Palette::Step, colour: 9, mark: index as u16 };
                write(root, &trade.name, (*left, top + 7), HPos::Left, VPos::Center, ink)?;
            }
        }
        Ok(())
    }))
}

/// Round ratios, named as changes.
fn ticks((low, high): (f64, f64)) -> Vec<super::Tick> {
    const ROUND: [f64; 21] = [
        0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.5, 2.0, 5.0, 10.0, 20.0,
        50.0, 100.0,
    ];
    let span = (high / low).ln();
    let mut ticks: Vec<super::Tick> = Vec::new();
    for value in ROUND.into_iter().filter(|v| (low..=high).contains(v)) {
        // The default's own place is always named.
        let near = |tick: &super::Tick| (value.log10() - tick.0) * std::f64::consts::LN_10 < span / 9.0;
        if ticks.last().is_some_and(near) {
            if value != 1.0 {
                continue;
            }
            ticks.pop();
        }
        ticks.push((value.log10(), if value == 1.0 { "equal".into() } else { change(value) }));
    }
    ticks
}

fn ink(trade: &Trade, mark: u16) -> Ink {
    let step = MEMBERSHIP_STEPS.iter().filter(|s| trade.membership >= **s).count() as u8;
    match step {
        0 => Ink::Mark { palette: Palette::Grey, colour: 0, mark },
        step => Ink::Mark { palette: Palette::Step, colour: step, mark },
    }
}

fn mark(trade: &Trade) -> Mark {
    let range = |(estimate, low, high): (f64, f64, f64)| {
        format!("{} ({} to {})", change(estimate), change(low), change(high))
    };
    Mark {
        series: trade.series,
        title: format!(
            "{}: throughput {}, p99 wait {}, on the front with {}",
            trade.name,
            range(trade.throughput),
            range(trade.wait),
            percent(trade.membership)
        ),
    }
}
