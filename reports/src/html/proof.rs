//! What checkers found about an implementation, beside its speed: `verified.json` of the runs.

use maud::{Markup, html};
use record::{Checked, Proof};

use super::environment;
use super::figure::scroll;
use super::route::Route;
use super::site::At;

/// What each checker is, in a few words.
const CHECKERS: [(&str, &str); 6] = [
    ("loom", "every interleaving within the bounds, under the memory model of C11"),
    ("shuttle-random", "drawn schedules"),
    ("shuttle-pct", "schedules drawn by priorities"),
    ("schedules", "explored schedules of the simulated machine"),
    ("simulator", "short programs on simulated machines, and under troubles"),
    ("battery", "threads: exclusion, order, answers, time-outs, misuse, faults"),
];

/// The section on the page of an implementation.
pub(super) fn section(at: &At<'_, '_>, id: &str) -> Markup {
    html! {
        section id=(at.id("proof")) {
            h2 { "Proof" }
            @match at.site.proof(id) {
                None => p .note {
                    "The run does not hold what checkers say of it. To add it: "
                    code { "synchroscope verify " (id) " --into RUN" }
                },
                Some(proof) => (found(at, proof)),
            }
        }
    }
}

fn found(at: &At<'_, '_>, proof: &Proof) -> Markup {
    let failed: Vec<&Checked> = proof.checks.iter().filter(|check| !check.passed).collect();
    let revision = proof.tool.revision.as_deref().unwrap_or("not known");
    html! {
        @if failed.is_empty() {
            p { (proof.checks.len()) " checks, all passed, within the bounds stated." }
        } @else {
            p .bad { (failed.len()) " of " (proof.checks.len()) " checks failed:" }
            ul { @for check in &failed { li { (check.by) ", " (check.program) ": " (check.finding) } } }
        }
        (scroll("Checks, by checker", html! {
            table {
                thead { tr { th scope="col" { "checker" } th scope="col" { "passed" } th scope="col" .l { "programs" } th scope="col" .l { "bounds" } } }
                tbody { @for (by, checks) in proof.by_checker() { (by_checker(by, &checks)) } }
            }
        }))
        @match (&proof.orderings, &proof.threads_only) {
            (_, Some(reason)) => p { "No model checker and no simulated machine runs it: " (reason) "." },
            (None, None) => p { "Its orderings were not weakened, since a check failed." },
            (Some(orderings), None) => {
                p {
                    "Orderings: of " (orderings.weakened) " weakened one at a time, " (orderings.caught)
                    " make a program of loom fail."
                }
                @if !orderings.not_caught.is_empty() {
                    p { "No program needs " (orderings.not_caught.join(", ")) "." }
                }
            },
        }
        details {
            summary { "Every check" }
            (scroll("Every check", html! {
                table {
                    thead { tr { th scope="col" { "checker" } th scope="col" .l { "program" } th scope="col" .l { "asks" } th scope="col" .l { "found" } th scope="col" .l { "bounds" } } }
                    tbody {
                        @for check in &proof.checks {
                            tr {
                                th scope="row" { (check.by) }
                                td .l { (check.program) } td .l { (check.asks) }
                                td .w .bad[!check.passed] { (check.finding) } td .l { (check.bounds) }
                            }
                        }
                    }
                }
            }))
        }
        p .note {
            "Checked by version " (proof.tool.version) ", revision " (revision) ", at " (environment::utc(proof.ended_unix_ms))
            @if at.site.runs.iter().any(|run| run.manifest.tool.revision != proof.tool.revision) {
                ", not the revision of the run"
            }
            ". A check passes within its bounds and says nothing beyond them; the sources are those that are measured."
        }
    }
}

fn by_checker(by: &str, checks: &[&Checked]) -> Markup {
    let passed = checks.iter().filter(|check| check.passed).count();
    let what = CHECKERS.iter().find(|(name, _)| *name == by).map_or("", |(_, what)| what);
    let each = |of: fn(&Checked) -> &str| {
        let mut words: Vec<&str> = checks.iter().map(|check| of(check)).collect();
        words.dedup();
        words.join(", ")
    };
    let mut bounds: Vec<&str> = checks.iter().map(|check| check.bounds.as_str()).collect();
    bounds.sort_unstable();
    bounds.dedup();
    html! {
        tr {
            th scope="row" { (by) @if !what.is_empty() { br; small { (what) } } }
            td .bad[passed < checks.len()] { (passed) " of " (checks.len()) }
            td .w { (each(|check| &check.program)) }
            td .w { (bounds.join("; ")) }
        }
    }
}

/// The heading of the column in a table of implementations, if any run holds a proof.
pub(super) fn heading(at: &At<'_, '_>) -> Markup {
    html! { @if at.site.has_proofs() { th scope="col" { "checked" } } }
}

/// The cell of that column: how many checks passed, and the way to them.
pub(super) fn cell(at: &At<'_, '_>, id: &str) -> Markup {
    if !at.site.has_proofs() {
        return html! {};
    }
    let Some(proof) = at.site.proof(id) else { return html! { td data-v="" { "-" } } };
    let passed = proof.checks.iter().filter(|check| check.passed).count();
    let all = proof.checks.len();
    let index = at.site.implementations.binary_search(&id).ok();
    let words = if passed == all { format!("{all} passed") } else { format!("{} FAILED", all - passed) };
    html! {
        td data-v=(passed as f64 / all.max(1) as f64) .bad[passed < all] {
            @match index {
                Some(index) => a href=(at.link_part(Route::Implementation(index), "proof")) { (words) },
                None => (words),
            }
        }
    }
}
