//! The machine that a run was made on, and the state that it was in.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What does not change between runs on one machine. Records of different fingerprints are never averaged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// Model name of the processor.
    pub cpu_model: String,
    /// Cores that the process may use.
    pub cores: usize,
    /// Memory nodes.
    pub nodes: usize,
    /// Processor architecture.
    pub arch: String,
    /// Operating system.
    pub os: String,
    /// Release of the kernel.
    pub kernel: String,
    /// Hypervisor, if one shows.
    pub hypervisor: Option<String>,
}

impl Fingerprint {
    /// A short id: the first 12 hexadecimal digits of SHA-256 over all fields.
    pub fn id(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        short_hash(text.as_bytes())
    }
}

/// The first 12 hexadecimal digits of SHA-256.
pub fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// What may change while a run goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Frequency governor of the first core; absent in most virtual machines.
    pub governor: Option<String>,
    /// Load average over one minute.
    pub load_1min: Option<f64>,
    /// Share of processor time that the hypervisor gave to others since the launch began (or since boot, in a
    /// manifest).
    pub steal_share: Option<f64>,
    /// What to know instead: a simulated machine has no state of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// What stays.
    pub fingerprint: Fingerprint,
    /// What changes.
    pub environment: Environment,
}
