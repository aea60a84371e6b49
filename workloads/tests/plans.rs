//! From suites and flags to cells: what is planned, for whom, how long.

use std::path::Path;

use record::{Distribution, PlannedCell, ProbeMode, Schedule};
use workloads::{Count, Overrides, Suite};

const MUTEXES: [&str; 5] =
    ["mutex/go-2019-fastpath", "mutex/ticket", "mutex/peer-std", "mutex/empty", "other/thing"];

fn suite(body: &str) -> Suite {
    let head =
        "name = \"s\"\nsummary = \"s\"\nlaunches = 3\nprobed = 1\nslices = 2\nslice_ms = 10\nwarmup_ms = 4\n";
    Suite::parse("s.toml", &format!("{head}{body}"), Path::new(".")).unwrap()
}

fn plan(body: &str, overrides: Overrides) -> Vec<PlannedCell> {
    suite(body).cells(&MUTEXES, 2, &overrides).unwrap()
}

fn ids(cells: &[PlannedCell]) -> Vec<&str> {
    cells.iter().map(|cell| cell.cell.as_str()).collect()
}

const CONTENDED: &str = "[[cells]]\nworkload = \"contended\"\nimplementations = \"mutex/ticket\"\nthreads = [2, \"4x\"]\nhold_ns = 0\n";

#[test]
fn floor_and_pair_come_along() {
    let cells = plan(CONTENDED, Overrides::default());
    let expected = ["t2", "t8"].map(|threads| {
        ["ticket@", "empty@", "ticket@+a", "ticket@+b"].map(|row| {
            let (name, arm) = row.split_once('@').unwrap();
            format!("mutex.{name}@contended-{threads}-h0{arm}")
        })
    });
    assert_eq!(ids(&cells), expected.concat());
    assert_eq!(cells[2].arm, "a");
    assert_eq!(cells[0].launches, [ProbeMode::Off, ProbeMode::Off, ProbeMode::Off, ProbeMode::Full]);
    assert_eq!(cells[0].point.roles[0].hold, Distribution::Constant { ns: 0 });
}

#[test]
fn pair_may_be_somebody_else() {
    let cells = plan(&format!("aa = \"mutex/peer-std\"\n{CONTENDED}"), Overrides::default());
    assert!(ids(&cells).contains(&"mutex.peer-std@contended-t2-h0+a"), "{:?}", ids(&cells));
    assert!(!ids(&cells).contains(&"mutex.peer-std@contended-t2-h0"));
}

#[test]
fn slices_grow_with_threads_per_core_unless_stated() {
    let cells = plan(CONTENDED, Overrides::default());
    assert_eq!((cells[0].slice_ns, cells[4].slice_ns), (10_000_000, 40_000_000));
    let cells = plan(&format!("{CONTENDED}slice_ms = 7.5\nslices = 9\nlaunches = 1"), Overrides::default());
    assert_eq!((cells[0].slice_ns, cells[4].slice_ns), (7_500_000, 7_500_000));
    assert_eq!((cells[0].slices, cells[0].launches.len()), (9, 2));
}

#[test]
fn what_a_group_names_wins_over_what_another_brings() {
    let body = format!(
        "{CONTENDED}[[cells]]\nworkload = \"contended\"\nimplementations = [\"mutex/empty\", \"mutex/peer-*\"]\n\
         threads = 2\nhold_ns = 0\nlaunches = 9\n"
    );
    let cells = plan(&body, Overrides::default());
    let empty: Vec<_> = cells.iter().filter(|cell| cell.cell == "mutex.empty@contended-t2-h0").collect();
    assert_eq!(empty.len(), 1);
    assert_eq!(empty[0].launches.len(), 10, "the second group asked for it by name");
}

#[test]
fn filter_takes_ids_names_and_workloads() {
    let count = |filter: &str| {
        plan(CONTENDED, Overrides { filter: Some(filter.into()), ..Overrides::default() }).len()
    };
    assert_eq!(count("mutex/ticket"), 6);
    assert_eq!(count("ticket"), 6);
    assert_eq!(count("contended"), 8);
    assert_eq!(count("*@contended-t8-*"), 4);
    assert_eq!(count("*+a"), 2);
    assert_eq!(count("{empty,nobody}"), 2);
}

#[test]
fn flags_change_launches_and_probes() {
    let launches = |launches, probe| {
        let overrides = Overrides { launches, probe, ..Overrides::default() };
        plan(CONTENDED, overrides)[0].launches.clone()
    };
    use ProbeMode::{Count, Full, Off};
    assert_eq!(launches(Some(1), None), [Off, Full]);
    assert_eq!(launches(None, Some(Off)), [Off, Off, Off]);
    assert_eq!(launches(Some(2), Some(Count)), [Off, Off, Count]);
}

#[test]
fn threads_flag_leaves_roles_and_ramps_alone() {
    let body = "[[cells]]\nworkload = [\"contended\", \"starved-victim\", \"ramp\"]\nimplementations = \"mutex/ticket\"";
    let threads = Some(vec![Count::Fixed(3), Count::PerCore(1), Count::Fixed(2)]);
    let cells = plan(body, Overrides { threads, filter: Some("ticket".into()), ..Overrides::default() });
    let plain: Vec<_> = cells.iter().filter(|cell| cell.arm.is_empty()).collect();
    let threads: Vec<_> = plain.iter().map(|cell| cell.point.threads()).collect();
    // `cores` and 2 are the same point here.
    assert_eq!(threads, [3, 3, 2, 2, 2, 8]);
}

#[test]
fn seconds_stretch_the_slices_to_fill_the_time() {
    for seconds in [2.0, 60.0] {
        let cells = plan(CONTENDED, Overrides { seconds: Some(seconds), ..Overrides::default() });
        let expected_s = Suite::expected_ms(&cells, 2) / 1e3;
        assert!((expected_s / seconds - 1.0).abs() < 0.001, "{expected_s} s instead of {seconds}");
        assert_eq!(cells[4].slice_ns / cells[0].slice_ns, 4, "the proportions stay");
    }
}

#[test]
fn cores_are_pinned() {
    let body = "[[cells]]\nworkload = [\"pinned-one-core\", \"pinned-compact\", \"uncontended\"]\n\
                implementations = \"mutex/ticket\"";
    let cpus = |overrides: Overrides| -> Vec<Vec<usize>> {
        let cells = plan(body, overrides);
        ["pinned-one-core", "pinned-compact", "uncontended"]
            .map(|name| cells.iter().find(|cell| cell.point.workload == name).unwrap().cpus.clone())
            .into()
    };
    assert_eq!(cpus(Overrides::default()), [vec![0], vec![0, 1], vec![]]);
    let allowed = Overrides { allowed_cpus: vec![4, 6], ..Overrides::default() };
    assert_eq!(cpus(allowed), [vec![4], vec![4, 6], vec![]]);
    let chosen = Overrides { cpus: vec![3, 5, 7], ..Overrides::default() };
    assert_eq!(cpus(chosen.clone()), [vec![3], vec![3, 5, 7], vec![3, 5, 7]]);
    let cells = plan(body, chosen);
    // Four threads on one core: slices are four times as long. One thread per core: three threads.
    assert_eq!((cells[0].slice_ns, cells[0].point.threads()), (40_000_000, 4));
    let compact = cells.iter().find(|cell| cell.point.workload == "pinned-compact").unwrap();
    assert_eq!((compact.slice_ns, compact.point.threads()), (10_000_000, 3));
}

#[test]
fn machines_and_params_are_part_of_the_id() {
    let overrides = Overrides {
        machines: vec!["os".into(), "sim:two-sockets".into(), "os".into()],
        params: [("spin_rounds".to_owned(), 8)].into(),
        params_of: Some([("mutex/ticket".to_owned(), vec!["spin_rounds".to_owned()])].into()),
        filter: Some("*contended-t2*".into()),
        ..Overrides::default()
    };
    let cells = plan(CONTENDED, overrides);
    let ids = ids(&cells);
    assert_eq!(ids.len(), 8, "a machine named twice counts once: {ids:?}");
    assert!(ids.contains(&"mutex.ticket@contended-t2-h0+spin_rounds=8"), "{ids:?}");
    assert!(ids.contains(&"mutex.ticket@contended-t2-h0@sim-two-sockets+a+spin_rounds=8"), "{ids:?}");
    assert!(ids.contains(&"mutex.empty@contended-t2-h0"), "no parameter where there is none: {ids:?}");
}

#[test]
fn own_workloads_inline_and_from_files() {
    let own = "[[workload]]\nname = \"my load\"\nfamily = \"mutex\"\nsummary = \"s\"\nanalysis = \"a\"\n\
               expect = \"counter\"\nthreads = 2\nhold = [\"1 us\", { kind = \"exponential\", mean_ns = 7 }]\n";
    let folder = tempfile::tempdir().unwrap();
    let file = own.replace("[[workload]]\n", "").replace("my load", "filed");
    std::fs::write(folder.path().join("filed.toml"), file).unwrap();
    let body = "name = \"s\"\nsummary = \"s\"\n[[cells]]\nworkload = [\"my load\", \"filed.toml\"]\n\
                implementations = \"mutex/ticket\"\n";
    let path = folder.path().join("suite.toml");
    std::fs::write(&path, format!("{body}{own}")).unwrap();
    let overrides = Overrides { filter: Some("*h1000*".into()), ..Overrides::default() };
    let cells = Suite::load(&path).unwrap().cells(&MUTEXES, 2, &overrides).unwrap();
    let labels: Vec<&str> = cells.iter().map(|cell| cell.point.label.as_str()).collect();
    assert_eq!(labels, [["my load/t2/h1000"; 4], ["filed/t2/h1000"; 4]].concat());
    assert!(cells[0].cell.starts_with("mutex.ticket@my-load-t2-h1000~"), "{}", cells[0].cell);
}

#[test]
fn ramp_adapts_to_the_cores() {
    let body = "[[cells]]\nworkload = \"ramp\"\nimplementations = \"mutex/ticket\"";
    for cores in [1, 3] {
        let cells = suite(body).cells(&MUTEXES, cores, &Overrides::default()).unwrap();
        let Schedule::Ramp { active } = &cells[0].point.schedule else { panic!("a ramp") };
        let cores = cores as u32;
        assert_eq!(active, &[1, cores, 2 * cores, 4 * cores, 2 * cores, cores, 1]);
    }
}
