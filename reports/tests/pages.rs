//! Pages of every kind of run: whole, empty, broken, hostile, mixed, large. Structure, not pixels.
//!
//! Each site is also written below the target folder, where the browser test finds it.

mod common;

use std::path::PathBuf;
use std::time::Instant;

use common::html::{attributes, page, site, structure};
use common::{NATURES, hostile_name, large_run, point, quick_run, record, run};
use record::Status;
use record::store::Loaded;
use reports::html::{Options, render};

fn options() -> Options {
    Options {
        command: ["synchroscope", "report", "runs/x"].map(String::from).to_vec(),
        tool: "synchroscope 0.1.0, revision 0123abc".into(),
        ..Options::default()
    }
}

#[test]
fn a_quick_run() {
    let run = quick_run();
    let start = Instant::now();
    let files = render(std::slice::from_ref(&run), &options());
    let took = start.elapsed();
    assert!(took.as_secs_f64() < 4.0, "{took:?}; the aim is 1 s on free cores");
    let files_checked = site("quick", std::slice::from_ref(&run), &options());
    assert_eq!(files.len(), files_checked.len());
    let bytes: usize = files.iter().map(|f| f.content.len()).sum();
    assert!(bytes < 3_000_000, "{bytes} bytes");
    let front = page(&files, "index.html");
    for needed in
        ["synchroscope run --suite quick", "0123abc", "no PMU (ENOENT)", "KVM", "twice at", "Go not found"]
    {
        assert!(front.contains(needed), "{needed}");
    }
    let pages = files.iter().filter(|f| f.path.ends_with(".html"));
    for file in pages.clone() {
        assert!(file.content.contains("synchroscope run --suite quick"), "{} has no stamp", file.path);
        for forbidden in ["http://", "@import", "#0000", "NaN"] {
            let own = file.content.replace("http://www.w3.org/2000/svg", "");
            assert!(!own.contains(forbidden), "{forbidden} in {}", file.path);
        }
        // Nothing is loaded but what the report brings along.
        assert!(attributes(&file.content, "src").iter().all(|src| !src.contains("://")), "{}", file.path);
    }
    assert!(pages.count() > 100);
    insta::assert_snapshot!("front", structure(front));
    insta::assert_snapshot!("workload", structure(page(&files, "workloads/contended.html")));
    insta::assert_snapshot!(
        "implementation",
        structure(page(&files, "implementations/mutex.go-2016-starving.html"))
    );
    insta::assert_snapshot!("lineage", structure(page(&files, "lineages/mutex.go-2008-key.html")));
    insta::assert_snapshot!("comparisons", structure(page(&files, "comparisons.html")));
    let comparison = page(&files, "compare/mutex.go-2015-spinning@mutex.go-2016-starving.html");
    assert!(comparison.contains("the launches cannot tell"));
    insta::assert_snapshot!("comparison", structure(comparison));
    insta::assert_snapshot!("methodology", structure(page(&files, "methodology.html")));
}

#[test]
fn one_file_holds_all() {
    let files = site("single", &[quick_run()], &Options { single_file: true, ..options() });
    assert_eq!(files.len(), 1);
    let html = page(&files, "index.html");
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(html.contains("id=\"methodology--the-wait-ledger\""));
    assert_eq!(html.matches("<script").count(), 1);
    assert!(attributes(html, "src").is_empty(), "everything is inside");
    let local =
        |link: &String| link.starts_with('#') || link.starts_with("https://github.com/") || link == "data:,";
    assert!(attributes(html, "href").iter().all(local));
}

#[test]
fn an_empty_run_says_so() {
    let files = site("empty", &[run(Vec::new())], &options());
    let html = page(&files, "index.html");
    assert!(html.contains("No results."));
    insta::assert_snapshot!(structure(html));
}

#[test]
fn one_cell() {
    let runs = [run(vec![record(&NATURES[4], &point("contended", 2), 5, 1, 1)])];
    let files = site("one-cell", &runs, &options());
    insta::assert_snapshot!(structure(page(&files, "index.html")));
}

#[test]
fn a_run_without_cards_still_shows() {
    // Runs of early versions carry none.
    let mut run = quick_run();
    run.manifest.catalogue = None;
    let files = site("without-cards", &[run], &options());
    assert!(!files.iter().any(|f| f.path.starts_with("lineages/")));
    let html = page(&files, "implementations/mutex.go-2016-starving.html");
    assert!(html.contains("carries no card"));
}

#[test]
fn one_launch_without_profile() {
    let runs = [run(vec![record(&NATURES[4], &point("contended", 2), 1, 0, 1)])];
    for file in site("one-launch", &runs, &options()) {
        assert!(!file.content.contains("NaN") && !file.content.contains("inf "), "{}", file.path);
        assert!(file.path != "index.html" || file.content.contains("no plain sentence"));
    }
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
    let files = site("only-failures", &[run(cells)], &options());
    let html = page(&files, "index.html");
    // Said once, of all three.
    assert_eq!(html.matches("final counter 41, expected 42").count(), 1);
    assert!(
        html.contains("final counter 41, expected 42: 3 cells")
            && html.contains("3 of 3 cells are not ranked")
    );
    insta::assert_snapshot!(structure(html));
}

#[test]
fn thirty_suspects_are_two_lines() {
    let mut cells = Vec::new();
    for (number, threads) in (0..3).flat_map(|_| [2, 4, 8]).enumerate() {
        for nature in NATURES.iter().take(4) {
            let mut cell = record(nature, &point(&format!("busy-{}", number / 3), threads), 2, 0, 1);
            cell.status = Status::Suspect;
            cell.reasons = vec![format!("overlap: all workers ran in 0.{number}1 of the time; needed 0.9")];
            if threads == 8 {
                cell.reasons.push("ledger: 7 % of the span is unexplained".into());
            }
            cells.push(cell);
        }
    }
    let links: Vec<String> = cells.iter().map(|cell| format!("cells/{}.html", cell.cell)).collect();
    let files = site("suspects", &[run(cells)], &options());
    let html = page(&files, "index.html");
    assert!(
        html.contains("36 of 36 cells are not ranked") && html.contains("36 suspect (overlap 36, ledger 12)")
    );
    let (_, section) = html.split_once("id=\"not-ranked\"").unwrap();
    assert_eq!(section.matches("<summary>").count(), 2, "a line for each rule");
    assert_eq!(section.matches("<details open").count(), 0, "so many are folded");
    assert!(section.contains("(rule <code>overlap</code>): 36 cells"));
    assert!(section.contains("(rule <code>ledger</code>): 12 cells"));
    // Every one of them is still there, with what was seen.
    for link in links {
        assert!(section.contains(&link), "{link}");
    }
    assert!(section.contains("all workers ran in 0.81 of the time; needed 0.9"));
}

/// The texts of a figure's picture.
fn texts(html: &str, figure: &str) -> Vec<String> {
    let (_, rest) = html.split_once(&format!(">{figure}</a></figcaption>")).unwrap();
    let svg = &rest[..rest.find("</svg>").unwrap()];
    let texts = svg.split("<text").skip(1);
    texts.filter_map(|text| Some(text.split_once('>')?.1.split_once('<')?.0.to_owned())).collect()
}

#[test]
fn a_control_is_no_second_line() {
    let go = NATURES[4].id;
    let mut records = Vec::new();
    for threads in [1, 2, 8] {
        let point = point("contended", threads);
        records.extend(NATURES.iter().map(|nature| record(nature, &point, 5, 1, u64::from(threads))));
        for arm in ["a", "b"] {
            let mut control = record(&NATURES[4], &point, 5, 1, 70 + u64::from(threads));
            control.arm = arm.into();
            control.cell = format!("{}+{arm}", control.cell);
            records.push(control);
        }
    }
    let count = |run: &Loaded, path: &str, figure: &str, name: &str| {
        let files = render(std::slice::from_ref(run), &options());
        texts(page(&files, path), figure).iter().filter(|text| text.starts_with(name)).count()
    };
    let mine = format!("implementations/{}.html", go.replace('/', "."));
    let mut run = run(records);
    for (path, figure, name, times) in [
        (mine.as_str(), "Throughput against threads", "contended", 1),
        (mine.as_str(), "Percentiles of the waits", "contended", 3),
        (mine.as_str(), "Where the workers' time went", "contended", 3),
        ("index.html", "Pareto front: throughput against the p99.9 wait", go, 1),
        ("workloads/contended.html", "Throughput against threads", go, 1),
        ("workloads/contended.html", "Percentiles of the waits", go, 1),
        // Here it belongs: how far its dots lie apart is the noise.
        ("workloads/contended.html", "Every launch", go, 3),
    ] {
        assert_eq!(count(&run, path, figure, name), times, "{figure} of {path}");
    }
    // Where the lock itself is not ranked, the first arm stands for it, on the same line.
    for record in run.records.iter_mut().filter(|r| r.implementation == go && r.arm.is_empty()).take(1) {
        record.status = Status::Suspect;
    }
    assert_eq!(count(&run, &mine, "Throughput against threads", "contended"), 1);
    assert_eq!(count(&run, "workloads/contended.html", "Throughput against threads", go), 1);
}

#[test]
fn hostile_names_stay_text() {
    const PWNED: &str = "<script>window.pwned=1</script>";
    let mut cells: Vec<_> = NATURES[..5].iter().map(|n| record(n, &point("contended", 4), 5, 1, 1)).collect();
    cells[0].implementation = hostile_name();
    cells[0].cell = hostile_name();
    cells[1].point.roles[0].name = "<u>\"role\"".into();
    cells[2].status = Status::Suspect;
    cells[2].reasons = vec![format!("</td>{PWNED}")];
    cells[3].implementation = format!("mutex/{}", "x".repeat(194));
    cells[4].point.workload = format!("../../{PWNED}\"'");
    let mut run = run(cells);
    run.manifest.command = vec![format!("</pre>{PWNED}")];
    run.manifest.catalogue = Some(record::Catalogue {
        implementations: vec![record::ImplementationCard {
            id: hostile_name(),
            summary: PWNED.into(),
            source: Some(format!("https://example.org/\"{PWNED} javascript:alert(1)")),
            follows: Some(format!("mutex/{}", "x".repeat(194))),
            text: Some(format!(
                "# {PWNED}\n\n{PWNED} [a](javascript:window.pwned=1) ![b](javascript:1) <img src=x onerror=window.pwned=1>\n\n<marquee>{PWNED}</marquee>"
            )),
            params: vec![record::ParamCard { name: PWNED.into(), default: 1, origin: PWNED.into() }],
            ..Default::default()
        }],
        workloads: vec![record::WorkloadCard {
            name: "contended".into(),
            summary: PWNED.into(),
            analysis: PWNED.into(),
        }],
    });
    for single_file in [false, true] {
        let name = if single_file { "hostile-single" } else { "hostile" };
        let files = site(name, std::slice::from_ref(&run), &Options { single_file, ..options() });
        for file in files.iter().filter(|f| f.path.ends_with(".html")) {
            // The page's own script is the only one, and no element came out of a name.
            assert_eq!(file.content.matches("<script").count(), 1, "{}", file.path);
            for tag in ["<img", "<u>", "<marquee", "href=\"javascript"] {
                assert_eq!(file.content.matches(tag).count(), 0, "{tag} in {}", file.path);
            }
            assert!(file.path.len() < 110 && !file.path.contains(".."), "{}", file.path);
        }
        assert!(page(&files, "index.html").contains("&lt;script&gt;window.pwned=1"));
    }
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
    let files = site("mixed", &[here, there], &options());
    let html = page(&files, "index.html");
    assert!(html.contains("stand in 3 groups") && html.contains("different computers or models"));
    assert!(html.contains("simulated (opteron)"));
    insta::assert_snapshot!(structure(html));
    let comparison = page(&files, "compare/runs-1-2.html");
    assert!(comparison.contains("Not compared: the records come from different computers"));
}

#[test]
fn two_runs_are_compared_and_never_mixed() {
    let cells = |seed| vec![record(&NATURES[4], &point("contended", 2), 5, 1, seed)];
    let (one, mut other) = (run(cells(1)), run(cells(2)));
    other.records[0].tool.harness_hash = "0ther".into();
    let files = site("two-runs", &[one, other], &options());
    let html = page(&files, "index.html");
    assert!(html.contains("stand in 2 groups") && html.contains("different versions of driver or probes"));
    let comparison = page(&files, "compare/runs-1-2.html");
    assert!(comparison.contains("different versions of driver or probes"));
    assert!(comparison.contains("<td class=\"l v-"));
}

#[test]
fn shards_of_one_run_stand_together() {
    let shard = |number: usize, nature: usize| {
        let mut run = run(vec![record(&NATURES[nature], &point("contended", 2), 5, 1, 1)]);
        run.manifest.shard = Some(format!("{number}/2"));
        run.path = PathBuf::from(format!("runs/shard-{number}"));
        run
    };
    let files = site("shards", &[shard(1, 4), shard(2, 8)], &options());
    assert!(!page(&files, "index.html").contains("stand in 2 groups"));
}

#[test]
fn damaged_records_are_listed() {
    let mut run = run(vec![record(&NATURES[4], &point("contended", 2), 5, 1, 1)]);
    run.damaged.push((PathBuf::from("cells/x.json"), "is damaged: EOF at line 3".into()));
    run.damaged.push((PathBuf::from("cells/y.json"), "schema 9 is not known".into()));
    let files = site("damaged", &[run], &options());
    let html = page(&files, "index.html");
    assert!(
        html.contains("Damaged records (2)") && html.contains("EOF at line 3") && html.contains("schema 9")
    );
}

#[test]
fn pairs_that_were_asked_for_are_compared() {
    let compare = vec![("mutex/mcs".to_owned(), "mutex/ticket".to_owned())];
    let files = site("asked", &[quick_run()], &Options { compare, ..options() });
    let html = page(&files, "compare/mutex.mcs@mutex.ticket.html");
    assert!(html.contains("contended/t8") && html.contains("wait p99"));
}

#[test]
fn two_thousand_cells() {
    let run = large_run(2_000);
    let start = Instant::now();
    let files = site("large", &[run], &options());
    let took = start.elapsed();
    assert!(files.len() > 2_000);
    assert!(took.as_secs_f64() < 60.0, "{took:?}; the aim is 10 s on two free cores");
    let largest = files.iter().map(|f| f.content.len()).max().unwrap();
    assert!(largest < 4_000_000, "a page of {largest} bytes opens slowly");
}
