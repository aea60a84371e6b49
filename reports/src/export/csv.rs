//! A row a number, in the form that data frames like: what each number is of stands beside it.

use super::Series;

/// Names of the columns.
pub(super) const COLUMNS: [&str; 15] = [
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

/// The rows, each with its columns. Cells that are not `ok` are in it: `status` says what they are.
pub(super) fn rows<'s>(series: &'s [Series<'_>]) -> impl Iterator<Item = [String; 15]> + 's {
    series.iter().flat_map(|one| {
        let record = one.record;
        let params: Vec<String> =
            record.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let params = params.join(" ");
        one.numbers.iter().map(move |number| {
            [
                record.cell.clone(),
                record.implementation.clone(),
                record.arm.clone(),
                params.clone(),
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
            ]
        })
    })
}

/// The table, by RFC 4180 but with line feeds alone.
pub(super) fn table(series: &[Series<'_>]) -> String {
    let mut out = COLUMNS.join(",") + "\n";
    for row in rows(series) {
        out.push_str(&row.map(|field| quoted(&field)).join(","));
        out.push('\n');
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
