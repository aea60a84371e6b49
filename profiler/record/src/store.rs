//! Run directories: `run.json`, and for each cell `cells/ID.json` with `cells/ID.hlog` beside it. What checkers found
//! about the run's implementations may stand in `verified.json`.
//!
//! A record is rewritten after each launch, log first, each file by a rename: at any moment, also after a kill, the
//! directory holds whole files that agree (a log may hold more than its record names, never less).

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};

use crate::SCHEMA;
use crate::cell::Record;
use crate::histogram::Values;
use crate::run::{KIND, Manifest};
use crate::verified::{self, Verified};

/// A directory that holds a run.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

/// What a run directory holds.
#[derive(Debug)]
pub struct Loaded {
    /// Where it was read.
    pub path: PathBuf,
    /// The plan.
    pub manifest: Manifest,
    /// The records that could be read, in the order of the plan.
    pub records: Vec<Record>,
    /// What checkers found about implementations, if that was written here.
    pub verified: Option<Verified>,
    /// Files that could not be read, with the reason.
    pub damaged: Vec<(PathBuf, String)>,
}

impl RunDir {
    /// Makes a new run directory.
    ///
    /// # Errors
    /// If the directory holds a run already, or anything else, or cannot be written.
    pub fn create(path: &Path, manifest: &Manifest) -> Result<RunDir> {
        if path.join("run.json").exists() {
            bail!("{} holds a run already: --resume goes on with it, --out names another", path.display());
        }
        if path.is_dir() && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            bail!(
                "{} is not empty and is not a run: --out must name a new or an empty folder",
                path.display()
            );
        }
        fs::create_dir_all(path.join("cells"))
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        let dir = RunDir { path: path.to_owned() };
        write_atomically(&dir.path.join("run.json"), &to_json(manifest)?)?;
        Ok(dir)
    }

    /// Opens a run directory and reads its plan.
    pub fn open(path: &Path) -> Result<(RunDir, Manifest)> {
        let file = path.join("run.json");
        if !file.is_file() {
            bail!("{} is not a run: it has no run.json", path.display());
        }
        let manifest: Manifest = read_json(&file)?;
        ensure!(manifest.kind == KIND, "{}: kind is `{}`, expected `{KIND}`", file.display(), manifest.kind);
        Ok((RunDir { path: path.to_owned() }, manifest))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the record of `cell` is, or would be.
    pub fn record_path(&self, cell: &str) -> PathBuf {
        self.path.join("cells").join(format!("{cell}.json"))
    }

    /// Where the timeline of a simulated launch is, if the run was asked for it.
    pub fn trace_path(&self, cell: &str, launch: u32) -> PathBuf {
        self.path.join("cells").join(format!("{cell}.launch{launch}.trace.json"))
    }

    /// Writes a record and its histograms.
    pub fn save(&self, record: &Record) -> Result<()> {
        let mut lean = record.clone();
        let mut log = Vec::new();
        {
            let mut serializer = V2DeflateSerializer::new();
            let mut writer = IntervalLogWriterBuilder::new()
                .add_comment("synchroscope: one line a distribution; the tag names launch, metric and role")
                .begin_log_with(&mut log, &mut serializer)
                .context("cannot write a histogram log")?;
            for launch in &mut lean.launches {
                let Some(result) = &mut launch.result else { continue };
                let span = Duration::from_nanos(result.span_ns());
                // So that a distribution without its line in the log is a damage, and not perhaps an empty one.
                result.distributions.retain(|distribution| !distribution.values.is_empty());
                for distribution in &mut result.distributions {
                    let name = tag(launch.index, distribution.metric.name(), distribution.role);
                    let tag = Tag::new(&name).ok_or_else(|| anyhow!("`{name}` is no tag"))?;
                    let histogram = distribution.values.decode()?;
                    let start = Duration::from_millis(launch.started_unix_ms);
                    writer
                        .write_histogram(&histogram, start, span, Some(tag))
                        .map_err(|e| anyhow!("cannot write a histogram log: {e:?}"))?;
                    distribution.values = Values::default();
                }
            }
        }
        let path = self.record_path(&record.cell);
        write_atomically(&path.with_extension("hlog"), &log)?;
        write_atomically(&path, &to_json(&lean)?)
    }

    /// Reads the record of one cell, histograms included.
    pub fn load_record(&self, cell: &str) -> Result<Record> {
        let path = self.record_path(cell);
        let mut record: Record = read_json(&path)?;
        ensure!(record.cell == cell, "{}: holds cell `{}`", path.display(), record.cell);
        let log_path = path.with_extension("hlog");
        let log = fs::read(&log_path).with_context(|| format!("cannot read {}", log_path.display()))?;
        let log = read_histogram_log(&log).with_context(|| format!("{} is damaged", log_path.display()))?;
        for launch in &mut record.launches {
            let Some(result) = &mut launch.result else { continue };
            for distribution in &mut result.distributions {
                let name = tag(launch.index, distribution.metric.name(), distribution.role);
                let hdr = log.get(&name);
                let hdr =
                    hdr.with_context(|| format!("{} is damaged: it has no `{name}`", log_path.display()))?;
                distribution.values = Values::Hdr { hdr: hdr.clone() };
                let decoded = distribution.values.decode();
                decoded.with_context(|| format!("{} is damaged at `{name}`", log_path.display()))?;
            }
        }
        Ok(record)
    }

    /// Where stands what checkers found.
    pub fn verified_path(&self) -> PathBuf {
        self.path.join("verified.json")
    }

    /// What checkers found about implementations, if that was written here.
    pub fn load_verified(&self) -> Result<Option<Verified>> {
        let path = self.verified_path();
        if !path.exists() {
            return Ok(None);
        }
        let verified: Verified = read_json(&path)?;
        let kind = verified::KIND;
        ensure!(verified.kind == kind, "{}: kind is `{}`, expected `{kind}`", path.display(), verified.kind);
        Ok(Some(verified))
    }

    /// Adds what checkers found; of each implementation the newest stays.
    pub fn save_verified(&self, newer: &Verified) -> Result<()> {
        let mut verified = self.load_verified()?.unwrap_or_else(|| Verified::new(Vec::new()));
        verified.update(newer);
        write_atomically(&self.verified_path(), &to_json(&verified)?)
    }

    /// Reads everything that is there. Damaged records are listed, not fatal.
    pub fn load(path: &Path) -> Result<Loaded> {
        let (dir, manifest) = RunDir::open(path)?;
        let (mut records, mut damaged) = (Vec::new(), Vec::new());
        for cell in &manifest.cells {
            let path = dir.record_path(&cell.cell);
            if !path.exists() {
                continue;
            }
            match dir.load_record(&cell.cell) {
                Ok(record) => records.push(record),
                Err(error) => damaged.push((path, format!("{error:#}"))),
            }
        }
        let verified = dir.load_verified().unwrap_or_else(|error| {
            damaged.push((dir.verified_path(), format!("{error:#}")));
            None
        });
        Ok(Loaded { path: path.to_owned(), manifest, records, verified, damaged })
    }
}

fn tag(launch: u32, metric: &str, role: usize) -> String {
    format!("launch{launch}.{metric}.role{role}")
}

/// The histograms of a log as they are encoded there, by their tags.
///
/// # Errors
/// If it is no histogram log.
pub fn read_histogram_log(log: &[u8]) -> Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    for entry in IntervalLogIterator::new(log) {
        match entry.map_err(|e| anyhow!("{e:?}"))? {
            LogEntry::Interval(interval) => {
                let tag = interval.tag().context("a line has no tag")?;
                let text = interval.encoded_histogram().trim().to_owned();
                found.insert(tag.as_str().to_owned(), text);
            }
            LogEntry::StartTime(_) | LogEntry::BaseTime(_) => {}
        }
    }
    Ok(found)
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    Ok(json)
}

/// Reads a JSON file of this project after a look at its schema version.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    match value.get("schema").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(SCHEMA) => {}
        Some(version) => {
            bail!("{}: schema {version} is not known; this version reads 1 to {SCHEMA}", path.display())
        }
        None => bail!("{} is not a file of synchroscope: it has no schema number", path.display()),
    }
    // From the text once more: errors then name line and column.
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// Writes a file so that readers see the old content or the new, never a part.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let attempt = || -> Result<()> {
        let folder = path.parent().context("has no folder")?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(content)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path)?;
        Ok(())
    };
    attempt().with_context(|| format!("cannot write {}", path.display()))
}
