//! Broken mutexes: what the batteries, the model checkers, the simulator and the runner must catch.
//!
//! They belong to no list that is measured. Each is sound but for one step: the file's lock is written once, its steps
//! are the methods of a trait, and a mutant overrides one of them. Apart from [`late`] and [`liars`], the fault needs two or three
//! threads and one or two operations each, so that a model checker meets it within its bounds. None has undefined
//! behaviour: whatever goes wrong, goes wrong in atomics and in what a latch guards.
//!
//! | module | the lock whose step is broken |
//! |---|---|
//! | [`word`] | a futex word of three states |
//! | [`spin`] | a test-and-set word |
//! | [`numbers`] | tickets |
//! | [`list`] | MCS and CLH |
//! | [`monitor`] | a queue under a latch that hands over |
//! | [`two_mode`] | Go's two modes, in short |
//! | [`permits`] | a binary semaphore, and sleeping on an epoch |
//! | [`owner`] | a recursive lock |
//! | [`liars`] | locks that only a measurement shows, for the rules of truth |
//! | [`late`] | locks that behave for a thousand acquisitions, for the runner |

use crate::card::{Capability, Card, Fairness, Param, Role, Runs};
use crate::mutex::{MutexImpl, MutexVisitor};

/// What a broken lock does wrong, and so the kind of check that must see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Two threads are in the section at once: a lost count, or data that a checker sees accessed twice.
    Exclusion,
    /// A thread that ought to go on never does.
    Hang,
    /// Waiters are served in another order than the card says.
    Order,
    /// What it tells about itself, or answers to a caller, is not so.
    Answer,
    /// It ends in a panic that no misuse explains.
    Panic,
}

impl Fault {
    /// The name used in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::Exclusion => "exclusion",
            Fault::Hang => "hang",
            Fault::Order => "order",
            Fault::Answer => "answer",
            Fault::Panic => "panic",
        }
    }
}

/// What must be seen of a mutant, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Id on the mutant's card.
    pub id: &'static str,
    /// The fault.
    pub fault: Fault,
    /// Whether the fault needs a memory that reorders: then only a checker of memory orders can see it everywhere.
    pub weak_memory: bool,
}

/// A mutant's card.
pub(super) const fn card(
    id: &'static str,
    summary: &'static str,
    fairness: Fairness,
    can: &'static [Capability],
    params: &'static [Param],
    fault: &'static [&'static str],
) -> Card {
    Card {
        id,
        summary,
        year: 2026,
        source: "ours, broken on purpose",
        role: Role::Design,
        fairness,
        runs: Runs::AnyMachine,
        can,
        params,
        follows: None,
        pathologies: fault,
    }
}

/// A mutant: a registration that is also the broken step of the file's lock, `$lock<M, Registration>`.
macro_rules! mutant {
    (
        $(#[$doc:meta])*
        $registration:ident of $lock:ident, $id:literal: $summary:literal, $fairness:ident, [$($can:ident),*],
        $fault:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $registration;

        impl $crate::mutex::MutexImpl for $registration {
            const CARD: $crate::card::Card = $crate::suite::mutants::card(
                concat!("mutex/mutant-", $id),
                $summary,
                $crate::card::Fairness::$fairness,
                &[$($crate::card::Capability::$can),*],
                &[],
                &[$fault],
            );
            type Lock<M: $crate::machine::Machine, S: $crate::card::ParamSource> = $lock<M, $registration>;
            fn build<M: $crate::machine::Machine, S: $crate::card::ParamSource>(
                _: S,
            ) -> $lock<M, $registration> {
                $lock::default()
            }
        }
    };
}

/// One line a mutant: where it is, what must be seen, and whether only a weak memory shows it.
macro_rules! mutants {
    ($($module:ident :: $registration:ident => $fault:ident $($weak:ident)?,)*) => {
        /// Visits every mutant that needs no run-up: all but those of [`late`] and [`liars`].
        pub fn visit_all(visitor: &mut impl MutexVisitor) {
            $(visitor.visit::<$module::$registration>();)*
        }

        /// What must be seen, in the order of [`visit_all`].
        pub const EXPECTED: &[Expected] = &[$(Expected {
            id: <$module::$registration as MutexImpl>::CARD.id,
            fault: Fault::$fault,
            weak_memory: mutants!(@weak $($weak)?),
        },)*];
    };
    (@weak) => { false };
    (@weak weak_memory) => { true };
}

pub mod late;
pub mod liars;
pub mod list;
pub mod monitor;
pub mod numbers;
pub mod owner;
pub mod permits;
pub mod spin;
pub mod two_mode;
pub mod word;

pub use late::{MutantDeadlock, MutantOverlap, MutantPanic};

mutants! {
    word::TwoStates => Hang,
    word::ForgetsOthers => Hang,
    word::WakesEarly => Hang,
    word::SleepsBlind => Hang,
    word::TakesMarkAlong => Hang,
    word::FreesOnTimeout => Exclusion,
    word::SaysYesLate => Exclusion,
    word::Oversleeps => Answer,
    word::TryStores => Exclusion,
    word::TryTires => Exclusion,
    word::HidesContended => Answer,
    spin::TestThenSet => Exclusion,
    spin::GivesUp => Exclusion,
    spin::RelaxedAcquire => Exclusion weak_memory,
    spin::RelaxedRelease => Exclusion weak_memory,
    numbers::DropsNumber => Hang,
    numbers::Narrow => Exclusion,
    numbers::EntersEarly => Exclusion,
    list::Unlinked => Hang,
    list::ClearsTail => Hang,
    list::OwnNode => Hang,
    monitor::Lifo => Order,
    monitor::HandsOverAndFrees => Exclusion,
    monitor::DropsGrant => Hang,
    monitor::LeavesGhost => Hang,
    monitor::QueuesBlind => Hang,
    monitor::WakesWrong => Hang,
    monitor::CountsTries => Answer,
    two_mode::NeverLeaves => Answer,
    two_mode::LeavesEarly => Answer,
    two_mode::KeepsCount => Answer,
    two_mode::IgnoresMode => Exclusion,
    permits::LosesPermit => Hang,
    permits::NoFence => Hang weak_memory,
    permits::EpochWraps => Hang,
    owner::FirstUnlock => Exclusion,
    owner::StaleOwner => Exclusion,
}
