//! Where one design overtakes another as cores are added.

use crate::summary::Spread;

use super::curves::Curve;
use super::{Ahead, ahead};

/// Two designs at a number of cores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Threads, each with a core.
    pub threads: usize,
    /// Who is ahead.
    pub ahead: Ahead,
    /// Median of the first over that of the second.
    pub ratio: f64,
}

impl Standing {
    /// `None` if the seeds are too few to tell.
    pub fn of(threads: usize, first: &Spread, second: &Spread) -> Option<Standing> {
        let ratio = first.median / second.median;
        (ratio.is_finite() && ratio > 0.0)
            .then(|| Some(Standing { threads, ahead: ahead(first, second)?, ratio }))?
    }
}

/// A change of who is ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// Whether the first design loses its lead; otherwise the second loses it.
    pub first_loses: bool,
    /// The last number of cores at which the loser is ahead.
    pub ahead_at: usize,
    /// The first at which it is behind. Between the two the seeds cannot tell, or nothing was run.
    pub behind_at: usize,
    /// Where the lines of the medians cross, both axes logarithmic.
    pub estimate: f64,
    /// The smaller of the two leads, before and after, as a ratio above 1: how much there is to a crossing.
    pub swing: f64,
}

/// All crossings, fewest cores first. Only points where one is ahead beyond spread and margin bear witness; a tie between
/// two of them makes a crossing vaguer, and a tie after the last of them makes none.
pub fn crossings(standings: &[Standing]) -> Vec<Crossing> {
    let sure: Vec<usize> = (0..standings.len()).filter(|&i| standings[i].ahead != Ahead::Neither).collect();
    let mut found: Vec<Crossing> = Vec::new();
    // Where the lead of the moment began.
    let mut since = 0;
    for (nth, pair) in sure.windows(2).enumerate() {
        let (before, after) = (&standings[pair[0]], &standings[pair[1]]);
        if before.ahead == after.ahead {
            continue;
        }
        let until = sure[nth + 1..].iter().position(|&i| standings[i].ahead != after.ahead);
        let until = until.map_or(sure.len(), |n| nth + 1 + n);
        let lead = |places: &[usize]| {
            places.iter().map(|&i| standings[i].ratio.ln().abs()).fold(0.0, f64::max).exp()
        };
        found.push(Crossing {
            first_loses: before.ahead == Ahead::First,
            ahead_at: before.threads,
            behind_at: after.threads,
            estimate: where_medians_cross(&standings[pair[0]..=pair[1]]),
            swing: lead(&sure[since..=nth]).min(lead(&sure[nth + 1..until])),
        });
        since = nth + 1;
    }
    found
}

/// Medians change sides somewhere in `stretch`, whose ends lie on different sides.
fn where_medians_cross(stretch: &[Standing]) -> f64 {
    let side = stretch[0].ratio.ln();
    let step = stretch.windows(2).find(|step| side * step[1].ratio.ln() <= 0.0).unwrap_or(stretch);
    let (from, to) = (&step[0], &step[step.len() - 1]);
    let (start, end) = ((from.threads as f64).log2(), (to.threads as f64).log2());
    let (before, after) = (from.ratio.ln(), to.ratio.ln());
    (start + (end - start) * before / (before - after)).exp2()
}

/// Two designs on one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<'a> {
    /// The one that comes first in the alphabet.
    pub first: &'a str,
    /// The other.
    pub second: &'a str,
    /// Where both were run with enough seeds.
    pub standings: Vec<Standing>,
    /// Where the lead changes.
    pub crossings: Vec<Crossing>,
}

/// All pairs of designs of a curve that share two points or more.
pub fn pairs<'a>(curve: &Curve<'_, 'a>) -> Vec<Pair<'a>> {
    let names = curve.names();
    let lines: Vec<Vec<(usize, &Spread)>> = names
        .iter()
        .map(|name| {
            let spread = |(threads, cell): (usize, &'a crate::summary::Summary)| {
                Some((threads, cell.throughput_per_s.as_ref()?))
            };
            curve.of(name).into_iter().filter_map(spread).collect()
        })
        .collect();
    let mut pairs = Vec::new();
    for (i, first) in names.iter().enumerate() {
        for (j, second) in names.iter().enumerate().skip(i + 1) {
            let standing = |(threads, a): &(usize, &Spread)| {
                let (_, b) = lines[j].iter().find(|(other, _)| other == threads)?;
                Standing::of(*threads, a, b)
            };
            let standings: Vec<Standing> = lines[i].iter().filter_map(standing).collect();
            if standings.len() > 1 {
                let crossings = crossings(&standings);
                pairs.push(Pair { first, second, standings, crossings });
            }
        }
    }
    pairs
}

/// A crossing with the names of both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lost<'a> {
    /// Who loses the lead.
    pub loser: &'a str,
    /// Who takes it.
    pub winner: &'a str,
    /// Where.
    pub crossing: Crossing,
}

/// All crossings of some pairs, the largest swing first.
pub fn lost<'a>(pairs: &[Pair<'a>]) -> Vec<Lost<'a>> {
    let of_pair = |pair: &Pair<'a>| {
        let (first, second) = (pair.first, pair.second);
        let named = move |crossing: Crossing| {
            let (loser, winner) = if crossing.first_loses { (first, second) } else { (second, first) };
            Lost { loser, winner, crossing }
        };
        pair.crossings.clone().into_iter().map(named)
    };
    let mut all: Vec<Lost<'a>> = pairs.iter().flat_map(of_pair).collect();
    all.sort_by(|a, b| b.crossing.swing.total_cmp(&a.crossing.swing));
    all
}

#[cfg(test)]
mod tests {
    use super::super::tests::spread;
    use super::*;

    /// Seeds that lie 1 % around these medians.
    fn standings(first: &[f64], second: &[f64]) -> Vec<Standing> {
        let seeds = |median: f64| spread(&[median * 0.99, median, median * 1.01]);
        let at = |i: usize| Standing::of(1 << i, &seeds(first[i]), &seeds(second[i])).unwrap();
        (0..first.len()).map(at).collect()
    }

    #[test]
    fn one_crossing() {
        let found = crossings(&standings(&[20.0, 12.0, 6.0, 3.0], &[10.0, 10.0, 9.0, 9.0]));
        let [crossing] = found[..] else { panic!("{found:?}") };
        assert!(crossing.first_loses);
        assert_eq!((crossing.ahead_at, crossing.behind_at), (2, 4));
        // ln 1.2 / (ln 1.2 + ln 1.5) of the way from 2 to 4.
        let expected = 2.0 * (1.2f64.ln() / (1.2f64.ln() + 1.5f64.ln())).exp2();
        assert!((crossing.estimate - expected).abs() < 1e-9, "{crossing:?}");
        assert!((crossing.swing - 2.0).abs() < 1e-9, "a lead of 2 before, of 3 after");
    }

    #[test]
    fn no_crossing() {
        assert!(crossings(&standings(&[20.0, 12.0, 11.0], &[10.0, 9.0, 8.0])).is_empty());
        assert!(crossings(&[]).is_empty());
    }

    #[test]
    fn two_crossings() {
        let found = crossings(&standings(&[20.0, 10.0, 5.0, 20.0, 20.0], &[10.0, 10.0, 10.0, 10.0, 8.0]));
        let [down, up] = found[..] else { panic!("{found:?}") };
        assert!(down.first_loses && !up.first_loses);
        assert_eq!((down.ahead_at, down.behind_at), (1, 4), "equal at 2");
        assert!((down.estimate - 2.0).abs() < 1e-9);
        assert_eq!((up.ahead_at, up.behind_at), (4, 8));
        assert!((up.swing - 2.0).abs() < 1e-9, "ahead by 2 in the middle, by 2.5 later: {up:?}");
    }

    #[test]
    fn medians_that_cross_within_the_spread_are_no_crossing() {
        let tie = Standing::of(4, &spread(&[8.0, 9.0, 12.0]), &spread(&[9.0, 10.0, 11.0])).unwrap();
        assert_eq!(tie.ahead, Ahead::Neither);
        let mut all = standings(&[20.0, 15.0], &[10.0, 10.0]);
        all.push(tie);
        assert!(crossings(&all).is_empty(), "ahead, then a tie: nothing is lost for certain");
    }
}
