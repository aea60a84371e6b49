//! `list`: what can be measured.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use impls::card::{Card, Runs};
use impls::machine::sim::preset::Preset;
use serde::Serialize;
use workloads::{Suite, Workload, nearest};

use super::{print, to_json};
use crate::Observatory;
use crate::args::ListArgs;
use crate::exit::Exit;

/// Version of the JSON form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Listing {
    kind: &'static str,
    version: u32,
    families: Vec<Family>,
    workloads: Vec<Described>,
    suites: Vec<Described>,
    machines: Vec<Described>,
}

#[derive(Serialize)]
struct Family {
    name: String,
    implementations: Vec<Implementation>,
}

#[derive(Serialize)]
struct Implementation {
    id: String,
    summary: String,
    year: Option<u16>,
    source: Option<String>,
    role: String,
    fairness: Option<String>,
    machines: String,
    can: Vec<&'static str>,
    params: Vec<Parameter>,
    follows: Option<String>,
    pathologies: Vec<String>,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    default: u64,
    min: u64,
    max: u64,
    origin: String,
}

#[derive(Serialize)]
struct Described {
    name: String,
    summary: String,
}

pub(super) fn command(observatory: &Observatory, args: &ListArgs) -> Result<Exit> {
    let mut families = families(observatory);
    if let Some(wanted) = &args.family {
        let names: Vec<String> = families.iter().map(|family| family.name.clone()).collect();
        families.retain(|family| family.name == *wanted);
        if families.is_empty() {
            let near = nearest(wanted, names.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("; nearest is `{near}`"));
            bail!("--family {wanted}: there is no such family, there are: {}{near}", names.join(", "));
        }
    }
    let listing = Listing {
        kind: "synchroscope-list",
        version: VERSION,
        families,
        workloads: described(Workload::all()?, |w| (w.name.clone(), w.summary.clone())),
        suites: described(Suite::all()?, |s| (s.name.clone(), s.summary.clone())),
        machines: machines()?,
    };
    print(&if args.json { to_json(&listing)? } else { text(&listing) })
}

fn machines() -> Result<Vec<Described>> {
    let here = Described { name: "os".into(), summary: "threads and futexes of this computer".into() };
    let simulated = Preset::names().map(|name| {
        let preset = Preset::builtin(name)?;
        Ok(Described { name: format!("sim:{name}"), summary: preset.summary })
    });
    std::iter::once(Ok(here)).chain(simulated).collect()
}

fn described<T>(items: Vec<T>, name_and_summary: impl Fn(&T) -> (String, String)) -> Vec<Described> {
    let described = |item: &T| {
        let (name, summary) = name_and_summary(item);
        Described { name, summary }
    };
    items.iter().map(described).collect()
}

fn families(observatory: &Observatory) -> Vec<Family> {
    let own = observatory.entries().map(|entry| implementation(entry.card()));
    let offered = observatory.engines().iter().flat_map(|engine| {
        engine.implementations.iter().map(|offered| Implementation {
            id: offered.id.clone(),
            summary: offered.summary.clone(),
            year: None,
            source: None,
            role: "peer".into(),
            fairness: None,
            machines: format!("os (engine {})", engine.name),
            can: Vec::new(),
            params: Vec::new(),
            follows: offered.follows.clone(),
            pathologies: Vec::new(),
        })
    });
    let mut families: Vec<Family> = Vec::new();
    for implementation in own.chain(offered) {
        let name = implementation.id.split_once('/').map_or("", |(family, _)| family).to_owned();
        match families.iter_mut().find(|family| family.name == name) {
            Some(family) => family.implementations.push(implementation),
            None => families.push(Family { name, implementations: vec![implementation] }),
        }
    }
    families
}

fn implementation(card: &Card) -> Implementation {
    let role = match card.role {
        impls::card::Role::Design => "design",
        impls::card::Role::Peer => "peer",
        impls::card::Role::Floor => "floor",
    };
    let machines = match card.runs {
        Runs::AnyMachine => "os sim".to_owned(),
        Runs::OsOnly(reason) => format!("os only: {reason}"),
    };
    let parameter = |param: &impls::card::Param| Parameter {
        name: param.name.into(),
        default: param.default,
        min: param.min,
        max: param.max,
        origin: param.origin.into(),
    };
    Implementation {
        id: card.id.into(),
        summary: card.summary.into(),
        year: Some(card.year),
        source: Some(card.source.into()),
        role: role.into(),
        fairness: Some(card.fairness.name().into()),
        machines,
        can: card.can.iter().map(|capability| capability.name()).collect(),
        params: card.params.iter().map(parameter).collect(),
        follows: card.follows.map(Into::into),
        pathologies: card.pathologies.iter().map(|&text| text.into()).collect(),
    }
}

fn text(listing: &Listing) -> String {
    let mut text = String::new();
    for family in &listing.families {
        let _ = writeln!(text, "{} ({} implementations)", family.name, family.implementations.len());
        for implementation in &family.implementations {
            let year = implementation.year.map_or("-".to_owned(), |year| year.to_string());
            let _ = writeln!(text, "  {:<27} {year:<5} {}", implementation.id, implementation.summary);
            let mut details = vec![implementation.machines.clone()];
            details.extend(implementation.fairness.clone());
            if !implementation.can.is_empty() {
                details.push(implementation.can.join(" "));
            }
            for param in &implementation.params {
                details.push(format!("{}={}", param.name, param.default));
            }
            let _ = writeln!(text, "  {:<27} {:<5} {}", "", "", details.join(" | "));
        }
    }
    for (title, items) in
        [("workloads", &listing.workloads), ("suites", &listing.suites), ("machines", &listing.machines)]
    {
        let _ = writeln!(text, "\n{title}");
        for item in items {
            let _ = writeln!(text, "  {:<22} {}", item.name, item.summary);
        }
    }
    text
}
