//! The card of environment and noise: what the numbers were measured on, and how far to trust them.

use std::collections::BTreeMap;

use maud::{Markup, html};
use record::store::Loaded;
use record::{Fingerprint, Tier};

use super::figure::titled;
use super::site::At;
use crate::noise;
use crate::summary::{Counter, Source, Summary};
use crate::text::{change, percent, three_digits};

/// A card for each computer that measured something, and one for all simulated machines.
pub(super) fn cards(at: &At<'_, '_>) -> Markup {
    let (runs, cells) = (at.site.runs, at.site.cells);
    let mut computers: Vec<(&Loaded, Vec<Summary>)> = Vec::new();
    for run in runs {
        let own = &run.manifest.host.fingerprint;
        if !computers.iter().any(|(known, _)| known.manifest.host.fingerprint == *own) {
            let measured = |c: &&Summary| c.source == Source::Measured && c.fingerprint == *own;
            computers.push((run, cells.iter().filter(measured).cloned().collect()));
        }
    }
    let mut machines: Vec<&Fingerprint> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.source != Source::Measured) {
        if !machines.contains(&&cell.fingerprint) {
            machines.push(&cell.fingerprint);
        }
    }
    html! {
        section id=(at.id("environment")) aria-label="Environment and noise" {
            @for (run, of_computer) in &computers {
                @if !of_computer.is_empty() || machines.is_empty() { (card(at, run, of_computer)) }
            }
            @if !machines.is_empty() { (simulated(&machines)) }
        }
    }
}

fn simulated(machines: &[&Fingerprint]) -> Markup {
    html! {
        div .card {
            h2 { @if machines.len() == 1 { "Simulated machine" } @else { "Simulated machines" } }
            dl .facts {
                @for f in machines {
                    dt { "machine" }
                    dd { (f.cpu_model) "; " (f.nodes) @if f.nodes == 1 { " memory node; " } @else { " memory nodes; " } (f.kernel) }
                }
                dt { "noise" }
                dd { "none: an equal seed gives equal numbers; ranges are those of the seeds" }
                dt { "cost of observing" }
                dd { "none: looking costs no simulated time" }
                dt { "counters" }
                dd { strong { (Tier::Simulated.name()) } ": every number" }
            }
        }
    }
}

fn card(at: &At<'_, '_>, run: &Loaded, cells: &[Summary]) -> Markup {
    let (host, f) = (&run.manifest.host, &run.manifest.host.fingerprint);
    let pairs = noise::aa_pairs(cells);
    let costs = noise::probe_costs(cells);
    let known = |text: Option<String>| text.unwrap_or_else(|| "not known".into());
    html! {
        div .card {
            h2 { "Environment and noise" }
            dl .facts {
                dt { "processor" }
                dd {
                    (f.cpu_model) ", " (f.cores) " cores, " (f.nodes)
                    @if f.nodes == 1 { " memory node, " } @else { " memory nodes, " } (f.arch)
                }
                dt { "system" }
                dd {
                    (f.os) " " (f.kernel) ", "
                    @match &f.hypervisor { Some(name) => { "virtual machine (" (name) ")" }, None => "no hypervisor seen" }
                }
                dt { "frequency governor" }
                dd { (known(host.environment.governor.clone())) }
                dt { "load when it began" }
                dd { (known(host.environment.load_1min.map(three_digits))) }
                dt { "steal during launches" }
                dd {
                    @match noise::steal(cells) {
                        Some((median, most)) => { "median " (percent(median)) ", at most " (percent(most)) },
                        None => "not known",
                    }
                }
                dt { (titled(at, "A/A spread", "what-looking-costs")) }
                dd {
                    @if pairs.is_empty() { "no A/A pair ran: the noise is not known" }
                    @for (index, pair) in pairs.iter().enumerate() {
                        @if index > 0 { br; }
                        (change(pair.throughput.estimate)) " (" (change(pair.throughput.low)) " to "
                        (change(pair.throughput.high)) ", "
                        (three_digits(pair.throughput.confidence * 100.0)) " %): the same "
                        (pair.implementation) " twice at " (pair.label)
                    }
                }
                dt { (titled(at, "cost of observing", "what-looking-costs")) }
                dd {
                    @if costs.is_empty() { "no cell ran both with and without a probe" }
                    @for (index, cost) in costs.iter().enumerate() {
                        @if index > 0 { br; }
                        "probe " (cost.probe.name()) ": throughput " (change(cost.ratio_median))
                        " (median of " (cost.cells) " cells, " (change(cost.ratio_min)) " to "
                        (change(cost.ratio_max)) ")"
                    }
                }
                dt { (titled(at, "counters", "tiers")) }
                dd { (tiers(cells)) }
                dt { "fingerprint" }
                dd { code { (f.id()) } }
            }
        }
    }
}

/// Which tier each counter has, and why others are missing.
fn tiers(cells: &[Summary]) -> Markup {
    let mut present: BTreeMap<Tier, Vec<&str>> = BTreeMap::new();
    let mut absent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, counter) in cells.iter().flat_map(|c| &c.counters) {
        match counter {
            Counter::Present { tier, .. } => present.entry(*tier).or_default().push(name),
            Counter::Absent(reason) => absent.entry(reason).or_default().push(name),
        }
    }
    let unique = |names: &mut Vec<&str>| {
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    };
    html! {
        @if present.is_empty() && absent.is_empty() { "none recorded" }
        @for (tier, names) in &mut present { strong { (tier.name()) } ": " (unique(names)) br; }
        @for (reason, names) in &mut absent { span .warn { "absent (" (reason) ")" } ": " (unique(names)) br; }
    }
}

/// A moment as text: `2026-11-21 04:43 UTC`.
pub(super) fn utc(unix_ms: u64) -> String {
    let minutes = unix_ms / 60_000;
    let (days, minute_of_day) = (minutes / 1440, minutes % 1440);
    // Civil calendar from days since 1970: years of 400 have 146,097 days, counted from 1 March of year 0.
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minute_of_day / 60, minute_of_day % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates() {
        assert_eq!(super::utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(super::utc(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(super::utc(1_795_236_180_000), "2026-11-21 04:43 UTC");
    }
}
