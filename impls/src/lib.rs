//! Synchronization primitives, each written once over a [`machine::Machine`].
//!
//! | module | holds |
//! |---|---|
//! | [`machine`] | the world that a primitive lives in, and the machines |
//! | [`probe`] | what primitives report while they run |
//! | [`card`] | what an implementation is, can do, and reads as parameters |
//! | [`wait`] | the shared mechanisms of spinning, sleeping and queueing |
//! | [`mutex`] | the mutex family |
//! | [`text`] | TOML that people write, read into checked values, with one-line errors |
//! | [`suite`] | the conformance batteries that a registration line brings |

pub mod card;
pub mod machine;
pub mod mutex;
pub mod probe;
pub mod suite;
pub mod text;
pub mod wait;
