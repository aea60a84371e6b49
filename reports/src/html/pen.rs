//! Bars, lines and dots of one look as one path, in as few bytes as the forms of a path allow.
//!
//! A bar of a heat map is a stretch of a thick line, bars on one floor are one outline, a dot is a line without length and
//! with round ends. Numbers are half pixels inside, so that the middle of a bar is one.

/// What a pen can draw, in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// A filled rectangle: left, top, width, height.
    Bar(i32, i32, i32, i32),
    /// A line that is level or upright: its two ends.
    Line((i32, i32), (i32, i32)),
    /// A filled circle: its middle and its radius.
    Dot(i32, i32, i32),
}

/// A path: what is added to the class, other attributes, and its steps.
struct Path {
    class: Option<(String, &'static str)>,
    width: Option<i32>,
    steps: String,
}

/// What shapes must share to be one path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    /// The mark, where it has a tooltip of its own.
    pub(super) told: Option<usize>,
    /// The width of lines, as the attribute has it, if not 1.
    pub(super) width: Option<String>,
    /// The class, which is the colour.
    pub(super) class: String,
    /// The series, where series are told apart.
    pub(super) series: Option<usize>,
    /// How much of what lies below is hidden, as the attribute has it, if not all.
    pub(super) opacity: Option<String>,
}

/// Shapes of one look.
#[derive(Default)]
pub(super) struct Run {
    look: Look,
    title: String,
    shapes: Vec<Shape>,
}

impl Run {
    /// Whether a shape of such a look may follow.
    pub(super) fn takes(&self, look: &Look) -> bool {
        self.shapes.is_empty() || self.look == *look
    }

    /// Adds a shape of the look of those before; not a bar without extent, which nobody could see. `title` is the tooltip as
    /// an element; it must be empty unless the look is told.
    pub(super) fn add(&mut self, look: Look, title: &str, shape: Shape) {
        if !matches!(shape, Shape::Bar(_, _, 0, _) | Shape::Bar(_, _, _, 0)) {
            self.look = look;
            self.title.push_str(title);
            self.shapes.push(shape);
        }
    }

    /// Whether a text could be meant to stand on what was drawn last.
    pub(super) fn ends_with_bar(&self) -> bool {
        matches!(self.shapes.last(), Some(Shape::Bar(..)))
    }

    /// The paths, each as an element on a line; none are left.
    pub(super) fn take(&mut self) -> String {
        let shapes = std::mem::take(&mut self.shapes);
        let mut bars = Vec::new();
        let mut lines = Vec::new();
        let mut dots = Vec::new();
        for shape in shapes {
            match shape {
                Shape::Bar(x, y, width, height) => bars.push([x, y, width, height]),
                Shape::Line(from, to) => lines.push((from, to)),
                Shape::Dot(x, y, radius) => dots.push([x, y, radius]),
            }
        }
        let mut paths = self.bars(&bars);
        if !lines.is_empty() {
            // Of lines the look has the width.
            paths.push(Path { class: None, width: None, steps: along(&lines) });
        }
        for group in groups(&dots, |dot| dot[2]) {
            let points: Vec<_> = group.iter().map(|[x, y, _]| ((*x, *y), (*x, *y))).collect();
            let class = Some((self.stroked(), " o"));
            paths.push(Path { class, width: Some(2 * group[0][2]), steps: along(&points) });
        }
        let title = std::mem::take(&mut self.title);
        let titles = std::iter::once(title.as_str()).chain(std::iter::repeat(""));
        paths.iter().zip(titles).map(|(path, title)| self.element(path, title)).collect()
    }

    fn element(&self, path: &Path, title: &str) -> String {
        let Look { class, series, opacity, width, .. } = &self.look;
        let class = path.class.as_ref().map_or_else(|| class.clone(), |(class, end)| format!("{class}{end}"));
        let mut out = "<path".to_owned();
        let mut say = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                out.push_str(&format!(" {name}={}", super::dress::quoted(&value)));
            }
        };
        say("class", Some(class).filter(|class| !class.is_empty()));
        say("data-i", series.map(|series| series.to_string()));
        say("opacity", opacity.clone());
        say("stroke-width", path.width.map(|width| width.to_string()).or_else(|| width.clone()));
        say("d", Some(path.steps.clone()));
        if title.is_empty() { out + " />\n" } else { format!("{out}>{title}</path>\n") }
    }

    /// The class of a stroke in the colour that the class fills with.
    fn stroked(&self) -> String {
        self.look.class.replacen('f', "s", 1)
    }

    /// Bars as skylines or as thick lines, whichever is shorter.
    fn bars(&self, bars: &[[i32; 4]]) -> Vec<Path> {
        if bars.is_empty() {
            return Vec::new();
        }
        let outlines = vec![Path { class: None, width: None, steps: skylines(bars) }];
        let lines = groups(bars, |bar| bar[3]).into_iter().map(|group| {
            let middle = |[x, y, width, height]: &[i32; 4]| {
                ((2 * x, 2 * y + height), (2 * (x + width), 2 * y + height))
            };
            let middles: Vec<_> = group.iter().map(middle).collect();
            let class = Some((self.stroked(), ""));
            Path { class, width: Some(group[0][3]), steps: along_halves(&middles) }
        });
        let lines: Vec<Path> = lines.collect();
        let bytes = |paths: &[Path]| paths.iter().map(|path| self.element(path, "").len()).sum::<usize>();
        if bytes(&lines) < bytes(&outlines) { lines } else { outlines }
    }
}

/// Things by a key, keys in the order in which they occur first.
fn groups<T: Copy>(things: &[T], key: impl Fn(&T) -> i32) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    for thing in things {
        match groups.iter_mut().find(|group| key(&group[0]) == key(thing)) {
            Some(group) => group.push(*thing),
            None => groups.push(vec![*thing]),
        }
    }
    groups
}

/// Bars side by side on one floor by one outline; a fill closes it along the floor.
fn skylines(bars: &[[i32; 4]]) -> String {
    let mut pen = Pen::default();
    let mut end = None;
    for (index, [x, y, width, height]) in bars.iter().enumerate() {
        let floor = y + height;
        if end != Some((*x, floor)) {
            pen.move_to(2 * x, 2 * floor);
        }
        pen.line_to(2 * x, 2 * y);
        pen.line_to(2 * (x + width), 2 * y);
        end = Some((x + width, floor));
        let next = bars.get(index + 1).map(|[x, y, _, height]| (*x, y + height));
        if next != end {
            pen.line_to(2 * (x + width), 2 * floor);
        }
    }
    pen.steps
}

type Ends = ((i32, i32), (i32, i32));

fn along(lines: &[Ends]) -> String {
    let doubled = |(x, y): (i32, i32)| (2 * x, 2 * y);
    let halves: Vec<Ends> = lines.iter().map(|(from, to)| (doubled(*from), doubled(*to))).collect();
    along_halves(&halves)
}

/// Lines after each other, each from the end that is nearer: grids are drawn there and back.
fn along_halves(lines: &[Ends]) -> String {
    let mut pen = Pen::default();
    for (from, to) in lines {
        let far = |(x, y): &(i32, i32)| (x - pen.x).abs() + (y - pen.y).abs();
        let (from, to) = if pen.steps.is_empty() || far(from) <= far(to) { (from, to) } else { (to, from) };
        // What goes on where the last one ended is a part of it.
        if pen.steps.is_empty() || (from.0, from.1) != (pen.x, pen.y) {
            pen.move_to(from.0, from.1);
        }
        if from == to {
            pen.steps.push_str("h0");
        } else {
            pen.line_to(to.0, to.1);
        }
    }
    pen.steps
}

/// Where a path has come to, in half pixels, and how.
#[derive(Default)]
struct Pen {
    x: i32,
    y: i32,
    steps: String,
}

impl Pen {
    fn move_to(&mut self, x: i32, y: i32) {
        let there = format!("M{}", pair(x, y));
        let step = format!("m{}", pair(x - self.x, y - self.y));
        // A path begins at a place, not at a step.
        self.steps.push_str(if self.steps.is_empty() || there.len() < step.len() { &there } else { &step });
        (self.x, self.y) = (x, y);
    }

    /// Level or upright; nowhere is not a step.
    fn line_to(&mut self, x: i32, y: i32) {
        let (there, step) = match (x == self.x, y == self.y) {
            (true, true) => return,
            (false, true) => (format!("H{}", half(x)), format!("h{}", half(x - self.x))),
            _ => (format!("V{}", half(y)), format!("v{}", half(y - self.y))),
        };
        self.steps.push_str(if there.len() < step.len() { &there } else { &step });
        (self.x, self.y) = (x, y);
    }
}

/// Half pixels as pixels.
fn half(halves: i32) -> String {
    let (sign, size) = (if halves < 0 { "-" } else { "" }, halves.abs());
    match (size / 2, size % 2) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, _) => format!("{sign}.5"),
        (whole, _) => format!("{sign}{whole}.5"),
    }
}

/// Two numbers, with a space where the second has no sign.
fn pair(x: i32, y: i32) -> String {
    let (x, y) = (half(x), half(y));
    if y.starts_with('-') { x + &y } else { format!("{x} {y}") }
}

/// What tests read from pictures.
#[cfg(test)]
pub(super) mod read {
    /// The bars in a picture, left, top, width, height: those that stand alone, and those in paths.
    pub(in crate::html) fn bars(svg: &str) -> Vec<[f64; 4]> {
        let elements = svg.split('<');
        elements
            .flat_map(|element| {
                let of = |name: &str| attribute(element, name);
                let number = |name: &str| of(name).and_then(|text| text.parse().ok());
                if element.starts_with("rect") {
                    return vec![["x", "y", "width", "height"].map(|name| number(name).unwrap())];
                }
                match (of("d").filter(|_| element.starts_with("path")), number("stroke-width")) {
                    (Some(steps), width) if !steps.contains(['l', 'z']) && !steps.contains("h0") => {
                        in_path(steps, width)
                    }
                    _ => Vec::new(),
                }
            })
            .collect()
    }

    fn attribute<'e>(element: &'e str, name: &str) -> Option<&'e str> {
        let value = element.split_once(&format!(" {name}="))?.1;
        match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split([' ', '>']).next(),
        }
    }

    /// Level stretches: of a thick line, or above the floor where an outline began. Lines of a grid are neither.
    fn in_path(steps: &str, thick: Option<f64>) -> Vec<[f64; 4]> {
        let (mut x, mut y, mut floor, mut risen) = (0.0, 0.0, 0.0, false);
        let mut bars = Vec::new();
        let mut rest = steps;
        while let Some(letter) = rest.chars().next() {
            let end = rest[1..].find(|c: char| c.is_ascii_alphabetic()).map_or(rest.len(), |at| at + 1);
            let text = rest[1..end].replace('-', " -");
            let numbers: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
            rest = &rest[end..];
            let before: f64 = x;
            match (letter, numbers.as_slice()) {
                ('M', [to_x, to_y]) => (x, y) = (*to_x, *to_y),
                ('m', [by_x, by_y]) => (x, y) = (x + by_x, y + by_y),
                ('H', [to]) => x = *to,
                ('h', [by]) => x += by,
                ('V', [to]) => y = *to,
                ('v', [by]) => y += by,
                _ => panic!("{letter} in {steps}"),
            }
            match letter {
                'M' | 'm' => (floor, risen) = (y, false),
                'V' | 'v' => risen = true,
                _ => match thick {
                    Some(height) => bars.push([before.min(x), y - height / 2.0, (x - before).abs(), height]),
                    None if risen => bars.push([before, y, x - before, floor - y]),
                    None => {}
                },
            }
        }
        bars
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_drawn_can_be_read_back(
            bars in prop::collection::vec((0..900i32, 0..300i32, 1..60i32, 1..40i32), 1..30),
        ) {
            let shapes: Vec<Shape> = bars.iter().map(|(x, y, w, h)| Shape::Bar(*x, *y, *w, *h)).collect();
            let area = |bars: Vec<[f64; 4]>| {
                let mut covered = std::collections::BTreeSet::new();
                for [x, y, width, height] in bars {
                    for px in x as i32..(x + width) as i32 {
                        covered.extend((y as i32..(y + height) as i32).map(|py| (px, py)));
                    }
                }
                covered
            };
            let given = bars.iter().map(|(x, y, w, h)| [x, y, w, h].map(|v| f64::from(*v))).collect();
            prop_assert_eq!(area(read::bars(&drawn("fh1", &shapes))), area(given));
        }
    }

    fn drawn(class: &str, shapes: &[Shape]) -> String {
        let mut run = Run::default();
        shapes.iter().for_each(|shape| run.add(Look { class: class.into(), ..Look::default() }, "", *shape));
        run.take()
    }

    #[test]
    fn one_bar_is_an_outline() {
        assert_eq!(drawn("fh1", &[Shape::Bar(4, 9, 20, 5)]), "<path class=fh1 d=\"M4 14V9h20v5\" />\n");
    }

    #[test]
    fn bars_of_one_height_are_thick_lines() {
        let bars = [(10, 8), (21, 3), (30, 12), (50, 9)].map(|(x, width)| Shape::Bar(x, 4, width, 11));
        assert_eq!(
            drawn("fh1", &bars),
            "<path class=sh1 stroke-width=11 d=\"M10 9.5h8m3 0h3m6 0h12m8 0h9\" />\n"
        );
    }

    #[test]
    fn bars_on_one_floor_are_a_skyline() {
        let bars =
            [(0, 30), (5, 20), (10, 42), (15, 3)].map(|(x, height)| Shape::Bar(x, 50 - height, 5, height));
        assert_eq!(drawn("fh1", &bars), "<path class=fh1 d=\"M0 50V20h5v10h5V8h5v39h5v3\" />\n");
        // A gap begins another one.
        let bars = [(0, 30), (5, 20), (15, 42)].map(|(x, height)| Shape::Bar(x, 50 - height, 5, height));
        assert_eq!(drawn("fh1", &bars), "<path class=fh1 d=\"M0 50V20h5v10h5v20m5 0V8h5v42\" />\n");
    }

    #[test]
    fn grids_go_there_and_back() {
        let grid = [30, 50, 70].map(|x| Shape::Line((x, 90), (x, 10)));
        assert_eq!(drawn("sr", &grid), "<path class=sr d=\"M30 90V10m20 0v80m20 0V10\" />\n");
    }

    #[test]
    fn dots_have_round_ends() {
        let dots = [Shape::Dot(3, 4, 5), Shape::Dot(8, 4, 5), Shape::Dot(9, 9, 3)];
        assert_eq!(
            drawn("fc1", &dots),
            "<path class=\"sc1 o\" stroke-width=10 d=\"M3 4h0m5 0h0\" />\n<path class=\"sc1 o\" stroke-width=6 d=\"M9 9h0\" />\n"
        );
    }
}
