//! Presets of simulated machines: those of the binary, what may be wrong with a user's, changes, the round trip.

use impls::machine::sim::preset::{MOST_CLASSES, Op, Preset, Prior};

fn builtins() -> Vec<Preset> {
    Preset::names().map(|name| Preset::builtin(name).unwrap_or_else(|error| panic!("{error}"))).collect()
}

#[test]
fn builtins_are_as_named() {
    let presets = builtins();
    assert_eq!(presets.len(), 13);
    for (preset, name) in presets.iter().zip(Preset::names()) {
        assert_eq!(preset.name, name);
        let cores = name.rsplit('-').next().and_then(|cores| cores.parse().ok());
        assert_eq!(Some(preset.cores), cores, "{name}");
    }
}

#[test]
fn builtins_are_consistent() {
    for preset in builtins() {
        let (name, cores, classes) = (&preset.name, preset.cores as usize, preset.classes.len());
        assert!((1..=MOST_CLASSES).contains(&classes), "{name}: {classes} classes");
        assert_eq!(preset.distance.len(), cores * cores, "{name}");
        assert_eq!(preset.node_distance.len(), cores * preset.nodes(), "{name}");
        assert_eq!(preset.miss.len(), Op::ALL.len() * Prior::ALL.len() * classes, "{name}");
        assert!(preset.miss.iter().all(|&cost| cost > 0), "{name}: a miss for nothing");
        let mut order = preset.order.clone();
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(core, &entry)| core == usize::from(entry)), "{name}");
        for (a, b) in (0..cores).flat_map(|a| (0..cores).map(move |b| (a, b))) {
            assert_eq!(preset.class(a, b), preset.class(b, a), "{name}: {a} {b}");
            assert!(usize::from(preset.class(a, b)) < classes, "{name}: {a} {b}");
        }
        let used: std::collections::BTreeSet<u8> = preset.distance.iter().copied().collect();
        assert_eq!(used.len(), classes, "{name}: a class that no pair has");
    }
}

/// Nothing is cheaper from farther away, and a miss is never cheaper than a hit. Niagara's atomics alone are a little
/// cheaper when another core has the line: so the paper has it.
#[test]
fn costs_grow_with_distance() {
    for preset in builtins() {
        for (op, prior) in Op::ALL.into_iter().flat_map(|op| Prior::ALL.map(|prior| (op, prior))) {
            let costs: Vec<u32> =
                (0..preset.classes.len()).map(|class| preset.miss_cycles(op, prior, class as u8)).collect();
            let is_niagara = preset.name == "niagara-64" && op != Op::Load && op != Op::Store;
            let what = format!("{} {} {}: {costs:?}", preset.name, op.name(), prior.name());
            assert!(costs.is_sorted() || is_niagara, "{what}");
            let hit = preset.local.hit[op as usize];
            assert!(costs.iter().all(|&cost| cost >= hit) || is_niagara, "{what}, a hit is {hit}");
        }
    }
}

#[test]
fn published_costs_arrive() {
    let preset = Preset::builtin("opteron-48").unwrap();
    let class = |a, b| preset.classes[usize::from(preset.class(a, b))].name.as_str();
    assert_eq!(
        [class(0, 5), class(0, 6), class(0, 12), class(0, 18)],
        ["same die", "same package", "1 hop", "2 hops"]
    );
    assert_eq!(preset.miss_cycles(Op::Load, Prior::Owned, 3), 254);
    assert_eq!(preset.miss_cycles(Op::Cas, Prior::Shared, 2), 312);
    assert_eq!(preset.miss_cycles(Op::Load, Prior::Invalid, preset.class_to_node(0, 0)), 136);
    assert_eq!(preset.miss_cycles(Op::Load, Prior::Invalid, preset.class_to_node(0, 3)), 327);
    // An atomic beyond a load costs the same from memory as from another cache.
    assert_eq!(preset.miss_cycles(Op::Fai, Prior::Invalid, 0), 136 + 110 - 81);
    assert_eq!((preset.sharing_cycles(47), preset.nodes()), (0, 8));

    let xeon = Preset::builtin("xeon-80").unwrap();
    assert_eq!(xeon.miss_cycles(Op::Store, Prior::Shared, 2) + xeon.sharing_cycles(79), 445);
    assert_eq!(xeon.sharing_cycles(1), 0);

    let tilera = Preset::builtin("tilera-36").unwrap();
    assert_eq!((tilera.class(0, 1), tilera.class(0, 35), tilera.classes.len()), (0, 9, 10));
    let loads: Vec<u32> = (0..10).map(|class| tilera.miss_cycles(Op::Load, Prior::Modified, class)).collect();
    assert_eq!(loads, [45, 47, 49, 52, 54, 56, 58, 61, 63, 65]);

    let niagara = Preset::builtin("niagara-64").unwrap();
    assert_eq!(niagara.order[..10], [0, 8, 16, 24, 32, 40, 48, 56, 1, 9]);
    assert_eq!((niagara.physical_of_core[7], niagara.physical_of_core[8]), (0, 1));
}

#[test]
fn derived_costs_arrive() {
    let preset = Preset::builtin("bergamo-256").unwrap();
    // 33 ns at 2250 MHz are 74.25 cycles; a load takes 90 % of them.
    assert_eq!(preset.miss_cycles(Op::Swap, Prior::Modified, 0), 74);
    assert_eq!(preset.miss_cycles(Op::Load, Prior::Modified, 0), 67);
    assert_eq!(preset.nodes(), 2);
    // Own memory takes 115 ns; that of the other socket takes longer by what the line does.
    let own = preset.ns(u64::from(preset.miss_cycles(Op::Load, Prior::Invalid, preset.class_to_node(0, 0))));
    let other =
        preset.ns(u64::from(preset.miss_cycles(Op::Load, Prior::Invalid, preset.class_to_node(0, 1))));
    assert!((115..125).contains(&own), "{own}");
    assert!((205..220).contains(&other), "{other}");
}

#[test]
fn deeper_idle_wakes_slower() {
    let preset = Preset::builtin("icelake-64").unwrap();
    let latencies = [0, 3_999, 4_000, 599_999, 600_000, u64::MAX].map(|idle| preset.os.wake_latency_ns(idle));
    assert_eq!(latencies, [2_000, 2_000, 5_000, 5_000, 129_000, 129_000]);
}

#[test]
fn time_and_cycles() {
    let preset = Preset::builtin("vm-2").unwrap();
    assert_eq!((preset.cycles(1_000), preset.ns(2_600)), (2_600, 1_000));
    assert_eq!((preset.cycles(1), preset.cycles(u64::MAX)), (3, u64::MAX));
}

#[test]
fn an_unknown_name_leads_to_the_nearest() {
    let error = Preset::builtin("genoa").unwrap_err().to_string();
    assert_eq!(error, "machine: unknown preset `genoa`; the nearest is `genoa-192`");
    let error = Preset::builtin("?").unwrap_err().to_string();
    assert!(error.contains("expected one of opteron-48, xeon-80"), "{error}");
}

#[test]
fn text_reads_back_as_the_same_preset() {
    for preset in builtins() {
        for preset in [preset.with("miss.percent", 137).unwrap(), preset] {
            let text = preset.to_toml();
            let again = Preset::parse("again.toml", &text, &|_| Err("none".into()));
            assert_eq!(again.unwrap_or_else(|error| panic!("{error}")), preset, "{}", preset.name);
        }
    }
    // Clusters stay clusters: nobody wants to read 256 rows of 256 numbers.
    let text = Preset::builtin("bergamo-256").unwrap().to_toml();
    assert!(text.contains("cluster = 8\n") && text.lines().count() < 150, "{}", text.lines().count());
}

#[test]
fn every_constant_can_be_changed() {
    for preset in builtins().iter().filter(|preset| preset.classes.len() < 20) {
        for key in preset.constants() {
            // A value that none of them has and all of them may have.
            let value = match key.as_str() {
                "sibling_work_percent" => 150,
                "read_occupancy_percent" if preset.any_order => 150,
                _ => 99,
            };
            let changed = preset.with(&key, value).unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(changed, *preset, "{key}");
        }
    }
}

#[test]
fn changes_reach_their_constant_only() {
    let preset = Preset::builtin("bergamo-256").unwrap();
    let changed = preset.with("class.other socket.percent", 200).unwrap();
    assert_eq!(
        changed.miss_cycles(Op::Cas, Prior::Modified, 2),
        2 * preset.miss_cycles(Op::Cas, Prior::Modified, 2)
    );
    assert_eq!(
        changed.miss_cycles(Op::Cas, Prior::Modified, 1),
        preset.miss_cycles(Op::Cas, Prior::Modified, 1)
    );
    let changed = preset.with("miss.fai.percent", 50).unwrap();
    assert_eq!(changed.miss_cycles(Op::Fai, Prior::Modified, 0), 37);
    assert_eq!(changed.miss_cycles(Op::Cas, Prior::Modified, 0), 74);
    let changed = preset.with("os.wake_latency_ns", 7).unwrap();
    assert!(changed.os.wake.iter().all(|wake| wake.latency_ns == 7));
    assert_eq!(preset.with("local.atomic", 9).unwrap().local.hit[2..], [9; 4]);
    // At a shared cache sweeps of misses reach private stores too, and there is nothing to say of owned lines.
    let niagara = Preset::builtin("niagara-64").unwrap();
    let slower = niagara.with("miss.store.percent", 200).unwrap();
    assert_eq!(slower.local.hit[Op::Store as usize], 2 * niagara.local.hit[Op::Store as usize]);
    for (key, value, expected) in [
        ("local.cas", 5, "niagara-64: local.cas: does not go with a shared cache: there no core owns a line"),
        (
            "hold_window_cycles",
            5,
            "niagara-64: hold_window_cycles: does not go with a shared cache: there no core owns a line",
        ),
        (
            "read_occupancy_percent",
            101,
            "niagara-64: read_occupancy_percent: expected a number from 0 to 100, found 101",
        ),
    ] {
        assert_eq!(niagara.with(key, value).unwrap_err().to_string(), expected);
        assert!(key.starts_with("read") || !niagara.constants().iter().any(|known| known == key), "{key}");
    }
    for (key, value, expected) in [
        ("os.slice", 1, "bergamo-256: unknown constant `os.slice`; the nearest is `os.slice_ns`"),
        ("local.pause", 0, "bergamo-256: local.pause: expected a number from 1 to 10000000, found 0"),
        (
            "read_occupancy_percent",
            401,
            "bergamo-256: read_occupancy_percent: expected a number from 0 to 400, found 401",
        ),
        (
            "class.same cluster.percent",
            900,
            "bergamo-256: class.same cluster.percent: 900 % would make a near class dearer than a farther one",
        ),
    ] {
        assert_eq!(preset.with(key, value).unwrap_err().to_string(), expected);
    }
}
