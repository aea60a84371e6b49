//! Three mutexes that work for a while, as broken locks do: for the runner's watchdog and checks.

use crate::card::{Capability, Card, Fairness, Param, ParamSource};
use crate::machine::{Atomic, AtomicInt, Machine, Ordering};
use crate::mutex::{MutexImpl, RawMutex};

/// How long a mutant behaves.
pub static GOOD_ACQUISITIONS: Param = Param {
    name: "good_acquisitions",
    default: 1_000,
    min: 0,
    max: u32::MAX as u64,
    origin: "ours: few enough that every launch meets the fault",
};

const PARAMS: &[Param] = &[GOOD_ACQUISITIONS];

const fn card(id: &'static str, summary: &'static str, fault: &'static [&'static str]) -> Card {
    super::card(id, summary, Fairness::Unordered, &[Capability::ForeignUnlock], PARAMS, fault)
}

const FREE: u32 = 0;
const HELD: u32 = 1;
const CONTENDED: u32 = 2;

/// A futex lock of three states, and the number of acquisitions so far: the sound part of all three.
#[repr(C, align(64))]
struct Sound<M: Machine, S: ParamSource> {
    word: M::AtomicU32,
    acquisitions: M::AtomicU32,
    params: S,
}

impl<M: Machine, S: ParamSource> Sound<M, S> {
    fn new(params: S) -> Self {
        Sound { word: M::AtomicU32::new(FREE), acquisitions: M::AtomicU32::new(0), params }
    }

    /// Counts an acquisition; how many there were beyond the good ones.
    fn beyond(&self) -> u64 {
        let n = u64::from(self.acquisitions.fetch_add(1, Ordering::Relaxed)) + 1;
        n.saturating_sub(self.params.get(&GOOD_ACQUISITIONS))
    }

    fn lock(&self) {
        if self.word.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            while self.word.swap(CONTENDED, Ordering::Acquire) != FREE {
                M::futex_wait(&self.word, CONTENDED, None);
            }
        }
    }

    fn unlock(&self) {
        if self.word.swap(FREE, Ordering::Release) == CONTENDED {
            M::futex_wake(&self.word, 1);
        }
    }
}

macro_rules! late_mutant {
    ($(#[$doc:meta])* $registration:ident, $lock:ident, $card:expr) => {
        $(#[$doc])*
        pub struct $registration;

        /// The lock.
        #[repr(C, align(64))]
        pub struct $lock<M: Machine, S: ParamSource>(Sound<M, S>);

        impl MutexImpl for $registration {
            const CARD: Card = $card;
            type Lock<M: Machine, S: ParamSource> = $lock<M, S>;
            fn build<M: Machine, S: ParamSource>(params: S) -> $lock<M, S> {
                $lock(Sound::new(params))
            }
        }
    };
}

late_mutant! {
    /// Loses wake-ups: after the good acquisitions a thread that finds the lock held goes to sleep without looking
    /// again, and so misses the unlock in between; nobody wakes it any more.
    MutantDeadlock, DeadlockMutex,
    card("mutex/mutant-deadlock", "a mutant that loses wake-ups", &["waiters sleep for ever"])
}

impl<M: Machine, S: ParamSource> RawMutex<M> for DeadlockMutex<M, S> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        let beyond = self.0.beyond() > 0;
        if beyond && self.0.word.load(Ordering::Relaxed) != FREE {
            let wake_up = M::AtomicU32::new(0); // Nobody else knows of it.
            loop {
                M::futex_wait(&wake_up, 0, None);
            }
        }
        self.0.lock();
    }
    fn unlock(&self, (): &mut ()) {
        self.0.unlock();
    }
}

late_mutant! {
    /// Panics in `lock` after the good acquisitions, before it takes the lock.
    MutantPanic, PanicMutex,
    card("mutex/mutant-panic", "a mutant that panics in lock", &["panics"])
}

impl<M: Machine, S: ParamSource> RawMutex<M> for PanicMutex<M, S> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        let beyond = self.0.beyond();
        assert!(
            beyond == 0,
            "{}: panics on purpose, {beyond} beyond the good acquisitions",
            MutantPanic::CARD.id
        );
        self.0.lock();
    }
    fn unlock(&self, (): &mut ()) {
        self.0.unlock();
    }
}

late_mutant! {
    /// Breaks exclusion once in a while: after the good acquisitions every sixteenth enters without looking.
    MutantOverlap, OverlapMutex,
    card("mutex/mutant-overlap", "a mutant that lets two threads in", &["breaks exclusion once in a while"])
}

impl<M: Machine, S: ParamSource> RawMutex<M> for OverlapMutex<M, S> {
    type Context = ();
    fn context(&self) {}
    fn lock(&self, (): &mut ()) {
        if self.0.beyond() % 16 == 1 {
            // Whoever holds the lock now is joined, and whoever sleeps is still woken.
            self.0.word.swap(CONTENDED, Ordering::Acquire);
        } else {
            self.0.lock();
        }
    }
    fn unlock(&self, (): &mut ()) {
        self.0.unlock();
    }
}
