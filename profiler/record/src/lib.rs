//! Plain data: what a launch is told, what it answers, and what is kept.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`] | one launch: what to run, as a child process reads it |
//! | [`result`] | what a launch measured, as a child process writes it |
//! | [`answer`] | whether a result fits its spec |
//! | [`profile`] | what a probed launch explains |
//! | [`simulated`] | what a simulated launch knows exactly |
//! | [`reading`] | a number with its tier, or the reason why there is none |
//! | [`host`] | the machine and its state |
//! | [`cell`] | the record of one cell: all its launches, checks, status |
//! | [`run`] | the manifest of a run directory |
//! | [`catalogue`] | what the implementations and workloads of a run are |
//! | [`histogram`] | value distributions and their encodings |
//! | [`store`] | run directories: written atomically, read with refusal |
//! | [`timeline`] | how the tracks of a timeline are numbered |
//! | [`verified`] | what checkers found about implementations |
//! | [`validation`] | simulated against published curves |
//!
//! Every time is an integer in ns and says so in its name. Summaries are not stored: they are recomputed from counters
//! and histograms.

pub mod answer;
pub mod catalogue;
pub mod cell;
pub mod histogram;
pub mod host;
pub mod profile;
pub mod reading;
pub mod result;
pub mod run;
pub mod simulated;
pub mod spec;
pub mod store;
pub mod timeline;
pub mod validation;
pub mod verified;

pub use catalogue::{Catalogue, ImplementationCard, ParamCard, WorkloadCard};
pub use cell::{Check, Failure, FailureKind, Launch, Record, Status, Verdict};
pub use host::{Environment, Fingerprint, Host};
pub use profile::Profile;
pub use reading::{Reading, Tier};
pub use result::{LaunchResult, Slice, Sum, Worker};
pub use run::{Manifest, PlannedCell, Tool};
pub use simulated::{Simulated, is_simulated};
pub use spec::{
    Arrivals, Choice, Distribution, LaunchSpec, Point, ProbeMode, Role, Schedule, Take, TakeOrder,
};
pub use verified::{Checked, Orderings, Proof, Verified};

/// Version of the launch protocol: [`LaunchSpec`] in, [`LaunchResult`] out.
pub const PROTOCOL: u32 = 1;
/// Version of the files in a run directory. Readers read every version from 1.
pub const SCHEMA: u32 = 1;
