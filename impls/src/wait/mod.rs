//! How primitives wait: the mechanisms over which a policy is a thin file.
//!
//! | mechanism | for |
//! |---|---|
//! | [`spin`] | polling, with its report to the probe |
//! | [`futex_lock`] | a small lock that sleeps in a futex |
//! | [`sema`] | Go's semaphore: FIFO queue over park, front requeue, hand-off |

pub mod futex_lock;
pub mod sema;
pub mod spin;
