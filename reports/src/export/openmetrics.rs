//! OpenMetrics text: gauges of the median launch, summaries of all waits. Times are seconds, as that format asks.

use anyhow::Result;
use record::Record;
use record::histogram::empty;
use record::store::Loaded;

use super::{Metric, Series, series};
use crate::summary::Source;

/// Quantiles of the summaries.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// A family of gauges: its name, its unit, what it is, the metric, and what turns a number into that unit.
type Gauge = (&'static str, &'static str, &'static str, Metric, f64);

const GAUGES: [Gauge; 3] = [
    (
        "synchroscope_throughput_operations_per_second",
        "operations_per_second",
        "Operations a second, all workers together; median of the launches.",
        Metric::Throughput,
        1.0,
    ),
    (
        "synchroscope_cpu_per_operation_seconds",
        "seconds",
        "Processor time for an operation; median of the launches.",
        Metric::CpuPerOperation,
        1e-9,
    ),
    (
        "synchroscope_jain_ratio",
        "ratio",
        "Jain's index over the operations of the workers; median of the launches.",
        Metric::Jain,
        1.0,
    ),
];

/// The exposition of a run.
pub(super) fn text(run: &Loaded, series: &[Series<'_>]) -> Result<String> {
    let (manifest, host) = (&run.manifest, &run.manifest.host.fingerprint);
    let mut out = String::new();
    let cores = host.cores.to_string();
    family(&mut out, "synchroscope_run", "info", None, "The run that the numbers are of.");
    let labels = labels(&[
        ("suite", &manifest.suite),
        ("version", &manifest.tool.version),
        ("revision", manifest.tool.revision.as_deref().unwrap_or("")),
        ("cpu", &host.cpu_model),
        ("cores", &cores),
        ("fingerprint", &host.id()),
    ]);
    out.push_str(&format!("synchroscope_run_info{labels} 1\n"));

    family(&mut out, "synchroscope_cell_ok", "gauge", None, "1 if the cell may be ranked, 0 if not.");
    for record in &run.records {
        let tier = Source::of(&record.machine).probe_tier().name();
        let ok = u8::from(record.status == record::Status::Ok);
        out.push_str(&format!("synchroscope_cell_ok{} {ok}\n", of_cell(record, tier, &[])));
    }
    for (name, unit, help, metric, scale) in GAUGES {
        family(&mut out, name, "gauge", Some(unit), help);
        for one in series.iter().filter(|one| one.metric == metric) {
            let labels = of_cell(one.record, one.tier.name(), &[]);
            out.push_str(&format!("{name}{labels} {:e}\n", one.median() * scale));
        }
    }
    let name = "synchroscope_wait_seconds";
    family(
        &mut out,
        name,
        "summary",
        Some("seconds"),
        "Waits of all roles, in the launches that were timed most closely.",
    );
    for record in &run.records {
        waits(&mut out, name, record)?;
    }
    out.push_str("# EOF\n");
    Ok(out)
}

fn waits(out: &mut String, name: &str, record: &Record) -> Result<()> {
    let mut all = empty();
    for (_, waits) in series::timed(record)? {
        all.add(&waits).map_err(|e| anyhow::anyhow!("cell {}: {e}", record.cell))?;
    }
    if all.is_empty() {
        return Ok(());
    }
    let tier = Source::of(&record.machine).probe_tier().name();
    for quantile in QUANTILES {
        let labels = of_cell(record, tier, &[("quantile", &quantile.to_string())]);
        out.push_str(&format!("{name}{labels} {:e}\n", all.value_at_quantile(quantile) as f64 * 1e-9));
    }
    let labels = of_cell(record, tier, &[]);
    out.push_str(&format!("{name}_count{labels} {}\n", all.len()));
    out.push_str(&format!("{name}_sum{labels} {:e}\n", all.mean() * all.len() as f64 * 1e-9));
    Ok(())
}

fn family(out: &mut String, name: &str, kind: &str, unit: Option<&str>, help: &str) {
    out.push_str(&format!("# TYPE {name} {kind}\n"));
    if let Some(unit) = unit {
        out.push_str(&format!("# UNIT {name} {unit}\n"));
    }
    out.push_str(&format!("# HELP {name} {help}\n"));
}

/// The labels of every number of a cell.
fn of_cell(record: &Record, tier: &str, more: &[(&str, &str)]) -> String {
    let (name, threads) = (record.display_name(), record.point.threads().to_string());
    let mut pairs = vec![
        ("cell", record.cell.as_str()),
        ("implementation", &name),
        ("point", &record.point.label),
        ("threads", &threads),
        ("machine", &record.machine),
        ("tier", tier),
        ("status", record.status.name()),
    ];
    pairs.extend(more);
    labels(&pairs)
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let all: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    format!("{{{}}}", all.join(","))
}
