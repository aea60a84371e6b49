//! What was found about one implementation, for people.

use record::{Orderings, Proof};

/// A line for each check, and what became of the orderings.
pub(super) fn text(proof: &Proof) -> String {
    let mut text = format!("{}\n", proof.implementation);
    for check in &proof.checks {
        let verdict = if check.passed { "passed" } else { "FAILED" };
        text += &format!(
            "  {verdict}  {:<14} {:<24} {:<52} {} ({})\n",
            check.by, check.program, check.asks, check.finding, check.bounds
        );
    }
    match (&proof.orderings, &proof.threads_only) {
        (_, Some(reason)) => {
            text += &format!("  no model checker, no simulated machine: it runs on threads only: {reason}\n");
        }
        (None, None) => text += "  orderings: not weakened, since a check failed\n",
        (Some(Orderings { weakened, caught, not_caught }), None) => {
            text +=
                &format!("  orderings: {caught} of {weakened} weakened ones make a program of loom fail\n");
            for mutation in not_caught {
                text += &format!("    no program needs {mutation}\n");
            }
        }
    }
    let failed = proof.checks.iter().filter(|check| !check.passed).count();
    text += &format!("  {} checks, {failed} failed\n", proof.checks.len());
    text
}
