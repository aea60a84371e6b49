//! Simulated against published curves, for a terminal.

use record::validation::{Crossover, Experiment, Order, SeriesAgreement, Validation};

use crate::text::{Align, aligned, fit, three_digits};

/// A crossover counts as found if its number of threads is off by at most this share of the published one.
const CROSSOVER_WITHIN: f64 = 0.3;

/// What `validate` prints.
pub fn text(validation: &Validation) -> String {
    let mut out = String::new();
    for experiment in experiments(validation) {
        out.push_str(&format!("{}\n{}", title(experiment), series_rows(validation, experiment)));
        for (threads, reason) in unscored(validation, experiment) {
            out.push_str(&format!("  {threads}: shown, not scored: {reason}\n"));
        }
        out.push('\n');
    }
    out.push_str(&overall(validation));
    out.push_str("\n\n");
    out.push_str(&crossing_rows(validation));
    for ticket in &validation.naive_ticket {
        let published = ticket.published_cycles_per_waiter.map_or_else(
            || "no published value".into(),
            |cycles| format!("published {}", three_digits(cycles)),
        );
        out.push_str(&format!(
            "Naive ticket on {} ({}): {} more cycles a hand-over for each more waiter; {published}\n",
            ticket.platform,
            ticket.preset,
            three_digits(ticket.cycles_per_waiter)
        ));
    }
    for skipped in &validation.skipped {
        out.push_str(&format!(
            "Skipped: {} {} of {}: {}\n",
            fit(&skipped.platform, 40),
            fit(&skipped.series, 40),
            skipped.file,
            skipped.reason
        ));
    }
    out.push_str("Limits:\n");
    for limit in &validation.limits {
        out.push_str(&format!("- {limit}\n"));
    }
    out
}

/// The experiments that were simulated, in their order.
pub(crate) fn experiments(validation: &Validation) -> Vec<&Experiment> {
    let mut found: Vec<&Experiment> = Vec::new();
    for series in &validation.series {
        if !found.contains(&&series.experiment) {
            found.push(&series.experiment);
        }
    }
    found
}

/// An experiment in words.
pub(crate) fn title(experiment: &Experiment) -> String {
    let Experiment { file, platform, preset, bench } = experiment;
    format!("{}, {bench}, on sim:{preset} ({file})", fit(platform, 40))
}

/// The whole in a sentence.
pub(crate) fn overall(validation: &Validation) -> String {
    let scored = validation.series.iter().filter(|series| series.error.is_some()).count();
    match validation.overall_error {
        Some(error) => format!(
            "Overall error {error:.2} over {scored} series: the geometric mean of the factor between simulated and \
             published, 1 where they agree; {}.",
            match validation.seeds {
                1 => "of one seed".to_owned(),
                seeds => format!("medians of {seeds} seeds"),
            }
        ),
        None => "No point is scored: there is no overall error.".into(),
    }
}

/// Numbers of threads of an experiment that are not scored, with the reason.
pub(crate) fn unscored(validation: &Validation, experiment: &Experiment) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for point in validation.points.iter().filter(|point| point.experiment == *experiment) {
        let Some(reason) = &point.unscored else { continue };
        match found.iter_mut().find(|(_, known)| known == reason) {
            Some((places, _)) => places.push_str(&format!(", {} {}", fit(&point.series, 40), point.threads)),
            None => found.push((format!("{} {}", fit(&point.series, 40), point.threads), reason.clone())),
        }
    }
    found
}

/// The point that is farthest off.
pub(crate) fn worst(series: &SeriesAgreement) -> String {
    match series.worst_threads.zip(series.worst_ratio) {
        Some((threads, ratio)) => format!("×{ratio:.2} at {threads} threads"),
        None => "-".into(),
    }
}

fn series_rows(validation: &Validation, experiment: &Experiment) -> String {
    let headings = [
        ("  series", Align::Left),
        ("points", Align::Right),
        ("error", Align::Right),
        ("worst: simulated by published", Align::Left),
    ];
    let own = validation.series.iter().filter(|series| series.experiment == *experiment);
    let rows: Vec<Vec<String>> = own
        .map(|series| {
            vec![
                format!("  {}", fit(&series.series, 40)),
                series.scored.to_string(),
                series.error.map_or_else(|| "-".into(), |error| format!("{error:.2}")),
                worst(series),
            ]
        })
        .collect();
    aligned(&headings, &rows)
}

/// An order in words.
pub(crate) fn in_words(order: &Order) -> String {
    match order {
        Order::Crosses { threads, ahead } => format!("{} from {}", fit(ahead, 40), three_digits(*threads)),
        Order::Never { ahead } => format!("no crossing, {} ahead", fit(ahead, 40)),
        Order::Equal => "no crossing, equal".into(),
    }
}

/// Whether the published curves cross.
pub(crate) fn crosses(order: &Order) -> bool {
    matches!(order, Order::Crosses { .. })
}

/// Whether the model agrees about a pair.
pub(crate) fn agrees(crossover: &Crossover) -> bool {
    match crossover.ratio {
        Some(ratio) => (ratio - 1.0).abs() <= CROSSOVER_WITHIN,
        None => !crosses(&crossover.published) && crossover.published == crossover.simulated,
    }
}

/// How many orders the model gets right.
pub(crate) fn orders(validation: &Validation) -> String {
    let (crossing, other): (Vec<_>, Vec<_>) =
        validation.crossovers.iter().partition(|crossover| crosses(&crossover.published));
    let right = |pairs: &[&Crossover]| pairs.iter().filter(|pair| agrees(pair)).count();
    let leaders: Vec<&Crossover> =
        other.into_iter().filter(|pair| matches!(pair.published, Order::Never { .. })).collect();
    format!(
        "{} of {} published crossovers lie within 30 % in the model; {} of {} pairs that never cross have the same \
         one ahead throughout.",
        right(&crossing),
        crossing.len(),
        right(&leaders),
        leaders.len()
    )
}

/// Pairs worth a line: those that cross somewhere, and those whose leader is another one.
pub(crate) fn telling(validation: &Validation) -> impl Iterator<Item = &Crossover> {
    validation.crossovers.iter().filter(|pair| {
        let led = |order: &Order| matches!(order, Order::Never { .. });
        let other_leader = led(&pair.published) && led(&pair.simulated) && pair.published != pair.simulated;
        crosses(&pair.published) || crosses(&pair.simulated) || other_leader
    })
}

fn crossing_rows(validation: &Validation) -> String {
    if validation.crossovers.is_empty() {
        return String::new();
    }
    let headings = [
        ("Crossovers", Align::Left),
        ("bench", Align::Left),
        ("published, threads", Align::Left),
        ("simulated", Align::Left),
        ("ratio", Align::Right),
    ];
    let rows: Vec<Vec<String>> = telling(validation)
        .map(|pair| {
            vec![
                format!("  {}, {}", fit(&pair.a, 20), fit(&pair.b, 20)),
                format!("{} {}", fit(&pair.experiment.platform, 20), pair.experiment.bench),
                in_words(&pair.published),
                in_words(&pair.simulated),
                pair.ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}")),
            ]
        })
        .collect();
    format!("{}{}\n\n", aligned(&headings, &rows), orders(validation))
}
