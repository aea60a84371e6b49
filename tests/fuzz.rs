//! Fuzzing of all that people and other programs write: shipped files are mutated by a seeded generator and read again.
//! No input may panic a reader, or make it take memory out of proportion.
//!
//! A few seconds here; `scripts/fuzz SECONDS` runs as long as asked, with a new seed each time. A failure names target,
//! seed and round, and leaves the input in a file.

#![allow(clippy::print_stdout, reason = "how many inputs were tried is a result, also when the test passes")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use impls::machine::sim::preset::Preset;
use impls::text::reader::Source;
use record::histogram::Values;
use record::store::RunDir;
use record::{LaunchResult, LaunchSpec, Manifest, Record};
use support::{Place, root};
use synchroscope::engine::{self, Engine};
use workloads::{Suite, Workload};

/// Bytes that reading one input may hold at once: far above any real file, far below what hurts.
const MEMORY_MAX: usize = 128 << 20;
/// Inputs do not grow beyond this.
const INPUT_MAX: usize = 256 << 10;

/// Counts what the process holds.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn count(more: usize) {
    let held = HELD.fetch_add(more, Ordering::Relaxed) + more;
    MOST.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator with the arguments that came, so its contract is kept.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's contract is that of the system's allocator.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above; the block came from the same allocator.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One reader at a time: what it holds is counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// The generator of the mutations: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
    fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// Numbers and words at which readers stumble.
const TOKENS: &[&str] = &[
    "0",
    "-1",
    "1",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "4294967296",
    "1e308",
    "-0.0",
    "1e-320",
    "nan",
    "inf",
    "0.5",
    "\"\"",
    "[]",
    "{}",
    "null",
    "true",
    "\"all\"",
    "\"cores\"",
    "\u{feff}",
    "\n",
    "=",
    "[[",
    "]]",
    "\u{0}",
    "é",
    "..",
    "*",
    "//",
    "\"\\u0000\"",
];

/// Changes `input` in one to four places.
fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], draws: &mut Draws) {
    for _ in 0..1 + draws.below(4) {
        let length = input.len();
        let at = draws.below(length + 1);
        let end = (at + 1 + draws.below(64)).min(length);
        match draws.below(8) {
            0 if length > 0 => input[at.min(length - 1)] ^= 1 << draws.below(8),
            1 => drop(input.drain(at..end.max(at))),
            2 => {
                let piece = input[at..end.max(at)].to_vec();
                let to = draws.below(length + 1);
                drop(input.splice(to..to, piece));
            }
            3 => {
                let token = draws.of(TOKENS).bytes();
                drop(input.splice(at..at, token));
            }
            4 | 5 => replace_number(input, at, draws),
            6 => {
                let other = &corpus[draws.below(corpus.len())];
                let from = draws.below(other.len() + 1);
                let piece = other[from..(from + draws.below(400)).min(other.len())].to_vec();
                drop(input.splice(at..at, piece));
            }
            _ => input.truncate(at),
        }
    }
    input.truncate(INPUT_MAX);
}

/// Puts a token in the place of the next number.
fn replace_number(input: &mut Vec<u8>, from: usize, draws: &mut Draws) {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(begin) = input[from..].iter().position(digit).map(|place| from + place) else { return };
    let length = input[begin..].iter().take_while(|byte| digit(byte) || matches!(byte, b'.' | b'_')).count();
    let token = draws.of(TOKENS).bytes();
    drop(input.splice(begin..begin + length, token));
}

/// Reads mutations of `corpus` for some seconds. The seed is fixed here, and given by `SYNCHROSCOPE_FUZZ_SEED` in long
/// runs, whose length `SYNCHROSCOPE_FUZZ_SECONDS` gives.
#[track_caller]
fn fuzz(target: &str, corpus: Vec<Vec<u8>>, read: &mut dyn FnMut(&[u8])) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let time = Duration::from_secs(number("SYNCHROSCOPE_FUZZ_SECONDS").unwrap_or(1));
    let seed = number("SYNCHROSCOPE_FUZZ_SEED").unwrap_or(1);
    assert!(!corpus.is_empty(), "{target}: no corpus");
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let mut draws = Draws(seed);
    let start = Instant::now();
    let mut round = 0_u64;
    while round < 20 || start.elapsed() < time {
        let mut input = corpus[round as usize % corpus.len()].clone();
        // The files as they are come first.
        if round >= corpus.len() as u64 {
            mutate(&mut input, &corpus, &mut draws);
        }
        let before = HELD.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let outcome = catch_unwind(AssertUnwindSafe(|| read(&input)));
        let took = MOST.load(Ordering::Relaxed).saturating_sub(before);
        if outcome.is_err() || took > MEMORY_MAX {
            let file = std::env::temp_dir().join(format!("synchroscope-fuzz-{target}-{seed}-{round}"));
            let kept = fs::write(&file, &input).map_or("nowhere".into(), |()| file.display().to_string());
            let what = if outcome.is_err() { "panics".to_owned() } else { format!("takes {took} bytes") };
            panic!("{target} {what} with seed {seed}, round {round}; the input is kept in {kept}");
        }
        round += 1;
    }
    println!("{target}: {round} inputs");
}

/// The shipped files below `folder` with this ending.
fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// An error is one line for a person.
#[track_caller]
fn in_a_line<T, E: std::fmt::Display>(outcome: Result<T, E>) -> Option<T> {
    outcome.map_err(|error| assert!(!error.to_string().contains('\n'), "{error}")).ok()
}

#[test]
fn suites() {
    let place = Place::new();
    fuzz("suite", files("workloads/suites", ".toml"), &mut |input| {
        in_a_line(Suite::parse("fuzz.toml", &text(input), &place.path("")));
    });
}

#[test]
fn workload_definitions() {
    fuzz("workload", files("workloads/defs", ".toml"), &mut |input| {
        in_a_line(Workload::parse("fuzz.toml", &text(input)));
    });
}

#[test]
fn presets() {
    let matrices = files("impls/presets/matrices", ".csv");
    fuzz("preset", files("impls/presets", ".toml"), &mut |input| {
        let matrix = |_: &str| Ok(text(&matrices[0]));
        let preset = in_a_line(Preset::parse("fuzz.toml", &text(input), &matrix));
        // What was read can be written and read again, as a run's manifest does.
        if let Some(preset) = preset {
            let again = Preset::parse("fuzz.toml", &preset.to_toml(), &|_| Err("no other file".into()));
            assert_eq!(again.as_ref().ok(), Some(&preset), "{again:?}");
        }
    });
}

#[test]
fn matrices() {
    let preset = Preset::builtin_text("milan-128").expect("a preset with a matrix");
    fuzz("matrix", files("impls/presets/matrices", ".csv"), &mut |input| {
        in_a_line(Preset::parse("milan-128.toml", preset, &|_| Ok(text(input))));
    });
}

#[test]
fn published_curves() {
    fuzz("curves", files("workloads/src/published/curves", ".csv"), &mut |input| {
        in_a_line(workloads::published::curves::read(&Source::new("fuzz.csv", text(input))));
    });
}

#[test]
fn engine_descriptions() {
    let place = Place::new();
    fuzz("engine", files("scripts/peers/go", ".toml"), &mut |input| {
        place.write("engine.toml", &text(input));
        in_a_line(Engine::load(&place.path("engine.toml")).map_err(|error| format!("{error:#}")));
    });
}

const GOLDEN: &str = "tests/golden/v1/cells";

#[test]
fn records() {
    fuzz("record", files(GOLDEN, ".json"), &mut |input| {
        if let Ok(record) = serde_json::from_slice::<Record>(input) {
            let again: Record =
                serde_json::from_slice(&serde_json::to_vec(&record).expect("JSON")).expect("JSON");
            assert!(again.launches.len() == record.launches.len() && again.cell == record.cell);
        }
    });
}

#[test]
fn histogram_logs() {
    let place = Place::new();
    let cell = "mutex.spin-tas@contended-t2-h500";
    let run = root().join("tests/golden/v1");
    fs::create_dir_all(place.path("run/cells")).expect("a folder");
    let copy = |name: &str| fs::copy(run.join(name), place.path("run").join(name)).expect("a file");
    copy("run.json");
    copy(&format!("cells/{cell}.json"));
    let (dir, _) = RunDir::open(&place.path("run")).expect("a run directory");
    fuzz("histogram-log", files(GOLDEN, ".hlog"), &mut |input| {
        fs::write(place.path(&format!("run/cells/{cell}.hlog")), input).expect("a file");
        drop(dir.load_record(cell));
    });
}

/// Histograms as an engine may send them: whatever is behind the base64 is somebody else's.
#[test]
fn histograms() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut histogram = record::histogram::empty();
    (1..2_000_u64).for_each(|value| histogram.saturating_record(value * value));
    let Ok(Values::Hdr { hdr }) = Values::encode(&histogram) else { panic!("a histogram is encoded") };
    let mut plain = Vec::new();
    use hdrhistogram::serialization::{Serializer, V2Serializer};
    V2Serializer::new().serialize(&histogram, &mut plain).expect("a histogram is encoded");
    let corpus = vec![STANDARD.decode(hdr).expect("base64"), plain];
    fuzz("histogram", corpus, &mut |input| {
        drop(Values::Hdr { hdr: STANDARD.encode(input) }.decode());
    });
}

/// Both sides of the launch protocol.
#[test]
fn launch_specs_and_results() {
    let run = RunDir::load(&root().join("tests/golden/v1")).expect("a run directory");
    let manifest: &Manifest = &run.manifest;
    let cell = &manifest.cells[0];
    let spec = LaunchSpec {
        protocol: record::PROTOCOL,
        implementation: cell.implementation.clone(),
        params: cell.params.clone(),
        tuned_shape: false,
        machine: cell.machine.clone(),
        preset: None,
        probe: cell.launches[0],
        seed: 1,
        cpus: cell.cpus.clone(),
        slices: cell.slices,
        slice_ns: cell.slice_ns,
        warmup_ns: cell.warmup_ns,
        point: cell.point.clone(),
    };
    let results: Vec<&LaunchResult> =
        run.records.iter().flat_map(|record| &record.launches).filter_map(|l| l.result.as_ref()).collect();
    let json = |result: &&LaunchResult| serde_json::to_vec(result).expect("JSON");
    fuzz("launch-result", results.iter().map(json).collect(), &mut |input| {
        let Ok(result) = serde_json::from_slice::<LaunchResult>(input) else { return };
        in_a_line(engine::validate(&spec, &result).map_err(|error| format!("{error:#}")));
        let _ = (result.overlap(), result.throughput_per_s(), result.cpu_ns_per_op());
    });
    fuzz("launch-spec", vec![serde_json::to_vec(&spec).expect("JSON")], &mut |input| {
        if let Ok(spec) = serde_json::from_slice::<LaunchSpec>(input) {
            let _ = spec.point.threads();
        }
    });
}

/// The generator itself: it changes what it is given, and the same seed changes it alike.
#[test]
fn mutations_are_many_and_repeatable() {
    let corpus = vec![b"threads = [1, 2]\nhold_ns = 500\n".to_vec(), b"name = \"x\"\n".to_vec()];
    let run = |seed| {
        let mut draws = Draws(seed);
        let mutant = |_| {
            let mut input = corpus[0].clone();
            mutate(&mut input, &corpus, &mut draws);
            input
        };
        (0..200).map(mutant).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    let different: std::collections::BTreeSet<_> = run(7).into_iter().collect();
    assert!(different.len() > 150 && run(8) != run(7), "{}", different.len());
}
