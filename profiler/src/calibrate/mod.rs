//! This computer as a preset of the simulated machine: its costs, measured on the machine `os`.
//!
//! Every number is the median of many batches, and the file shows beside it from where to where the middle 80 % of them
//! lie. What cannot be measured from user space is taken over from elsewhere and says so: the percentages that make all
//! operations from one transfer time, the knob of the model, what waking does to a busy core.
//!
//! | module | measures |
//! |---|---|
//! | `transfer` | a line's way from core to core |
//! | `local` | operations within a core, the clock, a load from memory |
//! | `kernel` | system calls, switches, wakes, the slice |
//! | `topology` | which cores are siblings, and on which node |
//! | `text` | the file |

mod kernel;
mod local;
mod text;
mod topology;
mod transfer;

use anyhow::{Context, Result, ensure};
use impls::machine::os::cpus_allowed;
use impls::machine::sim::preset::{MOST_CORES, Preset};

/// A measured quantity: the median of its batches, and where the middle 80 % of them lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of the batches are below.
    pub median: f64,
    /// A tenth of the batches is below.
    pub low: f64,
    /// A tenth of the batches is above.
    pub high: f64,
}

impl Spread {
    /// Of some batches; `None` of none.
    fn of(mut batches: Vec<f64>) -> Option<Self> {
        batches.sort_by(f64::total_cmp);
        let last = batches.len().checked_sub(1)?;
        let at = |share: f64| batches[(last as f64 * share).round() as usize];
        Some(Self { median: at(0.5), low: at(0.1), high: at(0.9) })
    }

    /// All of it times `factor`.
    fn times(self, factor: f64) -> Self {
        Self { median: self.median * factor, low: self.low * factor, high: self.high * factor }
    }

    /// Less a `part` that each batch contains too; never below 0.
    fn less(self, part: f64) -> Self {
        let less = |value: f64| (value - part).max(0.0);
        Self { median: less(self.median), low: less(self.low), high: less(self.high) }
    }
}

/// How the text of a calibration begins, by which its files are known.
pub const FIRST_LINE: &str = "# Measured by `synchroscope calibrate`.";

/// What [`calibrate`] found.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// The text of the preset's file, with the spread of each number in a comment.
    pub toml: String,
    /// What that text reads as.
    pub preset: Preset,
    /// The number by which the operating system knows each core of the preset.
    pub cpus: Vec<usize>,
}

/// Measures this computer, on the cores that this process may use, and describes it as the preset `name`.
///
/// Nothing else should run meanwhile. `progress` is told what is measured next. It takes some seconds, and with many
/// cores about 10 ms for each pair.
pub fn calibrate(name: &str, progress: &mut dyn FnMut(&str)) -> Result<Calibration> {
    ensure!(
        Preset::is_name(name),
        "calibrate: a preset cannot be called `{name}`; expected small letters, digits and hyphens"
    );
    let cpus = cpus_allowed();
    ensure!(!cpus.is_empty(), "calibrate: threads cannot be pinned to cores on this system");
    ensure!(
        cpus.len() <= MOST_CORES as usize,
        "calibrate: this process may use {} cores; expected at most {MOST_CORES}: restrict it, as taskset does",
        cpus.len()
    );
    progress("operations within a core");
    let local = local::measure(cpus[0])?;
    progress("memory");
    let memory_ns = local::memory(cpus[0])?;
    progress("calls into the kernel");
    let kernel = kernel::measure(&cpus)?;
    let pairs = transfer::measure(&cpus, progress)?;
    let topology = topology::read(&cpus);
    let found = text::Found { name, cpus: &cpus, local, memory_ns, kernel, pairs, topology };
    let toml = found.toml();
    let preset = Preset::parse("calibrated", &toml, &|_| Err("a calibrated preset names no file".to_owned()))
        .context("calibrate: what was measured is no valid preset")?;
    Ok(Calibration { toml, preset, cpus })
}

/// Runs `body` on a thread that is pinned to `cpu`, and returns what it answers.
fn pinned<T: Send>(cpu: usize, body: impl Fn() -> T + Sync) -> Option<T> {
    use impls::machine::Machine;
    let answer = std::sync::Mutex::new(None);
    impls::machine::os::Os::<impls::probe::NoProbe>::run(1, &[cpu], 0, &|_| {
        let value = body();
        *answer.lock().unwrap_or_else(|e| e.into_inner()) = Some(value);
    });
    answer.into_inner().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_name_is_told_before_anything_is_measured() {
        let error = calibrate("My computer", &mut |step| panic!("{step}")).unwrap_err().to_string();
        assert!(error.contains("`My computer`; expected small letters"), "{error}");
    }

    #[test]
    fn spread_is_median_and_deciles() {
        let spread = Spread::of((0..=10).rev().map(f64::from).collect()).unwrap();
        assert_eq!(spread, Spread { median: 5.0, low: 1.0, high: 9.0 });
        assert_eq!(spread.less(3.0), Spread { median: 2.0, low: 0.0, high: 6.0 });
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn this_computer_becomes_a_preset() {
        let mut steps = Vec::new();
        let found = calibrate("here", &mut |step| steps.push(step.to_owned())).unwrap();
        assert_eq!(found.preset.cores as usize, found.cpus.len());
        assert_eq!(found.preset.name, "here");
        assert!(steps.len() >= 3, "{steps:?}");
        // No computer that this runs on has another clock, however busy it is; a chain that the compiler shortens
        // would show one.
        assert!((200..10_000).contains(&found.preset.clock_mhz), "{}", found.toml);
        // A fence waits for the stores before it, an atomic is one: neither is free unless it was optimised away.
        assert!(found.preset.local.fence > 1 && found.preset.local.hit[2] > 1, "{}", found.toml);
        assert!(found.preset.miss.iter().all(|&cost| cost > 0));
        let measured = found.toml.lines().filter(|line| line.contains("# measured")).count();
        assert!(measured >= 14, "{}", found.toml);
    }
}
