//! How primitives wait: the mechanisms over which a policy is a thin file.
//!
//! | mechanism | for |
//! |---|---|
//! | [`spin`] | polling, with its report to the probe |
//! | [`go_spin`] | Go's bounded spinning before it queues |
//! | [`futex_lock`] | a small lock that sleeps in a futex |
//! | [`reentrant`] | a lock whose owner may lock again |
//! | [`sema`] | Go's semaphore: FIFO queue over park, front requeue, hand-off |
//! | [`starving`] | Go's two-mode mutex, barging and hand-over |

pub mod futex_lock;
pub mod go_spin;
pub mod reentrant;
pub mod sema;
pub mod spin;
pub mod starving;
