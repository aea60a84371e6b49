//! The folder of a report: what may be replaced, what is refused, where raw files are.

mod common;

use std::fs;
use std::path::Path;

use common::{NATURES, point, record, run};
use record::store::{Loaded, RunDir};
use reports::html::{Options, write_report};

fn two_cells() -> Loaded {
    run(vec![
        record(&NATURES[4], &point("contended", 2), 2, 1, 1),
        record(&NATURES[5], &point("contended", 2), 2, 1, 1),
    ])
}

fn pages(folder: &Path) -> usize {
    fs::read_dir(folder.join("cells")).map_or(0, |entries| entries.count())
}

#[test]
fn the_writer_refuses_what_it_would_spoil() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [two_cells()];
    let out = folder.path().join("report");
    let options = Options::default();
    let written = write_report(&out, &runs, &options).unwrap();
    assert_eq!(written, out.join("index.html"));
    // An earlier report may be replaced.
    write_report(&out, &runs, &options).unwrap();
    fs::write(out.join("cells").join("thesis.tex"), "years of work").unwrap();
    let error = write_report(&out, &runs, &options).unwrap_err().to_string();
    assert!(
        error.contains("cells/thesis.tex") && error.contains("--force") && !error.contains('\n'),
        "{error}"
    );
    write_report(&out, &runs, &Options { force: true, ..Options::default() }).unwrap();
    assert_eq!(fs::read_to_string(out.join("cells").join("thesis.tex")).unwrap(), "years of work");
    let error = write_report(&written, &runs, &options).unwrap_err().to_string();
    assert!(error.contains("is a file"), "{error}");
    // A page that is not ours is somebody's, and so is an empty folder.
    for other in ["site", "photos"] {
        let other = folder.path().join(other);
        fs::create_dir_all(other.join("empty")).unwrap();
        fs::write(other.join("index.html"), "<h1>my page</h1>").unwrap();
        assert!(write_report(&other, &runs, &options).is_err());
        assert_eq!(fs::read_to_string(other.join("index.html")).unwrap(), "<h1>my page</h1>");
    }
}

#[test]
fn no_page_of_an_earlier_report_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    write_report(&out, &[two_cells()], &Options::default()).unwrap();
    assert_eq!(pages(&out), 2);
    let one = run(vec![record(&NATURES[4], &point("contended", 2), 2, 1, 1)]);
    write_report(&out, &[one], &Options::default()).unwrap();
    assert_eq!(pages(&out), 1);
    write_report(&out, &[two_cells()], &Options { single_file: true, ..Options::default() }).unwrap();
    let left: Vec<_> = fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "one page and the list of files: {left:?}");
    // And back, as if a report had been killed half-way: the list is there before the pages.
    write_report(&out, &[two_cells()], &Options::default()).unwrap();
    fs::remove_file(out.join("methodology.html")).unwrap();
    write_report(&out, &[two_cells()], &Options::default()).unwrap();
    assert!(out.join("methodology.html").is_file());
}

#[test]
fn a_page_of_an_early_version_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let page = "<!DOCTYPE html><html><head><meta name=\"generator\" content=\"synchroscope\"></head></html>";
    fs::write(folder.path().join("index.html"), page).unwrap();
    write_report(folder.path(), &[two_cells()], &Options::default()).unwrap();
    assert_eq!(pages(folder.path()), 2);
}

#[test]
fn a_list_reaches_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let treasure = folder.path().join("treasure.txt");
    fs::write(&treasure, "gold").unwrap();
    write_report(&out, &[two_cells()], &Options::default()).unwrap();
    let list = fs::read_to_string(out.join("files.txt")).unwrap();
    let list = format!("{list}../treasure.txt\n{}\n", treasure.display());
    fs::write(out.join("files.txt"), list).unwrap();
    write_report(&out, &[two_cells()], &Options::default()).unwrap();
    assert_eq!(fs::read_to_string(&treasure).unwrap(), "gold");
}

#[test]
fn raw_files_are_linked_or_copied() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("run");
    let made = two_cells();
    let dir = RunDir::create(&place, &made.manifest).unwrap();
    made.records.iter().for_each(|record| dir.save(record).unwrap());
    let runs = [RunDir::load(&place).unwrap()];
    let raw = |out: &Path| {
        let page = fs::read_dir(out.join("cells")).unwrap().next().unwrap().unwrap().path();
        let html = fs::read_to_string(&page).unwrap();
        let links = html
            .split("href=")
            .skip(1)
            .filter_map(|rest| rest.trim_start_matches('"').split(['"', ' ', '>']).next().map(str::to_owned));
        let raw: Vec<String> = links.filter(|l| l.ends_with(".hlog") || l.ends_with(".json")).collect();
        assert_eq!(raw.len(), 2);
        for link in &raw {
            assert!(out.join("cells").join(link).is_file(), "{link}");
        }
        raw
    };
    // Beside its run a report need not hold the files twice.
    let inside = place.join("report");
    write_report(&inside, &runs, &Options::default()).unwrap();
    assert!(raw(&inside)[0].starts_with("../../cells/"));
    assert!(!inside.join("raw").exists());
    let elsewhere = folder.path().join("elsewhere");
    write_report(&elsewhere, &runs, &Options::default()).unwrap();
    assert!(raw(&elsewhere)[0].starts_with("../raw/run/"));
    assert!(elsewhere.join("raw").join("run").join("run.json").is_file());
}
