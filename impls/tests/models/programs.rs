//! Which program of the model checkers runs which implementation, and how far loom came: a table in the docs.

use std::collections::BTreeMap;

use impls::suite::models::programs::PROGRAMS;

use super::Case;

/// Rows are implementations, columns programs. Of each, whether loom saw all executions within the bound of preemptions,
/// or the first ones; numbers would change with every line of a source.
pub(super) fn table(passed: &[(Case, usize, bool)]) -> String {
    let mut rows: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (case, _, complete) in passed {
        let how = if *complete { "all" } else { "part" };
        rows.entry(case.id).or_default().insert(case.program, how);
    }
    let mut text = "<!-- Made by impls/tests/models: do not edit. -->\n\n".to_owned();
    text += &format!(
        "{} implementations under {} programs of loom and shuttle, which found no fault. `all`: loom saw every execution \
         within the bound of preemptions; `part`: the first 20,000 of them. A dash: the card does not claim what the \
         program asks.\n\n",
        rows.len(),
        PROGRAMS.len()
    );
    text += "| program | threads | preemptions | asks |\n|---|---:|---:|---|\n";
    for program in PROGRAMS {
        text += &format!(
            "| {} | {} | {} | {} |\n",
            program.name, program.threads, program.preemptions, program.asks
        );
    }
    let heads = PROGRAMS.iter().map(|program| program.name).collect::<Vec<_>>().join(" | ");
    text += &format!("\n| implementation | {heads} |\n|---|{}\n", "---|".repeat(PROGRAMS.len()));
    for (id, ran) in rows {
        let cells = PROGRAMS.iter().map(|program| ran.get(program.name).copied().unwrap_or("-"));
        text += &format!("| `{id}` | {} |\n", cells.collect::<Vec<_>>().join(" | "));
    }
    text
}
