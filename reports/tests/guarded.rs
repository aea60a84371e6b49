//! The points that a report of `guard` gives to a history.

use std::collections::BTreeMap;

use record::Tier;
use reports::compare::Verdict;
use reports::guard::exact::HARNESS_CHANGED;
use reports::guard::{Control, Estimate, GuardReport, KIND, Layer, Metric, Row, VERSION};
use reports::history::{Job, Point, Source, Taken, points_of_guard};

fn row(layer: Layer, metric: Metric) -> Row {
    let exact = layer == Layer::Exact;
    Row {
        implementation: "mutex/mine".into(),
        label: "contended/t2/h0".into(),
        machine: if exact { "sim:laptop-8" } else { "os" }.into(),
        layer,
        metric,
        tier: if exact { Tier::Simulated } else { Tier::MeasuredProbe },
        baseline: Some(1000.0),
        candidate: Some(1100.0),
        ratio: Some(Estimate { ratio: 1.1, low: 1.08, high: 1.12, confidence: 0.99, p: None }),
        margin_ratio: 1.0609,
        minimal_detectable_ratio: None,
        blocks: if exact { 0 } else { 12 },
        confirmed: !exact,
        verdict: Verdict::Regressed,
        reason: String::new(),
        evidence: None,
    }
}

fn taken(rows: Vec<Row>, moved: bool) -> Taken {
    let control = Control { name: "A/A x".into(), ratio: None, moved, detail: String::new() };
    let report = GuardReport {
        kind: KIND.into(),
        version: VERSION,
        baseline: "v1".into(),
        candidate: "this program".into(),
        command: Vec::new(),
        fingerprint: "0123456789ab".into(),
        seed: 1,
        verdict: Verdict::Regressed,
        rows,
        controls: vec![control],
        expected_false_alarms: 0.0,
        notes: Vec::new(),
        failed: false,
    };
    let cell = |row: &Row| {
        (row.implementation == "mutex/mine")
            .then(|| (BTreeMap::from([("polls".to_owned(), 3)]), "feed".to_owned()))
    };
    points_of_guard(
        &report,
        &Job {
            run: "run",
            time_unix_ms: 7,
            revision: "r7",
            reference: "commit 1a2b3c4",
            tool: "0.1.0",
            harness: "h",
            cell: &cell,
        },
    )
}

fn only(rows: Vec<Row>, moved: bool) -> Point {
    let taken = taken(rows, moved);
    assert_eq!((taken.points.len(), taken.left_out.len()), (1, 0), "{taken:?}");
    taken.points[0].clone()
}

#[test]
fn a_row_is_a_point() {
    let point = only(vec![row(Layer::Measured, Metric::Throughput)], false);
    assert_eq!((point.source, point.blocks, point.reached), (Source::Guard, 12, true));
    assert_eq!((point.revision.as_str(), point.reference.as_str()), ("r7", "commit 1a2b3c4"));
    assert_eq!((point.fingerprint.as_str(), point.params["polls"]), ("0123456789ab", 3));
    assert!((point.ln_ratio - 1.1f64.ln()).abs() < 1e-12);
    // The margin is twice the floor.
    assert!((point.null_floor_ratio.expect("a floor") - 1.03).abs() < 1e-9);
    // Six blocks reach 95 % and not 99 %.
    let mut screened = row(Layer::Measured, Metric::Throughput);
    screened.blocks = 6;
    assert!(!only(vec![screened.clone()], false).reached);
    screened.ratio.as_mut().expect("a ratio").confidence = 0.95;
    assert!(only(vec![screened], false).reached);
    // A simulated machine is the same everywhere; a binary is that of a compiler.
    let simulated = only(vec![row(Layer::Exact, Metric::CyclesPerOp)], false);
    assert_eq!((simulated.fingerprint.as_str(), simulated.null_floor_ratio), ("simulated", None));
    let counted = only(vec![row(Layer::Exact, Metric::InstructionsPerOp)], false);
    assert_eq!(counted.fingerprint, "0123456789ab");
}

#[test]
fn what_says_nothing_of_the_code_is_no_point() {
    let mut failed = row(Layer::Measured, Metric::Throughput);
    (failed.ratio, failed.reason) = (None, "a launch of the candidate failed".into());
    let mut foreign = row(Layer::Exact, Metric::CyclesPerOp);
    foreign.reason = format!("{HARNESS_CHANGED}: the floor differs");
    let mut stray = row(Layer::Measured, Metric::Jain);
    stray.implementation = "mutex/other".into();
    let found = taken(vec![failed, foreign, stray, row(Layer::History, Metric::Throughput)], false);
    assert!(found.points.is_empty(), "{found:?}");
    let reasons: Vec<&str> = found.left_out.iter().map(|left| left.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "a launch of the candidate failed",
            "harness changed: the floor differs",
            "it is of no cell of the job"
        ]
    );

    // A control that moved says that this computer moved: what no clock is in stays.
    let both = vec![row(Layer::Measured, Metric::Throughput), row(Layer::Exact, Metric::CyclesPerOp)];
    let found = taken(both, true);
    assert_eq!(found.points.len(), 1);
    assert_eq!(found.points[0].metric, Metric::CyclesPerOp);
    assert!(found.left_out[0].reason.contains("A/A x moved"), "{found:?}");
}
