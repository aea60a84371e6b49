//! Verdicts without a clock: simulated cycles seed by seed, and counted instructions.
//!
//! **Simulated cycles.** Both arms run each seed. Equal trace hashes under every seed are the same operations of the
//! machine in the same order at the same cycles: equivalent, whatever changed in the source. Otherwise the seeds are
//! pairs: under one seed both arms draw the same lengths of work. The cost of a launch is the cycles of all its workers
//! by their operations; `d` is the logarithm of the candidate's cost by the baseline's. Whatever the distribution of
//! `d`, the k-th smallest and the k-th largest of n hold its median between them with a probability that the binomial
//! distribution gives: of 32 seeds the 9th and the 24th, with 99.3 %. A row is *regressed* if this whole interval and the ratio
//! of the two medians lie above the budget, *improved* likewise below, *equivalent* if the whole interval lies within.
//! Seeds are what is sampled; each launch is exact.
//!
//! **Instructions.** One number an arm, the same each time: a difference of more than [`INSTRUCTIONS_BUDGET`] is one.

use record::{Reading, Tier};

use super::{Control, Estimate, Layer, Metric, Row};
use crate::compare::Verdict;
use crate::stats;

/// Seeds of a cell, unless the command line says otherwise.
pub const SEEDS: u32 = 32;
/// Percent of cost up to which a difference counts as none, unless the command line says otherwise.
pub const BUDGET_PERCENT: f64 = 1.0;
/// The same as a ratio of costs, above 1.
pub const BUDGET_RATIO: f64 = 1.0 + BUDGET_PERCENT / 100.0;
/// Confidence of the interval over seeds: a row whose median did not move is called regressed once in 200 times at most.
pub const CONFIDENCE: f64 = 0.99;
/// Instructions per operation up to which a difference counts as none.
pub const INSTRUCTIONS_BUDGET: f64 = 0.5;

/// What one seed brought on one arm.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A result.
    Ran {
        /// Equal hashes: the same, cycle by cycle.
        trace_hash: String,
        /// Cycles of all workers.
        cycles: u64,
        /// Operations in them.
        operations: u64,
    },
    /// A deadlock, a panic, a lost count: the launch is wrong.
    Failed(String),
    /// It could not be asked at all: the program does not have the implementation, or is none.
    Missing(String),
}

/// One cell of both arms under the same seeds.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Id of the implementation on the candidate's side.
    pub implementation: String,
    /// Name of the point.
    pub label: String,
    /// `sim:<preset>`.
    pub machine: String,
    /// The seeds, one a pair.
    pub seeds: Vec<u64>,
    /// The baseline, seed by seed.
    pub baseline: Vec<Outcome>,
    /// The candidate, in the same order.
    pub candidate: Vec<Outcome>,
}

impl Outcome {
    /// Cycles per operation; `None` without an operation.
    pub fn cost(&self) -> Option<f64> {
        match *self {
            Outcome::Ran { cycles, operations: operations @ 1.., .. } => {
                Some(cycles as f64 / operations as f64)
            }
            _ => None,
        }
    }

    /// Whether both did the same.
    pub fn same(&self, other: &Outcome) -> bool {
        match (self, other) {
            (Outcome::Ran { trace_hash: a, .. }, Outcome::Ran { trace_hash: b, .. }) => a == b,
            _ => false,
        }
    }
}

impl Simulated {
    /// The first seed under which the arms did not do the same, by its place.
    pub fn first_difference(&self) -> Option<usize> {
        self.baseline.iter().zip(&self.candidate).position(|(a, b)| !a.same(b))
    }

    /// The verdict on this cell, with `budget_ratio` above 1.
    pub fn row(&self, budget_ratio: f64) -> Row {
        let costs = |outcomes: &[Outcome]| outcomes.iter().filter_map(Outcome::cost).collect::<Vec<f64>>();
        let (baseline, candidate) =
            (stats::median(&costs(&self.baseline)), stats::median(&costs(&self.candidate)));
        let mut row = Row {
            implementation: self.implementation.clone(),
            label: self.label.clone(),
            machine: self.machine.clone(),
            layer: Layer::Exact,
            metric: Metric::CyclesPerOp,
            tier: Tier::Simulated,
            baseline,
            candidate,
            ratio: None,
            margin_ratio: budget_ratio,
            minimal_detectable_ratio: None,
            blocks: 0,
            confirmed: false,
            verdict: Verdict::Inconclusive,
            reason: String::new(),
            evidence: None,
        };
        (row.verdict, row.reason) = match self.obstacle() {
            Some(told) => told,
            None if self.first_difference().is_none() => {
                let exactly = Estimate { ratio: 1.0, low: 1.0, high: 1.0, confidence: 1.0, p: None };
                (row.ratio, row.minimal_detectable_ratio) = (Some(exactly), Some(1.0));
                let told = format!("the same machine operations under all {} seeds", self.seeds.len());
                (Verdict::Equivalent, told)
            }
            None => self.weigh(&mut row),
        };
        row
    }

    /// What decides without numbers: no pairs, a program that cannot be asked, a launch that is wrong.
    fn obstacle(&self) -> Option<(Verdict, String)> {
        if self.seeds.is_empty() || self.baseline.len() != self.candidate.len() {
            return Some((Verdict::Inconclusive, "no pair of launches was made".to_owned()));
        }
        for (arm, outcomes) in [("baseline", &self.baseline), ("candidate", &self.candidate)] {
            let missing = outcomes.iter().find_map(|outcome| match outcome {
                Outcome::Missing(why) => Some(why),
                _ => None,
            });
            if let Some(why) = missing {
                return Some((Verdict::Inconclusive, format!("the {arm} cannot be asked: {why}")));
            }
        }
        let wrong = |outcomes: &[Outcome]| {
            let failures = outcomes.iter().zip(&self.seeds).filter_map(|(outcome, seed)| match outcome {
                Outcome::Failed(why) => Some((*seed, why.clone())),
                _ => None,
            });
            failures.collect::<Vec<_>>()
        };
        let (before, after) = (wrong(&self.baseline), wrong(&self.candidate));
        let told = |arm: &str, wrong: &[(u64, String)]| {
            let (seed, why) = &wrong[0];
            format!("the {arm} fails under {} of {} seeds; seed {seed}: {why}", wrong.len(), self.seeds.len())
        };
        match (before.is_empty(), after.is_empty()) {
            (true, true) => None,
            (true, false) => Some((Verdict::Regressed, told("candidate", &after))),
            (false, _) => Some((Verdict::Inconclusive, told("baseline", &before))),
        }
    }

    /// Costs differ or may: the interval decides.
    fn weigh(&self, row: &mut Row) -> (Verdict, String) {
        let pairs = || self.baseline.iter().zip(&self.candidate);
        let equal = pairs().filter(|(a, b)| a.same(b)).count();
        let traces = match equal {
            0 => format!("other machine operations under all {} seeds", self.seeds.len()),
            n => format!("the same machine operations under {n} of {} seeds only", self.seeds.len()),
        };
        let without = |outcomes: &[Outcome]| outcomes.iter().filter(|o| o.cost().is_none()).count();
        match (without(&self.baseline), without(&self.candidate)) {
            (0, 0) => {}
            (0, n) => {
                return (Verdict::Regressed, format!("{traces}; under {n} of them nobody gets an operation"));
            }
            (n, _) => {
                let told = format!("{traces}; under {n} of them nobody gets an operation of the baseline");
                return (Verdict::Inconclusive, told);
            }
        }
        let logs: Vec<f64> = pairs().filter_map(|(a, b)| Some((b.cost()? / a.cost()?).ln())).collect();
        let (Some(estimate), Some(interval)) =
            (stats::median(&logs), stats::median_interval(&logs, CONFIDENCE))
        else {
            return (Verdict::Inconclusive, traces);
        };
        let (low, high) = (interval.low.exp(), interval.high.exp());
        let ratio = estimate.exp();
        row.ratio = Some(Estimate { ratio, low, high, confidence: interval.confidence, p: None });
        let budget = row.margin_ratio;
        row.minimal_detectable_ratio = Some(budget * (estimate - interval.low).exp());
        if !interval.reached {
            let most = interval.confidence * 100.0;
            return (
                Verdict::Inconclusive,
                format!("{traces}; so few seeds reach {most:.1} % confidence at most"),
            );
        }
        let of_medians = row.candidate.zip(row.baseline).map_or(ratio, |(after, before)| after / before);
        let percent = (budget - 1.0) * 100.0;
        if low > budget && of_medians > budget {
            return (
                Verdict::Regressed,
                format!("{traces}; more than {percent:.1} % beyond the seeds' spread"),
            );
        }
        if high < 1.0 / budget && of_medians < 1.0 / budget {
            return (
                Verdict::Improved,
                format!("{traces}; more than {percent:.1} % beyond the seeds' spread"),
            );
        }
        if low > 1.0 / budget && high < budget {
            return (Verdict::Equivalent, format!("{traces}; costs within {percent:.1} %"));
        }
        (
            Verdict::Inconclusive,
            format!("{traces}; the seeds' spread is wider than the budget of {percent:.1} %"),
        )
    }

    /// The cell as a control: the floor, which no change of a lock concerns. If it moved, the two programs do not simulate
    /// or drive alike.
    pub fn control(&self) -> Control {
        let row = self.row(BUDGET_RATIO);
        let moved = self.first_difference().is_some() || row.verdict != Verdict::Equivalent;
        Control {
            name: format!("{} {} on {}", self.implementation, self.label, self.machine),
            ratio: row.ratio,
            moved,
            detail: row.reason,
        }
    }
}

/// Begins the reason of a row whose programs do not simulate alike.
pub const HARNESS_CHANGED: &str = "harness changed";

/// Rows whose programs do not simulate alike say nothing of the locks, unless their traces are equal all the same.
pub fn doubt(rows: &mut [Row], why: &str) {
    let other = |row: &&mut Row| {
        row.metric == Metric::CyclesPerOp
            && !(row.verdict == Verdict::Equivalent && row.ratio.is_some_and(|ratio| ratio.confidence == 1.0))
    };
    for row in rows.iter_mut().filter(other) {
        row.verdict = Verdict::Inconclusive;
        row.reason = format!("{HARNESS_CHANGED}: {why}; {}", row.reason);
    }
}

/// Instructions per uncontended operation of one arm: a number, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Instructions {
    /// So many, from there.
    Counted {
        /// Per operation.
        per_op: f64,
        /// Callgrind simulates a processor; a counter is read.
        tier: Tier,
    },
    /// None.
    Absent(String),
}

impl Instructions {
    /// Of two lengths of one loop: what the longer adds, by operation.
    pub fn of_difference(short: (u64, u64), long: (u64, u64), tier: Tier) -> Instructions {
        let ((short_ops, short_count), (long_ops, long_count)) = (short, long);
        if long_ops <= short_ops || long_count <= short_count {
            return Instructions::Absent(format!(
                "{long_ops} operations take {long_count} instructions, {short_ops} take {short_count}: no difference"
            ));
        }
        let per_op = (long_count - short_count) as f64 / (long_ops - short_ops) as f64;
        Instructions::Counted { per_op, tier }
    }

    /// The number that a counter of instructions shows, or why it says nothing that is exact.
    ///
    /// # Errors
    /// The reason.
    pub fn reading(reading: &Reading) -> Result<u64, String> {
        match reading {
            Reading::Present { value, running_share, .. }
                if running_share.is_none_or(|share| share >= 1.0) =>
            {
                Ok(*value)
            }
            Reading::Present { .. } => Err("the processor's counter had to be shared".to_owned()),
            Reading::Absent { absent } => Err(absent.clone()),
        }
    }

    fn per_op(&self) -> Option<f64> {
        match self {
            Instructions::Counted { per_op, .. } => Some(*per_op),
            Instructions::Absent(_) => None,
        }
    }
}

/// The verdict on instructions per uncontended operation. `only_half` says why the lock has no simulated rows.
pub fn instructions_row(
    implementation: &str,
    only_half: Option<&str>,
    baseline: &Instructions,
    candidate: &Instructions,
) -> Row {
    let (before, after) = (baseline.per_op(), candidate.per_op());
    let tier = match (baseline, candidate) {
        (_, Instructions::Counted { tier, .. }) | (Instructions::Counted { tier, .. }, _) => *tier,
        _ => Tier::Simulated,
    };
    let (verdict, mut reason) = match (baseline, candidate) {
        (Instructions::Absent(why), _) => {
            (Verdict::Inconclusive, format!("the baseline cannot be counted: {why}"))
        }
        (_, Instructions::Absent(why)) => {
            (Verdict::Inconclusive, format!("the candidate cannot be counted: {why}"))
        }
        (
            Instructions::Counted { per_op: before, tier: from },
            Instructions::Counted { per_op: after, tier: to },
        ) => {
            let more = after - before;
            if from != to {
                let told = format!("counted by {} and by {}: not comparable", from.name(), to.name());
                (Verdict::Inconclusive, told)
            } else if more > INSTRUCTIONS_BUDGET {
                (Verdict::Regressed, format!("{more:.2} instructions more"))
            } else if more < -INSTRUCTIONS_BUDGET {
                (Verdict::Improved, format!("{:.2} instructions fewer", -more))
            } else {
                (Verdict::Equivalent, String::new())
            }
        }
    };
    if let Some(why) = only_half {
        let told = format!("not simulated, only its instructions are compared: {why}");
        reason = if reason.is_empty() { told } else { format!("{reason}; {told}") };
    }
    let ratio = before.zip(after).filter(|(before, _)| *before > 0.0).map(|(before, after)| after / before);
    let exactly = |ratio| Estimate { ratio, low: ratio, high: ratio, confidence: 1.0, p: None };
    let margin =
        before.filter(|before| *before > 0.0).map_or(1.0, |before| 1.0 + INSTRUCTIONS_BUDGET / before);
    Row {
        implementation: implementation.to_owned(),
        label: "uncontended".to_owned(),
        machine: if tier == Tier::Simulated { "callgrind" } else { "os" }.to_owned(),
        layer: Layer::Exact,
        metric: Metric::InstructionsPerOp,
        tier,
        baseline: before,
        candidate: after,
        ratio: ratio.map(exactly),
        margin_ratio: margin,
        minimal_detectable_ratio: ratio.map(|_| 1.0),
        blocks: 0,
        confirmed: false,
        verdict,
        reason,
        evidence: None,
    }
}
