//! The pictures of a cell's page, each with the table that says the same in numbers.

use maud::{Markup, html};
use record::Schedule;

use super::{Part, Sight, cycles, tables};
use crate::html::chart::{self, HEAT_LEVELS, Heat, KINDS, Matrix, ROWS_MAX, Row};
use crate::html::figure::{plain_figure, scroll};
use crate::html::section::tier;
use crate::text::{percent, si, time};

/// The ledger as one bar, and its parts in ns.
pub(super) fn ledger(sight: &Sight<'_>) -> Part {
    let ledger = sight.evidence.ledger.as_ref().ok_or_else(|| sight.untold(true))?;
    let svg = chart::parts(ledger, sight.series(), &Sight::label("Wait ledger"))
        .ok_or_else(|| "Nothing to show: no time was accounted for.".to_owned())?;
    Ok(html! {
        (plain_figure(&svg, html! {}, html! {
            (tier(&sight.cell.source)) "; all workers and launches with full timing. The parts sum to their span, "
            (time(ledger.span_ns as f64)) "."
        }))
        (tables::ledger(ledger))
        @if let Some(cycles) = cycles::ledger(sight.record) { (cycles) }
    })
}

/// Waiting threads over time.
pub(super) fn waiters(sight: &Sight<'_>) -> Part {
    let rows = &sight.evidence.timeline;
    if rows.is_empty() {
        return Err(sight.untold(true));
    }
    let profile = sight.cell.profile.as_ref();
    let shown = &rows[..rows.len().min(ROWS_MAX)];
    let waits = shown.iter().flat_map(|row| &row.waiters).fold(0.0_f64, |most, w| most.max(*w));
    let (Some(heat), Some(svg)) =
        (Heat::of(shown), chart::heat_map(shown, sight.series(), &Sight::label("Waiting threads over time")))
    else {
        return Err("Nobody ever waited.".into());
    };
    let key = html! {
        ul .key {
            li { "threads that wait:" }
            @for level in 0..HEAT_LEVELS { li { i class={ "bh" (level) } {} (heat.range(level)) } }
        }
    };
    let longest = shown.iter().map(|row| row.bin_ns).max().unwrap_or(0);
    Ok(plain_figure(
        &svg,
        key,
        html! {
            (tier(&sight.cell.source)) "; means over " (time(longest as f64)) ", up to " (si(waits)) ". At the end of a row: its mean, and its largest."
            @if let Some(mean) = profile.and_then(|p| p.waiters_mean) { " Mean over all time: " (si(mean)) "." }
            @if let Some(most) = profile.and_then(|p| p.waiters_max) { " Most at one moment: " (most) "." }
            @if rows.len() > ROWS_MAX { " The first " (ROWS_MAX) " of " (rows.len()) " slices." }
        },
    ))
}

/// Who follows whom.
pub(super) fn hand_offs(sight: &Sight<'_>) -> Part {
    let threads = sight.record.point.threads();
    let counts = sight.evidence.hand_offs.clone();
    let Some(matrix) = counts.and_then(Matrix::of) else {
        return Err(match threads {
            65.. => format!("Nothing to show: the matrix is kept up to 64 workers, here are {threads}."),
            _ => sight.untold(false),
        });
    };
    if threads == 1 {
        return Err(format!("One worker follows itself, {} times.", si(matrix.total as f64)));
    }
    let key = html! {
        ul .key {
            li { "acquires:" }
            @for level in 0..HEAT_LEVELS { li { i class={ "bh" (level) } {} (matrix.range(level)) } }
        }
    };
    let own = matrix.own as f64 / matrix.total as f64;
    let note = html! {
        (tier(&sight.cell.source)) "; sums of all probed launches, colours in steps of equal ratio. "
        "On the diagonal a worker follows itself: " (percent(own)) " of " (si(matrix.total as f64)) " acquires; equal \
         turns would make it " (percent(1.0 / threads as f64)) "."
    };
    let table = tables::matrix(&matrix, &sight.workers);
    Ok(html! {
        @if matrix.is_table() {
            (scroll("Who follows whom", table))
            p .note { (note) }
        } @else {
            @let svg = chart::hand_offs(&matrix, &sight.workers, sight.series(), &Sight::label("Hand-off matrix"));
            (plain_figure(&svg, key, note))
            (tables::folded("In numbers", &table))
        }
    })
}

/// Runs of one owner.
pub(super) fn streaks(sight: &Sight<'_>) -> Part {
    let counts = &sight.evidence.streaks;
    let svg = chart::streaks(counts, sight.series()).ok_or_else(|| sight.untold(false))?;
    let all: u64 = counts.iter().sum();
    let acquires = sight.cell.profile.as_ref().map_or(0, |p| p.counts.acquires);
    Ok(plain_figure(
        &svg,
        html! {},
        html! {
            (tier(&sight.cell.source)) "; " (si(all as f64)) " streaks in all probed launches"
            @if all > 0 { ", " (si(acquires as f64 / all as f64)) " acquires long on average" }
            "."
        },
    ))
}

/// Lanes around the longest wait.
pub(super) fn worst(sight: &Sight<'_>) -> Part {
    let Some((launch, stretch)) = sight.evidence.worst else {
        let nobody = sight.cell.profile.as_ref().is_some_and(|p| p.waiters_max == Some(0));
        return Err(if nobody {
            "No wait was logged: none spun, slept, or took 1 µs.".into()
        } else {
            sight.untold(true)
        });
    };
    let svg =
        chart::lanes(stretch, &sight.workers, sight.series(), &Sight::label("Lanes of the worst stretch"))
            .ok_or_else(|| "Nothing to show: too many workers for lanes.".to_owned())?;
    let key = html! {
        ul .key { @for (_, part, what) in KINDS { li { i class={ "bp" (part) } {} (what) } } }
    };
    let worker = stretch.worker as usize;
    Ok(html! {
        (plain_figure(&svg, key, html! {
            (tier(&sight.cell.source)) "; launch " (launch) ", slice " (stretch.slice + 1) ", "
            (time(stretch.begin_ns as f64)) " after its begin. Framed: the longest logged wait, "
            (time(stretch.wait_ns as f64)) " of " (sight.workers.get(worker).map_or("a worker", String::as_str))
            ". Bare line: thinks, or operations too quick to be logged."
            @if stretch.omitted > 0 {
                " Too short to be drawn: " (si(stretch.omitted as f64)) " intervals, together "
                (time(stretch.omitted_ns as f64)) "."
            }
        }))
        (tables::lanes(stretch, &sight.workers))
    })
}

/// Histograms by role.
pub(super) fn times(sight: &Sight<'_>) -> Part {
    let waits = &sight.cell.waits;
    let mut rows = Vec::new();
    for (index, role) in sight.cell.roles.iter().enumerate() {
        // Colours of the ledger: waiting, holding.
        for (metric, by_role, part) in [("wait", &waits.wait_by_role, 3), ("hold", &waits.hold_by_role, 1)] {
            if let Some(times) = by_role.get(index).and_then(Option::as_ref) {
                rows.push(Row { name: format!("{role}: {metric}"), part, times });
            }
        }
    }
    if let Some(times) = &waits.wake_all {
        rows.push(Row { name: "all: wake".into(), part: 5, times });
    }
    let svg = chart::roles(&rows, sight.series(), &Sight::label("Histograms of waits and holds"))
        .ok_or_else(|| sight.untold(false))?;
    let probe = waits.probe.map_or("", record::ProbeMode::name);
    Ok(html! {
        (plain_figure(&svg, html! {}, html! {
            (tier(&sight.cell.source)) "; all launches with probe " (probe) " together. Below a name: how many."
            @if !sight.cell.compare_waits { " These waits are not those of threads: they are compared with nobody's." }
        }))
        (tables::times(&rows))
    })
}

/// Jain's index against the size of the window.
pub(super) fn fairness(sight: &Sight<'_>) -> Part {
    if sight.record.point.threads() == 1 {
        return Err("One worker is fair to itself.".into());
    }
    let windows = sight.cell.profile.as_ref().map_or(&[][..], |p| &p.windows);
    let picture = chart::fairness(
        &[sight.cell],
        &sight.at.site.catalogue,
        &Sight::label("Fairness against the window"),
    );
    let note = html! {
        (tier(&sight.cell.source)) "; launches with full timing."
        @if sight.cell.roles.len() > 1 { " Workers of different roles are not expected to get the same." }
        @if let Some(jain) = &sight.cell.jain_workers {
            " Over whole plain launches: " (format!("{:.3}", jain.median)) "."
        }
    };
    match (picture, windows) {
        (Some(svg), _) => Ok(html! {
            (plain_figure(&svg, html! {}, note))
            (tables::windows(windows))
        }),
        (None, []) => Err(sight.untold(true)),
        (None, windows) => Ok(html! { (tables::windows(windows)) p .note { (note) } }),
    }
}

/// The phases of a schedule that has more than one.
pub(super) fn phases(sight: &Sight<'_>) -> Part {
    let schedule = &sight.record.point.schedule;
    if *schedule == Schedule::Steady {
        return Err("All threads work all the time: the load has no phases.".into());
    }
    let phases = sight.cell.phases.as_ref().ok_or("Nothing to show: the launches report no phases.")?;
    let (catalogue, cells) = (&sight.at.site.catalogue, [sight.cell]);
    let picture: Markup = match schedule {
        Schedule::Ramp { .. } => {
            let label = Sight::label("Throughput up and down the ramp");
            let note = html! {
                "Medians of plain launches. Thick line, filled dots: on the way up. Thin line, rings: on the way down. A lock \
                 without memory draws one line."
            };
            chart::hysteresis(&cells, catalogue, &label)
                .map(|svg| plain_figure(&svg, html! {}, note))
        }
        Schedule::Stall { .. } => {
            let label = Sight::label("Throughput before, during and after the stall");
            let note = html! {
                "Medians of plain launches, a dot for each phase. The level line: 90 %, which counts as recovered."
                @if let Some(recovery) = &phases.recovery {
                    @if let Some(ns) = &recovery.recovery_ns {
                        " Recovered after " (time(ns.median)) " (" (time(ns.min)) " to " (time(ns.max)) ")."
                    }
                    @if recovery.not_recovered > 0 { " " (recovery.not_recovered) " slices did not recover before they ended." }
                }
            };
            chart::recovery(&cells, catalogue, &label)
                .map(|svg| plain_figure(&svg, html! {}, note))
        }
        Schedule::Steady | Schedule::Bursts { .. } => None,
    }
    .unwrap_or_default();
    Ok(html! { (picture) (tables::phases(phases)) })
}

/// Every launch.
pub(super) fn launches(sight: &Sight<'_>) -> Part {
    if sight.record.launches.is_empty() {
        return Err("No launch was made.".into());
    }
    let label = Sight::label("Throughput of every launch");
    let svg = chart::dots(sight.cell, &sight.at.site.catalogue, &label);
    Ok(html! {
        @if let Some(svg) = &svg {
            (plain_figure(svg, html! {}, html! {
                "Filled: plain. Hollow: probed. Cross: no result. The line is the median of the plain ones."
            }))
        }
        (scroll("Launches", tables::launches(sight)))
    })
}
