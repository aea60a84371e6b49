//! Operations that hold two locks at once: what the accounts hold together stays, an order that contradicts another is
//! told though nobody has met, and who meets is told who waits for whom.

mod support;

use record::cell::{FailureKind, Verdict};
use record::profile::{Inversion, LockOrder};
use record::{Record, Status};
use support::{Place, Ran, record_of};

/// A definition of transfers between `locks` accounts by two threads.
fn transfers(order: &str, locks: u32, rest: &str) -> String {
    format!(
        "name = \"moves\"\nfamily = \"mutex\"\nsummary = \"a test\"\nanalysis = \"a test\"\nexpect = \"sum\"\nthreads = 2\n\
         locks = {locks}\ntake = {{ kind = \"two\", order = \"{order}\" }}\n{rest}\n"
    )
}

/// So rare that two threads are hardly ever on their way at once, and all orders of three locks come up.
const RARE: &str = "arrivals = { kind = \"poisson\", per_thread_per_s = 1000 }";
/// At it all the time.
const BUSY: &str = "hold_ns = 300\nthink_ns = 100";

fn suite(implementations: &str, probe: &str, slice_ms: u32) -> String {
    format!(
        "name = \"two\"\nsummary = \"a test\"\nlaunches = 1\nprobed = 1\nprobe = \"{probe}\"\nslices = 2\n\
         slice_ms = {slice_ms}\nwarmup_ms = 1\naa = \"mutex/ticket\"\n\n[[cells]]\nworkload = \"moves.toml\"\n\
         implementations = [{implementations}]\n"
    )
}

/// Runs `implementation` and nothing else; the records and what was said.
fn run(
    place: &Place,
    suite: &str,
    definition: &str,
    implementation: &str,
    more: &[&str],
) -> (Vec<Record>, Ran) {
    let _ = std::fs::remove_dir_all(place.path("run"));
    place.write("moves.toml", definition);
    place.write("suite.toml", suite);
    let filter = format!("*{}*", implementation.trim_start_matches("mutex/"));
    let fixed = ["run", "suite.toml", "--out", "run", "--filter", &filter];
    let ran = place.run(&[&fixed[..], more].concat());
    (place.load("run").records, ran)
}

fn order(record: &Record) -> Option<&LockOrder> {
    record.probed().find_map(|result| result.profile.as_ref()?.lock_order.as_ref())
}

/// Each step's second lock is the next one's first, by other threads.
#[track_caller]
fn is_circle(inversion: &Inversion) {
    let circle = &inversion.circle;
    for (place, step) in circle.iter().enumerate() {
        let next = &circle[(place + 1) % circle.len()];
        assert!(step.asks == next.holds && step.worker != next.worker, "{inversion:?}");
        assert!(step.holds != step.asks && step.operation >= 1 && step.times >= 1, "{inversion:?}");
    }
}

/// Told in the record, on standard error, in the table and on the pages; and no reason to doubt the numbers.
#[track_caller]
fn told(place: &Place, record: &Record, ran: &Ran) {
    let found = order(record).unwrap_or_else(|| panic!("no orders: {record:?}"));
    assert!(!found.inversions.is_empty(), "{found:?}");
    found.inversions.iter().for_each(is_circle);
    let words = found.inversions[0].text();
    // Of several launches at once, the one that ends first is told.
    let orders = record.probed().filter_map(|result| result.profile.as_ref()?.lock_order.as_ref());
    let mut firsts = orders.filter_map(|order| order.inversions.first());
    let said = |first: &Inversion| {
        let words = first.text();
        ran.stderr.contains(&format!("lock order inverted: {words}"))
    };
    assert!(firsts.any(said), "{ran:#?}");
    assert!(ran.stdout.contains("lock order inverted, which may end in a deadlock: worker "), "{ran:#?}");
    let check = record.checks.iter().find(|check| check.rule == "lock-order").expect("a rule");
    assert!(check.verdict == Verdict::Holds && check.detail.contains(&words), "{check:?}");
    assert!(!record.reasons.iter().any(|reason| reason.starts_with("lock-order")), "{:?}", record.reasons);
    let front = std::fs::read_to_string(place.path("run/report/index.html")).expect("a page");
    assert!(front.contains("lock order inverted"), "the front page is silent");
}

#[test]
fn contradicting_orders_are_told_though_nobody_has_met() {
    for (probe, implementation) in
        [("full", "mutex/go-2019-fastpath"), ("count", "mutex/peer-std"), ("sample", "mutex/mcs")]
    {
        // Chance may let them meet all the same: then another seed.
        let met = (1..=5).all(|seed: u32| {
            let place = Place::new();
            let suite = suite(&format!("\"{implementation}\""), probe, 40);
            let definition = transfers("as-drawn", 3, RARE);
            let more = ["--seed", &seed.to_string(), "--patience", "0.2", "--launches", "1"];
            let (records, ran) = run(&place, &suite, &definition, implementation, &more);
            let met = records[0].launches.iter().any(|launch| launch.failure.is_some());
            if !met {
                told(&place, &records[0], &ran);
            }
            met
        });
        assert!(!met, "{implementation}: they met every time, at a load at which they hardly ever do");
    }
}

#[test]
fn one_order_is_never_accused_and_the_sum_stays() {
    let place = Place::new();
    let implementations = [
        "mutex/go-2019-fastpath",
        "mutex/mcs",
        "mutex/recursive-thread",
        "mutex/spin-yield",
        "mutex/engine-go",
    ];
    let listed = implementations.map(|id| format!("\"{id}\"")).join(", ");
    place.write("moves.toml", &transfers("ascending", 4, BUSY));
    place.write("suite.toml", &suite(&listed, "full", 8));
    let machines = ["--machine", "os", "--machine", "sim:laptop-8"];
    let ran = place.run(&[&["run", "suite.toml", "--out", "run"], &machines[..]].concat());
    assert!(!ran.stderr.contains("inverted") && !ran.stdout.contains("inverted"), "{ran:#?}");
    let loaded = place.load("run");
    let mut simulated = 0;
    for record in &loaded.records {
        if record.implementation == "mutex/engine-go" || record.implementation == "mutex/empty" {
            continue;
        }
        let (cell, reasons) = (&record.cell, &record.reasons);
        // `overlap` tells what else this computer does.
        let others: Vec<_> = reasons.iter().filter(|reason| !reason.starts_with("overlap")).collect();
        assert!(others.is_empty(), "{cell}: {others:?}");
        let results: Vec<_> =
            record.launches.iter().map(|launch| launch.result.as_ref().expect("a result")).collect();
        for slice in results.iter().flat_map(|result| &result.slices) {
            let sum = slice.sum.expect("a sum");
            assert!(sum.before == sum.after && sum.before > 0, "{cell}: {slice:?}");
            assert_eq!(slice.expected % 2, 0);
            assert!(
                slice.fault().is_none() && slice.ops() * 2 <= slice.expected && slice.ops() > 0,
                "{cell}: {slice:?}"
            );
        }
        let found = order(record).unwrap_or_else(|| panic!("{cell}: no orders"));
        assert!((1..=6).contains(&found.pairs) && found.inversions.is_empty(), "{cell}: {found:?}");
        simulated += usize::from(record.machine != "os");
    }
    assert!(simulated >= 4, "{simulated}");
    // Real Go takes one lock at a time, and says so in a line.
    let go: Vec<&Record> = loaded.records.iter().filter(|r| r.implementation == "mutex/engine-go").collect();
    assert!(!go.is_empty());
    for record in go {
        assert_eq!(record.status, Status::NotApplicable);
        let expected =
            if record.machine == "os" { "takes one lock at a time" } else { "threads of this computer only" };
        assert!(record.reasons.len() == 1 && record.reasons[0].contains(expected), "{:?}", record.reasons);
    }
}

#[test]
fn a_simulated_launch_tells_orders_and_deadlocks() {
    let place = Place::new();
    let machine = ["--machine", "sim:laptop-8", "--seed", "1"];
    let suite = suite("\"mutex/ticket\"", "full", 20);
    let (records, ran) = run(&place, &suite, &transfers("as-drawn", 3, RARE), "mutex/ticket", &machine);
    assert_eq!(records[0].status, Status::Ok, "{:?}", records[0].reasons);
    told(&place, &records[0], &ran);

    let suite = suite.replace("mutex/ticket", "mutex/go-2019-fastpath");
    let (records, ran) =
        run(&place, &suite, &transfers("as-drawn", 2, BUSY), "mutex/go-2019-fastpath", &machine);
    let record = record_of_machine(&records);
    let failure = record.launches[0].failure.as_ref().unwrap_or_else(|| panic!("no deadlock: {record:?}"));
    assert_eq!(failure.kind, FailureKind::Panic);
    // Each of the two waits for what the other holds.
    for words in [
        "deadlock after",
        "thread 0 is parked, waits for object 1",
        "held by thread 1, holds object 0",
        "thread 1 is parked, waits for object 0",
        "held by thread 0, holds object 1",
    ] {
        assert!(failure.detail.contains(words), "no {words:?} in {}", failure.detail);
    }
    assert!(ran.stderr.contains("deadlock after"), "{ran:#?}");
}

fn record_of_machine(records: &[Record]) -> &Record {
    records.iter().find(|record| record.machine.starts_with("sim:")).expect("a simulated record")
}

#[test]
fn a_deadlock_on_this_computer_is_told() {
    let place = Place::new();
    let suite = suite("\"mutex/go-2019-fastpath\"", "full", 60);
    let more = ["--patience", "0.2", "--launches", "1"];
    let definition = transfers("as-drawn", 2, BUSY);
    let (records, ran) = run(&place, &suite, &definition, "mutex/go-2019-fastpath", &more);
    assert_eq!(ran.code, Some(3), "{ran:#?}");
    let failure = records[0].launches[0].failure.as_ref().expect("two threads that always meet");
    assert_eq!(failure.kind, FailureKind::Hang);
    // Whatever was held how long: two locks, and a circle.
    for words in
        ["no result after", "is held by worker 0", "is held by worker 1", "deadlock: worker 0 waits for lock"]
    {
        assert!(failure.detail.contains(words), "no {words:?} in {}", failure.detail);
    }
}

/// A lock that lets two in loses amounts.
#[test]
fn a_lock_that_does_not_exclude_is_found_out() {
    let place = Place::new();
    // Of three accounts: two threads that meet in both of theirs lose as much as they find.
    place.write("moves.toml", &transfers("ascending", 3, BUSY));
    place.write("suite.toml", &suite("\"mutex/mutant-overlap\"", "full", 60));
    let arguments = ["run", "suite.toml", "--out", "run", "--machine", "sim:laptop-8"];
    let output =
        place.command(&arguments).env("SYNCHROSCOPE_MUTANTS", "1").output().expect("the binary starts");
    Ran::of(&arguments, &output).code(3);
    let run = place.load("run");
    let record = record_of(&run, "mutex/mutant-overlap");
    assert_eq!(record.status, Status::Failed);
    assert!(record.reasons.iter().any(|reason| reason.starts_with("result: ")), "{:?}", record.reasons);
    let slices =
        record.launches.iter().filter_map(|launch| launch.result.as_ref()).flat_map(|result| &result.slices);
    assert!(slices.filter_map(|slice| slice.sum).any(|sum| sum.before != sum.after), "no amount was lost");
}

#[test]
fn definitions_that_do_not_go_together_are_refused() {
    let place = Place::new();
    let refused = |definition: &str, texts: &[&str]| {
        place.write("moves.toml", definition);
        place.write("suite.toml", &suite("\"mutex/ticket\"", "full", 2));
        place.run(&["run", "suite.toml", "--out", "run"]).refused(texts);
    };
    refused(&transfers("ascending", 1, ""), &["moves.toml:7", "locks", "at least 2", "found 1"]);
    refused(&transfers("upwards", 2, ""), &["moves.toml:8", "take.order", "ascending", "as-drawn"]);
    let counted = transfers("ascending", 2, "").replace("\"sum\"", "\"counter\"");
    refused(&counted, &["moves.toml:5", "expect", "expected `sum`"]);
    let alone = transfers("ascending", 2, "").replace("{ kind = \"two\", order = \"ascending\" }", "\"one\"");
    refused(&alone, &["moves.toml:5", "expect", "expected `counter`"]);
    let bare = transfers("ascending", 2, "").replace("{ kind = \"two\", order = \"ascending\" }", "\"two\"");
    refused(&bare, &["moves.toml:8", "take", "order"]);
}
