//! Faults to plant into a cell: code and workloads that really are slower, never numbers that are changed.

use std::time::Duration;

use anyhow::{Result, bail};
use impls::card::Capability;
use impls::mutex::MutexImpl;
use impls::suite::planted::NoFastPath;
use record::{Distribution, ProbeMode};
use reports::guard::blocks::Taken;
use reports::guard::power::Scenario;
use reports::stats;

use super::pairs::{self, Arm};
use super::plan::Cell;
use crate::Observatory;
use crate::runner::child::{Ended, Extra};
use crate::runner::launch;

/// What loses its fast path: the twin without one is this one's.
const WITH_FAST_PATH: &str = "mutex/go-2019-fastpath";
/// The parameter that is doubled.
const SPINS: &str = "spin_rounds";

/// Launches that tell how long an operation takes before anything is planted.
const PILOT_LAUNCHES: u64 = 5;

/// The time of one operation of all threads together, ns: what a longer section adds to.
pub(crate) fn operation_ns(arm: &Arm, patience: Duration) -> Result<f64> {
    let mut rates = Vec::new();
    for seed in 0..PILOT_LAUNCHES {
        let spec = pairs::spec(arm, ProbeMode::Off, seed);
        let limit = launch::limit(&arm.cell, patience);
        match arm.program.launch(&spec, limit, &Extra { watch: None, trace: None })? {
            Ended::Result(result, _) => rates.extend(Taken::of(&result).throughput_per_s),
            Ended::Failed(failure) => bail!("{}: {}", failure.kind.name(), failure.detail),
            Ended::Interrupted => bail!("interrupted"),
        }
    }
    match stats::median(&rates).filter(|rate| *rate > 0.0) {
        Some(rate) => Ok(1e9 / rate),
        None => bail!("{} does nothing", arm.cell.implementation),
    }
}

/// The cell with the fault in its candidate; `None` where it cannot be planted. `operation_ns` is what one operation takes
/// without it.
pub(crate) fn plant(
    observatory: &Observatory,
    cell: &Cell,
    scenario: Scenario,
    operation_ns: f64,
) -> Option<Cell> {
    let mut planted = cell.clone();
    let candidate = &mut planted.pair.candidate;
    match scenario {
        Scenario::Copy => {}
        Scenario::Hold5 | Scenario::Hold10 | Scenario::Hold20 => {
            let loss = scenario.loss()?;
            // Throughput falls by `loss` if each operation takes 1 / (1 - loss) times as long.
            let exact_ns = operation_ns * loss / (1.0 - loss);
            let longer_ns = exact_ns.round() as u64;
            let threads = candidate.cell.point.threads();
            for role in &mut candidate.cell.point.roles {
                let Distribution::Constant { ns } = &mut role.hold else { return None };
                // With an empty section two threads fight for the lock's own line, and a longer one calms them: what
                // that costs, nobody can say beforehand.
                // Sections are whole ns: a fault that is mostly rounding is another fault.
                let is_rough = (longer_ns as f64 - exact_ns).abs() > 0.25 * exact_ns;
                if is_rough || threads > 1 && *ns == 0 {
                    return None;
                }
                *ns += longer_ns;
            }
        }
        Scenario::NoFastPath => {
            if candidate.cell.implementation != WITH_FAST_PATH {
                return None;
            }
            NoFastPath::CARD.id.clone_into(&mut candidate.cell.implementation);
        }
        Scenario::DoubleSpin => {
            let card = observatory.entry(&candidate.cell.implementation)?.card();
            let param = card.params.iter().find(|param| param.name == SPINS)?;
            if candidate.cell.point.threads() < 2 || !card.offers(Capability::Observable) {
                return None;
            }
            candidate.cell.params.insert(SPINS.to_owned(), (param.default * 2).min(param.max));
            (planted.pair.baseline.tuned_shape, planted.pair.candidate.tuned_shape) = (true, true);
        }
    }
    Some(planted)
}
