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
