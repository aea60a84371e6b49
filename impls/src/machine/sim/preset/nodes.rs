//! How far cores are from memory nodes: as far as from the node's cores, on average.

/// The cores of a machine, with what is known before their costs.
pub(super) struct Near<'p> {
    pub(super) node_of_core: &'p [u16],
    pub(super) distance: &'p [u8],
}

impl Near<'_> {
    fn cores(&self) -> usize {
        self.node_of_core.len()
    }

    pub(super) fn nodes(&self) -> usize {
        usize::from(self.node_of_core.iter().max().copied().unwrap_or(0)) + 1
    }

    /// Mean of `metric` from a core to the other cores of each node; that of class 0 where there is no other.
    fn means(&self, core: usize, metric: &dyn Fn(u8) -> u64) -> Vec<u64> {
        let mut sums = vec![(0, 0); self.nodes()];
        let row = &self.distance[core * self.cores()..][..self.cores()];
        for (other, (class, node)) in row.iter().zip(self.node_of_core).enumerate() {
            if other != core {
                let (sum, count) = &mut sums[usize::from(*node)];
                *sum += metric(*class);
                *count += 1;
            }
        }
        let mean =
            |(sum, count): (u64, u64)| (sum + count / 2).checked_div(count).unwrap_or_else(|| metric(0));
        sums.into_iter().map(mean).collect()
    }

    /// Mean of `metric` within a core's own node.
    pub(super) fn own_mean(&self, metric: &dyn Fn(u8) -> u64) -> u64 {
        let own = |core: usize| self.means(core, metric)[usize::from(self.node_of_core[core])];
        (0..self.cores()).map(own).sum::<u64>() / self.cores() as u64
    }

    /// The class of each core to each node, row after row: that whose `metric` is nearest to the mean. `metric` does
    /// not fall from one of the `classes` to the next.
    pub(super) fn to_nodes(&self, classes: usize, metric: &dyn Fn(u8) -> u64) -> Vec<u8> {
        let known: Vec<u64> = (0..classes).map(|class| metric(class as u8)).collect();
        let nearest = |mean: u64| {
            let above = known.partition_point(|value| *value < mean).min(classes - 1);
            let below = above.saturating_sub(1);
            let is_below = known[below].abs_diff(mean) < known[above].abs_diff(mean);
            (if is_below { below } else { above }) as u8
        };
        (0..self.cores()).flat_map(|core| self.means(core, metric)).map(nearest).collect()
    }
}
