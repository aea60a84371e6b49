//! A comparison as text and as JSON.

use anyhow::Context as _;

use super::{Comparison, Quantity, Row, Verdict};
use crate::noise::margins_text;
use crate::text::{Align, aligned, change, fit, si, time};

impl Comparison {
    /// The documented, versioned JSON.
    ///
    /// # Errors
    /// If a number cannot be written, which no finite ratio can cause.
    pub fn to_json(&self) -> anyhow::Result<String> {
        let mut json = serde_json::to_string_pretty(self).context("cannot write the comparison as JSON")?;
        json.push('\n');
        Ok(json)
    }

    /// Rows with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|r| r.verdict == verdict).count()
    }

    /// Aligned text.
    pub fn to_text(&self) -> String {
        let mut out = format!("A: {}\nB: {}\n\n", fit(&self.a, 200), fit(&self.b, 200));
        if self.rows.is_empty() {
            out.push_str("Nothing to compare: no ranked cell is on both sides.\n");
        } else {
            out.push_str(&self.table());
            out.push('\n');
            out.push_str(&self.legend());
        }
        for note in &self.notes {
            out.push_str(&format!("Note: {}\n", fit(note, 300)));
        }
        if !self.unpaired.is_empty() {
            out.push_str(&format!("\nNot compared ({}):\n", self.unpaired.len()));
            for u in &self.unpaired {
                out.push_str(&format!(
                    "  {}  {}: {}\n",
                    fit(&u.name, 40),
                    fit(&u.label, 40),
                    fit(&u.reason, 160)
                ));
            }
        }
        out
    }

    fn table(&self) -> String {
        let headings = [
            ("point", Align::Left),
            ("cell", Align::Left),
            ("quantity", Align::Left),
            ("A", Align::Right),
            ("B", Align::Right),
            ("B against A", Align::Right),
            ("interval", Align::Right),
            ("visible from", Align::Right),
            ("verdict", Align::Left),
        ];
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| self.line(row)).collect();
        aligned(&headings, &rows)
    }

    fn line(&self, row: &Row) -> Vec<String> {
        let dash = || "-".to_owned();
        let cell = if row.a == row.b {
            fit(&row.a, 34)
        } else {
            format!("{} → {}", fit(&row.a, 28), fit(&row.b, 28))
        };
        let number = |value: Option<f64>| value.map_or_else(dash, |v| quantity_text(row.quantity, v));
        let interval = row.ratio.map_or_else(dash, |r| {
            let short = if r.reached { "" } else { " (!)" };
            format!("{} to {}{short}", change(r.low), change(r.high))
        });
        let verdict = match &row.note {
            Some(note) => format!("{} ({})", row.verdict.name(), fit(note, 60)),
            None => row.verdict.name().to_owned(),
        };
        // Points of several machines have the same names.
        let point = match row.source.strip_prefix("simulated") {
            Some(machine) => format!("{}{}", fit(&row.label, 32), fit(machine, 24)),
            None => fit(&row.label, 32),
        };
        vec![
            point,
            cell,
            row.quantity.name().to_owned(),
            number(row.median_a),
            number(row.median_b),
            row.ratio.map_or_else(dash, |r| change(r.estimate)),
            interval,
            row.minimal_detectable_ratio.map_or_else(dash, change),
            verdict,
        ]
    }

    fn legend(&self) -> String {
        let counts: Vec<String> = [
            Verdict::Regressed,
            Verdict::Improved,
            Verdict::Equivalent,
            Verdict::Inconclusive,
            Verdict::Contaminated,
        ]
        .into_iter()
        .filter(|v| self.count(*v) > 0)
        .map(|v| format!("{} {}", self.count(v), v.name()))
        .collect();
        let floor = match self.noise_floor_ratio {
            Some(floor) => format!("A/A floor {}", change(floor)),
            None => "A/A floor not known".into(),
        };
        let chance = self.rows.len() as f64 * (1.0 - self.confidence);
        format!(
            "{}. Intervals: {} % over launches (exact Mann-Whitney); (!) marks one that so few launches cannot give. \
             Margin {} ({floor}). Visible from: the smallest difference that such launches show 9 times in 10. \
             By chance alone at most {chance:.1} of {} rows leave 1.\n",
            counts.join(", "),
            si(self.confidence * 100.0),
            margins_text(self.margin_ratios),
            self.rows.len()
        )
    }
}

fn quantity_text(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::Throughput => format!("{}/s", si(value)),
        Quantity::WaitP99 | Quantity::CpuPerOp => time(value),
        Quantity::Jain => format!("{value:.3}"),
    }
}
