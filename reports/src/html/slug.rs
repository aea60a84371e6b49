//! Names of pages: safe in every file system and address, short, and the same in every report of the same things.

use std::collections::HashSet;

use record::host::short_hash;

/// Longer ones end in a hash.
const LENGTH_MAX: usize = 64;

/// Names that Windows keeps for devices, whatever their extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Gives out names, none twice.
#[derive(Default)]
pub(super) struct Slugs(HashSet<String>);

impl Slugs {
    /// A name for `text`: itself if it is safe, else what is safe of it and a hash. Asked again for the same text, as for
    /// a cell that two runs hold, it gives another.
    pub(super) fn take(&mut self, text: &str) -> String {
        let first = slug(text);
        let mut name = first.clone();
        let mut turn = 1;
        while !self.0.insert(name.clone()) {
            turn += 1;
            name = format!("{first}.{turn}");
        }
        name
    }
}

fn slug(text: &str) -> String {
    let safe = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.+@".contains(c);
    let mut name: String = text.chars().map(|c| if safe(c) { c } else { '-' }).take(LENGTH_MAX).collect();
    // Families are told from their members by a slash everywhere else: here by a full stop, as in ids of cells.
    let dotted = text.replace('/', ".");
    let device = DEVICES.iter().any(|device| name.split('.').next() == Some(device));
    if !dotted.is_empty()
        && dotted.len() <= LENGTH_MAX
        && dotted.chars().all(safe)
        && !dotted.starts_with(['.', '-'])
        && !device
    {
        return dotted;
    }
    name = name.trim_matches(['-', '.']).chars().take(LENGTH_MAX - 13).collect();
    while name.contains("--") {
        name = name.replace("--", "-");
    }
    format!("{}{}{}", name, if name.is_empty() { "" } else { "-" }, short_hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay() {
        let mut slugs = Slugs::default();
        assert_eq!(slugs.take("mutex/go-2016-starving"), "mutex.go-2016-starving");
        assert_eq!(slugs.take("mutex.mcs@contended-t2-h0+a"), "mutex.mcs@contended-t2-h0+a");
        assert_eq!(slugs.take("mutex.mcs@contended-t2-h0+a"), "mutex.mcs@contended-t2-h0+a.2");
    }

    #[test]
    fn hostile_names_become_safe_and_stay_apart() {
        let mut slugs = Slugs::default();
        let long = |end: &str| format!("mutex/{}{end}", "x".repeat(200));
        let texts =
            ["<script>\"'", "../../etc/passwd", "..", "", "A", "a", "con", "a b", "a  b", "\u{202e}é"];
        let mut names: Vec<String> = texts.iter().map(|text| slugs.take(text)).collect();
        names.extend([slugs.take(&long("1")), slugs.take(&long("2"))]);
        for name in &names {
            assert!(!name.is_empty() && name.len() <= LENGTH_MAX + 2, "{name}");
            assert!(!name.starts_with(['.', '-']) && !name.contains(['/', ' ', '<', '"']), "{name}");
        }
        let different: HashSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert_eq!(
            slugs.take("mutex/A").to_lowercase(),
            slug("mutex/A"),
            "no capitals: some file systems ignore them"
        );
    }
}
