//! What `--baseline` and `--candidate` name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use workloads::nearest;

use super::identity::{self, Identity};
use super::revision;
use crate::Observatory;

/// A name, and what it turned out to be.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    /// A run directory.
    Run(PathBuf),
    /// A program that speaks the launch protocol.
    Binary(PathBuf),
    /// A commit of the repository here.
    Revision(revision::Commit),
    /// An implementation of this program.
    Implementation(Implementation),
    /// This program.
    This,
}

/// An implementation with parameters: `ID` or `ID?NAME=VALUE,NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Implementation {
    /// Its id.
    pub(crate) id: String,
    /// Parameters that differ from the defaults.
    pub(crate) params: BTreeMap<String, u64>,
}

impl Named {
    /// Finds out what `text`, the value of `flag`, names.
    pub(crate) fn of(flag: &str, text: &str, observatory: &Observatory) -> Result<Named> {
        let path = Path::new(text);
        if path.join("run.json").is_file() {
            return Ok(Named::Run(path.to_owned()));
        }
        let id = text.split('?').next().unwrap_or_default();
        if observatory.row(id).is_some() {
            return implementation(flag, text, observatory).map(Named::Implementation);
        }
        ensure!(
            !path.is_dir(),
            "{flag} {text}: is a folder without run.json, so no run; expected a run directory, a binary, a git revision \
             or an implementation"
        );
        if path.is_file() {
            let absolute = path.canonicalize().with_context(|| format!("{flag} {text}: cannot be read"))?;
            return Ok(Named::Binary(absolute));
        }
        match revision::Commit::find(text) {
            Ok(commit) => Ok(Named::Revision(commit)),
            Err(reason) => {
                let near = nearest(id, observatory.ids());
                let near =
                    near.map_or(String::new(), |near| format!("; the nearest implementation is `{near}`"));
                bail!(
                    "{flag} {text}: expected a run directory, a binary, an implementation or a git revision; no such file, \
                     no such implementation, and {reason:#}{near}"
                )
            }
        }
    }

    /// What kind of thing it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Named::Run(_) => "a run directory",
            Named::Binary(_) => "a binary",
            Named::Revision(_) => "a git revision",
            Named::Implementation(_) => "an implementation",
            Named::This => "this program",
        }
    }
}

fn implementation(flag: &str, text: &str, observatory: &Observatory) -> Result<Implementation> {
    let (id, rest) = text.split_once('?').unwrap_or((text, ""));
    let known = observatory.params().remove(id).unwrap_or_default();
    let mut params = BTreeMap::new();
    for part in rest.split(',').filter(|part| !part.is_empty()) {
        let parsed = part.split_once('=').and_then(|(name, value)| Some((name, value.parse::<u64>().ok()?)));
        let Some((name, value)) = parsed else {
            bail!("{flag} {text}: `{part}` is no parameter: expected NAME=VALUE with a whole number");
        };
        if !known.iter().any(|known| known == name) {
            let near = nearest(name, known.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("; nearest is `{near}`"));
            bail!("{flag} {text}: {id} has no parameter `{name}`{near}");
        }
        ensure!(params.insert(name.to_owned(), value).is_none(), "{flag} {text}: {name} is set twice");
    }
    Ok(Implementation { id: id.to_owned(), params })
}

/// A program that can be launched: what a name came to.
#[derive(Clone, Debug)]
pub(crate) struct Build {
    /// The file.
    pub(crate) program: PathBuf,
    /// What it says of itself.
    pub(crate) identity: Identity,
    /// What was done to get it, for the report.
    pub(crate) notes: Vec<String>,
}

impl Build {
    /// This program.
    pub(crate) fn own(observatory: &Observatory) -> Result<Build> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        Ok(Build { program, identity: identity::own(observatory), notes: Vec::new() })
    }

    /// Another program.
    pub(crate) fn of(program: &Path) -> Result<Build> {
        Ok(Build { identity: identity::of(program)?, program: program.to_owned(), notes: Vec::new() })
    }

    /// Whether the two are the same file, byte by byte.
    pub(crate) fn is_same(&self, other: &Build) -> bool {
        if self.program == other.program {
            return true;
        }
        let length = |path: &Path| std::fs::metadata(path).map(|meta| meta.len()).ok();
        length(&self.program) == length(&other.program)
            && matches!((std::fs::read(&self.program), std::fs::read(&other.program)), (Ok(a), Ok(b)) if a == b)
    }
}
