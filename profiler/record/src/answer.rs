//! Whether the answer of a launch fits its question: whoever wrote the program that gave it.

use anyhow::{Result, ensure};

use crate::spec::Expect;
use crate::{LaunchResult, LaunchSpec, PROTOCOL};

/// Whether an answer fits its question. The error names the first thing that does not.
pub fn validate(spec: &LaunchSpec, result: &LaunchResult) -> Result<()> {
    ensure!(result.protocol == PROTOCOL, "it speaks protocol {}, expected {PROTOCOL}", result.protocol);
    ensure!(
        result.implementation == spec.implementation,
        "it ran `{}`, asked was `{}`",
        result.implementation,
        spec.implementation
    );
    ensure!(
        result.slices.len() == spec.slices as usize,
        "it answered {} slices, asked were {}",
        result.slices.len(),
        spec.slices
    );
    let threads = spec.point.threads();
    let roles = spec.point.roles.len();
    for (index, slice) in result.slices.iter().enumerate() {
        ensure!(
            slice.workers.len() == threads,
            "slice {index} has {} workers, asked were {threads}",
            slice.workers.len()
        );
        for worker in &slice.workers {
            ensure!(worker.role < roles, "slice {index} names role {}, there are {roles}", worker.role);
            ensure!(
                worker.end_ns >= worker.start_ns,
                "slice {index} has a worker that ends before it starts"
            );
        }
        ensure!(slice.span_ns() > 0, "slice {index} has no length");
        ensure!(
            slice.sum.is_some() == (spec.point.expect == Expect::Sum),
            "slice {index} {} a sum of what the objects hold",
            if slice.sum.is_some() { "has not been asked for" } else { "lacks" }
        );
        ensure!(
            slice.ops() <= slice.expected,
            "slice {index} claims {} operations but expects a counter of {}",
            slice.ops(),
            slice.expected
        );
    }
    for distribution in &result.distributions {
        ensure!(
            distribution.role < roles,
            "a distribution names role {}, there are {roles}",
            distribution.role
        );
        distribution.values.decode()?;
    }
    Ok(())
}
