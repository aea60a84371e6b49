//! Ids of cells: readable, and safe as names of files on every system.

use std::collections::BTreeMap;

/// Longest id in bytes: file systems allow 255, and extensions follow.
const LEN_MAX: usize = 120;

/// The id of a cell: `mutex.go-2019-fastpath@contended-t8-h500+a+spin_rounds=8`.
///
/// The machine is named unless it is `os`. Where a character has to give way, or the id is too long, a hash of the
/// original follows, so that different cells keep different ids.
pub(crate) fn cell_id(
    implementation: &str,
    label: &str,
    machine: &str,
    arm: &str,
    params: &BTreeMap<String, u64>,
) -> String {
    let mut given = format!("{}@{}", implementation.replacen('/', ".", 1), label.replace('/', "-"));
    if machine != "os" {
        given += &format!("@{}", machine.replacen(':', "-", 1));
    }
    if !arm.is_empty() {
        given += &format!("+{arm}");
    }
    for (name, value) in params {
        given += &format!("+{name}={value}");
    }
    let mut id: String = given.chars().map(|c| if is_safe(c) { c } else { '-' }).collect();
    if id != given || id.len() > LEN_MAX {
        id.truncate(LEN_MAX - 18);
        id += &format!("~{:016x}", fnv1a(given.as_bytes()));
    }
    id
}

fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+' | '=')
}

/// FNV-1a, 64 bits: stable between versions, which the standard library's hasher does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(implementation: &str, label: &str, arm: &str) -> String {
        cell_id(implementation, label, "os", arm, &BTreeMap::new())
    }

    #[test]
    fn readable() {
        assert_eq!(id("mutex/ticket", "contended/t8/h500", ""), "mutex.ticket@contended-t8-h500");
        assert_eq!(id("mutex/ticket", "contended/t8", "a"), "mutex.ticket@contended-t8+a");
        let params = BTreeMap::from([("spin_rounds".to_owned(), 8)]);
        assert_eq!(
            cell_id("mutex/x", "w/t1", "sim:epyc", "", &params),
            "mutex.x@w-t1@sim-epyc+spin_rounds=8"
        );
    }

    #[test]
    fn odd_and_long_names_stay_apart() {
        let (one, other) = (id("mutex/a b", "w/t1", ""), id("mutex/a:b", "w/t1", ""));
        assert!(one.starts_with("mutex.a-b@w-t1~") && one != other, "{one} {other}");
        let long = "n".repeat(500);
        let (one, other) = (id("mutex/x", &long, ""), id("mutex/x", &format!("{long}o"), ""));
        assert!(one.len() <= LEN_MAX && one != other, "{one} {other}");
        assert!(id("../../etc", "w", "").chars().all(|c| c != '/'));
    }

    #[test]
    fn hash_is_the_published_one() {
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
