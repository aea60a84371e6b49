//! Properties of the reader: what is written comes back, and nothing that can be written makes it panic.

use std::path::Path;

use proptest::prelude::*;
use record::{Arrivals, Choice, Distribution, Schedule};
use workloads::{Overrides, Suite, Workload};

fn lengths() -> impl Strategy<Value = Distribution> {
    let ns = 0..=1_000_000_000_u64;
    prop_oneof![
        ns.clone().prop_map(|ns| Distribution::Constant { ns }),
        (ns.clone(), ns.clone())
            .prop_map(|(a, b)| Distribution::Uniform { min_ns: a.min(b), max_ns: a.max(b) }),
        (1..=1_000_000_000_u64).prop_map(|mean_ns| Distribution::Exponential { mean_ns }),
        (ns.clone(), ns, 0.0..=1.0).prop_map(|(a, b, long_share)| Distribution::Bimodal {
            short_ns: a.min(b),
            long_ns: a.max(b),
            long_share
        }),
    ]
}

fn choices() -> impl Strategy<Value = Choice> {
    prop_oneof![Just(Choice::Uniform), (0.0..=10.0).prop_map(|exponent| Choice::Zipf { exponent })]
}

fn arrivals() -> impl Strategy<Value = Arrivals> {
    let rate = 0.001..=1e9;
    prop_oneof![
        Just(Arrivals::Closed),
        rate.clone().prop_map(|per_thread_per_s| Arrivals::Fixed { per_thread_per_s }),
        rate.prop_map(|per_thread_per_s| Arrivals::Poisson { per_thread_per_s }),
    ]
}

fn schedules(threads: u32) -> impl Strategy<Value = Schedule> {
    let phase = 100_000..=3_600_000_000_000_u64;
    prop_oneof![
        Just(Schedule::Steady),
        prop::collection::vec(1..=threads, 1..9).prop_map(|active| Schedule::Ramp { active }),
        (phase.clone(), phase.clone()).prop_map(|(on_ns, off_ns)| Schedule::Bursts { on_ns, off_ns }),
        (1..=1_000_000_000_u64, phase)
            .prop_map(|(stall_ns, phase_ns)| Schedule::Stall { stall_ns, phase_ns }),
    ]
}

/// The TOML of anything that has one, in one line.
fn inline(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).unwrap();
    fn show(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Object(map) => {
                let pairs: Vec<String> =
                    map.iter().map(|(key, value)| format!("{key} = {}", show(value))).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
            serde_json::Value::Array(list) => {
                format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(", "))
            }
            other => other.to_string(),
        }
    }
    show(&json)
}

/// Structured garbage: the keys and words that the reader knows, in places where they may or may not belong.
fn garbage() -> impl Strategy<Value = String> {
    let words = vec![
        "mutex",
        "counter",
        "cores",
        "4x",
        "0x",
        "99999999999x",
        "5 us",
        "9e9 s",
        "zipf",
        "kind",
        "one",
        "*",
        "[",
        "",
        "mutex/*",
        "contended",
        "ramp",
        "full",
        "../x.toml",
        "µ",
    ];
    let leaf = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        (-3..9_i64).prop_map(|n| n.to_string()),
        Just("123456789012345678901234567890".to_owned()),
        Just("0xffff_ffff_ffff_ffff".to_owned()),
        any::<f64>().prop_map(|x| if x.is_finite() { format!("{x:?}") } else { "nan".to_owned() }),
        Just("inf".to_owned()),
        Just("true".to_owned()),
        Just("2026-01-01".to_owned()),
        prop::sample::select(words).prop_map(|word| format!("{word:?}")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(", "))),
            prop::collection::btree_map(keys(), inner, 0..4).prop_map(|map| {
                let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{{ {} }}", pairs.join(", "))
            }),
        ]
    })
}

fn keys() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name",
        "family",
        "summary",
        "analysis",
        "expect",
        "threads",
        "hold",
        "hold_ns",
        "think",
        "role",
        "locks",
        "choice",
        "arrivals",
        "schedule",
        "pin",
        "kind",
        "ns",
        "min_ns",
        "max_ns",
        "mean_ns",
        "short_ns",
        "long_ns",
        "long_share",
        "exponent",
        "per_thread_per_s",
        "active",
        "on_ns",
        "off_ns",
        "stall_ns",
        "phase_ns",
        "launches",
        "probed",
        "probe",
        "slices",
        "slice_ms",
        "warmup_ms",
        "budget_s",
        "aa",
        "cells",
        "workload",
        "implementations",
        "unknown",
    ])
}

/// A valid file of which some lines are replaced by garbage, so that the reader gets far.
fn damaged(valid: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = String> {
    let value = prop::option::weighted(0.2, garbage());
    let extra = prop::collection::vec((keys(), garbage()), 0..2);
    (prop::collection::vec(value, valid.len()), extra).prop_map(move |(values, extra)| {
        let mut text = String::new();
        for ((key, usual), value) in valid.iter().zip(values) {
            text += &format!("{key} = {}\n", value.unwrap_or((*usual).to_owned()));
        }
        for (key, value) in extra.iter().filter(|(key, _)| valid.iter().all(|(known, _)| known != key)) {
            text += &format!("{key} = {value}\n");
        }
        text
    })
}

const DEFINITION: &[(&str, &str)] = &[
    ("name", "\"w\""),
    ("family", "\"mutex\""),
    ("summary", "\"s\""),
    ("analysis", "\"a\""),
    ("expect", "\"counter\""),
    ("threads", "[2, \"4x\"]"),
    ("hold", "[0, { kind = \"exponential\", mean_ns = 5 }]"),
    ("choice", "{ kind = \"zipf\", exponent = 1 }"),
    ("schedule", "{ kind = \"ramp\", active = [1, \"cores\"] }"),
];
const SUITE: &[(&str, &str)] = &[
    ("name", "\"s\""),
    ("summary", "\"s\""),
    ("launches", "3"),
    ("slice_ms", "2.5"),
    ("aa", "\"mutex/ticket\""),
    ("cells", "[{ workload = \"contended\", implementations = \"mutex/*\", threads = 2 }]"),
];

fn is_one_line(error: &workloads::Error) -> bool {
    let text = error.to_string();
    !text.is_empty() && !text.contains(char::is_control)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn what_is_written_comes_back(
        hold in lengths(), think in lengths(), choice in choices(), arrivals in arrivals(),
        (threads, schedule) in (1..=64_u32).prop_flat_map(|threads| (Just(threads), schedules(threads))),
        locks in 1..=65_536_u32, cores in 1..=256_usize,
    ) {
        let think = if arrivals == Arrivals::Closed { think } else { Distribution::Constant { ns: 0 } };
        let text = format!(
            "name = \"w\"\nfamily = \"mutex\"\nsummary = \"s\"\nanalysis = \"a\"\nexpect = \"counter\"\n\
             threads = {threads}\nhold = {}\nthink = {}\nlocks = {locks}\nchoice = {}\narrivals = {}\nschedule = {}\n",
            inline(&hold), inline(&think), inline(&choice), inline(&arrivals), inline(&schedule),
        );
        let workload = Workload::parse("w.toml", &text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let points = workload.points(cores).unwrap();
        prop_assert_eq!(points.len(), 1);
        let point = &points[0];
        prop_assert_eq!(&point.label, &format!("w/t{threads}"));
        prop_assert_eq!(point.roles.len(), 1);
        prop_assert_eq!((point.roles[0].threads, point.locks), (threads, locks));
        prop_assert_eq!((point.roles[0].hold, point.roles[0].think), (hold, think));
        prop_assert_eq!((point.choice, point.arrivals), (choice, arrivals));
        prop_assert_eq!(&point.schedule, &schedule);
    }

    #[test]
    fn every_combination_is_one_point(
        threads in prop::collection::btree_set(1..=4096_u32, 1..5),
        hold in prop::collection::btree_set(0..=1_000_000_000_u64, 1..5),
        think in prop::collection::btree_set(0..=1_000_000_000_u64, 1..5),
    ) {
        let text = format!(
            "name = \"w\"\nfamily = \"mutex\"\nsummary = \"s\"\nanalysis = \"a\"\nexpect = \"counter\"\n\
             threads = {threads:?}\nhold_ns = {hold:?}\nthink_ns = {think:?}\n"
        );
        let text = text.replace('{', "[").replace('}', "]");
        let points = Workload::parse("w.toml", &text).unwrap().points(2).unwrap();
        prop_assert_eq!(points.len(), threads.len() * hold.len() * think.len());
        let labels: std::collections::BTreeSet<_> = points.iter().map(|point| &point.label).collect();
        prop_assert_eq!(labels.len(), points.len());
    }

    #[test]
    fn damaged_definitions_never_panic(text in damaged(DEFINITION), cores in 1..=5000_usize) {
        match Workload::parse("w.toml", &text) {
            Err(error) => prop_assert!(is_one_line(&error), "{:?}", error),
            Ok(workload) => match workload.points(cores) {
                Err(error) => prop_assert!(is_one_line(&error), "{:?}", error),
                Ok(points) => for point in points {
                    prop_assert!((1..=4096).contains(&point.threads()));
                    if let Schedule::Ramp { active } = &point.schedule {
                        prop_assert!(active.iter().all(|&count| 1 <= count && count as usize <= point.threads()));
                    }
                },
            },
        }
    }

    #[test]
    fn damaged_suites_never_panic(text in damaged(SUITE), seconds in prop::option::of(any::<f64>())) {
        let plan = Suite::parse("s.toml", &text, Path::new("/nowhere")).and_then(|suite| {
            suite.cells(&["mutex/ticket", "mutex/empty"], 2, &Overrides { seconds, ..Overrides::default() })
        });
        match plan {
            Err(error) => prop_assert!(is_one_line(&error), "{:?}", error),
            Ok(cells) => {
                prop_assert!(!cells.is_empty());
                prop_assert!(Suite::expected_ms(&cells, 2).is_finite());
                prop_assert!(cells.iter().all(|cell| cell.slice_ns > 0 && !cell.launches.is_empty()));
            }
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        if let Err(error) = Workload::parse("w.toml", &text) {
            prop_assert!(is_one_line(&error), "{:?}", error);
        }
    }
}
