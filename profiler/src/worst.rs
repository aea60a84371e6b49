//! What everybody did around the longest wait.
//!
//! Made after the launch from what the full probe logs anyway: slow waits with the hold that followed, and sleeps. A
//! quick operation is in no log; a worker without an interval thinks or makes such operations.

use record::profile::{Interval, IntervalKind, WorstStretch};

/// Intervals that a stretch keeps at most.
pub const STRETCH_INTERVALS_MAX: usize = 192;
/// An interval shorter than this part of its stretch is left out: nobody would see it.
const SHORTEST_PART: u64 = 2_000;

/// A wait that was logged, and the hold after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlowWait {
    /// When the worker asked.
    pub request_ns: u64,
    /// When it had the object.
    pub acquired_ns: u64,
    /// When it gave it back; the moment at which it had it, where there is nothing to give back.
    pub releasing_ns: u64,
}

/// A sleep within a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sleep {
    /// When it began.
    pub begin_ns: u64,
    /// When somebody decided to end it; its end where nobody knows.
    pub woken_ns: u64,
    /// When the worker ran again.
    pub end_ns: u64,
}

/// What one worker logged in one slice, each in order of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Log<'a> {
    /// Slow waits.
    pub waits: &'a [SlowWait],
    /// Sleeps.
    pub sleeps: &'a [Sleep],
}

/// One slice: its bounds, and the logs of its workers with their numbers.
#[derive(Clone, Debug, Default)]
pub struct LoggedSlice<'a> {
    /// When its first worker began.
    pub start_ns: u64,
    /// When its last worker ended.
    pub end_ns: u64,
    /// What the workers logged.
    pub workers: Vec<(u32, Log<'a>)>,
}

/// The stretch around the longest wait of all slices; `None` when no wait was logged.
pub fn worst_stretch(slices: &[LoggedSlice<'_>]) -> Option<WorstStretch> {
    let logs =
        slices.iter().enumerate().flat_map(|(index, slice)| slice.workers.iter().map(move |w| (index, w)));
    let waits =
        logs.flat_map(|(index, (worker, log))| log.waits.iter().map(move |wait| (index, *worker, *wait)));
    let (index, worker, wait) = waits.max_by_key(|(_, _, wait)| length_ns(wait))?;
    let slice = &slices[index];
    let wait_ns = length_ns(&wait);
    let begin_ns = wait.request_ns.saturating_sub(wait_ns / 2).max(slice.start_ns).min(wait.request_ns);
    let end_ns = wait
        .acquired_ns
        .saturating_add(wait_ns / 2)
        .min(slice.end_ns.max(wait.acquired_ns))
        .max(begin_ns + 1);
    let mut all = Vec::new();
    for (worker, log) in &slice.workers {
        of_worker(*worker, log, (begin_ns, end_ns), &mut all);
    }
    let span_ns = end_ns - begin_ns;
    let (intervals, omitted) = longest(all, span_ns / SHORTEST_PART);
    Some(WorstStretch {
        slice: u32::try_from(index).unwrap_or(u32::MAX),
        begin_ns: begin_ns.saturating_sub(slice.start_ns),
        span_ns,
        worker,
        wait_begin_ns: wait.request_ns - begin_ns,
        wait_ns,
        intervals,
        omitted: omitted.0,
        omitted_ns: omitted.1,
    })
}

fn length_ns(wait: &SlowWait) -> u64 {
    wait.acquired_ns.saturating_sub(wait.request_ns)
}

/// The intervals of one worker inside `bounds`, relative to their begin.
fn of_worker(worker: u32, log: &Log<'_>, bounds: (u64, u64), out: &mut Vec<Interval>) {
    let mut push = |kind: IntervalKind, begin_ns: u64, end_ns: u64| {
        let (begin_ns, end_ns) = (begin_ns.max(bounds.0), end_ns.min(bounds.1));
        if begin_ns < end_ns {
            let (begin_ns, end_ns) = (begin_ns - bounds.0, end_ns - bounds.0);
            out.push(Interval { worker, kind, begin_ns, end_ns });
        }
    };
    for wait in log.waits.iter().filter(|w| w.releasing_ns > bounds.0 && w.request_ns < bounds.1) {
        // A log of sleeps may be full before that of waits: what is left of such a wait counts as awake.
        let first = log.sleeps.partition_point(|sleep| sleep.begin_ns < wait.request_ns);
        let mut from_ns = wait.request_ns;
        for sleep in log.sleeps[first..].iter().take_while(|sleep| sleep.begin_ns < wait.acquired_ns) {
            let end_ns = sleep.end_ns.min(wait.acquired_ns);
            let woken_ns = sleep.woken_ns.clamp(sleep.begin_ns, end_ns.max(sleep.begin_ns));
            push(IntervalKind::Awake, from_ns, sleep.begin_ns);
            push(IntervalKind::Asleep, sleep.begin_ns, woken_ns);
            push(IntervalKind::Waking, woken_ns, end_ns);
            from_ns = from_ns.max(end_ns);
        }
        push(IntervalKind::Awake, from_ns, wait.acquired_ns);
        push(IntervalKind::Hold, wait.acquired_ns, wait.releasing_ns);
    }
}

/// Keeps the longest that are not too short, in their order; how many and how much time was left out.
fn longest(all: Vec<Interval>, shortest_ns: u64) -> (Vec<Interval>, (u64, u64)) {
    let length_ns = |interval: &Interval| interval.end_ns - interval.begin_ns;
    let mut lengths: Vec<u64> = all.iter().map(length_ns).collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    // Of equals at the limit all are left out: which of them to keep would be chance.
    let limit = lengths.get(STRETCH_INTERVALS_MAX).map_or(0, |ns| ns + 1).max(shortest_ns);
    let (kept, left): (Vec<Interval>, Vec<Interval>) = all.into_iter().partition(|i| length_ns(i) >= limit);
    (kept, (left.len() as u64, left.iter().map(length_ns).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use IntervalKind::{Asleep, Awake, Hold, Waking};

    fn slow(request_ns: u64, acquired_ns: u64, releasing_ns: u64) -> SlowWait {
        SlowWait { request_ns, acquired_ns, releasing_ns }
    }

    #[test]
    fn the_stretch_lies_around_the_longest_wait() {
        let sleeps = [Sleep { begin_ns: 1_100, woken_ns: 1_500, end_ns: 1_600 }];
        let waits = [slow(1_000, 2_000, 2_050)];
        let others = [slow(200, 600, 900), slow(1_900, 2_300, 2_900)];
        let slice = LoggedSlice {
            start_ns: 100,
            end_ns: 3_000,
            workers: vec![
                (0, Log { waits: &others, sleeps: &[] }),
                (1, Log { waits: &waits, sleeps: &sleeps }),
            ],
        };
        let stretch = worst_stretch(&[LoggedSlice::default(), slice]).unwrap();
        assert_eq!((stretch.slice, stretch.worker, stretch.wait_ns), (1, 1, 1_000));
        assert_eq!((stretch.begin_ns, stretch.span_ns, stretch.wait_begin_ns), (400, 2_000, 500));
        let flat: Vec<(u32, IntervalKind, u64, u64)> =
            stretch.intervals.iter().map(|i| (*i).into()).collect();
        assert_eq!(
            flat,
            [
                (0, Awake, 0, 100),
                (0, Hold, 100, 400),
                (0, Awake, 1_400, 1_800),
                (0, Hold, 1_800, 2_000),
                (1, Awake, 500, 600),
                (1, Asleep, 600, 1_000),
                (1, Waking, 1_000, 1_100),
                (1, Awake, 1_100, 1_500),
                (1, Hold, 1_500, 1_550),
            ]
        );
        assert_eq!((stretch.omitted, stretch.omitted_ns), (0, 0));
    }

    #[test]
    fn a_stretch_ends_with_its_slice() {
        let waits = [slow(1_000, 2_000, 2_000)];
        let workers = vec![(0, Log { waits: &waits, sleeps: &[] })];
        let stretch = worst_stretch(&[LoggedSlice { start_ns: 900, end_ns: 2_100, workers }]).unwrap();
        assert_eq!((stretch.begin_ns, stretch.wait_begin_ns, stretch.span_ns), (0, 100, 1_200));
    }

    #[test]
    fn nothing_logged_is_no_stretch() {
        assert_eq!(worst_stretch(&[]), None);
        let workers = vec![(0, Log::default())];
        assert_eq!(worst_stretch(&[LoggedSlice { start_ns: 0, end_ns: 9, workers }]), None);
    }

    #[test]
    fn few_enough_are_kept_and_the_rest_is_told() {
        let long = [slow(0, 1_000_000, 1_000_000)];
        // Holds of growing length, with waits of 1 ns.
        let many: Vec<SlowWait> =
            (0..900).map(|i| slow(i * 1_100 - i.min(1), i * 1_100, i * 1_100 + 600 + (i % 400))).collect();
        let workers = vec![(0, Log { waits: &long, sleeps: &[] }), (1, Log { waits: &many, sleeps: &[] })];
        let stretch = worst_stretch(&[LoggedSlice { start_ns: 0, end_ns: 1_000_000, workers }]).unwrap();
        assert!(stretch.intervals.len() <= STRETCH_INTERVALS_MAX);
        assert!(stretch.intervals.len() > STRETCH_INTERVALS_MAX - 4, "{}", stretch.intervals.len());
        assert_eq!(stretch.intervals.len() as u64 + stretch.omitted, 1 + 900 + 899);
        let kept = stretch.intervals.iter().filter(|i| i.worker == 1).map(|i| i.end_ns - i.begin_ns);
        assert!(kept.min().unwrap() > 900);
        for pair in stretch.intervals.windows(2).filter(|pair| pair[0].worker == pair[1].worker) {
            assert!(pair[0].end_ns <= pair[1].begin_ns && pair[1].end_ns <= stretch.span_ns);
        }
    }
}
