//! `trials.jsonl` and `confirmation.jsonl`: one line a trial, appended as soon as it is known, never changed.
//!
//! A line is one write, so that a kill leaves at most one that is cut short; it is taken away when the search goes on, and
//! its trial is made again.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file of lines.
pub(super) struct Log<T> {
    file: File,
    path: PathBuf,
    lines: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Log<T> {
    /// Opens the file, new or as it was left, and reads what it holds. A line in the middle that cannot be read is named on
    /// stderr and left out.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<T>)> {
        let wrong = || format!("cannot open {}", path.display());
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).with_context(wrong)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(wrong)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).with_context(wrong)?;
            file.seek(std::io::SeekFrom::End(0)).with_context(wrong)?;
            eprintln!("warning: {}: its last line was cut short; that trial is made again", path.display());
        }
        let mut read = Vec::new();
        for (number, line) in bytes[..whole].split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(line) => read.push(line),
                Err(error) => eprintln!("warning: {}:{}: left out: {error}", path.display(), number + 1),
            }
        }
        Ok((Log { file, path: path.to_owned(), lines: PhantomData }, read))
    }

    /// Appends one line.
    pub(super) fn append(&mut self, line: &T) -> Result<()> {
        let mut bytes = serde_json::to_vec(line).context("cannot encode a trial")?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).with_context(|| format!("cannot write to {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_short_is_taken_away_and_a_damaged_one_left_out() {
        let path = std::env::temp_dir().join(format!("synchroscope-log-{}", std::process::id()));
        std::fs::write(&path, "1\nx\n3\n4").unwrap();
        let (mut log, read) = Log::<u32>::open(&path).unwrap();
        assert_eq!(read, [1, 3]);
        log.append(&5).unwrap();
        drop(log);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\nx\n3\n5\n");
        assert_eq!(Log::<u32>::open(&path).unwrap().1, [1, 3, 5]);
        std::fs::remove_file(&path).unwrap();
    }
}
