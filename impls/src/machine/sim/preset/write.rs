//! A preset as the text of a file, which reads back as the same preset.

use std::fmt::{Display, Write};

use super::nodes::Near;
use super::{Op, Preset, Prior};

fn list(values: impl IntoIterator<Item = impl Display>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(", "))
}

fn rows<T: Display + Copy>(key: &str, cells: &[T], columns: usize) -> String {
    let rows: Vec<String> =
        cells.chunks(columns).map(|row| format!("    {},\n", list(row.iter().copied()))).collect();
    format!("{key} = [\n{}]\n", rows.concat())
}

fn text(value: &str) -> String {
    toml::Value::from(value).to_string()
}

impl Preset {
    /// The text of a file that [`Preset::load`] reads as this very preset. Costs stand in it as cycles, however they
    /// came about.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = self.write_machine(&mut out).and_then(|()| self.write_costs(&mut out));
        out
    }

    fn write_machine(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "name = {}\nsummary = {}", text(&self.name), text(&self.summary))?;
        writeln!(out, "clock_mhz = {}\ncores = {}", self.clock_mhz, self.cores)?;
        writeln!(out, "physical_of_core = {}", list(&self.physical_of_core))?;
        writeln!(out, "sibling_work_percent = {}", self.sibling_work_percent)?;
        writeln!(out, "node_of_core = {}", list(&self.node_of_core))?;
        writeln!(out, "order = {}", list(&self.order))?;
        writeln!(out, "owned_state = {}", self.owned_state)?;
        writeln!(out, "by_home = {}", self.by_home)?;
        writeln!(out, "shared_cache = {}", self.shared_cache)?;
        writeln!(out, "any_order = {}", self.any_order)?;
        writeln!(out, "read_occupancy_percent = {}", self.read_occupancy_percent)?;
        if !self.shared_cache {
            writeln!(out, "hold_window_cycles = {}", self.hold_window_cycles)?;
        }

        let cluster = self.cluster();
        let clusters = self.cores as usize / cluster;
        let between: Vec<u8> = (0..clusters * clusters)
            .map(|cell| {
                let (row, column) = (cell / clusters, cell % clusters);
                // Within a cluster any two different cores stand for all; a lone core has no distance.
                let other = column * cluster + usize::from(row == column && cluster > 1);
                self.class(row * cluster, other)
            })
            .collect();
        writeln!(out, "\n[distance]")?;
        writeln!(out, "classes = {}", list(self.classes.iter().map(|class| text(&class.name))))?;
        writeln!(out, "cluster = {cluster}")?;
        out.push_str(&rows("between", &between, clusters));
        let near = Near { node_of_core: &self.node_of_core, distance: &self.distance };
        let metric = |class| u64::from(self.miss_cycles(Op::Load, Prior::Modified, class));
        if near.to_nodes(self.classes.len(), &metric) != self.node_distance {
            out.push_str(&rows("to_nodes", &self.node_distance, self.nodes()));
        }
        Ok(())
    }

    /// The largest size of clusters such that cores of the same two clusters are equally far apart.
    fn cluster(&self) -> usize {
        let cores = self.cores as usize;
        let fits = |size: usize| {
            (0..cores).all(|a| {
                let (home, row) = (a / size, &self.distance[a * cores..][..cores]);
                (0..cores / size).all(|cluster| {
                    let members = cluster * size..(cluster + 1) * size;
                    let first = if cluster == home {
                        // Two different cores of the first of its kind: those of this cluster.
                        self.class(home * size, home * size + usize::from(size > 1))
                    } else {
                        self.class(home * size, cluster * size)
                    };
                    members.clone().all(|b| a == b || row[b] == first)
                })
            })
        };
        (1..=cores).rev().find(|&size| cores.is_multiple_of(size) && fits(size)).unwrap_or(1)
    }

    fn row(&self, op: Op, prior: Prior) -> Vec<u32> {
        (0..self.classes.len()).map(|class| self.miss_cycles(op, prior, class as u8)).collect()
    }

    fn write_costs(&self, out: &mut String) -> std::fmt::Result {
        let farthest = self.row(Op::Store, Prior::Shared).into_iter().max().unwrap_or(0);
        writeln!(out, "\n[miss]\nmemory = {}", list(self.row(Op::Load, Prior::Invalid)))?;
        writeln!(out, "store_shared_by_all = {}", farthest + self.sharing_extra_cycles)?;
        let states = Prior::ALL.into_iter().filter(|prior| self.owned_state || *prior != Prior::Owned);
        let states: Vec<Prior> = states.collect();
        for op in Op::ALL {
            writeln!(out, "\n[miss.{}]", op.name())?;
            for prior in &states {
                writeln!(out, "{} = {}", prior.name(), list(self.row(op, *prior)))?;
            }
        }
        writeln!(out, "\n[local]")?;
        for op in Op::ALL.into_iter().filter(|op| *op == Op::Load || !self.shared_cache) {
            writeln!(out, "{} = {}", op.name(), self.local.hit[op as usize])?;
        }
        let local = &self.local;
        writeln!(out, "fence = {}\npause = {}\nclock_read = {}", local.fence, local.pause, local.clock_read)?;
        let os = &self.os;
        writeln!(out, "\n[os]\nslice_ns = {}\nswitch_ns = {}", os.slice_ns, os.switch_ns)?;
        writeln!(out, "syscall_ns = {}\nfutex_wait_ns = {}", os.syscall_ns, os.futex_wait_ns)?;
        writeln!(out, "futex_wake_ns = {}", os.futex_wake_ns)?;
        writeln!(out, "wake_preempts_after_ns = {}\nwake = [", os.wake_preempts_after_ns)?;
        for wake in &os.wake {
            writeln!(out, "    {{ idle_ns = {}, latency_ns = {} }},", wake.idle_ns, wake.latency_ns)?;
        }
        writeln!(out, "]")
    }
}
