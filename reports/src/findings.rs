//! Sentences that the launches support: each rests on an interval over launches that excludes 1, and on a difference that
//! exceeds the noise; or it is not said.

use crate::group::{Group, PointCells};
use crate::noise::Margins;
use crate::stats::{self, Ratio};
use crate::summary::{CONFIDENCE, Source, Summary};
use crate::text::{change, si, three_digits, time};

/// More sentences than this are a table.
const FINDINGS_MAX: usize = 9;
/// Sentences of one kind: the others have something to say too.
const OF_A_KIND_MAX: usize = 3;
/// Leaders that may share a sentence.
const LEADERS_MAX: usize = 3;
/// Below this in every launch, workers are served unequally.
const UNFAIR_JAIN: f64 = 0.8;
/// Burning so many times as much processor time for the same work is worth a sentence.
const BURNS_FROM: f64 = 1.5;
/// Throughput after a peak of load over that before it, at equal load: further from 1 is memory.
const HYSTERESIS_FROM: f64 = 1.2;

/// A sentence and the point that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The sentence.
    pub text: String,
    /// Index of the group.
    pub group: usize,
    /// Index of the point in its group.
    pub point: usize,
}

/// A sentence before it is chosen.
struct Candidate {
    finding: Finding,
    kind: Kind,
    /// How large the difference is, as a logarithm.
    weight: f64,
}

/// Kinds of sentences, in the order in which they are said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Trade,
    Fastest,
    Tail,
    Burns,
    Unfair,
    Memory,
}

/// What can be said, most telling first. `margins` say what two measurements of the same code may show at a point: smaller
/// differences are not worth a sentence, however sure. `steps` are pairs of ids of which the second follows the first in a
/// lineage.
pub fn findings(groups: &[Group<'_>], margins: &Margins, steps: &[(&str, &str)]) -> Vec<Finding> {
    let mut all: Vec<Candidate> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let prefix = match (&group.source, groups.len()) {
            (Source::Measured, 1) => String::new(),
            (Source::Measured, _) => {
                format!(
                    "On {} [{}], run {}: ",
                    group.fingerprint.cpu_model,
                    group.fingerprint.id(),
                    group.run + 1
                )
            }
            (simulated, _) => format!("In the model, {}: ", simulated.name()),
        };
        for (at, point) in group.points.iter().enumerate() {
            let margin = margins.at(point.label, &group.source);
            let mut say = |kind: Kind, said: Option<(String, f64)>| {
                all.extend(said.map(|(text, weight)| Candidate {
                    finding: Finding {
                        text: format!("{prefix}{}: {text}", place(point)),
                        group: index,
                        point: at,
                    },
                    kind,
                    weight,
                }));
            };
            say(Kind::Fastest, fastest(point, margin));
            say(Kind::Tail, shortest_tail(point, margin));
            say(Kind::Unfair, unfair_winner(point));
            say(Kind::Burns, burns(point, margin));
            for (earlier, later) in steps {
                say(Kind::Trade, trade(point, earlier, later, margin));
            }
            point.contenders().iter().for_each(|cell| say(Kind::Memory, memory(cell)));
        }
    }
    all.sort_by(|a, b| a.kind.cmp(&b.kind).then(b.weight.total_cmp(&a.weight)));
    let mut said: Vec<(Kind, Finding)> = Vec::new();
    for candidate in all {
        if said.iter().filter(|(kind, _)| *kind == candidate.kind).count() < OF_A_KIND_MAX {
            said.push((candidate.kind, candidate.finding));
        }
    }
    said.truncate(FINDINGS_MAX);
    said.into_iter().map(|(_, finding)| finding).collect()
}

fn place(point: &PointCells<'_>) -> String {
    format!("{} ({})", point.work, point.label)
}

/// The leaders by a quantity, best first: the best and all that the launches cannot tell from it; with them the best of
/// the others and its ratio to the first. `None` if nobody is told apart, or too many lead.
fn leaders<'a>(
    cells: &[&'a Summary],
    margin: f64,
    values: impl Fn(&Summary) -> Vec<f64>,
) -> Option<(Vec<&'a Summary>, &'a Summary, Ratio)> {
    let (best, rest) = cells.split_first()?;
    let (mut tied, mut next) = (vec![*best], None);
    for cell in rest {
        match sure(&values(best), &values(cell), margin) {
            Some(ratio) => next = next.or(Some((*cell, ratio))),
            None => tied.push(cell),
        }
    }
    let (next, ratio) = next.filter(|_| tied.len() <= LEADERS_MAX)?;
    Some((tied, next, ratio))
}

/// The ratio B/A if the launches surely tell the two apart, and by more than noise.
fn sure(a: &[f64], b: &[f64], margin: f64) -> Option<Ratio> {
    let ratio = stats::ratio(a, b, CONFIDENCE).ok()?;
    let beyond = ratio.estimate > margin || ratio.estimate < 1.0 / margin;
    (ratio.excludes_one() && beyond).then_some(ratio)
}

fn throughput(cell: &Summary) -> Vec<f64> {
    cell.throughput_per_s.as_ref().map_or_else(Vec::new, |s| s.values.clone())
}

fn names(leaders: &[&Summary]) -> String {
    match leaders {
        [one] => one.name.clone(),
        [first, rest @ ..] => {
            let rest: Vec<&str> = rest.iter().map(|c| c.name.as_str()).collect();
            format!("{} (or {}: the launches cannot tell them apart)", first.name, rest.join(" or "))
        }
        [] => String::new(),
    }
}

/// A ratio as a difference in words: `12 % more`, `a third of the`, `2.8 times the`.
fn times_the(ratio: f64) -> String {
    match ratio {
        r if r >= 2.0 => format!("{} times the", three_digits(r)),
        r if r >= 1.0 => format!("{} % more", three_digits((r - 1.0) * 100.0)),
        r if r > 0.5 => format!("{} % less", three_digits((1.0 - r) * 100.0)),
        r => format!("{} the", part(1.0 / r)),
    }
}

/// One of so many parts.
fn part(parts: f64) -> String {
    const NAMED: [&str; 9] = [
        "half",
        "a third of",
        "a quarter of",
        "a fifth of",
        "a sixth of",
        "a seventh of",
        "an eighth of",
        "a ninth of",
        "a tenth of",
    ];
    match parts.round() as usize {
        n @ 2..=10 => NAMED[n - 2].into(),
        n => format!("1/{n} of"),
    }
}

fn fastest(point: &PointCells<'_>, margin: f64) -> Option<(String, f64)> {
    let (tied, next, ratio) = leaders(&point.contenders(), margin, throughput)?;
    let best = tied.first()?.throughput_per_s.as_ref()?.median;
    let text = format!(
        "{} is the fastest with {} operations a second; the first that is surely slower is {} ({}).",
        names(&tied),
        si(best),
        next.name,
        change(ratio.estimate)
    );
    // Contention is the subject: a lock alone says less.
    Some((text, ratio.estimate.ln().abs() + point.threads as f64))
}

fn shortest_tail(point: &PointCells<'_>, margin: f64) -> Option<(String, f64)> {
    let mut cells = point.contenders();
    cells.retain(|c| c.compare_waits && !c.waits.p999_by_launch.is_empty());
    let tail = |c: &Summary| stats::median(&c.waits.p999_by_launch).unwrap_or(f64::INFINITY);
    cells.sort_by(|a, b| tail(a).total_cmp(&tail(b)));
    let (tied, next, ratio) = leaders(&cells, margin, |c| c.waits.p999_by_launch.clone())?;
    let text = format!(
        "{} keeps the shortest p99.9 wait, {}; the first that surely waits longer is {} ({} wait).",
        names(&tied),
        time(tail(tied.first()?)),
        next.name,
        times_the(ratio.estimate)
    );
    Some((text, ratio.estimate.ln().abs()))
}

fn unfair_winner(point: &PointCells<'_>) -> Option<(String, f64)> {
    let first = *point.contenders().first()?;
    // Workers of different roles are not expected to get the same.
    let jain = first.jain_workers.as_ref().filter(|j| j.max < UNFAIR_JAIN && j.values.len() > 1)?;
    let text = format!(
        "{} leads by throughput, but serves its workers unequally in every launch (Jain's index {} to {}).",
        first.name,
        three_digits(jain.min),
        three_digits(jain.max)
    );
    (first.roles.len() == 1).then_some((text, -jain.max))
}

/// The leader against the one that does as much with the least processor time.
fn burns(point: &PointCells<'_>, margin: f64) -> Option<(String, f64)> {
    let cells = point.contenders();
    let leader = *cells.first()?;
    let cpu = |c: &Summary| c.cpu_ns_per_op.as_ref().map_or_else(Vec::new, |s| s.values.clone());
    let median = |c: &Summary| c.cpu_ns_per_op.as_ref().map(|s| s.median);
    let as_fast = |c: &&Summary| sure(&throughput(leader), &throughput(c), margin).is_none();
    let frugal =
        cells.iter().copied().filter(as_fast).min_by(|a, b| {
            median(a).unwrap_or(f64::INFINITY).total_cmp(&median(b).unwrap_or(f64::INFINITY))
        })?;
    let wasteful = cells
        .iter()
        .copied()
        .filter(as_fast)
        .max_by(|a, b| median(a).unwrap_or(0.0).total_cmp(&median(b).unwrap_or(0.0)))?;
    let ratio = sure(&cpu(frugal), &cpu(wasteful), margin).filter(|r| r.estimate >= BURNS_FROM)?;
    let text = format!(
        "{} burns {} times the processor time of {} for a throughput that the launches cannot tell apart ({} against {} an operation).",
        wasteful.name,
        three_digits(ratio.estimate),
        frugal.name,
        time(median(wasteful)?),
        time(median(frugal)?)
    );
    Some((text, ratio.estimate.ln()))
}

/// What a version of a lineage does to the longest wait or to throughput, and what that costs.
fn trade(point: &PointCells<'_>, earlier: &str, later: &str, margin: f64) -> Option<(String, f64)> {
    let called = |id: &str| {
        let mut cells = point.cells.iter().filter(|c| c.ranked() && c.implementation == id && c.arm != "b");
        cells.next().copied()
    };
    let (before, after) = (called(earlier)?, called(later)?);
    let speed = sure(&throughput(before), &throughput(after), margin);
    if let Some((role, waits_before, waits_after, ratio)) = longest_waits(before, after, margin) {
        let whose = role
            .map_or_else(|| "the longest wait".to_owned(), |role| format!("the longest wait of a {role}"));
        let (a, b) = (stats::median(&waits_before)?, stats::median(&waits_after)?);
        let verb = if b < a { "kept" } else { "let" };
        let (at, reached) = if b < a { ("at", "reached") } else { ("grow to", "kept it at") };
        let cost = match &speed {
            Some(speed) => format!(", for {} throughput", times_the(speed.estimate)),
            None => "; a difference in throughput the launches cannot tell".to_owned(),
        };
        let text = format!(
            "{} {verb} {whose} {at} {} where {} {reached} {}{cost}.",
            after.name,
            time(b),
            before.name,
            time(a)
        );
        return Some((text, ratio.estimate.ln().abs() + 1.0));
    }
    let speed = speed?;
    let cpu = |c: &Summary| c.cpu_ns_per_op.as_ref().map_or_else(Vec::new, |s| s.values.clone());
    let cost = match sure(&cpu(before), &cpu(after), margin) {
        Some(cpu) => format!(", for {} processor time an operation", times_the(cpu.estimate)),
        None => String::new(),
    };
    let text = format!(
        "{} has {} throughput {} {}{cost}.",
        after.name,
        times_the(speed.estimate),
        if speed.estimate > 0.5 && speed.estimate < 2.0 { "than" } else { "of" },
        before.name
    );
    Some((text, speed.estimate.ln().abs()))
}

/// The role that waits longest of those whose longest waits differ, by name where there are several.
#[allow(clippy::type_complexity, reason = "a name for one use would only move the reader's eye")]
fn longest_waits<'a>(
    before: &'a Summary,
    after: &Summary,
    margin: f64,
) -> Option<(Option<&'a str>, Vec<f64>, Vec<f64>, Ratio)> {
    if !(before.compare_waits && after.compare_waits) {
        return None;
    }
    let of = |c: &Summary, role: usize| -> Vec<f64> {
        let launches = c.waits.longest_by_launch.iter();
        launches.filter_map(|launch| launch.get(role).copied()?).map(|ns| ns as f64).collect()
    };
    let named = |role: usize| (before.roles.len() > 1).then(|| before.roles[role].as_str());
    let longest = |(_, a, b, _): &(Option<&str>, Vec<f64>, Vec<f64>, Ratio)| {
        let median = |waits: &[f64]| stats::median(waits).unwrap_or(0.0);
        median(a).max(median(b))
    };
    (0..before.roles.len())
        .filter_map(|role| {
            let (a, b) = (of(before, role), of(after, role));
            let ratio = sure(&a, &b, margin)?;
            Some((named(role), a, b, ratio))
        })
        .max_by(|a, b| longest(a).total_cmp(&longest(b)))
}

/// A lock that remembers a peak of load: at equal load it does not do what it did before, in any launch.
fn memory(cell: &Summary) -> Option<(String, f64)> {
    let ramp = &cell.phases.as_ref()?.ramp;
    let aside = |r: &&crate::summary::Ramp| {
        let s = &r.down_over_up;
        s.values.len() >= 5 && (s.min > HYSTERESIS_FROM || s.max < 1.0 / HYSTERESIS_FROM)
    };
    let most = ramp
        .iter()
        .filter(aside)
        .max_by(|a, b| a.down_over_up.median.ln().abs().total_cmp(&b.down_over_up.median.ln().abs()))?;
    let s = &most.down_over_up;
    let text = format!(
        "{} remembers the peak: with {} active threads it has {} throughput after it than before, in every launch ({} to {}).",
        cell.name,
        most.active,
        times_the(s.median),
        change(s.min),
        change(s.max)
    );
    Some((text, s.median.ln().abs()))
}

#[cfg(test)]
mod tests {
    use super::times_the;

    #[test]
    fn ratios_in_words() {
        let said = [0.004, 0.1, 0.25, 0.5, 0.96, 1.04, 2.85].map(times_the);
        let words = [
            "1/250 of the",
            "a tenth of the",
            "a quarter of the",
            "half the",
            "4 % less",
            "4 % more",
            "2.85 times the",
        ];
        assert_eq!(said, words);
    }
}
