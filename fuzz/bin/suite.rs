//! Suites and workload definitions: TOML that people write.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use workloads::{Suite, Workload};

fuzz_target!(|input: &str| {
    let one_line = |error: String| assert!(!error.contains('\n'), "{error}");
    // The folder of a suite: where files that it names would be.
    if let Err(error) = Suite::parse("fuzz.toml", input, Path::new("/nowhere")) {
        one_line(error.to_string());
    }
    if let Err(error) = Workload::parse("fuzz.toml", input) {
        one_line(error.to_string());
    }
});
