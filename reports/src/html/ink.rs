//! Colours that follow the page. plotters writes colours as `#RRGGBB`; charts draw with key colours that stand for a
//! meaning, and `dress` turns them into classes that the style sheet colours for light, dark and print.

use plotters::style::RGBColor;

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

enum Class {
    Plain(&'static str),
    Mark(char, u8, usize),
}

fn class_of(hex: &str) -> Option<Class> {
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

/// Size of all text in pictures, pixels, as the style sheet has it; plotters states it anew for each.
pub(super) const FONT_PX: f64 = 12.1;

/// Turns plotters' SVG into one that the page styles: key colours become classes, marks name their series and carry a
/// tooltip, and the outer element gets `label` as its text alternative.
pub(super) fn dress(svg: &str, marks: &[Mark], label: &str) -> String {
    let mut out = String::with_capacity(svg.len() + marks.len() * 64);
    let mut opened = false;
    // Where all belong to one thing there is nothing to tell apart by lighting up.
    let tell_apart = marks.iter().any(|mark| mark.series != marks[0].series);
    let mut lines = svg.lines().peekable();
    while let Some(line) = lines.next() {
        // plotters writes one element a line, and text on lines of its own, escaped.
        if !line.starts_with('<') || line.starts_with("</") {
            out.push_str(line);
            // The text of an element stands on the lines of its tags: elsewhere a break is as good as none.
            if line == "</svg>" || line == "</text>" {
                out.push('\n');
            }
        } else if !opened {
            opened = true;
            let line = line.replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
            out.push_str(line.trim_end_matches('>'));
            out.push_str(&format!(" role=\"img\" aria-label=\"{}\">\n", escape(label)));
        } else if line.starts_with("<text") && lines.peek().is_some_and(|text| text.is_empty()) {
            // Nothing to say: over the empty line and the closing tag.
            lines.next();
            lines.next();
        } else {
            element(line, marks, tell_apart, &mut out);
        }
    }
    out
}

fn element(line: &str, marks: &[Mark], tell_apart: bool, out: &mut String) {
    let closed = line.ends_with("/>");
    let name = line[1..].split(' ').next().unwrap_or_default();
    let body = line.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
    let (mut classes, mut mark, mut rest) = (Vec::new(), None, String::new());
    let (mut y, mut dy_em) = (0.0f64, 0.0f64);
    // Attributes are `name="value"`; values hold no quotes, plotters escapes them.
    for (index, attribute) in body[name.len()..].split("\" ").enumerate() {
        let attribute = if index == 0 { attribute.trim_start() } else { attribute };
        let attribute = attribute.trim_end().trim_end_matches('"');
        let Some((key, value)) = attribute.split_once("=\"") else { continue };
        let painted = matches!(key, "fill" | "stroke").then(|| value.strip_prefix('#')).flatten();
        match painted.and_then(class_of) {
            Some(Class::Plain(class)) => classes.push(format!("{}{class}", &key[..1])),
            Some(Class::Mark(letter, colour, of)) => {
                classes.push(format!("{}{letter}{colour}", &key[..1]));
                mark = marks.get(of);
            }
            None if useless(name, key, value) => {}
            None if key == "text-anchor" => classes.push(format!("a{}", value.chars().next().unwrap_or('s'))),
            None if key == "dy" => dy_em = in_em(value),
            None if name == "text" && key == "y" => y = value.parse().unwrap_or(0.0),
            None => rest.push_str(&format!(" {key}=\"{}\"", value.trim_end())),
        }
    }
    if name == "text" {
        rest.push_str(&format!(" y=\"{}\"", (y + dy_em * FONT_PX).round()));
    }
    out.push_str(&format!("<{name}"));
    if mark.is_some() && tell_apart {
        classes.push("x".into());
    }
    if !classes.is_empty() {
        out.push_str(&format!(" class=\"{}\"", classes.join(" ")));
    }
    if let Some(mark) = mark.filter(|_| tell_apart) {
        out.push_str(&format!(" data-i=\"{}\"", mark.series));
    }
    out.push_str(&rest);
    match (closed, mark) {
        (true, Some(mark)) if !mark.title.is_empty() => {
            out.push_str(&format!("><title>{}</title></{name}>\n", escape(&mark.title)));
        }
        (true, _) => out.push_str("/>\n"),
        (false, _) => out.push('>'),
    }
}

/// A length in `em` or `ex`: letters of common fonts are about half as high as the font.
fn in_em(length: &str) -> f64 {
    let number = |unit: &str| length.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok());
    number("em").or_else(|| number("ex").map(|ex| ex * 0.53)).unwrap_or(0.0)
}

/// Attributes that say what holds anyway, or what the style sheet decides.
fn useless(name: &str, key: &str, value: &str) -> bool {
    match (key, value) {
        ("opacity" | "stroke-width", "1")
        | ("stroke", "none")
        | ("font-family" | "font-size", _)
        | ("text-anchor", "start") => true,
        ("fill", "none") => name == "polyline",
        _ => false,
    }
}

/// Text inside an element or an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_colours_become_classes() {
        let mark = |series| Mark { series, title: "a <b> \"c\"".into() };
        let svg = "<svg width=\"9\">\n<circle cx=\"1\" opacity=\"1\" fill=\"#420000\" stroke=\"none\"/>\n<text \
                   x=\"1\" y=\"10\" dy=\"0.76em\" text-anchor=\"end\" fill=\"#000001\">\nhi &lt;\n</text>\n<text x=\"1\" \
                   fill=\"#000001\">\n\n</text>\n</svg>\n";
        assert_eq!(
            dress(svg, &[mark(7), mark(8)], "the \"label\""),
            "<svg width=\"9\" role=\"img\" aria-label=\"the &quot;label&quot;\">\n<circle class=\"fc2 x\" data-i=\"7\" \
             cx=\"1\"><title>a &lt;b&gt; &quot;c&quot;</title></circle>\n<text class=\"ae ft\" x=\"1\" y=\"19\">hi \
             &lt;</text>\n</svg>\n"
        );
        // Of one series alone nothing is to be told apart.
        assert!(dress(svg, &[mark(7)], "").contains("<circle class=\"fc2\" cx=\"1\"><title>"));
    }

    #[test]
    fn keys_come_back() {
        let ink = Ink::Mark { palette: Palette::Part, colour: 8, mark: 513 };
        let RGBColor(r, g, b) = ink.key();
        let hex = format!("{r:02X}{g:02X}{b:02X}");
        assert!(matches!(class_of(&hex), Some(Class::Mark('p', 8, 513))));
    }
}
