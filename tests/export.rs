//! `export` on the command line: every format of a real run, measured and simulated, and what is refused.

mod support;

use std::fs;

use support::{Place, TINY};

const FORMATS: [&str; 5] = ["bmf", "benchfmt", "hdr", "openmetrics", "csv"];

#[test]
fn a_real_run_leaves_in_every_format() {
    let place = Place::new();
    let suite = place.write("tiny.toml", TINY);
    let sim = ["run", suite, "--machine", "sim:opteron-48", "--seeds", "2", "--quiet", "--out", "simulated"];
    place.run(&sim).code(0);
    for format in FORMATS {
        let text = place.run(&["export", "simulated", "--format", format]).code(0).stdout;
        // On stdout and in a file it is the same.
        let file = format!("new/folder/{format}");
        let told = place.run(&["export", "simulated", "--format", format, "--out", &file]).code(0).stdout;
        assert_eq!(told.trim(), file);
        assert_eq!(fs::read_to_string(place.path(&file)).unwrap(), text);
        assert!(text.to_lowercase().contains("simulated"), "{format} does not say that it is simulated");
    }
    for (format, file) in [
        ("criterion", "mutex.spin-yield@contended-t2-h500"),
        ("github-action-benchmark", "customBiggerIsBetter.json"),
    ] {
        place.run(&["export", "simulated", "--format", format, "--out", format]).code(0);
        let names: Vec<String> = fs::read_dir(place.path(format))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        assert!(names.iter().any(|name| name.starts_with(file)), "{names:?}");
    }
    // A second baseline joins the tree; the same one only by force.
    let tree = ["export", "simulated", "--format", "criterion", "--out", "criterion"];
    let with = |more: &[&'static str]| place.run(&[&tree[..], more].concat());
    with(&["--baseline", "other"]).code(0);
    with(&[]).refused(&["criterion/", "simulated/benchmark.json is there already", "--force"]);
    with(&["--force"]).code(0);
    with(&["--baseline", "a/b"]).refused(&["baseline `a/b`", "expected letters"]);
    with(&["--baseline", "change"]).refused(&["baseline `change`"]);

    let refused = |more: &[&str], texts: &[&str]| {
        let before = place.contents();
        place.run(&[&["export"], more].concat()).refused(texts);
        assert_eq!(place.contents(), before, "{more:?} left something behind");
    };
    refused(&["simulated", "--format", "benchfmd"], &["unknown format `benchfmd`", "`benchfmt`"]);
    refused(&["simulated", "--format", "criterion"], &["makes a folder", "--out DIR"]);
    refused(&["simulated", "--format", "csv", "--out", "new"], &["new is a folder", "writes a file"]);
    refused(&["simulated", "--format", "csv", "--out", "new/folder/csv"], &["is there already", "--force"]);
    refused(&["simulated", "--format", "criterion", "--out", "tiny.toml"], &["tiny.toml is a file"]);
    refused(
        &["simulated", "--format", "csv", "--baseline", "x"],
        &["--baseline goes with --format criterion"],
    );
    refused(&["simulated"], &["--format"]);
    refused(&["nowhere", "--format", "csv"], &["nowhere is not a run"]);
}
