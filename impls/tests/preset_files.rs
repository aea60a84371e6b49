//! Presets that users write: what is read, what may be wrong and how it is told, and that nothing makes it panic.

use impls::machine::sim::preset::Preset;

/// A preset that a user might write, with costs derived from times.
const USER: &str = r#"name = "mine"
summary = "A machine"
clock_mhz = 2000
cores = 4
read_occupancy_percent = 100

[distance]
levels = [2, 2]
classes = ["near", "far"]
transfer_ns = [30, 100.5]

[derive]
load = { modified = 90, shared = 60 }
store = { modified = 95, shared = 95 }
atomic = { modified = 100, shared = 95 }
store_shared_by_all = 105
memory_ns = 100

[local]
load = 4
store = 4
atomic = 20
fence = 20
pause = 40
clock_read = 25

[os]
slice_ns = 3000000
switch_ns = 1000
syscall_ns = 150
futex_wait_ns = 300
futex_wake_ns = 250
wake_preempts_after_ns = 1000000
wake = [{ idle_ns = 0, latency_ns = 2000 }, { idle_ns = 100000, latency_ns = 20000 }]
"#;

const MATRIX: &str = "levels = [2, 2]\nclasses = [\"near\", \"far\"]\ntransfer_ns = [30, 100.5]\n";

/// What reading `text` answers when it names `m.csv`, which holds `csv`.
fn read(text: &str, csv: Option<&str>) -> Result<Preset, String> {
    let file = |name: &str| match (name, csv) {
        ("m.csv", Some(csv)) => Ok(csv.to_owned()),
        _ => Err("No such file or directory".to_owned()),
    };
    Preset::parse("my.toml", text, &file).map_err(|error| error.to_string())
}

/// The user's preset with one text replaced, which must occur.
#[track_caller]
fn user(from: &str, to: &str) -> String {
    assert_eq!(USER.matches(from).count(), 1, "{from}");
    USER.replace(from, to)
}

#[test]
fn mistakes_are_told_with_file_line_and_key() {
    const CASES: &[(&str, &str, &str)] = &[
        (
            "cores = 4",
            "cores = 0",
            "my.toml:4: cores: expected a number of hardware threads from 1 to 1024, found 0",
        ),
        (
            "cores = 4",
            "cores = 1025",
            "my.toml:4: cores: expected a number of hardware threads from 1 to 1024, found 1025",
        ),
        ("cores = 4", "cors = 4", "my.toml:4: unknown key `cors`; the nearest is `cores`"),
        ("clock_mhz = 2000\n", "", "my.toml:1: clock_mhz: missing: expected the clock in MHz"),
        (
            "clock_mhz = 2000",
            "clock_mhz = -1",
            "my.toml:3: clock_mhz: expected the clock in MHz from 1 to 100000, found -1",
        ),
        (
            "name = \"mine\"",
            "name = \"My one\"",
            "my.toml:1: name: expected at most 64 small letters, digits and hyphens, such as `genoa-192`, found `My one`",
        ),
        ("pause = 40", "pause = 0", "my.toml:24: local.pause: expected cycles from 1 to 10000000, found 0"),
        (
            "pause = 40",
            "pause = 99999999999999999999",
            "my.toml:24: local.pause: expected cycles from 1 to 10000000, found 99999999999999999999",
        ),
        (
            "pause = 40",
            "pause = 4.5",
            "my.toml:24: local.pause: expected cycles from 1 to 10000000, found 4.5",
        ),
        ("atomic = 20\n", "", "my.toml:19: local.atomic: missing: expected cycles"),
        (
            "slice_ns = 3000000",
            "slice_ns = 3000000000000000",
            "my.toml:28: os.slice_ns: expected a time in ns from 1 to 1000000000000, found 3000000000000000",
        ),
        ("idle_ns = 0,", "idle_ns = 5,", "my.toml:34: os.wake[1]: expected the first step at `idle_ns = 0`"),
        (
            "idle_ns = 100000,",
            "idle_ns = 0,",
            "my.toml:34: os.wake[2]: expected steps with growing `idle_ns`",
        ),
        (
            "levels = [2, 2]",
            "levels = [2, 3]",
            "my.toml:8: distance.levels: expected sizes whose product is 4, the number of cores",
        ),
        (
            "levels = [2, 2]",
            "levels = [2, 2]\nmesh = [2, 2]",
            "my.toml:7: distance: expected one of levels, between, mesh, matrix, found levels and mesh",
        ),
        (
            "transfer_ns = [30, 100.5]",
            "transfer_ns = [30, -1]",
            "my.toml:10: distance.transfer_ns[2]: expected a time in ns, more than 0 and at most 1000000, found -1",
        ),
        (
            "transfer_ns = [30, 100.5]",
            "transfer_ns = [30]",
            "my.toml:10: distance.transfer_ns: expected 2 times, one for each class, found 1",
        ),
        (
            "transfer_ns = [30, 100.5]",
            "transfer_ns = [30, 20]",
            "my.toml:10: distance.transfer_ns: expected near classes first: a farther one has a shorter time",
        ),
        (
            "transfer_ns = [30, 100.5]\n",
            "",
            "my.toml:11: derive: needs transfer times: `distance.transfer_ns` or `distance.matrix`",
        ),
        (
            "load = { modified = 90, shared = 60 }",
            "load = { modified = 90 }",
            "my.toml:13: derive.load.shared: missing: expected costs by class",
        ),
        (
            "load = { modified = 90, shared = 60 }",
            "load = { modified = 0, shared = 60 }",
            "my.toml:13: derive.load.modified: expected a percentage of the transfer time from 1 to 1000, found 0",
        ),
        (
            "atomic = { modified = 100, shared = 95 }\n",
            "",
            "my.toml:12: derive.cas: missing: expected a table `atomic`, or one for each operation",
        ),
        (
            "[derive]",
            "[miss]",
            "my.toml:12: miss: does not go with transfer times in `distance`: expected `derive`",
        ),
        (
            "cores = 4",
            "cores = 4\nthreads_per_core = 3",
            "my.toml:5: threads_per_core: expected a divisor of 4, the number of hardware threads",
        ),
        (
            "cores = 4",
            "cores = 4\nnode_of_core = [0, 0, 2, 2]",
            "my.toml:5: node_of_core: expected no gaps: no core is on node 1",
        ),
        (
            "cores = 4",
            "cores = 4\norder = [0, 1, 2, 2]",
            "my.toml:5: order: core 2 is listed twice: expected each once",
        ),
        (
            "cores = 4",
            "cores = 4\norder = [0, 1, 2]",
            "my.toml:5: order: expected a list of 4 numbers, one for each core, found 3",
        ),
        (
            "cores = 4",
            "cores = 4\nshared_cache = 1",
            "my.toml:5: shared_cache: expected true or false, found 1",
        ),
        (
            "cores = 4",
            "cores = 4\nshared_cache = true\nby_home = true",
            "my.toml:6: by_home: does not go with `shared_cache = true`: there no core owns a line",
        ),
        (
            "cores = 4",
            "cores = 4\nany_order = true\nshared_cache = true",
            "my.toml:5: any_order: does not go with `shared_cache = true`: there no core owns a line",
        ),
        (
            "cores = 4\nread_occupancy_percent = 100",
            "cores = 4\nany_order = true\nread_occupancy_percent = 99",
            "my.toml:6: read_occupancy_percent: expected a percentage, with `any_order` from 100 to 400, found 99",
        ),
        (
            "cores = 4",
            "cores = 4\nshared_cache = true\nhold_window_cycles = 7",
            "my.toml:6: hold_window_cycles: does not go with `shared_cache = true`: there no core owns a line",
        ),
        (
            "cores = 4",
            "cores = 4\nshared_cache = true",
            "my.toml:22: local.store: does not go with `shared_cache = true`: all stores and atomics go to that cache",
        ),
        (
            "cores = 4\nread_occupancy_percent = 100",
            "cores = 4\nshared_cache = true\nread_occupancy_percent = 101",
            "my.toml:6: read_occupancy_percent: expected a percentage from 0 to 100, found 101",
        ),
        ("cores = 4", "cores = ", "my.toml:4: not valid TOML: "),
    ];
    assert!(read(USER, None).is_ok(), "{:?}", read(USER, None));
    for (from, to, expected) in CASES {
        let error = read(&user(from, to), None).unwrap_err();
        assert!(error.starts_with(expected), "{to}\n  expected {expected}\n  found    {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn tables_between_clusters_are_checked() {
    let between = |rows: &str| {
        let table = format!(
            "cluster = 2\nclasses = [\"near\", \"far\"]\ntransfer_ns = [30, 100]\nbetween = {rows}\n"
        );
        read(&user(MATRIX, &table), None)
    };
    let preset = between("[[0, 1], [1, 0]]").unwrap();
    assert_eq!((preset.class(0, 1), preset.class(0, 2), preset.class(2, 3)), (0, 1, 0));
    for (rows, expected) in [
        (
            "[[0, 1], [0, 0]]",
            "my.toml:11: distance.between[2]: asymmetric: 0 in row 2, column 1, but 1 in row 1, column 2",
        ),
        ("[[0, 1], [2, 0]]", "my.toml:11: distance.between[2][1]: expected a class from 0 to 1, found 2"),
        ("[[0, 1]]", "my.toml:11: distance.between: expected 2 rows, one for each cluster"),
        ("[[0], [0]]", "my.toml:11: distance.between[1]: expected a row of 2 classes, one for each cluster"),
    ] {
        assert_eq!(between(rows).unwrap_err(), expected);
    }
}

#[test]
fn matrices_are_read() {
    let text = user(MATRIX, "matrix = \"m.csv\"\n");
    let lower = ",,,\n30,,,\n100,101,,\n102,100,31,\n";
    let full = "0,30,100,102\n30,0,101,100\n100,101,0,31\n102,100,31,0\n";
    let short = "\n30\n100,101\r\n102,100,31";
    let presets = [lower, full, short].map(|csv| read(&text, Some(csv)).unwrap());
    assert!(presets.iter().all(|preset| *preset == presets[0]));
    let names: Vec<&str> = presets[0].classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, ["30.5 ns", "101.0 ns"]);
    assert_eq!((presets[0].class(0, 1), presets[0].class(0, 3)), (0, 1));

    let listed = user(MATRIX, "matrix = [[], [30], [100, 101], [102, 100, 31.0]]\n");
    assert_eq!(read(&listed, None).unwrap(), presets[0]);
    let clustered = user(MATRIX, "matrix = \"m.csv\"\ncluster = 2\n");
    let preset = read(&clustered, Some("30,\n100,32\n")).unwrap();
    assert_eq!((preset.class(0, 1), preset.class(2, 3), preset.class(1, 2)), (0, 1, 2));
}

#[test]
fn quotes_and_a_byte_order_mark_are_no_part_of_a_matrix() {
    let text = user(MATRIX, "matrix = \"m.csv\"\n");
    let plain = read(&text, Some(",,,\n30,,,\n100,101,,\n102,100,31,\n")).unwrap();
    let quoted = "\u{feff}\"\",,,\r\n\"30\",,,\r\n\"100\", \"101\" ,,\r\n102,100,31,\r\n";
    assert_eq!(read(&text, Some(quoted)).unwrap(), plain);
}

#[test]
fn mistakes_in_matrices_are_told_with_their_cell() {
    let text = user(MATRIX, "matrix = \"m.csv\"\n");
    for (csv, expected) in [
        (
            ",,,\n30,,,\n100,,,\n102,100,31,\n",
            "m.csv:3: column 2: expected a time in ns, found none, nor in the cell mirrored at the diagonal",
        ),
        (
            ",,,\n30,,,\n100,fast,,\n102,100,31,\n",
            "m.csv:3: column 2: expected a time in ns, at most 1000000, or nothing, found `fast`",
        ),
        (
            ",,,\n30,,,\n100,-5,,\n102,100,31,\n",
            "m.csv:3: column 2: expected a time in ns, at most 1000000, or nothing, found `-5`",
        ),
        (
            ",,,\n30,,,\n100,inf,,\n102,100,31,\n",
            "m.csv:3: column 2: expected a time in ns, at most 1000000, or nothing, found `inf`",
        ),
        (",,,\n30,,,\n100,0,,\n102,100,31,\n", "m.csv:3: column 2: expected more than 0 ns"),
        (
            ",30,100,102\n40,,101,100\n100,101,,31\n102,100,31,\n",
            "m.csv:2: column 1: asymmetric: 40 ns here, 30 ns in line 1, column 2; expected within 25 %",
        ),
        (",,,\n30,,,\n100,101,,\n", "m.csv:3: expected 4 rows, one for each core or cluster, found 3"),
        (
            ",,,,\n30,,,\n100,101,,\n102,100,31,\n",
            "m.csv:1: column 5: expected 4 columns, as many as rows, found 5",
        ),
        (
            "\"\",30\n30,,,\n100,101,,\n102,100,31,\n102,100,31,\n\n",
            "m.csv:5: expected 4 rows, one for each core or cluster, found 5",
        ),
        ("", "m.csv: expected 4 rows, one for each core or cluster, found 0"),
    ] {
        assert_eq!(read(&text, Some(csv)).unwrap_err(), expected);
    }
    let many = "1\n".repeat(1025);
    assert_eq!(
        read(&text, Some(&many)).unwrap_err(),
        "m.csv:5: expected 4 rows, one for each core or cluster, found 1025"
    );
    let error = read(&text, None).unwrap_err();
    assert_eq!(error, "my.toml:8: distance.matrix: cannot read `m.csv`: No such file or directory");
    let listed = user(MATRIX, "matrix = [[], [30], [100, \"x\"], [102, 100, 31.0]]\n");
    let error = read(&listed, None).unwrap_err();
    assert_eq!(error, "my.toml:8: distance.matrix[3][2]: expected a time in ns, at most 1000000, found `x`");
}

#[test]
fn many_times_become_few_classes_within_two_percent() {
    // 1 to 3001 ns in 1225 values: far more than classes.
    let time = |a: usize, b: usize| {
        let rank = a * (a - 1) / 2 + b;
        1000 + rank as u64 * rank as u64 * 2
    };
    let rows = (0..50usize)
        .map(|a| (0..a).map(|b| format!("{:.3}", time(a, b) as f64 / 1000.0)).collect::<Vec<_>>().join(","));
    let csv = rows.collect::<Vec<_>>().join("\n");
    let text = user(MATRIX, "matrix = \"m.csv\"\n").replace("cores = 4", "cores = 50");
    let preset = read(&text, Some(&csv)).unwrap();
    for (a, b) in (0..50usize).flat_map(|a| (0..a).map(move |b| (a, b))) {
        let name = &preset.classes[usize::from(preset.class(a, b))].name;
        let shown: f64 = name.strip_suffix(" ns").unwrap().parse().unwrap();
        let given = time(a, b) as f64 / 1000.0;
        assert!((shown / given - 1.0).abs() <= 0.0201, "{given} became {name}");
    }
}

#[test]
fn a_preset_finds_its_matrix_beside_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, user(MATRIX, "matrix = \"m.csv\"\n")).unwrap();
    std::fs::write(folder.path().join("m.csv"), ",,,\n30,,,\n100,101,,\n102,100,31,\n").unwrap();
    assert_eq!(Preset::load(&path).unwrap().cores, 4);
    std::fs::write(folder.path().join("m.csv"), "?").unwrap();
    let error = Preset::load(&path).unwrap_err().to_string();
    assert!(error.contains("m.csv:1: column 1: expected"), "{error}");
    let error = Preset::load(&folder.path().join("none.toml")).unwrap_err().to_string();
    assert!(error.contains("none.toml: cannot read the file: "), "{error}");
}

mod arbitrary {
    //! Whatever a file holds, reading it answers.

    use proptest::prelude::*;

    use super::{MATRIX, USER, read, user};

    proptest! {
        #[test]
        fn text_never_panics(text in "\\PC{0,200}") {
            if let Err(error) = read(&text, None) {
                prop_assert!(!error.contains('\n'));
            }
        }

        #[test]
        fn a_damaged_preset_never_panics(at in 0..USER.len(), cut in 0..20usize, put in "[-0-9a-z\\[\\]{}=,.\"\n ]{0,6}") {
            let end = (at + cut).min(USER.len());
            let text = format!("{}{put}{}", &USER[..at], &USER[end..]);
            if let Ok(preset) = read(&text, None) {
                let again = read(&preset.to_toml(), None);
                prop_assert_eq!(again, Ok(preset));
            }
        }

        #[test]
        fn a_matrix_never_panics(csv in "([0-9.,x\n-]|\\PC){0,80}") {
            let text = user(MATRIX, "matrix = \"m.csv\"\n");
            if let Err(error) = read(&text, Some(&csv)) {
                prop_assert!(!error.contains('\n'));
            }
        }
    }
}
