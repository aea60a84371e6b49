//! Stamps the binary with the revision that it was built from and a hash of what shapes a measurement.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Sources that decide how a number is measured: two records with different hashes were not measured alike.
const HARNESS: [&str; 2] = ["workloads/src/driver", "profiler/src/probe"];
/// What simulated numbers depend on besides. Presets are not among it: a run keeps those that it used.
const SIMULATOR: &str = "impls/src/machine/sim";

fn main() {
    let mut hash = Fnv(0xCBF2_9CE4_8422_2325);
    for folder in HARNESS {
        println!("cargo::rerun-if-changed={folder}");
        hash.folder(Path::new(folder));
    }
    println!("cargo::rustc-env=SYNCHROSCOPE_HARNESS_HASH={:016x}", hash.0);
    hash.folder(Path::new(SIMULATOR));
    println!("cargo::rustc-env=SYNCHROSCOPE_SIMULATION_HASH={:016x}", hash.0);
    cards(Path::new("impls/src"));
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/index");
    println!("cargo::rustc-env=SYNCHROSCOPE_REVISION={}", revision().unwrap_or_default());
}

/// Writes a table of the prose that opens each file of a family: id of the implementation, file, Markdown.
fn cards(families: &Path) {
    println!("cargo::rerun-if-changed={}", families.display());
    let mut rows = Vec::new();
    for family in fs::read_dir(families).into_iter().flatten().flatten().map(|entry| entry.path()) {
        for file in fs::read_dir(&family).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let stem = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            let (Some(family), Some(name)) = (stem(&family), stem(&file)) else { continue };
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let prose: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
            let prose: Vec<&str> = prose.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
            // Ids are names of files.
            let id = format!("{family}/{}", name.replace('_', "-"));
            rows.push(format!("    ({id:?}, {:?}, {:?}),\n", file.to_string_lossy(), prose.join("\n")));
        }
    }
    rows.sort();
    let table = format!("&[\n{}]\n", rows.concat());
    let out = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("cards.in"), table).expect("OUT_DIR can be written");
}

fn revision() -> Option<String> {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// FNV-1a, 64 bits: tells versions apart; nothing here needs more.
struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn folder(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.folder(&path);
            } else {
                self.bytes(path.to_string_lossy().as_bytes());
                self.bytes(&fs::read(&path).unwrap_or_default());
            }
        }
    }
}
