//! Where a history is kept: a folder, or a branch of a git repository.
//!
//! A store holds one file of lines for each computer (`FINGERPRINT.jsonl`) and one of accepted changes (`epochs.jsonl`). A
//! file for each computer, because that is what must never mix, because all that a run adds is then one write, and because
//! git merges two branches that only add lines. A file for each series would be hundreds of files a run.

mod branch;
mod folder;

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use reports::history::{Damaged, History, Line, read};

/// The file of accepted changes.
pub(crate) const EPOCHS: &str = "epochs.jsonl";

/// A store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Files in a folder.
    Folder(PathBuf),
    /// Files in a folder of a git branch, which nobody checks out.
    Branch(String),
}

impl Store {
    /// What `text`, the value of `flag`, names: a folder, or `git:BRANCH`.
    pub(crate) fn of(flag: &str, text: &str) -> Result<Store> {
        match text.strip_prefix("git:") {
            Some("") => bail!("{flag} git: names no branch: expected git:BRANCH"),
            Some(branch) => {
                branch::check(flag, branch)?;
                Ok(Store::Branch(branch.to_owned()))
            }
            None if text.is_empty() => bail!("{flag}: expected a folder or git:BRANCH"),
            None => Ok(Store::Folder(text.into())),
        }
    }

    /// Whether lines can be added, as far as that can be told before there are any.
    ///
    /// # Errors
    /// The reason why not.
    pub(crate) fn ready(&self, flag: &str) -> Result<()> {
        match self {
            Store::Folder(folder) => {
                ensure!(
                    !folder.exists() || folder.is_dir(),
                    "{flag} {}: is a file; expected a folder or git:BRANCH",
                    folder.display()
                );
                Ok(())
            }
            Store::Branch(branch) => branch::not_checked_out(flag, branch),
        }
    }

    /// Its files, each with its name.
    fn files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        match self {
            Store::Folder(folder) => folder::files(folder),
            Store::Branch(branch) => branch::files(branch),
        }
    }

    /// All that it holds. Damaged lines are for the caller to name.
    ///
    /// # Errors
    /// If there is no such store, or it cannot be read.
    pub(crate) fn read(&self) -> Result<History> {
        Ok(read(&self.files()?))
    }

    /// Adds lines to a file, all or none, unless `refuses` says of what the file holds by then why not. Whoever else adds
    /// meanwhile is waited for.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn append(
        &self,
        file: &str,
        lines: &[Line],
        message: &str,
        refuses: &dyn Fn(&History) -> Option<String>,
    ) -> Result<std::result::Result<(), String>> {
        let text = lines.iter().map(Line::to_text).collect::<Result<String>>()?;
        match self {
            Store::Folder(folder) => folder::append(folder, file, &text, refuses),
            Store::Branch(branch) => branch::append(branch, file, &text, message, refuses),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Store::Folder(folder) => write!(f, "{}", folder.display()),
            Store::Branch(branch) => write!(f, "git:{branch}"),
        }
    }
}

/// Says on stderr which lines are damaged.
pub(crate) fn warn(damaged: &[Damaged]) {
    for d in damaged {
        eprintln!("warning: left out {}:{}: {}", d.file, d.line, d.reason);
    }
}

/// What goes before `text` at the end of `content`: a line that a crash cut short must not swallow the next one.
fn break_before(content: &[u8]) -> &'static str {
    if content.is_empty() || content.ends_with(b"\n") { "" } else { "\n" }
}
