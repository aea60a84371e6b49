//! Which cores are how far apart, as lines ask for it.

use super::preset::Preset;

/// Classes between cores and groups of cores, looked up once. One more core than the preset has: the seat of threads
/// that stand aside, as far from everybody as core 0 is.
pub(super) struct Distances {
    pub(super) seats: usize,
    pub(super) nodes: usize,
    pub(super) node_of: Vec<u16>,
    pub(super) class: Vec<u8>,
    /// Class of each core to the nearest other physical core of each node.
    pub(super) near: Vec<u8>,
    /// Class of each core to the farthest core of each node.
    pub(super) far: Vec<u8>,
    /// Other hardware threads of each physical core.
    pub(super) siblings: Vec<Vec<u16>>,
}

impl Distances {
    /// Of this machine.
    pub(super) fn new(preset: &Preset) -> Self {
        let (cores, nodes) = (preset.cores as usize, preset.nodes());
        let real = |seat: usize| if seat == cores { 0 } else { seat };
        let others = |core: usize, node: usize| {
            let physical = preset.physical_of_core[core];
            (0..cores)
                .filter(move |&c| usize::from(preset.node_of_core[c]) == node)
                .filter(move |&c| preset.physical_of_core[c] != physical)
                .map(move |c| preset.class(core, c))
        };
        let each = || (0..=cores).map(real).flat_map(|core| (0..nodes).map(move |node| (core, node)));
        let siblings = |core: usize| -> Vec<u16> {
            let same = |&o: &usize| o != core && preset.physical_of_core[o] == preset.physical_of_core[core];
            (0..cores).filter(same).map(|o| o as u16).collect()
        };
        Distances {
            seats: cores + 1,
            nodes,
            node_of: (0..=cores).map(|seat| preset.node_of_core[real(seat)]).collect(),
            class: (0..=cores)
                .flat_map(|a| (0..=cores).map(move |b| (real(a), real(b))))
                .map(|(a, b)| if a == b { 0 } else { preset.class(a, b) })
                .collect(),
            near: each().map(|(core, node)| others(core, node).min().unwrap_or(0)).collect(),
            far: each().map(|(core, node)| others(core, node).max().unwrap_or(0)).collect(),
            siblings: (0..=cores).map(|seat| siblings(real(seat))).collect(),
        }
    }

    /// Class of two cores.
    #[inline]
    pub(super) fn class(&self, a: u16, b: u16) -> u8 {
        self.class[usize::from(a) * self.seats + usize::from(b)]
    }

    /// The bit of a core's node in a line's mask.
    #[inline]
    pub(super) fn node_bit(&self, core: u16) -> u64 {
        1 << (self.node_of[usize::from(core)] % 64)
    }
}
