//! Which cores are hardware threads of one physical core, and on which memory node each is.

use impls::machine::Machine;
use impls::machine::os::Os;
use impls::probe::NoProbe;

use super::pinned;

/// One entry for each core.
pub(super) struct Topology {
    pub(super) physical: Vec<usize>,
    pub(super) node: Vec<usize>,
}

/// Asks the kernel; a core of which it does not tell stands alone.
pub(super) fn read(cpus: &[usize]) -> Topology {
    let siblings = |cpu: &usize| {
        let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
        std::fs::read_to_string(path).map_or_else(|_| format!("alone {cpu}"), |list| list.trim().to_owned())
    };
    let node = |cpu: &usize| pinned(*cpu, Os::<NoProbe>::node).unwrap_or(0);
    Topology {
        physical: numbered(&cpus.iter().map(siblings).collect::<Vec<_>>()),
        node: numbered(&cpus.iter().map(node).collect::<Vec<_>>()),
    }
}

/// Numbers from 0 in the order of first occurrence, equal for equal keys.
fn numbered<T: PartialEq>(keys: &[T]) -> Vec<usize> {
    let mut seen: Vec<&T> = Vec::new();
    let number = |key| {
        seen.iter().position(|known| *known == key).unwrap_or_else(|| {
            seen.push(key);
            seen.len() - 1
        })
    };
    keys.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gaps() {
        assert_eq!(numbered(&["4,6", "5,7", "4,6", "5,7"]), [0, 1, 0, 1]);
        assert_eq!(numbered(&[3, 9, 3]), [0, 1, 0]);
    }
}
