//! Where a worker's time went, by its own stamps, held against the scheduler's account.
//!
//! ## What is known
//! From the stamps (`Stamped`): think, hold, and the parts of a wait: fast, spin, park, wake, lost. Whatever the truth,
//! they add up to the time between the first and the last stamp, so their sum alone checks nothing. From the scheduler:
//! time on a core `C` and time ready but not on a core `R`. It has no clock for sleep and knows no phases.
//!
//! ## How they are put together
//! 1. `U`, the stamped time in which the worker meant to run: think, hold, fast, spin, lost, less the sleeps inside
//!    think and hold. It holds processor time and preemption, and nothing else, if everybody is honest.
//! 2. `run = min(U, C)`, less the delay that can lie nowhere else (step 3): what really was processor time. `C` may be
//!    larger, since going to sleep and waking up cost processor time that stamps count as park or wake; [`PARK_CPU_NS`]
//!    for each sleep is taken for that, and half of `R`: who finds its core used by others in the meantime, and so its
//!    caches, takes longer for the same. What is still over is added to `run`. The five phases are scaled so that they
//!    add up to `run`.
//! 3. `preempted`: `U - C`, as far as the scheduler's delay allows: at most `R`, and at least `R` less the time that may
//!    contain delay too, which is wake, every sleep whose waker did not leave a stamp, and the gap of step 4.
//! 4. The gap: what the scheduler's account covers before the first stamp and after the last. It is a few instructions
//!    long, and yet a thread may lose its core there for as long as others have work. As far as `R` has not been used up
//!    in step 3, and `run` has not grown beyond `U` (then the thread was at work in the gap), that is where it went: the
//!    gap counts as preempted.
//! 5. Park and wake as stamped.
//!
//! The sum of all parts against the span is then a check of stamps against the scheduler, not an identity:
//!
//! | who is dishonest | what shows |
//! |---|---|
//! | a clock that runs fast | `U > C + R`: the sum lacks the excess |
//! | a clock that runs slow | `C > U`: the sum is too large |
//! | a lock that sleeps without saying so | `U > C + R` |
//! | a driver that does not report all that it does | stamps end before the span does, and nobody kept it from its core: the sum lacks the rest |
//!
//! ## Limits
//! What a disturbance may explain it excuses: on a computer that others use, `R` is large, and a lie of that size hides in
//! it. Time asleep is known from stamps alone, so an error of the clock shows only in the time awake. An error up to the
//! stamped wake time can hide in step 3. On a thread that sleeps all the time the check proves little. Nobody knows
//! which phase was preempted: the scaling takes from each its share.
//!
//! Without the scheduler's account nothing is scaled, `preempted` is 0, and the sum checks only that the driver's span
//! is the stamped one. A primitive that does not report its sleeps has them in its fast path: there park is the
//! scheduler's sleep, `span - C - R`, taken out of the waits, the delay after a wake-up counts as preempted, and the
//! sum is near the span by construction.

use record::profile::Ledger;

/// Processor time that one sleep may cost: entering the kernel, switching out, switching in, leaving. Measured pairs of
/// futex wait and wake cost 1 to 3 us of it. On virtual processors up to 8 us were seen in quiet, where each wake finds the
/// processor halted, and 19 us beside other programs.
pub const PARK_CPU_NS: u64 = 10_000;

/// One worker's times in one slice by its own stamps, ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamped {
    /// Neither waiting nor holding.
    pub think_ns: u64,
    /// Of that: asleep.
    pub think_asleep_ns: u64,
    /// Holding.
    pub hold_ns: u64,
    /// Of that: asleep.
    pub hold_asleep_ns: u64,
    /// All waits.
    pub wait_ns: u64,
    /// Waits that neither spun nor slept.
    pub fast_ns: u64,
    /// Polling.
    pub spin_ns: u64,
    /// Asleep, until the waker's stamp.
    pub park_ns: u64,
    /// Asleep and waking up, where the waker left no stamp.
    pub park_unsplit_ns: u64,
    /// From the waker's stamp until it ran.
    pub wake_ns: u64,
    /// The rest of the slow waits.
    pub lost_ns: u64,
    /// Sleeps of any kind.
    pub parks: u64,
}

/// The scheduler's account of the same stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Time on a core.
    pub cpu_ns: u64,
    /// Time ready but not on a core.
    pub run_delay_ns: u64,
    /// Processor time that one sleep may cost: [`PARK_CPU_NS`], or without bound where a model's kernel is as busy as its
    /// preset says, and its own account is exact.
    pub park_cpu_ns: u64,
}

/// The ledger of one worker in one slice of `span_ns`.
pub fn ledger(
    span_ns: u64,
    stamped: &Stamped,
    scheduled: Option<Scheduled>,
    primitive_reports: bool,
) -> Ledger {
    match scheduled {
        None => plain(span_ns, stamped),
        Some(scheduled) if primitive_reports => reconciled(span_ns, stamped, scheduled),
        Some(scheduled) => by_scheduler(span_ns, stamped, scheduled),
    }
}

fn plain(span_ns: u64, stamped: &Stamped) -> Ledger {
    Ledger {
        span_ns,
        think_ns: stamped.think_ns,
        hold_ns: stamped.hold_ns,
        fast_ns: stamped.fast_ns,
        spin_ns: stamped.spin_ns,
        park_ns: stamped.park_ns + stamped.park_unsplit_ns,
        wake_ns: stamped.wake_ns,
        lost_ns: stamped.lost_ns,
        preempted_ns: 0,
    }
}

fn reconciled(span_ns: u64, stamped: &Stamped, scheduled: Scheduled) -> Ledger {
    let (cpu_ns, delay_ns) = (scheduled.cpu_ns, scheduled.run_delay_ns);
    let asleep_ns = stamped.think_asleep_ns + stamped.hold_asleep_ns;
    let mut ledger = plain(span_ns, stamped);
    ledger.think_ns -= stamped.think_asleep_ns.min(ledger.think_ns);
    ledger.hold_ns -= stamped.hold_asleep_ns.min(ledger.hold_ns);
    let awake_ns = awake_ns(&ledger);
    // What sleeping itself costs is inside park and wake: no more of it than those hold.
    let sleeping_ns = stamped.park_ns + stamped.park_unsplit_ns + stamped.wake_ns + asleep_ns;
    let allowed_ns = stamped.parks.saturating_mul(scheduled.park_cpu_ns).saturating_add(delay_ns / 2);
    let allowed_ns = allowed_ns.min(sleeping_ns);
    let stamped_ns = stamped.think_ns + stamped.hold_ns + stamped.wait_ns;
    let gap_ns = span_ns.saturating_sub(stamped_ns);
    let may_hold_delay_ns = stamped.wake_ns + stamped.park_unsplit_ns + asleep_ns + gap_ns;
    // Delay for which nothing else has room fell on the time awake.
    let delayed_awake_ns = delay_ns.saturating_sub(may_hold_delay_ns);
    let run_ns = awake_ns.saturating_sub(delayed_awake_ns).min(cpu_ns);
    let worked_ns = cpu_ns.saturating_sub(allowed_ns).saturating_sub(run_ns);
    scale_awake(&mut ledger, run_ns + worked_ns);
    let preempted_ns = awake_ns.saturating_sub(cpu_ns).clamp(delayed_awake_ns, delay_ns);
    ledger.preempted_ns = preempted_ns + gap_ns.saturating_sub(worked_ns).min(delay_ns - preempted_ns);
    ledger.think_ns += stamped.think_asleep_ns;
    ledger.hold_ns += stamped.hold_asleep_ns;
    ledger
}

fn by_scheduler(span_ns: u64, stamped: &Stamped, scheduled: Scheduled) -> Ledger {
    let (cpu_ns, delay_ns) = (scheduled.cpu_ns, scheduled.run_delay_ns);
    let sleep_ns = span_ns.saturating_sub(cpu_ns).saturating_sub(delay_ns);
    let asleep_ns = stamped.think_asleep_ns + stamped.hold_asleep_ns;
    let park_ns = sleep_ns.saturating_sub(asleep_ns);
    let mut ledger = Ledger {
        span_ns,
        think_ns: stamped.think_ns.saturating_sub(stamped.think_asleep_ns),
        hold_ns: stamped.hold_ns.saturating_sub(stamped.hold_asleep_ns),
        fast_ns: stamped.wait_ns.saturating_sub(park_ns),
        park_ns,
        preempted_ns: delay_ns,
        ..Ledger::default()
    };
    scale_awake(&mut ledger, cpu_ns);
    ledger.think_ns += stamped.think_asleep_ns;
    ledger.hold_ns += stamped.hold_asleep_ns;
    ledger
}

fn awake_ns(ledger: &Ledger) -> u64 {
    ledger.think_ns + ledger.hold_ns + ledger.fast_ns + ledger.spin_ns + ledger.lost_ns
}

/// Scales the phases in which a worker means to run so that they add up to `run_ns`.
fn scale_awake(ledger: &mut Ledger, run_ns: u64) {
    let awake_ns = awake_ns(ledger);
    if awake_ns == 0 {
        return;
    }
    let scale = |part: &mut u64| {
        *part = (u128::from(*part) * u128::from(run_ns) / u128::from(awake_ns)) as u64;
    };
    scale(&mut ledger.think_ns);
    scale(&mut ledger.hold_ns);
    scale(&mut ledger.fast_ns);
    scale(&mut ledger.spin_ns);
    scale(&mut ledger.lost_ns);
}

/// Adds `more` to `sum`, part by part.
pub fn add(sum: &mut Ledger, more: &Ledger) {
    sum.span_ns += more.span_ns;
    sum.think_ns += more.think_ns;
    sum.hold_ns += more.hold_ns;
    sum.fast_ns += more.fast_ns;
    sum.spin_ns += more.spin_ns;
    sum.park_ns += more.park_ns;
    sum.wake_ns += more.wake_ns;
    sum.lost_ns += more.lost_ns;
    sum.preempted_ns += more.preempted_ns;
}
