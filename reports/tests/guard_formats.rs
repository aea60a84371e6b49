//! The formats of `guard` for continuous integration, with names and reasons that try to break out of each.

use quick_junit::{NonSuccessKind, TestCaseStatus};
use record::Tier;
use reports::compare::Verdict;
use reports::guard::markdown::MARKER;
use reports::guard::{Control, Estimate, GuardReport, KIND, Layer, Metric, Row, VERSION};

const NASTY: &str = "a|b <script>x</script> `c` *d* @octocat #12\n::error::50 % \"quoted\" & ]]> \u{1b}[31m";

fn row(implementation: &str, verdict: Verdict, ratio: f64) -> Row {
    Row {
        implementation: implementation.to_owned(),
        label: "contended/t8/h0".to_owned(),
        machine: "sim:laptop-8".to_owned(),
        layer: Layer::Exact,
        metric: Metric::CyclesPerOp,
        tier: Tier::Simulated,
        baseline: Some(1000.0),
        candidate: Some(1000.0 * ratio),
        ratio: Some(Estimate { ratio, low: ratio / 1.001, high: ratio * 1.001, confidence: 0.993, p: None }),
        margin_ratio: 1.01,
        minimal_detectable_ratio: Some(1.011),
        blocks: 0,
        confirmed: false,
        verdict,
        reason: String::new(),
        evidence: None,
    }
}

fn report(rows: Vec<Row>) -> GuardReport {
    GuardReport {
        kind: KIND.to_owned(),
        version: VERSION,
        baseline: "origin/main".to_owned(),
        candidate: NASTY.to_owned(),
        command: vec!["synchroscope".to_owned(), "guard".to_owned(), NASTY.to_owned()],
        fingerprint: "0123456789ab".to_owned(),
        seed: 1,
        verdict: Verdict::Regressed,
        rows,
        controls: vec![Control {
            name: NASTY.to_owned(),
            ratio: None,
            moved: true,
            detail: NASTY.to_owned(),
        }],
        expected_false_alarms: 0.02,
        notes: vec![NASTY.to_owned()],
        failed: false,
    }
}

fn nasty() -> GuardReport {
    let mut regressed = row("mutex/mine", Verdict::Regressed, 1.25);
    regressed.reason = NASTY.to_owned();
    regressed.evidence = Some("evidence/mine".to_owned());
    let mut undecided = row(NASTY, Verdict::Inconclusive, 1.005);
    (undecided.baseline, undecided.ratio) = (None, None);
    report(vec![
        row("mutex/same", Verdict::Equivalent, 1.0),
        row("mutex/better", Verdict::Improved, 0.8),
        undecided,
        row("mutex/unsure", Verdict::Contaminated, 1.5),
        regressed,
    ])
}

#[test]
fn junit_is_read_back_by_its_own_reader_and_by_another() {
    let text = nasty().to_junit().expect("XML");
    let read = quick_junit::Report::deserialize_from_str(&text).expect("JUnit");
    assert_eq!((read.tests, read.failures, read.skipped, read.errors), (6, 1, 3, 0));
    let cases = &read.test_suites[0].test_cases;
    assert_eq!(cases.len(), 5);
    let failed = |case: &&quick_junit::TestCase| {
        matches!(case.status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. })
    };
    let failures: Vec<_> = cases.iter().filter(failed).collect();
    assert_eq!(failures[0].name.as_str(), "mutex/mine contended/t8/h0 on sim:laptop-8: cycles per op");
    let tree = roxmltree::Document::parse(&text).expect("XML");
    let failure = tree.descendants().find(|node| node.has_tag_name("failure")).expect("a failure");
    let message = failure.attribute("message").expect("a message");
    // What XML cannot hold is left out; everything else comes back as it was.
    assert!(message.contains("a|b <script>x</script>") && message.contains("& ]]>"), "{message}");
    let property = |case: &str, name: &str| {
        let case = tree.descendants().find(|node| node.attribute("name") == Some(case)).expect("a case");
        let found = case
            .descendants()
            .find(|node| node.has_tag_name("property") && node.attribute("name") == Some(name));
        found.and_then(|node| node.attribute("value")).map(str::to_owned)
    };
    let name = "mutex/mine contended/t8/h0 on sim:laptop-8: cycles per op";
    assert_eq!(property(name, "candidate").as_deref(), Some("1250"));
    assert_eq!(property(name, "tier").as_deref(), Some("simulated"));
    assert_eq!(property(name, "p"), None, "what is absent is not zero");
}

#[test]
fn annotations_are_one_line_each_and_cannot_be_broken_out_of() {
    let text = nasty().to_github();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(
        lines[0].starts_with("::error title=mutex/mine contended/t8/h0 on sim%3Alaptop-8%3A cycles per op::"),
        "{text}"
    );
    assert!(lines[0].contains("50 %25") && lines[0].contains("#12%0A"), "{text}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("::warning ")).count(), 2);
    assert!(lines[1].contains("mutex/unsure"), "contaminated rows come before undecided ones: {text}");
    // A title ends at the first colon: it must be ours.
    for line in lines {
        let (head, _) = line[2..].split_once("::").expect("a command");
        assert!(!head.contains([':', ',', '\n']), "{line}");
    }
}

#[test]
fn at_most_ten_annotations_of_each_level() {
    let mut rows: Vec<Row> = (0..30).map(|i| row(&format!("mutex/r{i}"), Verdict::Regressed, 1.1)).collect();
    rows.extend((0..10).map(|i| row(&format!("mutex/w{i}"), Verdict::Inconclusive, 1.1)));
    rows.extend((0..12).map(|i| row(&format!("mutex/i{i}"), Verdict::Improved, 0.9)));
    let text = report(rows).to_github();
    let of = |level: &str| text.lines().filter(|line| line.starts_with(&format!("::{level} "))).count();
    assert_eq!((of("error"), of("warning"), of("notice")), (10, 10, 10));
    assert!(text.contains("21 more rows like these") && text.contains("4 more rows like these"), "{text}");
}

#[test]
fn a_comment_is_marked_escaped_and_worst_first() {
    let text = nasty().to_markdown();
    assert!(text.starts_with(MARKER));
    let tables = text.split("<details>").collect::<Vec<_>>();
    assert_eq!(tables.len(), 2);
    let first = tables[0].lines().find(|line| line.contains("mutex/")).expect("a row");
    assert!(first.starts_with("| **regressed** | <code>mutex/mine</code>"), "{first}");
    assert!(!tables[0].contains("mutex/same"), "what is equivalent stays behind the fold");
    assert!(tables[1].contains("mutex/same"));
    assert!(!text.contains("<script") && !text.contains("@octocat") && !text.contains(" #12"), "{text}");
    // Every row has as many cells as the head, however many bars its texts have.
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        assert_eq!(line.matches('|').count(), 11, "{line}");
    }
}

#[test]
fn a_comment_is_never_too_long() {
    let long = "x".repeat(4000);
    let mut rows: Vec<Row> =
        (0..2000).map(|i| row(&format!("mutex/r{i}"), Verdict::Regressed, 1.1)).collect();
    for row in &mut rows {
        (row.reason, row.evidence) = (long.clone(), Some(long.replace('x', "|")));
    }
    let mut report = report(rows);
    report.notes = vec!["&".repeat(5000); 40];
    let text = report.to_markdown();
    assert!(text.len() < 65_536, "{} bytes", text.len());
    assert!(text.contains("more rows do not fit") && text.ends_with("</details>\n"));
}

#[test]
fn without_rows_every_format_says_so() {
    let empty = report(Vec::new());
    assert!(empty.to_github().contains("no rows"));
    assert!(empty.to_markdown().contains("No row moved."));
    quick_junit::Report::deserialize_from_str(&empty.to_junit().expect("XML")).expect("JUnit");
}
