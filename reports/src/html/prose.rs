//! Markdown to pages: the documents that a report carries along, the cards of implementations, the analyses of workloads.
//!
//! Nothing in a text becomes markup of its own: HTML in Markdown is shown as it was written, since cards may come from
//! anywhere. Links lead to pages of the report, or stand as plain words.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html};

use super::route::Route;
use super::site::{At, Page};

const METHODOLOGY: &str = include_str!("../../../docs/METHODOLOGY.md");
const BIAS: &str = include_str!("../../../docs/BIAS.md");
const GLOSSARY: &str = include_str!("../../../docs/GLOSSARY.md");

/// The page of one of the documents.
pub(super) fn page(at: &At<'_, '_>) -> Page {
    let (title, text) = match at.route {
        Route::Bias => ("Bias", BIAS),
        Route::Glossary => ("Glossary", GLOSSARY),
        _ => ("Methodology", METHODOLOGY),
    };
    // The first line is the heading, which the page has anyway.
    let text = text.split_once('\n').map_or(text, |(_, rest)| rest);
    Page {
        route: at.route,
        title: title.into(),
        body: html! { div .prose { (contents(at, text)) (render(at, text, 0)) } },
    }
}

/// The headings of the second level, as links.
fn contents(at: &At<'_, '_>, text: &str) -> Markup {
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    html! {
        @if headings.len() > 1 {
            nav aria-label="On this page" {
                ul { @for heading in headings { li { a href=(at.here(&anchor(heading))) { (heading) } } } }
            }
        }
    }
}

/// The anchor of a heading, as code hosts make them: so the documents may link to each other in both places.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// A text as markup, its headings `deeper` levels further down.
pub(super) fn render(at: &At<'_, '_>, text: &str, deeper: usize) -> Markup {
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut heading: Option<(usize, String)> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        if let Some((start, words)) = &mut heading {
            match &event {
                Event::Text(text) | Event::Code(text) => words.push_str(text),
                Event::End(TagEnd::Heading(_)) => {
                    let id = at.id(&anchor(words));
                    if let Event::Start(Tag::Heading { id: slot, .. }) = &mut events[*start] {
                        *slot = Some(id.into());
                    }
                    heading = None;
                }
                _ => {}
            }
        }
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                heading = Some((events.len(), String::new()));
                let level = (level as usize + deeper).min(6).try_into().unwrap_or(level);
                events.push(Event::Start(Tag::Heading { level, id: None, classes, attrs }));
            }
            Event::End(TagEnd::Heading(level)) => {
                let level = (level as usize + deeper).min(6).try_into().unwrap_or(level);
                events.push(Event::End(TagEnd::Heading(level)));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                // Without an address it is an anchor that leads nowhere: plain words.
                let dest_url = CowStr::from(address(at, &dest_url).unwrap_or_default());
                events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            Event::Start(Tag::CodeBlock(_)) => {
                events.push(Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)));
            }
            Event::Start(Tag::Image { .. } | Tag::HtmlBlock)
            | Event::End(TagEnd::Image | TagEnd::HtmlBlock) => {}
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            other => events.push(other),
        }
    }
    let mut out = String::new();
    push_html(&mut out, events.into_iter());
    let out = out.replace("<a href=\"\">", "<a>");
    // A wide table scrolls in a frame of its own.
    let frame = "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"table\"><table>";
    html! { (PreEscaped(out.replace("<table>", frame).replace("</table>", "</table></div>"))) }
}

/// Where a link of a document leads on this site.
fn address(at: &At<'_, '_>, target: &str) -> Option<String> {
    let (file, part) = target.split_once('#').unwrap_or((target, ""));
    let to = match file {
        "" => at.route,
        "METHODOLOGY.md" => Route::Methodology,
        "BIAS.md" => Route::Bias,
        "GLOSSARY.md" => Route::Glossary,
        _ => return None,
    };
    Some(if part.is_empty() { at.link(to) } else { at.link_part(to, part) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_code_hosts() {
        assert_eq!(anchor("Parks, wakes, lost races, hand-offs"), "parks-wakes-lost-races-hand-offs");
        assert_eq!(anchor("Jain's index and windows"), "jains-index-and-windows");
    }
}
