//! The statistics of `guard`: golden values computed independently (SciPy 1.17 and enumeration by brute force), and
//! properties.

use proptest::prelude::*;
use reports::compare::Verdict;
use reports::guard::Metric;
use reports::guard::blocks::{Block, Taken, differences, short_tail};
use reports::guard::judge::*;
use reports::stats::*;

#[track_caller]
fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()), "{a} is not {b}");
}

const TWELVE: [f64; 12] =
    [0.012, -0.034, 0.051, 0.027, 0.008, 0.063, -0.011, 0.045, 0.019, 0.038, 0.002, 0.029];

/// `scipy.stats.permutation_test(permutation_type='samples', n_resamples=inf)`; the interval by bisection of that test
/// over all 4096 sign patterns; `scipy.stats.t`.
#[test]
fn paired_differences_as_scipy_has_them() {
    close(sign_flip(&TWELVE).unwrap().p, 0.0263671875);
    close(hodges_lehmann(&TWELVE).unwrap(), 0.02175);
    for (confidence, flips, student) in [
        (0.95, (0.003, 0.038), (0.003305186040112526, 0.038194813959887476)),
        (0.99, (-0.004666666666666667, 0.045), (-0.0038663480978369247, 0.04536634809783693)),
    ] {
        let (low, high) = sign_flip_interval(&TWELVE, confidence).unwrap();
        close(low, flips.0);
        close(high, flips.1);
        let (low, high) = student_interval(&TWELVE, confidence).unwrap();
        close(low, student.0);
        close(high, student.1);
        let centre = centre(&TWELVE, confidence).unwrap();
        close(centre.low, flips.0.min(low));
        close(centre.high, flips.1.max(high));
        assert!(centre.reached);
    }
    close(detectable_beyond(&TWELVE, 0.99, 0.9).unwrap(), 0.03542277636296355);
}

/// Beyond the exact range: a root finder on |sum (d - c)| / sqrt(sum (d - c)^2) = 2.5758.
#[test]
fn many_differences() {
    let many: Vec<f64> = (0..25).map(|i| f64::from(i * 37 % 25) / 500.0 - 0.01).collect();
    let (low, high) = sign_flip_interval(&many, 0.99).unwrap();
    assert!((low - 0.005331338230709632).abs() < 1e-8, "{low}");
    assert!((high - 0.022668661769290367).abs() < 1e-8, "{high}");
}

/// `scipy.stats.binomtest(k, n).proportion_ci(method='exact')`.
#[test]
fn clopper_and_pearson() {
    for (k, n, low, high) in [
        (0, 150, 0.0, 0.02429259716612193),
        (3, 150, 0.004143625281220336, 0.05733422228823086),
        (27, 30, 0.7347115495257919, 0.9788828629702774),
        (30, 30, 0.8842966917779725, 1.0),
        (1, 20, 0.0012650894979560339, 0.24873276277202772),
    ] {
        let found = clopper_pearson(k, n, 0.95);
        assert!((found.0 - low).abs() < 1e-6 && (found.1 - high).abs() < 1e-6, "{k} of {n}: {found:?}");
    }
    assert_eq!(clopper_pearson(0, 0, 0.95), (0.0, 1.0));
}

/// By hand: four p values times 4, 3, 2, 1, never falling.
#[test]
fn holm_by_hand() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
    for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        close(*found, expected);
    }
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    assert!(holm(&[]).is_empty());
}

#[test]
fn blocks_that_the_level_needs() {
    assert_eq!(confirm_blocks(1, 0.01), 12);
    assert_eq!(confirm_blocks(20, 0.01), 12);
    assert_eq!(confirm_blocks(21, 0.01), 13);
    assert_eq!(confirm_blocks(150, 0.01), 15);
    assert_eq!([None, Some(12), Some(27), Some(28), Some(96)].map(screen_blocks), [6, 6, 6, 7, 24]);
    for rows in 1..500 {
        assert!(smallest_p(confirm_blocks(rows, 0.01), rows) <= 0.01, "{rows}");
    }
    // Six blocks cannot reach 1 %, nor can twelve for a hundred rows.
    assert!(smallest_p(6, 1) > 0.03 && smallest_p(12, 100) > 0.04);
}

#[test]
fn floor_and_margin() {
    let rule = Rule::default();
    close(floor_ratio(&[0.01, -0.02, 0.03], 12).unwrap(), 1.0122975231529838);
    assert_eq!(floor_ratio(&[], 12), None);
    close(margin_ratio(None, &rule), 1.03);
    close(margin_ratio(Some(1.0122975231529838), &rule), 1.03);
    close(margin_ratio(Some(1.05), &rule), 1.1025);
}

fn case(differences: &[f64]) -> Case<'_> {
    Case { metric: Metric::Throughput, differences, margin_ratio: 1.03 }
}

fn shifted(by: f64) -> Vec<f64> {
    TWELVE.iter().map(|d| d - 0.021 + by).collect()
}

#[test]
fn verdicts() {
    let rule = Rule::default();
    let of = |differences: &[f64]| judge(&[case(differences)], &rule)[0].verdict;
    assert_eq!(of(&shifted(-0.10)), Verdict::Regressed);
    assert_eq!(of(&shifted(0.10)), Verdict::Improved);
    assert_eq!(of(&shifted(0.0)), Verdict::Equivalent);
    assert_eq!(of(&shifted(-0.03)), Verdict::Inconclusive);
    assert_eq!(of(&[]), Verdict::Inconclusive);
    assert_eq!(of(&[-0.5]), Verdict::Inconclusive);
    // Surely worse, and no number of identical blocks is fewer than the test needs.
    assert_eq!(of(&[-0.5; 7]), Verdict::Inconclusive);
    assert_eq!(of(&[-0.5; 8]), Verdict::Regressed);
    // Of a time, more is worse.
    let slower = shifted(0.10);
    let wait = Case { metric: Metric::WaitP99, ..case(&slower) };
    assert_eq!(judge(&[wait], &rule)[0].verdict, Verdict::Regressed);
    // Among many rows eight blocks do not suffice.
    let eight = [-0.5; 8];
    let rows = judge(&[case(&eight); 3], &rule);
    assert!(rows.iter().all(|row| row.verdict == Verdict::Inconclusive && row.reason.contains("corrected")));
    // A screening never regresses.
    assert_eq!(screened(&case(&[-0.5; 6]), &rule).verdict, Verdict::Inconclusive);
    assert_eq!(
        screened(&case(&[0.001, -0.002, 0.001, 0.0, -0.001, 0.002]), &rule).verdict,
        Verdict::Equivalent
    );
    assert!(goes_on(&case(&[-0.02; 6])) && !goes_on(&case(&[-0.01; 6])));
    // A control moves in either direction.
    assert!(control_moved(&case(&shifted(0.1)), 4, &rule).1);
    assert!(control_moved(&case(&[0.1; 6]), 4, &rule).1);
    assert!(!control_moved(&case(&shifted(0.0)), 4, &rule).1);
}

#[test]
fn the_worst_that_is_certain() {
    use Verdict::*;
    assert_eq!(overall([Improved, Inconclusive, Regressed, Contaminated].into_iter()), Regressed);
    assert_eq!(overall([Improved, Inconclusive, Contaminated].into_iter()), Contaminated);
    assert_eq!(overall([Improved, Equivalent].into_iter()), Improved);
    assert_eq!(overall([Equivalent].into_iter()), Equivalent);
    assert_eq!(overall(std::iter::empty()), Inconclusive);
}

fn taken(throughput_per_s: f64) -> Taken {
    Taken { throughput_per_s: Some(throughput_per_s), overlap: 1.0, ..Taken::default() }
}

#[test]
fn blocks_give_differences_of_logarithms() {
    let block = |a: [f64; 2], b: [f64; 2]| Block {
        order: "ABBA".into(),
        baseline: a.map(taken).to_vec(),
        candidate: b.map(taken).to_vec(),
        ..Block::default()
    };
    let blocks = [block([100.0, 400.0], [100.0, 100.0]), block([200.0, 200.0], [400.0, 100.0])];
    let found = differences(&blocks, Metric::Throughput).unwrap();
    close(found.paired[0], 0.5_f64.ln());
    close(found.paired[1], 0.0);
    close(found.own[0], 0.25_f64.ln() / 2f64.sqrt());
    close(found.baseline, 200.0);
    close(found.candidate, 100.0);
    let zero = [block([0.0, 1.0], [1.0, 1.0])];
    assert!(differences(&zero, Metric::Throughput).unwrap_err().contains("no ratio"));
    assert!(differences(&blocks, Metric::WaitP99).unwrap_err().contains("probed"));
    assert!(differences(&blocks, Metric::CpuPerOp).unwrap_err().contains("account"));
}

#[test]
fn tails_must_be_long_enough() {
    let block = |events| Block {
        baseline_probed: Some(Taken { wait_p99: Some((100.0, events)), ..Taken::default() }),
        candidate_probed: Some(Taken { wait_p99: Some((100.0, 5000)), ..Taken::default() }),
        ..Block::default()
    };
    assert_eq!(short_tail(&[block(2000), block(1000)]), None);
    assert_eq!(short_tail(&[block(2000), block(999)]), Some(999));
}

fn some_differences() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-0.5..0.5, 6..14)
}

proptest! {
    /// Arms that change sides change the sign of everything and nothing else.
    #[test]
    fn sides_are_alike(differences in some_differences()) {
        let mirrored: Vec<f64> = differences.iter().map(|d| -d).collect();
        let (a, b) = (centre(&differences, 0.95).unwrap(), centre(&mirrored, 0.95).unwrap());
        prop_assert!((a.estimate + b.estimate).abs() < 1e-12);
        prop_assert!((a.low + b.high).abs() < 1e-12 && (a.high + b.low).abs() < 1e-12);
        prop_assert_eq!(sign_flip(&differences).unwrap().p, sign_flip(&mirrored).unwrap().p);
    }

    /// A shift of all differences shifts estimate and interval by as much.
    #[test]
    fn shifts_shift(differences in some_differences(), by in -1.0..1.0_f64) {
        let shifted: Vec<f64> = differences.iter().map(|d| d + by).collect();
        let (a, b) = (centre(&differences, 0.95).unwrap(), centre(&shifted, 0.95).unwrap());
        for (a, b) in [(a.estimate, b.estimate), (a.low, b.low), (a.high, b.high)] {
            prop_assert!((a + by - b).abs() < 1e-9, "{} {} {}", a, by, b);
        }
    }

    /// The interval is what the test does not reject: inside its ends p is above the level, outside at most that.
    #[test]
    fn intervals_invert_the_test(differences in some_differences()) {
        let (low, high) = sign_flip_interval(&differences, 0.95).unwrap();
        let p = |centre: f64| {
            let around: Vec<f64> = differences.iter().map(|d| d - centre).collect();
            sign_flip(&around).unwrap().p
        };
        prop_assume!(high - low > 1e-3);
        prop_assert!(p(low + 1e-6) > 0.05 && p(high - 1e-6) > 0.05);
        prop_assert!(p(low - 1e-6) <= 0.05 + 1e-12 && p(high + 1e-6) <= 0.05 + 1e-12);
    }

    /// No arms that are one and the same are called different: blocks of one value.
    #[test]
    fn nothing_is_nothing(blocks in 2_usize..16) {
        let none = vec![0.0; blocks];
        let verdict = judge(&[case(&none)], &Rule::default())[0].verdict;
        prop_assert!(matches!(verdict, Verdict::Equivalent | Verdict::Inconclusive));
    }
}
