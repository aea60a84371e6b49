//! Embeds every definition and suite, so that a new workload is one new file.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut table = String::new();
    for (constant, folder) in [("DEFINITIONS", "defs"), ("SUITES", "suites")] {
        // The folder itself is watched too: a file that appears there is built in.
        println!("cargo::rerun-if-changed={folder}");
        embed(&mut table, constant, &root.join(folder))?;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("embedded.rs"), table)
}

/// Writes a table of (name, text), sorted by name.
fn embed(table: &mut String, constant: &str, folder: &Path) -> io::Result<()> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    writeln!(table, "const {constant}: &[(&str, &str)] = &[").expect("a string takes all");
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(table, "    ({name:?}, include_str!({file:?})),").expect("a string takes all");
    }
    writeln!(table, "];").expect("a string takes all");
    Ok(())
}
