//! A run in the formats of other tools: records in, text or files out.
//!
//! | module | for |
//! |---|---|
//! | `series` | what all formats share: which numbers leave, under which names, from which tier |
//! | `criterion` | criterion's directory tree, which critcmp reads |
//! | `trackers` | Bencher's metric format, and github-action-benchmark |
//! | `benchfmt` | Go's benchmark format, which benchstat reads |
//! | `hdr` | one HdrHistogram interval log |
//! | `openmetrics` | Prometheus and its kin |
//! | `csv`, `parquet` | a row a number, for notebooks; Parquet is a cargo feature |
//!
//! Two rules. A simulated number says so in the name under which it arrives, for few of these formats have a place for
//! tiers. And a cell that is not `ok` does not arrive where numbers are only compared: the formats that can carry its
//! status do carry it.

mod benchfmt;
mod criterion;
mod csv;
mod hdr;
mod openmetrics;
#[cfg(feature = "parquet")]
mod parquet;
mod series;
mod trackers;

use anyhow::{Result, ensure};
use record::store::Loaded;

pub use series::{Metric, Number, Series, bench_name, series};

/// A format to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The directory tree that criterion leaves, with one baseline.
    Criterion,
    /// Bencher Metric Format.
    Bmf,
    /// Two files for github-action-benchmark, by which direction is better.
    Github,
    /// Go's benchmark format.
    Benchfmt,
    /// An HdrHistogram interval log of all times.
    Hdr,
    /// OpenMetrics text.
    OpenMetrics,
    /// A row a number.
    Csv,
    /// The same table in Parquet; only in builds with the feature `parquet`.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 8] = [
        Format::Criterion,
        Format::Bmf,
        Format::Github,
        Format::Benchfmt,
        Format::Hdr,
        Format::OpenMetrics,
        Format::Csv,
        Format::Parquet,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Criterion => "criterion",
            Format::Bmf => "bmf",
            Format::Github => "github-action-benchmark",
            Format::Benchfmt => "benchfmt",
            Format::Hdr => "hdr",
            Format::OpenMetrics => "openmetrics",
            Format::Csv => "csv",
            Format::Parquet => "parquet",
        }
    }

    /// Whether cells that are not `ok` arrive too, with their status or as raw data.
    pub const fn carries_status(self) -> bool {
        matches!(self, Format::Hdr | Format::OpenMetrics | Format::Csv | Format::Parquet)
    }
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its place below the folder of the export, with `/`.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// What an export gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Export {
    /// One text, for stdout or a file.
    Text(String),
    /// One file that is no text.
    Bytes(Vec<u8>),
    /// Files below a folder.
    Folder(Vec<File>),
}

/// Exports a run. `baseline` names it among others in a criterion tree; other formats do not use it.
///
/// # Errors
/// If the run holds nothing that the format takes, or a record's histograms are damaged.
pub fn export(run: &Loaded, format: Format, baseline: &str) -> Result<Export> {
    let series = series(run)?;
    let any =
        if format.carries_status() { !run.records.is_empty() } else { series.iter().any(Series::ranked) };
    ensure!(
        any,
        "{}: no cell of the run is ok and has numbers, so there is nothing to export as {}",
        run.path.display(),
        format.name()
    );
    Ok(match format {
        Format::Criterion => Export::Folder(criterion::files(run, baseline)?),
        Format::Bmf => Export::Text(trackers::bmf(&series)?),
        Format::Github => Export::Folder(trackers::github(&series)?),
        Format::Benchfmt => Export::Text(benchfmt::text(run, &series)),
        Format::Hdr => Export::Text(hdr::log(run)?),
        Format::OpenMetrics => Export::Text(openmetrics::text(run, &series)?),
        Format::Csv => Export::Text(csv::table(&series)),
        #[cfg(feature = "parquet")]
        Format::Parquet => Export::Bytes(parquet::file(run, &series)?),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => anyhow::bail!(
            "this build writes no Parquet: build it with --features parquet; --format csv has the same table"
        ),
    })
}

/// Pretty JSON that ends with its line.
fn json(value: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
