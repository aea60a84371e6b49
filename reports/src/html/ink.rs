//! Colours that follow the page. plotters writes colours as `#RRGGBB`; charts draw with key colours that stand for a
//! meaning, and [`dress`] turns them into classes that the style sheet colours for light, dark and print.

use plotters::style::RGBColor;

pub(super) use super::dress::{dress, escape};

/// What a mark means; its colour is the style sheet's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Axes and text.
    Text,
    /// Lines of the grid.
    Grid,
    /// Text of less weight.
    Muted,
    /// One of a palette: classes of design, parts of the ledger, steps of a scale.
    Mark {
        /// Which palette.
        palette: Palette,
        /// Which of its colours.
        colour: u8,
        /// Index into the chart's marks: what it belongs to, and its tooltip.
        mark: u16,
    },
}

/// The palettes of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Palette {
    /// Steps of a heat map, from nothing to most; 16 and 17 are the text on light and on deep steps.
    Heat = 0x20,
    /// Classes of design.
    Class = 0x40,
    /// Parts of the wait ledger.
    Part = 0x60,
    /// Steps from unfair to fair.
    Step = 0x80,
    /// Dominated.
    Grey = 0xA0,
    /// Better, worse, the same, cannot tell.
    Verdict = 0xC0,
}

impl Palette {
    const ALL: [(Palette, char); 6] = [
        (Palette::Heat, 'h'),
        (Palette::Class, 'c'),
        (Palette::Part, 'p'),
        (Palette::Step, 's'),
        (Palette::Grey, 'g'),
        (Palette::Verdict, 'v'),
    ];
}

/// What a mark belongs to.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// Number of the implementation on this page: marks of equal numbers light up together.
    pub(super) series: usize,
    /// Its tooltip.
    pub(super) title: String,
}

impl Ink {
    /// The key colour.
    pub(super) fn key(self) -> RGBColor {
        match self {
            Ink::Text => RGBColor(0, 0, 1),
            Ink::Grid => RGBColor(0, 0, 2),
            Ink::Muted => RGBColor(0, 0, 3),
            Ink::Mark { palette, colour, mark } => {
                let [high, low] = mark.to_be_bytes();
                RGBColor(palette as u8 + colour.min(0x1F), high, low)
            }
        }
    }
}

/// What a key colour stands for in the style sheet.
pub(super) enum Class {
    /// Axes, grid, text.
    Plain(&'static str),
    /// Letter of the palette, its colour, index of the mark.
    Mark(char, u8, usize),
}

/// What a colour stands for; `None` for one that is no key.
pub(super) fn class_of(hex: &str) -> Option<Class> {
    let rgb = u32::from_str_radix(hex.get(0..6)?, 16).ok()?;
    let (first, mark) = ((rgb >> 16) as u8, (rgb & 0xFFFF) as usize);
    match rgb {
        1 => return Some(Class::Plain("t")),
        2 => return Some(Class::Plain("r")),
        3 => return Some(Class::Plain("m")),
        _ => {}
    }
    let (palette, letter) =
        Palette::ALL.into_iter().find(|(p, _)| (*p as u8..*p as u8 + 0x20).contains(&first))?;
    Some(Class::Mark(letter, first - palette as u8, mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back() {
        let ink = Ink::Mark { palette: Palette::Part, colour: 8, mark: 513 };
        let RGBColor(r, g, b) = ink.key();
        let hex = format!("{r:02X}{g:02X}{b:02X}");
        assert!(matches!(class_of(&hex), Some(Class::Mark('p', 8, 513))));
    }
}
