//! Pages of cells: the numbers of a record stand on them, what is absent says why, and no name becomes markup.

mod common;

use std::path::Path;

use common::html::assert_well_formed;
use common::{NATURES, hostile_name, point, record, run};
use proptest::prelude::*;
use record::profile::{Interval, IntervalKind, WorstStretch};
use record::result::Phase;
use record::store::RunDir;
use record::{ProbeMode, Reading, Record, Schedule};
use reports::html::{Options, render};
use reports::summary::{Evidence, Summary};

const SECTIONS: [&str; 12] = [
    "ledger", "waiters", "counts", "worst", "times", "matrix", "streaks", "fairness", "phases", "launches",
    "counters", "checks",
];

/// A record in which nothing is missing.
fn rich(threads: u32) -> Record {
    let mut record = record(&NATURES[3], &point("contended", threads), 5, 1, 1);
    let workers = threads as usize;
    let launch = record.launches.iter_mut().find(|l| l.probe == ProbeMode::Full).unwrap();
    let profile = launch.result.as_mut().unwrap().profile.as_mut().unwrap();
    let count = |i: usize, j: usize| if i == j { 9_001 } else { (i + 1) as u64 * 10 };
    if workers <= 64 {
        let matrix = (0..workers).map(|i| (0..workers).map(|j| count(i, j)).collect()).collect();
        profile.hand_offs_between = Some(matrix);
    }
    let waiters = profile.waiters.as_mut().unwrap();
    waiters.bin_ns = 1_000_000;
    waiters.timeline = (0..101).map(|i| f64::from(i % 5)).collect();
    let interval = |worker, kind, begin_ns, end_ns| Interval { worker, kind, begin_ns, end_ns };
    profile.worst_stretch = Some(WorstStretch {
        slice: 0,
        begin_ns: 4_000,
        span_ns: 20_000,
        worker: 1,
        wait_begin_ns: 5_000,
        wait_ns: 12_345,
        intervals: vec![
            interval(0, IntervalKind::Hold, 0, 9_000),
            interval(1, IntervalKind::Awake, 5_000, 6_000),
            interval(1, IntervalKind::Asleep, 6_000, 17_345),
        ],
        omitted: 17,
        omitted_ns: 400,
    });
    record
}

/// The page of the only cell.
fn cell_page(record: Record) -> String {
    let files = render(&[run(vec![record])], &Options::default());
    let file = files.into_iter().find(|f| f.path.starts_with("cells/")).expect("a page of the cell");
    assert_well_formed(&file.path, &file.content);
    file.content
}

/// What stands in one section.
#[track_caller]
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    let from = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    let rest = &page[from..];
    &rest[..rest.find("</section>").unwrap()]
}

#[test]
fn every_part_of_a_full_record_is_shown() {
    let page = cell_page(rich(8));
    for id in
        SECTIONS.into_iter().filter(|id| !["counts", "matrix", "counters", "checks", "phases"].contains(id))
    {
        let section = section(&page, id);
        assert!(section.contains("<svg") && section.contains("role=\"img\""), "no picture in {id}");
        // Where a table would repeat what the picture says in numbers, its text alternative says it too.
        let told = ["waiters", "streaks"].contains(&id);
        assert!(section.contains("<table") != told, "a table or none in {id}");
    }
    assert!(section(&page, "worst").contains("12.3 µs of worker 1"));
    assert!(section(&page, "worst").contains("17 intervals"));
    // Fields of the matrix in their colours, a row's total, and the sum of all.
    let total: u64 = 8 * 9_001 + 7 * 10 * (1..=8).sum::<u64>();
    let matrix = section(&page, "matrix").replace('\u{202f}', "");
    for needed in [
        "class=\"bh8\">9001</td>".to_owned(),
        "class=\"bh1\">10</td>".into(),
        format!("<td>{}</td>", 9_001 + 7 * 80),
        format!("<td>{total}</td>"),
    ] {
        assert!(matrix.contains(&needed), "{needed}: {matrix}");
    }
    // Many workers take a picture, and a table beside it.
    let matrix = cell_page(rich(14));
    let matrix = section(&matrix, "matrix").replace('\u{202f}', "");
    assert!(matrix.contains("<svg"));
    for needed in [9_001, 9_001 + 13 * 140] {
        assert!(matrix.contains(&format!(">{needed}</td>")), "{needed}");
    }
    // The parts of the ledger and their sum.
    let ledger = section(&page, "ledger").replace('\u{202f}', "");
    assert!(ledger.contains("<td>800000000</td><td>100.00 %</td>"), "{ledger}");
    assert!(section(&page, "counters").contains("no PMU (ENOENT)"));
}

#[test]
fn what_is_absent_says_why() {
    let plain = cell_page(record(&NATURES[3], &point("contended", 8), 5, 0, 1));
    for id in ["ledger", "waiters", "counts", "worst", "times", "matrix", "streaks", "fairness"] {
        assert!(section(&plain, id).contains("no launch was probed"), "{id}");
        assert!(!section(&plain, id).contains("<svg"), "{id}");
    }
    assert!(section(&plain, "phases").contains("no phases"));
    let mut counted = rich(8);
    for launch in counted.launches.iter_mut().filter(|l| l.probe == ProbeMode::Full) {
        launch.probe = ProbeMode::Count;
        let profile = launch.result.as_mut().unwrap().profile.as_mut().unwrap();
        (profile.ledger, profile.waiters, profile.worst_stretch) = (None, None, None);
        profile.windows.clear();
    }
    let counted = cell_page(counted);
    for id in ["ledger", "waiters", "worst", "fairness"] {
        assert!(section(&counted, id).contains("takes full timing"), "{id}");
    }
    assert!(section(&counted, "matrix").contains("class=\"bh8\""));
    assert!(section(&cell_page(rich(65)), "matrix").contains("up to 64 workers, here are 65"));
    assert!(section(&cell_page(rich(1)), "fairness").contains("fair to itself"));
}

#[test]
fn phases_are_drawn_where_the_load_has_them() {
    let with = |schedule: Schedule, phases: &[(u64, u32, bool, u64)]| {
        let mut record = rich(4);
        record.point.schedule = schedule;
        for slice in record.launches.iter_mut().filter_map(|l| l.result.as_mut()).flat_map(|r| &mut r.slices)
        {
            let mut begin_ns = 1_000;
            for &(length_ns, active, stalled, ops) in phases {
                let end_ns = begin_ns + length_ns;
                slice.phases.push(Phase { begin_ns, end_ns, active, stalled, ops: vec![ops; 4] });
                begin_ns = end_ns;
            }
        }
        record
    };
    let ramp = with(
        Schedule::Ramp { active: vec![1, 4, 1] },
        &[(1_000_000, 1, false, 900), (1_000_000, 4, false, 400), (1_000_000, 1, false, 600)],
    );
    let summary = Summary::of(&ramp).phases.unwrap();
    assert_eq!((summary.rates[1].begin_ns, summary.rates[1].end_ns), (1e6, 2e6));
    let page = cell_page(ramp);
    let phases = section(&page, "phases");
    assert!(phases.contains("up 3.6M at 1, 1.6M at 4; down 1.6M at 4, 2.4M at 1"), "{phases}");
    let stall = with(
        Schedule::Stall { stall_ns: 2_000_000, phase_ns: 1_000_000 },
        &[
            (1_000_000, 4, false, 800),
            (2_000_000, 4, true, 1),
            (1_000_000, 4, false, 200),
            (1_000_000, 4, false, 790),
        ],
    );
    let page = cell_page(stall);
    let phases = section(&page, "phases");
    assert!(phases.contains("Recovered after 1 ms") && phases.contains("(stall)"), "{phases}");
}

#[test]
fn a_record_survives_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = run(vec![rich(8)]);
    let dir = RunDir::create(&folder.path().join("run"), &loaded.manifest).unwrap();
    dir.save(&loaded.records[0]).unwrap();
    let read = dir.load_record(&loaded.records[0].cell).unwrap();
    assert_eq!(Evidence::of(&read), Evidence::of(&loaded.records[0]));
    let (launch, stretch) = Evidence::of(&read).worst.unwrap();
    assert_eq!((launch, stretch.intervals.len()), (5, 3));
}

#[test]
fn records_of_the_first_version_have_pages() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/v1");
    let loaded = RunDir::load(&golden).unwrap();
    assert!(!loaded.records.is_empty() && loaded.damaged.is_empty());
    let files = render(&[loaded], &Options::default());
    let pages: Vec<_> = files.iter().filter(|f| f.path.starts_with("cells/")).collect();
    assert!(!pages.is_empty());
    for page in pages {
        assert_well_formed(&page.path, &page.content);
        assert!(
            section(&page.content, "worst").contains("did not keep it")
                || section(&page.content, "worst").contains("Nothing to show")
        );
    }
}

/// Puts `text` wherever a record holds words.
fn with_words(mut record: Record, text: &str) -> Record {
    record.implementation = format!("mutex/{text}");
    record.arm = text.into();
    record.command.push(text.into());
    record.reasons.push(text.into());
    record.point.workload = text.into();
    record.point.label = text.into();
    for role in &mut record.point.roles {
        role.name = text.into();
    }
    record.checks.push(record::Check {
        rule: text.into(),
        verdict: record::Verdict::Suspect,
        detail: text.into(),
    });
    for launch in &mut record.launches {
        launch.failure = Some(record::Failure {
            kind: record::FailureKind::Panic,
            detail: text.into(),
            stderr: text.into(),
        });
        if let Some(result) = &mut launch.result {
            result.engine = text.into();
            result.counters.insert(text.into(), Reading::Absent { absent: text.into() });
        }
    }
    record.launches[0].result = None;
    record
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_name_becomes_markup(text in "[<>&\"'/=a-z \\n\u{1}]{0,60}") {
        let page = cell_page(with_words(rich(3), &text));
        let calm = cell_page(with_words(rich(3), "calm"));
        // Whatever the words are, the page is built of the same elements.
        for tag in ["<script", "<img", "<svg", "<rect", "<table", "<a ", "<li", "<section"] {
            prop_assert_eq!(page.matches(tag).count(), calm.matches(tag).count(), "{}", tag);
        }
    }
}

#[test]
fn a_hostile_name_stays_text() {
    let page = cell_page(with_words(rich(3), &hostile_name()));
    assert!(!page.contains("<script>window.pwned") && !page.contains("<img"));
}
