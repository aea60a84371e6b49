//! From the command line to the plan of a search: knobs, scenarios, budget. Everything that can be refused is refused here.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use impls::card::{Card, Runs};
use impls::machine::os::{cores_allowed, cpus_allowed};
use impls::machine::sim::preset::Preset;
use impls::text::diagnose::unknown;
use record::{PlannedCell, is_simulated};
use reports::guard::judge::confirm_blocks;
use reports::tune::plan::{KIND, Rules, VERSION};
use reports::tune::{Knob, Scenario, TunePlan};
use workloads::pattern::Pattern;
use workloads::{Count, Overrides, Suite, Workload};

use super::space::{self, Range, SETTINGS_MAX, STEPS};
use crate::Observatory;
use crate::args::TuneArgs;
use crate::machines::Machines;

/// Time of a search for which none was asked.
const SECONDS: f64 = 240.0;
/// Share of the time that the screening may take; with --simulate-only nearly all.
const SCREEN_SHARE: f64 = 0.45;
/// Settings that race at most: the 24 best and the default.
const RACERS_MAX: usize = 25;
/// The simulated machine of many cores that screens unless others are named.
const MANY_CORES: &str = "genoa-192";
/// What the process of a launch costs on top of its slices, ms: a simulation in this process has none.
const PROCESS_MS: f64 = 12.0;
/// Metrics of a confirmation.
pub(super) const CONFIRM_METRICS: usize = 4;
/// Level of the confirmation.
pub(super) const CONFIRM_ALPHA: f64 = 0.01;
/// Seeds of a simulated confirmation: eight reach p = 0.008.
pub(super) const CONFIRM_SEEDS: u32 = 8;

/// How long each part is expected to take, s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Expected {
    pub(super) screen_s: f64,
    pub(super) race_s: f64,
    pub(super) confirm_s: f64,
}

/// The plan that the command line asks for.
pub(super) fn plan(observatory: &Observatory, args: &TuneArgs) -> Result<(TunePlan, Expected)> {
    let id = args.implementation.as_deref().unwrap_or_default();
    let card = card(observatory, id)?;
    let ranges = space::ranges(card, &args.params)?;
    ensure!(
        args.min_jain.is_finite() && (0.0..=1.0).contains(&args.min_jain),
        "--min-jain {}: expected a number from 0 to 1",
        args.min_jain
    );
    let wait_ns_max = args.max_wait.as_deref().map(time_ns).transpose()?;
    if let Some(seconds) = args.seconds {
        ensure!(
            seconds.is_finite() && seconds > 0.0 && seconds <= 1e7,
            "--seconds {seconds}: expected a time above 0"
        );
    }
    let machines = machines(args, card)?;
    let scenarios = scenarios(observatory, args, card, &machines)?;
    let mut plan = TunePlan {
        kind: KIND.into(),
        version: VERSION,
        implementation: card.id.into(),
        command: crate::cmd::command_line(),
        tool: crate::cmd::tool(),
        simulation_hash: env!("SYNCHROSCOPE_SIMULATION_HASH").into(),
        fingerprint: profiler::host::host().fingerprint,
        seed: args.seed,
        knobs: Vec::new(),
        settings: Vec::new(),
        default: 0,
        scenarios,
        seeds: args.seeds,
        racers_max: RACERS_MAX,
        race_launches_max: 0,
        rules: Rules::default(),
        prefer: args.prefer.into(),
        wait_ns_max,
        jain_min: args.min_jain,
        presets: machines.texts(),
        simulate_only: args.simulate_only,
    };
    let expected = fill(&mut plan, card, &ranges, args)?;
    Ok((plan, expected))
}

fn card<'o>(observatory: &'o Observatory, id: &str) -> Result<&'o Card> {
    if let Some(entry) = observatory.entry(id) {
        return Ok(entry.card());
    }
    ensure!(
        observatory.engine(id).is_none(),
        "{id} is run by an engine, another program: it has no parameters that could be tuned from here"
    );
    let near = unknown("implementation", id, observatory.ids());
    bail!("{near}; `list` shows all")
}

/// The simulated machines that screen.
fn machines(args: &TuneArgs, card: &Card) -> Result<Machines> {
    let runs_simulated = match card.runs {
        Runs::AnyMachine => true,
        Runs::OsOnly(reason) => {
            ensure!(!args.simulate_only, "--simulate-only: {} runs on `os` only: {reason}", card.id);
            let named = args.machines.iter().find(|name| is_simulated(name));
            ensure!(
                named.is_none(),
                "--machine {}: {} runs on `os` only: {reason}",
                args.machines[0],
                card.id
            );
            false
        }
    };
    if args.machines.is_empty() && runs_simulated {
        let mut names = vec![near(cores_allowed())?, MANY_CORES.to_owned()];
        names.dedup();
        let names: Vec<String> = names.into_iter().map(|name| format!("sim:{name}")).collect();
        return Machines::read(&names);
    }
    let wanted: Vec<String> = args.machines.iter().filter(|name| *name != "os").cloned().collect();
    ensure!(
        !(args.simulate_only && wanted.is_empty()),
        "--simulate-only: expected a simulated machine, such as --machine sim:genoa-192"
    );
    if wanted.is_empty() {
        return Ok(Machines::default());
    }
    Machines::read(&wanted)
}

/// The preset whose number of cores is nearest.
fn near(cores: usize) -> Result<String> {
    let distance = |name: &&str| {
        let theirs = Preset::builtin(name).map_or(1, |preset| preset.cores);
        ((f64::from(theirs) / cores.max(1) as f64).ln().abs() * 1e6) as u64
    };
    Preset::names().min_by_key(distance).map(str::to_owned).context("no preset is carried along")
}

/// A workload as the command line names it: its name or file, and a glob over its points.
struct Wanted {
    text: String,
    flag: &'static str,
    workload: Workload,
    points: Option<Pattern>,
}

fn wanted(flag: &'static str, text: &str) -> Result<Wanted> {
    let is_file = text.ends_with(".toml");
    let name = if is_file { text } else { text.split_once('/').map_or(text, |(name, _)| name) };
    let workload = if is_file {
        Workload::load(text)?
    } else if Workload::names().any(|known| known == name) {
        Workload::embedded(name)?
    } else {
        bail!(
            "{flag} {text}: {}; a file of your own ends in .toml",
            unknown("workload", name, Workload::names())
        );
    };
    let points = (!is_file && text.contains('/')).then(|| Pattern::new(text)).transpose();
    let points = points.map_err(|why| anyhow!("{flag} {text}: {why}"))?;
    Ok(Wanted { text: text.to_owned(), flag, workload, points })
}

fn scenarios(
    observatory: &Observatory,
    args: &TuneArgs,
    card: &Card,
    machines: &Machines,
) -> Result<Vec<Scenario>> {
    let searched: Vec<Wanted> =
        args.workloads.iter().map(|text| wanted("--workload", text)).collect::<Result<_>>()?;
    let held_out: Vec<Wanted> =
        args.hold_out.iter().map(|text| wanted("--hold-out", text)).collect::<Result<_>>()?;
    ensure!(!searched.is_empty(), "--workload: expected at least one workload; `list` shows them");
    let simulated: Vec<&str> = machines.presets.keys().map(String::as_str).collect();
    // Where the answer is confirmed: on this computer, or where there is none on the simulated ones.
    let arena: Vec<&str> = if args.simulate_only { simulated.clone() } else { vec!["os"] };
    let mut all = Vec::new();
    let places = simulated.iter().copied().chain((!args.simulate_only).then_some("os"));
    for machine in places {
        for wanted in &searched {
            add(&mut all, &cells(observatory, args, card, machines, wanted, machine)?, wanted, false)?;
        }
    }
    for machine in arena {
        for wanted in &held_out {
            add(&mut all, &cells(observatory, args, card, machines, wanted, machine)?, wanted, true)?;
        }
    }
    Ok(all)
}

fn add(all: &mut Vec<Scenario>, cells: &[PlannedCell], wanted: &Wanted, held_out: bool) -> Result<()> {
    for cell in cells {
        match all.iter().find(|known| known.cell.cell == cell.cell) {
            Some(known) if held_out && !known.held_out => bail!(
                "--hold-out {}: the search sees {} already: a held-out workload is one that it does not see",
                wanted.text,
                cell.point.label
            ),
            Some(_) => {}
            None => all.push(Scenario { cell: cell.clone(), held_out }),
        }
    }
    Ok(())
}

/// The cells of one workload on one machine, as a suite would plan them.
fn cells(
    observatory: &Observatory,
    args: &TuneArgs,
    card: &Card,
    machines: &Machines,
    wanted: &Wanted,
    machine: &str,
) -> Result<Vec<PlannedCell>> {
    // A simulated launch has no noise, and one slice says it all; on this computer medians are over slices.
    let (slices, slice_ms, warmup_ms) = if machine == "os" { (4, 10.0, 2.0) } else { (1, 2.0, 0.25) };
    let name = if wanted.text.ends_with(".toml") { &wanted.text } else { &wanted.workload.name };
    let text = format!(
        "name = \"tune\"\nsummary = \"a search\"\nlaunches = 1\nprobed = 1\nprobe = \"full\"\nslices = {slices}\n\
         slice_ms = {slice_ms}\nwarmup_ms = {warmup_ms}\naa = {id:?}\n[[cells]]\nworkload = {name:?}\nimplementations = [{id:?}]\n",
        id = card.id,
    );
    let suite = Suite::parse(wanted.flag, &text, std::path::Path::new(""))?;
    let overrides = Overrides {
        machines: vec![machine.to_owned()],
        simulated: machines.cores(),
        seeds: Some(1),
        threads: args.threads.as_deref().map(|text| Count::list("--threads", text)).transpose()?,
        allowed_cpus: cpus_allowed(),
        ..Overrides::default()
    };
    let mut cells = suite.cells(&observatory.ids(), cores_allowed(), &overrides)?;
    cells.retain(|cell| cell.implementation == card.id && cell.arm.is_empty());
    if let Some(points) = &wanted.points {
        let labels: Vec<String> = cells.iter().map(|cell| cell.point.label.clone()).collect();
        cells.retain(|cell| points.matches(&cell.point.label));
        ensure!(
            !cells.is_empty(),
            "{} {}: {}",
            wanted.flag,
            wanted.text,
            unknown("point", &wanted.text, labels.iter().map(String::as_str))
        );
    }
    Ok(cells)
}

/// Chooses grid, racers and launches so that the search takes the time that it was given.
fn fill(plan: &mut TunePlan, card: &Card, ranges: &[Range], args: &TuneArgs) -> Result<Expected> {
    let seconds = args.seconds.unwrap_or(SECONDS);
    let confirm_s = confirm_s(plan);
    let trial_s = trial_s(plan);
    let screens = !plan.seen(true).is_empty();
    let share = if plan.simulate_only { 1.0 } else { SCREEN_SHARE };
    let mut chosen = None;
    let mut smallest = (usize::MAX, f64::INFINITY);
    for steps in STEPS {
        let knobs: Vec<Knob> =
            card.params.iter().zip(ranges).map(|(param, range)| space::knob(param, range, steps)).collect();
        let (settings, default) = space::grid(&knobs, ranges);
        let screen_s = screen_s(plan, settings.len());
        let screen_trials = (settings.len() * plan.seen(true).len()) as u64 * u64::from(plan.seeds);
        smallest = (smallest.0.min(settings.len()), smallest.1.min(screen_s));
        let fits = match (args.cells, plan.simulate_only, screens) {
            _ if settings.len() > SETTINGS_MAX => false,
            (Some(cells), true, _) => screen_trials <= cells,
            (Some(_), false, true) => steps <= STEPS[1] || settings.len() <= 200,
            (None, _, true) => screen_s <= seconds * share,
            // Without a screening all settings race.
            (_, _, false) => settings.len() <= RACERS_MAX,
        };
        if fits {
            chosen = Some((knobs, settings, default, screen_s));
            break;
        }
    }
    let Some((knobs, settings, default, screen_s)) = chosen else {
        let (settings, screen_s) = smallest;
        ensure!(
            settings <= SETTINGS_MAX,
            "--param: the values make more than {SETTINGS_MAX} settings: list fewer"
        );
        match args.cells {
            _ if !screens => bail!(
                "{} cannot be screened, for it runs on this computer only: at most {RACERS_MAX} settings can race, the values make \
                 {settings}: list fewer with --param",
                plan.implementation
            ),
            Some(cells) => {
                let needed = (settings * plan.seen(true).len()) as u64 * u64::from(plan.seeds);
                bail!(
                    "--cells {cells}: {settings} settings need {needed} trials: allow more, or list fewer values with --param"
                )
            }
            None => bail!(
                "--seconds {seconds}: the screening of {settings} settings takes about {screen_s:.0} s, and may take {:.0} % of the \
                 time: allow {:.0} s, or list fewer values with --param",
                share * 100.0,
                (screen_s / share).ceil()
            ),
        }
    };
    ensure!(
        settings.len() > 1,
        "--param: every parameter is fixed at its default: there is nothing to search, give one a range"
    );
    (plan.knobs, plan.settings, plan.default) = (knobs, settings, default);
    if plan.simulate_only {
        return Ok(Expected { screen_s, race_s: 0.0, confirm_s });
    }
    let scenarios = plan.seen(false).len() as u64;
    let most = match args.cells {
        Some(cells) => cells,
        None => (((seconds - screen_s - confirm_s) / trial_s * scenarios as f64).max(0.0)) as u64,
    };
    let racers = plan.settings.len().min(RACERS_MAX);
    let least = racers.min(if screens { 3 } else { racers });
    let affordable = (least..=racers).rev().find(|&racers| race_trials(plan, racers, scenarios) <= most);
    let Some(affordable) = affordable else {
        let needed = race_trials(plan, least, scenarios);
        let needed_s = screen_s + confirm_s + needed as f64 / scenarios.max(1) as f64 * trial_s;
        match args.cells {
            Some(cells) => bail!(
                "--cells {cells}: a race of {least} settings needs {needed} trials, about {:.0} s: allow more, or fewer workloads",
                needed as f64 / scenarios.max(1) as f64 * trial_s
            ),
            None => bail!(
                "--seconds {seconds}: {screen_s:.0} s of screening, a race of {least} settings in {scenarios} scenarios and {confirm_s:.0} s \
                 of confirmation take about {needed_s:.0} s: allow more, or fewer workloads, or list fewer values with --param"
            ),
        }
    };
    plan.racers_max = affordable;
    plan.race_launches_max = most;
    let race_s = race_trials(plan, affordable, scenarios) as f64 / scenarios.max(1) as f64 * trial_s;
    Ok(Expected { screen_s, race_s, confirm_s })
}

/// Trials of a race in which a third goes on after each rung; history's shape takes part in every block.
pub(super) fn race_trials(plan: &TunePlan, racers: usize, scenarios: u64) -> u64 {
    let mut trials = 0;
    let (mut racers, mut from) = (racers as u64, 0);
    for &to in &plan.rules.rungs {
        trials += (racers + 1) * u64::from(to - from) * scenarios;
        from = to;
        if to >= plan.rules.blocks_min {
            racers = racers.div_ceil(u64::from(plan.rules.eta)).max(2).min(racers);
        }
    }
    trials
}

/// One setting in every measured scenario once: a plain launch and a timed one each.
fn trial_s(plan: &TunePlan) -> f64 {
    let of = |scenario: usize| {
        Suite::expected_ms(std::slice::from_ref(&plan.scenarios[scenario].cell), cores_allowed())
    };
    plan.seen(false).into_iter().map(of).sum::<f64>() / 1e3
}

fn screen_s(plan: &TunePlan, settings: usize) -> f64 {
    let of = |scenario: usize| simulated_ms(&plan.scenarios[scenario].cell);
    let each: f64 = plan.seen(true).into_iter().map(of).sum();
    each * settings as f64 * f64::from(plan.seeds) / cores_allowed() as f64 / 1e3
}

fn simulated_ms(cell: &PlannedCell) -> f64 {
    (Suite::expected_ms(std::slice::from_ref(cell), 1) - PROCESS_MS).max(1.0)
}

/// The scenarios of the confirmation: those that the search saw, and those that were held out, where the race was.
pub(super) fn confirmed(plan: &TunePlan) -> Vec<usize> {
    (0..plan.scenarios.len()).filter(|&s| plan.scenarios[s].is_simulated() == plan.simulate_only).collect()
}

/// Blocks of the confirmation: whole rounds of ABBA and BAAB.
pub(super) fn blocks(plan: &TunePlan) -> u32 {
    confirm_blocks(confirmed(plan).len() * CONFIRM_METRICS, CONFIRM_ALPHA).next_multiple_of(2)
}

fn confirm_s(plan: &TunePlan) -> f64 {
    let cells = || confirmed(plan).into_iter().map(|s| &plan.scenarios[s].cell);
    if plan.simulate_only {
        let each: f64 = cells().map(simulated_ms).sum();
        return each * 2.0 * f64::from(CONFIRM_SEEDS) / cores_allowed() as f64 / 1e3;
    }
    let ms = |cell: &PlannedCell| Suite::expected_ms(std::slice::from_ref(cell), cores_allowed());
    let control = cells().next().map_or(0.0, ms);
    // Four plain launches and two timed ones a block; the cell plans one of each.
    (cells().map(ms).sum::<f64>() + control) * 3.0 * f64::from(blocks(plan)) / 1e3
}

/// Reads `10ms`, `500 us`, `2s`.
fn time_ns(text: &str) -> Result<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "ns" => Some(1.0),
        "us" | "µs" => Some(1e3),
        "ms" => Some(1e6),
        "s" => Some(1e9),
        _ => None,
    };
    let value = number.parse::<f64>().ok().zip(factor).map(|(number, factor)| number * factor);
    match value.filter(|ns| *ns >= 1.0 && *ns <= 3.6e12) {
        Some(ns) => Ok(ns as u64),
        None => bail!("--max-wait {text}: expected a time with a unit, up to an hour, such as 10ms or 500us"),
    }
}

/// Names of the presets of a plan that goes on, read again.
pub(super) fn presets(plan: &TunePlan) -> Result<BTreeMap<String, Preset>> {
    Machines::of_texts(&plan.presets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_need_a_unit() {
        assert_eq!(time_ns("10ms").unwrap(), 10_000_000);
        assert_eq!(time_ns("1.5 us").unwrap(), 1500);
        for text in ["10", "ms", "-1ms", "2h", "0ns", ""] {
            assert!(time_ns(text).unwrap_err().to_string().contains("expected a time with a unit"), "{text}");
        }
    }

    #[test]
    fn the_nearest_preset_has_as_many_cores() {
        assert_eq!(near(2).unwrap(), "vm-2");
        assert_eq!(near(8).unwrap(), "laptop-8");
    }
}
