//! The file: each number with where it comes from and how far its batches spread.

use std::fmt::Write;

use super::kernel::Kernel;
use super::local::Local;
use super::topology::Topology;
use super::transfer::Pair;
use super::{FIRST_LINE, Spread};
use crate::host::fingerprint;

/// Everything that was measured.
pub(super) struct Found<'f> {
    pub(super) name: &'f str,
    pub(super) cpus: &'f [usize],
    pub(super) local: Local,
    pub(super) memory_ns: Spread,
    pub(super) kernel: Kernel,
    pub(super) pairs: Vec<Pair>,
    pub(super) topology: Topology,
}

/// `30 to 34`, with as many decimals as tell small values apart.
fn range(spread: Spread) -> String {
    let decimals = if spread.high < 10.0 { 2 } else { usize::from(spread.high < 100.0) };
    format!("{:.decimals$} to {:.decimals$}", spread.low, spread.high)
}

/// A line with a positive integer, and the spread that it stands for.
fn integer(out: &mut String, key: &str, spread: Spread, unit: &str) {
    let value = (spread.median.round() as u64).max(1);
    // Writing to a String does not fail.
    let _ = writeln!(out, "{key} = {value} # measured: {} {unit}", range(spread));
}

fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("[{}]", numbers.join(", "))
}

impl Found<'_> {
    pub(super) fn toml(&self) -> String {
        let mut out = String::new();
        self.machine(&mut out);
        self.distance(&mut out);
        self.derive(&mut out);
        self.within(&mut out);
        self.system(&mut out);
        out
    }

    fn machine(&self, out: &mut String) {
        let host = fingerprint();
        let place =
            host.hypervisor.map_or_else(String::new, |hypervisor| format!(", virtual ({hypervisor})"));
        let summary = format!("{}, {} cores{place}", host.cpu_model, self.cpus.len());
        let summary: String =
            summary.chars().filter(|c| !c.is_control() && *c != '"' && *c != '\\').collect();
        let _ = write!(
            out,
            "{FIRST_LINE} Each measured number is a median; the comment beside it says where\n\
             # the middle 80 % of the batches lie. Cores count from 0 in the order of the processor numbers\n\
             # {}.\n\
             name = \"{}\"\n\
             summary = \"{summary}\"\n\
             clock_mhz = {} # measured: a chain of steps of six cycles\n\
             cores = {}\n\
             physical_of_core = {} # as the kernel says\n\
             node_of_core = {} # as the kernel says\n\
             read_occupancy_percent = 100 # the declared knob: assumed\n",
            list(self.cpus),
            self.name,
            (self.local.clock_mhz.round() as u64).max(1),
            self.cpus.len(),
            list(&self.topology.physical),
            list(&self.topology.node),
        );
    }

    fn distance(&self, out: &mut String) {
        out.push_str("\n[distance] # one way in ns: half of a ping-pong by compare-and-swap\n");
        if self.cpus.len() == 1 {
            out.push_str("levels = [1]\nclasses = [\"itself\"]\ntransfer_ns = [30] # no other core: nothing asks for it\n");
            return;
        }
        out.push_str("matrix = [\n    [],\n");
        for row in 1..self.cpus.len() {
            let pairs = || self.pairs.iter().filter(move |pair| pair.cores.0 == row);
            let times: Vec<String> =
                pairs().map(|pair| format!("{:.1}", pair.one_way_ns.median.max(0.1))).collect();
            let spreads: Vec<String> = pairs().map(|pair| range(pair.one_way_ns)).collect();
            let _ = writeln!(out, "    [{}], # measured: {}", times.join(", "), spreads.join(", "));
        }
        out.push_str("]\n");
    }

    fn derive(&self, out: &mut String) {
        out.push_str(
            "\n[derive] # percent of the way; assumed: the ratios of the Xeon in table 2 of SOSP 2013, rounded\n\
             load = { modified = 90, exclusive = 85, shared = 60 }\n\
             store = { modified = 95, exclusive = 95, shared = 95 }\n\
             atomic = { modified = 100, exclusive = 100, shared = 95 }\n\
             store_shared_by_all = 105\n",
        );
        integer(out, "memory_ns", self.memory_ns, "ns, a walk through 64 MiB that no prefetcher guesses");
    }

    fn within(&self, out: &mut String) {
        let local = &self.local;
        out.push_str("\n[local] # cycles\n");
        let fields = [
            ("load", local.load),
            ("store", local.store),
            // Measured with a store before each, as the fence is.
            ("cas", local.cas.less(local.store.median)),
            ("fai", local.fai),
            ("tas", local.swap),
            ("swap", local.swap),
            ("fence", local.fence.less(local.store.median)),
            ("pause", local.pause),
            ("clock_read", local.clock_read),
        ];
        for (key, ns) in fields {
            integer(out, key, ns.times(local.clock_mhz / 1000.0), "cycles");
        }
    }

    fn system(&self, out: &mut String) {
        let kernel = &self.kernel;
        out.push_str("\n[os]\n");
        integer(out, "syscall_ns", kernel.syscall, "ns, a yield with nobody else to run");
        integer(out, "futex_wait_ns", kernel.futex_wait, "ns, a wait that finds the word changed");
        integer(out, "futex_wake_ns", kernel.futex_wake, "ns, a wake of nobody");
        integer(out, "switch_ns", kernel.switch, "ns, a hand-over on one core less the two calls");
        match kernel.slice {
            Some(slice) => {
                integer(out, "slice_ns", slice, "ns, until a thread lost its core to another");
                let value = (slice.median.round() as u64).max(1);
                let _ = writeln!(out, "wake_preempts_after_ns = {value} # assumed: the slice");
            }
            None => out.push_str(
                "slice_ns = 3000000 # assumed: no thread lost its core while this was measured\n\
                 wake_preempts_after_ns = 3000000 # assumed: the slice\n",
            ),
        }
        if kernel.wake.is_empty() {
            out.push_str("wake = [{ idle_ns = 0, latency_ns = 0 }] # no other core to wake\n");
            return;
        }
        out.push_str("wake = [ # from the call to the switch, by how long the core had been idle\n");
        for (step, (idle_ns, latency)) in kernel.wake.iter().enumerate() {
            let from = if step == 0 { 0 } else { *idle_ns };
            let _ = writeln!(
                out,
                "    {{ idle_ns = {from}, latency_ns = {} }}, # measured: {} ns",
                latency.median.round() as u64,
                range(*latency)
            );
        }
        out.push_str("]\n");
    }
}
