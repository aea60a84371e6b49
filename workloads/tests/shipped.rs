//! Every definition and suite that ships: it loads, says what it shows, and keeps its budget.

use std::collections::BTreeSet;

use record::{ProbeMode, Schedule};
use workloads::{Overrides, Suite, Workload};

/// The mutexes of the catalogue, two rows of an engine, and a user's own lock.
const MUTEXES: [&str; 25] = [
    "mutex/go-2008-key",
    "mutex/go-2012-woken",
    "mutex/go-2015-spinning",
    "mutex/go-2016-starving",
    "mutex/go-2019-fastpath",
    "mutex/spin-tas",
    "mutex/spin-ttas-backoff",
    "mutex/spin-yield",
    "mutex/ticket",
    "mutex/hticket",
    "mutex/array",
    "mutex/mcs",
    "mutex/clh",
    "mutex/futex-drepper",
    "mutex/semaphore-binary",
    "mutex/recursive-thread",
    "mutex/recursive-token",
    "mutex/file",
    "mutex/peer-std",
    "mutex/peer-parking-lot",
    "mutex/peer-spin",
    "mutex/engine-go",
    "mutex/engine-go-threads",
    "mutex/own-lock",
    "mutex/empty",
];

fn cells(suite: &str, cores: usize) -> Vec<record::PlannedCell> {
    let suite = Suite::embedded(suite).unwrap();
    suite.cells(&MUTEXES, cores, &Overrides::default()).unwrap()
}

#[test]
fn definitions_load_and_have_points_on_every_machine() {
    let all = Workload::all().unwrap();
    assert!(all.len() >= 20, "{} definitions", all.len());
    for (workload, name) in all.iter().zip(Workload::names()) {
        assert_eq!(workload.name, name, "the name in a file is the name of the file");
        assert!(workload.analysis.len() > 150, "{name}: the analysis says too little");
        assert!(workload.summary.lines().count() == 1 && workload.summary.len() <= 110, "{name}: summary");
        assert!(Workload::embedded_text(name).unwrap().starts_with("# "), "{name}: opens with a comment");
        for cores in [1, 2, 3, 64] {
            let points = workload.points(cores).unwrap();
            assert!(!points.is_empty());
            let labels: BTreeSet<&str> = points.iter().map(|point| point.label.as_str()).collect();
            assert_eq!(labels.len(), points.len(), "{name}: labels are unique: {labels:?}");
            for point in &points {
                let json = serde_json::to_string(point).unwrap();
                assert_eq!(&serde_json::from_str::<record::Point>(&json).unwrap(), point, "{name}");
            }
        }
    }
}

#[test]
fn definitions_cover_every_kind_of_load() {
    let json = serde_json::to_string(
        &Workload::all().unwrap().iter().flat_map(|workload| workload.points(2).unwrap()).collect::<Vec<_>>(),
    )
    .unwrap();
    for kind in [
        "constant",
        "uniform",
        "exponential",
        "bimodal",
        "zipf",
        "two",
        "closed",
        "fixed",
        "poisson",
        "steady",
        "ramp",
        "bursts",
        "stall",
    ] {
        assert!(json.contains(&format!("\"kind\":\"{kind}\"")), "no definition has {kind}");
    }
}

#[test]
fn ramp_is_relative_to_the_machine() {
    let ramp = Workload::embedded("ramp").unwrap();
    let [point] = &ramp.points(2).unwrap()[..] else { panic!("one point") };
    assert_eq!(point.schedule, Schedule::Ramp { active: vec![1, 2, 4, 8, 4, 2, 1] });
    assert_eq!(point.threads(), 8);
}

#[test]
fn suites_plan_unique_safe_names_and_keep_their_budget() {
    for name in Suite::names() {
        let suite = Suite::embedded(name).unwrap();
        assert_eq!(suite.name, name);
        for cores in [1, 2, 4, 64] {
            let cells = cells(name, cores);
            let ids: BTreeSet<String> = cells.iter().map(|cell| cell.cell.to_lowercase()).collect();
            assert_eq!(ids.len(), cells.len());
            let safe = |c: char| c.is_ascii_alphanumeric() || "@.-_+=~".contains(c);
            assert!(ids.iter().all(|id| id.chars().all(safe) && id.len() <= 120), "{ids:?}");
            assert!(cells.iter().any(|cell| cell.implementation == "mutex/empty"));
            assert!(["a", "b"].iter().all(|arm| cells.iter().any(|cell| cell.arm == *arm)));
        }
        let expected_s = Suite::expected_ms(&cells(name, 2), 2) / 1e3;
        // An estimate is one: a twelfth of the budget is kept for what it leaves out.
        let budget_s = suite.budget_s.expect("shipped suites have a budget") as f64;
        assert!(expected_s <= budget_s * 55.0 / 60.0, "{name}: {expected_s:.1} s of {budget_s} s");
    }
}

#[test]
fn quick_is_what_the_readme_promises() {
    let cells = cells("quick", 2);
    for id in MUTEXES {
        assert!(cells.iter().filter(|cell| cell.implementation == id).count() >= 3, "{id}");
    }
    for cell in &cells {
        let plain = cell.launches.iter().filter(|probe| **probe == ProbeMode::Off).count();
        assert!(plain >= 5 && cell.launches.contains(&ProbeMode::Full), "{}", cell.cell);
        assert!(cell.point.threads() <= 8, "{}: at most four threads per core", cell.cell);
    }
    let slice_ms = |id: &str| {
        let cell = cells.iter().find(|cell| cell.cell == id).unwrap_or_else(|| panic!("{id}"));
        cell.slice_ns / 1_000_000
    };
    assert_eq!(slice_ms("mutex.mcs@contended-t1-h0"), 8);
    assert_eq!(slice_ms("mutex.mcs@contended-t8-h0"), 32);
    assert_eq!(slice_ms("mutex.go-2019-fastpath@contended-t2-h0+a"), 8);
    assert_eq!(slice_ms("mutex.go-2015-spinning@starved-victim-t2"), 60);
    // A sentence about waits needs four launches.
    for cell in cells.iter().filter(|cell| cell.point.label.starts_with("starved-victim")) {
        assert_eq!(
            cell.launches.iter().filter(|probe| **probe == ProbeMode::Full).count(),
            4,
            "{}",
            cell.cell
        );
    }
    assert!(!cells.iter().any(|cell| cell.cell.starts_with("mutex.ticket@starved-victim")));
}
