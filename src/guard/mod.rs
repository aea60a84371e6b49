//! `guard`: the verdict on a change.

pub(crate) mod exact;
