//! Golden values from the literature and from enumeration by hand, and properties of everything in `stats`.

use proptest::prelude::*;
use reports::stats::*;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9 * (1.0 + a.abs())
}

/// Permeability constants of the human chorioamnion (Hollander and Wolfe 1973, table 4.1), as in R's `wilcox.test`
/// help: W = 35, one-sided p = 0.1272; the estimate and interval are those of `conf.int = TRUE` with x and y swapped.
#[test]
fn hollander_and_wolfe() {
    let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    let weeks = [1.15, 0.88, 0.90, 0.74, 1.21];
    let p = mann_whitney_lower_tail(15, 10, 5);
    assert!((p - 0.1272).abs() < 5e-5, "{p}");
    let s = shift(&weeks, &term, 0.95).unwrap();
    assert!(close(s.estimate, 0.305), "{s:?}");
    assert!(close(s.low, -0.15) && close(s.high, 0.76), "{s:?}");
    assert!(s.reached);
}

/// Of the 252 ways to place 5 among 10, 1, 1, 2 and 3 give U = 0, 1, 2, 3.
#[test]
fn five_against_five_by_hand() {
    let counts: Vec<f64> = (0..4).map(|u| mann_whitney_lower_tail(u, 5, 5) * 252.0).collect();
    assert!(counts.iter().zip([1.0, 2.0, 4.0, 7.0]).all(|(a, b)| close(*a, b)), "{counts:?}");
    let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0], [11.0, 12.0, 13.0, 14.0, 15.0]);
    let s = shift(&a, &b, 0.95).unwrap();
    // The third smallest and third largest of the 25 differences.
    assert_eq!((s.estimate, s.low, s.high), (10.0, 7.0, 13.0));
    assert!(close(s.confidence, 1.0 - 8.0 / 252.0) && s.reached);
}

#[test]
fn too_few_launches_say_so() {
    for (n, best) in [(1, 0.0), (2, 1.0 - 2.0 / 6.0), (3, 0.9), (4, 1.0 - 2.0 / 70.0), (5, 1.0 - 2.0 / 252.0)]
    {
        let a: Vec<f64> = (0..n).map(f64::from).collect();
        let s = shift(&a, &a, 0.9999).unwrap();
        assert!(!s.reached && close(s.confidence, best), "{n}: {s:?}");
    }
    let r = ratio(&[1.0, 1.1, 1.2], &[2.0, 2.1, 2.2], 0.95).unwrap();
    assert!(!r.reached && !r.excludes_one() && r.low > 1.0);
}

#[test]
fn ratios_need_positive_numbers() {
    assert_eq!(ratio(&[], &[1.0], 0.95), Err(RatioError::NoneInA));
    assert_eq!(ratio(&[1.0], &[], 0.95), Err(RatioError::NoneInB));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(ratio(&[1.0], &[bad], 0.95), Err(RatioError::NotPositive));
    }
}

/// Darwin's maize by Fisher (The Design of Experiments, 1935, section 21): of the 2^15 sign patterns of the 15
/// differences 863 have a sum of 314 or more.
#[test]
fn fisher_on_darwins_maize() {
    let maize = [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
    let test = sign_flip(&maize).unwrap();
    assert!(test.exact && close(test.p, 2.0 * 863.0 / 32768.0), "{test:?}");
}

#[test]
fn sign_flip_by_hand() {
    // All of one sign: only the pattern itself and its mirror image are as far.
    for n in 1..=12u32 {
        let test = sign_flip(&vec![1.5; n as usize]).unwrap();
        assert!(close(test.p, 2f64.powi(1 - n as i32)) && close(test.p, test.p_min));
    }
    // Sums 0, 2, 4, 6 with signs: of 1, 2, 3 the patterns with |sum| >= 4 are 4 of 8.
    assert!(close(sign_flip(&[-1.0, 2.0, 3.0]).unwrap().p, 0.5));
    assert!(!sign_flip(&[1.0; 30]).unwrap().exact);
}

/// The classic table of order-statistic intervals of a median.
#[test]
fn median_intervals() {
    for (n, low, high, confidence) in
        [(6, 1, 6, 0.96875), (10, 2, 9, 0.978515625), (20, 6, 15, 0.958610534667969)]
    {
        let values: Vec<f64> = (1..=n).map(f64::from).collect();
        let i = median_interval(&values, 0.95).unwrap();
        assert_eq!((i.low, i.high), (f64::from(low), f64::from(high)), "{n}");
        assert!(close(i.confidence, confidence) && i.reached);
    }
    let five = median_interval(&[5.0, 1.0, 3.0, 2.0, 4.0], 0.95).unwrap();
    assert!(!five.reached && (five.low, five.high) == (1.0, 5.0) && close(five.confidence, 0.9375));
    assert!(median_interval(&[], 0.95).is_none());
}

#[test]
fn small_facts() {
    assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.25), Some(1.75));
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(hodges_lehmann(&[1.0, 2.0, 9.0]), Some(3.5));
    assert_eq!(jain(&[7, 7, 7, 7]), Some(1.0));
    assert_eq!(jain(&[9, 0, 0, 0]), Some(0.25));
    assert_eq!((jain(&[0, 0]), jain(&[])), (None, None));
    // t(0.975, 8) = 2.306004 and t(0.9, 8) = 1.396815; s = 1 by construction.
    let sd = (10f64 / 4.0).sqrt();
    let values: Vec<f64> = [-2.0, -1.0, 0.0, 1.0, 2.0].iter().map(|v: &f64| (v / sd).exp()).collect();
    let mdr = minimal_detectable_ratio(&values, &values, 0.95, 0.9).unwrap();
    assert!((mdr.ln() - (2.306004 + 1.396815) * 0.4f64.sqrt()).abs() < 1e-5, "{}", mdr.ln());
}

fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.001f64..1e9, 1..12)
}

proptest! {
    #[test]
    fn a_ratio_turns_round(a in sample(), b in sample()) {
        let (there, back) = (ratio(&a, &b, 0.95).unwrap(), ratio(&b, &a, 0.95).unwrap());
        prop_assert!(close(there.estimate * back.estimate, 1.0));
        prop_assert!(close(there.low * back.high, 1.0) && close(there.high * back.low, 1.0));
        prop_assert!(there.low <= there.estimate * (1.0 + 1e-12) && there.estimate <= there.high * (1.0 + 1e-12));
        prop_assert_eq!(there.reached, there.confidence + 1e-12 >= 0.95);
    }

    #[test]
    fn a_ratio_follows_its_scale(a in sample(), b in sample(), scale in 0.01f64..100.0) {
        let scaled: Vec<f64> = b.iter().map(|v| v * scale).collect();
        let (one, other) = (ratio(&a, &b, 0.9).unwrap(), ratio(&a, &scaled, 0.9).unwrap());
        prop_assert!((other.estimate / one.estimate / scale - 1.0).abs() < 1e-9);
    }

    #[test]
    fn more_confidence_is_never_narrower(a in sample(), b in sample()) {
        let (narrow, wide) = (shift(&a, &b, 0.8).unwrap(), shift(&a, &b, 0.99).unwrap());
        prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high && narrow.confidence <= wide.confidence);
    }

    #[test]
    fn mann_whitney_is_symmetric(m in 1usize..9, n in 1usize..9) {
        let below = |u| mann_whitney_lower_tail(u, m, n);
        prop_assert!(close(below(m * n), 1.0));
        for u in 0..m * n {
            prop_assert!(close(below(u), 1.0 - below(m * n - u - 1)));
        }
    }

    #[test]
    fn sign_flip_ignores_the_side(d in prop::collection::vec(-1e3f64..1e3, 1..12)) {
        let turned: Vec<f64> = d.iter().map(|v| -v).collect();
        let (one, other) = (sign_flip(&d).unwrap(), sign_flip(&turned).unwrap());
        prop_assert!(close(one.p, other.p) && one.p >= one.p_min && one.p <= 1.0);
    }

    #[test]
    fn quantiles_are_ordered(v in sample(), p in 0.0f64..1.0, q in 0.0f64..1.0) {
        let (low, high) = (p.min(q), p.max(q));
        prop_assert!(quantile(&v, low) <= quantile(&v, high));
    }

    #[test]
    fn jain_has_its_bounds(shares in prop::collection::vec(0u64..1_000_000, 1..70), times in 1u64..1000) {
        if let Some(index) = jain(&shares) {
            prop_assert!(index <= 1.0 && index >= 1.0 / shares.len() as f64 - 1e-12);
            let scaled: Vec<u64> = shares.iter().map(|s| s * times).collect();
            prop_assert!(close(jain(&scaled).unwrap(), index));
        }
    }
}
