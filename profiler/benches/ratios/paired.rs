//! Two sides in turns, and what the turns say.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Short against the scheduler's and the host's disturbances, long against a clock read.
const SLICE: Duration = Duration::from_millis(5);
const CONFIDENCE: f64 = 0.95;

/// One side of a claim: runs so many operations.
pub(crate) type Step = Box<dyn FnMut(u64)>;

/// What is compared and how much it may be.
pub(crate) struct Claim {
    name: String,
    quantity: Quantity,
    at_most: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Quantity {
    /// Time of A by time of B.
    Ratio,
    /// Time of A less time of B, in ns per operation.
    ExtraNs,
}

impl Claim {
    pub(crate) fn ratio(name: String, at_most: Option<f64>) -> Self {
        Claim { name, quantity: Quantity::Ratio, at_most }
    }
    pub(crate) fn extra_ns(name: String, at_most: Option<f64>) -> Self {
        Claim { name, quantity: Quantity::ExtraNs, at_most }
    }

    fn value(&self, a_ns: f64, b_ns: f64) -> f64 {
        match self.quantity {
            Quantity::Ratio => a_ns / b_ns,
            Quantity::ExtraNs => a_ns - b_ns,
        }
    }
}

/// What came out. `fastest` relates the fastest slice of A to the fastest of B.
#[derive(Serialize, Deserialize)]
pub(crate) struct Outcome {
    claim: String,
    quantity: Quantity,
    median: f64,
    low: f64,
    high: f64,
    fastest: f64,
    a_ns_per_op: f64,
    b_ns_per_op: f64,
    blocks: usize,
    at_most: Option<f64>,
    met: Option<bool>,
}

impl Outcome {
    /// Puts the outcomes of one claim in several processes together: medians of their medians. `fastest` is the median
    /// of theirs; `blocks` are all.
    pub(crate) fn over(launches: &[&Outcome]) -> Option<Outcome> {
        let first = launches.first()?;
        let of = |value: fn(&Outcome) -> f64| {
            let mut values: Vec<f64> = launches.iter().map(|outcome| value(outcome)).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let medians = of(|outcome| outcome.median);
        let ((low, high), middle) = (median_interval(&medians), median(&medians));
        Some(Outcome {
            claim: first.claim.clone(),
            quantity: first.quantity,
            median: middle,
            low,
            high,
            fastest: median(&of(|outcome| outcome.fastest)),
            a_ns_per_op: median(&of(|outcome| outcome.a_ns_per_op)),
            b_ns_per_op: median(&of(|outcome| outcome.b_ns_per_op)),
            blocks: launches.iter().map(|outcome| outcome.blocks).sum(),
            at_most: first.at_most,
            met: first.at_most.map(|most| middle <= most),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interval = format!("{:.3} to {:.3}", self.low, self.high);
        let target = self.at_most.map_or_else(|| "-".to_owned(), |most| format!("<= {most}"));
        let verdict = match self.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "-",
        };
        let Outcome { claim, median, fastest, .. } = self;
        write!(f, "{claim:<52} {median:>9.3} {interval:>19} {fastest:>9.3} {target:>8}  {verdict}")
    }
}

/// Measures `a` and `b` in `blocks` blocks of A B B A.
pub(crate) fn run(claim: Claim, blocks: usize, mut a: Step, mut b: Step) -> Outcome {
    let ops = [ops_per_slice(&mut a), ops_per_slice(&mut b)];
    let mut values = Vec::with_capacity(blocks);
    let (mut a_ns, mut b_ns) = (Vec::new(), Vec::new());
    for _ in 0..blocks {
        let first_a = ns_per_op(&mut a, ops[0]);
        let (first_b, second_b) = (ns_per_op(&mut b, ops[1]), ns_per_op(&mut b, ops[1]));
        let second_a = ns_per_op(&mut a, ops[0]);
        values.push(claim.value((first_a + second_a) / 2.0, (first_b + second_b) / 2.0));
        a_ns.extend([first_a, second_a]);
        b_ns.extend([first_b, second_b]);
    }
    for sorted in [&mut values, &mut a_ns, &mut b_ns] {
        sorted.sort_by(f64::total_cmp);
    }
    let (low, high) = median_interval(&values);
    let median = median(&values);
    Outcome {
        fastest: claim.value(a_ns[0], b_ns[0]),
        met: claim.at_most.map(|most| median <= most),
        claim: claim.name,
        quantity: claim.quantity,
        median,
        low,
        high,
        a_ns_per_op: self::median(&a_ns),
        b_ns_per_op: self::median(&b_ns),
        blocks,
        at_most: claim.at_most,
    }
}

fn ns_per_op(step: &mut Step, ops: u64) -> f64 {
    let start = Instant::now();
    step(ops);
    start.elapsed().as_nanos() as f64 / ops as f64
}

/// Operations that take about a slice; warms the side up on the way.
fn ops_per_slice(step: &mut Step) -> u64 {
    let mut ops = 1024;
    loop {
        let slice_ns = ns_per_op(step, ops) * ops as f64;
        if slice_ns >= SLICE.as_nanos() as f64 {
            return ops;
        }
        ops *= 2;
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] }
}

/// The interval of the median from order statistics: each value lies below the true median with chance 1/2, so the
/// number that do is binomial, whatever the distribution of the values.
fn median_interval(sorted: &[f64]) -> (f64, f64) {
    let n = sorted.len();
    let mut probability = 0.5_f64.powi(n as i32);
    let (mut below, mut rank) = (probability, 0);
    while below <= (1.0 - CONFIDENCE) / 2.0 && rank + 1 < n / 2 {
        rank += 1;
        probability *= (n - rank + 1) as f64 / rank as f64;
        below += probability;
    }
    // `below` now exceeds what may lie outside: the rank before is the last that does not.
    let outer = rank.saturating_sub(1);
    (sorted[outer], sorted[n - 1 - outer])
}
