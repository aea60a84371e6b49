//! A search from trials made by hand: gains, screening, answer, page.

use record::spec::Expect;
use record::{
    Arrivals, Choice, Distribution, Fingerprint, PlannedCell, Point, ProbeMode, Role, Schedule, Tier, Tool,
};
use reports::compare::Verdict;
use reports::guard::{Control, Estimate, Layer, Metric, Row};
use reports::tune::gains::{Trials, gains, violation};
use reports::tune::judge::judge;
use reports::tune::outcome::{Confirmation, KnobVerdict};
use reports::tune::plan::{KIND, Rules, VERSION};
use reports::tune::race::Fate;
use reports::tune::screen::select;
use reports::tune::{
    Answer, Knob, Numbers, Phase, Prefer, Scenario, Shape, Trial, TunePlan, TuneReport, conclude, snippet,
    text,
};

fn scenario(machine: &str, label: &str, held_out: bool) -> Scenario {
    let nothing = Distribution::Constant { ns: 0 };
    let point = Point {
        workload: "contended".into(),
        label: label.into(),
        family: "mutex".into(),
        roles: vec![Role { name: "worker".into(), threads: 2, hold: nothing, think: nothing }],
        locks: 1,
        choice: Choice::Uniform,
        take: record::Take::One,
        arrivals: Arrivals::Closed,
        schedule: Schedule::Steady,
        expect: Expect::Counter,
    };
    let cell = PlannedCell {
        cell: format!("mutex.x@{label}@{machine}"),
        implementation: "mutex/x".into(),
        arm: String::new(),
        params: Default::default(),
        machine: machine.into(),
        point,
        launches: vec![ProbeMode::Off, ProbeMode::Full],
        slices: 1,
        slice_ns: 1,
        warmup_ns: 0,
        cpus: Vec::new(),
    };
    Scenario { cell, held_out }
}

fn knob(name: &str, default: u64, values: &[u64]) -> Knob {
    Knob {
        name: name.into(),
        default,
        min: 0,
        max: 1000,
        origin: "<b>history</b>".into(),
        values: values.into(),
    }
}

/// Two knobs of three and two values: `spin` matters, `idle` does not.
fn plan(simulate_only: bool) -> TunePlan {
    let knobs = vec![knob("spin", 4, &[1, 4, 16]), knob("idle", 0, &[0, 8])];
    let settings: Vec<Vec<u64>> = [1, 4, 16].iter().flat_map(|a| [0, 8].map(|b| vec![*a, b])).collect();
    let mut scenarios = vec![
        scenario("sim:vm-2", "contended/t2/h0", false),
        scenario("sim:vm-2", "contended/t2/h500", false),
    ];
    if !simulate_only {
        scenarios.push(scenario("os", "contended/t2/h0", false));
        scenarios.push(scenario("os", "bursts/t2", true));
    }
    TunePlan {
        kind: KIND.into(),
        version: VERSION,
        implementation: "mutex/x".into(),
        command: vec!["synchroscope".into(), "tune".into()],
        tool: Tool::default(),
        simulation_hash: String::new(),
        fingerprint: Fingerprint { cpu_model: "a processor".into(), cores: 2, ..Fingerprint::default() },
        seed: 7,
        knobs,
        settings,
        default: 2,
        scenarios,
        seeds: 3,
        racers_max: 4,
        race_launches_max: 1000,
        rules: Rules::default(),
        prefer: Prefer::Balanced,
        wait_ns_max: None,
        jain_min: 0.9,
        presets: Default::default(),
        simulate_only,
    }
}

/// How good a value of `spin` is, as a factor.
fn factor(spin: u64) -> f64 {
    match spin {
        16 => 1.25,
        4 => 1.0,
        _ => 0.6,
    }
}

fn trial(plan: &TunePlan, phase: Phase, scenario: usize, setting: usize, round: u32) -> Trial {
    let factor = factor(plan.settings[setting][0]);
    // A block's own mood, which all of its trials share, and a little noise of each.
    let mood = 1.0 + 0.3 * f64::from(round % 3);
    let noise = if phase == Phase::Race {
        1.0 + 0.002 * f64::from((round * 7 + setting as u32 / 2 * 3) % 5)
    } else {
        1.0
    };
    let trace = format!("{}-{scenario}-{round}", plan.settings[setting][0]);
    Trial {
        phase,
        scenario,
        setting,
        shape: Shape::Tuned,
        round,
        order: 0,
        seed: 1,
        ended_unix_ms: 0,
        steal_share: None,
        numbers: Some(Numbers {
            throughput_per_s: 1e6 * factor * mood * noise,
            wait_ns_p99: Some(1e4 / factor * mood * noise),
            cpu_ns_per_op: Some(500.0 / factor * noise),
            jain: Some(0.99),
            wait_ns_max: Some(50_000),
            trace_hash: (phase == Phase::Screen).then_some(trace),
        }),
        failure: None,
        doubts: Vec::new(),
    }
}

fn screened(plan: &TunePlan) -> Trials {
    let mut all = Trials::default();
    for scenario in plan.seen(true) {
        for setting in 0..plan.settings.len() {
            (0..plan.seeds).for_each(|round| all.add(trial(plan, Phase::Screen, scenario, setting, round)));
        }
    }
    all
}

/// Blocks of the race: with fewer no test reaches the level that the knobs' pairs share.
const ROUNDS: u32 = 16;

fn raced(plan: &TunePlan) -> Trials {
    raced_for(plan, ROUNDS)
}

fn raced_for(plan: &TunePlan, rounds: u32) -> Trials {
    let mut all = screened(plan);
    for scenario in plan.seen(false) {
        for setting in 0..plan.settings.len() {
            (0..rounds).for_each(|round| all.add(trial(plan, Phase::Race, scenario, setting, round)));
        }
        for round in 0..rounds {
            let mut constant = trial(plan, Phase::Race, scenario, plan.default, round);
            constant.shape = Shape::Constant;
            constant.numbers.as_mut().unwrap().throughput_per_s *= 1.05;
            all.add(constant);
        }
    }
    all
}

#[test]
fn gains_cancel_what_a_block_has_in_common() {
    let plan = plan(false);
    let seen = gains(&plan, &raced(&plan), Phase::Race);
    assert_eq!(seen.objectives.len(), 3);
    let default = seen.settings[plan.default].as_ref().unwrap();
    assert!(default.objectives.iter().flatten().all(|gain| *gain == 0.0));
    let best = seen.settings[4].as_ref().unwrap();
    assert_eq!(best.rounds(), ROUNDS as usize);
    // In all three objectives better is positive.
    assert!(
        best.estimates().iter().all(|gain| (gain - 1.25_f64.ln()).abs() < 0.02),
        "{:?}",
        best.estimates()
    );
}

#[test]
fn the_screening_prefers_what_is_not_another_in_disguise() {
    let plan = plan(false);
    let selection = select(&plan, &screened(&plan));
    // The default, then settings whose traces are their own, then copies as long as there is room.
    assert_eq!(&selection.racers[..2], [2, 4]);
    assert!(selection.racers.len() <= plan.racers_max);
    let out = selection.fates.iter().filter(|fate| matches!(fate, Fate::Screened { .. })).count();
    assert_eq!(out + selection.racers.len(), plan.settings.len());
    let copy = selection.fates.iter().find_map(|fate| match fate {
        Fate::Screened { reason } if reason.starts_with("the same traces as spin=") => Some(reason),
        _ => None,
    });
    assert!(copy.is_some(), "{:?}", selection.fates);
}

#[test]
fn a_setting_that_failed_or_breaks_a_constraint_is_told_apart() {
    let plan = TunePlan { wait_ns_max: Some(60_000), ..plan(true) };
    let mut trials = Trials::default();
    for mut one in screened(&plan).iter().cloned().collect::<Vec<_>>() {
        match one.setting {
            4 => one.numbers.as_mut().unwrap().wait_ns_max = Some(61_000),
            0 if one.round == 1 => (one.numbers, one.failure) = (None, Some("hang: it slept".into())),
            _ => {}
        }
        trials.add(one);
    }
    let fates = select(&plan, &trials).fates;
    assert!(
        matches!(&fates[0], Fate::Failed { reason } if reason.contains("hang: it slept")),
        "{:?}",
        fates[0]
    );
    assert!(matches!(&fates[4], Fate::Excluded { reason } if reason.contains("61 µs")), "{:?}", fates[4]);
    assert!(violation(&plan, &trials, Phase::Screen, 5).is_none());
    // Its twin, which keeps the constraint, is picked instead.
    assert_eq!(judge(&plan, &trials).picked, 5);
}

fn row(metric: Metric, verdict: Verdict) -> Row {
    let ratio = Estimate { ratio: 1.2, low: 1.1, high: 1.3, confidence: 0.99, p: Some(0.001) };
    Row {
        implementation: "mutex/x".into(),
        label: "bursts/t2".into(),
        machine: "os".into(),
        layer: Layer::Measured,
        metric,
        tier: Tier::MeasuredProbe,
        baseline: Some(1.0),
        candidate: Some(1.2),
        ratio: Some(ratio),
        margin_ratio: 1.03,
        minimal_detectable_ratio: Some(1.05),
        blocks: 12,
        confirmed: true,
        verdict,
        reason: String::new(),
        evidence: None,
    }
}

fn report(verdicts: &[Verdict], moved: bool) -> TuneReport {
    let plan = plan(false);
    let trials = raced(&plan);
    assert_eq!(judge(&plan, &trials).picked, 4, "the smaller index of two that are alike");
    let control =
        Control { name: "the default against itself".into(), ratio: None, moved, detail: "1.00".into() };
    let rows = verdicts.iter().map(|verdict| row(Metric::Throughput, *verdict)).collect();
    let fates = vec![Fate::Finished; plan.settings.len()];
    let confirmation =
        (!verdicts.is_empty()).then(|| Confirmation { rows, controls: vec![control], failed: None });
    conclude(&plan, &trials, "0123456789ab", fates, confirmation, vec!["a <note>".into()])
}

#[test]
fn only_a_confirmed_pick_is_recommended() {
    use Verdict::{Equivalent, Improved, Inconclusive, Regressed};
    let kept = |verdicts: &[Verdict], moved, words: &str| {
        let report = report(verdicts, moved);
        let Answer::Keep { reason } = &report.answer else { panic!("{:?}", report.answer) };
        assert!(reason.contains(words), "{reason}");
        assert_eq!(report.chosen(), report.plan.default);
    };
    kept(&[], false, "not confirmed");
    kept(&[Equivalent, Equivalent], false, "better nowhere");
    kept(&[Improved, Regressed], false, "is worse in throughput at bursts/t2");
    kept(&[Improved, Inconclusive], false, "not shown to be equivalent");
    kept(&[Improved, Equivalent], true, "contaminated: the default against itself moved");
    let report = report(&[Improved, Equivalent], false);
    assert_eq!(report.chosen(), 4);
    assert!(snippet::toml(&report).contains("spin = 16 # history: 4\nidle = 0 # history's value\n"));
    assert!(snippet::rust(&report).contains("pub const SPIN: u64 = 16;"));
    assert!(text::text(&report).contains("Take spin=16 idle=0: nowhere worse and better in 1 of 2 rows"));
}

#[test]
fn knobs_are_told_apart_from_noise() {
    let report = report(&[], false);
    assert_eq!(
        (report.knobs[0].simulated, report.knobs[0].measured),
        (KnobVerdict::Effect, KnobVerdict::Effect)
    );
    assert_eq!(
        (report.knobs[1].simulated, report.knobs[1].measured),
        (KnobVerdict::Identical, KnobVerdict::NoEffect)
    );
    // Six blocks cannot reach the level: that nothing is seen then says nothing.
    let plan = plan(false);
    let fates = vec![Fate::Finished; plan.settings.len()];
    let short = conclude(&plan, &raced_for(&plan, 6), "0123456789ab", fates, None, Vec::new());
    let measured = |knob: usize| short.knobs[knob].measured;
    assert_eq!((measured(0), measured(1)), (KnobVerdict::NotShown, KnobVerdict::NotShown));
    let (_, effect) = &report.knobs[0].effects[0];
    assert!(effect.share > 0.999 && effect.range > 0.6, "{effect:?}");
    // History's shape was made 5 % faster.
    let shape = report.shapes[0].throughput.ratio;
    assert!((shape - 1.0 / 1.05).abs() < 1e-9, "{shape}");
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<TuneReport>(&json).unwrap(), report);
}

#[test]
fn the_page_says_what_is_simulated_and_escapes_what_people_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(&[Verdict::Improved, Verdict::Equivalent], false);
    let page = reports::html::write_tuning(folder.path(), &report, &Default::default()).unwrap();
    let html = std::fs::read_to_string(page).unwrap();
    for text in [
        "Take spin=16 idle=0",
        // Whatever idle is: it does nothing.
        "The cliff: from spin=4 idle=",
        "throughput falls by 40 %.",
        "simulated (sim:vm-2): a model",
        "measured on this computer",
        "held out",
        "no effect: identical traces",
        "a &lt;note&gt;",
        "&lt;b&gt;history",
    ] {
        assert!(html.contains(text), "no {text:?} in {html}");
    }
    assert!(!html.contains("<b>history") && !html.contains("could not be drawn"));
    assert!(folder.path().join("outcome.json").is_file());
}
