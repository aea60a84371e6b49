//! The machine and its state, as files of the kernel describe it. Every parser is a pure function of a file's text.

use std::fs;
use std::path::Path;

use impls::machine::os::cores_allowed;
use record::{Environment, Fingerprint, Host};

/// The machine that this process runs on, and its state now. The steal is the share since boot.
pub fn host() -> Host {
    let mut environment = environment();
    environment.steal_share = Ticks::now().and_then(|now| now.steal_share_since(&Ticks::default()));
    Host { fingerprint: fingerprint(), environment }
}

/// What does not change.
pub fn fingerprint() -> Fingerprint {
    let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
    let dmi = |file: &str| read(&format!("/sys/class/dmi/id/{file}"));
    Fingerprint {
        cpu_model: cpu_model(&cpuinfo).unwrap_or_else(|| "unknown".to_owned()),
        cores: cores_allowed(),
        nodes: nodes(),
        arch: std::env::consts::ARCH.to_owned(),
        os: read("/etc/os-release")
            .and_then(|t| os_name(&t))
            .unwrap_or_else(|| std::env::consts::OS.to_owned()),
        kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned()),
        hypervisor: hypervisor(&cpuinfo, dmi("sys_vendor").as_deref(), dmi("product_name").as_deref()),
    }
}

/// What changes: governor and load. The steal needs two readings: [`StealMeter`].
pub fn environment() -> Environment {
    Environment {
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load_1min: read("/proc/loadavg").and_then(|text| load_1min(&text)),
        steal_share: None,
        note: None,
    }
}

/// Measures the share of all cores' time that the hypervisor gave to others.
#[derive(Clone, Copy, Debug)]
pub struct StealMeter {
    before: Option<Ticks>,
}

impl StealMeter {
    /// Begins.
    pub fn start() -> StealMeter {
        StealMeter { before: Ticks::now() }
    }

    /// The share since the begin, from 0 to 1; `None` where the kernel does not tell, or before it has counted anything
    /// (it counts in steps of about 10 ms).
    pub fn share(&self) -> Option<f64> {
        Ticks::now()?.steal_share_since(self.before.as_ref()?)
    }
}

/// Time of all cores together, in the kernel's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticks {
    /// Everything.
    pub total: u64,
    /// Given to others by the hypervisor.
    pub steal: u64,
}

impl Ticks {
    fn now() -> Option<Ticks> {
        Ticks::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// Reads the first line of `/proc/stat`.
    pub fn parse(stat: &str) -> Option<Ticks> {
        let fields = stat.lines().next()?.strip_prefix("cpu ")?;
        let fields: Option<Vec<u64>> = fields.split_ascii_whitespace().map(|f| f.parse().ok()).collect();
        let fields = fields?;
        // user nice system idle iowait irq softirq steal; guest time follows and is part of user time already.
        let steal = *fields.get(7)?;
        Some(Ticks { total: fields[..8].iter().sum(), steal })
    }

    /// The share of steal between two readings; `None` if no time passed.
    pub fn steal_share_since(&self, earlier: &Ticks) -> Option<f64> {
        let total = self.total.checked_sub(earlier.total).filter(|&ticks| ticks > 0)?;
        Some(self.steal.saturating_sub(earlier.steal) as f64 / total as f64)
    }
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The processor's name: `model name` on x86; on Arm, where there is none, implementer and part.
pub fn cpu_model(cpuinfo: &str) -> Option<String> {
    let field = |name: &str| cpuinfo_field(cpuinfo, name);
    let arm = || Some(format!("Arm implementer {} part {}", field("CPU implementer")?, field("CPU part")?));
    field("model name").map(|name| name.split_whitespace().collect::<Vec<_>>().join(" ")).or_else(arm)
}

fn cpuinfo_field<'a>(cpuinfo: &'a str, name: &str) -> Option<&'a str> {
    let fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
    values.find(|value| !value.is_empty())
}

/// The hypervisor, if one shows: named by the firmware's tables if they name one, else "unnamed" if the processor says
/// that there is one.
pub fn hypervisor(cpuinfo: &str, vendor: Option<&str>, product: Option<&str>) -> Option<String> {
    const KNOWN: [(&str, &str); 10] = [
        ("KVM", "KVM"),
        ("QEMU", "QEMU"),
        ("VMware", "VMware"),
        ("VirtualBox", "VirtualBox"),
        ("Xen", "Xen"),
        ("Microsoft Corporation", "Hyper-V"),
        ("Amazon EC2", "Amazon EC2"),
        ("Google", "Google Compute Engine"),
        ("OpenStack", "OpenStack"),
        ("Parallels", "Parallels"),
    ];
    let flags = cpuinfo_field(cpuinfo, "flags").unwrap_or_default();
    let flagged = flags.split_whitespace().any(|flag| flag == "hypervisor");
    let firmware = format!("{} {}", vendor.unwrap_or_default(), product.unwrap_or_default());
    let named = KNOWN.iter().find(|(mark, _)| firmware.contains(mark)).map(|(_, name)| (*name).to_owned());
    // Bare metal of the same vendors exists; on x86 the processor's flag decides.
    let is_x86 = !flags.is_empty();
    match (is_x86, flagged) {
        (true, false) => None,
        (true, true) => named.or_else(|| Some("unnamed".to_owned())),
        (false, _) => named,
    }
}

/// The system's name from `os-release`.
pub fn os_name(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then(|| value.to_owned())
}

/// The first number of `loadavg`.
pub fn load_1min(loadavg: &str) -> Option<f64> {
    loadavg.split_ascii_whitespace().next()?.parse().ok()
}

fn nodes() -> usize {
    let is_node = |name: &str| name.strip_prefix("node").is_some_and(|n| n.parse::<u32>().is_ok());
    let folder = fs::read_dir(Path::new("/sys/devices/system/node")).into_iter().flatten().flatten();
    folder.filter(|entry| entry.file_name().to_str().is_some_and(is_node)).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: &str =
        "processor\t: 0\nmodel name\t: Some(R)  CPU   @ 2.80GHz\nflags\t\t: fpu hypervisor avx\n";
    const METAL: &str = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx\n";
    const ARM: &str = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n";

    #[test]
    fn the_model_is_found_on_both_architectures() {
        assert_eq!(cpu_model(GUEST).as_deref(), Some("Some(R) CPU @ 2.80GHz"));
        assert_eq!(cpu_model(ARM).as_deref(), Some("Arm implementer 0x41 part 0xd0c"));
        assert_eq!(cpu_model(""), None);
    }

    #[test]
    fn a_hypervisor_shows_by_flag_or_firmware() {
        assert_eq!(hypervisor(GUEST, Some("QEMU"), None).as_deref(), Some("QEMU"));
        assert_eq!(hypervisor(GUEST, None, None).as_deref(), Some("unnamed"));
        assert_eq!(hypervisor(METAL, Some("Microsoft Corporation"), Some("Surface")), None);
        assert_eq!(hypervisor(ARM, Some("Amazon EC2"), Some("c7g.large")).as_deref(), Some("Amazon EC2"));
    }

    #[test]
    fn steal_is_a_share_of_all_time_and_unknown_is_not_zero() {
        let before = Ticks::parse("cpu  10 0 10 70 0 0 0 10 5 5\ncpu0 1 2 3\n").unwrap();
        assert_eq!(before, Ticks { total: 100, steal: 10 });
        let after = Ticks { total: 300, steal: 60 };
        assert_eq!(after.steal_share_since(&before), Some(0.25));
        assert_eq!(before.steal_share_since(&before), None);
        for damaged in ["", "cpu 1 2 3", "cpu a b c d e f g h", "intr 1 2 3 4 5 6 7 8"] {
            assert_eq!(Ticks::parse(damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn small_files_are_read() {
        assert_eq!(load_1min("1.84 1.07 0.51 3/94 15893\n"), Some(1.84));
        assert_eq!(load_1min(""), None);
        assert_eq!(os_name("NAME=x\nPRETTY_NAME=\"Some Linux 12\"\n").as_deref(), Some("Some Linux 12"));
        assert_eq!(os_name("NAME=x\n"), None);
    }

    #[test]
    fn this_host_has_cores_and_a_node() {
        let host = host();
        assert!(host.fingerprint.cores >= 1 && host.fingerprint.nodes >= 1);
        assert_eq!(host.fingerprint.id().len(), 12);
    }
}
