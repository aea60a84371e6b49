//! The contention observatory as a library: where implementations, workloads, profiler and reports meet.
//!
//! A crate with a lock of its own registers it and has the whole command line:
//!
//! ```no_run
//! # use synchroscope::impls::{card::*, machine::*, mutex::*};
//! # use synchroscope::impls::mutex::spin_tas::SpinTas as MyLock;
//! fn main() -> std::process::ExitCode {
//!     synchroscope::Observatory::new().mutex::<MyLock>().main()
//! }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`registry`] | the implementations that this binary can launch |
//! | [`engine`] | implementations in other programs, over the launch protocol |
//! | [`launch`] | one launch, inside the child process |
//! | [`simulated`] | the same on a simulated machine |
//! | [`uncontended`] | one lock and one thread, for counting instructions |
//! | `runner` | a run: launches in shuffled order, each a child process |
//! | `machines` | what `--machine` names |
//! | `timeline` | a simulated launch for Perfetto |
//! | `tune` | the search for better parameters: screening, race, confirmation |
//! | `guard` | two arms in paired blocks, and the verdict on a change |
//! | `history` | where ratios are kept over time |
//! | `cmd` | the commands |

pub mod engine;
pub mod launch;
pub mod registry;
pub mod simulated;
pub mod uncontended;

mod args;
mod cmd;
mod exit;
mod guard;
mod history;
mod machines;
mod runner;
mod timeline;
mod tune;

pub use impls;
pub use registry::Observatory;
