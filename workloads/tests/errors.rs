//! Bad input: the whole of the one line that each mistake gets.

use std::path::Path;

use workloads::{Count, Overrides, Suite, Workload};

const HEAD: &str =
    "name = \"w\"\nfamily = \"mutex\"\nsummary = \"s\"\nanalysis = \"a\"\nexpect = \"counter\"\n";

/// The error of a definition whose lines from the sixth on are `body`.
fn definition(body: &str) -> String {
    match Workload::parse("w.toml", &format!("{HEAD}{body}\n")) {
        Ok(workload) => panic!("accepted: {body}\n{workload:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn definitions() {
    let length = "expected a length from 0 to 1 s, in ns or as `10 us`";
    for (body, expected) in [
        ("thread = 2", "w.toml:6: unknown key `thread`; the nearest is `threads`"),
        ("threads = 2\nhold_us = 3", "w.toml:7: unknown key `hold_us`; the nearest is `hold_ns`"),
        ("hold_ns = 5", "w.toml:1: threads: missing: expected a number of threads, or a list"),
        ("threads = 0", "w.toml:6: threads: expected a number of threads from 1 to 4096, found 0"),
        (
            "threads = 1_000_000",
            "w.toml:6: threads: expected a number of threads from 1 to 4096, found 1000000",
        ),
        (
            "threads = []",
            "w.toml:6: threads: expected a number of threads, or a list of at least one, found an empty list",
        ),
        ("threads = [1,\n 2,\n 2]", "w.toml:8: threads[3]: listed twice: remove one"),
        (
            "threads = \"4y\"",
            "w.toml:6: threads: expected a number of threads from 1 to 4096, `cores`, or a multiple of the cores such as \
             `2x`, found `4y`",
        ),
        (
            "threads = 2\nhold_ns = -5",
            "w.toml:7: hold_ns: expected a length in ns from 0 to 1000000000, found -5",
        ),
        (
            "threads = 2\nhold_ns = 99999999999999999999999999",
            "w.toml:7: hold_ns: expected a length in ns from 0 to 1000000000, found 99999999999999999999999999",
        ),
        ("threads = 2\nhold = \"1 h\"", &format!("w.toml:7: hold: {length}, found `1 h`")),
        (
            "threads = 2\nhold = \"9999999999999 s\"",
            &format!("w.toml:7: hold: {length}, found `9999999999999 s`"),
        ),
        ("threads = 2\nthink = [0, \"x\"]", &format!("w.toml:7: think[2]: {length}, found `x`")),
        ("threads = 2\nhold = 1\nhold_ns = 1", "w.toml:8: hold_ns: expected `hold` or `hold_ns`, found both"),
        (
            "threads = 2\nhold = { kind = \"exponentail\", mean_ns = 5 }",
            "w.toml:7: hold.kind: unknown kind `exponentail`; the nearest is `exponential`",
        ),
        (
            "threads = 2\nhold = { kind = \"exponential\", min_ns = 5 }",
            "w.toml:7: hold: unknown key `min_ns`; the nearest is `mean_ns`",
        ),
        (
            "threads = 2\nhold = { kind = \"uniform\", min_ns = 9, max_ns = 5 }",
            "w.toml:7: hold.min_ns: expected at most max_ns (5), found 9",
        ),
        (
            "threads = 2\nhold = { kind = \"bimodal\", short_ns = 1, long_ns = 5, long_share = 1.5 }",
            "w.toml:7: hold.long_share: expected a share from 0 to 1, found 1.5",
        ),
        (
            "threads = 2\nchoice = { kind = \"zipf\", exponent = -1 }",
            "w.toml:7: choice.exponent: expected an exponent from 0 to 10, found -1",
        ),
        (
            "threads = 2\nchoice = { kind = \"zipf\", exponent = nan }",
            "w.toml:7: choice.exponent: expected an exponent from 0 to 10, found nan",
        ),
        (
            "threads = 2\nchoice = \"zipf\"",
            "w.toml:7: choice: expected a table such as { kind = \"zipf\", exponent = ... }, found the bare word `zipf`",
        ),
        (
            "threads = 2\narrivals = { kind = \"poisson\", per_thread_per_s = 0 }",
            "w.toml:7: arrivals.per_thread_per_s: expected a rate above 0 and at most 1e9 per second, found 0",
        ),
        (
            "threads = 2\nthink = 5\narrivals = { kind = \"fixed\", per_thread_per_s = 9 }",
            "w.toml:7: think: workload w: expected 0, since threads with fixed or poisson arrivals begin by the clock",
        ),
        (
            "threads = 2\nschedule = { kind = \"ramp\", active = [1, 3] }",
            "w.toml:7: schedule.active: workload w: expected at most the 2 threads there are, found 3 active",
        ),
        (
            "threads = 2\nschedule = { kind = \"bursts\", on_ns = 0, off_ns = \"1 ms\" }",
            "w.toml:7: schedule.on_ns: expected a length of at least 100 us, found 0",
        ),
        ("threads = 2\npin = \"on\"", "w.toml:7: pin: unknown pin `on`; the nearest is `one`"),
        ("threads = 2\nlocks = 0", "w.toml:7: locks: expected a number of locks from 1 to 65536, found 0"),
        (
            "threads = 2\n[[role]]\nname = \"r\"\nthreads = 1",
            "w.toml:6: threads: belongs into each [[role]] when there are roles",
        ),
        (
            "[[role]]\nname = \"r\"\nthreads = 4096\n[[role]]\nname = \"q\"\nthreads = 1",
            "w.toml:6: threads: workload w: 4097 threads together; at most 4096 are allowed",
        ),
        (
            "[[role]]\nname = \"r\"\nthreads = 1\n[[role]]\nname = \"r\"\nthreads = 1",
            "w.toml:10: role[2].name: a second role `r`",
        ),
        (
            "[[role]]\nname = \"r\"\nthreads = 1\nhodl = 1",
            "w.toml:9: role[1]: unknown key `hodl`; the nearest is `hold`",
        ),
    ] {
        assert_eq!(definition(body), expected, "for {body}");
    }
    // The rest of the line is the parser's.
    let error = definition("threads = = 2");
    assert!(error.starts_with("w.toml:6: not valid TOML: ") && error.lines().count() == 1, "{error}");
}

#[test]
fn heads_of_definitions() {
    for (text, expected) in [
        ("", "w.toml:1: name: missing: expected a text"),
        ("name = \"\"", "w.toml:1: name: expected a text, found an empty one"),
        ("name = 3", "w.toml:1: name: expected a text, found 3"),
        ("name = \"a/b\"", "w.toml:1: name: expected a name of at most 64 bytes without `/` or line breaks"),
        (
            "name = \"w\"\nfamily = \"mutx\"",
            "w.toml:2: family: unknown family `mutx`; the nearest is `mutex`",
        ),
    ] {
        assert_eq!(Workload::parse("w.toml", text).unwrap_err().to_string(), expected, "for {text}");
    }
    assert_eq!(
        Workload::embedded("contened").unwrap_err().to_string(),
        "workload: unknown workload `contened`; the nearest is `contended`"
    );
}

const MUTEXES: [&str; 4] = ["mutex/go-2019-fastpath", "mutex/ticket", "mutex/empty", "other/thing"];

/// What becomes of a suite whose lines from the third on are `body`.
fn suite(body: &str, overrides: &Overrides) -> Result<Vec<record::PlannedCell>, String> {
    let text = format!("name = \"s\"\nsummary = \"s\"\n{body}\n");
    let suite = Suite::parse("s.toml", &text, Path::new(".")).map_err(|error| error.to_string())?;
    suite.cells(&MUTEXES, 2, overrides).map_err(|error| error.to_string())
}

#[test]
fn suites() {
    let cells = "[[cells]]\nworkload = \"uncontended\"\nimplementations = \"mutex/*\"";
    for (body, expected) in [
        ("", "s.toml:1: cells: missing: expected at least one [[cells]]"),
        ("cells = []", "s.toml:3: cells: expected at least one [[cells]], found an empty list"),
        ("lanches = 3", "s.toml:3: unknown key `lanches`; the nearest is `launches`"),
        ("launches = 0", "s.toml:3: launches: expected an integer from 1 to 10000, found 0"),
        ("slice_ms = -1", "s.toml:3: slice_ms: expected a length in ms, from 0 to an hour, found -1"),
        ("slice_ms = 0", "s.toml:3: slice_ms: expected a length above 0, found 0"),
        ("probe = \"fall\"", "s.toml:3: probe: unknown probe `fall`; the nearest is `full`"),
        (
            &format!("aa = \"mutex/tiket\"\n{cells}"),
            "s.toml: aa: unknown implementation `mutex/tiket`; the nearest is `mutex/ticket`",
        ),
        (
            "[[cells]]\nworkload = \"contend\"\nimplementations = \"mutex/*\"",
            "s.toml:4: cells[1].workload: unknown workload `contend`; the nearest is `contended`",
        ),
        (
            "[[cells]]\nworkload = \"uncontended\"\nimplementations = \"mutex/go-2019\"",
            "s.toml:3: cells.implementations: unknown implementation `mutex/go-2019`; the nearest is \
             `mutex/go-2019-fastpath`",
        ),
        (
            "[[cells]]\nworkload = \"uncontended\"\nimplementations = \"mutex/tickt*\"",
            "s.toml:3: cells.implementations: `mutex/tickt*` matches no implementation of family mutex; the nearest is \
             `mutex/ticket`",
        ),
        (
            "[[cells]]\nworkload = \"starved-victim\"\nimplementations = \"mutex/*\"\nthreads = 2",
            "s.toml:4: cells[1].workload: workload starved-victim: its roles fix threads, hold and think: change the \
             roles in a definition of your own",
        ),
        (
            &format!("{cells}\n{cells}"),
            "s.toml:6: cells: plans the cell mutex.go-2019-fastpath@uncontended-t1 a second time: it is in line 3 too",
        ),
        (
            &format!(
                "{cells}\n[[workload]]\nname = \"w\"\nfamily = \"mutex\"\nsummary = \"s\"\nanalysis = \"a\"\n\
                      expect = \"counter\"\nthreads = 0"
            ),
            "s.toml:12: workload[1].threads: expected a number of threads from 1 to 4096, found 0",
        ),
    ] {
        assert_eq!(suite(body, &Overrides::default()).unwrap_err(), expected, "for {body}");
    }
    let glob = "[[cells]]\nworkload = \"uncontended\"\nimplementations = \"mutex/[\"";
    assert!(
        suite(glob, &Overrides::default())
            .unwrap_err()
            .contains("s.toml:5: cells[1].implementations: not a glob")
    );
    let file = "[[cells]]\nworkload = \"none.toml\"\nimplementations = \"mutex/*\"";
    // The rest of the line is the system's.
    assert!(suite(file, &Overrides::default()).unwrap_err().contains("none.toml: cannot read the file: "));
    assert_eq!(
        Suite::embedded("quik").unwrap_err().to_string(),
        "suite: unknown suite `quik`; the nearest is `quick`"
    );
}

#[test]
fn flags() {
    let cells =
        "[[cells]]\nworkload = \"contended\"\nimplementations = \"mutex/*\"\nthreads = 2\nhold_ns = 0";
    let plan = |overrides: Overrides| suite(cells, &overrides).unwrap_err();
    let filter = |glob: &str| plan(Overrides { filter: Some(glob.into()), ..Overrides::default() });
    assert_eq!(
        filter("tiket"),
        "--filter: `tiket` matches none of the 5 cells of suite s; the nearest name is `ticket`"
    );
    assert!(filter("{").starts_with("--filter: not a glob"));
    let seconds = |seconds: f64| plan(Overrides { seconds: Some(seconds), ..Overrides::default() });
    assert!(seconds(0.1).starts_with("--seconds: 30 launches need at least 0.5 s, found 0.1: allow more"));
    assert!(seconds(f64::NAN).starts_with("--seconds: 30 launches need at least 0.5 s"));
    assert_eq!(seconds(1e18), "--seconds: 1000000000000000000 s makes slices longer than an hour");
    let params = [("spin_rounds".to_owned(), 3)].into();
    assert_eq!(
        plan(Overrides { params, params_of: Some(Default::default()), ..Overrides::default() }),
        "--param: no implementation of this run has the parameter `spin_rounds`"
    );
    assert_eq!(
        plan(Overrides { threads: Some(vec![Count::PerCore(4096)]), ..Overrides::default() }),
        "workloads/defs/contended.toml:14: threads: workload contended: `4096x` on 2 cores is more than 4096 threads; \
         asked for by s.toml:3"
    );
    assert_eq!(
        Count::list("--threads", "1,,2").unwrap_err().to_string(),
        "--threads: expected a number of threads from 1 to 4096, `cores`, or a multiple of the cores such as `2x`, \
         found ``"
    );
}
