//! The books of the full probe: what it knows of one thread's times in one slice.
//!
//! Two kinds. What every operation adds to is kept in counts of the clock and converted once: a conversion for every
//! stamp would cost as much as the record. What happens rarely is kept in ns.

use std::cell::{Cell, RefCell};

use hdrhistogram::{AdditionError, Histogram};
use impls::probe::{Clock, Scale};

use super::buckets::Buckets;
use super::collect::add_all;
use super::tally::add;
use super::touched_histogram;
use crate::ledger::Stamped;
use crate::timeline::{BIN_NS, Bins};
use crate::worst::{Sleep, SlowWait};

/// Slow waits that one thread logs in one slice; later ones are counted, not logged.
pub const INTERVALS_MAX: usize = 65_536;
/// Sleeps within a wait that one thread logs in one slice.
pub(super) const SLEEPS_MAX: usize = 16_384;
/// A wait as long as this is logged even if the primitive reported neither spin nor sleep.
pub const LONG_WAIT_NS: u64 = 1_000;

/// The stamps of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) request: u64,
    pub(super) acquired: u64,
    /// None where there was nothing to give back.
    pub(super) releasing: Option<u64>,
    /// When an open loop meant to ask, ns; 0 in a closed loop.
    pub(super) intended_ns: u64,
    /// Whether it spun or slept.
    pub(super) slow: bool,
}

/// What a thread was about when it slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asleep {
    Waiting,
    Holding,
    Thinking,
}

/// Times of one thread in one slice.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Timed {
    window: Window,
    /// A wait of so many counts is long.
    long: Cell<u64>,
    hold_sum: Cell<u64>,
    wait: Buckets,
    hold: Buckets,
    scale: Cell<Scale>,
    rest: RefCell<Rest>,
}

/// The bin of the timeline under way: while operations begin and acquire within it, they need only be added up.
#[derive(Debug, Default)]
#[repr(C)]
struct Window {
    begin: Cell<u64>,
    end: Cell<u64>,
    wait_sum: Cell<u64>,
    /// Acquires before it began.
    acquires_from: Cell<u64>,
    /// Its number on the timeline.
    number: Cell<u64>,
}

/// What happens rarely, and what comes out at the end.
#[derive(Debug)]
struct Rest {
    /// Waits of an open loop, from the intended start. Made when the first comes, as `wake` is: a histogram writes all of
    /// its memory when it is made.
    late: Option<Histogram<u64>>,
    wake: Option<Histogram<u64>>,
    wait_ns_max: u64,
    stamped: Stamped,
    bins: Bins,
    /// Slow waits, and the holds after them.
    intervals: Vec<SlowWait>,
    /// Sleeps within waits.
    sleeps: Vec<Sleep>,
    begin_ns: u64,
    wait_ns_sum: u64,
    slow_wait_ns_sum: u64,
}

/// What [`Timed`] has found out, in ns.
pub(super) struct Times {
    wait: Buckets,
    hold: Buckets,
    /// What the buckets count.
    scale: Scale,
    late: Option<Histogram<u64>>,
    wake: Option<Histogram<u64>>,
    pub(super) wait_ns_max: u64,
    pub(super) stamped: Stamped,
    pub(super) bins: Bins,
    /// Slow waits, and the holds after them.
    pub(super) intervals: Vec<SlowWait>,
    /// Sleeps within waits.
    pub(super) sleeps: Vec<Sleep>,
    pub(super) begin_ns: u64,
}

impl Rest {
    fn new() -> Self {
        Rest {
            late: None,
            wake: None,
            wait_ns_max: 0,
            stamped: Stamped::default(),
            bins: Bins::new(0),
            intervals: Vec::new(),
            sleeps: Vec::new(),
            begin_ns: 0,
            wait_ns_sum: 0,
            slow_wait_ns_sum: 0,
        }
    }
}

impl Timed {
    /// Empty books, every page of which has been written once.
    pub(super) fn touched() -> Self {
        let touched = SlowWait { request_ns: 1, acquired_ns: 1, releasing_ns: 1 };
        let mut intervals = vec![touched; INTERVALS_MAX];
        intervals.clear();
        let mut sleeps = vec![Sleep { begin_ns: 1, woken_ns: 1, end_ns: 1 }; SLEEPS_MAX];
        sleeps.clear();
        let (late, wake) = (Some(touched_histogram()), Some(touched_histogram()));
        let rest = Rest { late, wake, intervals, sleeps, ..Rest::new() };
        Timed::of(Buckets::touched(), Buckets::touched(), rest)
    }

    /// Empty books whose memory is taken as it is needed.
    pub(super) fn untouched() -> Self {
        Timed::of(Buckets::untouched(), Buckets::untouched(), Rest::new())
    }

    fn of(wait: Buckets, hold: Buckets, rest: Rest) -> Self {
        Timed {
            window: Window::default(),
            long: Cell::new(0),
            hold_sum: Cell::new(0),
            wait,
            hold,
            scale: Cell::new(Scale::NS),
            rest: RefCell::new(rest),
        }
    }

    /// Begins a stretch, `acquires` acquires after the thread's first.
    pub(super) fn begin(&self, acquires: u64, clock: &dyn Clock) {
        let (scale, begin) = (clock.scale(), clock.stamp());
        self.scale.set(scale);
        self.long.set(scale.counts(LONG_WAIT_NS));
        let mut rest = self.rest.borrow_mut();
        let begin_ns = clock.ns(begin);
        rest.begin_ns = begin_ns;
        rest.bins.restart(begin_ns);
        self.window.open(begin, begin_ns, acquires, scale);
    }

    /// Takes note of an operation, the thread's acquire number `acquires`; whether it was an unusual one.
    #[inline(always)]
    pub(super) fn operation(&self, operation: &Operation, acquires: u64, clock: &impl Clock) -> bool {
        let wait = operation.acquired.saturating_sub(operation.request);
        if let Some(releasing) = operation.releasing {
            let hold = releasing.saturating_sub(operation.acquired);
            self.hold.record(hold);
            add(&self.hold_sum, hold);
        }
        let window = &self.window;
        let within = operation.request >= window.begin.get() && operation.acquired < window.end.get();
        let usual = within && wait < self.long.get() && !operation.slow && operation.intended_ns == 0;
        if usual {
            self.wait.record(wait);
            add(&window.wait_sum, wait);
        } else {
            self.unusual(operation, acquires, within, clock);
        }
        !usual
    }

    /// An operation that is slow, long, of an open loop, or the first of its bin.
    #[cold]
    #[inline(never)]
    fn unusual(&self, operation: &Operation, acquires: u64, within: bool, clock: &dyn Clock) {
        let (request_ns, acquired_ns) = (clock.ns(operation.request), clock.ns(operation.acquired));
        let wait = operation.acquired.saturating_sub(operation.request);
        let wait_ns = acquired_ns.saturating_sub(request_ns);
        let rest = &mut *self.rest.borrow_mut();
        let latency_ns = if operation.intended_ns == 0 {
            self.wait.record(wait);
            wait_ns
        } else {
            let latency_ns = acquired_ns.saturating_sub(operation.intended_ns);
            rest.late.get_or_insert_with(record::histogram::empty).saturating_record(latency_ns);
            latency_ns
        };
        rest.wait_ns_max = rest.wait_ns_max.max(latency_ns);
        if within {
            add(&self.window.wait_sum, wait);
        } else {
            self.close_window(rest, acquires - 1);
            rest.bins.operation(request_ns, acquired_ns);
            rest.wait_ns_sum += wait_ns;
            self.window.open(operation.acquired, acquired_ns, acquires, self.scale.get());
        }
        if operation.slow {
            rest.slow_wait_ns_sum += wait_ns;
        }
        if (operation.slow || wait_ns >= LONG_WAIT_NS) && rest.intervals.len() < INTERVALS_MAX {
            let releasing_ns = operation.releasing.map_or(acquired_ns, |releasing| clock.ns(releasing));
            rest.intervals.push(SlowWait { request_ns, acquired_ns, releasing_ns });
        }
    }

    fn close_window(&self, rest: &mut Rest, acquires: u64) {
        let window = &self.window;
        let wait_ns = self.scale.get().ns(window.wait_sum.get());
        rest.bins.add(window.number.get(), acquires - window.acquires_from.get(), wait_ns);
        rest.wait_ns_sum += wait_ns;
    }

    pub(super) fn spun(&self, spin_ns: u64) {
        self.rest.borrow_mut().stamped.spin_ns += spin_ns;
    }

    pub(super) fn parked(&self, asleep: Asleep, from_ns: u64, woken_ns: u64, now_ns: u64) {
        let whole_ns = now_ns.saturating_sub(from_ns);
        let rest = &mut *self.rest.borrow_mut();
        let stamped = &mut rest.stamped;
        stamped.parks += 1;
        let wake_ns = if woken_ns == 0 { 0 } else { now_ns.saturating_sub(woken_ns.max(from_ns)) };
        if asleep == Asleep::Waiting && rest.sleeps.len() < SLEEPS_MAX {
            rest.sleeps.push(Sleep { begin_ns: from_ns, woken_ns: now_ns - wake_ns, end_ns: now_ns });
        }
        match (asleep, woken_ns) {
            (Asleep::Waiting, 0) => stamped.park_unsplit_ns += whole_ns,
            (Asleep::Waiting, _) => {
                stamped.park_ns += whole_ns - wake_ns;
                stamped.wake_ns += wake_ns;
                rest.wake.get_or_insert_with(record::histogram::empty).saturating_record(wake_ns);
            }
            (Asleep::Holding, _) => stamped.hold_asleep_ns += whole_ns,
            (Asleep::Thinking, _) => stamped.think_asleep_ns += whole_ns,
        }
    }

    /// Closes the books after `acquires` acquires: what is neither wait nor hold is think.
    pub(super) fn end(&self, acquires: u64, end_ns: u64) {
        let rest = &mut *self.rest.borrow_mut();
        self.close_window(rest, acquires);
        self.window.wait_sum.set(0);
        self.window.acquires_from.set(acquires);
        let hold_ns = self.scale.get().ns(self.hold_sum.get());
        let stamped = &mut rest.stamped;
        stamped.wait_ns = rest.wait_ns_sum;
        stamped.fast_ns = rest.wait_ns_sum.saturating_sub(rest.slow_wait_ns_sum);
        stamped.hold_ns = hold_ns;
        let span_ns = end_ns.saturating_sub(rest.begin_ns);
        stamped.think_ns = span_ns.saturating_sub(rest.wait_ns_sum).saturating_sub(hold_ns);
        let told_ns = stamped.spin_ns + stamped.park_ns + stamped.park_unsplit_ns + stamped.wake_ns;
        stamped.lost_ns = rest.slow_wait_ns_sum.saturating_sub(told_ns);
    }

    /// Everything in ns. Takes its time: to be called after the slice.
    pub(super) fn into_times(self) -> Times {
        let scale = self.scale.get();
        let Rest { late, wake, wait_ns_max, stamped, bins, intervals, sleeps, begin_ns, .. } =
            self.rest.into_inner();
        // Whatever was long is known exactly; below, buckets are as wide as a count or two.
        let short_ns = scale.ns(self.wait.longest().min(self.long.get()));
        let wait_ns_max = if wait_ns_max < LONG_WAIT_NS { wait_ns_max.max(short_ns) } else { wait_ns_max };
        let (wait, hold) = (self.wait, self.hold);
        Times { wait, hold, scale, late, wake, wait_ns_max, stamped, bins, intervals, sleeps, begin_ns }
    }
}

impl Times {
    /// Adds the distributions to those of a role: waits, holds, wake-ups.
    // Not by histograms of each worker's own: with some hundred workers their memory took more time than the launch.
    pub(super) fn add_to(&self, [wait, hold, wake]: &mut [Histogram<u64>; 3]) -> Result<(), AdditionError> {
        self.wait.add_to(wait, self.scale);
        self.hold.add_to(hold, self.scale);
        add_all(
            [(wait, &self.late), (wake, &self.wake)]
                .into_iter()
                .filter_map(|(sum, more)| Some((sum, more.as_ref()?))),
        )
    }
}

impl Window {
    /// The bin that holds `now_ns`, which is `now` on the clock.
    fn open(&self, now: u64, now_ns: u64, acquires: u64, scale: Scale) {
        let number = now_ns / BIN_NS;
        let since_ns = now_ns - number * BIN_NS;
        self.number.set(number);
        self.begin.set(now.saturating_sub(scale.counts(since_ns)));
        self.end.set(now.saturating_add(scale.counts(BIN_NS - since_ns)));
        self.wait_sum.set(0);
        self.acquires_from.set(acquires);
    }
}
