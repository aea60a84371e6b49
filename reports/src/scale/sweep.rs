//! Machines that differ in one constant: what would be if it were smaller or larger.
//!
//! `sim:opteron-48?miss.percent=150` is a preset with one constant changed. Machines whose names differ in the value of one
//! key make a sweep. The unchanged preset takes part where its value is known from the name alone: costs that are changed in
//! percent are 100 % there.

use crate::group::{Group, PointCells};

use super::preset;

/// The values of one constant of a machine, and what was run with them.
#[derive(Debug)]
pub struct Sweep<'g, 'a> {
    /// The machine without the constant.
    pub base: String,
    /// The constant, as in a preset's file.
    pub key: String,
    /// What was run with each of two or more values.
    pub lines: Vec<Line<'g, 'a>>,
}

/// One point on all machines of a sweep.
#[derive(Debug)]
pub struct Line<'g, 'a> {
    /// Name of the point.
    pub label: &'a str,
    /// Threads.
    pub threads: usize,
    /// `(value, point)`, smallest value first.
    pub points: Vec<(u64, &'g PointCells<'a>)>,
}

/// A machine's name in parts: the preset, and its changed constants.
fn parts(name: &str) -> (&str, Vec<(&str, u64)>) {
    let (preset, changes) = name.split_once('?').unwrap_or((name, ""));
    let change = |text: &'_ str| {
        text.split_once('=').and_then(|(key, value)| Some((key.to_owned(), value.parse().ok()?)))
    };
    let known = changes.split('&').filter_map(|text| {
        let (_, value): (String, u64) = change(text)?;
        Some((text.split_once('=')?.0, value))
    });
    (preset, known.collect())
}

/// The same without one of its changes.
fn without(name: &str, key: &str) -> String {
    let (preset, changes) = parts(name);
    let mut others: Vec<String> = changes
        .iter()
        .filter(|(other, _)| *other != key)
        .map(|(other, value)| format!("{other}={value}"))
        .collect();
    others.sort_unstable();
    if others.is_empty() { preset.to_owned() } else { format!("{preset}?{}", others.join("&")) }
}

/// The value of a constant on a machine, as far as the name tells it.
fn value(name: &str, key: &str) -> Option<u64> {
    let (_, changes) = parts(name);
    let changed = changes.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let scaled = (key.starts_with("miss.") || key.starts_with("class.")) && key.ends_with("percent");
    changed.or(scaled.then_some(100))
}

/// All sweeps: machines of one run, measured alike.
pub fn sweeps<'g, 'a>(groups: &'g [Group<'a>]) -> Vec<Sweep<'g, 'a>> {
    let machines: Vec<(&str, &Group<'a>)> =
        groups.iter().filter_map(|group| Some((preset(&group.source)?, group))).collect();
    let mut kinds: Vec<(String, &str, usize, &str)> = Vec::new();
    for (name, group) in &machines {
        for (key, _) in parts(name).1 {
            let kind = (without(name, key), key, group.run, group.harness_hash);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    let sweep = |(base, key, run, harness_hash): (String, &str, usize, &str)| {
        let mut of_sweep: Vec<(u64, &'g Group<'a>)> = machines
            .iter()
            .filter(|(name, group)| {
                without(name, key) == base && group.run == run && group.harness_hash == harness_hash
            })
            .filter_map(|(name, group)| Some((value(name, key)?, *group)))
            .collect();
        of_sweep.sort_by_key(|(value, _)| *value);
        of_sweep.dedup_by_key(|(value, _)| *value);
        let mut lines: Vec<Line<'g, 'a>> = Vec::new();
        for (value, group) in &of_sweep {
            for point in &group.points {
                let same = |line: &&mut Line<'g, 'a>| {
                    let (_, first) = line.points[0];
                    first.curve_key == point.curve_key
                        && first.threads == point.threads
                        && first.label == point.label
                };
                match lines.iter_mut().find(|line| same(line)) {
                    Some(line) => line.points.push((*value, point)),
                    None => lines.push(Line {
                        label: point.label,
                        threads: point.threads,
                        points: vec![(*value, point)],
                    }),
                }
            }
        }
        lines.retain(|line| line.points.len() > 1);
        (!lines.is_empty()).then(|| Sweep { base, key: key.to_owned(), lines })
    };
    kinds.into_iter().filter_map(sweep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart() {
        let name = "opteron-48?miss.percent=150&os.slice_ns=1000";
        assert_eq!(parts(name), ("opteron-48", vec![("miss.percent", 150), ("os.slice_ns", 1000)]));
        assert_eq!(without(name, "miss.percent"), "opteron-48?os.slice_ns=1000");
        assert_eq!(without("opteron-48?miss.percent=150", "miss.percent"), "opteron-48");
        assert_eq!(value(name, "os.slice_ns"), Some(1000));
        assert_eq!(value("opteron-48", "miss.percent"), Some(100));
        assert_eq!(value("opteron-48", "class.same-die.percent"), Some(100));
        assert_eq!(value("opteron-48", "os.slice_ns"), None, "its name does not tell");
        assert_eq!(value("opteron-48", "read_occupancy_percent"), None);
    }
}
