//! Pages of every kind of run: whole, empty, broken, hostile, mixed. Structure, not pixels.
//!
//! Each page is also written below the target folder, where the browser test finds it.

mod common;

use std::path::{Path, PathBuf};
use std::time::Instant;

use common::{NATURES, hostile_name, point, quick_run, record, run};
use record::Status;
use record::store::Loaded;
use reports::html::{Options, render, write_report};

fn page(name: &str, runs: &[Loaded]) -> String {
    let options =
        Options { command: vec!["synchroscope".into(), "report".into(), "runs/x".into()], force: false, single_file: false };
    let html = render(runs, &options).html;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.html")), &html).unwrap();
    assert_well_formed(&html);
    html
}

/// Every tag that opens closes, in order: a name that breaks out of its place would show here.
fn assert_well_formed(html: &str) {
    const VOID: [&str; 4] = ["meta", "link", "br", "!DOCTYPE"];
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closing tag");
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
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Headings, figures, tables with their number of rows, and ids: what a reader navigates by.
fn structure(html: &str) -> String {
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
            plain
        };
        match name {
            "h1" | "h2" | "h3" => out.push(format!("{name} {}", text(&format!("</{name}>")))),
            "figcaption" => out.push(format!("  figure {}", text("</figcaption>"))),
            "summary" => out.push(format!("  fold {}", text("</summary>"))),
            "table" => {
                let table = &rest[..rest.find("</table>").unwrap()];
                let body = table.split("<tbody>").nth(1).unwrap();
                let columns = table.split("</thead>").next().unwrap().matches("<th ").count();
                out.push(format!("  table {columns} columns, {} rows", body.matches("<tr").count()));
            }
            "script" | "style" => rest = &rest[rest.find(&format!("</{name}>")).unwrap()..],
            _ => {}
        }
    }
    out.join("\n")
}

#[test]
fn a_quick_run() {
    let run = quick_run();
    let start = Instant::now();
    let html = page("quick", std::slice::from_ref(&run));
    let took = start.elapsed();
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(took.as_secs_f64() < 4.0, "{took:?}; the aim is 2 s on free cores");
    for needed in
        ["synchroscope run --suite quick", "0123abc", "no PMU (ENOENT)", "Go not found", "KVM", "twice at"]
    {
        assert!(html.contains(needed), "{needed}");
    }
    for forbidden in ["http://", "https://", "src=", "@import", "#0000"] {
        let own = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!own.contains(forbidden), "{forbidden}");
    }
    insta::assert_snapshot!(structure(&html));
}

#[test]
fn an_empty_run_says_so() {
    let html = page("empty", &[run(Vec::new())]);
    assert!(html.contains("No results."));
    insta::assert_snapshot!(structure(&html));
}

#[test]
fn one_cell() {
    let html = page("one-cell", &[run(vec![record(&NATURES[4], &point("contended", 2), 5, 1, 1)])]);
    insta::assert_snapshot!(structure(&html));
}

#[test]
fn one_launch_without_profile() {
    let html = page("one-launch", &[run(vec![record(&NATURES[4], &point("contended", 2), 1, 0, 1)])]);
    assert!(html.contains("no plain sentence"));
    assert!(!html.contains("NaN") && !html.contains("inf "));
}

#[test]
fn only_failures() {
    let mut cells = Vec::new();
    for nature in &NATURES[..3] {
        let mut cell = record(nature, &point("contended", 2), 2, 0, 1);
        cell.status = Status::Failed;
        cell.reasons = vec!["final counter 41, expected 42".into()];
        cells.push(cell);
    }
    let html = page("only-failures", &[run(cells)]);
    assert_eq!(html.matches("final counter 41, expected 42").count(), 3);
    insta::assert_snapshot!(structure(&html));
}

#[test]
fn hostile_names_stay_text() {
    let mut cells: Vec<_> = NATURES[..4].iter().map(|n| record(n, &point("contended", 4), 5, 1, 1)).collect();
    cells[0].implementation = hostile_name();
    cells[1].point.roles[0].name = "<b>\"role\"".into();
    cells[2].status = Status::Suspect;
    cells[2].reasons = vec!["</td><script>window.pwned=1</script>".into()];
    cells[3].implementation = format!("mutex/{}", "x".repeat(194));
    let mut run = run(cells);
    run.manifest.command = vec!["</pre><script>window.pwned=1</script>".into()];
    let html = page("hostile", &[run]);
    // The page's own script is the only one, and no element came out of a name.
    assert_eq!(html.matches("<script").count(), 1);
    assert_eq!(html.matches("<img").count(), 0);
    assert!(html.contains("&lt;script&gt;window.pwned=1"));
}

#[test]
fn different_computers_stay_apart() {
    let cells = || {
        vec![
            record(&NATURES[4], &point("contended", 2), 5, 1, 1),
            record(&NATURES[8], &point("contended", 2), 5, 1, 2),
        ]
    };
    let here = run(cells());
    let mut there = run(cells());
    there.manifest.host.fingerprint.cpu_model = "Another CPU".into();
    let mut model = Vec::new();
    for cell in &mut there.records {
        cell.fingerprint.cpu_model = "Another CPU".into();
        let mut simulated = cell.clone();
        simulated.machine = "sim:opteron".into();
        model.push(simulated);
    }
    there.records.extend(model);
    let html = page("mixed", &[here, there]);
    assert!(html.contains("3 different computers or models"));
    assert!(html.contains("simulated (opteron)"));
    insta::assert_snapshot!(structure(&html));
}

#[test]
fn damaged_records_are_listed() {
    let mut run = run(vec![record(&NATURES[4], &point("contended", 2), 5, 1, 1)]);
    run.damaged.push((PathBuf::from("cells/x.json"), "is damaged: EOF at line 3".into()));
    let html = page("damaged", &[run]);
    assert!(html.contains("Damaged records (1)") && html.contains("EOF at line 3"));
}

#[test]
fn the_writer_refuses_what_it_would_spoil() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [run(vec![record(&NATURES[4], &point("contended", 2), 2, 0, 1)])];
    let out = folder.path().join("report");
    let options = Options::default();
    let written = write_report(&out, &runs, &options).unwrap();
    assert_eq!(written, out.join("index.html"));
    // An earlier report may be replaced.
    write_report(&out, &runs, &options).unwrap();
    std::fs::write(out.join("thesis.tex"), "years of work").unwrap();
    let error = write_report(&out, &runs, &options).unwrap_err().to_string();
    assert!(error.contains("thesis.tex") && error.contains("--force") && !error.contains('\n'), "{error}");
    write_report(&out, &runs, &Options { force: true, ..Options::default() }).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("thesis.tex")).unwrap(), "years of work");
    let error = write_report(&written, &runs, &options).unwrap_err().to_string();
    assert!(error.contains("is a file"), "{error}");
    // A page that is not ours is somebody's.
    let other = folder.path().join("site");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("index.html"), "<h1>my page</h1>").unwrap();
    assert!(write_report(&other, &runs, &options).is_err());
}
