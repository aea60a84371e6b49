//! Numbers and tables for people: three significant digits, units that fit, aligned columns.

use std::fmt::Write as _;

/// A number with three significant digits, and a suffix for thousands: `7.35M`, `812k`, `0.0042`.
pub fn si(value: f64) -> String {
    if !value.is_finite() {
        return "-".into();
    }
    let (scaled, suffix) = match value.abs() {
        a if a >= 999.5e9 => (value / 1e12, "T"),
        a if a >= 999.5e6 => (value / 1e9, "G"),
        a if a >= 999.5e3 => (value / 1e6, "M"),
        a if a >= 999.5 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{suffix}", three_digits(scaled))
}

/// A time given in ns with three significant digits and a unit: `40 ns`, `1.28 µs`, `85.1 ms`.
pub fn time(ns: f64) -> String {
    if !ns.is_finite() {
        return "-".into();
    }
    // Below what any clock here tells apart.
    if ns != 0.0 && ns.abs() < 0.0995 {
        return if ns > 0.0 { "< 0.1 ns".into() } else { "> -0.1 ns".into() };
    }
    let (scaled, unit) = match ns.abs() {
        a if a >= 999.5e6 => (ns / 1e9, "s"),
        a if a >= 999.5e3 => (ns / 1e6, "ms"),
        a if a >= 999.5 => (ns / 1e3, "µs"),
        _ => (ns, "ns"),
    };
    format!("{} {unit}", three_digits(scaled))
}

/// A command line as a shell reads it.
pub fn command_line(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// A share between 0 and 1 as a percentage.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "-".into();
    }
    format!("{} %", three_digits(share * 100.0))
}

/// A ratio as people say differences: `+12.4 %`, `-3.1 %`, `×2.85`.
pub fn change(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "-".into();
    }
    if !(0.5..2.0).contains(&ratio) {
        format!("×{}", three_digits(ratio))
    } else {
        format!("{:+.1} %", (ratio - 1.0) * 100.0)
    }
}

/// Three significant digits without an exponent, as far as that is readable.
pub fn three_digits(value: f64) -> String {
    let magnitude = value.abs();
    let digits = match magnitude {
        0.0 => return "0".into(),
        m if m >= 99.95 => 0,
        m if m >= 9.995 => 1,
        m if m >= 0.9995 => 2,
        m if m >= 0.09995 => 3,
        m if m >= 0.009995 => 4,
        m if m >= 1e-4 => 5,
        _ => return format!("{value:.1e}"),
    };
    let mut text = format!("{value:.digits$}");
    // 40.0 says no more than 40 where the digits were exact anyway.
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// `text` without control characters and at most `width` characters long, its middle left out if need be.
pub fn fit(text: &str, width: usize) -> String {
    let clean: Vec<char> = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if clean.len() <= width || width < 3 {
        return clean.into_iter().collect();
    }
    let tail = (width - 1) / 3;
    let head = width - 1 - tail;
    clean[..head].iter().chain(['…'].iter()).chain(&clean[clean.len() - tail..]).collect()
}

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under headings, each column as wide as its widest cell, two spaces between.
pub fn aligned(headings: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headings[column].0.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for ((cell, (_, align)), width) in cells.zip(headings).zip(&widths) {
            let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
            let _ = match align {
                Align::Left => write!(text, "{cell}{pad}  "),
                Align::Right => write!(text, "{pad}{cell}  "),
            };
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut headings.iter().map(|(name, _)| *name));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let cases =
            [(0.0, "0"), (7_345_678.0, "7.35M"), (999.6, "1k"), (40.0, "40"), (0.5, "0.5"), (12.34, "12.3")];
        for (value, text) in cases {
            assert_eq!(si(value), text);
        }
        assert_eq!(time(1_280.0), "1.28 µs");
        assert_eq!(time(85_123_456.0), "85.1 ms");
        assert_eq!(time(999_600.0), "1 ms");
        assert_eq!(percent(0.0312), "3.12 %");
        assert_eq!(
            (change(1.124), change(0.969), change(2.846)),
            ("+12.4 %".into(), "-3.1 %".into(), "×2.85".into())
        );
        assert_eq!(si(f64::NAN), "-");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(fit("mutex/go-2016-starving", 10), "mutex/…ing");
        assert_eq!(fit("a\nb", 10), "a?b");
    }

    #[test]
    fn columns_align() {
        let rows = vec![vec!["a".into(), "1".into()], vec!["long".into(), "100".into()]];
        assert_eq!(
            aligned(&[("x", Align::Left), ("n", Align::Right)], &rows),
            "x       n\na       1\nlong  100\n"
        );
    }
}
