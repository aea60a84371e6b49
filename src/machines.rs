//! The machines that a command line names: this computer, and presets of simulated ones.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
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
    /// Reads the values of `--machine`: `os`, `sim:NAME` or `sim:PATH.toml`; without any it is `os`. After a preset may
    /// stand constants to change, `?miss.percent=150&os.slice_ns=1000000`; several values make several machines.
    pub(crate) fn read(texts: &[String]) -> Result<Machines> {
        let mut machines = Machines::default();
        for text in texts {
            machines.add(&format!("--machine {text}"), text)?;
        }
        if texts.is_empty() {
            machines.names.push("os".into());
        }
        Ok(machines)
    }

    /// The one simulated machine that the value of `flag` names, with or without `sim:`.
    pub(crate) fn one(flag: &str, text: &str) -> Result<Preset> {
        let mut machines = Machines::default();
        machines
            .add(&format!("{flag} {text}"), &format!("sim:{}", text.strip_prefix("sim:").unwrap_or(text)))?;
        let mut presets = machines.presets.into_values();
        match (presets.next(), presets.next()) {
            (Some(only), None) => Ok(only),
            _ => bail!("{flag} {text}: expected one machine, and so one value for each key"),
        }
    }

    /// `said`: the flag and its value, for errors.
    fn add(&mut self, said: &str, text: &str) -> Result<()> {
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
            bail!("{said}: expected `os`, `sim:NAME` or `sim:PATH.toml`{near}");
        };
        let (wanted, changes) =
            wanted.split_once('?').map_or((wanted, None), |(name, text)| (name, Some(text)));
        let preset = if wanted.ends_with(".toml") {
            Preset::load(Path::new(wanted))?
        } else {
            Preset::builtin(wanted)
                .map_err(|e| anyhow!("{said}: {}; a file of your own ends in .toml", e.message))?
        };
        let base = format!("sim:{}", preset.name);
        let variants = match changes {
            None => vec![(base, preset)],
            Some(changes) => variants(&base, &preset, changes).map_err(|why| anyhow!("{said}: {why:#}"))?,
        };
        for (name, preset) in variants {
            match self.presets.get(&name) {
                Some(known) => {
                    ensure!(
                        *known == preset,
                        "{said}: another preset of this run is called `{}` too: rename one",
                        preset.name
                    );
                }
                None => {
                    self.names.push(name.clone());
                    self.presets.insert(name, preset);
                }
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

/// Most machines that the lists of values of one `--machine` may make.
const VARIANTS_MAX: usize = 64;

/// The machines that `KEY=VALUE[,VALUE]...[&KEY=...]` makes of one, each under a name that tells what was changed.
fn variants(base: &str, preset: &Preset, changes: &str) -> Result<Vec<(String, Preset)>> {
    let mut made = vec![(base.to_owned(), preset.clone())];
    let mut changed: Vec<&str> = Vec::new();
    for change in changes.split('&') {
        let expected = || {
            format!("`{change}`: expected KEY=VALUE[,VALUE] with whole numbers, such as miss.percent=50,200")
        };
        let (key, values) = change.split_once('=').with_context(expected)?;
        ensure!(!changed.contains(&key), "`{key}` is set twice");
        let mark = if changed.is_empty() { '?' } else { '&' };
        changed.push(key);
        let values: Vec<u64> =
            values.split(',').map(|value| value.parse().with_context(expected)).collect::<Result<_>>()?;
        ensure!(made.len() * values.len() <= VARIANTS_MAX, "expected at most {VARIANTS_MAX} machines");
        let with = |(name, preset): &(String, Preset), value: u64| {
            Ok((format!("{name}{mark}{key}={value}"), preset.with(key, value)?))
        };
        made = made
            .iter()
            .flat_map(|machine| values.iter().map(move |value| with(machine, *value)))
            .collect::<Result<_>>()?;
    }
    Ok(made)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<Vec<String>> {
        Machines::read(&[text.to_owned()]).map(|machines| machines.names)
    }

    #[test]
    fn changed_constants_are_in_the_name() {
        assert_eq!(
            names("sim:opteron-48?miss.percent=50,200&os.slice_ns=1000000").unwrap(),
            [
                "sim:opteron-48?miss.percent=50&os.slice_ns=1000000",
                "sim:opteron-48?miss.percent=200&os.slice_ns=1000000"
            ]
        );
        let machines = Machines::read(&["sim:vm-2?hold_window_cycles=7".to_owned()]).unwrap();
        assert_eq!(machines.presets["sim:vm-2?hold_window_cycles=7"].hold_window_cycles, 7);
    }

    #[test]
    fn wrong_changes_say_what_was_expected() {
        for (text, expected) in [
            ("sim:vm-2?miss.percent", "expected KEY=VALUE"),
            ("sim:vm-2?miss.percent=", "expected KEY=VALUE"),
            ("sim:vm-2?", "expected KEY=VALUE"),
            ("sim:vm-2?mis.percent=50", "miss.percent"),
            ("sim:vm-2?miss.percent=0", "expected a number from 1"),
            ("sim:vm-2?miss.percent=50&miss.percent=60", "set twice"),
        ] {
            let error = names(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--machine {text}: ")) && error.contains(expected), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
