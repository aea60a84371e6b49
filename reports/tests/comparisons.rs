//! Verdicts, refusals and output of comparisons; the table of the terminal; summaries from raw data.

mod common;

use common::{NATURES, Nature, point, quick_run, record, run};
use record::result::Phase;
use record::{Record, Schedule, Slice, Status, Worker};
use reports::compare::*;
use reports::summary::Summary;
use reports::terminal;

const FASTER: Nature = Nature { rate: 30e6, ..NATURES[4] };

fn rows(a: &Record, b: &Record) -> Vec<Row> {
    compare(&[a], &[b], &Options::default()).unwrap().rows
}

fn verdict(rows: &[Row], quantity: Quantity) -> Verdict {
    rows.iter().find(|r| r.quantity == quantity).unwrap().verdict
}

#[test]
fn a_real_difference_has_a_direction() {
    let at = point("contended", 2);
    let (slow, fast) = (record(&NATURES[4], &at, 8, 2, 1), record(&FASTER, &at, 8, 2, 2));
    assert_eq!(verdict(&rows(&slow, &fast), Quantity::Throughput), Verdict::Improved);
    assert_eq!(verdict(&rows(&fast, &slow), Quantity::Throughput), Verdict::Regressed);
    // Less processor time per operation is better, although the ratio is below 1.
    assert_eq!(verdict(&rows(&slow, &fast), Quantity::CpuPerOp), Verdict::Improved);
    // Two probed launches a side reach 66.7 %.
    let p99 = rows(&slow, &fast).into_iter().find(|r| r.quantity == Quantity::WaitP99).unwrap();
    assert_eq!(p99.verdict, Verdict::Inconclusive);
    assert!(p99.note.unwrap().contains("66.7 %"));
}

#[test]
fn few_or_equal_launches_cannot_tell() {
    let at = point("contended", 2);
    let (slow, fast) = (record(&NATURES[4], &at, 2, 0, 1), record(&FASTER, &at, 2, 0, 2));
    assert_eq!(verdict(&rows(&slow, &fast), Quantity::Throughput), Verdict::Inconclusive);
    let (one, other) = (record(&NATURES[4], &at, 5, 0, 1), record(&NATURES[4], &at, 5, 0, 9));
    assert_eq!(verdict(&rows(&one, &other), Quantity::Throughput), Verdict::Inconclusive);
    // The natures' shares do not depend on the seed: fairness is the same to the last digits.
    assert_eq!(verdict(&rows(&one, &other), Quantity::Jain), Verdict::Equivalent);
}

#[test]
fn other_computers_are_refused() {
    let at = point("contended", 2);
    let here = record(&NATURES[4], &at, 5, 0, 1);
    let mut there = record(&FASTER, &at, 5, 0, 2);
    there.fingerprint.kernel = "6.9".into();
    let error = compare(&[&here], &[&there], &Options::default()).unwrap_err().to_string();
    assert!(error.contains("--across-machines") && !error.contains('\n'), "{error}");
    let asked = Options { across_machines: true, ..Options::default() };
    let comparison = compare(&[&here], &[&there], &asked).unwrap();
    assert_eq!(comparison.rows.len(), 3);
    assert!(comparison.notes[0].contains("different computers"));
}

#[test]
fn other_machines_of_one_name_are_refused() {
    let at = point("contended", 2);
    let simulated = |kernel: &str| {
        let mut record = record(&NATURES[4], &at, 5, 0, 1);
        record.machine = "sim:vm-2".into();
        record.fingerprint.kernel = kernel.into();
        record
    };
    let (here, there) = (simulated("preset a"), simulated("preset b"));
    let error = compare(&[&here], &[&there], &Options::default()).unwrap_err().to_string();
    assert!(
        error.contains("sim:vm-2 (preset a against preset b)") && error.contains("--across-machines"),
        "{error}"
    );
    assert_eq!(compare(&[&here], &[&here], &Options::default()).unwrap().rows.len(), 3);
    let asked = Options { across_machines: true, ..Options::default() };
    assert_eq!(compare(&[&here], &[&there], &asked).unwrap().rows.len(), 3);
}

#[test]
fn what_is_not_compared_is_listed() {
    let at = point("contended", 2);
    let good = record(&NATURES[4], &at, 5, 0, 1);
    let mut suspect = record(&NATURES[4], &at, 5, 0, 2);
    suspect.status = Status::Suspect;
    suspect.reasons = vec!["overlap 0.5".into()];
    let alone = record(&NATURES[5], &at, 5, 0, 3);
    let comparison = compare(&[&good, &alone], &[&suspect], &Options::default()).unwrap();
    assert!(comparison.rows.is_empty());
    let reasons: Vec<&str> = comparison.unpaired.iter().map(|u| u.reason.as_str()).collect();
    assert_eq!(reasons, ["B is suspect: overlap 0.5", "only in A"]);
    assert!(comparison.to_text().contains("Nothing to compare"));
}

#[test]
fn a_control_that_differs_contaminates() {
    let at = point("contended", 2);
    let arm = |nature: &Nature, arm: &str| {
        let mut record = record(nature, &at, 6, 0, 3);
        record.arm = arm.into();
        record
    };
    // The arms are 36 % apart: the margin grows to twice that, and nothing may be called a regression.
    let (a, b) = (arm(&NATURES[4], "a"), arm(&FASTER, "b"));
    let much_slower = Nature { rate: 4e6, ..NATURES[0] };
    let (before, after) = (record(&NATURES[0], &at, 6, 0, 4), record(&much_slower, &at, 6, 0, 5));
    let comparison = compare(&[&a, &b, &before], &[&after], &Options::default()).unwrap();
    assert!(comparison.margin_ratios.0 > 1.6, "{:?}", comparison.margin_ratios);
    assert_eq!(verdict(&comparison.rows, Quantity::Throughput), Verdict::Contaminated);

    // Not elsewhere either, though the pair there is calm and the margin the least.
    let elsewhere = |nature: &Nature, arm: &str, seed| {
        let mut record = record(nature, &point("contended", 8), 6, 0, seed);
        record.arm = arm.into();
        record
    };
    let pair = [elsewhere(&NATURES[4], "a", 3), elsewhere(&NATURES[4], "b", 3)];
    let (before, after) = (elsewhere(&NATURES[0], "", 4), elsewhere(&much_slower, "", 5));
    let comparison = compare(&[&a, &b, &pair[0], &pair[1], &before], &[&after], &Options::default()).unwrap();
    assert_eq!(comparison.margin_ratios, (1.03, 1.03));
    assert_eq!(verdict(&comparison.rows, Quantity::Throughput), Verdict::Contaminated);
    let comparison = compare(&[&pair[0], &pair[1], &before], &[&after], &Options::default()).unwrap();
    assert_eq!(verdict(&comparison.rows, Quantity::Throughput), Verdict::Regressed);
}

#[test]
fn implementations_inside_runs() {
    let runs = [quick_run()];
    let comparison =
        compare_implementations(&runs, "mutex/go-2008-key", "mutex/peer-std", &Options::default()).unwrap();
    // Three points, four quantities.
    assert_eq!(comparison.rows.len(), 12);
    insta::assert_snapshot!(comparison.to_text());
    let json: serde_json::Value = serde_json::from_str(&comparison.to_json().unwrap()).unwrap();
    assert_eq!(json["kind"], "synchroscope-comparison");
    assert_eq!(json["version"], 1);
    assert_eq!(json["rows"][0]["quantity"], "throughput");
    let error = compare_implementations(&runs, "mutex/nobody", "mutex/mcs", &Options::default()).unwrap_err();
    assert!(error.to_string().starts_with("no record of `mutex/nobody`"));
    // Against itself the same launches stand on both sides: no difference, and none is claimed.
    let twin = compare_runs(&runs[0], &quick_run(), &Options::default()).unwrap();
    assert_eq!(twin.count(Verdict::Regressed) + twin.count(Verdict::Improved), 0);
}

#[test]
fn the_table_of_the_terminal() {
    let run = quick_run();
    let text = terminal::table(&run.records);
    assert!(text.lines().all(|line| line.chars().count() <= 160));
    insta::assert_snapshot!(text);
    assert_eq!(terminal::table(&[]), "No cell has a record: there is nothing to show.\n");
    let cells = reports::summary::summarise(&run.records);
    assert!(terminal::table_of(&cells, 80).lines().take(30).all(|line| line.chars().count() <= 100));
}

#[test]
fn absent_is_not_zero() {
    let at = point("contended", 4);
    let peer = Summary::of(&record(&NATURES[18], &at, 2, 1, 1));
    let profile = peer.profile.as_ref().unwrap();
    assert_eq!((profile.parks_per_acquire(), profile.starvation()), (None, None));
    assert!(profile.owner_changes_per_acquire().is_some());
    let plain = Summary::of(&record(&NATURES[0], &at, 2, 0, 1));
    assert!(plain.profile.is_none() && plain.wait().is_none() && plain.probe_effect.is_empty());
    let mut starving = record(&NATURES[0], &at, 2, 0, 1);
    starving.launches[1].result.as_mut().unwrap().slices[0].workers[3].ops = 0;
    assert_eq!(Summary::of(&starving).starved_workers, [3]);
}

fn phased(schedule: Schedule, phases: &[(u64, u32, u64, bool)]) -> Summary {
    let mut record = record(&NATURES[0], &point("phased", 2), 1, 0, 1);
    record.point.schedule = schedule;
    let mut begin_ns = 0;
    let mut made = Vec::new();
    for &(length_ns, active, ops, stalled) in phases {
        let end_ns = begin_ns + length_ns;
        made.push(Phase { begin_ns, end_ns, active, stalled, ops: vec![ops] });
        begin_ns = end_ns;
    }
    let worker = Worker { ops: 10, end_ns: begin_ns, ..Worker::default() };
    let slice = Slice { workers: vec![worker], expected: 10, observed: 10, sum: None, phases: made };
    record.launches[0].result.as_mut().unwrap().slices = vec![slice];
    Summary::of(&record)
}

#[test]
fn a_ramp_shows_hysteresis() {
    let active = vec![1, 2, 4, 2, 1];
    let phases: Vec<_> =
        active.iter().zip([100, 80, 60, 40, 100]).map(|(a, ops)| (1_000, *a, ops, false)).collect();
    let ramp = phased(Schedule::Ramp { active }, &phases).phases.unwrap().ramp;
    let seen: Vec<(u32, f64)> = ramp.iter().map(|r| (r.active, r.down_over_up.median)).collect();
    assert_eq!(seen, [(1, 1.0), (2, 0.5)]);
}

#[test]
fn a_stall_shows_its_recovery() {
    let schedule = Schedule::Stall { stall_ns: 10_000, phase_ns: 1_000 };
    let calm = |ops| (1_000, 2, ops, false);
    let phases = [calm(100), calm(104), (10_000, 2, 0, true), calm(20), calm(60), calm(95), calm(100)];
    let recovery = phased(schedule.clone(), &phases).phases.unwrap().recovery.unwrap();
    assert_eq!((recovery.recovery_ns.unwrap().median, recovery.not_recovered), (2_000.0, 0));
    let never = [calm(100), (10_000, 2, 0, true), calm(20)];
    let recovery = phased(schedule, &never).phases.unwrap().recovery.unwrap();
    assert_eq!((recovery.recovery_ns, recovery.not_recovered), (None, 1));
}

#[test]
fn findings_name_the_victim() {
    let mut at = point("bullied", 4);
    at.roles.push(record::Role { name: "victim".into(), threads: 1, ..at.roles[0].clone() });
    let mut cells = Vec::new();
    for (nature, longest) in [(&NATURES[2], 80_000_000u64), (&NATURES[3], 2_000_000)] {
        let mut cell = record(nature, &at, 5, 5, 1);
        for (i, launch) in cell.launches.iter_mut().enumerate() {
            if let Some(profile) = &mut launch.result.as_mut().unwrap().profile {
                profile.wait_ns_max = vec![1_000, longest + 100_000 * i as u64];
            }
        }
        cells.push(Summary::of(&cell));
    }
    let steps = [("mutex/go-2015-spinning", "mutex/go-2016-starving")];
    let said = reports::findings::findings(
        &reports::group::group(&cells),
        &reports::noise::Margins::of(&cells),
        &steps,
    );
    let victim = said.iter().find(|f| f.text.contains("of a victim")).unwrap();
    let told = "mutex/go-2016-starving kept the longest wait of a victim at 2.7 ms where mutex/go-2015-spinning reached";
    assert!(victim.text.contains(told), "{}", victim.text);
    // With one probed launch each there is no interval, and nothing is said.
    let mut run = run(vec![record(&NATURES[2], &at, 5, 1, 1), record(&NATURES[3], &at, 5, 1, 1)]);
    let cells = reports::summary::summarise(&std::mem::take(&mut run.records));
    let said = reports::findings::findings(
        &reports::group::group(&cells),
        &reports::noise::Margins::of(&cells),
        &steps,
    );
    assert!(said.iter().all(|f| !f.text.contains("of a victim")));
}
