//! description, and the rules that decide whether a result can be believed.
//!
//! | module | holds |
//! |---|---|
//! | [`probe`] | the listeners, and how their slots become a profile |
//! | [`ledger`] | where a worker's time went, checked against the scheduler's account |
//! | [`timeline`] | operations and waiting threads over time |
//! | [`fairness`] | Jain's index over windows of growing size |
//! | [`account`] | the scheduler's account of one thread |

pub mod account;
pub mod fairness;
pub mod ledger;
pub mod probe;
pub mod timeline;
