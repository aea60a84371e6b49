//! The doctor's findings for people: one fact a line, values aligned.

use std::fmt::{self, Display, Formatter};

use record::Reading;

use super::{CounterReport, Doctor};

impl Display for Doctor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let host = &self.host.fingerprint;
        let environment = &self.host.environment;
        let percent =
            |share: Option<f64>| share.map_or("unknown".to_owned(), |s| format!("{:.2} %", 100.0 * s));
        let unknown = || "unknown".to_owned();
        writeln!(f, "Machine")?;
        line(f, "processor", &host.cpu_model)?;
        line(f, "cores allowed", host.cores)?;
        line(f, "memory nodes", host.nodes)?;
        line(f, "system", format!("{}, kernel {}, {}", host.os, host.kernel, host.arch))?;
        line(f, "hypervisor", host.hypervisor.as_deref().unwrap_or("none shows"))?;
        line(f, "governor", environment.governor.as_deref().unwrap_or("none shows"))?;
        line(f, "load, 1 min", environment.load_1min.map_or_else(unknown, |load| format!("{load:.2}")))?;
        line(
            f,
            "steal",
            format!("{} since boot, {} now", percent(environment.steal_share), percent(self.steal_share_now)),
        )?;

        writeln!(f, "\nClock")?;
        line(f, "source", &self.clock.source)?;
        line(f, "resolution", format!("{} ns", self.clock.resolution_ns))?;
        line(f, "cost of a reading", format!("{:.1} ns", self.clock.read_ns))?;
        line(f, "against the system's", format!("{:.6}", self.clock.rate))?;

        writeln!(f, "\nCores")?;
        if self.cores.is_empty() {
            line(f, "pairs", "none to compare")?;
        }
        for pair in &self.cores {
            line(
                f,
                &format!("{} and {}", pair.from_core, pair.to_core),
                format!(
                    "clocks {:+} ns (+- {} ns), a cache line takes {} ns one way",
                    pair.ahead_ns, pair.bound_ns, pair.one_way_ns
                ),
            )?;
        }

        writeln!(f, "\nCounters")?;
        line(
            f,
            "perf_event_paranoid",
            self.perf_event_paranoid.map_or_else(unknown, |level| level.to_string()),
        )?;
        line(f, "tracefs", &self.tracefs)?;
        self.counters.iter().try_for_each(|counter| self.counter(f, counter))?;

        writeln!(f, "\nWhat follows")?;
        for consequence in &self.follows {
            let answer = if consequence.available { "yes" } else { "no " };
            writeln!(f, "  {answer}  {}: {}", consequence.what, consequence.how)?;
        }
        Ok(())
    }
}

impl Doctor {
    fn counter(&self, f: &mut Formatter<'_>, counter: &CounterReport) -> fmt::Result {
        match &counter.reading {
            Reading::Present { value, tier, running_share } => {
                let share = running_share.map(|s| format!(", seen {:.0} % of the time", 100.0 * s));
                let share = share.unwrap_or_default();
                line(f, &counter.name, format!("yes ({value} in the trial, {}{share})", tier.name()))
            }
            Reading::Absent { absent } => {
                line(f, &counter.name, format!("no: {absent}"))?;
                counter.enable.iter().try_for_each(|remedy| line(f, "", format!("-> {remedy}")))
            }
        }
    }
}

fn line(f: &mut Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "  {name:<21} {value}")
}
