//! What measures: probes that listen to primitives, counters of the operating system and the processor, the machine's
//! description, and the rules that decide whether a result can be believed.
//!
//! | module | holds |
//! |---|---|
//! | [`probe`] | the listeners, and how their slots become a profile |
//! | [`ledger`] | where a worker's time went, checked against the scheduler's account |
//! | [`timeline`] | operations and waiting threads over time |
//! | [`worst`] | what everybody did around the longest wait |
//! | [`fairness`] | Jain's index over windows of growing size |
//! | [`account`] | the scheduler's account of one thread |
//! | [`calibrate`] | this computer as a preset of the simulated machine |
//! | [`counters`] | software events, tracepoints and the processor's counters |
//! | [`lock_order`] | locks that threads take in orders that contradict each other |
//! | [`host`] | the machine and its state |
//! | [`skew`] | how far the clocks of the cores disagree, and how long a cache line takes between them |
//! | [`doctor`] | what this computer can measure, what not, and how to enable it |
//! | [`truth`] | the rules of truth, applied to a record |

pub mod account;
pub mod calibrate;
pub mod counters;
pub mod doctor;
pub mod fairness;
pub mod host;
pub mod ledger;
pub mod lock_order;
pub mod probe;
pub mod skew;
pub mod timeline;
pub mod truth;
pub mod worst;
