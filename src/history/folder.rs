//! A store in a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use reports::history::{History, read};

use super::break_before;

pub(super) fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!(
                "there is no history in {}: `history add` makes one, --store names another",
                folder.display()
            )
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read the history {}", folder.display()));
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let content = |path: PathBuf| {
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path.display().to_string(), content))
    };
    paths.into_iter().map(content).collect()
}

/// One write at the end of the file, under its lock: others who add wait, those who read see whole lines or a last one
/// that is cut short, never one in the middle.
pub(super) fn append(
    folder: &Path,
    name: &str,
    text: &str,
    refuses: &dyn Fn(&History) -> Option<String>,
) -> Result<std::result::Result<(), String>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(name);
    let attempt = || -> Result<std::result::Result<(), String>> {
        let fresh = !path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        file.lock().context("cannot lock it")?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        if let Some(reason) = refuses(&read(&[(path.display().to_string(), content.clone())])) {
            return Ok(Err(reason));
        }
        file.write_all(format!("{}{text}", break_before(&content)).as_bytes())?;
        file.sync_all()?;
        if fresh {
            // A name is not safe on disk before its folder is.
            File::open(folder)?.sync_all()?;
        }
        Ok(Ok(()))
    };
    attempt().with_context(|| format!("cannot add to {}", path.display()))
}
