//! The values that axes take: lengths of time, numbers of threads, distributions.

use record::{Arrivals, Choice, Distribution, Take, TakeOrder};

use crate::diagnose::{Error, Result, unknown};
use crate::reader::{Item, Table};

/// Most threads that a point may have.
pub const THREADS_MAX: u64 = 4096;
/// Longest hold or think time of one operation, in ns. It keeps a length in cycles within 32 bits.
pub const WORK_NS_MAX: u64 = 1_000_000_000;
/// Longest slice, pause, burst or stall, in ns.
pub const SPAN_NS_MAX: u64 = 3_600_000_000_000;
/// Shortest phase of a schedule, in ns: below it, waking the threads would take longer than the phase.
pub const PHASE_NS_MIN: u64 = 100_000;
/// Most objects that a point may have.
pub const LOCKS_MAX: u64 = 65_536;

/// A number of threads, perhaps relative to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Fixed(u32),
    /// So many per core: `cores` is one, `4x` four.
    PerCore(u32),
}

const COUNT: &str = "a number of threads from 1 to 4096, `cores`, or a multiple of the cores such as `2x`";

impl Count {
    /// The number on a machine of `cores`; what is wrong with it if it is beyond [`THREADS_MAX`].
    pub fn resolve(self, cores: usize) -> std::result::Result<u32, String> {
        match self {
            Count::Fixed(count) => Ok(count),
            Count::PerCore(factor) => {
                let count = u64::from(factor).saturating_mul(cores.max(1) as u64);
                match u32::try_from(count) {
                    Ok(small) if count <= THREADS_MAX => Ok(small),
                    _ => Err(format!("`{self}` on {cores} cores is more than {THREADS_MAX} threads")),
                }
            }
        }
    }

    pub(crate) fn read(item: &Item<'_>) -> Result<Self> {
        if item.is_integer() {
            return Ok(Count::Fixed(item.integer("a number of threads", 1..THREADS_MAX + 1)? as u32));
        }
        let word = item.str(COUNT)?;
        word.parse().map_err(|()| item.expected(COUNT))
    }

    /// The value of a flag such as `--threads 1,2,4x`.
    pub fn list(flag: &str, text: &str) -> Result<Vec<Count>> {
        let read = |word: &str| {
            let error = |()| Error::about(flag, format_args!("expected {COUNT}, found `{word}`"));
            word.trim().parse().map_err(error)
        };
        text.split(',').map(read).collect()
    }
}

impl std::str::FromStr for Count {
    type Err = ();
    fn from_str(word: &str) -> std::result::Result<Self, ()> {
        let within = |number: &str| match number.parse::<u32>() {
            Ok(count) if (1..=THREADS_MAX).contains(&u64::from(count)) => Ok(count),
            _ => Err(()),
        };
        match word.strip_suffix('x') {
            _ if word == "cores" => Ok(Count::PerCore(1)),
            Some(factor) => within(factor).map(Count::PerCore),
            None => within(word).map(Count::Fixed),
        }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Count::Fixed(count) => write!(f, "{count}"),
            Count::PerCore(1) => f.write_str("cores"),
            Count::PerCore(factor) => write!(f, "{factor}x"),
        }
    }
}

/// Reads a length of time: an integer in ns, or a text with a unit.
pub(crate) fn duration_ns(item: &Item<'_>, max_ns: u64) -> Result<u64> {
    let expected = || format!("a length from 0 to {}, in ns or as `10 us`", show_ns(max_ns));
    if item.is_integer() {
        return item.integer("a length in ns", 0..max_ns + 1);
    }
    let text = item.str(&expected())?;
    parse_duration_ns(text).filter(|&ns| ns <= max_ns).ok_or_else(|| item.expected(&expected()))
}

/// The ns in a text such as `500 ns`, `10us`, `1.5 ms`, `2 s`; none if it is anything else or does not fit.
pub fn parse_duration_ns(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')?;
    let (number, unit) = (text[..unit_at].replace('_', ""), text[unit_at..].trim());
    let scale: u64 = match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let mut ns = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let mut place = scale;
    for digit in fraction.chars() {
        place /= 10;
        let digit = u64::from(digit.to_digit(10)?);
        if place == 0 && digit > 0 {
            return None;
        }
        ns = ns.checked_add(digit * place)?;
    }
    Some(ns)
}

/// A length in the largest unit that shows it as an integer.
pub fn show_ns(ns: u64) -> String {
    match ns {
        0 => "0 ns".into(),
        _ if ns.is_multiple_of(1_000_000_000) => format!("{} s", ns / 1_000_000_000),
        _ if ns.is_multiple_of(1_000_000) => format!("{} ms", ns / 1_000_000),
        _ if ns.is_multiple_of(1_000) => format!("{} us", ns / 1_000),
        _ => format!("{ns} ns"),
    }
}

/// A length of at least `min_ns` under `key`.
pub(crate) fn length_ns(table: &Table<'_>, key: &str, min_ns: u64, max_ns: u64) -> Result<u64> {
    let item = table.need(key, "a length, in ns or as `10 us`")?;
    match duration_ns(&item, max_ns)? {
        ns if ns < min_ns => Err(item.expected(&format!("a length of at least {}", show_ns(min_ns)))),
        ns => Ok(ns),
    }
}

/// Reads a length of work: a constant, or a table with a `kind`.
pub(crate) fn distribution(item: &Item<'_>) -> Result<Distribution> {
    if !item.is_table() {
        return Ok(Distribution::Constant { ns: duration_ns(item, WORK_NS_MAX)? });
    }
    let (kind, table) = item.kind(&[
        ("constant", &["ns"]),
        ("uniform", &["min_ns", "max_ns"]),
        ("exponential", &["mean_ns"]),
        ("bimodal", &["short_ns", "long_ns", "long_share"]),
    ])?;
    let table = table.ok_or_else(|| item.expected("a table"))?;
    let length = |key: &str| duration_ns(&table.need(key, "a length, in ns or as `10 us`")?, WORK_NS_MAX);
    let ordered = |low: &str, high: &str| {
        let (low_ns, high_ns) = (length(low)?, length(high)?);
        if low_ns > high_ns {
            let message = format_args!("expected at most {high} ({high_ns}), found {low_ns}");
            return Err(table.need(low, "a length")?.wrong(message));
        }
        Ok((low_ns, high_ns))
    };
    Ok(match kind {
        "constant" => Distribution::Constant { ns: length("ns")? },
        "uniform" => {
            let (min_ns, max_ns) = ordered("min_ns", "max_ns")?;
            Distribution::Uniform { min_ns, max_ns }
        }
        "exponential" => Distribution::Exponential { mean_ns: length_ns(&table, "mean_ns", 1, WORK_NS_MAX)? },
        _ => {
            let (short_ns, long_ns) = ordered("short_ns", "long_ns")?;
            let expected = "a share from 0 to 1";
            let share = table.need("long_share", expected)?;
            let long_share = share.number(expected, |share| (0.0..=1.0).contains(&share))?;
            Distribution::Bimodal { short_ns, long_ns, long_share }
        }
    })
}

/// Reads how an operation picks an object.
pub(crate) fn choice(item: &Item<'_>) -> Result<Choice> {
    let (kind, table) = item.kind(&[("uniform", &[]), ("zipf", &["exponent"])])?;
    match (kind, table) {
        ("zipf", Some(table)) => {
            let expected = "an exponent from 0 to 10";
            let exponent = table.need("exponent", expected)?;
            Ok(Choice::Zipf { exponent: exponent.number(expected, |value| (0.0..=10.0).contains(&value))? })
        }
        _ => Ok(Choice::Uniform),
    }
}

/// Reads how many objects an operation takes.
pub(crate) fn take(item: &Item<'_>) -> Result<Take> {
    let (kind, table) = item.kind(&[("one", &[]), ("two", &["order"])])?;
    let Some(table) = table.filter(|_| kind == "two") else { return Ok(Take::One) };
    let expected = "one of ascending, as-drawn";
    let order = table.need("order", expected)?;
    let given = order.str(expected)?;
    let known = [TakeOrder::Ascending, TakeOrder::AsDrawn];
    match known.into_iter().find(|order| order.name() == given) {
        Some(order) => Ok(Take::Two { order }),
        None => Err(order.wrong(unknown("order", given, known.map(TakeOrder::name)))),
    }
}

/// Reads when a thread begins an operation.
pub(crate) fn arrivals(item: &Item<'_>) -> Result<Arrivals> {
    let rate: &[&str] = &["per_thread_per_s"];
    let (kind, table) = item.kind(&[("closed", &[]), ("fixed", rate), ("poisson", rate)])?;
    let Some(table) = table.filter(|_| kind != "closed") else { return Ok(Arrivals::Closed) };
    let expected = "a rate above 0 and at most 1e9 per second";
    let rate = table.need("per_thread_per_s", expected)?;
    let per_thread_per_s = rate.number(expected, |rate| rate > 0.0 && rate <= 1e9)?;
    Ok(match kind {
        "fixed" => Arrivals::Fixed { per_thread_per_s },
        _ => Arrivals::Poisson { per_thread_per_s },
    })
}

/// How labels show a length of work: `500`, `exp500`.
pub(crate) fn show_distribution(work: &Distribution) -> String {
    match *work {
        Distribution::Constant { ns } => format!("{ns}"),
        Distribution::Uniform { min_ns, max_ns } => format!("uni{min_ns}-{max_ns}"),
        Distribution::Exponential { mean_ns } => format!("exp{mean_ns}"),
        Distribution::Bimodal { short_ns, long_ns, long_share } => {
            format!("bi{short_ns}-{long_ns}-{long_share}")
        }
    }
}

/// How labels show a choice: `uniform`, `zipf0.99`.
pub(crate) fn show_choice(choice: &Choice) -> String {
    match choice {
        Choice::Uniform => "uniform".into(),
        Choice::Zipf { exponent } => format!("zipf{exponent}"),
    }
}

/// How labels show how many objects an operation takes: `one`, `as-drawn`.
pub(crate) fn show_take(take: &Take) -> String {
    match take {
        Take::One => "one".into(),
        Take::Two { order } => order.name().into(),
    }
}

/// How labels show arrivals: `closed`, `poisson1000`.
pub(crate) fn show_arrivals(arrivals: &Arrivals) -> String {
    match arrivals {
        Arrivals::Closed => "closed".into(),
        Arrivals::Fixed { per_thread_per_s } => format!("fixed{per_thread_per_s}"),
        Arrivals::Poisson { per_thread_per_s } => format!("poisson{per_thread_per_s}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, ns) in [
            ("500 ns", 500),
            ("10us", 10_000),
            ("10 µs", 10_000),
            ("1.5 ms", 1_500_000),
            ("2 s", 2_000_000_000),
            ("1_000 ns", 1_000),
            ("0.500 us", 500),
        ] {
            assert_eq!(parse_duration_ns(text), Some(ns), "{text}");
        }
        for text in
            ["", "5", "ns", "-1 ns", "1 h", "99999999999 s", "1.2.3 ms", "1e3 ns", ". ns", "0.0005 us"]
        {
            assert_eq!(parse_duration_ns(text), None, "{text}");
        }
    }

    #[test]
    fn counts() {
        assert_eq!("4x".parse(), Ok(Count::PerCore(4)));
        assert_eq!("cores".parse(), Ok(Count::PerCore(1)));
        assert_eq!("0x".parse::<Count>(), Err(()));
        assert_eq!("4097".parse::<Count>(), Err(()));
        assert_eq!(Count::PerCore(4).resolve(2), Ok(8));
        assert!(Count::PerCore(4096).resolve(2).is_err());
    }
}
