//! The rules of truth: what a record must satisfy before its numbers are ranked.
//!
//! | rule | asks |
//! |---|---|
//! | `launches` | did every launch give a result? |
//! | `result` | did the guarded counters show what they must? |
//! | `clock` | did the launch take as long as its own clock says? |
//! | `overlap` | did all workers run at the same time? |
//! | `floor` | did operations cost no less than the work that they hold and the lock's own cost when nobody disturbs? |
//! | `exclusion` | did holders' time fit into the time that the locks offer? |
//! | `starved` | who got nothing? A finding, never an error |
//! | `events` | did the probe see as many acquires as the driver counted? |
//! | `ledger` | do the parts of each worker's time add up to its span? |
//! | `cycles` | do the cycles of a simulated launch add up exactly, and to the time that the workers took? |
//! | `little` | do waiting times agree with waiters counted by the lock itself? |
//! | `lock-order` | were locks that are held together always taken in one order? A finding, never an error |
//! | `probe-effect` | what did looking cost? A certificate, never an error |
//!
//! A doubt about any launch of a cell is a doubt about the cell: ranked launches and observed ones run the same code, so
//! a ranked launch inherits the doubts of its observed siblings.

mod accounts;
mod physics;
mod simulated;

use record::cell::{Check, ImplementationRole, Launch, Record, Status, Verdict};
use record::result::LaunchResult;

/// Share of a slice in which all workers must have run.
pub const OVERLAP_MIN: f64 = 0.9;

/// What the rules need to know besides the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TruthContext {
    /// Cores that the launches could use.
    pub cores: usize,
    /// Of these, cores that the workers were pinned to, if they were.
    pub pinned: Option<usize>,
}

impl TruthContext {
    /// Cores that the workers could use.
    fn workers_cores(&self) -> usize {
        self.pinned.unwrap_or(self.cores)
    }
}

/// Applies every rule: the status, the reasons for any status but `ok`, and every check with its numbers.
pub fn judge(record: &Record, context: &TruthContext) -> (Status, Vec<String>, Vec<Check>) {
    if record.launches.is_empty() {
        return (Status::NotApplicable, vec!["no launch was made".to_owned()], Vec::new());
    }
    let rules: [(&str, Rule); 13] = [
        ("launches", launches),
        ("result", result),
        ("clock", physics::clock),
        ("overlap", overlap),
        ("floor", physics::floor),
        ("exclusion", physics::exclusion),
        ("starved", starved),
        ("events", accounts::events),
        ("ledger", accounts::ledger),
        ("cycles", simulated::cycles),
        ("little", accounts::little),
        ("lock-order", accounts::lock_order),
        ("probe-effect", accounts::probe_effect),
    ];
    let apply = |(rule, check): (&str, Rule)| {
        let Finding { verdict, detail } = check(record, context);
        Check { rule: rule.to_owned(), verdict, detail }
    };
    let checks: Vec<Check> = rules.into_iter().map(apply).collect();
    let bad = |check: &&Check| matches!(check.verdict, Verdict::Suspect | Verdict::Wrong);
    let reasons =
        checks.iter().filter(bad).map(|check| format!("{}: {}", check.rule, check.detail)).collect();
    let any = |verdict| checks.iter().any(|check| check.verdict == verdict);
    let status = match (any(Verdict::Wrong), any(Verdict::Suspect)) {
        (true, _) => Status::Failed,
        (false, true) => Status::Suspect,
        (false, false) => Status::Ok,
    };
    (status, reasons, checks)
}

/// One rule.
type Rule = fn(&Record, &TruthContext) -> Finding;

/// What one rule found.
struct Finding {
    verdict: Verdict,
    detail: String,
}

fn holds(detail: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Holds, detail: detail.into() }
}

fn suspect(detail: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Suspect, detail: detail.into() }
}

fn wrong(detail: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Wrong, detail: detail.into() }
}

fn not_applicable(detail: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::NotApplicable, detail: detail.into() }
}

/// The launches that have a result.
fn results(record: &Record) -> impl Iterator<Item = (&Launch, &LaunchResult)> {
    record.launches.iter().filter_map(|launch| launch.result.as_ref().map(|result| (launch, result)))
}

fn launches(record: &Record, _: &TruthContext) -> Finding {
    let failed = |launch: &Launch| {
        let why = launch.failure.as_ref().map(|f| format!("{}: {}", f.kind.name(), f.detail));
        match (why, &launch.result) {
            (None, Some(_)) => None,
            (Some(why), _) => Some(format!("launch {}: {why}", launch.index)),
            (None, None) => Some(format!("launch {}: neither a result nor a failure", launch.index)),
        }
    };
    let failures: Vec<String> = record.launches.iter().filter_map(failed).collect();
    let made = record.launches.len();
    match failures.first() {
        None => holds(format!("{made} of {made} launches gave a result")),
        Some(first) => wrong(format!("{} of {made} launches failed; {first}", failures.len())),
    }
}

fn result(record: &Record, _: &TruthContext) -> Finding {
    if record.role == ImplementationRole::Floor {
        return not_applicable("the floor excludes nobody, so its counters lose updates by design");
    }
    let (mut sum, mut sums) = (0_u64, 0);
    let taken = u64::from(record.point.take.count());
    for (launch, result) in results(record) {
        for (index, slice) in result.slices.iter().enumerate() {
            let at = format!("launch {}, slice {index}", launch.index);
            if let Some(fault) = slice.fault() {
                return wrong(format!("{at}: {fault}"));
            }
            sums += u64::from(slice.sum.is_some());
            if slice.ops().saturating_mul(taken) > slice.expected {
                let (ops, expected) = (slice.ops(), slice.expected);
                return wrong(format!(
                    "{at}: claims {ops} operations, but the counters were raised {expected} times"
                ));
            }
            sum = sum.saturating_add(slice.observed);
        }
        if result.slices.is_empty() {
            return wrong(format!("launch {}: no slice", launch.index));
        }
    }
    let and = if sums > 0 { ", and what the locks guard adds up as it did before" } else { "" };
    holds(format!("the guarded counters show all {sum} increments{and}"))
}

fn overlap(record: &Record, context: &TruthContext) -> Finding {
    let threads = record.point.threads();
    let cores = context.workers_cores();
    if threads > cores {
        return not_applicable(format!(
            "{threads} threads share {cores} {}",
            if cores == 1 { "core" } else { "cores" }
        ));
    }
    let worst = results(record).map(|(launch, result)| (result.overlap(), launch.index));
    match worst.min_by(|a, b| a.0.total_cmp(&b.0)) {
        None => not_applicable("no launch gave a result"),
        Some((share, launch)) => {
            let detail = format!(
                "all workers ran in {share:.3} of the time at least (launch {launch}); needed {OVERLAP_MIN}"
            );
            if share >= OVERLAP_MIN { holds(detail) } else { suspect(detail) }
        }
    }
}

fn starved(record: &Record, _: &TruthContext) -> Finding {
    let mut starved = Vec::new();
    for (launch, result) in results(record) {
        for (index, slice) in result.slices.iter().enumerate() {
            for (worker, _) in slice.workers.iter().enumerate().filter(|(_, worker)| worker.ops == 0) {
                starved.push(format!("worker {worker} (launch {}, slice {index})", launch.index));
            }
        }
    }
    const NAMED: usize = 5;
    match starved.len() {
        0 => holds("every worker operated in every slice"),
        n if n <= NAMED => holds(format!("no operation: {}", starved.join(", "))),
        n => holds(format!("no operation: {} and {} more", starved[..NAMED].join(", "), n - NAMED)),
    }
}
