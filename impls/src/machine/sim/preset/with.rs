//! One constant changed, for sweeps that ask what would be if.

use super::cost::{MOST_CYCLES, MOST_NS};
use super::{Error, Op, Preset, Prior, read_occupancy_percents};
use crate::text::diagnose::unknown;

const PERCENT: (u64, u64) = (1, 10_000);

/// Whether a constant says what a core does with lines that it owns: where stores and atomics act at a shared cache, none
/// does.
fn of_owned_lines(key: &str) -> bool {
    let operation = |key: &str| Op::ALL[1..].iter().any(|op| op.name() == key) || key == "atomic";
    key == "hold_window_cycles" || key.strip_prefix("local.").is_some_and(operation)
}

impl Preset {
    /// The keys that [`Preset::with`] knows on this machine.
    pub fn constants(&self) -> Vec<String> {
        let all = self.constants_anywhere();
        all.into_iter().filter(|key| !self.shared_cache || !of_owned_lines(key)).collect()
    }

    fn constants_anywhere(&self) -> Vec<String> {
        let plain = [
            "clock_mhz",
            "read_occupancy_percent",
            "hold_window_cycles",
            "sibling_work_percent",
            "sharing_extra_cycles",
            "local.fence",
            "local.pause",
            "local.clock_read",
            "local.atomic",
            "os.slice_ns",
            "os.switch_ns",
            "os.syscall_ns",
            "os.futex_wait_ns",
            "os.futex_wake_ns",
            "os.wake_latency_ns",
            "os.wake_preempts_after_ns",
            "miss.percent",
        ];
        let ops = Op::ALL
            .iter()
            .flat_map(|op| [format!("local.{}", op.name()), format!("miss.{}.percent", op.name())]);
        let classes = self.classes.iter().map(|class| format!("class.{}.percent", class.name));
        plain.iter().map(|key| (*key).to_owned()).chain(ops).chain(classes).collect()
    }

    /// This machine with one constant changed to `value`.
    ///
    /// The keys are those of a preset's file, with two exceptions. `os.wake_latency_ns` sets all steps at once, and
    /// `local.atomic` all four operations. Costs of misses are scaled, in percent of what they are: all by
    /// `miss.percent`, those of an operation by `miss.cas.percent`, those of a class of distance by
    /// `class.NAME.percent`.
    pub fn with(&self, key: &str, value: u64) -> Result<Self, Error> {
        let mut changed = self.clone();
        let wrong = |message: String| Error::about(format_args!("{}: {key}", self.name), message);
        let within = |(least, most): (u64, u64)| {
            let expected = || wrong(format!("expected a number from {least} to {most}, found {value}"));
            if (least..=most).contains(&value) { Ok(value) } else { Err(expected()) }
        };
        let cycles = || within((1, MOST_CYCLES)).map(|value| value as u32);
        let ns = || within((0, MOST_NS));
        let percent = || within(PERCENT);
        let os = &mut changed.os;
        let local = &mut changed.local;
        let parts: Vec<&str> = key.split('.').collect();
        if self.shared_cache && of_owned_lines(key) {
            return Err(wrong("does not go with a shared cache: there no core owns a line".into()));
        }
        match parts[..] {
            ["clock_mhz"] => changed.clock_mhz = within((1, 100_000))? as u32,
            ["read_occupancy_percent"] => {
                let bounds = read_occupancy_percents(self.shared_cache, self.any_order);
                changed.read_occupancy_percent = within(bounds)? as u32
            }
            ["hold_window_cycles"] => changed.hold_window_cycles = within((0, MOST_CYCLES))? as u32,
            ["sibling_work_percent"] => changed.sibling_work_percent = within((100, 1000))? as u32,
            ["sharing_extra_cycles"] => changed.sharing_extra_cycles = within((0, MOST_CYCLES))? as u32,
            ["local", "fence"] => local.fence = cycles()?,
            ["local", "pause"] => local.pause = cycles()?,
            ["local", "clock_read"] => local.clock_read = cycles()?,
            ["local", "atomic"] => local.hit[Op::Cas as usize..].fill(cycles()?),
            ["os", "slice_ns"] => os.slice_ns = within((1, MOST_NS))?,
            ["os", "switch_ns"] => os.switch_ns = ns()?,
            ["os", "syscall_ns"] => os.syscall_ns = ns()?,
            ["os", "futex_wait_ns"] => os.futex_wait_ns = ns()?,
            ["os", "futex_wake_ns"] => os.futex_wake_ns = ns()?,
            ["os", "wake_preempts_after_ns"] => os.wake_preempts_after_ns = ns()?,
            ["os", "wake_latency_ns"] => {
                let latency_ns = ns()?;
                os.wake.iter_mut().for_each(|wake| wake.latency_ns = latency_ns);
            }
            ["miss", "percent"] => changed.scale(percent()?, |_, _| true),
            _ => {
                let op = |name: &str| Op::ALL.into_iter().find(|op| op.name() == name);
                let middle = |start: &str| key.strip_prefix(start)?.strip_suffix(".percent");
                if let Some(op) = key.strip_prefix("local.").and_then(op) {
                    changed.local.hit[op as usize] = cycles()?;
                } else if let Some(op) = middle("miss.").and_then(op) {
                    changed.scale(percent()?, |this, _| this == op);
                } else if let Some(name) = middle("class.")
                    && self.classes.iter().any(|class| class.name == name)
                {
                    changed.scale(percent()?, |_, class| self.classes[class].name == name);
                } else {
                    let known = self.constants();
                    let message = unknown("constant", key, known.iter().map(String::as_str));
                    return Err(Error::about(&self.name, message));
                }
            }
        }
        let loads =
            (0..self.classes.len()).map(|class| changed.miss_cycles(Op::Load, Prior::Modified, class as u8));
        if !loads.is_sorted() {
            let message = format!("{value} % would make a near class dearer than a farther one");
            return Err(wrong(message));
        }
        changed.settle();
        Ok(changed)
    }

    fn scale(&mut self, percent: u64, chosen: impl Fn(Op, usize) -> bool) {
        let classes = self.classes.len();
        let rows = self.miss.chunks_exact_mut(classes).enumerate();
        for (row, costs) in rows {
            let op = Op::ALL[row / super::STATES];
            for (_, cost) in costs.iter_mut().enumerate().filter(|(class, _)| chosen(op, *class)) {
                let scaled = (u64::from(*cost) * percent + 50) / 100;
                *cost = scaled.clamp(1, MOST_CYCLES) as u32;
            }
        }
    }
}
