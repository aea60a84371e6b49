//! The story of a wait for a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::story::{Story, Told};

/// Steps at the end that are always shown: how it came to an end is half of the story.
const LAST: usize = 12;
/// Of what others do between two steps of the waiter, so many steps are told one by one.
const OTHERS: usize = 8;

pub(super) fn text(story: &Story, steps: usize) -> String {
    let mut text = String::new();
    let us = |cycles: u64| cycles as f64 / f64::from(story.clock_mhz);
    let _ = writeln!(
        text,
        "{}\nlaunch {} on {}, seed {}, trace {}\n",
        story.cell, story.launch, story.machine, story.seed, story.trace_hash
    );
    let _ = writeln!(
        text,
        "slowest acquire: thread {} waited {} cycles ({:.3} us) for object {}, from cycle {}",
        story.thread,
        story.wait_cycles,
        us(story.wait_cycles),
        story.object,
        story.begin_cycle
    );
    let holder = story.holder.map_or("nobody".to_owned(), |thread| format!("thread {thread}"));
    let _ = writeln!(
        text,
        "when it asked: held by {holder}, {} already waiting; meanwhile others had it {} times",
        story.ahead.len(),
        story.passed_by
    );
    let sums = &story.sums;
    let rest = [sums.queue_cycles, sums.transfer_cycles, sums.asleep_cycles, sums.off_core_cycles];
    let rest = story.wait_cycles.saturating_sub(rest.iter().sum());
    let share = |cycles: u64| 100.0 * cycles as f64 / story.wait_cycles.max(1) as f64;
    let _ = writeln!(text, "\nwhere its cycles went");
    for (name, cycles) in [
        ("queued at lines", sums.queue_cycles),
        ("lines on their way", sums.transfer_cycles),
        ("asleep and waking", sums.asleep_cycles),
        ("ready, off its core", sums.off_core_cycles),
        ("own instructions, polls", rest),
    ] {
        let _ = writeln!(text, "  {name:<24} {cycles:>12}  {:>5.1} %", share(cycles));
    }
    let _ = writeln!(text, "  {} misses\n", sums.misses);
    let _ = writeln!(text, "{:>12}  {:>7}  step", "cycle", "thread");
    let rows = rows(story);
    let shown = steps.max(LAST + 1);
    if rows.len() <= shown {
        rows.iter().for_each(|row| text.push_str(row));
    } else {
        let (first, rest) = rows.split_at(shown - LAST);
        let (left_out, last) = rest.split_at(rest.len() - LAST);
        first.iter().for_each(|row| text.push_str(row));
        let _ = writeln!(text, "{:>12}  {:>7}  {} more rows (--steps N, --json)", "...", "", left_out.len());
        last.iter().for_each(|row| text.push_str(row));
    }
    if !story.complete {
        let _ = writeln!(text, "the wait has more steps than are kept: what follows is missing");
    }
    text
}

/// A row for each step of the waiter, and for what others did in between: all of it if it was little.
fn rows(story: &Story) -> Vec<String> {
    let mut rows = Vec::new();
    for part in story.steps.chunk_by(|a, b| (a.thread == story.thread) == (b.thread == story.thread)) {
        if part[0].thread == story.thread || part.len() <= OTHERS {
            rows.extend(part.iter().map(row));
            continue;
        }
        let (first, last) = (&part[..OTHERS / 2], &part[part.len() - OTHERS / 2..]);
        let between = &part[OTHERS / 2..part.len() - OTHERS / 2];
        rows.extend(first.iter().map(row));
        rows.push(format!("{:>12}  {:>7}  {}\n", "...", "", summary(between)));
        rows.extend(last.iter().map(row));
    }
    rows
}

fn row(Told { at_cycle, thread, what }: &Told) -> String {
    format!("{:>12}  {thread:>7}  {what}\n", format!("+{at_cycle}"))
}

/// Who had the object how often.
fn summary(steps: &[Told]) -> String {
    /// Threads that are named.
    const NAMED: usize = 4;
    let mut had: BTreeMap<u32, u32> = BTreeMap::new();
    for step in steps.iter().filter(|step| step.what == "has it") {
        *had.entry(step.thread).or_default() += 1;
    }
    let mut had: Vec<(u32, u32)> = had.into_iter().collect();
    had.sort_by_key(|&(thread, times)| (std::cmp::Reverse(times), thread));
    let named = had.iter().take(NAMED).map(|(thread, times)| format!("thread {thread} had it {times} times"));
    let mut text = format!("{} steps of others", steps.len());
    for part in named {
        text += &format!(", {part}");
    }
    if had.len() > NAMED {
        text += &format!(", {} more threads", had.len() - NAMED);
    }
    text
}
