//! Histogram logs of a run directory, and what is behind their base64.

#![no_main]

use libfuzzer_sys::fuzz_target;
use record::histogram::Values;
use record::store::read_histogram_log;

fuzz_target!(|input: &[u8]| {
    if let Ok(log) = read_histogram_log(input) {
        for hdr in log.into_values() {
            drop(Values::Hdr { hdr }.decode());
        }
    }
    // Without the log around it the fuzzer is sooner at the histogram itself.
    if let Ok(hdr) = std::str::from_utf8(input) {
        drop(Values::Hdr { hdr: hdr.to_owned() }.decode());
    }
});
