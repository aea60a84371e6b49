//! Presets of simulated machines: TOML that people write. What was read can be written and read again.

#![no_main]

use impls::machine::sim::preset::Preset;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let matrix = |_: &str| Ok("core,0,1\n0,0,100\n1,100,0\n".to_owned());
    match Preset::parse("fuzz.toml", input, &matrix) {
        Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
        Ok(preset) => {
            let again = Preset::parse("fuzz.toml", &preset.to_toml(), &|_| Err("no other file".into()));
            assert_eq!(again.as_ref().ok(), Some(&preset), "{again:?}");
        }
    }
});
