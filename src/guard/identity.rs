//! What a program says of itself: which harness measures with it, and what it can launch.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use record::PROTOCOL;
use serde::{Deserialize, Serialize};

use crate::Observatory;

/// The value of [`Identity::kind`].
const KIND: &str = "synchroscope-identity";

/// The answer to `launch --identify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// [`KIND`].
    pub(crate) kind: String,
    /// Launch protocol that it speaks.
    pub(crate) protocol: u32,
    /// Its version.
    pub(crate) version: String,
    /// Revision that it was built from, if it knows.
    pub(crate) revision: Option<String>,
    /// Hash of the source of driver and probes: programs with different ones do not measure alike.
    pub(crate) harness_hash: String,
    /// Whether it was built with debug assertions: such a program is no measure of one built without.
    pub(crate) debug_assertions: bool,
    /// Ids of what it launches itself.
    pub(crate) implementations: Vec<String>,
}

/// This program's.
pub(crate) fn own(observatory: &Observatory) -> Identity {
    Identity {
        kind: KIND.to_owned(),
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: Some(env!("SYNCHROSCOPE_REVISION").to_owned()).filter(|revision| !revision.is_empty()),
        harness_hash: env!("SYNCHROSCOPE_HARNESS_HASH").to_owned(),
        debug_assertions: cfg!(debug_assertions),
        implementations: observatory.entries().map(|entry| entry.card().id.to_owned()).collect(),
    }
}

/// Another program's. The error says what is wrong with it.
pub(crate) fn of(program: &Path) -> Result<Identity> {
    let shown = program.display();
    let output = Command::new(program).args(["launch", "--identify"]).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("{shown}: cannot be started"))?;
    let identity = serde_json::from_slice::<Identity>(&output.stdout).ok().filter(|id| id.kind == KIND);
    let Some(identity) = identity.filter(|_| output.status.success()) else {
        bail!(
            "{shown} does not answer `launch --identify`: expected a build of synchroscope, or of a crate that registers \
             its lock with it, that knows guard"
        );
    };
    ensure!(
        identity.protocol == PROTOCOL,
        "{shown} speaks launch protocol {}, expected {PROTOCOL}",
        identity.protocol
    );
    Ok(identity)
}
