//! The exact layer's verdicts: equal traces, costs beyond and within the budget, wrong launches, counted instructions.

use record::{Reading, Tier};
use reports::compare::Verdict;
use reports::guard::Metric;
use reports::guard::exact::{BUDGET_RATIO, Instructions, Outcome, SEEDS, Simulated, doubt, instructions_row};

const OPERATIONS: u64 = 1_000;

fn ran(hash: impl ToString, cycles: u64) -> Outcome {
    Outcome::Ran { trace_hash: hash.to_string(), cycles, operations: OPERATIONS }
}

/// Seed k costs the baseline 100,000 cycles and more, the candidate `ratio(k)` of that.
fn cell(seeds: u32, ratio: impl Fn(u32) -> f64) -> Simulated {
    let base = |k: u32| 100_000 + 700 * u64::from(k % 7);
    let baseline = (0..seeds).map(|k| ran(format!("a{k}"), base(k))).collect();
    let after = |k: u32| (base(k) as f64 * ratio(k)).round() as u64;
    let candidate = (0..seeds).map(|k| ran(format!("b{k}"), after(k))).collect();
    Simulated {
        implementation: "mutex/mine".to_owned(),
        label: "contended/t8".to_owned(),
        machine: "sim:laptop-8".to_owned(),
        seeds: (0..seeds).map(u64::from).collect(),
        baseline,
        candidate,
    }
}

/// From -1 to 1, evenly over the seeds.
fn spread(k: u32) -> f64 {
    f64::from(k * 11 % SEEDS) / f64::from(SEEDS - 1) * 2.0 - 1.0
}

#[test]
fn equal_traces_are_equivalent_whatever_they_cost() {
    let mut same = cell(SEEDS, |_| 1.0);
    same.candidate = same.baseline.clone();
    let row = same.row(BUDGET_RATIO);
    assert_eq!((row.verdict, row.tier), (Verdict::Equivalent, Tier::Simulated));
    assert!(row.reason.contains("the same machine operations under all 32 seeds"), "{}", row.reason);
    let ratio = row.ratio.expect("a ratio");
    assert_eq!((ratio.low, ratio.ratio, ratio.high, ratio.confidence), (1.0, 1.0, 1.0, 1.0));
    assert_eq!(same.first_difference(), None);
    assert!(!same.control().moved);
    // One seed of 32 that differs, by nothing: no longer the same operations.
    same.candidate[5] = ran("other", 103_500);
    assert_eq!(same.first_difference(), Some(5));
    assert!(same.row(BUDGET_RATIO).reason.contains("under 31 of 32 seeds only"));
    assert!(same.control().moved);
}

#[test]
fn the_interval_is_that_of_the_9th_of_32() {
    // 99.3 %: 1 - 2 P(Binomial(32, 1/2) < 9), by an independent program.
    let row = cell(SEEDS, |k| 1.0 + 0.001 * f64::from(k)).row(BUDGET_RATIO);
    let ratio = row.ratio.expect("a ratio");
    assert!((ratio.confidence - 0.992_999_633_308_5).abs() < 1e-12, "{}", ratio.confidence);
    assert!((ratio.low - 1.008).abs() < 1e-5 && (ratio.high - 1.023).abs() < 1e-5, "{ratio:?}");
    assert!((ratio.ratio - 1.0155).abs() < 1e-5, "{ratio:?}");
    assert_eq!(row.verdict, Verdict::Inconclusive, "{}", row.reason);
}

#[test]
fn verdicts_follow_interval_and_budget() {
    for (ratio, width, expected) in [
        (1.05, 0.01, Verdict::Regressed),
        (1.05, 0.30, Verdict::Inconclusive),
        (0.95, 0.01, Verdict::Improved),
        (1.005, 0.002, Verdict::Equivalent),
        (1.01, 0.01, Verdict::Inconclusive),
        (1.0, 0.0, Verdict::Equivalent),
    ] {
        let row = cell(SEEDS, |k| ratio + width * spread(k)).row(BUDGET_RATIO);
        assert_eq!(row.verdict, expected, "{ratio} +- {width}: {} {:?}", row.reason, row.ratio);
    }
    // Another budget, another verdict.
    assert_eq!(cell(SEEDS, |_| 1.05).row(1.10).verdict, Verdict::Equivalent);
}

#[test]
fn a_reported_effect_is_the_one_that_can_be_seen() {
    let row = cell(SEEDS, |k| 1.0 + 0.02 * spread(k)).row(BUDGET_RATIO);
    let least = row.minimal_detectable_ratio.expect("an effect");
    let at = |ratio: f64| cell(SEEDS, |k| ratio * (1.0 + 0.02 * spread(k))).row(BUDGET_RATIO).verdict;
    assert_eq!(at(least * 1.002), Verdict::Regressed, "{least}");
    assert_eq!(at(least / 1.002), Verdict::Inconclusive, "{least}");
}

#[test]
fn few_seeds_decide_nothing() {
    assert_eq!(cell(7, |_| 1.5).row(BUDGET_RATIO).verdict, Verdict::Inconclusive);
    assert_eq!(cell(8, |_| 1.5).row(BUDGET_RATIO).verdict, Verdict::Regressed);
    assert_eq!(cell(0, |_| 1.5).row(BUDGET_RATIO).verdict, Verdict::Inconclusive);
}

#[test]
fn a_candidate_that_fails_has_regressed_and_a_baseline_that_fails_says_nothing() {
    let deadlock = Outcome::Failed("panic: deadlock after 12 cycles".to_owned());
    let mut broken = cell(SEEDS, |_| 1.0);
    broken.candidate[9] = deadlock.clone();
    let row = broken.row(BUDGET_RATIO);
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!(row.reason.contains("1 of 32 seeds; seed 9: panic: deadlock"), "{}", row.reason);
    broken.baseline[3] = deadlock;
    assert_eq!(broken.row(BUDGET_RATIO).verdict, Verdict::Inconclusive);
    let mut starved = cell(SEEDS, |_| 1.0);
    starved.candidate[0] = Outcome::Ran { trace_hash: "x".to_owned(), cycles: 5, operations: 0 };
    assert_eq!(starved.row(BUDGET_RATIO).verdict, Verdict::Regressed);
    let mut missing = cell(SEEDS, |_| 1.0);
    missing.baseline[0] = Outcome::Missing("implementation `mutex/mine` is not known".to_owned());
    let row = missing.row(BUDGET_RATIO);
    assert_eq!(row.verdict, Verdict::Inconclusive);
    assert!(row.reason.contains("the baseline cannot be asked: implementation"), "{}", row.reason);
}

#[test]
fn another_harness_takes_verdicts_back_but_not_equal_traces() {
    let mut same = cell(SEEDS, |_| 1.0);
    same.candidate = same.baseline.clone();
    let mut rows = [cell(SEEDS, |_| 1.5).row(BUDGET_RATIO), same.row(BUDGET_RATIO)];
    doubt(&mut rows, "the floor moved");
    assert_eq!(rows[0].verdict, Verdict::Inconclusive);
    assert!(rows[0].reason.starts_with("harness changed: the floor moved"), "{}", rows[0].reason);
    assert_eq!(rows[1].verdict, Verdict::Equivalent);
}

fn counted(per_op: f64) -> Instructions {
    Instructions::Counted { per_op, tier: Tier::Simulated }
}

#[test]
fn half_an_instruction_is_the_budget() {
    for (before, after, expected) in [
        (20.0, 20.0, Verdict::Equivalent),
        (20.0, 20.49, Verdict::Equivalent),
        (20.0, 21.0, Verdict::Regressed),
        (20.0, 19.0, Verdict::Improved),
    ] {
        let row = instructions_row("mutex/mine", None, &counted(before), &counted(after));
        assert_eq!(row.verdict, expected, "{before} {after}");
        assert_eq!((row.metric, row.machine.as_str()), (Metric::InstructionsPerOp, "callgrind"));
        assert!((row.margin_ratio - 1.025).abs() < 1e-12);
    }
    let row = instructions_row("mutex/peer", Some("it is another crate's"), &counted(9.0), &counted(9.0));
    assert!(
        row.reason.contains("only its instructions are compared: it is another crate's"),
        "{}",
        row.reason
    );
    let absent = Instructions::Absent("exit code 2".to_owned());
    let row = instructions_row("mutex/mine", None, &absent, &counted(9.0));
    assert_eq!((row.verdict, row.baseline, row.ratio), (Verdict::Inconclusive, None, None));
    let pmu = Instructions::Counted { per_op: 20.0, tier: Tier::MeasuredPmu };
    assert_eq!(instructions_row("m", None, &counted(30.0), &pmu).verdict, Verdict::Inconclusive);
}

#[test]
fn two_lengths_leave_the_loop() {
    let of = |short, long| Instructions::of_difference(short, long, Tier::Simulated);
    assert_eq!(of((20_000, 5_400_000), (120_000, 7_400_000)), counted(20.0));
    assert!(matches!(of((20_000, 5), (120_000, 5)), Instructions::Absent(_)), "no difference is no zero");
    let present = |share| Reading::Present { value: 9, tier: Tier::MeasuredPmu, running_share: share };
    assert_eq!(Instructions::reading(&present(None)), Ok(9));
    assert!(Instructions::reading(&present(Some(0.5))).is_err(), "a scaled count is a guess");
}
