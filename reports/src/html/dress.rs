//! From plotters' SVG to one that a page can hold: key colours become classes, marks carry series and tooltips, and what the
//! style sheet says once is not said by each element. A report holds hundreds of pictures: bytes count.

use super::ink::{Class, Mark, class_of};
use super::pen::{Look, Run, Shape};

/// Size of all text in pictures, pixels, as the style sheet has it; plotters states it anew for each.
const FONT_PX: f64 = 12.1;

/// Turns plotters' SVG into one that the page styles: key colours become classes, marks name their series and carry a
/// tooltip, and the outer element gets `label` as its text alternative.
pub(super) fn dress(svg: &str, marks: &[Mark], label: &str) -> String {
    let mut out = String::with_capacity(svg.len() + marks.len() * 64);
    // Where all belong to one thing there is nothing to tell apart by lighting up.
    let tell_apart = marks.iter().any(|mark| mark.series != marks[0].series);
    let mut lines = svg.lines().peekable();
    let mut run = Run::default();
    let mut texts = Texts::default();
    // Of a line with its dots and its leader the line tells: once is enough.
    let mut told = vec![false; marks.len()];
    while let Some(line) = lines.next() {
        // plotters writes one element a line, and text on lines of its own, escaped.
        if line.starts_with("<svg") {
            // The style sheet scales pictures to the page: the box alone gives their shape.
            let shape = line.split_once(" viewBox=\"").and_then(|(_, rest)| rest.split('"').next());
            let shape = shape.map_or_else(String::new, |shape| format!(" viewBox=\"{shape}\""));
            out.push_str(&format!("<svg{shape} role=\"img\" aria-label=\"{}\">\n", escape(label)));
        } else if line == "</svg>" {
            flush(&mut run, &mut texts, &mut out);
            texts.end(&mut out);
            out.push_str("</svg>\n");
        } else if line.starts_with("<text") {
            // What stands between the tags; nothing to say is not said.
            let mut words = Vec::new();
            while let Some(word) = lines.next_if(|line| *line != "</text>") {
                words.push(word);
            }
            lines.next();
            if words.iter().any(|word| !word.is_empty()) {
                // Bars end before a text that may stand on them; lines of a grid go on behind the names of its ticks.
                if run.ends_with_bar() {
                    flush(&mut run, &mut texts, &mut out);
                }
                let element = Element::read(line, marks);
                if element.mark.is_none() || !tell_apart {
                    texts.add(element, &words.join(" "), &mut out);
                } else {
                    texts.end(&mut out);
                    element.write(&words.join(" "), tell_apart, &mut out);
                }
            }
        } else if line.starts_with('<') {
            let element = Element::read(line, marks);
            let title = match element.mark {
                Some((index, mark))
                    if !mark.title.is_empty() && !std::mem::replace(&mut told[index], true) =>
                {
                    format!("<title>{}</title>", escape(&mark.title))
                }
                _ => String::new(),
            };
            if let Some(shape) = element.shape() {
                let look = Look {
                    told: element.mark.filter(|(_, mark)| !mark.title.is_empty()).map(|(index, _)| index),
                    width: element.attribute("stroke-width").map(str::to_owned),
                    class: element.classes.join(" "),
                    series: element.mark.filter(|_| tell_apart).map(|(_, mark)| mark.series),
                    opacity: element.attribute("opacity").map(str::to_owned),
                };
                if !run.takes(&look) {
                    flush(&mut run, &mut texts, &mut out);
                }
                run.add(look, &title, shape);
                continue;
            }
            // Whatever covers something must come after it.
            flush(&mut run, &mut texts, &mut out);
            texts.end(&mut out);
            element.write(&title, tell_apart, &mut out);
        }
    }
    out
}

/// Writes what was drawn of one look, after the texts before it.
fn flush(run: &mut Run, texts: &mut Texts, out: &mut String) {
    let paths = run.take();
    if !paths.is_empty() {
        texts.end(out);
        out.push_str(&paths);
    }
}

/// Texts of one class after each other: one group, which says the class.
#[derive(Default)]
struct Texts {
    class: String,
    count: usize,
    words: String,
}

impl Texts {
    fn add(&mut self, mut element: Element<'_>, words: &str, out: &mut String) {
        let class = std::mem::take(&mut element.classes).join(" ");
        if self.class != class {
            self.end(out);
            self.class = class;
        }
        self.count += 1;
        element.write(words, false, &mut self.words);
    }

    fn end(&mut self, out: &mut String) {
        match (self.class.is_empty(), self.count) {
            (false, 1) => {
                out.push_str(&self.words.replacen(
                    "<text",
                    &format!("<text class={}", quoted(&self.class)),
                    1,
                ));
            }
            (false, 2..) => {
                out.push_str(&format!("<g class={}>\n{}</g>\n", quoted(&self.class), self.words));
            }
            _ => out.push_str(&self.words),
        }
        self.words.clear();
        self.class.clear();
        self.count = 0;
    }
}

/// A line of several points as steps from each to the next: steps take fewer digits than places. What lies within half a
/// pixel of the line between its neighbours is left out. `None` where a number is no whole one.
fn steps(points: &str) -> Option<String> {
    let place = |point: &str| {
        let (x, y) = point.split_once(',')?;
        Some((x.parse::<i32>().ok()?, y.parse::<i32>().ok()?))
    };
    let places: Vec<(i32, i32)> = points.split(' ').map(place).collect::<Option<_>>()?;
    let places = bends(&places);
    let (x, y) = places.first()?;
    let mut path = format!("M{x} {y}");
    let mut slanted = false;
    for pair in places.windows(2) {
        match (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1) {
            (0, 0) => continue,
            (dx, 0) => path.push_str(&format!("h{dx}")),
            (0, dy) => path.push_str(&format!("v{dy}")),
            (dx, dy) => {
                // A sign separates as well as a space does.
                let begin = if !slanted {
                    "l"
                } else if dx < 0 {
                    ""
                } else {
                    " "
                };
                let space = if dy < 0 { "" } else { " " };
                path.push_str(&format!("{begin}{dx}{space}{dy}"));
                slanted = true;
                continue;
            }
        }
        slanted = false;
    }
    Some(path)
}

/// The points of a line without which it would look different (Ramer, Douglas, Peucker).
fn bends(places: &[(i32, i32)]) -> Vec<(i32, i32)> {
    const FAR_PX: f64 = 0.5;
    let (Some(first), Some(last)) = (places.first(), places.last()) else { return Vec::new() };
    let (along, up) = (f64::from(last.0 - first.0), f64::from(last.1 - first.1));
    let squared = along * along + up * up;
    // From the stretch between the ends, not from the line through them: a line may turn back.
    let far = |place: &(i32, i32)| {
        let (dx, dy) = (f64::from(place.0 - first.0), f64::from(place.1 - first.1));
        let share = if squared == 0.0 { 0.0 } else { ((dx * along + dy * up) / squared).clamp(0.0, 1.0) };
        (dx - share * along).hypot(dy - share * up)
    };
    let farthest = places.iter().map(far).enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
    match farthest {
        Some((at, distance)) if distance > FAR_PX && at > 0 && at + 1 < places.len() => {
            let mut kept = bends(&places[..=at]);
            kept.pop();
            kept.extend(bends(&places[at..]));
            kept
        }
        _ if places.len() < 2 => places.to_vec(),
        _ => vec![*first, *last],
    }
}

/// An element as plotters wrote it, its colours read.
struct Element<'a> {
    name: &'a str,
    classes: Vec<String>,
    mark: Option<(usize, &'a Mark)>,
    attributes: Vec<(&'a str, String)>,
}

impl<'a> Element<'a> {
    fn read(line: &'a str, marks: &'a [Mark]) -> Element<'a> {
        let name = line[1..].split(' ').next().unwrap_or_default();
        let body = line.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/');
        let mut element = Element { name, classes: Vec::new(), mark: None, attributes: Vec::new() };
        let (mut y, mut dy_em) = (0.0f64, 0.0f64);
        // Attributes are `name="value"`; values hold no quotes, plotters escapes them.
        for (index, attribute) in body[name.len()..].split("\" ").enumerate() {
            let attribute = if index == 0 { attribute.trim_start() } else { attribute };
            let attribute = attribute.trim_end().trim_end_matches('"');
            let Some((key, value)) = attribute.split_once("=\"") else { continue };
            let painted = matches!(key, "fill" | "stroke").then(|| value.strip_prefix('#')).flatten();
            match painted.and_then(class_of) {
                // Text is in the colour of text, unless it says otherwise.
                Some(Class::Plain("t")) if name == "text" => {}
                Some(Class::Plain(class)) => element.classes.push(format!("{}{class}", &key[..1])),
                Some(Class::Mark(letter, colour, of)) => {
                    element.classes.push(format!("{}{letter}{colour}", &key[..1]));
                    element.mark = marks.get(of).map(|mark| (of, mark));
                }
                None if useless(name, key, value) => {}
                None if key == "text-anchor" => {
                    element.classes.push(format!("a{}", value.chars().next().unwrap_or('s')));
                }
                None if key == "dy" => dy_em = in_em(value),
                None if name == "text" && key == "y" => y = value.parse().unwrap_or(0.0),
                None => element.attributes.push((key, value.trim_end().to_owned())),
            }
        }
        // Lines that bend; of straight ones others are the shortest form.
        if name == "polyline"
            && let Some(points) = element.attributes.iter_mut().find(|(key, _)| *key == "points")
            && points.1.matches(' ').count() > 1
            && let Some(path) = steps(&points.1)
        {
            element.name = "path";
            *points = ("d", path);
        }
        if name == "text" {
            element.attributes.push(("y", (y + dy_em * FONT_PX).round().to_string()));
        }
        element
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// What a pen can draw together with others of its look; `None` of anything else.
    fn shape(&self) -> Option<Shape> {
        let whole = |name: &str| self.attribute(name)?.parse::<i32>().ok();
        let filled = self.classes.len() == 1 && self.classes[0].starts_with('f');
        let other = self.attributes.iter().filter(|(key, _)| *key != "opacity").count();
        let wide = usize::from(self.name == "polyline" && self.attribute("stroke-width").is_some());
        match (self.name, other - wide) {
            ("rect", 4) if filled => {
                Some(Shape::Bar(whole("x")?, whole("y")?, whole("width")?, whole("height")?))
            }
            ("circle", 3) if filled => Some(Shape::Dot(whole("cx")?, whole("cy")?, whole("r")?)),
            ("polyline", 1) => {
                let points = self.attribute("points")?;
                let place = |point: &str| {
                    let (x, y) = point.split_once(',')?;
                    Some((x.parse::<i32>().ok()?, y.parse::<i32>().ok()?))
                };
                let (from, to) = points.split_once(' ')?;
                let (from, to) = (place(from)?, place(to)?);
                (from.0 == to.0 || from.1 == to.1).then_some(Shape::Line(from, to))
            }
            _ => None,
        }
    }

    fn write(&self, content: &str, tell_apart: bool, out: &mut String) {
        let name = self.name;
        let classes = self.classes.join(" ");
        let mark = self.mark.filter(|_| tell_apart);
        out.push_str(&format!("<{name}"));
        if !classes.is_empty() {
            out.push_str(&format!(" class={}", quoted(&classes)));
        }
        if let Some((_, mark)) = mark {
            out.push_str(&format!(" data-i={}", mark.series));
        }
        for (key, value) in &self.attributes {
            out.push_str(&format!(" {key}={}", quoted(value)));
        }
        match content {
            "" => out.push_str(" />\n"),
            content => out.push_str(&format!(">{content}</{name}>\n")),
        }
    }
}

/// A value of an attribute, in quotes where HTML needs them.
pub(super) fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,%".contains(c);
    if !value.is_empty() && value.chars().all(plain) { value.to_owned() } else { format!("\"{value}\"") }
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

    fn mark(series: usize) -> Mark {
        Mark { series, title: "a <b> \"c\"".into() }
    }

    #[test]
    fn key_colours_become_classes() {
        let svg = "<svg width=\"9\" xmlns=\"http://www.w3.org/2000/svg\">\n<circle cx=\"1\" opacity=\"1\" fill=\"#420000\" \
                   stroke=\"none\"/>\n<text x=\"1\" y=\"10\" dy=\"0.76em\" text-anchor=\"end\" fill=\"#000001\">\nhi &lt;\n</text>\n<text \
                   x=\"1\" fill=\"#000001\">\n\n</text>\n</svg>\n";
        assert_eq!(
            dress(svg, &[mark(7), mark(8)], "the \"label\""),
            "<svg role=\"img\" aria-label=\"the &quot;label&quot;\">\n<circle class=fc2 data-i=7 \
             cx=1><title>a &lt;b&gt; &quot;c&quot;</title></circle>\n<text class=ae x=1 y=19>hi &lt;</text>\n</svg>\n"
        );
        // Of one series alone nothing is to be told apart.
        assert!(dress(svg, &[mark(7)], "").contains("<circle class=fc2 cx=1><title>"));
    }

    #[test]
    fn plain_outlines_become_one_path() {
        let line = |x: u32| format!("<polyline fill=\"none\" stroke=\"#000002\" points=\"{x},9 {x},2 \"/>\n");
        let text = "<text x=\"1\" y=\"3\" fill=\"#000001\">\n5\n</text>\n";
        let bar = "<rect x=\"1\" y=\"2\" width=\"3\" height=\"4\" fill=\"#000003\"/>\n";
        let svg = format!("<svg>\n{}{text}{}{bar}</svg>\n", line(4), line(8));
        assert_eq!(
            dress(&svg, &[], ""),
            "<svg role=\"img\" aria-label=\"\">\n<text x=1 y=3>5</text>\n<path class=sr d=\"M4 9V2m4 0v7\" />\n<path class=fm \
             d=\"M1 6V2h3v4\" />\n</svg>\n"
        );
    }

    #[test]
    fn texts_of_one_class_share_it() {
        let text =
            |x: u32| format!("<text x=\"{x}\" y=\"3\" text-anchor=\"end\" fill=\"#000001\">\n5\n</text>\n");
        let svg = format!("<svg>\n{}{}</svg>\n", text(1), text(2));
        assert_eq!(
            dress(&svg, &[], ""),
            "<svg role=\"img\" aria-label=\"\">\n<g class=ae>\n<text x=1 y=3>5</text>\n<text x=2 y=3>5</text>\n</g>\n</svg>\n"
        );
    }

    #[test]
    fn bent_lines_become_steps() {
        assert_eq!(
            steps("73,432 82,432 91,427 85,500 85,510 90,520 80,530").unwrap(),
            "M73 432h9l9-5-6 73v10l5 10-10 10"
        );
        // Points on the way say nothing; a peak of a pixel does, and where a line turns back.
        assert_eq!(steps("0,9 10,9 20,9 30,10 40,10 50,11").unwrap(), "M0 9h20l30 2");
        assert_eq!(steps("0,9 10,9 20,8 30,9 40,9").unwrap(), "M0 9l20-1 20 1");
        assert_eq!(steps("0,0 50,0 90,0 40,0").unwrap(), "M0 0h90h-50");
        assert!(steps("1,2.5 3,4 5,6").is_none() && steps("1 2").is_none());
        let svg = "<svg>\n<polyline fill=\"none\" stroke=\"#420000\" stroke-width=\"2\" points=\"1,2 3,4 5,0 \"/>\n</svg>\n";
        let line = "<path class=sc2 stroke-width=2 d=\"M1 2l2 2 2-4\" />";
        assert!(dress(svg, &[], "").contains(line), "{}", dress(svg, &[], ""));
    }
}
