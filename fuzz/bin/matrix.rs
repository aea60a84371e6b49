//! Latency matrices of presets, and published curves: CSV.

#![no_main]

use impls::machine::sim::preset::Preset;
use impls::text::reader::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let preset = Preset::builtin_text("milan-128").expect("a preset with a matrix");
    if let Err(error) = Preset::parse("milan-128.toml", preset, &|_| Ok(input.to_owned())) {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    if let Err(error) = workloads::published::curves::read(&Source::new("fuzz.csv", input.to_owned())) {
        assert!(!error.to_string().contains('\n'), "{error}");
    }
});
