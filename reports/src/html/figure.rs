//! A chart in its frame: title, key, picture, note, and the way to the paragraph that explains it.

use maud::{Markup, PreEscaped, html};

use super::site::At;

/// A figure. `method` is the anchor of its paragraph in the methodology.
pub(super) fn figure(
    at: &At<'_, '_>,
    title: &str,
    method: &str,
    svg: &str,
    key: Markup,
    note: Markup,
) -> Markup {
    framed(Some(titled(at, title, method)), svg, key, note)
}

/// A figure alone under a heading, which names it and leads to the paragraph of the methodology.
pub(super) fn plain_figure(svg: &str, key: Markup, note: Markup) -> Markup {
    framed(None, svg, key, note)
}

/// A wide picture scrolls under its caption; caption or picture name what the keyboard has come to.
fn framed(caption: Option<Markup>, svg: &str, key: Markup, note: Markup) -> Markup {
    html! {
        figure tabindex="0" {
            @if let Some(caption) = caption { figcaption { (caption) } }
            (key)
            (PreEscaped(svg))
            p .note { (note) }
        }
    }
}

/// A title that leads to its paragraph of the methodology; the style sheet adds the sign that it does.
pub(super) fn titled(at: &At<'_, '_>, title: &str, method: &str) -> Markup {
    html! { a href=(at.method(method)) { (title) } }
}

/// A link to a paragraph of the methodology, where no title can carry it.
pub(super) fn method_link(at: &At<'_, '_>, method: &str) -> Markup {
    html! { a .how href=(at.method(method)) aria-label="what this is" { "?" } }
}

/// A block of content that may be wider than the page.
pub(super) fn scroll(label: &str, content: Markup) -> Markup {
    html! { div .scroll tabindex="0" role="group" aria-label=(label) { (content) } }
}
