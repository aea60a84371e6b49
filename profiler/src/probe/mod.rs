//! The listeners, from cheap to thorough, and how their slots become a profile.
//!
//! | probe | per uncontended lock and unlock | gives |
//! |---|---|---|
//! | `NoProbe` | nothing | nothing |
//! | [`CountProbe`] | an increment | counts, hand-off matrix, streaks |
//! | [`SampleProbe`] | a count-down more | that, and distributions from one acquire in 64 |
//! | [`FullProbe`] | three clock reads, two records | that from every acquire, ledger, waiters, windows |
//! | [`SimProbe`] | nothing, in simulated time | the same on a simulated machine |
//!
//! A slot belongs to one thread while that thread runs; [`Collect`] reads it after the thread has ended. So slots hold
//! plain cells, without atomics.
//!
//! A sleep that the driver reports with the object 0 is its own (a pause between bursts, an open loop that waits for
//! the next arrival): it is timed as sleep inside think or hold, and counted nowhere.

use hdrhistogram::Histogram;

mod buckets;
mod collect;
mod count;
mod full;
mod sample;
mod simulated;
mod tally;
mod timed;
pub mod watch;

pub use collect::{Collect, CollectContext, Collected};
pub use count::{CountProbe, CountSlot};
pub use full::{FullProbe, FullSlot};
pub use sample::{SAMPLING_PERIOD, SampleProbe, SampleSlot};
pub use simulated::SimProbe;
pub use timed::{INTERVALS_MAX, LONG_WAIT_NS};
pub use watch::WatchProbe;

/// An empty histogram, every page of which has been written once: the first record into a page must not fault.
fn touched_histogram() -> Histogram<u64> {
    let mut histogram = record::histogram::empty();
    histogram.reset();
    histogram
}
