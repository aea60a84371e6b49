//! What a run's implementations and workloads are, for its manifest: pages know nothing but the run.

use impls::card::Card;
use record::{Catalogue, ImplementationCard, ParamCard, PlannedCell, WorkloadCard};
use workloads::Suite;

use crate::Observatory;

/// Of each built-in implementation: id, file, and the prose that opens the file.
const PROSE: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/cards.in"));

/// Of what the cells need.
pub(super) fn of(observatory: &Observatory, suite: &Suite, cells: &[PlannedCell]) -> Catalogue {
    let used = |id: &str| cells.iter().any(|cell| cell.implementation == id);
    let own = observatory.entries().map(|entry| card(entry.card()));
    let offered = observatory.engines().iter().flat_map(|engine| &engine.implementations);
    let offered = offered.map(|offered| ImplementationCard {
        id: offered.id.clone(),
        summary: offered.summary.clone(),
        follows: offered.follows.clone(),
        ..ImplementationCard::default()
    });
    let mut workloads: Vec<WorkloadCard> = Vec::new();
    for workload in suite.workloads() {
        let planned = cells.iter().any(|cell| cell.point.workload == workload.name);
        if planned && !workloads.iter().any(|known| known.name == workload.name) {
            workloads.push(WorkloadCard {
                name: workload.name.clone(),
                summary: workload.summary.clone(),
                analysis: workload.analysis.trim().to_owned(),
            });
        }
    }
    Catalogue { implementations: own.chain(offered).filter(|card| used(&card.id)).collect(), workloads }
}

fn card(card: &Card) -> ImplementationCard {
    let prose = PROSE.iter().find(|(id, ..)| *id == card.id);
    ImplementationCard {
        id: card.id.into(),
        summary: card.summary.into(),
        year: Some(card.year),
        source: Some(card.source.into()),
        fairness: Some(card.fairness.name().into()),
        follows: card.follows.map(Into::into),
        can: card.can.iter().map(|capability| capability.name().into()).collect(),
        params: card
            .params
            .iter()
            .map(|param| ParamCard {
                name: param.name.into(),
                default: param.default,
                origin: param.origin.into(),
            })
            .collect(),
        pathologies: card.pathologies.iter().map(|&text| text.into()).collect(),
        file: prose.map(|(_, file, _)| (*file).to_owned()),
        text: prose.map(|(.., text)| (*text).to_owned()),
    }
}
