//! A row a number, in the form that data frames like: what each number is of stands beside it.

use super::Series;

/// Names of the columns.
const COLUMNS: [&str; 15] = [
    "cell",
    "implementation",
    "arm",
    "params",
    "workload",
    "point",
    "threads",
    "machine",
    "tier",
    "status",
    "launch",
    "probe",
    "metric",
    "unit",
    "value",
];

/// The table, by RFC 4180 but with line feeds alone. Cells that are not `ok` are in it: `status` says what they are.
pub(super) fn table(series: &[Series<'_>]) -> String {
    let mut out = COLUMNS.join(",") + "\n";
    for one in series {
        let record = one.record;
        let params: Vec<String> =
            record.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for number in &one.numbers {
            let row: [String; 15] = [
                record.cell.clone(),
                record.implementation.clone(),
                record.arm.clone(),
                params.join(" "),
                record.point.workload.clone(),
                record.point.label.clone(),
                record.point.threads().to_string(),
                record.machine.clone(),
                one.tier.name().to_owned(),
                record.status.name().to_owned(),
                number.launch.to_string(),
                number.probe.name().to_owned(),
                one.metric.name().to_owned(),
                one.metric.unit().to_owned(),
                number.value.to_string(),
            ];
            out.push_str(&row.map(|field| quoted(&field)).join(","));
            out.push('\n');
        }
    }
    out
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
