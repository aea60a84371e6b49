//! Sentences that the launches support: each rests on an interval over launches that excludes 1, or is not said.

use crate::group::{Group, PointCells};
use crate::stats::{self, Ratio};
use crate::summary::{CONFIDENCE, Source, Summary};
use crate::text::{change, si, three_digits, time};

/// More sentences than this are a table.
const FINDINGS_MAX: usize = 6;
/// Leaders that may share a sentence.
const LEADERS_MAX: usize = 3;
/// Below this in every launch, workers are served unequally.
const UNFAIR_JAIN: f64 = 0.8;
/// The role whose longest wait tells the Go versions apart.
const VICTIM: &str = "victim";

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

/// What can be said, most telling first. `margin` is the ratio, above 1, that two measurements of the same code may
/// show: smaller differences are not worth a sentence, however sure.
pub fn findings(groups: &[Group<'_>], margin: f64) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let prefix = match (&group.source, groups.len()) {
            (Source::Measured, 1) => String::new(),
            (Source::Measured, _) => {
                format!("On {} [{}]: ", group.fingerprint.cpu_model, group.fingerprint.id())
            }
            (simulated, _) => format!("In the model, {}: ", simulated.name()),
        };
        let mut say = |point: usize, text: Option<String>| {
            found.extend(text.map(|text| Finding { text: format!("{prefix}{text}"), group: index, point }));
        };
        let points = || group.points.iter().enumerate();
        if let Some((at, point)) = points().find(|(_, p)| p.threads == 1) {
            say(at, fastest(point, margin));
        }
        if let Some((at, point)) = points().filter(|(_, p)| p.threads > 1).max_by_key(|(_, p)| p.threads) {
            say(at, fastest(point, margin));
            say(at, shortest_tail(point, margin));
            say(at, unfair_winner(point));
        }
        for (at, point) in points() {
            say(at, victim(point, margin));
        }
    }
    found.truncate(FINDINGS_MAX);
    found
}

fn at_threads(point: &PointCells<'_>) -> String {
    match point.threads {
        1 => format!("1 thread ({})", point.label),
        n => format!("{n} threads ({})", point.label),
    }
}

/// The ranked locks, each once: of an A/A pair the arms stand back behind the same implementation without an arm, or
/// else the first arm stands for both.
fn contenders<'a>(point: &PointCells<'a>) -> Vec<&'a Summary> {
    let ranked = point.ranked_locks();
    let twin = |c: &Summary| ranked.iter().any(|o| o.arm.is_empty() && o.implementation == c.implementation);
    ranked.iter().copied().filter(|c| c.arm.is_empty() || (c.arm != "b" && !twin(c))).collect()
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
        match stats::ratio(&values(best), &values(cell), CONFIDENCE) {
            Ok(ratio) if differs(&ratio, margin) => next = next.or(Some((*cell, ratio))),
            _ => tied.push(cell),
        }
    }
    let (next, ratio) = next.filter(|_| tied.len() <= LEADERS_MAX)?;
    Some((tied, next, ratio))
}

/// Surely, and by more than noise.
fn differs(ratio: &Ratio, margin: f64) -> bool {
    ratio.excludes_one() && (ratio.estimate > margin || ratio.estimate < 1.0 / margin)
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

fn fastest(point: &PointCells<'_>, margin: f64) -> Option<String> {
    let throughput = |c: &Summary| c.throughput_per_s.as_ref().map_or_else(Vec::new, |s| s.values.clone());
    let (tied, next, ratio) = leaders(&contenders(point), margin, throughput)?;
    let best = tied.first()?.throughput_per_s.as_ref()?.median;
    Some(format!(
        "{}: {} is the fastest with {} operations a second; the first that is surely slower is {} ({}).",
        at_threads(point),
        names(&tied),
        si(best),
        next.name,
        change(ratio.estimate)
    ))
}

fn shortest_tail(point: &PointCells<'_>, margin: f64) -> Option<String> {
    let mut cells = contenders(point);
    cells.retain(|c| !c.waits.p999_by_launch.is_empty());
    let tail = |c: &Summary| stats::median(&c.waits.p999_by_launch).unwrap_or(f64::INFINITY);
    cells.sort_by(|a, b| tail(a).total_cmp(&tail(b)));
    let (tied, next, ratio) = leaders(&cells, margin, |c| c.waits.p999_by_launch.clone())?;
    Some(format!(
        "{}: {} keeps the shortest p99.9 wait, {}; the first that surely waits longer is {} (×{}).",
        at_threads(point),
        names(&tied),
        time(tail(tied.first()?)),
        next.name,
        three_digits(ratio.estimate)
    ))
}

fn unfair_winner(point: &PointCells<'_>) -> Option<String> {
    let first = *contenders(point).first()?;
    let jain = first.jain_workers.as_ref().filter(|j| j.max < UNFAIR_JAIN && j.values.len() > 1)?;
    Some(format!(
        "{}: {} leads by throughput, but serves its workers unequally in every launch (Jain's index {} to {}).",
        at_threads(point),
        first.name,
        three_digits(jain.min),
        three_digits(jain.max)
    ))
}

/// Whether starvation mode shortened the longest wait of a victim.
fn victim(point: &PointCells<'_>, margin: f64) -> Option<String> {
    let cells = point.cells.iter().filter(|c| c.ranked());
    let called = |end: &str| cells.clone().find(|c| c.implementation.ends_with(end) && c.arm != "b").copied();
    let (before, after) = (called("/go-2015-spinning")?, called("/go-2016-starving")?);
    let role = before.roles.iter().position(|r| r == VICTIM)?;
    let longest = |c: &Summary| -> Vec<f64> {
        c.waits
            .longest_by_launch
            .iter()
            .filter_map(|launch| launch.get(role).copied()?)
            .map(|ns| ns as f64)
            .collect()
    };
    let (waits_before, waits_after) = (longest(before), longest(after));
    let ratio = stats::ratio(&waits_before, &waits_after, CONFIDENCE).ok().filter(|r| differs(r, margin))?;
    let throughput = |c: &Summary| c.throughput_per_s.as_ref().map_or_else(Vec::new, |s| s.values.clone());
    let cost = match stats::ratio(&throughput(before), &throughput(after), CONFIDENCE) {
        Ok(cost) if cost.excludes_one() => format!(", at {} throughput", change(cost.estimate)),
        _ => "; whether it costs throughput the launches cannot tell".into(),
    };
    Some(format!(
        "{}: the victim's longest wait has a median of {} under {} where {} has {} (ratio {}{}).",
        at_threads(point),
        time(stats::median(&waits_after)?),
        after.name,
        before.name,
        time(stats::median(&waits_before)?),
        three_digits(ratio.estimate),
        cost
    ))
}
