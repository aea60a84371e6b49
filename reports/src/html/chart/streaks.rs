//! How long one worker keeps the object to itself: runs of one owner, by their length.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Frame, Margins, chart, log_ticks, write};
use crate::html::ink::{Ink, Mark, Palette};
use crate::text::si;

/// The lengths of bucket `k`, in words.
fn range(k: usize) -> String {
    match k {
        0 => "1".into(),
        _ => format!("{}–{}", si(2f64.powi(k as i32)), si(2f64.powi(k as i32 + 1) - 1.0)),
    }
}

/// The chart of one cell; `None` without a streak.
pub(in crate::html) fn streaks(counts: &[u64], series: usize) -> Option<String> {
    let most = counts.iter().copied().max().filter(|most| *most > 0)? as f64;
    // Each bar carries its number: the text alternative says all, tooltips would repeat it.
    let marks = vec![Mark { series, title: String::new() }; counts.len()];
    let occurred = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    let told: Vec<String> = occurred.map(|(k, count)| format!("{}: {count}", range(k))).collect();
    let label = format!("Streaks of one owner by acquires in a row: {}", told.join(", "));
    // A single streak must show a bar too.
    let (floor, top) = (0.5_f64, most * 2.0);
    let frame = Frame {
        height: 300,
        margins: Margins { left: 70, right: 24, top: 34, bottom: 50 },
        x: (0.0, counts.len() as f64),
        y: (floor.log10(), top.log10()),
        x_ticks: Vec::new(),
        y_ticks: log_ticks(1.0, top, si),
        x_name: "acquires in a row by one worker".into(),
        y_name: "streaks (logarithmic)".into(),
    };
    Some(chart(&frame, &marks, &label, |root, plane| {
        for (k, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let ink = Ink::Mark { palette: Palette::Heat, colour: 6, mark: k as u16 };
            let corners = [(k as f64 + 0.1, frame.y.0), (k as f64 + 0.9, (count as f64).log10())];
            plane.draw_series([Rectangle::new(corners, ink.key().filled())])?;
        }
        for (k, &count) in counts.iter().enumerate() {
            let x = k as f64;
            if count > 0 {
                let (px, py) = plane.backend_coord(&(x + 0.5, (count as f64).log10()));
                write(root, &si(count as f64), (px, py - 4), HPos::Center, VPos::Bottom, Ink::Text)?;
            }
            // With many buckets only every other one has room for its name.
            if counts.len() <= 10 || k % (counts.len() / 10 + 1) == 0 {
                let (px, py) = plane.backend_coord(&(x + 0.5, frame.y.0));
                write(root, &range(k), (px, py + 6), HPos::Center, VPos::Top, Ink::Text)?;
            }
        }
        Ok(())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_for_every_length_that_occurred() {
        let svg = streaks(&[10, 0, 1, 500], 0).unwrap();
        assert_eq!(crate::html::pen::read::bars(&svg).len(), 3, "{svg}");
        assert!(svg.contains("in a row: 1: 10, 4–7: 1, 8–15: 500"), "{svg}");
        assert!(streaks(&[], 0).is_none() && streaks(&[0, 0], 0).is_none());
    }
}
