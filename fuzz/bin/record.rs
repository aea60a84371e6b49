//! Records, manifests and proofs of a run directory: JSON that another version or a broken disk may have written. What
//! was read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use record::{Manifest, Record, Verified};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn again<T: Serialize + DeserializeOwned>(input: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(input) {
        let text = serde_json::to_vec(&value).expect("what was read can be written");
        let again = serde_json::from_slice::<T>(&text).expect("what was written can be read");
        assert_eq!(serde_json::to_vec(&again).expect("as before"), text);
    }
}

fuzz_target!(|input: &[u8]| {
    again::<Record>(input);
    again::<Manifest>(input);
    again::<Verified>(input);
});
