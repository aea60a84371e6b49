//! JUnit XML, which every continuous integration reads: a test case for each row.
//!
//! A regression is a failure. What could not be decided is skipped, with the reason: a runner of tests that knows only
//! pass and fail must not call it either. The numbers are properties.

use anyhow::{Context, Result};
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{GuardReport, Layer, Row, words};
use crate::compare::Verdict;

impl GuardReport {
    /// The report as JUnit XML: a test suite for each layer and one for the controls.
    ///
    /// # Errors
    /// If it cannot be written as XML.
    pub fn to_junit(&self) -> Result<String> {
        let mut junit = Report::new("synchroscope guard");
        for layer in [Layer::Exact, Layer::Measured, Layer::History] {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.layer == layer).collect();
            if rows.is_empty() {
                continue;
            }
            let mut suite = TestSuite::new(format!("guard.{}", layer.name()));
            for (name, value) in self.about() {
                suite.add_property(Property::new(name, value));
            }
            suite.add_test_cases(rows.into_iter().map(case));
            junit.add_test_suite(suite);
        }
        if !self.controls.is_empty() {
            let mut suite = TestSuite::new("guard.controls");
            suite.add_test_cases(self.controls.iter().map(|control| {
                // A control that moved is no fault of the change.
                let mut status = TestCaseStatus::success();
                if control.moved {
                    status = TestCaseStatus::skipped();
                    status.set_message(format!("moved: {}", control.detail));
                }
                let mut case = TestCase::new(control.name.clone(), status);
                case.set_classname("guard.controls");
                case
            }));
            junit.add_test_suite(suite);
        }
        junit.to_string().context("cannot write JUnit XML")
    }

    /// What all rows share.
    fn about(&self) -> Vec<(&'static str, String)> {
        vec![
            ("baseline", self.baseline.clone()),
            ("candidate", self.candidate.clone()),
            ("command", self.command.join(" ")),
            ("fingerprint", self.fingerprint.clone()),
            ("seed", self.seed.to_string()),
            ("verdict", self.verdict.name().to_owned()),
            ("expected_false_alarms", self.expected_false_alarms.to_string()),
            ("notes", self.notes.join("; ")),
        ]
    }
}

fn case(row: &Row) -> TestCase {
    let mut status = match row.verdict {
        Verdict::Regressed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Inconclusive | Verdict::Contaminated => TestCaseStatus::skipped(),
        Verdict::Improved | Verdict::Equivalent => TestCaseStatus::success(),
    };
    if !matches!(status, TestCaseStatus::Success { .. }) {
        status.set_message(words::finding(row));
        status.set_type(row.verdict.name());
    }
    let mut case = TestCase::new(words::name(row), status);
    case.set_classname(format!("guard.{}.{}", row.layer.name(), row.implementation));
    let number = |value: Option<f64>| value.map(|value| value.to_string());
    let properties = [
        ("verdict", Some(row.verdict.name().to_owned())),
        ("metric", Some(row.metric.name().to_owned())),
        ("unit", Some(row.metric.unit().to_owned())),
        ("tier", Some(row.tier.name().to_owned())),
        ("machine", Some(row.machine.clone())),
        ("baseline", number(row.baseline)),
        ("candidate", number(row.candidate)),
        ("ratio", number(row.ratio.map(|ratio| ratio.ratio))),
        ("ratio_low", number(row.ratio.map(|ratio| ratio.low))),
        ("ratio_high", number(row.ratio.map(|ratio| ratio.high))),
        ("confidence", number(row.ratio.map(|ratio| ratio.confidence))),
        ("p", number(row.ratio.and_then(|ratio| ratio.p))),
        ("margin_ratio", number(Some(row.margin_ratio))),
        ("minimal_detectable_ratio", number(row.minimal_detectable_ratio)),
        ("blocks", Some(row.blocks.to_string())),
        ("confirmed", Some(row.confirmed.to_string())),
        ("reason", Some(row.reason.clone()).filter(|reason| !reason.is_empty())),
        ("evidence", row.evidence.clone()),
    ];
    for (name, value) in properties {
        // An absent number has no property: an empty one would read as zero.
        if let Some(value) = value {
            case.add_property(Property::new(name, value));
        }
    }
    case
}
