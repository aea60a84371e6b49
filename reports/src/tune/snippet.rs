//! The answer as text that a program or a person can take over: TOML, and constants in Rust.

use std::fmt::Write as _;

use super::outcome::{Answer, TuneReport};

/// The recommendation as TOML, with where it comes from.
pub fn toml(report: &TuneReport) -> String {
    let mut text = header(report, "#");
    let _ = writeln!(text, "[params.{:?}]", report.plan.implementation);
    for (name, value) in report.plan.named(report.chosen()) {
        let knob = report.plan.knobs.iter().find(|knob| knob.name == name);
        let default = knob.map_or(value, |knob| knob.default);
        let note = if default == value { "history's value".into() } else { format!("history: {default}") };
        let _ = writeln!(text, "{name} = {value} # {note}");
    }
    text
}

/// The recommendation as constants.
pub fn rust(report: &TuneReport) -> String {
    let mut text = header(report, "//");
    for (name, value) in report.plan.named(report.chosen()) {
        let knob = report.plan.knobs.iter().find(|knob| knob.name == name);
        let default = knob.map_or(value, |knob| knob.default);
        let _ = writeln!(text, "/// History's value: {default}.");
        let _ = writeln!(text, "pub const {}: u64 = {};", constant(name), grouped(value));
    }
    text
}

fn header(report: &TuneReport, mark: &str) -> String {
    let plan = &report.plan;
    let answer = match &report.answer {
        Answer::Change { .. } => "change",
        Answer::Keep { .. } => "keep the default",
    };
    let machine = if plan.simulate_only {
        let names: Vec<&str> = plan.presets.keys().map(String::as_str).collect();
        format!("SIMULATED on {}: a model, not a measurement", names.join(", "))
    } else {
        format!(
            "{} [{}], {} cores",
            plan.fingerprint.cpu_model,
            plan.fingerprint.id(),
            plan.fingerprint.cores
        )
    };
    format!(
        "{mark} {}: {answer}.\n{mark} {machine}; seed {}; evidence {} ({} trials); synchroscope {}\n",
        plan.implementation, plan.seed, report.evidence, report.trials, plan.tool.version
    )
}

/// A name as Rust writes constants; what no identifier may hold becomes `_`.
fn constant(name: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().map(upper).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// `1_000_000`.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_read_as_rust_does() {
        assert_eq!(constant("spin_rounds"), "SPIN_ROUNDS");
        assert_eq!(constant("2nd-chance"), "_2ND_CHANCE");
        assert_eq!([0, 999, 1_000, 1_000_000].map(grouped), ["0", "999", "1_000", "1_000_000"]);
    }
}
