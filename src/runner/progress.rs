//! What a person sees while a run goes on: a bar with the time left on a terminal, plain lines elsewhere. On stderr.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Plain lines come so often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Progress in expected time, not in launches: they differ in length.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: Duration,
    done: Duration,
    launches: usize,
    made: usize,
    /// When the last plain line came, and what was done then.
    last_line: (Instant, Duration),
    quiet: bool,
}

impl Progress {
    pub(crate) fn new(total: Duration, launches: usize, quiet: bool) -> Self {
        let bar = (std::io::stderr().is_terminal() && !quiet).then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(total.as_millis() as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {eta:>4} left  {wide_msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let (done, made) = (Duration::ZERO, 0);
        Progress { bar, total, done, launches, made, last_line: (Instant::now(), done), quiet }
    }

    /// So much is it now, of which some is done: more or less than was planned.
    pub(crate) fn expect(&mut self, total: Duration, launches: usize) {
        (self.total, self.launches) = (total, launches);
        if let Some(bar) = &self.bar {
            bar.set_length(total.as_millis() as u64);
        }
    }

    /// What is being launched.
    pub(crate) fn announce(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// A launch has ended; `told` is what whoever watches should know of it: that it failed, what it found out.
    pub(crate) fn advance(&mut self, expected: Duration, told: Option<&str>) {
        self.done += expected;
        self.made += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done.as_millis() as u64);
            if let Some(told) = told {
                bar.println(told);
            }
            return;
        }
        if let Some(told) = told {
            eprintln!("{told}");
        }
        let (then, done_then) = self.last_line;
        if !self.quiet && then.elapsed() >= LINE_EVERY {
            let left = left(self.total.saturating_sub(self.done), then.elapsed(), self.done - done_then);
            eprintln!("{} of {} launches, about {} s left", self.made, self.launches, left.as_secs());
            self.last_line = (Instant::now(), self.done);
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How long what is expected to take `expected` will take, at the pace of late: `took` for what was expected to take `did`. So
/// several launches at a time, and timelines that are written beside them, count.
fn left(expected: Duration, took: Duration, did: Duration) -> Duration {
    if did.is_zero() { expected } else { expected.mul_f64(took.as_secs_f64() / did.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_goes_at_the_pace_of_late() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(60), seconds(10), seconds(20)), seconds(30));
        assert_eq!(left(seconds(60), seconds(30), seconds(10)), seconds(180));
        assert_eq!(left(seconds(60), seconds(10), seconds(0)), seconds(60));
    }
}
