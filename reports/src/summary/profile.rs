//! What the probe explains, per acquire.

use record::cell::Record;
use record::profile::{Counts, Ledger, Profile};
use record::{ProbeMode, Tier};

use crate::stats;

/// Where the workers' time went, as shares of all their time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Not holding and not asking, the harness included.
    pub think: f64,
    /// Holding.
    pub hold: f64,
    /// Acquiring without spinning or sleeping.
    pub fast: f64,
    /// Polling.
    pub spin: f64,
    /// Asleep until somebody decided to wake it.
    pub park: f64,
    /// From that decision until it ran.
    pub wake: f64,
    /// After wake-ups that came too late, and the rest of the slow path.
    pub lost: f64,
    /// Ready to run, but not on a core.
    pub preempted: f64,
    /// What the parts do not explain; below 0 when they explain more than there was.
    pub residue: f64,
}

impl Shares {
    /// Names and shares, in the order of the bar.
    pub fn parts(&self) -> [(&'static str, f64); 9] {
        [
            ("think", self.think),
            ("hold", self.hold),
            ("fast path", self.fast),
            ("spin", self.spin),
            ("park", self.park),
            ("wake", self.wake),
            ("slow path", self.lost),
            ("preempted", self.preempted),
            ("unexplained", self.residue),
        ]
    }

    fn of<'a>(ledgers: impl Iterator<Item = &'a Ledger>) -> Option<Shares> {
        let (mut sum, mut parts_ns) = (Ledger::default(), 0);
        for ledger in ledgers {
            sum.span_ns += ledger.span_ns;
            sum.think_ns += ledger.think_ns;
            sum.hold_ns += ledger.hold_ns;
            sum.fast_ns += ledger.fast_ns;
            sum.spin_ns += ledger.spin_ns;
            sum.park_ns += ledger.park_ns;
            sum.wake_ns += ledger.wake_ns;
            sum.lost_ns += ledger.lost_ns;
            sum.preempted_ns += ledger.preempted_ns;
            parts_ns += ledger.sum_ns();
        }
        let share = |ns: u64| ns as f64 / sum.span_ns as f64;
        (sum.span_ns > 0).then(|| Shares {
            think: share(sum.think_ns),
            hold: share(sum.hold_ns),
            fast: share(sum.fast_ns),
            spin: share(sum.spin_ns),
            park: share(sum.park_ns),
            wake: share(sum.wake_ns),
            lost: share(sum.lost_ns),
            preempted: share(sum.preempted_ns),
            residue: 1.0 - share(parts_ns),
        })
    }
}

/// Sums of all probed launches of one cell. Numbers per acquire are `None` when the implementation does not report
/// them: absent, not zero.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileSummary {
    /// Where the numbers come from.
    pub tier: Tier,
    /// The probes that were used.
    pub probes: Vec<ProbeMode>,
    /// Whether the implementation reports spins, parks and wakes.
    pub primitive_reports: bool,
    /// Plain sums.
    pub counts: Counts,
    /// Where the time went; needs full timing.
    pub ledger: Option<Shares>,
    /// Time-weighted mean of the number of waiting threads; needs full timing.
    pub waiters_mean: Option<f64>,
    /// Most waiting threads at one moment.
    pub waiters_max: Option<u32>,
    /// Jain's index by window: `(window_ns, index)`, from the shortest; the mean over launches.
    pub windows: Vec<(u64, f64)>,
}

impl ProfileSummary {
    pub(crate) fn of(record: &Record, tier: Tier) -> Option<ProfileSummary> {
        let profiles: Vec<&Profile> = record.probed().filter_map(|r| r.profile.as_ref()).collect();
        if profiles.is_empty() {
            return None;
        }
        let mut probes: Vec<ProbeMode> = profiles.iter().map(|p| p.probe).collect();
        probes.sort_unstable();
        probes.dedup();
        let waiters = || profiles.iter().filter_map(|p| p.waiters.as_ref());
        let means: Vec<f64> = waiters().map(|w| w.mean).collect();
        Some(ProfileSummary {
            tier,
            probes,
            primitive_reports: profiles.iter().all(|p| p.primitive_reports),
            counts: sum(profiles.iter().map(|p| &p.counts)),
            ledger: Shares::of(profiles.iter().filter_map(|p| p.ledger.as_ref()).flatten()),
            waiters_mean: stats::median(&means),
            waiters_max: waiters().map(|w| w.max).max(),
            windows: windows(&profiles),
        })
    }

    /// A count per acquire, if there were acquires.
    fn per_acquire(&self, count: u64) -> Option<f64> {
        (self.counts.acquires > 0).then(|| count as f64 / self.counts.acquires as f64)
    }

    /// A count of the primitive's own per acquire: absent when it reports nothing.
    fn reported(&self, count: u64) -> Option<f64> {
        self.primitive_reports.then(|| self.per_acquire(count)).flatten()
    }

    /// Polls per acquire that ended with the object and without sleeping.
    pub fn spins_useful_per_acquire(&self) -> Option<f64> {
        self.reported(self.counts.spin_rounds_useful)
    }

    /// Polls per acquire that did not.
    pub fn spins_wasted_per_acquire(&self) -> Option<f64> {
        self.reported(self.counts.spin_rounds.saturating_sub(self.counts.spin_rounds_useful))
    }

    /// Share of acquires that neither spun nor slept.
    pub fn fast_share(&self) -> Option<f64> {
        self.reported(self.counts.fast_acquires)
    }

    /// Lost compare-exchanges per acquire.
    pub fn failed_cas_per_acquire(&self) -> Option<f64> {
        self.reported(self.counts.failed_cas)
    }

    /// Sleeps per acquire.
    pub fn parks_per_acquire(&self) -> Option<f64> {
        self.reported(self.counts.parks)
    }

    /// Wake-ups given per acquire.
    pub fn wakes_per_acquire(&self) -> Option<f64> {
        self.reported(self.counts.wakes)
    }

    /// Wake-ups that came too late, per acquire.
    pub fn lost_races_per_acquire(&self) -> Option<f64> {
        self.reported(self.counts.lost_races)
    }

    /// Direct hand-offs per acquire.
    pub fn hand_offs_per_acquire(&self) -> Option<f64> {
        self.reported(self.counts.hand_offs)
    }

    /// How often it entered starvation mode, and the time there in ns.
    pub fn starvation(&self) -> Option<(u64, u64)> {
        self.primitive_reports.then_some((self.counts.starvation_periods, self.counts.starvation_ns))
    }

    /// Acquires by another worker than the last, per acquire.
    pub fn owner_changes_per_acquire(&self) -> Option<f64> {
        self.per_acquire(self.counts.owner_changes)
    }

    /// Acquires on another core than the last, per acquire.
    pub fn core_changes_per_acquire(&self) -> Option<f64> {
        self.per_acquire(self.counts.core_changes?)
    }
}

fn sum<'a>(all: impl Iterator<Item = &'a Counts>) -> Counts {
    all.fold(Counts::default(), |a, b| Counts {
        acquires: a.acquires + b.acquires,
        fast_acquires: a.fast_acquires + b.fast_acquires,
        spins: a.spins + b.spins,
        spin_rounds: a.spin_rounds + b.spin_rounds,
        spin_rounds_useful: a.spin_rounds_useful + b.spin_rounds_useful,
        failed_cas: a.failed_cas + b.failed_cas,
        parks: a.parks + b.parks,
        wakes: a.wakes + b.wakes,
        lost_races: a.lost_races + b.lost_races,
        hand_offs: a.hand_offs + b.hand_offs,
        starvation_periods: a.starvation_periods + b.starvation_periods,
        starvation_ns: a.starvation_ns + b.starvation_ns,
        owner_changes: a.owner_changes + b.owner_changes,
        // Known of a part is more than not known.
        core_changes: match (a.core_changes, b.core_changes) {
            (Some(a), Some(b)) => Some(a + b),
            (known, None) | (None, known) => known,
        },
    })
}

/// The mean over launches for each size of window.
fn windows(profiles: &[&Profile]) -> Vec<(u64, f64)> {
    let mut sizes: Vec<u64> = profiles.iter().flat_map(|p| &p.windows).map(|w| w.window_ns).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mean = |size: u64| {
        let of_size = || profiles.iter().flat_map(|p| &p.windows).filter(move |w| w.window_ns == size);
        (size, of_size().map(|w| w.jain_mean).sum::<f64>() / of_size().count() as f64)
    };
    sizes.into_iter().map(mean).collect()
}
