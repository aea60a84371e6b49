//! The machines that a command line names: this computer, and presets of simulated ones.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use impls::machine::sim::preset::Preset;
use record::Fingerprint;
use workloads::nearest;

use crate::simulated;

/// Machines by the names that records have.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    /// Every machine once, in the order of the command line.
    pub(crate) names: Vec<String>,
    /// The simulated ones.
    pub(crate) presets: BTreeMap<String, Preset>,
}

impl Machines {
    /// Reads the values of `--machine`: `os`, `sim:NAME` or `sim:PATH.toml`; without any it is `os`.
    pub(crate) fn read(texts: &[String]) -> Result<Machines> {
        let mut machines = Machines::default();
        for text in texts {
            machines.add(text)?;
        }
        if texts.is_empty() {
            machines.names.push("os".into());
        }
        Ok(machines)
    }

    fn add(&mut self, text: &str) -> Result<()> {
        if text == "os" {
            if !self.names.iter().any(|name| name == text) {
                self.names.push(text.to_owned());
            }
            return Ok(());
        }
        let Some(wanted) = text.strip_prefix("sim:") else {
            let names = Preset::names().map(|name| format!("sim:{name}")).collect::<Vec<_>>();
            // A preset's name alone is a likely slip.
            let meant = format!("sim:{text}");
            let known = || names.iter().map(String::as_str).chain(["os"]);
            let near = nearest(&meant, known()).or_else(|| nearest(text, known()));
            let near = near.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
            bail!("--machine {text}: expected `os`, `sim:NAME` or `sim:PATH.toml`{near}");
        };
        let preset = if wanted.ends_with(".toml") {
            Preset::load(Path::new(wanted))?
        } else if Preset::names().any(|name| name == wanted) {
            Preset::builtin(wanted)?
        } else {
            let near = nearest(wanted, Preset::names());
            let hint = near.map_or_else(
                || format!("there are {}", Preset::names().collect::<Vec<_>>().join(", ")),
                |near| format!("the nearest is `sim:{near}`"),
            );
            bail!("--machine {text}: unknown preset `{wanted}`; {hint}; a file of your own ends in .toml");
        };
        let name = format!("sim:{}", preset.name);
        match self.presets.get(&name) {
            Some(known) => {
                ensure!(
                    *known == preset,
                    "--machine {text}: another preset of this run is called `{}` too: rename one",
                    preset.name
                );
            }
            None => {
                self.names.push(name.clone());
                self.presets.insert(name, preset);
            }
        }
        Ok(())
    }

    /// The machines of a run that was begun, from the texts in its manifest.
    pub(crate) fn of_texts(texts: &BTreeMap<String, String>) -> Result<BTreeMap<String, Preset>> {
        let read = |(name, text): (&String, &String)| {
            Ok((name.clone(), simulated::read_preset(&format!("run.json, preset {name}"), text)?))
        };
        texts.iter().map(read).collect()
    }

    /// The cores of each simulated machine.
    pub(crate) fn cores(&self) -> BTreeMap<String, usize> {
        self.presets.iter().map(|(name, preset)| (name.clone(), preset.cores as usize)).collect()
    }

    /// The text of each preset, as a manifest keeps it.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        self.presets.iter().map(|(name, preset)| (name.clone(), preset.to_toml())).collect()
    }
}

/// What a record says of a simulated machine in place of a computer: presets of one name that differ get fingerprints
/// that differ.
pub(crate) fn fingerprint(preset: &Preset) -> Fingerprint {
    Fingerprint {
        cpu_model: format!("sim:{} ({})", preset.name, preset.summary),
        cores: preset.cores as usize,
        nodes: preset.nodes(),
        arch: "simulated".into(),
        os: "simulated".into(),
        kernel: format!("preset {}", record::host::short_hash(preset.to_toml().as_bytes())),
        hypervisor: None,
    }
}
