//! Pages in fewer bytes, for a browser the same: values without quotes and end tags left out where HTML allows both.
//!
//! A report holds hundreds of pages and tables; they are sent around and opened over slow links.

/// End tags that a browser adds itself before whatever can follow them in our tables and lists.
const IMPLIED: [&str; 8] = ["</td>", "</th>", "</tr>", "</li>", "</dt>", "</dd>", "</thead>", "</tbody>"];

/// The page, smaller. `html` is what our templates make: attributes in double quotes, `<` and `>` in text escaped.
pub(super) fn small(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut drawing = false;
    while let Some(at) = rest.find('<') {
        // Between the elements of a picture no space is shown.
        if !drawing || &rest[..at] != "\n" {
            out.push_str(&rest[..at]);
        }
        rest = &rest[at..];
        // What stands in these is no markup.
        if let Some(end) = ["script", "style", "pre"].iter().find_map(|name| verbatim(rest, name)) {
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let Some(end) = tag_end(rest) else { break };
        let tag = &rest[..end];
        drawing = (drawing || tag.starts_with("<svg")) && tag != "</svg>";
        rest = &rest[end..];
        let known = said(tag, rest);
        if !IMPLIED.contains(&tag) {
            unquote(known.as_deref().unwrap_or(tag), &mut out);
        }
    }
    out.push_str(rest);
    out
}

/// A cell's tag without the number to sort by, if the script reads the same from the text behind the tag.
fn said(tag: &str, behind: &str) -> Option<String> {
    let (before, value) = tag.strip_prefix("<td")?.split_once(" data-v=\"")?;
    let (value, after) = value.split_once('"')?;
    let text = behind.split('<').next()?.trim();
    let digits = text.strip_suffix(" ns").unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let same = match value {
        "" => text == "-",
        value => plain && digits.parse::<f64>().ok()? == value.parse::<f64>().ok()?,
    };
    same.then(|| format!("<td{before}{after}"))
}

/// The length of an element that is to stay as it is, if `html` begins with one.
fn verbatim(html: &str, name: &str) -> Option<usize> {
    let after = html.strip_prefix('<')?.strip_prefix(name)?;
    let close = format!("</{name}>");
    after.starts_with([' ', '>']).then(|| html.find(&close).map(|at| at + close.len())).flatten()
}

/// The length of the tag that `html` begins with: to the first `>` that stands in no quotes.
fn tag_end(html: &str) -> Option<usize> {
    let mut quoted = false;
    html.bytes()
        .position(|byte| {
            quoted ^= byte == b'"';
            byte == b'>' && !quoted
        })
        .map(|at| at + 1)
}

fn unquote(tag: &str, out: &mut String) {
    // Heads of our tables hold headings only, and so does a first column of headings: HTML knows what each is for.
    let without = tag.replace(" class=\"\"", "").replace(" scope=\"row\"", "").replace(" scope=\"col\"", "");
    let mut rest = without.as_str();
    while let Some(at) = rest.find("=\"") {
        let value = &rest[at + 2..];
        let Some(end) = value.find('"') else { break };
        out.push_str(&rest[..=at]);
        let plain = |c: char| c.is_ascii_alphanumeric() || "._#/%+@-".contains(c);
        let (value, after) = (&value[..end], &value[end + 1..]);
        // A slash before the end of a tag would belong to the value.
        if !value.is_empty() && value.chars().all(plain) && !after.starts_with('/') {
            out.push_str(value);
        } else {
            out.push_str(&format!("\"{value}\""));
        }
        rest = after;
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::small;

    #[test]
    fn quotes_and_implied_ends_go() {
        let html = "<tr class=\"\" data-i=\"3\"><th scope=\"row\"><a href=\"../a.html#b\" title=\"a &gt; b\">x</a></th><td class=\"l w\">1</td></tr>";
        assert_eq!(
            small(html),
            "<tr data-i=3><th><a href=../a.html#b title=\"a &gt; b\">x</a><td class=\"l w\">1"
        );
    }

    #[test]
    fn numbers_are_said_once() {
        for (html, smaller) in [
            ("<td data-v=\"35\">35 ns</td>", "<td>35 ns"),
            ("<td data-v=\"0.477\">0.477 <small>(max 1)</small></td>", "<td>0.477 <small>(max 1)</small>"),
            ("<td data-v=\"\">-</td>", "<td>-"),
            ("<td data-v=\"0.4769\">0.477</td>", "<td data-v=0.4769>0.477"),
            ("<td data-v=\"2016\">2.02 µs</td>", "<td data-v=2016>2.02 µs"),
            ("<td data-v=\"\">none</td>", "<td data-v=\"\">none"),
        ] {
            assert_eq!(small(html), smaller);
        }
    }

    #[test]
    fn lines_of_a_picture_join() {
        assert_eq!(
            small("<b>a</b>\n<svg>\n<g>\n<text>a\n</text>\n</g>\n</svg>\n<p>"),
            "<b>a</b>\n<svg><g><text>a\n</text></g></svg>\n<p>"
        );
    }

    #[test]
    fn what_means_something_stays() {
        for html in [
            "<a title=\"a>b=\"></a>",
            "<a href=\"\">x</a>",
            "<i a=\"x\"/>",
            "<pre>a=\"b\" </td></pre>",
            "<script>x = \"</td>\"</script>",
            "a=\"b\" text",
            "<p>a</p><h2>b</h2>",
            "<unfinished a=\"b",
        ] {
            assert_eq!(small(html), html);
        }
    }
}
