//! The tables of a search: what fresh launches say, the two shapes, every setting and where its way ended.

use maud::{Markup, html};

use super::METHOD;
use crate::compare::Verdict;
use crate::html::figure::{scroll, titled};
use crate::html::site::At;
use crate::html::table::sort_value;
use crate::text::{change, fit, percent, si, time};
use crate::tune::TuneReport;
use crate::tune::plan::OBJECTIVES;
use crate::tune::text::{fate, order};

/// Fresh launches of the pick against the default.
pub(super) fn confirmation(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    let Some(confirmation) = &report.confirmation else { return html! {} };
    let class = |verdict: Verdict| match verdict {
        Verdict::Improved => "v-better",
        Verdict::Regressed => "v-worse",
        Verdict::Equivalent => "v-same",
        Verdict::Inconclusive | Verdict::Contaminated => "v-unknown",
    };
    let held_out = |label: &str, machine: &str| {
        report
            .plan
            .scenarios
            .iter()
            .any(|s| s.held_out && s.cell.point.label == label && s.cell.machine == machine)
    };
    html! {
        h2 id=(at.id("confirmation")) { (titled(at, "Confirmation", METHOD)) }
        p { (report.plan.show(report.picked)) " against the default, with launches that the search has not seen." }
        (scroll("Fresh launches of the pick against the default", html! {
            table .sortable {
                thead { tr {
                    th scope="col" { "scenario" } th scope="col" { "metric" } th scope="col" { "pick by default" } th scope="col" { "interval" }
                    th scope="col" { "margin" } th scope="col" { "could have seen" } th scope="col" { "blocks" } th scope="col" { "verdict" }
                    th scope="col" { "tier" } th scope="col" .l { "why" }
                } }
                tbody {
                    @for row in &confirmation.rows {
                        tr {
                            th scope="row" {
                                (fit(&row.label, 60)) @if row.machine != "os" { " " (row.machine) }
                                @if held_out(&row.label, &row.machine) { " " small { "held out" } }
                            }
                            td { (row.metric.name()) }
                            @match row.ratio {
                                Some(r) => {
                                    td data-v=(sort_value(r.ratio)) { (change(r.ratio)) }
                                    td { (change(r.low)) " to " (change(r.high)) }
                                },
                                None => { td { "-" } td { "-" } },
                            }
                            td { (change(row.margin_ratio)) }
                            td { (row.minimal_detectable_ratio.map_or_else(|| "-".into(), change)) }
                            td { (row.blocks) }
                            td class=(class(row.verdict)) { (row.verdict.name()) }
                            td { (row.tier.name()) }
                            td .w { (row.reason) }
                        }
                    }
                }
            }
        }))
        @if !confirmation.controls.is_empty() {
            ul .findings {
                @for control in &confirmation.controls {
                    li {
                        "Control: " (control.name) ": "
                        @if control.moved { strong .bad { "moved" } } @else { "did not move" }
                        " (" (control.detail) ")."
                    }
                }
            }
        }
    }
}

/// What reading parameters at run time costs.
pub(super) fn shapes(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    html! {
        @if !report.shapes.is_empty() {
            h2 id=(at.id("shapes")) { (titled(at, "The two shapes", METHOD)) }
            p .note {
                "Settings are read at run time; history's shape has its values as constants. Both with history's values, in the same blocks: \
                 what lies between them belongs to the search and not to any setting. Measured-probe."
            }
            (scroll("Throughput of the shape that reads parameters by that of history's", html! {
                table {
                    thead { tr {
                        th scope="col" { "scenario" } th scope="col" { "throughput, read at run time by constants" } th scope="col" { "95 % of resampled medians" }
                        th scope="col" { "p" } th scope="col" { "blocks" }
                    } }
                    tbody {
                        @for shape in &report.shapes {
                            tr {
                                th scope="row" { (fit(&report.scenario(shape.scenario).cell.point.label, 60)) }
                                td { (change(shape.throughput.ratio)) }
                                td { (change(shape.throughput.low)) " to " (change(shape.throughput.high)) }
                                td { (shape.throughput.p.map_or_else(|| "-".into(), |p| format!("{p:.4}"))) }
                                td { (shape.blocks) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// Every setting: where its way ended, and what it did in each scenario.
pub(super) fn settings(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    let plan = &report.plan;
    html! {
        h2 id=(at.id("settings")) { (titled(at, "Every setting", METHOD)) }
        (scroll("Every setting and where its way ended", html! {
            table .sortable {
                thead { tr {
                    th scope="col" { "setting" } th scope="col" { "worst regret" } th scope="col" { "on the front" } th scope="col" .l { "fate" }
                } }
                tbody {
                    @for setting in order(report) {
                        @let outcome = &report.settings[setting];
                        tr data-i=(setting) {
                            th scope="row" { (plan.show(setting)) @if setting == plan.default { " " small { "default" } } @if setting == report.picked { " " small { "picked" } } }
                            td data-v=(outcome.regret_worst.map_or_else(String::new, sort_value)) { (outcome.regret_worst.map_or_else(|| "-".into(), |r| percent(r.exp() - 1.0))) }
                            td data-v=(outcome.membership.map_or_else(String::new, sort_value)) { (outcome.membership.map_or_else(|| "-".into(), percent)) }
                            td .w { (fate(report, outcome)) }
                        }
                    }
                }
            }
        }))
        @for scenario in (0..plan.scenarios.len()).filter(|s| !plan.scenarios[*s].held_out) {
            (numbers(report, scenario))
        }
    }
}

fn numbers(report: &TuneReport, scenario: usize) -> Markup {
    let plan = &report.plan;
    let label = format!("Numbers at {}", report.scenario(scenario).name());
    let rows: Vec<_> = order(report)
        .into_iter()
        .filter_map(|s| Some((s, report.settings[s].places.iter().find(|p| p.scenario == scenario)?)))
        .collect();
    html! {
        @if !rows.is_empty() {
            details {
                summary { (fit(&label, 120)) }
                (scroll(&label, html! {
                    table .sortable {
                        caption { (super::source(report, scenario)) "; medians, and ratios to the default of the same rounds." }
                        thead { tr {
                            th scope="col" { "setting" } th scope="col" { "op/s" } th scope="col" { "p99 wait" } th scope="col" { "CPU per op" }
                            th scope="col" { "Jain" } th scope="col" { "longest wait" }
                            @for metric in OBJECTIVES { th scope="col" { (metric.name()) ", by the default's" } }
                            th scope="col" { "rounds" }
                        } }
                        tbody {
                            @for (setting, place) in rows {
                                tr data-i=(setting) {
                                    th scope="row" { (plan.show(setting)) }
                                    td data-v=(sort_value(place.numbers.throughput_per_s)) { (si(place.numbers.throughput_per_s)) }
                                    td data-v=(place.numbers.wait_ns_p99.map_or_else(String::new, sort_value)) { (place.numbers.wait_ns_p99.map_or_else(|| "-".into(), time)) }
                                    td data-v=(place.numbers.cpu_ns_per_op.map_or_else(String::new, sort_value)) { (place.numbers.cpu_ns_per_op.map_or_else(|| "-".into(), time)) }
                                    td { (place.numbers.jain.map_or_else(|| "-".into(), |j| format!("{j:.3}"))) }
                                    td data-v=(place.numbers.wait_ns_max.unwrap_or(0)) { (place.numbers.wait_ns_max.map_or_else(|| "-".into(), |ns| time(ns as f64))) }
                                    @for metric in OBJECTIVES {
                                        @match place.ratios.iter().find(|r| r.metric == metric) {
                                            Some(r) => td data-v=(sort_value(r.ratio.ratio)) { (change(r.ratio.ratio)) },
                                            None => td data-v="" { "-" },
                                        }
                                    }
                                    td { (place.rounds) }
                                }
                            }
                        }
                    }
                }))
            }
        }
    }
}
