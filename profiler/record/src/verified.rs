//! What checkers found about implementations: `verified.json` of a run directory, and what `verify --json` prints.
//!
//! It is no measurement: it says within which bounds an implementation was found right, so that a report can show that
//! beside its speed.

use serde::{Deserialize, Serialize};

use crate::run::Tool;

/// What the JSON says that it is.
pub const KIND: &str = "synchroscope-verified";

/// Everything that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// Version of this document: [`crate::SCHEMA`].
    pub schema: u32,
    /// [`KIND`].
    pub kind: String,
    /// What was found of each implementation, in the order in which they were checked.
    pub reports: Vec<Proof>,
}

/// What was checked of one implementation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Permanent id.
    pub implementation: String,
    /// The program that checked it.
    pub tool: Tool,
    /// When it ended, in ms since 1970.
    pub ended_unix_ms: u64,
    /// Each check.
    pub checks: Vec<Checked>,
    /// Its orderings, weakened one at a time; absent where no model checker runs, or where a check failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orderings: Option<Orderings>,
    /// Why model checkers and simulated machines did not run it, if they did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads_only: Option<String>,
}

/// One check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// Who checked: `loom`, `shuttle-random`, `shuttle-pct`, `schedules`, `simulator`, `battery`.
    pub by: String,
    /// What was run.
    pub program: String,
    /// What it asks, in a few words.
    pub asks: String,
    /// How far it went at most.
    pub bounds: String,
    /// Whether nothing is wrong.
    pub passed: bool,
    /// How far it went, or what is wrong.
    pub finding: String,
}

/// The orderings of an implementation, each weakened alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orderings {
    /// How many there are.
    pub weakened: usize,
    /// Without which some program fails.
    pub caught: usize,
    /// Those without which no program fails: needed by nothing that is checked.
    pub not_caught: Vec<String>,
}

impl Verified {
    /// A document that holds these.
    pub fn new(reports: Vec<Proof>) -> Self {
        Verified { schema: crate::SCHEMA, kind: KIND.to_owned(), reports }
    }

    /// What is known of the implementation with this id.
    pub fn of(&self, id: &str) -> Option<&Proof> {
        self.reports.iter().find(|proof| proof.implementation == id)
    }

    /// Takes over what `newer` says; the rest stays.
    pub fn update(&mut self, newer: &Verified) {
        self.reports.retain(|proof| newer.of(&proof.implementation).is_none());
        self.reports.extend(newer.reports.iter().cloned());
    }
}

impl Proof {
    /// Whether nothing is wrong, as far as was checked.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// The checks, by who checked, in the order of the first of each.
    pub fn by_checker(&self) -> Vec<(&str, Vec<&Checked>)> {
        let mut groups: Vec<(&str, Vec<&Checked>)> = Vec::new();
        for check in &self.checks {
            match groups.iter_mut().find(|(by, _)| *by == check.by) {
                Some((_, checks)) => checks.push(check),
                None => groups.push((&check.by, vec![check])),
            }
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(id: &str, bounds: &str) -> Proof {
        let check = Checked { by: "loom".into(), bounds: bounds.into(), passed: true, ..Checked::default() };
        Proof { implementation: id.into(), checks: vec![check], ..Proof::default() }
    }

    #[test]
    fn what_is_newer_replaces_what_is_known() {
        let mut known = Verified::new(vec![proof("mutex/a", "short"), proof("mutex/b", "short")]);
        known.update(&Verified::new(vec![proof("mutex/b", "deep"), proof("mutex/c", "deep")]));
        let bounds = |id: &str| known.of(id).map(|proof| proof.checks[0].bounds.as_str());
        assert_eq!(
            (bounds("mutex/a"), bounds("mutex/b"), bounds("mutex/c")),
            (Some("short"), Some("deep"), Some("deep"))
        );
        assert_eq!(known.reports.len(), 3);
    }

    #[test]
    fn one_fault_is_a_fault() {
        let mut one = proof("mutex/a", "short");
        one.checks.push(Checked { by: "battery".into(), passed: false, ..Checked::default() });
        one.checks.push(Checked { by: "loom".into(), passed: true, ..Checked::default() });
        assert!(!one.passed());
        let groups: Vec<_> = one.by_checker().iter().map(|(by, checks)| (*by, checks.len())).collect();
        assert_eq!(groups, [("loom", 2), ("battery", 1)]);
    }
}
