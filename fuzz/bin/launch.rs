//! Both sides of the launch protocol: the spec that a child reads, and the answer of a program that somebody else wrote.

#![no_main]

use libfuzzer_sys::fuzz_target;
use record::answer::validate;
use record::{LaunchResult, LaunchSpec};

fuzz_target!(|input: &str| {
    // A spec and an answer, with an empty line between; or one of them.
    let (question, answer) = input.split_once("\n\n").unwrap_or((input, input));
    let spec = serde_json::from_str::<LaunchSpec>(question).ok();
    let result = serde_json::from_str::<LaunchResult>(answer).ok();
    if let Some(spec) = &spec {
        let _ = spec.point.threads();
    }
    if let Some(result) = &result {
        let _ = (result.ops(), result.span_ns(), result.overlap(), result.throughput_per_s());
        let _ = (result.cpu_ns_per_op(), result.ops_per_worker());
    }
    if let (Some(spec), Some(result)) = (&spec, &result)
        && let Err(error) = validate(spec, result)
    {
        assert!(!format!("{error:#}").contains('\n'), "{error:#}");
    }
});
