//! Wall-clock claims as ratios: go-2019 beside the peers, and each probe beside none, in one process and in turns.
//!
//! Two programs run one after the other see two computers: another clock rate, other neighbours. Here the two sides of
//! a claim take turns in slices of a few ms, A B B A, so that whatever drifts slowly hits both alike; the median over
//! blocks is the claim, with its interval from order statistics, and the ratio of the fastest slices stands beside it.
//!
//! A process has its own luck with the places of its code and data, so that this is done in several, one after the
//! other, and the claim is the median over them.
//!
//! `cargo bench -p synchroscope-profiler --bench ratios -- [uncontended] [probes] [--launches N] [--blocks N] [--json]`

use std::process::ExitCode;

mod launches;
mod operations;
mod paired;

use operations::Sides;
use paired::{Claim, Outcome};

/// What the JSON calls itself.
const KIND: &str = "ratios";
const USAGE: &str = "expected: [uncontended] [probes] [--launches N] [--blocks N] [--json], with at least 6 launches and 21 blocks";

struct Options {
    uncontended: bool,
    probes: bool,
    /// Processes; one without the option, which is how each of them is started.
    launches: Option<usize>,
    blocks: usize,
    json: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    if let Some(launches) = options.launches {
        let sections = [(options.uncontended, "uncontended"), (options.probes, "probes")];
        let sections: Vec<&str> = sections.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        return match launches::run(launches, &sections, options.blocks) {
            Ok(outcomes) => {
                print(&outcomes, options.json);
                ExitCode::SUCCESS
            }
            Err(message) => {
                eprintln!("{message}");
                ExitCode::FAILURE
            }
        };
    }
    let mut outcomes = Vec::new();
    if options.uncontended {
        for (name, peer) in [("std::sync::Mutex", Sides::std()), ("parking_lot::Mutex", Sides::parking_lot())]
        {
            let claim = Claim::ratio(format!("go-2019 to {name}"), Some(1.05));
            outcomes.push(paired::run(claim, options.blocks, Sides::go_2019().step, peer.step));
        }
    }
    if options.probes {
        for (claim, a, b) in operations::probes() {
            outcomes.push(paired::run(claim, options.blocks, a.step, b.step));
        }
    }
    print(&outcomes, options.json);
    ExitCode::SUCCESS
}

/// None when there is nothing to do: `cargo test --benches` starts every bench without meaning a measurement.
fn options(arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
    let mut options = Options { uncontended: false, probes: false, launches: None, blocks: 41, json: false };
    let (mut arguments, mut bench) = (arguments, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "uncontended" => options.uncontended = true,
            "probes" => options.probes = true,
            "--json" => options.json = true,
            "--bench" => bench = true,
            "--launches" => {
                let launches = arguments.next().and_then(|n| n.parse().ok()).filter(|&n| n >= 6);
                options.launches = Some(launches.ok_or(USAGE)?);
            }
            "--blocks" => {
                let blocks = arguments.next().and_then(|n| n.parse().ok()).filter(|&n| n >= 21);
                options.blocks = blocks.ok_or(USAGE)?;
            }
            other => return Err(format!("{other}: {USAGE}")),
        }
    }
    if !options.uncontended && !options.probes {
        (options.uncontended, options.probes) = (true, true);
    }
    Ok(bench.then_some(options))
}

#[expect(clippy::print_stdout, reason = "the table is this program's result")]
fn print(outcomes: &[Outcome], json: bool) {
    if json {
        let json = serde_json::json!({ "kind": KIND, "version": 1, "claims": outcomes });
        println!("{json:#}");
        return;
    }
    println!("{:<52} {:>9} {:>19} {:>9} {:>8}  verdict", "claim", "median", "95 %", "fastest", "target");
    for outcome in outcomes {
        println!("{outcome}");
    }
}
