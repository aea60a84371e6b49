//! Fewer switches that fail as well: delta debugging (Zeller, Hildebrandt, 2002) over the switches of a schedule.

use super::guide::Plan;
use super::schedule::Schedule;
use super::{Failure, Kind, Options, Tried, run};

/// A failure with its schedule made short.
pub(super) fn shrink(
    options: &Options,
    program: &dyn Fn(),
    (seed, number): (u64, u32),
    found: Tried,
    kind: Kind,
    text: String,
) -> Box<Failure> {
    let size = found.size();
    let mut best = (found, text);
    let mut left = options.most_shrinks;
    // What is left out at a time: first much, at last one switch.
    let mut chunk = best.0.schedule.0.len().div_ceil(2);
    while chunk > 0 && left > 0 {
        let mut at = 0;
        let mut shorter = false;
        while at < best.0.schedule.0.len() && left > 0 {
            left -= 1;
            let mut switches = best.0.schedule.0.clone();
            switches.drain(at..switches.len().min(at + chunk));
            let tried = run(options, Plan::Follow(Schedule(switches)), 0, program);
            // What was done counts, not what was asked for: switches that came to nothing are gone.
            let fewer = tried.schedule.0.len() < best.0.schedule.0.len();
            match &tried.failure {
                Some((how, text)) if *how == kind && fewer => {
                    let text = text.clone();
                    best = (tried, text);
                    shorter = true;
                }
                _ => at += chunk,
            }
        }
        chunk = if chunk == 1 && shorter { 1 } else { chunk / 2 };
    }
    let (tried, text) = best;
    let shrunk = tried.size();
    Box::new(Failure { kind, text, seed, number, schedule: tried.schedule, found: size, shrunk })
}
