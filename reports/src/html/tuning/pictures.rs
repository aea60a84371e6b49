//! The pictures of a search: surfaces, regrets, fronts, what each knob does alone.

use maud::{Markup, html};

use super::{METHOD, judged, source};
use crate::guard::Metric;
use crate::html::chart::{self, Axes, Dot, Edge, EdgeKind, Grid, GridField, Line, Panel, Trade};
use crate::html::figure::{figure, titled};
use crate::html::site::At;
use crate::text::{change, fit, percent};
use crate::tune::outcome::Place;
use crate::tune::surface::Surface;
use crate::tune::text::order;
use crate::tune::{Phase, TuneReport};

/// Surfaces and fronts drawn at most.
const PICTURES_MAX: usize = 8;
/// Settings in the regret map at most.
const REGRETS_MAX: usize = 24;
/// Scores that an iso-line separates, as changes of the ratio.
const ISO: [f64; 9] = [-0.5, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.5];

fn place(report: &TuneReport, setting: usize, scenario: usize) -> Option<&Place> {
    report.settings[setting].places.iter().find(|place| place.scenario == scenario)
}

fn throughput(report: &TuneReport, setting: usize, scenario: usize) -> Option<f64> {
    let place = place(report, setting, scenario)?;
    place.ratios.iter().find(|r| r.metric == Metric::Throughput).map(|r| r.ratio.ratio)
}

/// The two knobs that matter most: columns, and rows if there are two knobs that vary.
fn axes(report: &TuneReport) -> Option<(usize, Option<usize>)> {
    let share = |knob: usize| report.knobs[knob].effects.iter().map(|(_, e)| e.range).fold(0.0, f64::max);
    let mut knobs: Vec<usize> =
        (0..report.plan.knobs.len()).filter(|&k| report.plan.knobs[k].values.len() > 1).collect();
    knobs.sort_by(|&a, &b| share(b).total_cmp(&share(a)).then(a.cmp(&b)));
    Some((*knobs.first()?, knobs.get(1).copied()))
}

/// Throughput over the two knobs that matter most, a picture a scenario.
pub(super) fn surfaces(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    let Some((column, row)) = axes(report) else { return html! {} };
    let mut scenarios = report.plan.seen(true);
    scenarios.extend(report.plan.seen(false));
    let left = scenarios.len().saturating_sub(PICTURES_MAX);
    html! {
        h2 id=(at.id("surface")) { (titled(at, "Surface", METHOD)) }
        p .note {
            "Throughput by the default's; the framed field is the default. Dark lines are iso-lines, between fields on either side of "
            (iso_names()) "; the thick orange line is the cliff, the steepest step. A dot stands where a setting was not tried."
        }
        @for &scenario in scenarios.iter().take(PICTURES_MAX) {
            (surface(at, report, scenario, column, row))
        }
        @if left > 0 { p .note { "And " (left) " more scenarios, in the data." } }
    }
}

fn iso_names() -> String {
    let names: Vec<String> =
        ISO.iter().map(|c| if *c == 0.0 { "equal".into() } else { format!("{:+.0} %", c * 100.0) }).collect();
    names.join(", ")
}

fn surface(
    at: &At<'_, '_>,
    report: &TuneReport,
    scenario: usize,
    column: usize,
    row: Option<usize>,
) -> Markup {
    let plan = &report.plan;
    let scores: Vec<Option<f64>> =
        (0..plan.settings.len()).map(|s| throughput(report, s, scenario).map(f64::ln)).collect();
    let surface = Surface::of(plan, column, row, &scores);
    let known: Vec<f64> = surface.fields.iter().flatten().flatten().copied().collect();
    if known.len() < 2 {
        return html! {};
    }
    let (low, high) =
        known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let level = |score: f64| {
        // A surface that is flat within a percent shall not look like a mountain.
        let span = (high - low).max(0.01);
        (1.0 + (score - low) / span * 7.0).round().clamp(0.0, 8.0) as u8
    };
    let field = |y: usize, x: usize| {
        let score = surface.at(y, x)?;
        let setting = surface.settings[y][x]?;
        Some(GridField {
            level: level(score),
            text: short(score.exp()),
            title: format!("{}: throughput {}", plan.show(setting), short(score.exp())),
            series: setting,
            framed: setting == plan.default,
        })
    };
    let rows = surface.rows.len();
    let fields = (0..rows).map(|y| (0..surface.columns.len()).map(|x| field(y, x)).collect()).collect();
    let cliff = surface.cliff().filter(|cliff| cliff.drop > plan.rules.epsilon());
    let mut edges: Vec<Edge> = Vec::new();
    for (a, b) in surface.neighbours() {
        let (Some(from), Some(to)) = (surface.at(a.0, a.1), surface.at(b.0, b.1)) else { continue };
        let (less, more) = (from.min(to).exp() - 1.0, from.max(to).exp() - 1.0);
        // Equal settings lie on the line itself.
        if ISO.iter().any(|iso| less < *iso - 1e-9 && more >= *iso - 1e-9) && more - less > 1e-6 {
            edges.push(Edge { a, b, kind: EdgeKind::Iso });
        }
    }
    if let Some(cliff) = cliff {
        edges.push(Edge { a: cliff.high, b: cliff.low, kind: EdgeKind::Cliff });
    }
    let grid = Grid {
        columns: surface.columns.iter().map(u64::to_string).collect(),
        rows: match row {
            Some(_) => surface.rows.iter().map(u64::to_string).collect(),
            None => vec![String::new()],
        },
        column_name: plan.knobs[column].name.clone(),
        row_name: row.map_or_else(String::new, |row| plan.knobs[row].name.clone()),
        fields,
        edges,
        left: if row.is_some() { 150 } else { 20 },
    };
    let name = fit(&report.scenario(scenario).name(), 70);
    let title = format!("Throughput at {name}");
    let svg =
        chart::grid(&grid, &format!("{title}, by the values of the knobs; outcome.json holds the numbers"));
    let words = cliff.and_then(|cliff| {
        let setting = |(y, x): (usize, usize)| surface.settings[y][x];
        let (high, low) = (setting(cliff.high)?, setting(cliff.low)?);
        Some(format!(
            "The cliff: from {} to {} throughput falls by {}.",
            plan.show(high),
            plan.show(low),
            percent(1.0 - (-cliff.drop).exp())
        ))
    });
    figure(
        at,
        &title,
        METHOD,
        &svg,
        html! {},
        html! {
            (source(report, scenario)) "; "
            @if plan.knobs.len() > 2 { "other knobs at history's values; " }
            @match words { Some(words) => (words), None => "no step beyond the tolerance." }
        },
    )
}

/// What each setting gives away in each scenario.
pub(super) fn regrets(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    let plan = &report.plan;
    let scenarios = judged(report);
    let settings: Vec<usize> = order(report)
        .into_iter()
        .filter(|s| report.settings[*s].regret_worst.is_some())
        .take(REGRETS_MAX)
        .collect();
    if settings.len() < 2 {
        return html! {};
    }
    let of = |setting: usize, scenario: usize| place(report, setting, scenario)?.regret;
    let top =
        settings.iter().flat_map(|&s| scenarios.iter().filter_map(move |&c| of(s, c))).fold(0.01, f64::max);
    let field = |setting: usize, scenario: usize| {
        let regret = of(setting, scenario)?;
        Some(GridField {
            level: (regret / top * 8.0).round().clamp(0.0, 8.0) as u8,
            text: percent(regret.exp() - 1.0),
            title: format!(
                "{} at {}: regret {}",
                plan.show(setting),
                report.scenario(scenario).name(),
                percent(regret.exp() - 1.0)
            ),
            series: setting,
            framed: setting == plan.default || setting == report.picked,
        })
    };
    let name = |&setting: &usize| {
        let marks = match (setting == plan.default, setting == report.picked) {
            (true, true) => " (default, picked)",
            (true, false) => " (default)",
            (false, true) => " (picked)",
            (false, false) => "",
        };
        format!("{}{marks}", plan.show(setting))
    };
    let grid = Grid {
        columns: scenarios.iter().map(|s| column(report, *s)).collect(),
        rows: settings.iter().map(name).collect(),
        column_name: "scenario".into(),
        row_name: "setting, smallest worst regret first".into(),
        fields: settings.iter().map(|&s| scenarios.iter().map(|&c| field(s, c)).collect()).collect(),
        edges: Vec::new(),
        left: 380,
    };
    let svg = chart::grid(&grid, "Regret of each setting in each scenario; outcome.json holds the numbers");
    let judged_in =
        if report.judged == Phase::Race { "measured on this computer" } else { "simulated: a model" };
    html! {
        h2 id=(at.id("regret")) { (titled(at, "Regret", METHOD)) }
        (figure(at, "What each setting gives away", METHOD, &svg, html! {}, html! {
            (judged_in) ". How much better the best setting of the scenario scores; preference " (plan.prefer.name())
            ". Picked is the smallest worst regret; framed are the default and the pick."
        }))
    }
}

/// Throughput against the p99 wait, a picture a scenario, with the probability of belonging to the front.
pub(super) fn fronts(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    let plan = &report.plan;
    let scenarios = judged(report);
    let best: Vec<usize> = order(report).into_iter().take(4).collect();
    let trades = |scenario: usize| -> Vec<Trade> {
        let of = |setting: usize| {
            let place = place(report, setting, scenario)?;
            let triple = |metric: Metric| {
                let r = place.ratios.iter().find(|r| r.metric == metric)?.ratio;
                Some((r.ratio, r.low, r.high))
            };
            let named = setting == plan.default || setting == report.picked || best.contains(&setting);
            let default = if setting == plan.default { " (default)" } else { "" };
            Some(Trade {
                name: format!("{}{default}", plan.show(setting)),
                series: setting,
                throughput: triple(Metric::Throughput)?,
                wait: triple(Metric::WaitP99)?,
                membership: report.settings[setting].membership?,
                named,
            })
        };
        (0..plan.settings.len()).filter_map(of).collect()
    };
    let left = scenarios.len().saturating_sub(PICTURES_MAX);
    html! {
        h2 id=(at.id("front")) { (titled(at, "Front", METHOD)) }
        (membership(report))
        @for &scenario in scenarios.iter().take(PICTURES_MAX) {
            @let title = format!("Throughput against the p99 wait at {}", fit(&report.scenario(scenario).name(), 60));
            @if let Some(svg) = chart::trade(&trades(scenario), &title) {
                (figure(at, &title, METHOD, &svg, key(), html! {
                    (source(report, scenario)) ". Crosses: 95 % of the resampled medians over "
                    @if report.scenario(scenario).is_simulated() { "seeds" } @else { "blocks" }
                    "; colour: probability that nobody dominates the setting over all scenarios and all three objectives."
                }))
            }
        }
        @if left > 0 { p .note { "And " (left) " more scenarios, in the data." } }
    }
}

fn key() -> Markup {
    html! {
        ul .key {
            li { "On the front with probability" }
            li { i .bs3 {} "from 95 %" }
            li { i .bs2 {} "50 to 95 %" }
            li { i .bs1 {} "5 to 50 %" }
            li { i .bg0 {} "below 5 %" }
        }
    }
}

fn membership(report: &TuneReport) -> Markup {
    let on: Vec<usize> =
        order(report).into_iter().filter(|s| report.settings[*s].on_front(&report.plan)).collect();
    html! {
        p {
            (on.len()) " settings are not dominated with a probability of "
            (percent(report.plan.rules.dominance)) " or more: "
            @for (nth, setting) in on.iter().take(8).enumerate() {
                @if nth > 0 { "; " }
                (report.plan.show(*setting))
                @if let Some(p) = report.settings[*setting].membership { " (" (percent(p)) ")" }
            }
            @if on.len() > 8 { "; and " (on.len() - 8) " more" }
            "."
        }
    }
}

/// What each knob does alone.
pub(super) fn sensitivity(at: &At<'_, '_>, report: &TuneReport) -> Markup {
    let plan = &report.plan;
    let axes = Axes {
        x_name: "value of the knob (logarithmic)",
        y_name: "score by the default's",
        text: ratio_text,
        is_index: false,
    };
    let panel = |(knob, found): (usize, &crate::tune::outcome::KnobOutcome)| {
        let line = |(nth, (scenario, effect)): (usize, &(usize, crate::tune::effects::Effect))| {
            let values = plan.knobs[knob].values.iter().zip(&effect.means);
            let dots = values.filter_map(|(value, mean)| {
                let ratio = (*mean)?.exp();
                Some(Dot { at: *value, median: ratio, min: ratio, max: ratio })
            });
            let cell = &report.scenario(*scenario).cell;
            let machine = cell.machine.strip_prefix("sim:").unwrap_or(&cell.machine);
            Line {
                name: format!(
                    "{} {machine}",
                    cell.point.label.replacen(&cell.point.workload, "", 1).trim_start_matches('/')
                ),
                series: *scenario,
                colour: nth % 6,
                dots: dots.collect(),
            }
        };
        let lines = found.effects.iter().enumerate().map(line).collect();
        Panel { title: plan.knobs[knob].name.clone(), lines }
    };
    let varied = report.knobs.iter().enumerate().filter(|(knob, _)| plan.knobs[*knob].values.len() > 1);
    html! {
        h2 id=(at.id("sensitivity")) { (titled(at, "What each knob does", METHOD)) }
        ul .findings {
            @for (knob, found) in plan.knobs.iter().zip(&report.knobs) {
                li {
                    code { (knob.name) } ", history: " (knob.default) " (" (fit(&knob.origin, 120)) "). Simulated: " (found.simulated.name())
                    "; measured: " (found.measured.name()) "."
                    @if let Some((scenario, effect)) = largest(found) {
                        " Alone it makes up to " (percent(effect.share)) " of the variance and a range of "
                        (percent(effect.range.exp() - 1.0)) " of the score, at " (report.scenario(scenario).name()) "."
                    }
                }
            }
        }
        @for (knob, found) in varied {
            @let panel = panel((knob, found));
            @let title = format!("Main effect of {}", plan.knobs[knob].name);
            @if let Some(svg) = chart::multiples(std::slice::from_ref(&panel), &axes, &title) {
                (figure(at, &title, METHOD, &svg, html! {}, html! {
                    "Simulated: means over all settings with the value; a line a scenario."
                }))
            }
        }
    }
}

fn largest(found: &crate::tune::outcome::KnobOutcome) -> Option<(usize, &crate::tune::effects::Effect)> {
    let most = found.effects.iter().max_by(|a, b| a.1.range.total_cmp(&b.1.range))?;
    (most.1.range > 1e-9).then_some((most.0, &most.1))
}

fn ratio_text(ratio: f64) -> String {
    if (ratio - 1.0).abs() < 1e-9 { "equal".into() } else { change(ratio) }
}

/// A change for a field of a surface: what rounds to nothing has no sign.
fn short(ratio: f64) -> String {
    if (ratio - 1.0).abs() < 5e-4 { "0".into() } else { change(ratio) }
}

/// A scenario over a column: its point, and its machine where that is a model.
fn column(report: &TuneReport, scenario: usize) -> String {
    let cell = &report.scenario(scenario).cell;
    match cell.machine.strip_prefix("sim:") {
        Some(machine) => format!("{} {machine}", cell.point.label),
        None => cell.point.label.clone(),
    }
}
