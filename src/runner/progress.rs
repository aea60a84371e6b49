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
    last_line: Instant,
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
        Progress { bar, total, done: Duration::ZERO, launches, made: 0, last_line: Instant::now(), quiet }
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
        if !self.quiet && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let left = self.total.saturating_sub(self.done).as_secs();
            eprintln!("{} of {} launches, about {left} s left", self.made, self.launches);
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
