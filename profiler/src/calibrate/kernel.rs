//! What the kernel takes: calls, switches on a core, wakes between cores, the slice.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use anyhow::{Context, Result};
use impls::machine::os::{Os, clock};
use impls::machine::{Line, Machine};
use impls::probe::NoProbe;

use super::{Spread, pinned};

type Here = Os<NoProbe>;

const BATCHES: usize = 41;
const CALLS: usize = 200;
/// For how long a core is left idle before it is woken, and how often.
const IDLE: [(u64, usize); 5] = [(10_000, 41), (50_000, 41), (500_000, 41), (5_000_000, 15), (50_000_000, 7)];
/// For how long two threads compete for a core.
const COMPETE_NS: u64 = 300_000_000;
/// A thread that saw no time pass for so long did not run.
const GAP_NS: u64 = 100_000;

/// Times of the kernel, in ns.
pub(super) struct Kernel {
    pub(super) syscall: Spread,
    pub(super) futex_wait: Spread,
    pub(super) futex_wake: Spread,
    /// Less the calls that bring it about.
    pub(super) switch: Spread,
    /// By the time that the core was idle, less the call and the switch; empty with one core.
    pub(super) wake: Vec<(u64, Spread)>,
    /// `None` if no thread lost its core.
    pub(super) slice: Option<Spread>,
}

/// Measures on the first of `cpus`, and wakes between the first two.
pub(super) fn measure(cpus: &[usize]) -> Result<Kernel> {
    let nothing = "calibrate: a thread on one core measured nothing";
    let word = AtomicU32::new(0);
    let calls = |call: &(dyn Fn() + Sync)| pinned(cpus[0], || per_call(call)).flatten().context(nothing);
    let syscall = calls(&Here::yield_now)?;
    // The word holds 0, so the wait returns at once, and nobody waits for the wake.
    let futex_wait = calls(&|| {
        Here::futex_wait(&word, 1, None);
    })?;
    let futex_wake = calls(&|| Here::futex_wake(&word, 1))?;
    let hand_over = hand_over(cpus[0]).context(nothing)?;
    let switch = hand_over.less(futex_wait.median + futex_wake.median);
    let mut wake = Vec::new();
    if let [waker, sleeper, ..] = cpus[..] {
        for (idle_ns, rounds) in IDLE {
            let whole = wake_after(waker, sleeper, idle_ns, rounds).context(nothing)?;
            wake.push((idle_ns, whole.less(futex_wake.median + switch.median)));
        }
    }
    Ok(Kernel { syscall, futex_wait, futex_wake, switch, wake, slice: slice(cpus[0]) })
}

fn per_call(call: &dyn Fn()) -> Option<Spread> {
    let batch = |_| {
        let start_ns = clock::now_ns();
        for _ in 0..CALLS {
            call();
        }
        (clock::now_ns() - start_ns) as f64 / CALLS as f64
    };
    Spread::of((0..=BATCHES).map(batch).skip(1).collect())
}

/// Waits on the futex until the word is no longer `value`.
fn sleep_while(word: &AtomicU32, value: u32) {
    // Acquire: pairs with the Release of whoever changes it, for what is published with the change.
    while word.load(Ordering::Acquire) == value {
        Here::futex_wait(word, value, None);
    }
}

/// Two threads on one core wake each other in turns: the time from one to the other.
fn hand_over(cpu: usize) -> Option<Spread> {
    let turn = Line(AtomicU32::new(0));
    let found = Mutex::new(None);
    Here::run(2, &[cpu], 0, &|thread| {
        let (own, other) = (thread as u32, 1 - thread as u32);
        let pass = || {
            sleep_while(&turn.0, other);
            turn.0.store(other, Ordering::Release);
            Here::futex_wake(&turn.0, 1);
        };
        let batch = |_| {
            let start_ns = clock::now_ns();
            (0..CALLS).for_each(|_| pass());
            (clock::now_ns() - start_ns) as f64 / (2 * CALLS) as f64
        };
        let batches: Vec<f64> = (0..=BATCHES).map(batch).skip(1).collect();
        if own == 0 {
            *found.lock().unwrap_or_else(|e| e.into_inner()) = Spread::of(batches);
        }
    });
    found.into_inner().unwrap_or_else(|e| e.into_inner())
}

/// From the begin of the waking call until a thread that has slept on an idle core runs.
fn wake_after(waker: usize, sleeper: usize, idle_ns: u64, rounds: usize) -> Option<Spread> {
    let round = Line(AtomicU32::new(0));
    let answer = Line(AtomicU32::new(0));
    let awake_ns = Line(AtomicU64::new(0));
    let found = Mutex::new(None);
    Here::run(2, &[waker, sleeper], 0, &|thread| {
        if thread == 1 {
            for number in 0..=rounds as u32 {
                sleep_while(&round.0, number);
                awake_ns.0.store(clock::now_ns(), Ordering::Relaxed);
                // Release: publishes the stamp.
                answer.0.store(number + 1, Ordering::Release);
            }
            return;
        }
        let mut latencies = Vec::with_capacity(rounds);
        for number in 0..=rounds as u32 {
            // The waker polls, so that its own core is awake.
            let asleep_ns = clock::now_ns();
            while clock::now_ns() - asleep_ns < idle_ns {
                std::hint::spin_loop();
            }
            let start_ns = clock::now_ns();
            round.0.store(number + 1, Ordering::Release);
            Here::futex_wake(&round.0, 1);
            // Acquire: pairs with the Release of the sleeper.
            while answer.0.load(Ordering::Acquire) != number + 1 {
                std::hint::spin_loop();
            }
            // In the first round the sleeper may not have begun to sleep.
            if number > 0 {
                latencies.push(awake_ns.0.load(Ordering::Relaxed).saturating_sub(start_ns) as f64);
            }
        }
        *found.lock().unwrap_or_else(|e| e.into_inner()) = Spread::of(latencies);
    });
    found.into_inner().unwrap_or_else(|e| e.into_inner())
}

/// For how long a thread runs while another wants its core.
fn slice(cpu: usize) -> Option<Spread> {
    let stretches = Mutex::new(Vec::new());
    let started = AtomicU32::new(0);
    Here::run(2, &[cpu], 0, &|_| {
        // Relaxed: only that both run.
        started.fetch_add(1, Ordering::Relaxed);
        while started.load(Ordering::Relaxed) < 2 {
            Here::yield_now();
        }
        let begin_ns = clock::now_ns();
        let (mut since_ns, mut last_ns) = (begin_ns, begin_ns);
        let mut own = Vec::new();
        while last_ns - begin_ns < COMPETE_NS {
            let now_ns = clock::now_ns();
            if now_ns - last_ns > GAP_NS {
                own.push((last_ns - since_ns) as f64);
                since_ns = now_ns;
            }
            last_ns = now_ns;
        }
        // The first stretch began before the other thread was there.
        stretches.lock().unwrap_or_else(|e| e.into_inner()).extend(own.into_iter().skip(1));
    });
    Spread::of(stretches.into_inner().unwrap_or_else(|e| e.into_inner()))
}
