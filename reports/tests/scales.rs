//! Pages about simulated machines: curves over cores with their crossovers, planes of hold and think, changed constants.

mod common;

use common::html::{page, structure};
use common::{NATURES, Nature, point, record, run};
use record::{Distribution, Record};
use reports::group::group;
use reports::html::{File, Options};
use reports::scale::crossover::{lost, pairs};
use reports::scale::{curves::loads, grid::grids, sweep::sweeps, winner::fastest};
use reports::summary::summarise;

const SEEDS: u32 = 5;

/// Ahead fourfold alone, half as fast as [`FLAT`] at 8 cores, equal at 4.
const STEEP: Nature = Nature { id: "mutex/ticket", rate: 40e6, keeps: 0.2, ..NATURES[8] };
const FLAT: Nature = Nature { id: "mutex/mcs", rate: 10e6, keeps: 0.4, ..NATURES[11] };
/// Cannot be told from [`FLAT`].
const ALIKE: Nature = Nature { id: "mutex/clh", rate: 10e6, keeps: 0.4, ..NATURES[12] };

fn simulated(nature: &Nature, machine: &str, cores: usize, point: &record::Point) -> Record {
    let mut record = record(nature, point, 0, SEEDS, cores as u64);
    record.machine = format!("sim:{machine}");
    record.cell = format!("{}@{machine}", record.cell);
    record.fingerprint.cpu_model = format!("sim:{machine}");
    record.fingerprint.cores = cores;
    record.fingerprint.arch = "simulated".into();
    record
}

fn curve(machine: &str, cores: usize) -> Vec<Record> {
    let threads = (0..9).map(|n| 1 << n).filter(|n| *n <= 2 * cores as u32);
    let points = threads.map(|threads| point("contended", threads));
    points.flat_map(|p| [STEEP, FLAT, ALIKE].map(|n| simulated(&n, machine, cores, &p))).collect()
}

/// Long sections are [`FLAT`]'s, but for those of 100 ns, which [`ALIKE`] shares.
fn plane(machine: &str) -> Vec<Record> {
    let mut records = Vec::new();
    for (hold_ns, think_ns) in [(0, 0), (0, 500), (100, 0), (100, 500), (400, 0), (400, 500)] {
        let mut point = point("contended", 8);
        point.label = format!("contended/t8/h{hold_ns}/k{think_ns}");
        point.roles[0].hold = Distribution::Constant { ns: hold_ns };
        point.roles[0].think = Distribution::Constant { ns: think_ns };
        let fast = |nature: Nature, factor: f64| Nature { rate: nature.rate * factor, ..nature };
        let natures = match hold_ns {
            0 => [fast(STEEP, 9.0), FLAT, ALIKE],
            100 => [STEEP, FLAT, ALIKE],
            _ => [STEEP, fast(FLAT, 3.0), ALIKE],
        };
        records.extend(natures.map(|n| simulated(&n, machine, 48, &point)));
    }
    records
}

/// Dear misses turn the order round.
fn sweep() -> Vec<Record> {
    let machines =
        [("opteron-48", 1.0), ("opteron-48?miss.percent=50", 4.0), ("opteron-48?miss.percent=400", 0.2)];
    let of_machine = |(machine, factor): (&str, f64)| {
        let steep = Nature { rate: STEEP.rate * 8.0 * factor, ..STEEP };
        [steep, FLAT].map(|nature| simulated(&nature, machine, 48, &point("contended", 8)))
    };
    machines.into_iter().flat_map(of_machine).collect()
}

fn site(name: &str, records: Vec<Record>) -> Vec<File> {
    common::html::site(name, &[run(records)], &Options::default())
}

#[test]
fn a_crossover_is_found_where_seeds_lie_apart() {
    let cells = summarise(&curve("opteron-48", 48));
    let groups = group(&cells);
    let loads = loads(&groups);
    let [load] = &loads[..] else { panic!("{} loads", loads.len()) };
    let [curve] = &load.curves[..] else { panic!("one machine") };
    let threads: Vec<usize> = curve.points.iter().map(|p| p.threads).collect();
    assert_eq!(threads, [1, 2, 4, 8, 16, 32], "64 and more threads have no core of their own");
    let pairs = pairs(curve);
    let lost = lost(&pairs);
    let found: Vec<(&str, &str)> = lost.iter().map(|l| (l.loser, l.winner)).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    for winner in ["mutex/mcs", "mutex/clh"] {
        let lost = lost.iter().find(|l| (l.loser, l.winner) == ("mutex/ticket", winner)).unwrap();
        assert_eq!((lost.crossing.ahead_at, lost.crossing.behind_at), (2, 8));
        assert!((3.5..4.6).contains(&lost.crossing.estimate), "{lost:?}");
    }
    let leads: Vec<usize> = curve.points.iter().map(|p| fastest(p).unwrap().cells.len()).collect();
    assert_eq!(leads, [1, 1, 3, 2, 2, 2], "alone, all three at the crossover, then two that are alike");
}

#[test]
fn winners_of_a_plane() {
    let cells = summarise(&plane("opteron-48"));
    let groups = group(&cells);
    let grids = grids(&groups);
    let [grid] = &grids[..] else { panic!("{} grids", grids.len()) };
    assert_eq!((&grid.holds_ns[..], &grid.thinks_ns[..]), (&[0, 100, 400][..], &[0, 500][..]));
    let [plane] = &grid.planes[..] else { panic!("one number of threads") };
    for (hold, think, point) in &plane.points {
        let found = fastest(point).unwrap();
        let mut names: Vec<&str> = found.cells.iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        let expected: &[&str] = match grid.holds_ns[*hold] {
            0 => &["mutex/ticket"],
            100 => &["mutex/clh", "mutex/mcs"],
            _ => &["mutex/mcs"],
        };
        assert_eq!(names, expected, "hold {hold}, think {think}");
    }
}

#[test]
fn two_seeds_support_nothing() {
    let mut records = curve("opteron-48", 48);
    records.iter_mut().for_each(|r| r.launches.truncate(2));
    let cells = summarise(&records);
    let groups = group(&cells);
    let loads = loads(&groups);
    let curve = &loads[0].curves[0];
    assert!(pairs(curve).is_empty());
    assert!(curve.points.iter().all(|p| fastest(p).is_none()));
    let files = site("scale-two-seeds", records);
    assert!(page(&files, "scale.html").contains("Take more with --seeds."));
}

#[test]
fn a_sweep_takes_the_unchanged_machine_along() {
    let cells = summarise(&sweep());
    let groups = group(&cells);
    let sweeps = sweeps(&groups);
    let [sweep] = &sweeps[..] else { panic!("{} sweeps", sweeps.len()) };
    assert_eq!((sweep.base.as_str(), sweep.key.as_str()), ("opteron-48", "miss.percent"));
    let [line] = &sweep.lines[..] else { panic!("one point") };
    let fastest: Vec<(u64, &str)> =
        line.points.iter().map(|(value, p)| (*value, fastest(p).unwrap().first().name.as_str())).collect();
    assert_eq!(fastest, [(50, "mutex/ticket"), (100, "mutex/ticket"), (400, "mutex/mcs")]);
}

#[test]
fn pages_of_simulated_machines() {
    let mut records = curve("opteron-48", 48);
    records.extend(curve("genoa-192", 192));
    records.extend(plane("opteron-48"));
    records.extend(sweep().into_iter().filter(|r| r.machine.contains('?')));
    let files = site("scale", records);
    let scale = page(&files, "scale.html");
    for needed in [
        "simulated",
        "ticket loses to ",
        "<strong>mcs</strong> from ",
        "All pairs on genoa-192",
        "role=\"img\"",
    ] {
        assert!(scale.contains(needed), "{needed}");
    }
    insta::assert_snapshot!("scale", structure(scale));
    let phases = page(&files, "phases.html");
    assert!(phases.contains("zones of indifference") && phases.contains("simulated"));
    insta::assert_snapshot!("phases", structure(phases));
    let what_if = page(&files, "what-if.html");
    assert!(what_if.contains("miss.percent") && what_if.contains("simulated"));
    insta::assert_snapshot!("what_if", structure(what_if));
    for path in ["scale.html", "phases.html", "what-if.html"] {
        assert!(page(&files, "index.html").contains(path), "the first page leads to {path}");
        assert!(!page(&files, path).contains("NaN"), "{path}");
    }
}

#[test]
fn measured_runs_have_no_such_pages() {
    let points = [1, 2, 4, 8].map(|threads| point("contended", threads));
    let records = points.iter().map(|p| record(&NATURES[4], p, 5, 1, 1)).collect();
    let files = site("measured", records);
    assert!(files.iter().all(|f| !["scale.html", "phases.html", "what-if.html"].contains(&f.path.as_str())));
}
