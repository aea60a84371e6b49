//! The table that a run prints at its end: workload by workload, fastest first, then what could not be ranked and why.

use record::{Record, Status};

use crate::group::{Group, group};
use crate::summary::{Source, Spread, Summary, summarise};
use crate::text::{Align, aligned, fit, si, time};

/// Width of a terminal that nobody told about.
pub const WIDTH: usize = 120;

/// The table for a terminal of usual width.
pub fn table(records: &[Record]) -> String {
    table_of(&summarise(records), WIDTH)
}

/// The table of summaries, for a terminal of `width` columns. Narrow terminals get fewer columns.
pub fn table_of(cells: &[Summary], width: usize) -> String {
    if cells.is_empty() {
        return "No cell has a record: there is nothing to show.\n".into();
    }
    let groups = group(cells);
    let mut out = String::new();
    for one in &groups {
        // What a model says must not pass for measured.
        if groups.len() > 1 || one.source != Source::Measured {
            out.push_str(&format!("== {} ==\n\n", title(one)));
        }
        for point in &one.points {
            let threads =
                if point.threads == 1 { "1 thread".into() } else { format!("{} threads", point.threads) };
            out.push_str(&format!("{}  ({threads})\n", fit(point.label, width.max(20) - 16)));
            let ranked = point.ranked();
            if ranked.is_empty() {
                out.push_str("  no cell can be ranked\n");
            } else {
                out.push_str(&ranked_rows(&ranked, width));
            }
            out.push('\n');
        }
    }
    out.push_str(&unranked_rows(cells));
    out.push_str(&remarks(cells));
    if cells.iter().any(|c| c.ranked()) {
        out.push_str(
            "op/s: median of the plain launches, and their range. wait: probed launches, all roles. - : not known.\n",
        );
    }
    if cells.iter().any(|c| c.ranked() && c.source != Source::Measured) {
        out.push_str(
            "Simulated: every launch is both, and the range is that of its seeds. A model, not an oracle.\n",
        );
    }
    out
}

fn title(group: &Group<'_>) -> String {
    match &group.source {
        Source::Measured => {
            let f = group.fingerprint;
            format!("measured on {} ({} cores, {})", f.cpu_model, f.cores, f.id())
        }
        simulated => simulated.name(),
    }
}

/// Narrower than this and the range, processor time and parks are left out.
const FULL_WIDTH: usize = 100;

fn ranked_rows(ranked: &[&Summary], width: usize) -> String {
    let full = width >= FULL_WIDTH;
    let mut headings = vec![("  implementation", Align::Left), ("op/s", Align::Right)];
    if full {
        headings.push(("min-max", Align::Right));
    }
    headings.extend([
        ("p50", Align::Right),
        ("p99", Align::Right),
        ("p99.9", Align::Right),
        ("max", Align::Right),
    ]);
    headings.push(("Jain", Align::Right));
    if full {
        headings.extend([("CPU/op", Align::Right), ("parks/op", Align::Right)]);
    }
    headings.push(("status", Align::Left));
    let dash = || "-".to_owned();
    let row = |cell: &&Summary| {
        let mut row = vec![format!("  {}", fit(&cell.name, if full { 34 } else { 26 }))];
        let throughput = cell.throughput_per_s.as_ref();
        row.push(throughput.map_or_else(dash, |s| si(s.median)));
        if full {
            row.push(throughput.map_or_else(dash, range));
        }
        match cell.wait() {
            Some(w) => row.extend([w.p50_ns, w.p99_ns, w.p999_ns, w.max_ns].map(|ns| time(ns as f64))),
            None => row.extend([dash(), dash(), dash(), dash()]),
        }
        row.push(cell.jain_workers.as_ref().map_or_else(dash, |s| format!("{:.3}", s.median)));
        if full {
            row.push(cell.cpu_ns_per_op.as_ref().map_or_else(dash, |s| time(s.median)));
            let parks = cell.profile.as_ref().and_then(|p| p.parks_per_acquire());
            row.push(parks.map_or_else(dash, si));
        }
        let starved = match cell.starved_workers.len() {
            0 => String::new(),
            n => format!(", {n} starved"),
        };
        row.push(format!("{}{starved}", cell.status.name()));
        row
    };
    aligned(&headings, &ranked.iter().map(row).collect::<Vec<_>>())
}

fn range(spread: &Spread) -> String {
    format!("{}-{}", si(spread.min), si(spread.max))
}

/// What must be known beside the numbers: of each point the first remark, and how many cells have one.
fn remarks(cells: &[Summary]) -> String {
    let mut of_point: Vec<(&str, &Summary, usize)> = Vec::new();
    for cell in cells.iter().filter(|cell| !cell.problems.is_empty()) {
        match of_point.iter_mut().find(|(label, ..)| *label == cell.label) {
            Some((.., count)) => *count += 1,
            None => of_point.push((&cell.label, cell, 1)),
        }
    }
    let line = |(label, cell, count): &(&str, &Summary, usize)| {
        let others = match count {
            1 => String::new(),
            2 => " (and one more cell)".to_owned(),
            more => format!(" (and {} more cells)", more - 1),
        };
        format!("  {}  {}: {}{others}\n", fit(&cell.name, 40), fit(label, 40), cell.problems.join("; "))
    };
    if of_point.is_empty() {
        return String::new();
    }
    format!("Remarks\n{}\n", of_point.iter().map(line).collect::<String>())
}

fn unranked_rows(cells: &[Summary]) -> String {
    let mut out = String::new();
    let sections = [
        (Status::Failed, "Failed"),
        (Status::Suspect, "Suspect: shown, not ranked"),
        (Status::NotApplicable, "Not applicable here"),
        (Status::Ok, "Without a plain launch: not ranked"),
    ];
    for (status, heading) in sections {
        let of_status = cells.iter().filter(|c| c.status == status && !c.ranked());
        let lines: Vec<String> = of_status
            .map(|c| {
                let reasons =
                    if c.reasons.is_empty() { "no reason given".into() } else { c.reasons.join("; ") };
                // Whole: a reason that is cut in the middle explains nothing.
                let machine = match &c.source {
                    Source::Measured => String::new(),
                    Source::Simulated(preset) => format!(" on sim:{preset}"),
                };
                format!("  {}  {}{machine}: {reasons}\n", fit(&c.name, 40), fit(&c.label, 40))
            })
            .collect();
        if !lines.is_empty() {
            out.push_str(&format!("{heading} ({})\n{}\n", lines.len(), lines.concat()));
        }
    }
    out
}
