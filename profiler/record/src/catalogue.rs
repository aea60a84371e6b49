//! What a run's implementations and workloads are: copied from cards and definitions when the run is planned, so that
//! whoever reads the run later needs neither the program nor its sources.

use serde::{Deserialize, Serialize};

/// Descriptions of what a run holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The implementations of the run's cells.
    pub implementations: Vec<ImplementationCard>,
    /// The workloads of the run's cells.
    pub workloads: Vec<WorkloadCard>,
}

/// What an implementation is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImplementationCard {
    /// Permanent id.
    pub id: String,
    /// The idea, in a line.
    pub summary: String,
    /// Year in which the design was published or shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// Where the design comes from: paper and venue, or repository and commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Order of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fairness: Option<String>,
    /// Id of the implementation that this one changes: those that follow each other are a lineage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
    /// Names of what it can do beyond the required operations of its family.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub can: Vec<String>,
    /// The parameters that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<ParamCard>,
    /// Known pathologies, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pathologies: Vec<String>,
    /// The file that holds it, below the root of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The prose of its card, Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A parameter of an implementation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParamCard {
    /// Name, with the unit last.
    pub name: String,
    /// What history chose.
    pub default: u64,
    /// Where the default comes from.
    pub origin: String,
}

/// What a workload is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadCard {
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub summary: String,
    /// What it should show, and why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub analysis: String,
}
