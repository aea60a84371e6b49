//! Records in; statistics, verdicts and pages out. Knows nothing but `record`.
//!
//! | module | does |
//! |---|---|
//! | [`stats`] | order statistics, exact tests and intervals over launches |
//! | [`summary`] | the numbers of one record, recomputed from its raw data |
//! | [`noise`] | what a run's controls say: A/A pairs, probe effect, steal |
//! | [`group`] | which records may stand side by side |
//! | [`compare`] | ratios with intervals and verdicts |
//! | [`scale`] | crossovers, winners, sweeps on simulated machines |
//! | [`guard`] | the verdict on a change, for people and for continuous integration |
//! | [`history`] | ratios to a pinned reference over time, and the changes in them |
//! | [`tune`] | the search for better parameters: gains, race, front, regret, answer |
//! | [`findings`] | sentences that the launches support |
//! | [`terminal`] | the table at the end of a run |
//! | [`html`] | the page |
//! | [`export`] | a run in the formats of other tools |
//! | [`validation`] | simulated against published curves, in the terminal |
//! | [`text`] | numbers and tables for people |
//!
//! Two rules hold everywhere. The launch is the unit of replication: intervals are over launches, never over operations
//! inside one. And ranked numbers come from launches that nobody observed, explanations from observed ones.

pub mod compare;
pub mod export;
pub mod findings;
pub mod group;
pub mod guard;
pub mod history;
pub mod html;
pub mod noise;
pub mod scale;
pub mod stats;
pub mod summary;
pub mod terminal;
pub mod text;
pub mod tune;
pub mod validation;
