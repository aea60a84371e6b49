//! A history: points of a run and of a criterion tree, damaged lines, series, verdicts, the page.

mod common;
#[path = "common/noise.rs"]
mod noise;

use std::path::Path;

use common::{NATURES, point, record, run};
use noise::Noise;
use proptest::prelude::*;
use record::{Record, Status, Tier};
use reports::compare::Verdict;
use reports::export::{Export, Format, export};
use reports::guard::{Layer, Metric};
use reports::history::*;
use reports::html::Options;

const REFERENCE: &str = "mutex/peer-std";

fn base(metric: Metric) -> Point {
    Point {
        schema: SCHEMA,
        time_unix_ms: 0,
        revision: String::new(),
        fingerprint: "0123456789ab".into(),
        run: String::new(),
        source: Source::Synchroscope,
        machine: "os".into(),
        implementation: "mutex/mine".into(),
        params: Default::default(),
        label: "contended/t2/h0".into(),
        point: "feed".into(),
        metric,
        reference: REFERENCE.into(),
        ln_ratio: 0.0,
        ln_low: None,
        ln_high: None,
        confidence: 0.95,
        reached: true,
        blocks: 6,
        null_floor_ratio: Some(1.01),
        tier: Tier::MeasuredProbe,
        tool: "0.1.0".into(),
        harness: "a".into(),
    }
}

/// A series of these logarithms, an hour apart.
fn points(metric: Metric, values: &[f64]) -> Vec<Point> {
    let make = |(index, ln): (usize, &f64)| Point {
        time_unix_ms: 1_790_000_000_000 + index as u64 * 3_600_000,
        revision: format!("r{index:03}"),
        run: format!("run-{index}"),
        ln_ratio: *ln,
        ln_low: Some(ln - 0.02),
        ln_high: Some(ln + 0.02),
        ..base(metric)
    };
    values.iter().enumerate().map(make).collect()
}

/// Levels with noise of 1 %.
fn levels(seed: u64, levels: &[(usize, f64)]) -> Vec<f64> {
    let mut noise = Noise::new(seed);
    let level = levels.iter().flat_map(|(count, level)| std::iter::repeat_n(*level, *count));
    level.map(|level| level + 0.01 * noise.normal()).collect()
}

fn judged(history: &History) -> Judged {
    let all = series(history);
    assert_eq!(all.len(), 1);
    judge(&all[0])
}

fn of(points: Vec<Point>) -> History {
    History { points, ..History::default() }
}

#[test]
fn a_loss_is_found_where_it_happened() {
    let history = of(points(Metric::Throughput, &levels(1, &[(20, 0.1), (12, 0.0)])));
    let one = judged(&history);
    assert_eq!(one.changes.len(), 1);
    assert_eq!((one.changes[0].at, one.verdict), (20, Verdict::Regressed), "{one:?}");
    let ratio = one.ratio.unwrap();
    assert!(ratio.low < (-0.1f64).exp() && (-0.1f64).exp() < ratio.high && ratio.p.unwrap() < 1e-4);
    assert!(one.reason.contains("since r020 (before it r019), 12 points ago"), "{}", one.reason);
    assert!(!one.noisy && one.minimal_detectable_ratio.unwrap() < 1.06);
    // For a wait the same numbers are a gain.
    let waits = of(points(Metric::WaitP99, &levels(1, &[(20, 0.1), (12, 0.0)])));
    assert_eq!(judged(&waits).verdict, Verdict::Improved);
}

#[test]
fn nothing_is_made_of_noise_or_of_little() {
    let still = judged(&of(points(Metric::Throughput, &levels(2, &[(40, 0.3)]))));
    assert_eq!((still.verdict, still.changes.len()), (Verdict::Equivalent, 0), "{still:?}");
    let few = judged(&of(points(Metric::Throughput, &levels(2, &[(4, 0.3), (5, 0.0)]))));
    assert_eq!(few.verdict, Verdict::Inconclusive);
    assert!(few.reason.starts_with("9 of the 10 points"), "{}", few.reason);
    // 2 %: real, and within the margin.
    let small = judged(&of(points(Metric::Throughput, &levels(3, &[(40, 0.0), (40, -0.02)]))));
    assert_eq!((small.changes.len(), small.verdict), (1, Verdict::Equivalent), "{small:?}");
    assert!(small.reason.contains("within the margin"), "{}", small.reason);
}

#[test]
fn what_was_taken_back_stands_no_more_and_small_losses_add_up() {
    let back = judged(&of(points(Metric::Throughput, &levels(4, &[(15, 0.0), (15, -0.1), (15, 0.0)]))));
    assert_eq!((back.changes.len(), back.verdict), (2, Verdict::Equivalent), "{back:?}");
    // Three steps of 2 %, each within the margin of 3 %.
    let creep = judged(&of(points(
        Metric::Throughput,
        &levels(5, &[(24, 0.0), (24, -0.02), (24, -0.04), (24, -0.06)]),
    )));
    assert_eq!(creep.verdict, Verdict::Regressed, "{creep:?}");
    // A gain before a loss does not pay for it.
    let both = judged(&of(points(Metric::Throughput, &levels(6, &[(15, 0.0), (15, 0.2), (15, 0.1)]))));
    assert_eq!((both.verdict, both.decides), (Verdict::Regressed, Some(1)), "{both:?}");
}

#[test]
fn an_accepted_change_is_a_new_beginning() {
    let mut history = of(points(Metric::Throughput, &levels(1, &[(20, 0.1), (12, 0.0)])));
    let epoch = Epoch {
        schema: SCHEMA,
        time_unix_ms: 0,
        from_revision: "r020".into(),
        since_unix_ms: history.points[20].time_unix_ms,
        implementation: None,
        label: None,
        metric: None,
        reason: "fair now".into(),
    };
    history.epochs = vec![epoch.clone()];
    let one = judged(&history);
    assert_eq!((one.from, one.changes.len(), one.verdict), (20, 0, Verdict::Equivalent), "{one:?}");
    // One of another metric or implementation is none of this series; one that it never measured counts by its time.
    history.epochs = vec![Epoch { metric: Some(Metric::Jain), ..epoch.clone() }];
    assert_eq!(judged(&history).verdict, Verdict::Regressed);
    history.epochs = vec![Epoch { from_revision: "elsewhere".into(), ..epoch }];
    assert_eq!(judged(&history).from, 20);
}

#[test]
fn a_change_of_the_harness_is_not_a_verdict() {
    let mut history = of(points(Metric::Throughput, &levels(1, &[(20, 0.1), (12, 0.0)])));
    history.points[20..].iter_mut().for_each(|point| point.harness = "b".into());
    let one = judged(&history);
    assert_eq!(one.verdict, Verdict::Inconclusive);
    assert!(one.reason.contains("driver or probes changed"), "{}", one.reason);
}

#[test]
fn noise_has_a_badge_that_a_step_does_not_earn() {
    let loud: Vec<f64> = levels(7, &[(40, 0.0)]).iter().map(|v| v * 5.0).collect();
    let one = judged(&of(points(Metric::Throughput, &loud)));
    assert!(one.noisy && one.verdict == Verdict::Inconclusive, "{one:?}");
    assert!(one.reason.contains("would not show"), "{}", one.reason);
    let step = judged(&of(points(Metric::Throughput, &levels(8, &[(20, 0.0), (20, 0.5)]))));
    assert!(!step.noisy && step.fence_ratio.unwrap() < 1.1, "{step:?}");
}

#[test]
fn what_differs_never_shares_a_series() {
    let one = points(Metric::Throughput, &[0.0; 3]);
    let mut all = one.clone();
    let mut with = |change: &dyn Fn(&mut Point)| {
        all.extend(one.iter().cloned().map(|mut point| {
            change(&mut point);
            point
        }));
    };
    with(&|p| p.fingerprint = "other".into());
    with(&|p| p.reference = "mutex/mcs".into());
    with(&|p| p.point = "redefined".into());
    with(&|p| p.source = Source::Criterion);
    with(&|p| p.machine = "sim:opteron-48".into());
    with(&|p| p.metric = Metric::Jain);
    // Other versions of the tool and other blocks do.
    let mut later = one.clone();
    later.iter_mut().for_each(|p| p.tool = "0.2.0".into());
    all.extend(later);
    let history = of(all);
    let mut lengths: Vec<usize> = series(&history).iter().map(|s| s.points.len()).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [3, 3, 3, 3, 3, 3, 6]);
}

#[test]
fn damaged_lines_are_named_and_the_others_kept() {
    let good = Line::Point(points(Metric::Throughput, &[0.1])[0].clone()).to_text().unwrap();
    let later = good.replace("\"schema\":1", "\"schema\":2");
    let odd = good.replace("\"blocks\"", "\"blokcs\"");
    let wild = good.replace("\"ln_ratio\":0.1", "\"ln_ratio\":1e9");
    let outside = good.replace("\"ln_high\":0.12000000000000001", "\"ln_high\":0.05");
    assert_ne!(outside, good);
    let cut = &good[..good.len() / 2];
    let text =
        format!("{good}not json\n\n{later}{odd}{wild}{outside}{{\"kind\":\"point\"}}\n\u{0}\n{good}{cut}");
    let history = read(&[("a.jsonl".into(), text.into_bytes()), ("b.jsonl".into(), vec![0xFF, b'\n'])]);
    assert_eq!(history.points.len(), 2);
    let lines: Vec<(&str, usize)> = history.damaged.iter().map(|d| (d.file.as_str(), d.line)).collect();
    let of_a = [2, 4, 5, 6, 7, 8, 9, 11].map(|line| ("a.jsonl", line));
    assert_eq!(lines[..8], of_a);
    assert_eq!(lines[8], ("b.jsonl", 1));
    let reason = |line: usize| &history.damaged.iter().find(|d| d.line == line).unwrap().reason;
    assert!(reason(4).contains("schema 2") && reason(5).contains("blokcs") && reason(6).contains("beyond"));
    assert!(reason(7).contains("not between"), "{}", reason(7));
}

fn a_run(seed: u64) -> record::store::Loaded {
    let at = point("contended", 2);
    let suspect = Record { status: Status::Suspect, ..record(&NATURES[7], &at, 6, 2, seed) };
    let arm = |arm: &str| Record {
        arm: arm.into(),
        cell: format!("aa-{arm}"),
        ..record(&NATURES[4], &at, 6, 2, seed)
    };
    run(vec![
        record(&NATURES[18], &at, 6, 2, seed),
        record(&NATURES[3], &at, 6, 2, seed),
        record(&NATURES[21], &at, 6, 2, seed),
        record(&NATURES[3], &point("contended", 4), 6, 2, seed),
        suspect,
        arm("a"),
        arm("b"),
    ])
}

#[test]
fn a_run_becomes_ratios_to_the_reference() {
    let run = a_run(1);
    let taken = points_of_run(&run, REFERENCE, "abc").unwrap();
    let names: Vec<(&str, Metric)> =
        taken.points.iter().map(|p| (p.implementation.as_str(), p.metric)).collect();
    // The reference itself, the floor and the arm b are not among them.
    for id in ["mutex/go-2016-starving", "mutex/go-2019-fastpath"] {
        for metric in [Metric::Throughput, Metric::CpuPerOp, Metric::Jain] {
            assert_eq!(
                names.iter().filter(|name| **name == (id, metric)).count(),
                1,
                "{id} {metric:?}: {names:?}"
            );
        }
    }
    assert!(names.iter().all(|(id, _)| id.contains("go-20")), "{names:?}");
    // By hand: the median of the means of pairs of ln(own / reference), launch by launch.
    let rates = |record: &Record| record.plain().filter_map(|r| r.throughput_per_s()).collect::<Vec<_>>();
    let differences: Vec<f64> =
        rates(&run.records[1]).iter().zip(rates(&run.records[0])).map(|(a, b)| (a / b).ln()).collect();
    let mut means: Vec<f64> = Vec::new();
    for i in 0..6 {
        means.extend((i..6).map(|j| (differences[i] + differences[j]) / 2.0));
    }
    means.sort_by(f64::total_cmp);
    let first = &taken.points[0];
    assert!((first.ln_ratio - means[10]).abs() < 1e-12, "{first:?}");
    assert!(first.ln_low.unwrap() <= first.ln_ratio && first.ln_ratio <= first.ln_high.unwrap());
    assert_eq!((first.blocks, first.reached, first.revision.as_str()), (6, true, "abc"));
    assert!(first.null_floor_ratio.unwrap() >= 1.0);
    let reasons: Vec<String> = taken.left_out.iter().map(|l| format!("{}: {}", l.cell, l.reason)).collect();
    assert!(reasons.iter().any(|r| r.contains("contended/t4: the run has no mutex/peer-std")), "{reasons:?}");
    assert!(reasons.iter().any(|r| r.contains("spin-yield is suspect")), "{reasons:?}");
    let unknown = points_of_run(&run, "mutex/peer-stt", "abc").unwrap_err().to_string();
    assert!(unknown.contains("has no such implementation; it has mutex/empty"), "{unknown}");
    // A line comes back as it went.
    let text: String = taken.points.iter().map(|p| Line::Point(p.clone()).to_text().unwrap()).collect();
    let back = read(&[("x".into(), text.into_bytes())]);
    assert_eq!((back.damaged.len(), back.points.len()), (0, taken.points.len()));
}

fn scope(reference: &str) -> Scope {
    Scope {
        reference: reference.into(),
        revision: "abc".into(),
        fingerprint: "0123456789ab".into(),
        baseline: "new".into(),
        time_unix_ms: Some(5),
    }
}

fn tree(folder: &Path) {
    let run = run(vec![
        record(&NATURES[18], &point("contended", 2), 6, 0, 1),
        record(&NATURES[3], &point("contended", 2), 6, 0, 1),
        record(&NATURES[4], &point("contended", 4), 6, 0, 1),
    ]);
    let Export::Folder(files) = export(&run, Format::Criterion, "new").unwrap() else { panic!("a folder") };
    for file in files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.content).unwrap();
    }
}

#[test]
fn a_criterion_tree_becomes_points() {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path());
    let imported = criterion_points(folder.path(), &scope(REFERENCE)).unwrap();
    assert_eq!((imported.skipped.len(), imported.taken.points.len()), (0, 1));
    let one = &imported.taken.points[0];
    assert_eq!((one.implementation.as_str(), one.label.as_str()), ("mutex/go-2016-starving", "contended/t2"));
    assert_eq!((one.source, one.blocks, one.reached, one.time_unix_ms), (Source::Criterion, 0, false, 5));
    // Every ratio of a time of the reference to one of the other; their median.
    let per_op = |cell: &str| -> Vec<f64> {
        let text = std::fs::read_to_string(folder.path().join(cell).join("new/sample.json")).unwrap();
        let sample: serde_json::Value = serde_json::from_str(&text).unwrap();
        let of = |name: &str| {
            sample[name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>()
        };
        of("times").iter().zip(of("iters")).map(|(t, n)| t / n).collect()
    };
    let own = per_op("mutex-go-2016-starving-contended-t2");
    let mut ratios: Vec<f64> = per_op("mutex-peer-std-contended-t2")
        .iter()
        .flat_map(|theirs| own.iter().map(move |own| (theirs / own).ln()))
        .collect();
    ratios.sort_by(f64::total_cmp);
    assert!((one.ln_ratio - (ratios[17] + ratios[18]) / 2.0).abs() < 1e-12, "{one:?}");
    assert_eq!(imported.taken.left_out.len(), 1, "t4 has no reference");
    // By its full id one benchmark is the reference of all.
    let all = criterion_points(folder.path(), &scope("contended/t2/mutex/peer-std")).unwrap();
    assert_eq!(all.taken.points.len(), 2);
}

#[test]
fn damaged_and_unknown_files_of_a_tree_are_named() {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path());
    let of = |cell: &str, name: &str| folder.path().join(cell).join("new").join(name);
    std::fs::write(of("mutex-go-2016-starving-contended-t2", "sample.json"), "{").unwrap();
    std::fs::write(of("mutex-go-2016-starving-contended-t2", "notes.txt"), "x").unwrap();
    std::fs::write(of("mutex-go-2019-fastpath-contended-t4", "benchmark.json"), "[]").unwrap();
    let imported = criterion_points(folder.path(), &scope(REFERENCE)).unwrap();
    let named: Vec<String> =
        imported.skipped.iter().map(|(p, r)| format!("{}: {r}", p.file_name().unwrap().display())).collect();
    assert_eq!(named.len(), 3, "{named:?}");
    assert!(named[0].starts_with("notes.txt: not a file that criterion writes"), "{named:?}");
    assert!(named[1].starts_with("sample.json: not JSON") && named[2].starts_with("benchmark.json: not as"));
    // The estimates stand in for the samples, without an interval.
    assert_eq!((imported.taken.points.len(), imported.taken.points[0].ln_low), (1, None));
    let error = criterion_points(folder.path(), &scope("nobody")).unwrap_err().to_string();
    assert!(error.contains("no benchmark and no function is called so"), "{error}");
    let other = Scope { baseline: "old".into(), ..scope(REFERENCE) };
    let error = criterion_points(folder.path(), &other).unwrap_err().to_string();
    assert!(error.contains("no benchmark of the baseline `old`"), "{error}");
}

fn eventful() -> History {
    let mut all = points(Metric::Throughput, &levels(1, &[(20, 0.1), (12, 0.0)]));
    let mut named = |name: &str, metric: Metric, values: &[f64]| {
        let of = |p: Point| Point { implementation: name.into(), ..p };
        all.extend(points(metric, values).into_iter().map(of));
    };
    named("mutex/calm", Metric::Throughput, &levels(2, &[(40, 0.3)]));
    named("mutex/better", Metric::WaitP99, &levels(3, &[(30, 1.2), (30, 0.9)]));
    named("mutex/back", Metric::CpuPerOp, &levels(4, &[(15, 0.0), (15, -0.1), (15, 0.0)]));
    let loud: Vec<f64> = levels(7, &[(40, 0.0)]).iter().map(|v| v * 5.0).collect();
    named("mutex/loud", Metric::Throughput, &loud);
    named("mutex/accepted", Metric::Throughput, &levels(5, &[(25, 0.2), (25, -0.1)]));
    named("<b>\"&", Metric::Jain, &[0.0; 12]);
    let epoch = Epoch {
        schema: SCHEMA,
        time_unix_ms: 1_790_000_000_000,
        from_revision: "r025".into(),
        since_unix_ms: 0,
        implementation: Some("mutex/accepted".into()),
        label: None,
        metric: None,
        reason: "fair hand-off costs throughput <decided>".into(),
    };
    let damaged = Damaged { file: "0123.jsonl".into(), line: 7, reason: "not JSON".into() };
    History { points: all, epochs: vec![epoch], damaged: vec![damaged] }
}

#[test]
fn a_check_is_a_report_of_guard() {
    let rules = Rules { store: "history".into(), ..Rules::default() };
    let report = check(&eventful(), &rules);
    assert_eq!(report.verdict, Verdict::Regressed);
    assert!(report.rows.iter().all(|row| row.layer == Layer::History) && report.rows.len() == 7);
    let text = text(&report);
    let mine = text.lines().find(|line| line.contains("mutex/mine")).unwrap();
    assert!(mine.contains("regressed (since r020"), "{text}");
    // What calls for somebody stands first: a loss, and a gain that was lost again.
    let names: Vec<bool> = text.lines().skip(3).take(7).map(|line| line.contains("regressed (")).collect();
    assert_eq!(names, [true, true, false, false, false, false, false], "{text}");
    assert!(text.contains("Note: 0123.jsonl:7 left out: not JSON"), "{text}");
    assert!(report.to_junit().unwrap().contains("mutex/mine"));
    assert!(report.to_github().contains("r020") && report.to_markdown().contains("r020"));
    let none = check(&eventful(), &Rules { fingerprint: Some("other".into()), ..rules });
    assert!(none.rows.is_empty() && none.verdict == Verdict::Inconclusive);
}

#[test]
fn all_at_once_is_perhaps_the_reference() {
    let mut all = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let values = levels(1, &[(20, 0.1), (12, 0.0)]);
        let of = |p: Point| Point { implementation: name.into(), ..p };
        all.extend(points(Metric::Throughput, &values).into_iter().map(of));
    }
    let report = check(&of(all), &Rules::default());
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("5 of 5 series") && note.contains("perhaps the reference"))
    );
}

/// Left where the browser's tests find it, as the other pages are.
#[test]
fn the_page_holds_everything_without_a_script() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sites/history");
    let _ = std::fs::remove_dir_all(&out);
    let history = eventful();
    let command = ["synchroscope", "history", "report"].map(String::from).to_vec();
    let options = Options { command, tool: "synchroscope 0.1.0".into(), ..Options::default() };
    let page = reports::html::write_history(&out, &history, "history", &options).unwrap();
    let html = std::fs::read_to_string(page).unwrap();
    assert!(!html.contains("<b>\"") && !html.contains("<decided>"), "names are not markup");
    for text in [
        "accepted at r025",
        "noisy?",
        "within the margin, or taken back",
        "fair hand-off costs throughput",
        "0123.jsonl",
        "since r020",
        "methodology.html#history",
        "id=series-0",
    ] {
        assert!(html.contains(text), "no {text:?}");
    }
    let method = std::fs::read_to_string(out.join("methodology.html")).unwrap();
    assert!(method.contains("id=history") || method.contains("id=\"history\""), "the paragraph is there");
    // The data come back.
    let lines = std::fs::read(out.join("history.jsonl")).unwrap();
    let back = read(&[("history.jsonl".into(), lines)]);
    assert_eq!((back.points.len(), back.epochs.len()), (history.points.len(), 1));
    // Each series has its picture with a text alternative, and its points as a table.
    assert_eq!(html.matches("<svg").count(), 7);
    assert_eq!(html.matches("Points of this series").count(), 7);
    // An empty history says so.
    let empty = reports::html::render_history(&History::default(), "nowhere", &Options::default());
    assert!(empty.contains("The history holds no points"));
}

proptest! {
    /// Whatever stands in a store: every line is a point, an epoch or damage, none ends the reading.
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..400, cut in 0usize..400) {
        let good = Line::Point(points(Metric::Throughput, &[0.1])[0].clone()).to_text().unwrap().into_bytes();
        let mut spoilt = good.clone();
        spoilt.truncate(cut);
        let at = at.min(spoilt.len());
        spoilt.splice(at..at, bytes.iter().copied());
        let history = read(&[("a".into(), bytes), ("b".into(), spoilt), ("c".into(), good)]);
        prop_assert!(history.damaged.iter().all(|d| d.line > 0 && !d.reason.is_empty()));
        let _ = check(&history, &Rules::default());
        prop_assert!(!history.points.is_empty());
    }
}
