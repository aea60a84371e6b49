//! Ratios between two sets of records with intervals over launches, and a verdict that may be "cannot tell".

mod output;
mod pairing;

use record::store::Loaded;
use record::{Fingerprint, Record};
use serde::{Deserialize, Serialize};

use crate::noise::Margins;
use crate::stats::{self, Ratio};
use crate::summary::{CONFIDENCE, Source, Summary, summarise};

pub use pairing::Unpaired;

/// Version of the JSON that [`Comparison::to_json`] writes.
pub const VERSION: u32 = 1;

/// Power at which the minimal detectable effect is stated.
pub const POWER: f64 = 0.9;

/// Events beyond the 99th percentile below which a launch's p99 is little more than an anecdote.
pub const TAIL_EVENTS_MIN: u64 = 1000;

/// How to compare.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Confidence of the intervals.
    pub confidence: f64,
    /// Compare records of different computers: the ratio then holds the computers' difference too.
    pub across_machines: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { confidence: CONFIDENCE, across_machines: false }
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Operations per second of plain launches; more is better.
    Throughput,
    /// 99th percentile of the wait of probed launches; less is better.
    WaitP99,
    /// Processor time per operation of plain launches; less is better.
    CpuPerOp,
    /// Jain's index over workers of plain launches; more is better.
    Jain,
}

impl Quantity {
    /// In the order of the tables.
    pub const ALL: [Quantity; 4] =
        [Quantity::Throughput, Quantity::WaitP99, Quantity::CpuPerOp, Quantity::Jain];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Quantity::Throughput => "throughput",
            Quantity::WaitP99 => "wait p99",
            Quantity::CpuPerOp => "CPU per op",
            Quantity::Jain => "Jain",
        }
    }

    const fn more_is_better(self) -> bool {
        matches!(self, Quantity::Throughput | Quantity::Jain)
    }

    fn values(self, cell: &Summary) -> Vec<f64> {
        let of = |spread: &Option<crate::summary::Spread>| {
            spread.as_ref().map_or_else(Vec::new, |s| s.values.clone())
        };
        match self {
            Quantity::Throughput => of(&cell.throughput_per_s),
            // Goroutines wait without their threads: their waits stand beside nobody's.
            Quantity::WaitP99 if !cell.compare_waits => Vec::new(),
            Quantity::WaitP99 => cell.waits.p99_by_launch.iter().map(|p| p.0).collect(),
            Quantity::CpuPerOp => of(&cell.cpu_ns_per_op),
            Quantity::Jain => of(&cell.jain_workers),
        }
    }
}

/// What the launches say about B against A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval is better than the margin.
    Improved,
    /// The whole interval is worse than the margin.
    Regressed,
    /// The whole interval lies inside the margin.
    Equivalent,
    /// None of these: cannot tell.
    Inconclusive,
    /// A run's own A/A control differs from itself: its other differences say nothing either.
    Contaminated,
}

impl Verdict {
    /// The words in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Improved => "improved",
            Verdict::Regressed => "regressed",
            Verdict::Equivalent => "equivalent",
            Verdict::Inconclusive => "cannot tell",
            Verdict::Contaminated => "contaminated",
        }
    }
}

/// One quantity at one point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name of the point.
    pub label: String,
    /// Where the numbers come from.
    pub source: String,
    /// What is measured on the A side.
    pub a: String,
    /// What is measured on the B side.
    pub b: String,
    /// What is compared.
    pub quantity: Quantity,
    /// Median of A; per second, ns, or an index.
    pub median_a: Option<f64>,
    /// Median of B.
    pub median_b: Option<f64>,
    /// B over A; `None` when there is no ratio, `note` says why.
    pub ratio: Option<Ratio>,
    /// The smallest true ratio (above 1) that such launches would show with 90 % probability.
    pub minimal_detectable_ratio: Option<f64>,
    /// The ratio above 1 within which the two are equivalent, by the A/A pairs of the point.
    pub margin_ratio: f64,
    /// What the launches say.
    pub verdict: Verdict,
    /// What limits the verdict.
    pub note: Option<String>,
}

/// Two sets of records side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Always `synchroscope-comparison`.
    pub kind: &'static str,
    /// [`VERSION`].
    pub version: u32,
    /// Name of the A side.
    pub a: String,
    /// Name of the B side.
    pub b: String,
    /// Confidence that was asked.
    pub confidence: f64,
    /// The least and the largest margin of the rows, as ratios above 1.
    pub margin_ratios: (f64, f64),
    /// The largest A/A ratio, above 1, of the runs; `None` when no pair is among the records.
    pub noise_floor_ratio: Option<f64>,
    /// One row per point, pair of cells and quantity.
    pub rows: Vec<Row>,
    /// Cells that have no partner or may not be ranked, with the reason.
    pub unpaired: Vec<Unpaired>,
    /// What else the reader must know.
    pub notes: Vec<String>,
}

/// Compares two sets of records: cells with the same implementation, parameters, arm, machine and point.
///
/// # Errors
/// If the computers differ and `across_machines` is not set.
pub fn compare(a: &[&Record], b: &[&Record], options: &Options) -> anyhow::Result<Comparison> {
    let summarise_all = |records: &[&Record]| records.iter().map(|r| Summary::of(r)).collect::<Vec<_>>();
    between("A", "B", &summarise_all(a), &summarise_all(b), options)
}

/// Compares two runs.
///
/// # Errors
/// If the computers differ and `across_machines` is not set.
pub fn compare_runs(a: &Loaded, b: &Loaded, options: &Options) -> anyhow::Result<Comparison> {
    let name = |run: &Loaded| run.path.display().to_string();
    let mut comparison =
        between(&name(a), &name(b), &summarise(&a.records), &summarise(&b.records), options)?;
    for run in [a, b] {
        if !run.damaged.is_empty() {
            comparison.notes.push(format!("{}: {} damaged records left out", name(run), run.damaged.len()));
        }
    }
    Ok(comparison)
}

/// Compares two implementations at every point where the runs hold both, run by run and computer by computer.
///
/// # Errors
/// If an implementation is not among the records.
pub fn compare_implementations(
    runs: &[Loaded],
    a: &str,
    b: &str,
    options: &Options,
) -> anyhow::Result<Comparison> {
    let runs: Vec<Vec<Summary>> = runs.iter().map(|run| summarise(&run.records)).collect();
    for wanted in [a, b] {
        if !runs.iter().flatten().any(|c| pairing::is_called(c, wanted)) {
            let mut known: Vec<&str> = runs.iter().flatten().map(|c| c.name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            anyhow::bail!("no record of `{wanted}`: the runs hold {known}");
        }
    }
    let all: Vec<&[Summary]> = runs.iter().map(Vec::as_slice).collect();
    Ok(implementations(&all, a, b, options))
}

/// Two implementations at every point where the runs hold both, run by run.
pub(crate) fn implementations(runs: &[&[Summary]], a: &str, b: &str, options: &Options) -> Comparison {
    let (mut pairs, mut unpaired) = (Vec::new(), Vec::new());
    for cells in runs {
        let found = pairing::implementations(cells, a, b);
        pairs.extend(found.0);
        unpaired.extend(found.1);
    }
    judge(a, b, &pairs, unpaired, runs, options)
}

/// The rows of these pairs; `cells` hold the A/A pairs that tell the noise.
pub(crate) fn rows(pairs: &[(&Summary, &Summary)], cells: &[Summary]) -> Vec<Row> {
    judge("A", "B", pairs, Vec::new(), &[cells], &Options::default()).rows
}

/// Two sets of cells, with the names of the sides.
pub(crate) fn between(
    name_a: &str,
    name_b: &str,
    a: &[Summary],
    b: &[Summary],
    options: &Options,
) -> anyhow::Result<Comparison> {
    let mut notes = Vec::new();
    if let Some((source, one, other)) = different_machines(a, b) {
        let (whose, text) = match source {
            Source::Measured => {
                ("different computers".to_owned(), format!("{} against {}", describe(one), describe(other)))
            }
            Source::Simulated(name) => (
                format!("different machines of the name sim:{name}"),
                format!("{} against {}", one.kernel, other.kernel),
            ),
        };
        if !options.across_machines {
            anyhow::bail!(
                "the records come from {whose} ({text}): a ratio between them says nothing about the code; \
                 --across-machines compares them all the same"
            );
        }
        notes.push(format!("{whose} ({text}): every ratio holds the machines' difference too"));
    }
    let (pairs, unpaired) = pairing::same_cells(a, b, options.across_machines);
    if pairs.iter().any(|(x, y)| x.harness_hash != y.harness_hash) {
        notes.push("different versions of driver or probes: part of a difference may be the harness".into());
    }
    let mut comparison = judge(name_a, name_b, &pairs, unpaired, &[a, b], options);
    comparison.notes.splice(0..0, notes);
    Ok(comparison)
}

/// Two computers, or two simulated machines of one name, that are not the same.
fn different_machines<'a>(
    a: &'a [Summary],
    b: &'a [Summary],
) -> Option<(&'a Source, &'a Fingerprint, &'a Fingerprint)> {
    a.iter().find_map(|x| {
        let other = b.iter().find(|y| y.source == x.source && y.fingerprint != x.fingerprint)?;
        Some((&x.source, &x.fingerprint, &other.fingerprint))
    })
}

fn describe(f: &Fingerprint) -> String {
    format!("{}, {} cores, Linux {} [{}]", f.cpu_model, f.cores, f.kernel, f.id()).replace("Linux", &f.os)
}

fn judge(
    name_a: &str,
    name_b: &str,
    pairs: &[(&Summary, &Summary)],
    unpaired: Vec<Unpaired>,
    runs: &[&[Summary]],
    options: &Options,
) -> Comparison {
    let margins = Margins::of_runs(runs);
    let floor = margins.floor();
    let mut rows = Vec::new();
    for (a, b) in pairs {
        rows.extend(Quantity::ALL.into_iter().filter_map(|q| row(q, a, b, &margins, options)));
    }
    let least = rows.iter().map(|row| row.margin_ratio).reduce(f64::min);
    let margin_ratios = least.zip(rows.iter().map(|row| row.margin_ratio).reduce(f64::max));
    let mut notes = Vec::new();
    if margins.moved() {
        notes.push(
            "an A/A pair differs from itself beyond the margin: differences of this run are not trusted"
                .into(),
        );
    }
    if floor.is_none() {
        notes.push(
            "no A/A pair among the records: the margin is the least one, the noise is not known".into(),
        );
    }
    Comparison {
        kind: "synchroscope-comparison",
        version: VERSION,
        a: name_a.to_owned(),
        b: name_b.to_owned(),
        confidence: options.confidence,
        margin_ratios: margin_ratios.unwrap_or_else(|| margins.range()),
        noise_floor_ratio: floor,
        rows,
        unpaired,
        notes,
    }
}

/// `None` when neither side has the quantity at all.
fn row(quantity: Quantity, a: &Summary, b: &Summary, margins: &Margins, options: &Options) -> Option<Row> {
    let (values_a, values_b) = (quantity.values(a), quantity.values(b));
    if values_a.is_empty() && values_b.is_empty() {
        return None;
    }
    let margin_ratio = margins.at(&b.label, &b.source);
    let ratio = stats::ratio(&values_a, &values_b, options.confidence);
    let (mut verdict, mut note) = match &ratio {
        Err(error) => (Verdict::Inconclusive, Some(error.reason().to_owned())),
        Ok(ratio) => verdict(quantity, ratio, margin_ratio),
    };
    let tail = |c: &Summary| c.waits.p99_by_launch.iter().map(|p| p.1).min().unwrap_or(0);
    if quantity == Quantity::WaitP99 && tail(a).min(tail(b)) < TAIL_EVENTS_MIN && ratio.is_ok() {
        note.get_or_insert(format!("fewer than {TAIL_EVENTS_MIN} events beyond p99 in a launch"));
        verdict = Verdict::Inconclusive;
    }
    if matches!(verdict, Verdict::Improved | Verdict::Regressed) && margins.moved() {
        verdict = Verdict::Contaminated;
    }
    Some(Row {
        label: b.label.clone(),
        source: b.source.name(),
        a: a.name.clone(),
        b: b.name.clone(),
        quantity,
        median_a: stats::median(&values_a),
        median_b: stats::median(&values_b),
        minimal_detectable_ratio: stats::minimal_detectable_ratio(
            &values_a,
            &values_b,
            options.confidence,
            POWER,
        ),
        margin_ratio,
        ratio: ratio.ok(),
        verdict,
        note,
    })
}

fn verdict(quantity: Quantity, ratio: &Ratio, margin: f64) -> (Verdict, Option<String>) {
    if !ratio.reached {
        let note = format!(
            "{} and {} launches reach {:.1} % at most",
            ratio.launches_a,
            ratio.launches_b,
            ratio.confidence * 100.0
        );
        return (Verdict::Inconclusive, Some(note));
    }
    let (above, below) = (ratio.low > margin, ratio.high < 1.0 / margin);
    if above || below {
        let better = above == quantity.more_is_better();
        return (if better { Verdict::Improved } else { Verdict::Regressed }, None);
    }
    if ratio.low > 1.0 / margin && ratio.high < margin {
        return (Verdict::Equivalent, None);
    }
    let note = ratio.excludes_one().then(|| "differs, but perhaps by less than the margin".to_owned());
    (Verdict::Inconclusive, note)
}
