//! The folder of a report: written only where nothing else is, and left without pages of an earlier report.
//!
//! A report lists its files in one of its own, written before them: so a later one knows which files it may replace, also
//! when this one was killed half-way.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use record::store::write_atomically;

use super::shell::GENERATOR;

/// The list of a report's files: a line that says what it is, then one path a line.
const LIST: &str = "files.txt";
/// Its first line.
const LIST_HEAD: &str = "synchroscope report: files that the next report may replace";

/// A folder that a report is written into.
pub(super) struct Folder {
    out: PathBuf,
    /// Files of the earlier report.
    earlier: BTreeSet<String>,
    /// Files of this one.
    ours: BTreeSet<String>,
}

impl Folder {
    /// Looks at the folder and changes nothing.
    ///
    /// # Errors
    /// If `out` is a file, or holds anything but an earlier report and `force` is not set.
    pub(super) fn open(out: &Path, force: bool) -> Result<Folder> {
        let mut folder = Folder { out: out.to_owned(), earlier: BTreeSet::new(), ours: BTreeSet::new() };
        if !out.exists() {
            return Ok(folder);
        }
        if !out.is_dir() {
            bail!("{} is a file: --out must name a folder", out.display());
        }
        folder.earlier = listed(out);
        if force {
            return Ok(folder);
        }
        let mut found = Vec::new();
        walk(out, out, &mut found).with_context(|| format!("cannot read {}", out.display()))?;
        for path in found {
            let ours = path == LIST || folder.earlier.contains(&path) || is_page(&out.join(&path));
            if !ours {
                bail!(
                    "{} holds {path}, which is no report: --out must name a new folder or an earlier report, or add --force",
                    out.display()
                );
            }
        }
        Ok(folder)
    }

    /// States which files the report will have, before the first is written.
    pub(super) fn announce(&mut self, paths: impl IntoIterator<Item = String>) -> Result<()> {
        self.ours = paths.into_iter().collect();
        let folders: BTreeSet<PathBuf> =
            self.ours.iter().filter_map(|path| Some(self.out.join(path).parent()?.to_owned())).collect();
        for folder in folders.iter().chain([&self.out]) {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        self.list(self.ours.union(&self.earlier))
    }

    fn list<'p>(&self, paths: impl Iterator<Item = &'p String>) -> Result<()> {
        let lines: String = paths.map(|path| format!("{path}\n")).collect();
        write_atomically(&self.out.join(LIST), format!("{LIST_HEAD}\n{lines}").as_bytes())
    }

    /// Writes a file that was announced.
    pub(super) fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        write_atomically(&self.out.join(path), content)
    }

    /// Copies a file to a place that was announced.
    pub(super) fn copy(&self, from: &Path, to: &str) -> Result<()> {
        let to = self.out.join(to);
        fs::copy(from, &to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
        Ok(())
    }

    /// Removes what the earlier report had and this one has not.
    pub(super) fn finish(self) -> Result<()> {
        for stale in self.earlier.difference(&self.ours) {
            let path = self.out.join(stale);
            // What cannot be removed is not there any more, or is somebody's folder by now.
            let _ = fs::remove_file(&path);
            // Folders go once they are empty; the system refuses otherwise.
            for folder in path.ancestors().skip(1).take_while(|folder| *folder != self.out) {
                let _ = fs::remove_dir(folder);
            }
        }
        self.list(self.ours.iter())
    }
}

/// The files that an earlier report lists: relative paths only, so that no list reaches out of its folder.
fn listed(out: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(out.join(LIST)).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(LIST_HEAD) {
        return BTreeSet::new();
    }
    let inside = |line: &&str| {
        !line.is_empty() && Path::new(line).components().all(|part| matches!(part, Component::Normal(_)))
    };
    // Nor through a link to a folder elsewhere.
    let no_links = |line: &&str| {
        let path = Path::new(line);
        path.ancestors().skip(1).all(|folder| !out.join(folder).is_symlink() || folder.as_os_str().is_empty())
    };
    lines.filter(inside).filter(no_links).map(str::to_owned).collect()
}

/// All files below `folder`, relative to `out`, with `/`; an empty folder counts as one.
fn walk(out: &Path, folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    let mut empty = true;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        empty = false;
        // A link to a folder is somebody's, whatever it holds.
        if entry.file_type()?.is_dir() {
            walk(out, &entry.path(), found)?;
        } else {
            found.push(relative(out, &entry.path()));
        }
    }
    if empty && folder != out {
        found.push(relative(out, folder));
    }
    Ok(())
}

fn relative(out: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(out).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

/// Whether a file is a page of ours: reports of early versions kept no list.
fn is_page(path: &Path) -> bool {
    use std::io::Read as _;
    if path.extension().is_none_or(|extension| extension != "html") {
        return false;
    }
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(2048).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(GENERATOR)
}
