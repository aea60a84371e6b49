//! What pages say about an implementation: its name as a link, its source, its card.

use maud::{Markup, html};
use record::ImplementationCard;

use super::prose;
use super::site::{At, group_title};
use crate::summary::Summary;
use crate::text::fit;

/// The id, as a link to its page.
pub(super) fn name_link(at: &At<'_, '_>, id: &str) -> Markup {
    html! {
        @match at.implementation(id) {
            Some(href) => a href=(href) { (fit(id, 80)) },
            None => (fit(id, 80)),
        }
    }
}

/// Where a design comes from. A commit of Go's repository becomes a link to it, an address a link to itself.
pub(super) fn source(card: &ImplementationCard) -> Markup {
    let Some(text) = &card.source else { return html! { "-" } };
    let commit = text.strip_prefix("Go, ").and_then(|rest| rest.split_once("commit "));
    let commit = commit.map(|(_, hash)| hash).filter(|hash| is_commit(hash));
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/?#@%+=".contains(c));
    let address = text.split_whitespace().filter(|word| word.starts_with("https://")).find(plain);
    html! {
        @match (commit, address) {
            (Some(hash), _) => a href={ "https://github.com/golang/go/commit/" (hash) } rel="noreferrer" { (text) },
            (None, Some(address)) => a href=(address) rel="noreferrer" { (text) },
            _ => (text),
        }
    }
}

fn is_commit(hash: &str) -> bool {
    (7..=40).contains(&hash.len()) && hash.chars().all(|c| c.is_ascii_hexdigit())
}

/// The card.
pub(super) fn card(at: &At<'_, '_>, id: &str) -> Markup {
    let Some(card) = at.site.cards.get(id) else {
        return html! { p .note { "The run carries no card of it." } };
    };
    html! {
        p { (card.summary) }
        div .card {
            h2 id=(at.id("card")) { "Card" }
            dl .facts {
                dt { "source" } dd { (source(card)) }
                @if let Some(file) = &card.file { dt { "here" } dd { code { (file) } } }
                @if let Some(year) = card.year { dt { "year" } dd { (year) } }
                @if let Some(fairness) = &card.fairness { dt { "order of service" } dd { (fairness) } }
                @if let Some(follows) = &card.follows { dt { "follows" } dd { (name_link(at, follows)) } }
                @let followers: Vec<_> =
                    at.site.cards.values().filter(|other| other.follows.as_deref() == Some(id)).collect();
                @if !followers.is_empty() {
                    dt { "followed by" }
                    dd {
                        @for (index, other) in followers.iter().enumerate() {
                            @if index > 0 { ", " }
                            (name_link(at, &other.id))
                        }
                    }
                }
                @if !card.can.is_empty() { dt { "can" } dd { (card.can.join(", ")) } }
                @for param in &card.params {
                    dt { "parameter " code { (param.name) } }
                    dd { (param.default) " (" (param.origin) ")" }
                }
                @for pathology in &card.pathologies { dt { "pathology" } dd { (pathology) } }
            }
            @if let Some(text) = &card.text {
                details { summary { "The card in full" } div .prose { (prose::render(at, &plain(text), 2)) } }
            }
        }
    }
}

/// Prose of source files links to code, which pages do not hold: the words stay.
fn plain(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}

/// Where the page of a cell stands: its implementation, its workload, its computer.
pub(super) fn cell_stamp(at: &At<'_, '_>, cell: &Summary) -> Markup {
    let site = at.site;
    let group = site.groups.iter().position(|g| g.points.iter().any(|p| holds(p, cell)));
    let place = group.and_then(|g| Some((g, site.groups[g].points.iter().position(|p| holds(p, cell))?)));
    html! {
        p .trail {
            (name_link(at, &cell.implementation))
            @if let Some((group, point)) = place {
                " · "
                a href=(at.link_part(site.workload_of(group, point), &format!("p{point}"))) { (fit(&cell.label, 80)) }
                " · " (group_title(site, group))
            }
        }
    }
}

fn holds(point: &crate::group::PointCells<'_>, cell: &Summary) -> bool {
    point.cells.iter().any(|c| std::ptr::eq(*c, cell))
}
