//! Two runs that were made one after the other, as rows of a guard report.

use record::Tier;

use super::{Estimate, Layer, Metric, Row};
use crate::compare::{Comparison, Quantity};

/// The rows of a comparison of launches that are not in pairs.
pub fn rows(comparison: &Comparison) -> Vec<Row> {
    let one = |row: &crate::compare::Row| Row {
        implementation: row.b.clone(),
        label: row.label.clone(),
        machine: match row.source.strip_prefix("simulated (") {
            Some(preset) => format!("sim:{}", preset.trim_end_matches(')')),
            None => "os".into(),
        },
        layer: Layer::Measured,
        metric: match row.quantity {
            Quantity::Throughput => Metric::Throughput,
            Quantity::WaitP99 => Metric::WaitP99,
            Quantity::CpuPerOp => Metric::CpuPerOp,
            Quantity::Jain => Metric::Jain,
        },
        tier: match row.quantity {
            _ if row.source != "measured" => Tier::Simulated,
            Quantity::CpuPerOp => Tier::MeasuredOs,
            _ => Tier::MeasuredProbe,
        },
        baseline: row.median_a,
        candidate: row.median_b,
        ratio: row.ratio.map(|ratio| Estimate {
            ratio: ratio.estimate,
            low: ratio.low,
            high: ratio.high,
            confidence: ratio.confidence,
            p: None,
        }),
        margin_ratio: row.margin_ratio,
        minimal_detectable_ratio: row.minimal_detectable_ratio,
        blocks: 0,
        confirmed: false,
        verdict: row.verdict,
        reason: row.note.clone().unwrap_or_default(),
        evidence: None,
    };
    comparison.rows.iter().map(one).collect()
}

/// What the reader of such rows must know.
pub fn notes(comparison: &Comparison) -> Vec<String> {
    let mut notes = vec![
        "two runs, one made after the other: launches are not in pairs, so what changed on the computer between them \
         looks like a change of the code"
            .to_owned(),
    ];
    notes.extend(comparison.notes.iter().cloned());
    let left = |unpaired: &crate::compare::Unpaired| {
        format!("not judged: {} {}: {}", unpaired.name, unpaired.label, unpaired.reason)
    };
    notes.extend(comparison.unpaired.iter().map(left));
    notes
}
