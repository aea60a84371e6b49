//! What tests read from pages: whether they are well formed, how they are built, where their links lead.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use record::store::Loaded;
use reports::html::{File, Options, render};

/// Renders a site, checks its pages and links, and keeps it for the browser.
pub(crate) fn site(name: &str, runs: &[Loaded], options: &Options) -> Vec<File> {
    let files = render(runs, options);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sites").join(name);
    for file in &files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &file.content).unwrap();
        if file.path.ends_with(".html") {
            assert_well_formed(&file.path, &file.content);
        }
    }
    assert_links_lead_somewhere(&files);
    files
}

/// The content of a file of a site.
pub(crate) fn page<'f>(files: &'f [File], path: &str) -> &'f str {
    let paths = || files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>();
    &files.iter().find(|f| f.path == path).unwrap_or_else(|| panic!("no {path} in {:?}", paths())).content
}

/// Every tag that opens closes, in order: a name that breaks out of its place would show here.
pub(crate) fn assert_well_formed(path: &str, html: &str) {
    const VOID: [&str; 5] = ["meta", "link", "br", "hr", "!DOCTYPE"];
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closing tag in {path}");
            continue;
        }
        let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '/').collect();
        if VOID.contains(&name.as_str()) || tag.ends_with('/') {
            continue;
        }
        if name == "script" || name == "style" {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).expect("closes") + close.len()..];
            continue;
        }
        open.push(name);
    }
    assert!(open.is_empty(), "left open in {path}: {open:?}");
}

/// Values of an attribute, in order, as a browser reads them.
pub(crate) fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    let values = html.split(&start).skip(1).filter_map(|rest| rest.split('"').next());
    values.map(|value| value.replace("&amp;", "&")).collect()
}

fn decoded(address: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = address.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("an address")
}

/// Every link inside the site leads to a page that is there, and to an id on it. Links to other people are let be.
pub(crate) fn assert_links_lead_somewhere(files: &[File]) {
    let pages: BTreeMap<&str, BTreeSet<String>> = files
        .iter()
        .map(|file| (file.path.as_str(), attributes(&file.content, "id").into_iter().collect()))
        .collect();
    for file in files.iter().filter(|file| file.path.ends_with(".html")) {
        let ids = attributes(&file.content, "id");
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "an id occurs twice in {}", file.path);
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in attributes(&file.content, "href").into_iter().chain(attributes(&file.content, "src")) {
            if link.starts_with("https://github.com/") || link == "data:," || link.starts_with("../../") {
                continue;
            }
            let (path, part) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path.strip_prefix("../") {
                _ if path.is_empty() => file.path.clone(),
                Some(up) => decoded(up),
                None if folder.is_empty() => decoded(path),
                None => format!("{folder}/{}", decoded(path)),
            };
            let ids = pages.get(target.as_str());
            let ids = ids.unwrap_or_else(|| panic!("{} links to {target}, which is not there", file.path));
            let part = decoded(part);
            assert!(part.is_empty() || ids.contains(&part), "{} links to {target}#{part}", file.path);
        }
    }
}

/// Headings, figures and tables with their number of rows: what a reader navigates by.
pub(crate) fn structure(html: &str) -> String {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let tag = &rest[..rest.find('>').unwrap()];
        let name = tag.split(' ').next().unwrap();
        let text = |end: &str| {
            let inner = &rest[rest.find('>').unwrap() + 1..rest.find(end).unwrap()];
            let mut plain = String::new();
            let mut inside = true;
            for c in inner.chars() {
                match c {
                    '<' => inside = false,
                    '>' => inside = true,
                    c if inside => plain.push(c),
                    _ => {}
                }
            }
            plain.trim_end_matches(" ?").to_owned()
        };
        match name {
            "h1" | "h2" | "h3" => out.push(format!("{name} {}", text(&format!("</{name}>")))),
            "figcaption" => out.push(format!("  figure {}", text("</figcaption>"))),
            "summary" => out.push(format!("  fold {}", text("</summary>"))),
            "table" => {
                let table = &rest[..rest.find("</table>").unwrap()];
                let body = table.split("<tbody>").nth(1).unwrap();
                let columns = table.split("</thead>").next().unwrap().matches("<th").count() - 1;
                out.push(format!("  table {columns} columns, {} rows", body.matches("<tr").count()));
            }
            "script" | "style" => rest = &rest[rest.find(&format!("</{name}>")).unwrap()..],
            _ => {}
        }
    }
    out.join("\n")
}
