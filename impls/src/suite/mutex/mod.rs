//! The battery of the mutex family, generic over the implementation.
//!
//! | module | asks |
//! |---|---|
//! | [`exclusion`](mod@exclusion) | does it exclude, publish what it guards, let everyone through? |
//! | [`state`] | do try_lock and what it tells about itself tell the truth? |
//! | [`timeout`] | does a wait end in time, and leave no trace? |
//! | [`order`] | who is served, who may unlock, how often may the owner lock? |
//! | [`faults`] | does it bear a holder that is gone, a panic, a wake-up without a reason, a clock that steps back? |
//! | [`misuse`] | is each trap named, and does the lock survive it? |
//! | [`models`] | does it hold in every interleaving that a checker explores? |
//! | [`go`] | the scenarios of Go's own tests, and the promise of starvation mode |

pub mod exclusion;
pub mod faults;
pub mod go;
pub mod misuse;
pub mod models;
pub mod order;
pub mod state;
pub mod timeout;

pub use exclusion::{exclusion, progress, visibility};

use crate::card::{Defaults, Role};
use crate::machine::Machine;
use crate::machine::os::Os;
use crate::mutex::MutexImpl;
use crate::suite::told::Told;
use crate::suite::watch::Watched;

/// The lock of `I` on the threads of this computer.
type Lock<I> = Told<<I as MutexImpl>::Lock<Os, Defaults>>;
/// The same, watched.
type WatchedLock<I> = Told<<I as MutexImpl>::Lock<Watched, Defaults>>;

fn build<I: MutexImpl>() -> Lock<I> {
    Told::new(I::build::<Os, Defaults>(Defaults))
}

fn build_watched<I: MutexImpl>() -> WatchedLock<I> {
    Told::new(I::build::<Watched, Defaults>(Defaults))
}

/// The floor excludes nobody, so most questions are not for it.
fn is_lock<I: MutexImpl>() -> bool {
    I::CARD.role != Role::Floor
}

fn now_ns() -> u64 {
    <Os>::now_ns()
}

/// The tests of one implementation, each a `#[test]`: `impls::mutex_battery!(MyLock);`.
#[macro_export]
macro_rules! mutex_battery {
    ($registration:ty) => {
        $crate::mutex_battery! { @list tests $registration }
    };
    // The one list: `tests` makes a `#[test]` of each, `table` a row for programs that run them by name.
    (@list $what:ident $registration:ty) => {
        $crate::mutex_battery! { @$what $registration;
            {
                exclusion: exclusion, visibility, progress;
                state: try_lock, try_lock_excludes, count, is_locked, is_woken, is_starving, state_text, observable;
                timeout: time_out, time_out_stress;
                order: fifo, foreign_unlock, recursion;
                faults: exit_while_holding, panic_inside, schedules, spurious_wakes, clock_goes_back;
                misuse: unclaimed, survives_misuse;
                go: hammer, fairness, starvation_promise;
            }
            {
                misuse: unlock_of_unlocked, unlock_by_another, lock_again;
                models: loom, shuttle;
            }
        }
    };
    (@tests $registration:ty; {$($module:ident: $($test:ident),*;)*} {$($of:ident: $($child:ident),*;)*}) => {
        $($(
            #[test]
            fn $test() {
                let what = concat!(module_path!(), "::", stringify!($test));
                $crate::suite::within($crate::suite::LIMIT, what, $crate::suite::mutex::$module::$test::<$registration>);
            }
        )*)*
        $($(
            #[test]
            fn $child() {
                $crate::suite::mutex::$of::$child::<$registration>(concat!(module_path!(), "::", stringify!($child)));
            }
        )*)*
    };
    (@table $registration:ty; {$($module:ident: $($test:ident),*;)*} {$($of:ident: $($child:ident),*;)*}) => {
        [
            $($((
                stringify!($test),
                $crate::suite::battery::Run::Here($crate::suite::mutex::$module::$test::<$registration>),
            ),)*)*
            $($((
                stringify!($child),
                $crate::suite::battery::Run::Again(
                    $crate::suite::mutex::$of::$child::<$registration>,
                    concat!("battery::", stringify!($child)),
                ),
            ),)*)*
        ]
    };
}
