//! Conformance batteries: what a registration line brings along.

pub mod mutex;
