//! The story of a wait for a person.

use std::fmt::Write as _;

use super::story::{Story, Told};

/// Steps at the end that are always shown: how it came to an end is half of the story.
const LAST: usize = 12;

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
    let shown = steps.max(LAST + 1);
    if story.steps.len() <= shown {
        lines(&mut text, &story.steps);
    } else {
        let (first, rest) = story.steps.split_at(shown - LAST);
        let (left_out, last) = rest.split_at(rest.len() - LAST);
        lines(&mut text, first);
        let _ = writeln!(text, "{:>12}  {:>7}  {} more steps (--steps N, --json)", "...", "", left_out.len());
        lines(&mut text, last);
    }
    if !story.complete {
        let _ = writeln!(text, "the wait has more steps than are kept: what follows is missing");
    }
    text
}

fn lines(text: &mut String, steps: &[Told]) {
    for Told { at_cycle, thread, what } in steps {
        let _ = writeln!(text, "{:>12}  {thread:>7}  {what}", format!("+{at_cycle}"));
    }
}
